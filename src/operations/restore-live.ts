/**
 * Restoring into the live table, which others write at the same time: every change is announced by a record that the sealer asks for, is made only of what is wrong, on condition that it
 * still is as it was found, and only once the wrong state itself is in the log.
 */
import { stringOf, type Image, type TableKey } from '../core/image';
import { isErasedState, placeOf } from '../core/record-history';
import { withMac } from '../core/record-mac';
import type { StateHash } from '../core/repair-record';
import { runImage } from '../core/run-records';
import { standing } from '../core/table-audit';
import { recordKeys } from '../core/table-keys';
import { PortError, type Clock, type LogIdentity, type Meter, type RecordStore, type Sleep } from '../ports';
import type { RecordRepairs } from '../ports/record-repairs';
import type { RestoreTarget } from '../ports/restore-target';
import { inParallel } from './in-parallel';
import { putBack } from './put-back';
import type { ReplayDeps, ReplayedRecord } from './replay-log';
import type { LeftAlone, RestorePlan, RestoreResult } from './restore-records';
import { eachState, itemsAt } from './restore-states';
import { hashOf, sealedStates } from './sealed-evidence';

/** What the live table is changed through. */
export interface LiveTable {
  readonly records: Pick<RecordStore, 'create'>;
  readonly repairs: RecordRepairs;
  readonly identity: LogIdentity;
  /** Who restores. */
  readonly by: string;
  readonly meter: Meter;
  readonly sleep: Sleep;
}

interface LiveDeps extends ReplayDeps {
  readonly target: Pick<RestoreTarget, 'name' | 'read'>;
  readonly now: Clock;
  readonly live: LiveTable;
}

const PUT_AT_ONCE = 16;
const READ_AT_ONCE = 100;
/** A record that changes between two looks is being repaired by somebody else, or attacked; either way somebody is at it. */
const MAX_ATTEMPTS = 3;

/** `putContents`: puts back bodies, before the records that name them. */
export async function intoLive(deps: LiveDeps, plan: RestorePlan, putContents: () => Promise<number>, began: Date): Promise<Omit<RestoreResult, 'settings' | 'seconds'>> {
  const { wrong, options } = plan.work;
  const isNothing = plan.toWrite === 0 && plan.toRemove.length === 0;
  // Why records come back is on record before the first does. Died after it: a restore that did nothing, and another one.
  const record = isNothing ? undefined : await announce(deps, plan, began);
  const contents = await putContents();
  const sealed = await sealedStates({ ...deps, sleep: deps.live.sleep }, wrong, options.pinned ?? [], (missing) => options.onProgress?.({ step: 'waiting', done: wrong.size - missing, total: wrong.size }));
  const isEvident = (state: StateHash | undefined, place: string): boolean => state !== undefined && wrong.get(place) === state && sealed.has(place);

  const repair = repairing(deps);
  const left: LeftAlone[] = [];
  let written = 0;
  await eachToWrite(deps, plan, async (records) => {
    const there = await itemsAt(deps.target, records);
    await inParallel(records, PUT_AT_ONCE, async (each) => {
      const outcome = plan.work.isOutdated(each) ? 'unreadable' : await repair(each.key, there.get(placeOf(each.image)), each, isEvident);
      if (outcome === 'done') written += 1;
      else if (outcome !== 'sound') left.push({ key: each.key, why: outcome });
    });
    options.onProgress?.({ step: 'writing', done: written, total: plan.toWrite });
  });

  let removed = 0;
  for (let at = 0; at < plan.toRemove.length; at += READ_AT_ONCE) {
    const some = plan.toRemove.slice(at, at + READ_AT_ONCE);
    for (const image of await deps.target.read(some)) {
      const key = { pk: stringOf(image, 'pk') ?? '', sk: stringOf(image, 'sk') ?? '' };
      const outcome = (await isUnreadable(deps, plan, stringOf(image, 'subject'))) ? 'unreadable' : await repair(key, image, undefined, isEvident);
      if (outcome === 'done') removed += 1;
      else if (outcome !== 'sound') left.push({ key, why: outcome });
    }
    options.onProgress?.({ step: 'removing', done: removed, total: plan.toRemove.length });
  }
  return { written, removed, contents, left, record };
}

/**
 * Entries that nobody can open may be those of the very record that looks as if the log had never had it: then it is evidence of what is lost, and stays.
 */
async function isUnreadable({ subjectKeys }: ReplayDeps, { notes }: RestorePlan, subject: string | undefined): Promise<boolean> {
  const isClosed = notes.some(({ why, meaning }) => meaning === 'loss' && !why.startsWith('content-'));
  return isClosed || (subject !== undefined && (await subjectKeys.existing(subject)) === 'erased');
}

type Outcome = 'done' | 'sound' | 'unsealed' | 'changed';

/** Brings one place to `genuine` (undefined: to nothing), from what was just found there. */
function repairing(deps: LiveDeps) {
  const { live, macKeys, now, target } = deps;
  return async (key: TableKey, found: Image | undefined, genuine: ReplayedRecord | undefined, isEvident: (state: StateHash | undefined, place: string) => boolean): Promise<Outcome> => {
    let there = found;
    for (let attempt = 1; ; attempt++) {
      const stands = standing(genuine?.image, there, macKeys);
      if (stands === 'same' || stands === 'ahead') return 'sound';
      if (there !== undefined && !isErasedState(genuine?.image, there, macKeys) && !isEvident(hashOf(there), placeOf(there))) return 'unsealed';
      const plan = { key, from: there, to: genuine?.image, ...(genuine !== undefined && { entry: genuine.index }) };
      const outcome = await putBack({ ...live, macKeys, now }, plan);
      if (outcome === 'done' || attempt === MAX_ATTEMPTS) return outcome;
      there = (await target.read([key]))[0];
    }
  };
}

async function announce({ live, macKeys, target }: LiveDeps, plan: RestorePlan, began: Date): Promise<TableKey> {
  const [key] = macKeys;
  if (key === undefined) throw new PortError('corrupt', 'there is no MAC key to write the record of this restore with');
  const at = began.toISOString();
  const result = { at, ok: plan.losses === 0, findings: plan.losses, records: plan.toWrite + plan.toRemove.length, seconds: 0, size: plan.size, by: live.by, target: target.name };
  await live.records.create(withMac(key, runImage('restore', result, live.identity.systemSubject)));
  return recordKeys.restore(at);
}

/** What was kept from planning, or the log once more. */
async function eachToWrite(deps: LiveDeps, { work }: RestorePlan, give: (records: readonly ReplayedRecord[]) => Promise<void>): Promise<void> {
  const kept = work.kept.all();
  if (kept === undefined) {
    await eachState(deps, { ...work.states, onProgress: undefined }, (some) => give(some.filter(({ stands }) => stands !== 'same' && stands !== 'ahead').map(({ record }) => record)));
    return;
  }
  for (let at = 0; at < kept.length; at += READ_AT_ONCE) await give(kept.slice(at, at + READ_AT_ONCE));
}
