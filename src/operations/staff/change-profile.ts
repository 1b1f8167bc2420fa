/**
 * Changes a profile: edited, assigned or put back, it is the same step. One transaction holds the customer's next record, the version that says who, when, why and what, and the access
 * record. A caller says which revision they have read; what happened since is told, never overwritten.
 */
import type { Image } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { changesBetween, revOf, type Profile } from '../../core/staff/profile';
import type { FieldChange, StaffResult } from '../../core/staff/refusal';
import { nextStep, type StepBy } from '../../core/staff/version';
import type { RecordWrite } from '../../ports';
import { guardedChange, type CustomerAsk, type CustomerRoom, type GuardDeps, type Plan } from './guarded';
import { profileIn, versionAt, type VersionDeps } from './read-versions';

export type ChangeDeps = GuardDeps & VersionDeps;

export interface ChangedProfile {
  readonly customerId: string;
  readonly rev: number;
  readonly profile: Profile;
  /** Empty: it was like this already, and nothing was written but that somebody asked. */
  readonly changes: readonly FieldChange[];
}

export interface ProfileChanging {
  readonly ifRev: number;
  readonly action: StepBy['action'];
  readonly reason?: string | undefined;
  /** What the profile is to become; a plan where it cannot. */
  readonly to: (profile: Profile, room: CustomerRoom) => Promise<Profile | (Plan<never> & { readonly outcome: 'refused' })>;
}

export function changeProfile(deps: ChangeDeps, actor: Actor, ask: CustomerAsk, { ifRev, action, reason, to }: ProfileChanging): Promise<StaffResult<ChangedProfile>> {
  return guardedChange(deps, actor, ask, async (room): Promise<Plan<ChangedProfile>> => {
    const { customer } = room;
    const [rev, before] = [revOf(customer), profileIn(customer)];
    if (rev !== ifRev) return stale(deps, room, ifRev);
    const after = await to(before, room);
    if ('outcome' in after) return after;
    const { customerId } = ask;
    if (changesBetween(before, after).length === 0) return { outcome: 'change', writes: [], value: { customerId, rev, profile: before, changes: [] }, count: 0 };
    const { writes, changes } = stepOf(customer, after, { actor, at: room.at, action, reason });
    return { outcome: 'change', writes, value: { customerId, rev: rev + 1, profile: after, changes }, count: 1 };
  });
}

/** The writes that take `customer` to `profile`. */
export function stepOf(customer: Image, profile: Profile, by: StepBy): { readonly writes: readonly RecordWrite[]; readonly changes: readonly FieldChange[] } {
  const step = nextStep(customer, profile, by);
  return {
    writes: [
      { op: 'replace', image: step.customer, ifRev: revOf(customer) },
      { op: 'create', image: step.version },
    ],
    changes: step.changes,
  };
}

/** What happened since the revision the caller has. One that there has not been yet is as stale as one that has passed. */
async function stale(deps: VersionDeps, room: CustomerRoom, ifRev: number): Promise<Plan<never>> {
  const rev = revOf(room.customer);
  const had = ifRev >= 1 && ifRev < rev ? (await versionAt(deps, room, ifRev)).profile : profileIn(room.customer);
  return { outcome: 'refused', refusal: { code: 'stale', rev, changes: changesBetween(had, profileIn(room.customer)) } };
}

