/**
 * Who acts: the roles staff can have, and the operator behind one request. One operator has one role; a person who does two jobs has two accounts, so that every line of the
 * access log says in which of them something was done.
 */

/** The groups of the user pool, and the principals of the policies. */
export const ROLES = ['sales', 'support', 'compliance', 'dpo', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** A machine that records what it sent. No group gives it, so no person can have it; a token of the machine's own client does. */
export const SYSTEM_ROLE = 'system';
/** What such a token has, and no sign-in of a person: the scope `<server>/<name>`. */
export const OUTBOUND_SCOPE = { server: 'intact', name: 'outbound' } as const;
export type ActingRole = Role | typeof SYSTEM_ROLE;

export interface Actor {
  /** The user pool's `sub`: random, never given to anybody else, not a name. Of a machine its client's id. */
  readonly operatorId: string;
  /** The user name, which nobody can change after it was given; attributes such as a display name could be changed by their owner. Of a machine its client's id again. */
  readonly name: string;
  readonly role: ActingRole;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly requestId: string;
}

const isRole = (group: string): group is Role => (ROLES as readonly string[]).includes(group);

/** The one role among `groups`. Groups that are no roles mean nothing; two roles are as good as none, since nobody could say which one acted. */
export function roleAmong(groups: readonly string[]): Role | 'none' | 'several' {
  const [role, ...more] = [...new Set(groups)].filter(isRole);
  if (role === undefined) return 'none';
  return more.length === 0 ? role : 'several';
}
