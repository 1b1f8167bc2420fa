/** The versions of a profile, newest first, and what it was at a time. */
import { stringOf } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { openCursor, invalidCursor, sealCursor, type CursorScope } from '../../core/staff/cursor';
import { fieldError } from '../../core/staff/messages/catalogue';
import { revOf, type Profile } from '../../core/staff/profile';
import { done, refused, type FieldChange, type StaffResult } from '../../core/staff/refusal';
import type { Version, VersionAction } from '../../core/staff/version';
import { guardedRead, type GuardDeps } from './guarded';
import { versionsOf, type VersionDeps } from './read-versions';

export interface ShownVersion {
  readonly rev: number;
  readonly at: string;
  readonly action: VersionAction;
  /** Absent of the state in which a customer was received. */
  readonly by?: { readonly operatorId: string; readonly name: string; readonly role: string };
  readonly sourceIp?: string;
  readonly requestId?: string;
  readonly reason?: string;
  readonly changes: readonly FieldChange[];
  readonly profile: Profile;
}
export interface VersionPage {
  readonly items: readonly ShownVersion[];
  readonly cursor?: string;
}

const ROUTE = 'GET /v1/customers/{id}/versions';

/** A function's answer has at most 6 MB, and one version of the largest profile 140 KB: a page ends before that, however many were asked for. */
const MAX_PAGE_BYTES = 4_000_000;

/** `limit`: from 1. */
export function listVersions(deps: GuardDeps & VersionDeps, actor: Actor, { customerId, cursor, limit }: { readonly customerId: string; readonly cursor?: string | undefined; readonly limit: number }): Promise<StaffResult<VersionPage>> {
  const scope: CursorScope = { operatorId: actor.operatorId, route: ROUTE, filter: [customerId] };
  return guardedRead(
    deps,
    actor,
    { action: 'ReadVersions', customerId },
    async (room) => {
      const position = cursor === undefined ? undefined : openCursor(room.secret, scope, cursor);
      const upTo = position === undefined ? revOf(room.customer) : Number(position);
      if (position === 'invalid' || !Number.isSafeInteger(upTo) || upTo < 1) return refused({ code: 'invalid', errors: [invalidCursor()] });
      const items: ShownVersion[] = [];
      let bytes = 0;
      for await (const version of versionsOf(deps, room, { upTo, atOnce: limit + 1 })) {
        const item = shown(version);
        // An answer's body travels as a text within JSON: what had to be escaped is escaped once more.
        bytes += Buffer.byteLength(JSON.stringify(JSON.stringify(item)));
        if (items.length === limit || (items.length > 0 && bytes > MAX_PAGE_BYTES)) return done({ items, cursor: sealCursor(room.secret, scope, String(version.rev)) });
        items.push(item);
      }
      return done({ items });
    },
    ({ items }) => ({ count: items.length }),
  );
}

/** The profile as it was at `at`, ISO 8601 UTC. */
export interface ProfileThen {
  readonly rev: number;
  /** Since when it had been like this. */
  readonly since: string;
  readonly profile: Profile;
}

export function customerAt(deps: GuardDeps & VersionDeps, actor: Actor, { customerId, at }: { readonly customerId: string; readonly at: string }): Promise<StaffResult<ProfileThen>> {
  return guardedRead(deps, actor, { action: 'ReadVersions', customerId }, async (room) => {
    const then = new Date(at).toISOString();
    for await (const { rev, at: since, profile } of versionsOf(deps, room)) if (since <= then) return done({ rev, since, profile });
    const min = stringOf(room.customer, 'createdAt') ?? '';
    return refused({ code: 'invalid', errors: [fieldError('en', 'time', 'too-early', { min }, min)] });
  }, () => ({ count: 1 }));
}

function shown({ rev, at, action, by, reason, changes, profile }: Version): ShownVersion {
  return {
    rev,
    at,
    action,
    ...(by !== undefined && { by: { operatorId: by.operatorId, name: by.name, role: by.role }, sourceIp: by.sourceIp, requestId: by.requestId }),
    ...(reason !== undefined && { reason }),
    changes,
    profile,
  };
}
