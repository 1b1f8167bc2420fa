/**
 * Undoes all that one operator changed in some time: planned first, so that a person sees what would become of each customer, then done as planned. Each customer is one transaction with a
 * version and an access record of its own. A plan is not kept anywhere: its name says it, and what has changed since is found by computing it again. So a request that died half-way is
 * simply sent again; what is done already is done.
 */
import { stringOf } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { conflictOf, fieldError } from '../../core/staff/messages/catalogue';
import { revOf } from '../../core/staff/profile';
import type { ProfileSettings } from '../../core/staff/profile-settings';
import { done, refused, type FieldChange, type StaffResult } from '../../core/staff/refusal';
import { digestOf, planIdOf, planIn, undoOf, type Doing, type Undo } from '../../core/staff/undo';
import type { Version } from '../../core/staff/version';
import { recordKeys } from '../../core/table-keys';
import type { RecordStore } from '../../ports';
import { stepOf } from './change-profile';
import { changeOne, guardedRead, type CustomerRoom, type GuardDeps, type Room } from './guarded';
import { versionsOf, type VersionDeps } from './read-versions';

export type BulkRollbackDeps = GuardDeps & VersionDeps & { readonly records: Pick<RecordStore, 'ofOperator'>; readonly profile: ProfileSettings };

/** As many as a request finishes well before API Gateway's 29 seconds. */
export const MAX_PLANNED = 50;
/** Customers one request looks at. */
const MAX_EXAMINED = 200;
/** Keys of what one operator did: all of them are needed before the first customer can be named. */
const MAX_KEYS = 50_000;

export interface PlannedRollback {
  readonly customerId: string;
  /** Now. */
  readonly rev: number;
  /** Before the operator's first change in that time. */
  readonly toRev: number;
  readonly changes: readonly FieldChange[];
  /** Fields that were changed by others since: those stay. */
  readonly conflict?: readonly string[];
}
export interface RollbackPlan {
  readonly items: readonly PlannedRollback[];
  readonly planId: string;
  /** There are more: plan again from here, when this is done. */
  readonly after?: string;
}
export interface BulkRolledBack {
  /** `rev`: as it is now. */
  readonly done: readonly { readonly customerId: string; readonly rev: number }[];
  /** Changed since it was planned, or gone (then without `rev`): left alone; plan again. */
  readonly stale: readonly { readonly customerId: string; readonly rev?: number }[];
}

/** What would be undone, of at most `MAX_PLANNED` customers in the order of their ids, beginning `after` one. The index may lag by a second or so. */
export function planBulkRollback(deps: BulkRollbackDeps, actor: Actor, { after = '', ...window }: Doing & { readonly after?: string | undefined }): Promise<StaffResult<RollbackPlan>> {
  return guardedRead(
    deps,
    actor,
    { action: 'BulkRollback', resourceId: `plan:${window.operatorId}`.slice(0, 100) },
    async (room) => {
      const doing = inMilliseconds(window);
      if (doing.from >= doing.to) return refused({ code: 'invalid', errors: [fieldError('en', '/to', 'time-order', {})] });
      const customers = await customersChangedBy(deps, doing);
      if (customers === 'too-many') return refused(conflictOf('too-much-done', { max: MAX_KEYS }));
      const items: PlannedRollback[] = [];
      const plan: { customerId: string; rev: number; digest: string }[] = [];
      let examined = 0;
      let last = after;
      for (const customerId of customers.filter((each) => each > after)) {
        if (plan.length === MAX_PLANNED || examined === MAX_EXAMINED) return done({ items, planId: planIdOf(plan), after: last });
        examined += 1;
        last = customerId;
        const found = await undoIn(deps, room, doing, customerId);
        if (typeof found === 'string' || found.undo === undefined) continue;
        const { rev, toRev, changes, kept } = found.undo;
        items.push({ customerId, rev, toRev, changes, ...(kept.length > 0 && { conflict: kept }) });
        plan.push({ customerId, rev, digest: digestOf(doing, customerId, found.undo) });
      }
      return done({ items, planId: planIdOf(plan) });
    },
    ({ items }) => ({ count: items.length, shown: items.map(({ customerId }) => customerId) }),
  );
}

/** Does what `planId` says, as far as it still is what would be planned now. */
export function bulkRollback(deps: BulkRollbackDeps, actor: Actor, { planId, reason, ...window }: Doing & { readonly planId: string; readonly reason: string }): Promise<StaffResult<BulkRolledBack>> {
  return guardedRead(
    deps,
    actor,
    { action: 'BulkRollback', resourceId: `done:${window.operatorId}`.slice(0, 100) },
    async (room) => {
      const doing = inMilliseconds(window);
      const plan = planIn(planId, MAX_PLANNED);
      if (plan === undefined) return refused(conflictOf('no-plan', {}));
      const finished: { customerId: string; rev: number }[] = [];
      const stale: { customerId: string; rev?: number }[] = [];
      for (const { customerId, rev, digest } of plan) {
        const found = await undoIn(deps, room, doing, customerId);
        if (found === 'gone') stale.push({ customerId });
        // Done by an earlier attempt, or by somebody else: nothing of it is left.
        else if (found.undo === undefined) finished.push({ customerId, rev: found.rev });
        else if (found.rev !== rev || digestOf(doing, customerId, found.undo) !== digest) stale.push({ customerId, rev: found.rev });
        else {
          const { writes } = stepOf(found.customer, found.undo.profile, { actor, at: room.at, action: 'rolled-back', reason });
          const outcome = await changeOne(deps, actor, { action: 'BulkRollback', customerId, decision: room.decision, count: 1 }, writes);
          if (outcome === 'done') finished.push({ customerId, rev: rev + 1 });
          else stale.push({ customerId });
        }
      }
      return done({ done: finished, stale });
    },
    (result) => ({ count: result.done.length }),
  );
}

const inMilliseconds = ({ operatorId, from, to }: Doing): Doing => ({ operatorId, from: new Date(from).toISOString(), to: new Date(to).toISOString() });

/** In order. */
async function customersChangedBy({ records }: BulkRollbackDeps, { operatorId, from, to }: Doing): Promise<readonly string[] | 'too-many'> {
  const customers = new Set<string>();
  let keys = 0;
  for await (const { pk, sk } of records.ofOperator(operatorId, { since: from, until: to })) {
    if ((keys += 1) > MAX_KEYS) return 'too-many';
    if (pk.startsWith('c#') && sk.startsWith('version#')) customers.add(pk.slice('c#'.length));
  }
  return [...customers].sort();
}

type Found = { readonly customer: CustomerRoom['customer']; readonly rev: number; readonly undo: Undo | undefined };

async function undoIn(deps: BulkRollbackDeps, { genuine }: Room, doing: Doing, customerId: string): Promise<Found | 'gone'> {
  const found = await deps.records.get(recordKeys.customer(customerId), { consistent: true });
  if (found === 'absent' || stringOf(genuine(found), 'kind') !== 'customer') return 'gone';
  const newestFirst: Version[] = [];
  for await (const version of versionsOf(deps, { customer: found, genuine })) {
    newestFirst.push(version);
    // The state before that time is the last one that matters, however long a history there is before it.
    if (version.at < doing.from) break;
  }
  const rev = revOf(found);
  const undo = undoOf(newestFirst.reverse(), doing, deps.profile);
  // The revision of the record, which other changes than those of the profile may have moved on.
  return { customer: found, rev, undo: undo && { ...undo, rev } };
}
