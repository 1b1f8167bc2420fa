/**
 * The audit of the table: whether it holds, record by record, what the log says, and nothing else; and whether every key the log needs is there. The table is scanned once, then the
 * log is brought up to date and replayed: each record strikes out its twin in the scan, and what is left is read again and judged. Of a busy table only what stays
 * different is a finding. It changes no record; what can be repaired is handed on. A run that could not read something leaves no result: its absence is the alarm.
 */
import { ImageError } from '../core/canonical-image';
import { CanonicalJsonError } from '../core/canonical-json';
import { integerOf, stringOf, type Image, type TableKey } from '../core/image';
import type { Checkpoint } from '../core/log/checkpoint';
import { placeOf } from '../core/record-history';
import { checkMac, withMac, type MacKey } from '../core/record-mac';
import { permissionFor, stateHash } from '../core/repair-record';
import { runImage } from '../core/run-records';
import { isOfShare, shareName, WHOLE, type Share } from '../core/shares';
import { CONTENT_EXPECTED_WITHIN_MS, statusGaps } from '../core/status-gaps';
import { recordId } from '../core/subject-key';
import { AUDIT_CODES, auditFindingImage, latestTimeIn, REPAIRABLE, standing, type AuditCode, type AuditFinding, type Standing } from '../core/table-audit';
import { isTombstone } from '../core/tombstone';
import type { KeyTable, Meter, RecordStore } from '../ports';
import type { KeyInventory } from '../ports/key-inventory';
import type { RepairRequests } from '../ports/repair-requests';
import type { RestoreTarget } from '../ports/restore-target';
import { inBatches } from './in-batches';
import { inParallel } from './in-parallel';
import { sealedAs, takeInventory } from './log-inventory';
import { settledLog, type SettledLog, type SettledLogDeps } from './settled-log';
import { fingerprintOf, fingerprintsOf, keyOfPlace, READ_AT_ONCE, readPlaces } from './table-fingerprints';

export interface AuditDeps extends SettledLogDeps {
  /** The live table. */
  readonly table: Pick<RestoreTarget, 'read' | 'scan'>;
  readonly records: Pick<RecordStore, 'create' | 'partition'>;
  readonly keys: Pick<KeyTable, 'get' | 'getSecret'>;
  readonly inventory: KeyInventory;
  readonly meter: Meter;
  /** Asks for a record to be repaired, where the stage repairs by itself. Asking twice is asking once. */
  readonly ask?: RepairRequests['ask'];
}

export interface AuditOptions {
  /** Without one: everything. */
  readonly share?: Share;
  /** Who runs it, where a person does. */
  readonly by?: string;
  readonly onProgress?: (progress: { readonly part: 'table' | 'log' | 'keys'; readonly done: number; readonly total?: number }) => void;
}

export interface AuditReport {
  /** Name of its record: when it began, ISO 8601 UTC. */
  readonly audit: string;
  readonly ok: boolean;
  readonly share: Share;
  /** Size of the log it was held against. */
  readonly size: number;
  /** Records of the log that were compared. */
  readonly records: number;
  readonly findings: number;
  readonly byCode: Readonly<Partial<Record<AuditCode, number>>>;
  /** The first of them, as many as became records. */
  readonly found: readonly AuditFinding[];
  /** Items in the table that are not in the log yet and may still come: no findings. */
  readonly waiting: number;
  /** Records whose sealed state cannot be opened to compare it: its key or blob is gone, which is the finding. */
  readonly closed: number;
  /** Handed on to be repaired. */
  readonly asked: number;
  /** Messages of which only statuses are recorded, for an hour or longer: no findings, since Meta sends no content of what a business sends, but a gap. */
  readonly statusesWithoutMessage: number;
  readonly keys: { readonly checked: number; readonly erased: number; /** Rows no published entry needs. */ readonly unused: number };
  readonly seconds: number;
}

/** Findings that become records; a table that is wrong all over is told by the number, and restored. */
export const MAX_FINDING_RECORDS = 200;
/** Repairs one audit asks for. More than that is work for `intact restore`. */
export const MAX_ASKED = 10_000;
/** Waits between looking again at what the log does not know. An item that was not ours is judged after the first two, one of ours after all of them. */
export const LOOK_AGAIN_MS: readonly number[] = [2_000, 8_000, 30_000, 80_000];
const LOOKS_AT_FOREIGN = 2;
/** A record of ours that bears a younger time waits for its sealing like every other; the alarms on the sealer ring earlier. */
export const UNSEALED_AFTER_MS = 3_600_000;
/** Items looked at again and again. With more of them sealing stands still; they wait for the next audit. */
const MAX_OPEN = 5_000;
/** Records that differ, kept until the log has been read; a table that differs in more of them is judged as it comes. */
const MAX_SUSPECTS = 20_000;
const KEYS_AT_ONCE = 32;

/** Something in the table the log has nothing of, or nothing as new. */
interface Open {
  readonly standing: Standing;
  readonly print: string;
}

interface Run {
  readonly deps: AuditDeps;
  readonly log: SettledLog;
  readonly macKeys: readonly [MacKey, ...MacKey[]];
  readonly systemSubject: string;
  readonly at: string;
  readonly share: Share;
  readonly onProgress: NonNullable<AuditOptions['onProgress']>;
  readonly found: AuditFinding[];
  readonly byCode: Map<AuditCode, number>;
  /** Place → what it was when it was seen last. */
  readonly open: Map<string, Open>;
  records: number;
  waiting: number;
  closed: number;
  asked: number;
  statusesWithoutMessage: number;
}

/** One run. Throws `ReplayError`, `PortError`, `VaultReadError`, `LogStopped`: nothing is known then but the findings recorded so far. */
export async function auditTable(deps: AuditDeps, options: AuditOptions = {}): Promise<AuditReport> {
  const log = settledLog(deps);
  const report = await auditShare(deps, options, log);
  await recordAudit(deps, report, options, log);
  return report;
}

/** The same without a record of the result: for a run of several shares, which leaves one of all of them. */
export async function auditShare(deps: AuditDeps, { share = WHOLE, onProgress = () => undefined }: AuditOptions = {}, log: SettledLog = settledLog(deps)): Promise<AuditReport> {
  const began = deps.now();
  const run: Run = {
    deps, log, share, onProgress,
    macKeys: await log.macKeys(),
    systemSubject: (await log.identity()).systemSubject,
    at: began.toISOString(),
    found: [], byCode: new Map(), open: new Map(),
    records: 0, waiting: 0, closed: 0, asked: 0, statusesWithoutMessage: 0,
  };
  const gaps = statusGaps(share);
  const isWanted = (image: Image): boolean => {
    gaps.see(image);
    return isOfRun(run, image);
  };
  const scanned: Scanned = await fingerprintsOf(deps.table, isWanted, (done) => onProgress({ part: 'table', done }));
  run.statusesWithoutMessage = gaps.count(new Date(began.getTime() - CONTENT_EXPECTED_WITHIN_MS).toISOString());
  // After the scan: whatever was sealed when it was scanned is in this checkpoint, and what differs from it is newer or wrong.
  const checkpoint = await log.settled();
  await compare(run, scanned, checkpoint);
  await judgeUnknown(run, scanned);
  const settled = await lookAgain(run, checkpoint);
  const keys = await judgeLog(run, settled);
  return reported(run, { checkpoint, keys, began });
}

/** Place → fingerprint of what the table has there. */
type Scanned = Map<string, string>;

/** Direction one: every record of the log against the table. What is not struck out of `scanned` the log has nothing genuine of. */
async function compare(run: Run, scanned: Scanned, checkpoint: Checkpoint): Promise<void> {
  const suspects = new Map<string, Genuine>();
  const judgeSuspects = async (): Promise<void> => {
    for await (const batch of inBatches([...suspects.keys()], READ_AT_ONCE)) {
      const live = await readPlaces(run.deps.table, batch);
      for (const place of batch) await (isOfAnother(run, live.get(place)) ? defer : judge)(run, place, suspects.get(place), live.get(place));
    }
    suspects.clear();
  };
  await run.log.replay(
    {
      checkpoint,
      only: (image) => isOfRun(run, image),
      ...(run.share.of > 1 && { subjects: (subject) => isOfShare(subject, run.share) }),
      onProgress: ({ pass, entries, total }) => run.onProgress({ part: 'log', done: (pass - 1) * total + entries, total: 2 * total }),
    },
    async ({ image, index }) => {
      const place = placeOf(image);
      const there = scanned.get(place);
      scanned.delete(place);
      run.records += 1;
      if (there !== fingerprintOf(image)) suspects.set(place, { image, index });
      if (suspects.size >= MAX_SUSPECTS) await judgeSuspects();
    },
  );
  await judgeSuspects();
}

/**
 * Shares go by subject, because an entry bears its subject in clear: what is of another share need not be opened. Where somebody has given a record another subject it is looked for in its own share, and is
 * unknown in the one it pretends to be of, where the whole log tells.
 */
const isOfRun = ({ share }: Run, image: Image): boolean => isOfShare(stringOf(image, 'subject') ?? '', share);

/** Written by this system, under a subject of another share: a place that was sealed under two subjects, and this share does not see which was first. */
const isOfAnother = (run: Run, live: Image | undefined): boolean => live !== undefined && !isOfRun(run, live) && checkMac(run.macKeys, live) === 'valid';

const defer = async ({ open }: Run, place: string, _genuine: Genuine | undefined, live: Image | undefined): Promise<void> => void open.set(place, { standing: 'extra', print: stateOf(live) });

/** Direction two: what is in the table and has no genuine state in the log. */
async function judgeUnknown(run: Run, scanned: Scanned): Promise<void> {
  for await (const batch of inBatches([...scanned.keys()], READ_AT_ONCE)) {
    const live = await readPlaces(run.deps.table, batch);
    for (const place of batch) await judge(run, place, undefined, live.get(place));
  }
}

interface Genuine {
  readonly image: Image;
  readonly index: number;
}

/**
 * `live` was read after the log: it can be newer than `genuine`, never genuinely older or other. What the log knows a genuine state of is judged at once; what it does not, may be on its way.
 */
async function judge(run: Run, place: string, genuine: Genuine | undefined, live: Image | undefined): Promise<void> {
  const outcome = standing(genuine?.image, live, run.macKeys);
  if (outcome === 'same') return void run.open.delete(place);
  if (outcome !== 'ahead' && outcome !== 'extra') {
    run.open.delete(place);
    return report(run, { code: `record-${outcome}`, key: keyOfPlace(place), state: stateOf(live), ...(genuine !== undefined && { entry: genuine.index }) });
  }
  const isYoung = outcome === 'ahead' && latestTimeIn(live as Image) > new Date(Date.parse(run.at) - UNSEALED_AFTER_MS).toISOString();
  const isMore = !run.open.has(place) && run.open.size >= MAX_OPEN;
  // A changing record of ours is being written to: what it is now will be sealed in its turn.
  const isMoving = outcome === 'ahead' && run.open.has(place) && run.open.get(place)?.print !== stateOf(live);
  if (isYoung || isMore || isMoving) {
    run.open.delete(place);
    run.waiting += 1;
  } else run.open.set(place, { standing: outcome, print: stateOf(live) });
}

/** Looks again at what the log did not know, each time after it has caught up. Resolves with the newest checkpoint. */
async function lookAgain(run: Run, first: Checkpoint): Promise<Checkpoint> {
  const { deps, log } = run;
  let checkpoint = first;
  for (const [i, ms] of LOOK_AGAIN_MS.entries()) {
    if (run.open.size === 0) break;
    await deps.sleep(ms);
    checkpoint = await log.settled();
    const places = [...run.open.keys()];
    const genuine = await log.genuine(checkpoint, new Set(places));
    for await (const batch of inBatches(places, READ_AT_ONCE)) {
      const live = await readPlaces(deps.table, batch);
      for (const place of batch) {
        const there = genuine.get(place);
        // Of another share, after all: that one judges it.
        if (there !== undefined && !isOfRun(run, there.image)) run.open.delete(place);
        else await judge(run, place, there, live.get(place));
      }
    }
    if (i + 1 < LOOKS_AT_FOREIGN) continue;
    for (const [place, { standing: is, print }] of run.open) {
      if (is !== 'extra') continue;
      run.open.delete(place);
      await report(run, { code: 'record-extra', key: keyOfPlace(place), state: print });
    }
  }
  return checkpoint;
}

/** What the log itself tells: states that are not in it, states that are in it twice, keys it needs. */
async function judgeLog(run: Run, checkpoint: Checkpoint): Promise<AuditReport['keys']> {
  const { deps, log, share } = run;
  const left = await stillAhead(run);
  const { subjects, seen, doubled } = await takeInventory({ vault: deps.vault, subjectKeys: log.subjectKeys }, checkpoint, share, new Set(left.map(({ trace }) => trace)));
  for (const { place, trace, print, isTombstone: isLeft } of left) {
    if (seen.has(trace)) run.closed += 1;
    // Sealed it would be under this very name; sealed under another it is one that nothing permits, which a repair can tell.
    else await report(run, { code: isLeft ? 'record-modified' : 'record-unsealed', key: keyOfPlace(place), state: print });
  }
  for (const { key, image, indexes } of doubled) {
    if (!(await wasPutBack(run, key, image))) await report(run, { code: 'record-doubled', key, state: indexes.join('+'), entry: indexes[1] });
  }
  return judgeKeys(run, subjects);
}

/** Whether a repair of ours put this state where nothing was: a table that is gone leaves no removals in the log, and what a restore puts into the next one under its name is sealed a second time. */
async function wasPutBack({ deps, macKeys }: Run, key: TableKey, image: Image): Promise<boolean> {
  const { pk, skPrefix } = permissionFor(key, undefined, image);
  for await (const permission of deps.records.partition(pk, skPrefix)) if (checkMac(macKeys, permission) === 'valid') return true;
  return false;
}

interface Ahead {
  readonly place: string;
  readonly print: string;
  /** What the log shows of it, if it has it, whether or not that can be opened. */
  readonly trace: string;
  readonly isTombstone: boolean;
}

async function stillAhead(run: Run): Promise<Ahead[]> {
  const left: Ahead[] = [];
  for await (const batch of inBatches([...run.open.keys()], READ_AT_ONCE)) {
    const live = await readPlaces(run.deps.table, batch);
    for (const place of batch) {
      const [image, print] = [live.get(place), run.open.get(place)?.print];
      if (image === undefined || stateOf(image) !== print) {
        run.waiting += 1;
        continue;
      }
      const subject = stringOf(image, 'subject') ?? '';
      const key = await run.log.subjectKeys.existing(subject);
      // Without its key nothing tells which entries are the record's, only whether there are any of its subject.
      left.push({ place, print, isTombstone: isTombstone(image), trace: typeof key === 'string' ? subject : sealedAs(recordId(key, keyOfPlace(place)), integerOf(image, 'rev') ?? 0) });
    }
  }
  return left;
}

/** Every subject with entries needs its key; one that is only in the table gets it when it is sealed. */
async function judgeKeys(run: Run, subjects: ReadonlySet<string>): Promise<AuditReport['keys']> {
  const keys = run.log.freshKeys();
  const names = [...subjects];
  let [erased, unused, done] = [0, 0, 0];
  const wrong = await inParallel(names, KEYS_AT_ONCE, async (subject) => {
    const key = await keys.existing(subject);
    run.onProgress({ part: 'keys', done: ++done, total: names.length });
    if (key === 'erased') erased += 1;
    return key === 'absent' || key === 'corrupt' ? key : undefined;
  });
  for (const [i, why] of wrong.entries()) if (why !== undefined) await report(run, { code: `key-${why}`, subject: names[i]!, state: why });
  for await (const subject of run.deps.inventory.subjects()) if (isOfShare(subject, run.share) && !subjects.has(subject)) unused += 1;
  return { checked: names.length, erased, unused };
}

/** Recorded, then handed on: died in between, the next audit finds it again, adds no record and asks. */
async function report(run: Run, finding: AuditFinding): Promise<void> {
  const { deps, macKeys, systemSubject, at } = run;
  run.byCode.set(finding.code, (run.byCode.get(finding.code) ?? 0) + 1);
  if (run.found.length < MAX_FINDING_RECORDS) {
    run.found.push(finding);
    // 'exists' is as good: found before, or a lost reply.
    await deps.records.create(withMac(macKeys[0], auditFindingImage(finding, systemSubject, at)));
  }
  if (deps.ask === undefined || finding.key === undefined || !REPAIRABLE.has(finding.code) || run.asked >= MAX_ASKED) return;
  await deps.ask({ key: finding.key });
  run.asked += 1;
}

function reported({ deps, share, at, byCode, records, found, waiting, closed, asked, statusesWithoutMessage }: Run, { checkpoint, keys, began }: { readonly checkpoint: Checkpoint; readonly keys: AuditReport['keys']; readonly began: Date }): AuditReport {
  const findings = [...byCode.values()].reduce((sum, n) => sum + n, 0);
  const codes = (Object.keys(AUDIT_CODES) as AuditCode[]).flatMap((code) => (byCode.has(code) ? [[code, byCode.get(code)]] : []));
  const seconds = (deps.now().getTime() - began.getTime()) / 1000;
  return { audit: at, ok: findings === 0, share, size: checkpoint.size, records, findings, byCode: Object.fromEntries(codes) as AuditReport['byCode'], found, waiting, closed, asked, statusesWithoutMessage, keys, seconds };
}

/** The record of an audit, and what is counted of it. Done twice with one name it is done once. The findings are recorded by now: died here, the next audit says it all again. */
export async function recordAudit(deps: Pick<AuditDeps, 'records' | 'meter'> & SettledLogDeps, { audit, ok, findings, records, seconds, size, share, statusesWithoutMessage }: Omit<AuditReport, 'found'>, { by }: Pick<AuditOptions, 'by'> = {}, log: SettledLog = settledLog(deps)): Promise<void> {
  const target = shareName(share);
  const image = runImage('audit', { at: audit, ok, findings, records, seconds, size, ...(by !== undefined && { by }), ...(target !== '' && { target }) }, (await log.identity()).systemSubject);
  await deps.records.create(withMac((await log.macKeys())[0], image));
  deps.meter.count('AuditCompleted');
  if (findings > 0) deps.meter.count('AuditFindings', findings);
  if (statusesWithoutMessage > 0) deps.meter.count('StatusWithoutMessage', statusesWithoutMessage);
}

/** Names the state that was found; what has no canonical form is one state, whatever it holds. */
function stateOf(live: Image | undefined): string {
  try {
    return stateHash(live);
  } catch (error) {
    if (error instanceof ImageError || error instanceof CanonicalJsonError) return 'no-canonical-form';
    throw error;
  }
}
