/**
 * docs/roles.md: who may do what, asked of the policies themselves, one question for each cell. Nobody writes this page; `npm run roles` does, and a test refuses a stale one.
 */
import { policyTexts } from '../policies/policy-texts';
import { ACTIONS, type Action, type Resource } from '../src/core/staff/actions';
import { ROLES, type Actor } from '../src/core/staff/actor';
import { authorize, policySetOf } from '../src/operations/staff/authorize';

const PRINCIPALS = [...ROLES, 'system'] as const;
const [SELF, OTHER] = ['self', 'other'];

const allowed = (role: string, action: Action, more: { readonly ownerId?: string; readonly askedBy?: string } = {}): boolean => {
  const actor: Actor = { operatorId: SELF, name: '', role: role as Actor['role'], sourceIp: '', userAgent: '', requestId: '' };
  const { resource: type } = ACTIONS[action];
  const resource: Resource = type === 'Customer' ? { type, id: 'customer', ...more } : { type };
  return authorize(actor, action, resource).allowed;
};

/** One cell, from every answer there is: by owner (own, another's, nobody's) and by who asked for the erasure (they, another, nobody). */
function cell(role: string, action: Action): string {
  const owners = [SELF, OTHER, undefined];
  const answers = new Map(owners.flatMap((ownerId) => owners.map((askedBy) => [`${ownerId}/${askedBy}`, allowed(role, action, { ...(ownerId && { ownerId }), ...(askedBy && { askedBy }) })] as const)));
  const where = [...answers].filter(([, yes]) => yes).map(([which]) => which);
  if (where.length === 0) return '';
  if (where.length === answers.size) return 'yes';
  if (where.join() === [...answers.keys()].filter((which) => which.startsWith(`${SELF}/`)).join()) return 'own';
  if (where.join() === [...answers.keys()].filter((which) => which.endsWith(`/${OTHER}`)).join()) return 'second';
  return where.join(', ');
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function rolesPage(): string {
  const actions = Object.keys(ACTIONS) as Action[];
  const policies = Object.entries(policySetOf(policyTexts.policies)).map(([id, policy]) => row([`\`${id}\``, /^(forbid|permit)/m.exec(policy)?.[1] === 'forbid' ? 'forbids' : 'permits', /^@why\("(.*)"\)$/m.exec(policy)?.[1] ?? '']));
  return `# Roles

Made by \`npm run roles\` from the policies in [\`policies/\`](../policies); a test asks every cell again. A member of staff has one role; \`system\` is a machine that records what it sent.

**yes**: whatever it is asked for · **own**: only customers assigned to them · **second**: only what another officer asked for · empty: never. A customer whom somebody may not read does
not exist for them: every answer is the one for a customer there never was.

${[
    row(['action', ...PRINCIPALS, 'what it is']),
    row(['---', ...PRINCIPALS.map(() => ':-:'), '---']),
    ...actions.map((action) => row([action, ...PRINCIPALS.map((role) => cell(role, action)), ACTIONS[action].does])),
  ].join('\n')}

Nobody has an action that changes a message. What removes messages is an erasure, which one officer asks for and another confirms.

## Policies

What no policy permits is refused; what one forbids, no other can permit. The access log names the policies that decided.

${[row(['policy', '', 'why']), row(['---', '---', '---']), ...policies].join('\n')}
`;
}
