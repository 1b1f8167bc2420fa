/**
 * Deliveries against records: everything that was answered 200 must be recorded, and everything Meta delivered must be here. The audit compares records with the log and so finds what became of a record
 * afterwards; a receiver that answers 200 and writes nothing leaves no record to miss, and only its own log lines and Meta's history tell. A record without its line is no finding by itself: a process may end
 * before its last line is written, and the record is what matters; only where most lines are gone somebody has to look. It changes nothing. A run that could not read something leaves no
 * result: its absence is the alarm, and the next run begins where the last result ended, so that no time is left out.
 */
import { hashed } from '../core/dedupe-key';
import { withMac, checkMac, type MacKey } from '../core/record-mac';
import {
  addClaims,
  areUnlogged,
  missingOf,
  newDelivery,
  putAside,
  reconciledAfter,
  reconciledUntilIn,
  reconciliationFindingImage,
  reconciliationImage,
  total,
  type Delivery,
  type ReconciliationCode,
  type ReconciliationFinding,
} from '../core/reconciliation';
import { deliveryLineIn, type LineSource } from '../core/reconciliation-lines';
import { recordKeys } from '../core/table-keys';
import type { Clock, Inbox, KeyService, KeyTable, LogStore, Meter, RecordStore, Vault } from '../ports';
import type { DeliveryLog } from '../ports/delivery-log';
import type { MessageHistory } from '../ports/message-history';
import { loadSecrets } from './load-secrets';
import { rememberIdentity } from './read-log';
import { reconcileMessages, type HistoryReport } from './reconcile-messages';
import { recordedDeliveries, type Found } from './recorded-deliveries';
import { subjectKeys } from './subject-keys';

export interface ReconcileDeps {
  readonly deliveries: DeliveryLog;
  /** Without one Meta is not asked, and the report says so. */
  readonly history?: MessageHistory | undefined;
  readonly records: Pick<RecordStore, 'create' | 'partition' | 'scan'>;
  readonly inbox: Pick<Inbox, 'list'>;
  readonly log: Pick<LogStore, 'identity' | 'readHead' | 'rounds' | 'roundsByTime'>;
  readonly vault: Pick<Vault, 'get'>;
  readonly keys: Pick<KeyTable, 'get' | 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  readonly meter: Meter;
  readonly now: Clock;
  /** How long the lines of the receiving functions are kept. */
  readonly logRetentionDays: number;
}

export interface ReconcileOptions {
  /** Without it: where the last result ended. */
  readonly since?: Date | undefined;
  /** Without it: `SETTLED_AFTER_MS` ago. With it a person says that everything before is settled. */
  readonly until?: Date | undefined;
  /** Who runs it, where a person does. */
  readonly by?: string;
  readonly onProgress?: (progress: { readonly part: 'lines' | 'entries' | 'history'; readonly done: number }) => void;
}

export interface ReconciliationReport {
  /** Name of its record: when it began, ISO 8601 UTC. */
  readonly reconciliation: string;
  readonly ok: boolean;
  /** Deliveries of [since, until) are judged. */
  readonly since: string;
  readonly until: string;
  /** Up to here no run has left anything out; the next one begins here. */
  readonly reconciledUntil: string;
  readonly size: number;
  /** Answered 200. */
  readonly deliveries: number;
  /** Their events by what they were said to become; duplicates were there before. */
  readonly events: number;
  /** Put aside and not recorded yet: the next run begins with the oldest of them. */
  readonly waiting: number;
  /** Deliveries that left records and have no line. */
  readonly unlogged: number;
  /** Lack records, and as many entries of the time were erased. */
  readonly undecided: number;
  readonly history: HistoryReport | 'not asked';
  readonly findings: number;
  readonly byCode: Readonly<Partial<Record<ReconciliationCode, number>>>;
  /** The first of them, as many as became records. */
  readonly found: readonly ReconciliationFinding[];
  readonly seconds: number;
}

/** `window`: the time asked for is empty, not over, or its lines are no longer kept. */
export class ReconciliationError extends Error {
  constructor(
    readonly code: 'window',
    message: string,
  ) {
    super(message);
    this.name = 'ReconciliationError';
  }
}

/** A younger delivery is not judged: sealing takes seconds, and log lines arrive within minutes. */
export const SETTLED_AFTER_MS = 30 * 60_000;
/** A first run begins here. */
export const FIRST_LOOK_BACK_MS = 48 * 3_600_000;
/** The most one run looks at, so that it ends in a function's time however many runs were missed. Longer than `WAITS_AT_MOST_MS`, or a delivery that waits would be all there ever is to look at. */
export const LONGEST_WINDOW_MS = 72 * 3_600_000;
/** What may lie between the clocks of a function, its log, the sealer, and the two ends of one invocation. */
const CLOCKS_APART_MS = 10 * 60_000;
/** Findings that become records; where everything is missing the number tells. */
export const MAX_FINDING_RECORDS = 200;

interface Window {
  readonly since: Date;
  readonly until: Date;
  /** A stretch before it whose lines are gone. */
  readonly lost: { readonly since: string; readonly until: string } | undefined;
  /** Up to here nothing was left out before this run, but what is lost. */
  readonly reconciledBefore: string;
}

interface Run {
  readonly deps: ReconcileDeps;
  readonly window: Window;
  readonly nowMs: number;
  readonly at: string;
  readonly macKeys: readonly [MacKey, ...MacKey[]];
  readonly dedupe: Uint8Array;
  readonly systemSubject: string;
  readonly onProgress: NonNullable<ReconcileOptions['onProgress']>;
  /** By id: those a line or a record of the time tells of. */
  readonly deliveries: Map<string, Delivery>;
  /** Received in the window, as their records say. */
  readonly recordedIn: Set<string>;
  /** Business number → hashed wamids recorded in the window. */
  readonly messages: Map<string, Set<string>>;
  readonly found: ReconciliationFinding[];
  readonly byCode: Map<ReconciliationCode, number>;
  lines: number;
  events: number;
}

/** One run. Throws `ReconciliationError`, `PortError`, `LogStopped`: nothing is known then but the findings recorded so far. */
export async function reconcileDeliveries(deps: ReconcileDeps, { since, until, by, onProgress = () => undefined }: ReconcileOptions = {}): Promise<ReconciliationReport> {
  const began = deps.now();
  const secrets = loadSecrets(deps);
  const [macKeys, dedupe, { systemSubject }] = await Promise.all([secrets.macKeys(), secrets.dedupeKey(), rememberIdentity(deps.log)()]);
  const window = windowFor({ since, until }, began, await reconciledBefore(deps, macKeys), deps.logRetentionDays);
  const run: Run = {
    deps, window, macKeys, dedupe, systemSubject, onProgress,
    nowMs: began.getTime(), at: began.toISOString(),
    deliveries: new Map(), recordedIn: new Set(), messages: new Map(), found: [], byCode: new Map(), lines: 0, events: 0,
  };
  if (window.lost !== undefined) await report(run, { code: 'lines-expired', about: `${window.lost.since} ${window.lost.until}` });
  // Before the lines: what leaves the inbox meanwhile has been recorded, and its line may take minutes; what is in it now waits.
  const inInbox = await waitingIn(deps.inbox);
  await readLines(run);
  const recorded = recordedDeliveries(deps, readingKeys(deps, secrets.kek), macKeys);
  const sinceMs = window.since.getTime() - CLOCKS_APART_MS;
  const { erased } = await recorded.sealedSince(new Date(sinceMs).toISOString(), (found) => note(run, found), (done) => onProgress({ part: 'entries', done }));
  // Sealing may stand still, which has an alarm of its own: what the log does not have yet may lie in the table.
  const lacking = new Set(judged(run).flatMap(([id, delivery]) => (missingOf(delivery) > 0 ? [id] : [])));
  if (lacking.size > 0) await recorded.inTable(lacking, (found) => note(run, found));
  const undecided = await judgeClaims(run, erased);
  const waiting = await judgePutAside(run, inInbox);
  const unlogged = await judgeUnlogged(run);
  const history = await judgeHistory(run);
  return finish(run, { began, by, undecided, waiting, unlogged, history });
}

/** Everything up to here was judged by a run that left nothing out before it. A record of another's making says nothing. */
async function reconciledBefore({ records }: ReconcileDeps, macKeys: readonly MacKey[]): Promise<string | undefined> {
  let furthest: string | undefined;
  for await (const image of records.partition(recordKeys.reconciliation('').pk)) {
    const until = checkMac(macKeys, image) === 'valid' ? reconciledUntilIn(image) : undefined;
    if (until !== undefined && (furthest === undefined || until > furthest)) furthest = until;
  }
  return furthest;
}

function windowFor(asked: Pick<ReconcileOptions, 'since' | 'until'>, now: Date, before: string | undefined, retentionDays: number): Window {
  const nowMs = now.getTime();
  const keptMs = nowMs - retentionDays * 86_400_000;
  const nextMs = before === undefined ? Math.max(nowMs - FIRST_LOOK_BACK_MS, keptMs) : Date.parse(before);
  if (asked.since !== undefined && asked.since.getTime() < keptMs) throw noWindow(`the lines of the receiving functions are kept for ${retentionDays} days: choose a time after ${iso(keptMs)}`);
  const sinceMs = asked.since?.getTime() ?? Math.max(nextMs, keptMs);
  // A run right after another one finds nothing to judge, which is well.
  const untilMs = asked.until?.getTime() ?? Math.max(sinceMs, Math.min(nowMs - SETTLED_AFTER_MS, sinceMs + LONGEST_WINDOW_MS));
  if (untilMs > nowMs) throw noWindow(`${iso(untilMs)} is not over yet`);
  if (untilMs < sinceMs) throw noWindow(`there is no time between ${iso(sinceMs)} and ${iso(untilMs)}`);
  const isLost = asked.since === undefined && nextMs < sinceMs;
  return {
    since: new Date(sinceMs),
    until: new Date(untilMs),
    lost: isLost ? { since: iso(nextMs), until: iso(sinceMs) } : undefined,
    reconciledBefore: iso(isLost ? sinceMs : nextMs),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
const noWindow = (message: string): ReconciliationError => new ReconciliationError('window', message);

const isIn = ({ since, until }: Window, ms: number): boolean => ms >= since.getTime() && ms < until.getTime();

/** Inbox names begin with the SHA-256 of the body, whose first half is the delivery's id. Not one of them is opened. */
async function waitingIn(inbox: ReconcileDeps['inbox']): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { name } of inbox.list('delivery/')) {
    const hash = /^delivery\/([0-9a-f]{64})\./.exec(name)?.[1];
    if (hash !== undefined) ids.add(Buffer.from(hash, 'hex').subarray(0, 16).toString('base64url'));
  }
  return ids;
}

/**
 * What was answered at the very end has its line just after it. What was put aside may be recorded at any time until now, but a line that was written only now speaks of records that no entry can be asked for yet.
 */
async function readLines(run: Run): Promise<void> {
  const { window, nowMs } = run;
  const untilMs = window.until.getTime();
  await readLinesOf(run, 'receive', Math.min(nowMs, untilMs + CLOCKS_APART_MS));
  await readLinesOf(run, 'process', Math.max(untilMs, nowMs - SETTLED_AFTER_MS));
}

async function readLinesOf(run: Run, source: LineSource, endMs: number): Promise<void> {
  for await (const { at, text } of run.deps.deliveries.lines(source, run.window.since, new Date(endMs))) {
    const line = deliveryLineIn(source, text);
    if (line === 'other') continue;
    run.onProgress({ part: 'lines', done: ++run.lines });
    if (line === 'unreadable') {
      // Its words may be anybody's, so even their hash is one nobody can try words against.
      await report(run, { code: 'line-unreadable', about: hashed(run.dedupe, 'whole', [text]) });
      continue;
    }
    const delivery = entered(run.deliveries, line.deliveryId);
    const time = source === 'receive' ? 'acceptedAtMs' : 'processedAtMs';
    delivery[time] = Math.min(at.getTime(), delivery[time] ?? Infinity);
    delivery.queued ||= line.queued;
    addClaims(delivery.claimed, line.claims);
    if (isIn(run.window, at.getTime())) run.events += line.duplicate + total(line.claims);
  }
}

function entered(deliveries: Map<string, Delivery>, id: string): Delivery {
  const there = deliveries.get(id) ?? newDelivery();
  deliveries.set(id, there);
  return there;
}

function note(run: Run, { deliveryId, claim, receivedAt, messageId, phoneNumberId }: Found): void {
  entered(run.deliveries, deliveryId).found[claim] += 1;
  if (!isIn(run.window, Date.parse(receivedAt))) return;
  run.recordedIn.add(deliveryId);
  if (messageId === undefined || phoneNumberId === undefined || run.deps.history === undefined) return;
  const ofNumber = run.messages.get(phoneNumberId) ?? new Set();
  run.messages.set(phoneNumberId, ofNumber.add(hashed(run.dedupe, 'wamid', [messageId])));
}

/** Those answered in the window, and those recorded in it of which no line says when they were answered: that was before it, or the line is lost. */
const judged = ({ deliveries, window }: Run): [string, Delivery][] =>
  [...deliveries].filter(([, { acceptedAtMs, processedAtMs }]) => isIn(window, acceptedAtMs ?? processedAtMs ?? -Infinity));

/** Resolves with how many lack records and cannot be judged. */
async function judgeClaims(run: Run, erased: number): Promise<number> {
  const lacking = judged(run).filter(([, delivery]) => missingOf(delivery) > 0);
  const missing = lacking.reduce((sum, [, delivery]) => sum + missingOf(delivery), 0);
  // Each may be one of the erased; with more missing than were erased some are certainly lost, and nobody can say which.
  if (missing <= erased) return lacking.length;
  for (const [about, delivery] of lacking) await report(run, { code: 'delivery-missing', about, missing: missingOf(delivery) });
  return 0;
}

/** Resolves with when the deliveries were answered that still may be recorded, milliseconds. */
async function judgePutAside(run: Run, inInbox: ReadonlySet<string>): Promise<readonly number[]> {
  const waiting: number[] = [];
  for (const [about, delivery] of judged(run)) {
    if (!delivery.queued || delivery.processedAtMs !== undefined) continue;
    const outcome = putAside(delivery, { isWaiting: inInbox.has(about), nowMs: run.nowMs });
    if (outcome === 'waiting') waiting.push(delivery.acceptedAtMs ?? run.nowMs);
    else if (outcome !== 'recorded') await report(run, { code: outcome, about });
  }
  return waiting;
}

async function judgeUnlogged(run: Run): Promise<number> {
  const isLogged = (id: string): boolean => (run.deliveries.get(id)?.acceptedAtMs ?? run.deliveries.get(id)?.processedAtMs) !== undefined;
  const unlogged = [...run.recordedIn].filter((id) => !isLogged(id)).length;
  const { since, until } = run.window;
  if (areUnlogged(unlogged, run.recordedIn.size - unlogged)) await report(run, { code: 'deliveries-unlogged', about: `${since.toISOString()} ${until.toISOString()}`, missing: unlogged });
  return unlogged;
}

async function judgeHistory(run: Run): Promise<ReconciliationReport['history']> {
  const { deps, window, macKeys, dedupe, messages: ours } = run;
  if (deps.history === undefined) return 'not asked';
  const fromMs = await beginningOf(deps);
  if (fromMs === undefined) return 'not asked';
  const span = { sinceMs: window.since.getTime(), untilMs: window.until.getTime() };
  const told = await reconcileMessages({
    history: deps.history, records: deps.records, macKeys, dedupe, span, fromMs, ours,
    report: (finding) => report(run, finding),
    onProgress: (done) => run.onProgress({ part: 'history', done }),
  });
  return told === 'unset' ? 'not asked' : told;
}

/** When the log's first round was committed, milliseconds; undefined: nothing was ever recorded. */
async function beginningOf({ log }: ReconcileDeps): Promise<number | undefined> {
  for await (const { time } of log.rounds(0)) return Date.parse(time);
  return undefined;
}

/** 'exists' is as good: found before, or a lost reply. */
async function report(run: Run, finding: ReconciliationFinding): Promise<void> {
  run.byCode.set(finding.code, (run.byCode.get(finding.code) ?? 0) + 1);
  if (run.found.length >= MAX_FINDING_RECORDS) return;
  run.found.push(finding);
  await run.deps.records.create(withMac(run.macKeys[0], reconciliationFindingImage(finding, run.systemSubject, run.at)));
}

interface Outcome {
  readonly began: Date;
  readonly by: string | undefined;
  readonly undecided: number;
  readonly waiting: readonly number[];
  readonly unlogged: number;
  readonly history: ReconciliationReport['history'];
}

async function finish(run: Run, { began, by, undecided, waiting, unlogged, history }: Outcome): Promise<ReconciliationReport> {
  const { deps, window, macKeys, systemSubject, at } = run;
  const head = await deps.log.readHead();
  const findings = [...run.byCode.values()].reduce((sum, n) => sum + n, 0);
  const seconds = (deps.now().getTime() - began.getTime()) / 1000;
  const since = window.since.toISOString();
  // Held back to the oldest that waits, so that the next run has it in its window.
  const until = new Date(waiting.reduce((least, ms) => Math.min(least, ms), window.until.getTime())).toISOString();
  const deliveries = judged(run).filter(([, { acceptedAtMs }]) => acceptedAtMs !== undefined).length;
  const reconciledUntil = reconciledAfter(window.reconciledBefore, { since, until });
  const size = head === 'absent' ? 0 : head.size;
  const result = { at, ok: findings === 0, findings, records: deliveries, seconds, size, since, until, reconciledUntil, unlogged, ...(history !== 'not asked' && { messages: history.compared }), ...(by !== undefined && { by }) };
  // The findings are recorded: died here, the next run begins where this one did and says it all again.
  await deps.records.create(withMac(macKeys[0], reconciliationImage(result, systemSubject)));
  deps.meter.count('ReconciliationCompleted');
  if (findings > 0) deps.meter.count('ReconciliationFindings', findings);
  if (undecided > 0) deps.meter.count('ReconciliationUndecided', undecided);
  return {
    reconciliation: at, ok: findings === 0, since, until, reconciledUntil, size,
    deliveries, events: run.events, waiting: waiting.length, unlogged, undecided, history,
    findings, byCode: Object.fromEntries(run.byCode), found: run.found, seconds,
  };
}

/** Who only reads makes no key: an entry's key was there before the entry. */
const readingKeys = ({ keys, now }: ReconcileDeps, kek: Parameters<typeof subjectKeys>[0]['kek']) =>
  subjectKeys({ keys: { get: (subject) => keys.get(subject), create: neverMade }, kek, now, random: neverMade });
const neverMade = (): never => {
  throw new Error('no key is made here');
};
