/**
 * Repairs records of the live table from the published log: what somebody made of one is overwritten with its genuine state, a record that was never ours is removed. Only
 * what is certain is done: the log can be read and leads to its signed root, what is overwritten is in it, what is put back is the newest genuine state and nothing newer
 * could not be read. Everything else is refused, and says why. Each step may be repeated, and two repairers at once repair once.
 */
import { isErasedState, isSameImage } from '../core/record-history';
import type { Checkpoint } from '../core/log/checkpoint';
import { integerOf, stringOf, type Image, type TableKey } from '../core/image';
import { isImmutableKind, isKind } from '../core/kinds';
import { checkMac, type MacKey } from '../core/record-mac';
import { permissionFor, repairedAt, repairsOf, type RepairPlan } from '../core/repair-record';
import { standing } from '../core/table-audit';
import { recordKeys } from '../core/table-keys';
import { isOurKey } from '../core/own-records';
import { isTombstone } from '../core/tombstone';
import { PortError, type LogStore, type Meter, type RecordStore } from '../ports';
import type { RecordRepairs } from '../ports/record-repairs';
import type { RepairRequest } from '../ports/repair-requests';
import { inParallel } from './in-parallel';
import type { Closed } from './open-sealed';
import { ReplayError, type ReplayErrorCode } from './published-entries';
import { putBack } from './put-back';
import { markOf, minuteOf } from './seal-records';
import { hashOf } from './sealed-evidence';
import { sealedHistories, type SealedHistory, type SealedState } from './sealed-history';
import { settledLog, type SettledLog, type SettledLogDeps } from './settled-log';

export interface PlanDeps extends SettledLogDeps {
  readonly records: Pick<RecordStore, 'get' | 'partition'>;
  readonly log: SettledLogDeps['log'] & Pick<LogStore, 'sealedMarks'>;
}

export interface RepairDeps extends PlanDeps {
  readonly records: Pick<RecordStore, 'get' | 'partition' | 'create'>;
  readonly log: PlanDeps['log'] & Pick<LogStore, 'noteUnsealed'>;
  readonly repairs: RecordRepairs;
  readonly meter: Meter;
}

/** What of a record is lost. `why`: as entries say that cannot be read; or the whole log cannot be (`no-log`, `untrusted`, `damaged`); or the MAC key that would tell whose it is (`mac-unknown-key`). */
export interface Loss {
  readonly why: Closed | ReplayErrorCode | 'mac-unknown-key';
  /** The entry that cannot be read, where it is one. */
  readonly entry?: number;
  /** For people. */
  readonly detail: string;
}

/** `unpublished`: the log is not published as far as it is sealed. `unsealed`: what would be overwritten, or what was asked about, is not in it yet. `changing`: the record was changed meanwhile. */
export type Unsettled = 'unpublished' | 'unsealed' | 'changing';

export type Diagnosis =
  | { readonly standing: 'sound' }
  /** `since`: when it came to be so, ISO 8601 UTC, where the log says it. */
  | { readonly standing: 'differs'; readonly plan: RepairPlan; readonly since: string | undefined }
  | { readonly standing: 'lost'; readonly lost: readonly Loss[] }
  | { readonly standing: 'unsettled'; readonly why: Unsettled };

export type RepairOutcome =
  | { readonly outcome: 'sound' }
  /** `entry`: index of the entry whose state was put back. */
  | { readonly outcome: 'put-back'; readonly entry: number | undefined }
  /** The log has nothing genuine in its place. */
  | { readonly outcome: 'removed' }
  /** `repairs`: of this record in the last hour. Somebody changes it again and again, and a person has to look. */
  | { readonly outcome: 'too-often'; readonly repairs: number }
  | { readonly outcome: 'nothing-to-restore-from'; readonly lost: readonly Loss[] }
  /** Nothing was done; ask again. */
  | { readonly outcome: 'later'; readonly why: Unsettled };

/** A repair that is undone again and again is a fight; whoever loses it should be a person who looks. */
export const MAX_REPAIRS_AN_HOUR = 3;
const HOUR_MS = 3_600_000;
/** The sealer asks before it commits, and is a second or two behind the table. */
const SEALED_WITHIN_MS = 60_000;
const POLL_MS = 500;
/** Marks of sealed events are kept for three days; older ones have been sealed or never will be by waiting. */
const MARKS_KEPT_MS = 2 * 24 * HOUR_MS;
const AT_ONCE = 16;

/** One repair. Throws `PortError`, `VaultReadError`. */
export async function repairRecord(deps: RepairDeps, request: RepairRequest): Promise<RepairOutcome> {
  const [attempt] = await repairRecords(deps, [request]);
  if (attempt?.status !== 'fulfilled') throw attempt?.reason;
  return attempt.value;
}

/** Several repairs for one reading of the log, in their order; one that fails leaves the others alone. Throws `PortError`, `VaultReadError` where the log or the table could not be read. */
export async function repairRecords(deps: RepairDeps, requests: readonly RepairRequest[]): Promise<readonly PromiseSettledResult<RepairOutcome>[]> {
  const log = settledLog(deps);
  const attempts: PromiseSettledResult<RepairOutcome>[] = [];
  for (const found of await diagnose(deps, log, requests)) {
    const attempt = act(deps, log, found);
    attempts.push(...(await Promise.allSettled([attempt])));
  }
  return attempts;
}

/** What repairing each would do now; changes nothing. Throws as `repairRecords`. */
export async function planRepairs(deps: PlanDeps, requests: readonly RepairRequest[]): Promise<readonly Diagnosis[]> {
  return (await diagnose(deps, settledLog(deps), requests)).map(({ diagnosis }) => diagnosis);
}

/** A request with what is known about its record. */
interface Found {
  readonly request: RepairRequest;
  readonly live: Image | undefined;
  readonly history: SealedHistory | undefined;
  readonly diagnosis: Diagnosis;
}

async function diagnose(deps: PlanDeps, log: SettledLog, requests: readonly RepairRequest[]): Promise<readonly Found[]> {
  await untilSealed(deps, requests);
  const live = await inParallel(requests, AT_ONCE, ({ key }) => read(deps, key));
  // In this order: what the table said then is in the log by the time the log has reached this head, or was not what the system wrote.
  const head = await deps.log.readHead();
  try {
    const checkpoint = await log.settled();
    if (checkpoint.size < (head === 'absent' ? 0 : head.size)) return requests.map((request, i) => ({ request, live: live[i], history: undefined, diagnosis: { standing: 'unsettled', why: 'unpublished' } }));
    return await judgeAll(deps, log, checkpoint, requests, live);
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    const lost = [{ why: error.code, detail: error.message }];
    return requests.map((request, i) => ({ request, live: live[i], history: undefined, diagnosis: { standing: 'lost', lost } }));
  }
}

async function judgeAll({ vault }: PlanDeps, log: SettledLog, checkpoint: Checkpoint, requests: readonly RepairRequest[], live: readonly (Image | undefined)[]): Promise<readonly Found[]> {
  const macKeys = await log.macKeys();
  const { systemSubject } = await log.identity();
  const look = async (indexes: readonly number[], everywhere: boolean): Promise<readonly Found[]> => {
    const sought = indexes.map((i) => ({ key: requests[i]!.key, subjects: [stringOf(live[i], 'subject') ?? '', systemSubject], source: requests[i]!.source }));
    const histories = indexes.length === 0 ? [] : await sealedHistories({ vault, subjectKeys: log.subjectKeys, macKeys }, checkpoint, sought, { everywhere });
    return indexes.map((i, at) => ({ request: requests[i]!, live: live[i], history: histories[at]!, diagnosis: judge(requests[i]!, live[i], histories[at]!, macKeys) }));
  };
  const found = [...(await look(requests.map((_, i) => i), false))];
  // Whoever made the record what it is may have given it another subject: before anything but putting a genuine state back, every subject is tried.
  const open = found.flatMap((each, i) => (isExplained(each, live[i]) ? [] : [i]));
  for (const [at, each] of (await look(open, true)).entries()) found[open[at]!] = each;
  return found;
}

function isExplained({ request, diagnosis, history }: Found, live: Image | undefined): boolean {
  if (request.source !== undefined && history?.source === undefined) return true; // not in the log yet, under whatever subject
  if (diagnosis.standing === 'differs') return diagnosis.plan.to !== undefined;
  // A tombstone that is new to the log may be sealed where it does not count, under a subject that nothing here tells.
  if (diagnosis.standing === 'sound' && isTombstone(live)) return isTombstone(history?.genuine?.image);
  return diagnosis.standing === 'sound' && (live !== undefined || history?.genuine !== undefined);
}

/** What is to be made of `live`, as far as `history` knows. */
function judge({ key, source }: RepairRequest, live: Image | undefined, { genuine, states, source: asked, hidden }: SealedHistory, macKeys: readonly MacKey[]): Diagnosis {
  if (source !== undefined && asked === undefined) return { standing: 'unsettled', why: 'unsealed' };
  // Written by this system, of a kind this program does not have: by a newer version of it, while it is being deployed.
  if (live !== undefined && !isKind(stringOf(live, 'kind') ?? '') && checkMac(macKeys, live) === 'valid') return { standing: 'sound' };
  const stands = standing(genuine?.image, live, macKeys);
  const isSound = stands === 'same' || (stands === 'ahead' && !isRefused(live, genuine?.image, states));
  const lost = [...lossesBehind(genuine, isSound ? live : undefined, states), ...(genuine === undefined && (stands !== 'ahead' || !isSound) ? hiddenLosses(hidden) : []), ...unjudged(genuine, live, macKeys)];
  if (lost.length > 0) return { standing: 'lost', lost };
  if (isSound) return { standing: 'sound' };
  const evidence = isErasedState(genuine?.image, live, macKeys) ? { since: undefined } : evidenceOf(live, states, source);
  if (evidence === 'unsealed') return { standing: 'unsettled', why: 'unsealed' };
  return { standing: 'differs', plan: { key, from: live, to: genuine?.image, ...(genuine && { entry: genuine.index }) }, since: evidence.since };
}

/** A tombstone that nothing permitted is sealed where it does not count: it only looks newer than what it stands over, or like the first of its place. */
function isRefused(live: Image | undefined, genuine: Image | undefined, states: readonly SealedState[]): boolean {
  const last = states.at(-1)?.became;
  return live !== undefined && isTombstone(live) && !isTombstone(genuine) && last?.state === 'image' && isSameImage(last.image, live);
}

/**
 * States that cannot be read and may be newer than the one that counts: with them unknown, putting that one back could be going back. A record of an immutable kind
 * has one state; nothing that came later counts. What the table has, ours and as new, needs no entry.
 */
function lossesBehind(genuine: SealedHistory['genuine'], live: Image | undefined, states: readonly SealedState[]): Loss[] {
  if (genuine !== undefined && isImmutableKind(stringOf(genuine.image, 'kind') ?? '')) return [];
  const known = Math.max(revOf(genuine?.image), revOf(live));
  return states.flatMap(({ index, entry, became }) =>
    became.state === 'closed' && index > (genuine?.index ?? -1) && entry.rev > known ? [{ why: became.why, entry: index, detail: `entry ${index} cannot be read: ${CLOSED[became.why]}` }] : [],
  );
}

const revOf = (image: Image | undefined): number => integerOf(image, 'rev') ?? -1;

/**
 * With a lost MAC key whatever was written with it looks like somebody's invention, and nothing in the log counts against it: removing would empty the table of what is genuine. So a person has to look, also where the
 * key is made up. Where the log has a genuine state there is no question.
 */
const unjudged = (genuine: SealedHistory['genuine'], live: Image | undefined, macKeys: readonly MacKey[]): Loss[] =>
  genuine === undefined && live !== undefined && checkMac(macKeys, live) === 'unknown-key' ? [{ why: 'mac-unknown-key', detail: 'its MAC names a key that the keys table does not have: bring that secret back, or somebody made it up' }] : [];

const hiddenLosses = (hidden: ReadonlySet<Closed>): Loss[] => [...hidden].map((why) => ({ why, detail: `the log holds entries of a subject that may be this record's: ${CLOSED[why]}` }));

const CLOSED: Readonly<Record<Closed, string>> = {
  erased: 'the key of its subject was erased, and with it the content',
  'key-absent': 'the keys table has lost the key of its subject; restore that table first',
  'key-corrupt': 'the key of its subject does not open; restore the keys table first',
  'blob-absent': 'its blob is not in the vault; look for it in the replica',
  damaged: 'the vault does not hold what was committed to; run intact verify',
};

/**
 * Whether the last the log has heard of the record is what the table has, and when that was. `unsealed`: the table has something that only the table has, and nothing is put over
 * that. With an empty place nothing is lost, whether or not the log knows when it became empty.
 */
function evidenceOf(live: Image | undefined, states: readonly SealedState[], source: string | undefined): { readonly since: string | undefined } | 'unsealed' {
  const last = states.at(-1);
  if (live === undefined) return { since: last?.became.state === 'removed' ? last.entry.at : undefined };
  // What nobody can read is sealed all the same, if it is the very change that was asked about.
  const isIt = last?.became.state === 'image' ? isSameImage(last.became.image, live) : last !== undefined && last.became.state !== 'removed' && last.entry.src === source;
  return isIt ? { since: last?.entry.at } : 'unsealed';
}

async function act(deps: RepairDeps, log: SettledLog, { request, live: found, history, diagnosis }: Found): Promise<RepairOutcome> {
  if (diagnosis.standing === 'sound') return { outcome: 'sound' };
  if (diagnosis.standing === 'unsettled') {
    if (diagnosis.why === 'unsealed' && request.source === undefined) await watch(deps, found);
    return { outcome: 'later', why: diagnosis.why };
  }
  if (diagnosis.standing === 'lost') {
    deps.meter.count('RepairsRefused');
    return { outcome: 'nothing-to-restore-from', lost: diagnosis.lost };
  }
  const macKeys = await log.macKeys();
  const { plan, since } = diagnosis;
  // The change is dated as the change it undoes: whoever tries again, or at the same time, writes the same permission. Another name where somebody has put something else under that one.
  for (const at of since === undefined ? [undefined] : [since, undefined]) {
    const live = await read(deps, plan.key);
    if (!isStill(live, plan.from)) return changedTo(request, live, history, macKeys);
    const repairs = await recentRepairs(deps, plan, since, macKeys);
    if (repairs >= MAX_REPAIRS_AN_HOUR) {
      deps.meter.count('RepairsRefused');
      return { outcome: 'too-often', repairs };
    }
    const now = at === undefined ? deps.now : () => new Date(at);
    // Died in it: the permission stands and nothing is changed, or all is done; the next attempt sees which.
    const identity = await log.identity();
    if ((await discreetly(plan.key, () => putBack({ ...deps, macKeys, identity, now }, plan))) === 'done') return plan.to === undefined ? { outcome: 'removed' } : { outcome: 'put-back', entry: plan.entry };
  }
  return changedTo(request, await read(deps, plan.key), history, macKeys);
}

/**
 * What came to be without the stream (a bit that flipped at rest, a change it lost) is in no log, and of an old record nobody would look for it: `seal-missing` watches what is noted
 * here and seals it once no stream can bring it any more. Then it is evidence, and this repair is asked for again.
 */
async function watch({ log, now }: RepairDeps, live: Image | undefined): Promise<void> {
  const state = live === undefined ? undefined : hashOf(live);
  if (state !== undefined) await log.noteUnsealed(state, now().toISOString());
}

/** Somebody was faster: another repairer, and all is well, or another hand, whose change has to be sealed before it is undone. */
function changedTo(request: RepairRequest, live: Image | undefined, history: SealedHistory | undefined, macKeys: readonly MacKey[]): RepairOutcome {
  const isSound = history !== undefined && judge(request, live, history, macKeys).standing === 'sound';
  return isSound ? { outcome: 'sound' } : { outcome: 'later', why: 'changing' };
}

const isStill = (live: Image | undefined, from: Image | undefined): boolean => (live === undefined || from === undefined ? live === from : isSameImage(live, from));

/** Repairs of the record in the last hour but the one that is tried again. What anybody else put there does not count, or three items would stop the healing. */
async function recentRepairs({ records, now }: RepairDeps, { key, from, to }: RepairPlan, since: string | undefined, macKeys: readonly MacKey[]): Promise<number> {
  const own = since === undefined ? undefined : `${permissionFor(key, from, to).skPrefix}${since}`;
  const after = new Date(now().getTime() - HOUR_MS).toISOString();
  let n = 0;
  for await (const image of records.partition(repairsOf(key))) {
    if (stringOf(image, 'sk') !== own && (repairedAt(image) ?? '') > after && checkMac(macKeys, image) === 'valid') n += 1;
  }
  return n;
}

/** Waits, a while, until the changes that were asked about are sealed. Only a way to read the log once and not again and again: what is in it decides. */
async function untilSealed({ records, log, now, sleep }: PlanDeps, requests: readonly RepairRequest[]): Promise<void> {
  const marks = (await inParallel(requests, AT_ONCE, async ({ source }) => (source === undefined ? [] : markOfFinding(records, source, now().getTime())))).flat();
  const minutes = [...new Set(marks.map(({ minute }) => minute))];
  const until = now().getTime() + SEALED_WITHIN_MS;
  while (marks.length > 0) {
    const sealed = await log.sealedMarks(minutes);
    if (marks.every(({ mark }) => sealed.has(mark)) || now().getTime() >= until) return;
    await sleep(POLL_MS);
  }
}

/** The mark under which the change of a finding is sealed; nothing where there is no such finding, or none that a stream's mark belongs to. */
async function markOfFinding(records: PlanDeps['records'], source: string, nowMs: number): Promise<{ readonly minute: number; readonly mark: string }[]> {
  for await (const image of records.partition(recordKeys.finding(source, '').pk)) {
    const at = Date.parse(stringOf(image, 'receivedAt') ?? '');
    return nowMs - at < MARKS_KEPT_MS && !source.startsWith('late:') ? [{ minute: minuteOf(at), mark: markOf(source).toString('hex') }] : [];
  }
  return [];
}

async function read({ records }: Pick<PlanDeps, 'records'>, key: TableKey): Promise<Image | undefined> {
  const there = await discreetly(key, () => records.get(key, { consistent: true }));
  return there === 'absent' ? undefined : there;
}

/** The message of an error is logged, and says which record; a key that was written by hand may hold anything. */
async function discreetly<T>(key: TableKey, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isOurKey(key) || !(error instanceof PortError)) throw error;
    throw new PortError(error.code, 'could not read or remove a record whose key is none of ours', { cause: error });
  }
}
