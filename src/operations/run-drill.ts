/**
 * The drill: restores the records from the vault into a scratch table, by the very operation that would restore the live one, holds the result against the live table record by record
 * and setting by setting, times it, and drops the scratch table whatever happened. What the live table has newer than the log that was restored is no difference. The result is a
 * record; a drill that could not be held leaves none, and its absence is the alarm. Every so many drills restore from the second region's replica alone: what that lacks because it is some
 * minutes behind is no difference, being far behind is one.
 */
import { placeOf } from '../core/record-history';
import { checkMac, withMac } from '../core/record-mac';
import { runImage } from '../core/run-records';
import { shareName, WHOLE, type Share } from '../core/shares';
import { standing } from '../core/table-audit';
import type { Image, TableKey } from '../core/image';
import { PortError, type LogStore, type Meter, type RecordStore } from '../ports';
import type { Finding } from '../core/verify/finding-codes';
import type { RestoreTarget, TableSettings } from '../ports/restore-target';
import type { ScratchTable } from '../ports/scratch-table';
import type { PublishedLog } from './published-entries';
import { factsSource, isOf, ofShare, restoreHere, wholeSource, type RestoreSource } from './restore-share';
import { settingDifferences, settingsLike } from './restore-settings';
import { settledLog, type SettledLog, type SettledLogDeps } from './settled-log';
import { inBatches } from './in-batches';
import { fingerprintOf, fingerprintsOf, keyOfPlace, READ_AT_ONCE, readPlaces } from './table-fingerprints';

export interface DrillDeps extends SettledLogDeps {
  readonly live: Pick<RestoreTarget, 'settings' | 'read' | 'scan'>;
  readonly scratch: ScratchTable;
  readonly restore: DrillRestore;
  /** The same from the replica, where there is one. */
  readonly replica?: DrillRestore | undefined;
  readonly log: SettledLogDeps['log'] & Pick<LogStore, 'rounds'>;
  readonly records: Pick<RecordStore, 'create'>;
  readonly meter: Meter;
}

/**
 * Makes the table by `target.create`, with the settings a restored records table has, and fills it with the records of `share`. `size`: of the log it restored. `losses`: entries
 * that nobody can open any more. `doubts`: what is wrong with the place it restored from, and was passed over.
 */
export type DrillRestore = (target: RestoreTarget, share: Share) => Promise<{ readonly records: number; readonly size: number; readonly losses: number; readonly doubts?: readonly Finding[] | undefined }>;

export type DrillSource = 'vault' | 'replica';

export interface DrillOptions {
  /** Without one: the vault. */
  readonly from?: DrillSource;
  /** Without one: everything. */
  readonly share?: Share;
  /** How long this drill can last at most; a scratch table older than its drill's time is a leftover. */
  readonly lastsAtMostMs: number;
  /** Who runs it, where a person does. */
  readonly by?: string;
  readonly onStep?: (step: 'discarding a leftover' | 'restoring' | 'comparing' | 'dropping', done: number) => void;
}

/** `not-restored`: the log had it when it was restored, and it is not in the scratch table. `missing`: in the scratch table, not in the live one. */
export type DrillDifference =
  | { readonly kind: 'modified' | 'missing' | 'out-of-version' | 'extra' | 'not-restored'; readonly key: TableKey }
  /** Entries that could not be opened: what they sealed cannot be restored. */
  | { readonly kind: 'lost'; readonly entries: number }
  /** An object that could not be trusted where it restored from. */
  | { readonly kind: 'doubt'; readonly object: string; readonly detail: string }
  /** The replica does not have so many entries that are published, the first of them sealed so long ago. */
  | { readonly kind: 'behind'; readonly entries: number; readonly seconds: number }
  | { readonly kind: 'setting'; readonly setting: string; readonly live: string; readonly restored: string };

/** What is kept of a drill. */
export interface DrillSummary {
  /** Name of its record: when it began, ISO 8601 UTC. */
  readonly drill: string;
  readonly ok: boolean;
  readonly share: Share;
  readonly from: DrillSource;
  readonly size: number;
  /** Published entries the replica did not have yet. */
  readonly behind: number;
  /** Records restored and compared. */
  readonly records: number;
  readonly differences: number;
  /** Records the live table has newer than the restored log: no differences. */
  readonly newer: number;
  readonly restoreSeconds: number;
  readonly seconds: number;
}

export interface DrillReport extends DrillSummary {
  /** The first differences. */
  readonly found: readonly DrillDifference[];
}

/** `busy`: another drill is under way. `unmade`: the restore made no table. `no-table`: there is no live table to be held against. `no-replica`: the stage has none. */
export class DrillError extends Error {
  constructor(
    readonly code: 'busy' | 'unmade' | 'no-table' | 'no-replica',
    message: string,
  ) {
    super(message);
    this.name = 'DrillError';
  }
}

/** Differences that are named; more are told by the number. */
const MAX_NAMED = 200;
/** Newer records that are looked up in the log, to tell a newer one from one the restore forgot. */
const MAX_LOOKED_UP = 5_000;
/** S3 promises 15 minutes for nearly every object; the heartbeat seals something every 15. A replica that lacks what is older is not being written. */
export const REPLICA_BEHIND_AT_MOST_MS = 45 * 60_000;
/** Tags of the scratch table: whose it is, and until when. */
const BEGUN = 'intact:drill-begun';
const UNTIL = 'intact:drill-until';

interface Run {
  readonly deps: DrillDeps;
  readonly log: SettledLog;
  readonly share: Share;
  readonly onStep: NonNullable<DrillOptions['onStep']>;
  readonly found: DrillDifference[];
  differences: number;
}

/** One drill, and its record. Throws `DrillError`, `ReplayError`, `PortError`, `VaultReadError`, `LogStopped`, and what `restore` throws. */
export async function runDrill(deps: DrillDeps, options: DrillOptions): Promise<DrillReport> {
  const { report, left } = await drillShare(deps, options);
  await recordDrill(deps, report, options);
  // What was found out counts; that a table was left behind is a failure all the same.
  if (left !== undefined) throw left;
  return report;
}

/** The same without its record: for a drill of several shares, which leaves one of all of them. `left`: why the scratch table is still there, if it is. */
export async function drillShare(deps: DrillDeps, { share = WHOLE, from = 'vault', lastsAtMostMs, onStep = () => undefined }: Omit<DrillOptions, 'by'>): Promise<{ readonly report: DrillReport; readonly left?: unknown }> {
  const restore = from === 'vault' ? deps.restore : deps.replica;
  if (restore === undefined) throw new DrillError('no-replica', 'there is no replica to restore from: the stage has no second region, or no drill uses it');
  const began = deps.now();
  const at = began.toISOString();
  const log = settledLog(deps);
  const run: Run = { deps, log, share, onStep, found: [], differences: 0 };
  await makeRoom(run, began);
  const scratch = marked(deps.scratch.open(), [`${BEGUN}=${at}`, `${UNTIL}=${new Date(began.getTime() + lastsAtMostMs).toISOString()}`]);
  const { result: { restored, restoreSeconds, newer, behind }, left } = await thenDropped(run, scratch, at, async () => {
    onStep('restoring', 0);
    const start = deps.now().getTime();
    const done = await restore(scratch, share);
    const took = (deps.now().getTime() - start) / 1000;
    onStep('comparing', 0);
    if (done.losses > 0) differs(run, { kind: 'lost', entries: done.losses }, done.losses);
    // Segments that are not there yet are told by being behind, once they are late.
    for (const { code, object, detail } of done.doubts ?? []) if (code !== 'segment-missing') differs(run, { kind: 'doubt', object, detail });
    const lacking = from === 'replica' ? await lag(run, done.size) : 0;
    await compareSettings(run, scratch);
    return { restored: done, restoreSeconds: took, behind: lacking, newer: await compareRecords(run, scratch, done.size) };
  });
  const { differences, found } = run;
  // The scratch table is gone by now. Died here: this drill was for nothing, the next one says it all again.
  const report: DrillReport = { drill: at, ok: differences === 0, share, from, size: restored.size, behind, records: restored.records, differences, found, newer, restoreSeconds, seconds: (deps.now().getTime() - began.getTime()) / 1000 };
  return { report, left };
}

/** Makes the record of a drill, and counts it. */
export async function recordDrill(deps: Pick<DrillDeps, 'records' | 'meter' | 'scratch'> & SettledLogDeps, { drill, ok, differences, records, restoreSeconds, size, share, from }: DrillSummary, { by }: Pick<DrillOptions, 'by'> = {}): Promise<void> {
  const log = settledLog(deps);
  const target = [deps.scratch.name, shareName(share), from === 'replica' ? 'from the replica' : ''].filter((part) => part !== '').join(', ');
  const result = { at: drill, ok, findings: differences, records, seconds: restoreSeconds, size, target, ...(by !== undefined && { by }) };
  await deps.records.create(withMac((await log.macKeys())[0], runImage('drill', result, (await log.identity()).systemSubject)));
  deps.meter.count('DrillCompleted');
  deps.meter.gauge('RestoreSeconds', restoreSeconds, 'Seconds');
  if (differences > 0) deps.meter.count('DrillDifferences', differences);
}

/** Drops what a killed drill left. One that may still be at work is left alone. */
async function makeRoom({ deps, onStep }: Run, now: Date): Promise<void> {
  const there = await deps.scratch.open().settings();
  if (there === 'absent') return;
  const until = tagOf(there, UNTIL);
  if (until !== undefined && until > now.toISOString()) throw new DrillError('busy', `${deps.scratch.name} belongs to a drill that began at ${tagOf(there, BEGUN) ?? 'an unknown time'} and may last until ${until}: wait for it, or for that time`);
  onStep('discarding a leftover', 0);
  await deps.scratch.discard();
}

/** `target`, whose table is made with these tags, and so that it can be dropped. */
const marked = (target: RestoreTarget, tags: readonly string[]): RestoreTarget => ({
  name: target.name,
  settings: () => target.settings(),
  create: (settings) => target.create({ ...settings, deletionProtection: false, tags: [...settings.tags, ...tags].sort() }),
  read: (keys) => target.read(keys),
  write: (images) => target.write(images),
  remove: (keys) => target.remove(keys),
  scan: () => target.scan(),
  drop: () => target.drop(),
});

/** Drops the scratch table after `work`, also when that failed; only one that this drill made, as another may have been a moment faster. */
async function thenDropped<T>(run: Run, scratch: RestoreTarget, at: string, work: () => Promise<T>): Promise<{ readonly result: T; readonly left?: unknown }> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // Why it failed is what matters; a table that could not be dropped either is dropped by the next drill.
    await drop(run, scratch, at).catch(() => undefined);
    throw error;
  }
  try {
    await drop(run, scratch, at);
    return { result };
  } catch (left) {
    return { result, left };
  }
}

async function drop({ deps, onStep }: Run, scratch: RestoreTarget, at: string): Promise<void> {
  const there = await scratch.settings();
  if (there === 'absent' || (tagOf(there, BEGUN) ?? at) !== at) return;
  onStep('dropping', 0);
  await deps.scratch.discard();
}

async function compareSettings(run: Run, scratch: RestoreTarget): Promise<void> {
  const [live, restored] = [await run.deps.live.settings(), await scratch.settings()];
  if (restored === 'absent') throw new DrillError('unmade', `the restore made no table ${scratch.name}`);
  if (live === 'absent') throw noTable();
  // The scratch table must be droppable; that is the one setting it may not have.
  for (const { setting, wanted: has, there } of settingDifferences({ ...settingsLike(live), deletionProtection: false }, restored)) differs(run, { kind: 'setting', setting, live: has, restored: there });
}

const tagOf = ({ tags }: TableSettings, name: string): string | undefined => tags.find((tag) => tag.startsWith(`${name}=`))?.slice(name.length + 1);

const noTable = (): DrillError => new DrillError('no-table', 'there is no live table to hold the restored one against: restore it (docs/runbook.md#restore)');

/** How many published entries the replica lacks, of which it stated `size`. */
async function lag(run: Run, size: number): Promise<number> {
  const published = await run.log.settled();
  if (published.size <= size) return 0;
  const entries = published.size - size;
  for await (const { from, time } of run.deps.log.rounds(size)) {
    // What is signed ends where a round ends: a later one would make the replica younger than it is.
    if (from !== size) break;
    const ms = run.deps.now().getTime() - Date.parse(time);
    if (ms > REPLICA_BEHIND_AT_MOST_MS) differs(run, { kind: 'behind', entries, seconds: Math.round(ms / 1000) });
    return entries;
  }
  throw new PortError('corrupt', `the log table has no round that begins at entry ${size}, so nothing tells how far the replica is behind: run intact recover-head`);
}

/** The restore an operator would run, into the scratch table and with the live table's settings. Content outside the records is not looked at. */
export const restoreFromVault = (deps: SettledLogDeps & Pick<DrillDeps, 'live'>): DrillRestore => restoreFrom(deps, wholeSource(deps.vault));

/**
 * The same from a copy of the vault, which need not hold more than the facts. `keys`, `keyService`: those of the second region, where the first is to be thought away; `log` and `signer`
 * only say which log it has to be and by which key it has to be signed.
 */
export const restoreFromReplica = (deps: SettledLogDeps & Pick<DrillDeps, 'live'> & { readonly replica: PublishedLog }): DrillRestore => restoreFrom(deps, factsSource(deps.replica));

const restoreFrom =
  (deps: SettledLogDeps & Pick<DrillDeps, 'live'>, source: RestoreSource): DrillRestore =>
  async (target, share) => {
    const live = await deps.live.settings();
    if (live === 'absent') throw noTable();
    const { plan } = await restoreHere(deps, source, { target, settings: settingsLike(live), ...(share.of > 1 && ofShare(share)) });
    return { records: plan.records, size: plan.size, losses: plan.losses, doubts: plan.doubts };
  };

/** Both directions. Resolves with how many records the live table has newer. */
async function compareRecords(run: Run, scratch: RestoreTarget, size: number): Promise<number> {
  const { deps, log, share, onStep } = run;
  const macKeys = await log.macKeys();
  const ahead: string[] = [];
  const elsewhere = new Set<string>();
  let [compared, newer] = [0, 0];
  const judge = (place: string, genuine: Image | undefined, live: Image | undefined): void => {
    const outcome = standing(genuine, live, macKeys);
    if (outcome === 'same') return;
    const isTorn = outcome === 'extra' || (live !== undefined && !isOf(share, live) && checkMac(macKeys, live) === 'valid');
    if (share.of > 1 && isTorn && elsewhere.size < MAX_LOOKED_UP) return void elsewhere.add(place);
    if (outcome !== 'ahead') return differs(run, { kind: outcome, key: keyOfPlace(place) });
    newer += 1;
    if (ahead.length < MAX_LOOKED_UP) ahead.push(place);
  };
  // After the restore: what the live table had when the log was read is in both, or newer here.
  const prints = await fingerprintsOf(deps.live, (image) => isOf(share, image));
  const suspects = async function* (): AsyncGenerator<Image> {
    for await (const image of scratch.scan()) {
      const place = placeOf(image);
      const print = prints.get(place);
      prints.delete(place);
      onStep('comparing', ++compared);
      if (!isOf(share, image)) differs(run, { kind: 'extra', key: keyOfPlace(place) });
      else if (print !== fingerprintOf(image)) yield image;
    }
  };
  for await (const batch of inBatches(suspects(), READ_AT_ONCE)) {
    const live = await readPlaces(deps.live, batch.map(placeOf));
    for (const image of batch) judge(placeOf(image), image, live.get(placeOf(image)));
  }
  for await (const batch of inBatches(prints.keys(), READ_AT_ONCE)) {
    const live = await readPlaces(deps.live, batch);
    for (const place of batch) judge(place, undefined, live.get(place));
  }
  await judgeTorn(run, elsewhere);
  return newer - (await forgotten(run, ahead, size));
}

/** A record whose live state bears another subject than the log knows is in two shares, or in a wrong one: the whole log tells whose it is, and only that share judges it. */
async function judgeTorn(run: Run, places: ReadonlySet<string>): Promise<void> {
  if (places.size === 0) return;
  const { deps, log, share } = run;
  const macKeys = await log.macKeys();
  const genuine = await log.genuine(await log.settled(), places);
  for await (const batch of inBatches(places, READ_AT_ONCE)) {
    const live = await readPlaces(deps.live, batch);
    for (const place of batch) {
      const image = genuine.get(place)?.image;
      if (image !== undefined && !isOf(share, image)) continue;
      const outcome = standing(image, live.get(place), macKeys);
      if (outcome !== 'same' && outcome !== 'ahead') differs(run, { kind: outcome, key: keyOfPlace(place) });
    }
  }
}

/** Of what the live table has newer, what the log had before `size`: the restore should have brought it. Resolves with how many. */
async function forgotten(run: Run, ahead: readonly string[], size: number): Promise<number> {
  if (ahead.length === 0) return 0;
  const genuine = await run.log.genuine(await run.log.settled(), new Set(ahead));
  const live = new Map<string, Image>();
  for (let from = 0; from < ahead.length; from += READ_AT_ONCE) for (const [place, image] of await readPlaces(run.deps.live, ahead.slice(from, from + READ_AT_ONCE))) live.set(place, image);
  let n = 0;
  for (const place of ahead) {
    const state = genuine.get(place);
    if (state === undefined || state.index >= size || standing(state.image, live.get(place), await run.log.macKeys()) !== 'same') continue;
    differs(run, { kind: 'not-restored', key: keyOfPlace(place) });
    n += 1;
  }
  return n;
}

function differs(run: Run, difference: DrillDifference, n = 1): void {
  run.differences += n;
  if (run.found.length < MAX_NAMED) run.found.push(difference);
}
