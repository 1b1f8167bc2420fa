/**
 * A restore that is too much for one function, or for the machine of whoever restores: into a table of its own, in shares, each by the very restore, and what must be last when all of them are there.
 * The table says from its first moment what it is, that it is not whole, and which run fills it; so the run goes on where it stopped, and shares that are there are not restored again. Into
 * the live table nothing is restored here.
 */
import type { Image } from '../core/image';
import { placeOf, shortPlace } from '../core/record-history';
import { withMac } from '../core/record-mac';
import { labelIn, runIn, withLabel, withRun, type RestorePoint, type RestoreRun } from '../core/restore-label';
import { restoreRequestIn, type RestoreRequest } from '../core/restore-request';
import { runImage } from '../core/run-records';
import type { Share } from '../core/shares';
import { recordKeys } from '../core/table-keys';
import { isTombstone } from '../core/tombstone';
import type { Inbox, RecordStore } from '../ports';
import type { RestoreTarget, TableSettings } from '../ports/restore-target';
import type { ConfigurableTarget } from '../ports/table-configuration';
import { checkHasBegun, RestoreError } from './restore-admission';
import { admitRestore, type RestoreNote, type RestorePlan, type RestoreResult } from './restore-records';
import { settingDifferences, settingsToRestore } from './restore-settings';
import { ofShare, pinnedLog, restoreHere, type RestoreSource, type SomeRecords } from './restore-share';
import type { Done, PartedWork } from './run-in-parts';
import { settledLog, type SettledLogDeps } from './settled-log';
import { secondsSince, sums } from './sums-of-parts';
import { partsOf, type WholeUpTo } from './whole-up-to';

export interface RestoreInPartsDeps extends SettledLogDeps {
  readonly live: Pick<RestoreTarget, 'settings'>;
  /** Tables that tell how the live one was set, where it is gone. */
  readonly siblings: readonly Pick<RestoreTarget, 'settings'>[];
  /** A table that may be restored into by its name, which begins with `prefix`. */
  readonly prefix: string;
  tableAt(name: string): ConfigurableTarget;
  readonly sources: { readonly vault: RestoreSource; readonly replica?: RestoreSource | undefined };
  readonly inbox: Pick<Inbox, 'put' | 'list'>;
  readonly records: Pick<RecordStore, 'create'>;
}

interface InPartsPlan extends RestoreRequest {
  readonly settings: TableSettings;
  readonly size: number;
  readonly origin: string;
  /** Shares. */
  readonly into: number;
  /** The table was begun before. */
  readonly resumes: boolean;
  readonly exists: boolean;
}

type Counts = Pick<RestorePlan, 'records' | 'same' | 'toWrite' | 'toReplace' | 'contents' | 'bytes'> & { readonly written: number; readonly put: number };

interface ShareRestored extends Counts, Pick<RestorePlan, 'snapshot' | 'snapshotNote' | 'doubts'> {
  readonly notes: readonly RestoreNote[];
  /** Eight bytes of the hash of the place of each record that is no tombstone, base64. */
  readonly places: string;
}

/** As of a restore in one: what it found and what it did. `missing`: shares that could not be restored; the table is not whole then, and `result` tells what was done so far. */
export interface RestoreInPartsReport {
  readonly plan: Omit<RestorePlan, 'work'>;
  readonly result: RestoreResult;
  readonly shares: { readonly of: number; readonly missing: readonly string[] };
}

export interface RestoreFields {
  readonly ok?: boolean;
  readonly size?: number;
  readonly records?: number;
  readonly bytes?: number;
  /** Entries that are lost. */
  readonly findings?: number;
  readonly from?: string;
  readonly seconds?: number;
}

export const RESTORE_TASK = 'restore-table';

export function restoreInParts(deps: RestoreInPartsDeps, { wholeUpTo }: WholeUpTo): PartedWork<InPartsPlan, ShareRestored, RestoreFields> {
  return {
    task: RESTORE_TASK,
    // One share that cannot be restored leaves the others what they are: they are not done again.
    mayLackParts: true,
    async begin(newRun, { asked, hasResult }) {
      const request = checkedRequest(deps, asked);
      const source = sourceOf(deps, request);
      const { vault, pinned, origin } = await pinnedLog(deps, source);
      const target = deps.tableAt(request.to);
      const { checkpoint, there, resumes } = await admitRestore({ vault, target, now: deps.now }, { ...request.point, pinned, origin });
      if ('at' in request.point) await checkHasBegun(vault, checkpoint, request.point.at);
      const settings = await settingsOf(deps);
      const run = unfinishedRun(there) ?? newRun;
      const begun = labelled(settings, { origin, point: request.point }, { run, ended: false });
      // The label and the run first. Died after it: the same step done again finds its own run, and sets what is left to set.
      if (there === 'absent') await target.create(begun);
      else await target.configure(begun);
      const size = 'size' in request.point ? request.point.size : checkpoint.size;
      const into = partsOf(size, wholeUpTo).length;
      const parts = partNames(into);
      const todo: string[] = [];
      for (const part of parts) if (run === newRun || !(await hasResult(run, part))) todo.push(part);
      return { done: false, run, plan: { ...request, settings, size, origin, into, resumes: resumes || run !== newRun, exists: there !== 'absent' }, parts, todo };
    },
    async part(plan, part, run) {
      const restoring = await begunBy(deps, plan, run);
      const { only, subjects } = ofShare(shareOf(part));
      const places = new Set<string>();
      const { plan: found, result } = await restoring({ only: (image) => only(image) && (isTombstone(image) || places.add(shortPlace(placeOf(image))) !== undefined), subjects });
      const { records, same, toWrite, toReplace, contents, bytes, snapshot, snapshotNote, doubts, notes, losses, size } = found;
      const { written, contents: put, seconds } = result;
      const told = { records, same, toWrite, toReplace, contents, bytes, snapshot, snapshotNote, doubts, notes, written, put, places: packed(places) };
      return { result: told, fields: { records, bytes, size, findings: losses, from: plan.from, seconds } };
    },
    async merge(plan, results, run) {
      // Done again it may find the label it left.
      const restoring = await begunBy(deps, plan, run, { mayBeWhole: true });
      const shares = [...results.values()];
      const missing = partNames(plan.into).filter((name) => !results.has(name));
      const soFar = together(shares, plan, run, deps.now());
      if (missing.length > 0) return done({ ...soFar, shares: { of: plan.into, missing } }, plan);
      // What was erased while shares were restored is not there when the table is said to be whole. This opens nothing that a tombstone may stand for.
      const tombstones = new Set<string>();
      const erased = await restoring({ only: (image) => isTombstone(image) && tombstones.add(shortPlace(placeOf(image))) !== undefined, subjects: () => false });
      // A place that was sealed under two subjects is in two shares; one whose record a share could open, at a point before it was erased, is there and has a tombstone. Which of them counts only the whole log tells.
      const { distinct, doubled } = placesOf([...shares.map(({ places }) => places), packed(tombstones)]);
      const last = doubled.size === 0 ? undefined : await restoring({ only: (image) => doubled.has(shortOf(image)) });
      const [target, { settings }] = [deps.tableAt(plan.to), plan];
      // Died before it: it stays labelled as it is, and is finished by the same step or the same command. Died after it: it is whole, and has no record yet.
      await target.configure(labelled(settings, plan, { run, ended: true }));
      const there = await target.settings();
      const left = there === 'absent' ? [] : settingDifferences(settings, there);
      const report = {
        plan: { ...soFar.plan, records: distinct },
        result: { ...soFar.result, written: soFar.result.written + erased.result.written + (last?.result.written ?? 0), settings: left, seconds: secondsSince(run, deps.now()) },
        shares: { of: plan.into, missing },
      };
      const record = await recorded(deps, plan, run, report);
      return done({ ...report, result: { ...report.result, record } }, plan);
    },
  };
}

const done = (report: RestoreInPartsReport, { from }: InPartsPlan): Done<RestoreFields> => {
  const { plan, result, shares } = report;
  const fields = { ok: shares.missing.length === 0 && plan.losses === 0, size: plan.size, records: plan.records, bytes: plan.bytes, findings: plan.losses, from, seconds: result.seconds };
  return { done: true, fields, report };
};

/** Throws `RestoreError` (`not-a-copy`). */
function checkedRequest({ prefix }: RestoreInPartsDeps, asked: unknown): RestoreRequest {
  const request = restoreRequestIn(asked);
  if (request === 'unknown' || !request.to.startsWith(prefix) || request.to === prefix) throw new RestoreError('not-a-copy', `restored in parts are only tables whose names begin with ${prefix}`, 'npx intact restore --in-parts asks for it as it has to be asked for');
  return request;
}

function sourceOf({ sources }: RestoreInPartsDeps, { from }: RestoreRequest): RestoreSource {
  const source = sources[from];
  if (source === undefined) throw new RestoreError('no-replica', 'the stage has no second region: there is no replica to restore from', 'restore from the vault');
  return source;
}

async function settingsOf(deps: RestoreInPartsDeps): Promise<TableSettings> {
  const settings = await settingsToRestore(deps);
  if (settings === 'unknown') throw new RestoreError('no-settings', 'no table of the deployment is there to tell how its tables are set', 'deploy the stage again, then restore');
  return settings;
}

/** The run that fills the table and has not ended; not of a table that was whole in between. */
function unfinishedRun(there: TableSettings | 'absent'): string | undefined {
  if (there === 'absent') return undefined;
  const [label, run] = [labelIn(there.tags), runIn(there.tags)];
  return typeof label === 'object' && label.incomplete && run?.ended === false ? run.run : undefined;
}

/** A restore of some of the records into the table as `run` began it. Throws `RestoreError` (`foreign-label`) where it is another one by now, or whole: a late share would put back what the merge took out. */
async function begunBy(deps: RestoreInPartsDeps, plan: InPartsPlan, run: string, { mayBeWhole = false } = {}) {
  const target = deps.tableAt(plan.to);
  const there = await target.settings();
  if (there === 'absent' || runIn(there.tags)?.run !== run) throw new RestoreError('foreign-label', `${plan.to} is not the table that was begun at ${run}: it was dropped, or begun anew`, 'ask for the restore again');
  if (!mayBeWhole && runIn(there.tags)?.ended === true) throw new RestoreError('foreign-label', `${plan.to} is whole: the run that began at ${run} has ended`, 'ask for the restore again if it is to be compared once more');
  // Several of them at a time: how it is set was settled before, and is once more after them.
  const { configure: _, ...filled } = target;
  const source = sourceOf(deps, plan);
  return (some: SomeRecords) => restoreHere(deps, source, { target: filled, inbox: deps.inbox, settings: plan.settings, ...plan.point, ...some });
}

/** Whole once its run has ended. */
const labelled = (settings: TableSettings, { origin, point }: Pick<InPartsPlan, 'origin' | 'point'>, run: RestoreRun): TableSettings => ({
  ...settings,
  tags: withRun(withLabel(settings.tags, { origin, point, part: false, incomplete: !run.ended }), run),
});

/** With how many there are: a share of another number is another share. */
const partNames = (into: number): readonly string[] => Array.from({ length: into }, (_, i) => `${i}-of-${into}`);

/** `3-of-8`: share 3, counted from 0. */
function shareOf(part: string): Share {
  const [, number, of] = /^(\d{1,3})-of-(\d{1,3})$/.exec(part) ?? [];
  if (number === undefined || Number(number) >= Number(of)) throw new RangeError(`there is no part ${part}`);
  return { number: Number(number), of: Number(of) };
}

/** What was found, and done so far. */
function together(shares: readonly ShareRestored[], plan: InPartsPlan, run: string, now: Date): Omit<RestoreInPartsReport, 'shares'> {
  const { written, put, ...counts } = sums(shares, 'records', 'same', 'toWrite', 'toReplace', 'contents', 'bytes', 'written', 'put');
  const notes = notesTogether(shares.flatMap((share) => share.notes));
  const losses = notes.reduce((total, { meaning, count }) => total + (meaning === 'loss' ? count : 0), 0);
  const { origin, size, to: target, exists, resumes, point } = plan;
  // Of where they were restored from, which is the same for all.
  const [{ snapshot, snapshotNote, doubts } = {} as Partial<ShareRestored>] = shares;
  return {
    plan: { origin, size, at: pointTime(point), snapshot, snapshotNote, doubts, target, isLive: false, exists, resumes, ahead: 0, toRemove: [], ...counts, notes, losses, settings: [] },
    result: { written, removed: 0, contents: put, left: [], settings: [], seconds: secondsSince(run, now) },
  };
}

const pointTime = (point: RestorePoint): string | undefined => ('at' in point ? point.at : undefined);

const EXAMPLES = 10;

/** One of each kind, as if one restore had made them: an entry is noted by one share alone. */
function notesTogether(notes: readonly RestoreNote[]): readonly RestoreNote[] {
  const kinds = new Map<string, RestoreNote>();
  for (const note of notes) {
    const kind = `${note.meaning} ${note.why}`;
    const before = kinds.get(kind);
    kinds.set(kind, before === undefined ? note : { ...note, count: before.count + note.count, entries: [...before.entries, ...note.entries].sort((a, b) => a - b).slice(0, EXAMPLES) });
  }
  return [...kinds.values()];
}

/** Of a 16-byte hash; that two of 100 million places share them by chance happens once in 3,000 restores, and costs a second look at both. */
const PLACE_BYTES = 8;
const shortOf = (image: Image): string => shortPlace(placeOf(image)).slice(0, PLACE_BYTES);

const packed = (places: ReadonlySet<string>): string => Buffer.concat([...places].map((place) => Buffer.from(place.slice(0, PLACE_BYTES), 'latin1'))).toString('base64');

/** How many places there are, and those that are in more than one of `shares`. Numbers, sorted in place: eight bytes a record is what a function has memory for. */
function placesOf(shares: readonly string[]): { readonly distinct: number; readonly doubled: ReadonlySet<string> } {
  const all = Buffer.concat(shares.map((places) => Buffer.from(places, 'base64')));
  const sorted = new BigUint64Array(all.length / PLACE_BYTES).map((_, i) => all.readBigUInt64BE(i * PLACE_BYTES)).sort();
  const doubled = new Set<string>();
  let distinct = 0;
  sorted.forEach((place, i) => {
    if (i === 0 || place !== sorted[i - 1]) {
      distinct += 1;
      return;
    }
    const bytes = Buffer.alloc(PLACE_BYTES);
    bytes.writeBigUInt64BE(place);
    doubled.add(bytes.toString('latin1'));
  });
  return { distinct, doubled };
}

/** In the log itself stays that all records were put into another table, by whom and when; undefined where there is no live table to say it in. */
async function recorded(deps: RestoreInPartsDeps, { to, by, size }: InPartsPlan, run: string, { plan, result }: RestoreInPartsReport) {
  if ((await deps.live.settings()) === 'absent') return undefined;
  const log = settledLog(deps);
  const said = { at: run, ok: plan.losses === 0, findings: plan.losses, records: result.written, seconds: result.seconds, size, by, target: to };
  await deps.records.create(withMac((await log.macKeys())[0], runImage('restore', said, (await log.identity()).systemSubject)));
  return recordKeys.restore(run);
}
