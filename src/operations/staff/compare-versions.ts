/** What differs between two versions of a profile: what happened in between, or, asked backwards, what a rollback would do. */
import type { Actor } from '../../core/staff/actor';
import { fieldError } from '../../core/staff/messages/catalogue';
import { changesBetween, revOf } from '../../core/staff/profile';
import { done, refused, type FieldChange, type StaffResult } from '../../core/staff/refusal';
import { guardedRead, type GuardDeps } from './guarded';
import { versionAt, type VersionDeps } from './read-versions';

/** Of a version: its revision, and since when, ISO 8601 UTC. */
interface End {
  readonly rev: number;
  readonly at: string;
}
export interface VersionDifference {
  readonly from: End;
  readonly to: End;
  readonly changes: readonly FieldChange[];
}

/** `from`, `to`: revisions from 1 to the present one, which `to` is where it is absent; in either order. What a customer was at a revision that left the profile alone is what the version before it made. */
export function compareVersions(deps: GuardDeps & VersionDeps, actor: Actor, { customerId, from, to }: { readonly customerId: string; readonly from: number; readonly to?: number | undefined }): Promise<StaffResult<VersionDifference>> {
  return guardedRead(
    deps,
    actor,
    { action: 'ReadVersions', customerId },
    async (room) => {
      const max = revOf(room.customer);
      const asked = { from, to: to ?? max };
      const errors = (['from', 'to'] as const).filter((end) => !Number.isInteger(asked[end]) || asked[end] < 1 || asked[end] > max).map((end) => fieldError('en', end, 'whole-number', { min: 1, max }));
      if (errors.length > 0) return refused({ code: 'invalid', errors });
      const [before, after] = [await versionAt(deps, room, asked.from), await versionAt(deps, room, asked.to)];
      return done({ from: { rev: before.rev, at: before.at }, to: { rev: after.rev, at: after.at }, changes: changesBetween(before.profile, after.profile) });
    },
    () => ({ count: 2 }),
  );
}
