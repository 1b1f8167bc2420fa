/**
 * Seals what the stream lost: a stream forgets after 24 hours, so a sealer that stood still longer leaves changes behind. A state (a record's exact
 * image) is sealed only after it was seen unsealed at least 25 hours ago and still is: by then no stream can deliver it any more, so nothing is sealed twice.
 * What it came from is unknown; the entry's source says so (`late:<image hash>`), and one `gap` record tells that there was a gap.
 */
import { canonicalImage } from '../core/canonical-image';
import { entryIn } from '../core/entry';
import { keyOf, stringOf, type Image, type TableKey } from '../core/image';
import { decodeEntries } from '../core/log/bundle';
import { sha256Hex } from '../core/log/sha256';
import { gapImage } from '../core/own-records';
import { withMac } from '../core/record-mac';
import { PortError, type Head, type LogStore, type RecordStore, type Vault } from '../ports';
import { inParallel } from './in-parallel';
import { openSealed } from './open-sealed';
import { countingStops, readLog } from './read-log';
import { readEntries, readSegment } from './read-segments';
import { sealChange } from './seal-changes';
import { cutIntoRounds, makeSealer, pause, putRound, type SealDeps, type Sealer } from './seal-records';

export interface SealMissingDeps extends SealDeps {
  readonly records: SealDeps['records'] & Pick<RecordStore, 'get' | 'scan'>;
  readonly log: SealDeps['log'] & Pick<LogStore, 'rounds' | 'roundsByTime' | 'unsealedStates' | 'noteUnsealed' | 'forgetUnsealed'>;
  readonly vault: SealDeps['vault'] & Pick<Vault, 'get'>;
}

export interface SealMissingOutcome {
  /** States that are not in the log now; they are sealed by a later run, unless the stream does it first. */
  readonly waiting: number;
  readonly sealed: number;
}

/** Longer than any stream keeps a change, by an hour. */
export const UNSEALED_HOURS = 25;
/** How far back records are compared with rounds. Older ones are the table audit's. */
export const WINDOW_DAYS = 3;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_ATTEMPTS = 12;
const AT_ONCE = 16;
/** One put has four seconds; sealed, images are about a third longer. The stream's own batches are bounded by Lambda's 6 MB. */
export const MAX_ROUND_BYTES = 6 * 1024 * 1024;

/** Everything one run knows. */
interface Run {
  readonly deps: SealMissingDeps;
  readonly sealer: Sealer;
  readonly nowMs: number;
  /** When each state was first seen unsealed. */
  readonly noted: ReadonlyMap<string, number>;
  /** Image hashes in the log, as far as `knownSize`. */
  readonly sealed: Set<string>;
  knownSize: number;
}

/** A record as it is, by the SHA-256 of its canonical image, hex: the image holds its key, so the hash alone names the state. */
interface State {
  readonly hash: string;
  readonly key: TableKey;
  readonly time: string;
  /** Of its canonical image. */
  readonly bytes: number;
}

/** One run; schedule it hourly, one at a time (two at once are safe, only wasteful). Throws `LogStopped`, `PortError`. */
export function sealMissing(deps: SealMissingDeps): Promise<SealMissingOutcome> {
  return countingStops(deps.meter, async () => {
    const run = await startRun(deps);
    const candidates = await readCandidates(run);
    await readSealed(run);
    const unsealed = candidates.filter(({ hash }) => !run.sealed.has(hash));
    const due = unsealed.filter(({ hash }) => run.nowMs - (run.noted.get(hash) ?? run.nowMs) >= UNSEALED_HOURS * HOUR_MS);
    // Noted before anything is sealed. Died here: the next run goes on from the first sighting.
    for (const { hash } of unsealed) if (!run.noted.has(hash)) await deps.log.noteUnsealed(hash, new Date(run.nowMs).toISOString());
    const sealed = due.length === 0 ? 0 : await sealStates(run, due);
    await forgetOthers(run, new Set(unsealed.map(({ hash }) => hash)));
    return { waiting: unsealed.filter(({ hash }) => !run.sealed.has(hash)).length, sealed };
  });
}

async function startRun(deps: SealMissingDeps): Promise<Run> {
  const sealer = makeSealer(deps);
  const noted = new Map<string, number>();
  for await (const { state, seenAt } of deps.log.unsealedStates()) noted.set(state, Date.parse(seenAt));
  // The head first: whatever is sealed behind it moves it, and then the commit below is lost and looks again.
  const { head } = await readLog(sealer);
  return { deps, sealer, nowMs: deps.now().getTime(), noted, sealed: new Set(), knownSize: head.size };
}

const windowStart = ({ nowMs }: Run): number => nowMs - WINDOW_DAYS * DAY_MS;

async function readCandidates(run: Run): Promise<State[]> {
  const since = new Date(windowStart(run)).toISOString();
  const until = new Date(run.nowMs + HOUR_MS).toISOString(); // clocks differ; a date far ahead was made up
  const states: State[] = [];
  for await (const image of run.deps.records.scan()) {
    const content = canonicalImage(image);
    const hash = sha256Hex(content);
    const time = ['receivedAt', 'updatedAt', 'at'].map((name) => stringOf(image, name) ?? '').filter((each) => each <= until).sort().at(-1) ?? '';
    if (time >= since || run.noted.has(hash)) states.push({ hash, key: keyOf(image), time, bytes: content.length });
  }
  return states;
}

/** The hashes of everything sealed since the window began, or since the oldest state was noted. */
async function readSealed(run: Run): Promise<void> {
  const fromMs = Math.min(windowStart(run), ...run.noted.values()) - HOUR_MS;
  for await (const round of run.deps.log.roundsByTime(new Date(fromMs).toISOString())) {
    if (round.from < run.knownSize) await addSealed(run, await readSegment(run.deps.vault, round));
  }
}

async function addSealed(run: Run, segment: Buffer): Promise<void> {
  const hashes = await inParallel(decodeEntries(segment), AT_ONCE, (entry) => hashOfSealed(run, entry));
  for (const hash of hashes) if (hash !== undefined) run.sealed.add(hash);
}

/** The hash of the image an entry seals; undefined where it seals none, or none that can be opened: then its record is found unsealed, which errs on the side of sealing. */
async function hashOfSealed({ deps, sealer }: Run, bytes: Buffer): Promise<string | undefined> {
  const entry = entryIn(bytes);
  if (entry?.op === 'put' && entry.src.startsWith('late:')) return entry.src.slice('late:'.length);
  const opened = entry === undefined ? undefined : await openSealed({ vault: deps.vault, subjectKeys: sealer.subjectKeys }, entry);
  return opened?.state === 'image' ? sha256Hex(canonicalImage(opened.image)) : undefined;
}

async function sealStates(run: Run, due: readonly State[]): Promise<number> {
  const { deps, sealer } = run;
  // The gap first: were it last, a death in between would leave late entries that nobody explains.
  await recordGap(run, due);
  let sealed = 0;
  for (const round of boundedRounds(due)) sealed += await sealRound(run, round);
  for (const { hash } of due) if (run.sealed.has(hash)) await deps.log.forgetUnsealed(hash);
  sealer.meter.count('EntriesSealed', sealed);
  return sealed;
}

/** Rounds of at most `MAX_ROUND_ENTRIES` states and `MAX_ROUND_BYTES` of images; one image alone may be more. */
export function boundedRounds<S extends { readonly bytes: number }>(due: readonly S[]): S[][] {
  return cutIntoRounds(due, (state, bytes?: number) => {
    if (bytes === undefined) return state.bytes;
    return bytes + state.bytes > MAX_ROUND_BYTES ? 'full' : bytes + state.bytes;
  });
}

async function recordGap({ deps, sealer, nowMs }: Run, due: readonly State[]): Promise<void> {
  const times = due.map(({ time }) => time).sort();
  const id = sha256Hex(Buffer.from(due.map(({ hash }) => hash).sort().join('\n'))).slice(0, 32); // the same states, the same gap
  const gap = { states: due.length, oldest: times[0] ?? '', newest: times.at(-1) ?? '' };
  const image = gapImage(id, gap, (await sealer.identity()).systemSubject, new Date(nowMs).toISOString());
  if ((await deps.records.create(withMac((await sealer.macKeys())[0], image))) === 'created') deps.meter.count('GapsSealed');
}

async function sealRound(run: Run, due: readonly State[]): Promise<number> {
  const { deps, sealer, nowMs } = run;
  const at = new Date(nowMs).toISOString();
  const entries = new Map<string, readonly Buffer[]>();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { head } = await readLog(sealer);
    await catchUp(run, head);
    const rest = due.filter(({ hash }) => !run.sealed.has(hash));
    await inParallel(rest.filter(({ hash }) => !entries.has(hash)), AT_ONCE, async ({ hash, key }) => {
      const image = await deps.records.get(key, { consistent: true });
      // Changed since it was scanned: the new state has its own event, and the old one is lost to everybody.
      if (image === 'absent' || sha256Hex(canonicalImage(image)) !== hash) return;
      entries.set(hash, await sealChange(sealer, { op: 'STATE', key, newImage: image, src: `late:${hash}`, at, raw: asStreamRecord(key, image) }));
    });
    const states = rest.filter(({ hash }) => entries.has(hash));
    if (states.length === 0) return 0;
    const commit = await putRound(sealer, head, states.flatMap(({ hash }) => entries.get(hash) ?? []), deps.now().toISOString());
    // No marks: no stream event stands behind these. Died after it: the next run finds the states in the log.
    if ((await deps.log.commitRound({ ...commit, marks: new Map() })) === 'moved') {
      for (const { hash } of states) run.sealed.add(hash);
      run.knownSize = commit.head.size;
      sealer.memory.seen = commit.head;
      return states.length;
    }
    deps.meter.count('SealLost');
    await deps.sleep(pause(attempt, deps.random));
  }
  throw new PortError('unavailable', `lost the race for the head ${MAX_ATTEMPTS} times in a row`);
}

/** As the stream would have told of it, which is how a state that has no subject of its own is sealed and read again. */
const asStreamRecord = ({ pk, sk }: TableKey, image: Image): Buffer => Buffer.from(`{"dynamodb":{"Keys":{"pk":${JSON.stringify({ S: pk })},"sk":${JSON.stringify({ S: sk })}},"NewImage":${canonicalImage(image).toString()}}}`);

/** Reads what was sealed behind the size looked at last. */
async function catchUp(run: Run, head: Head): Promise<void> {
  if (head.size === run.knownSize) return;
  for await (const { bytes } of readEntries(run.deps, run.knownSize, head.size)) await addSealed(run, bytes);
  run.knownSize = head.size;
}

/** States that are sealed by now, or that no record is in any more, need no watching. */
async function forgetOthers({ deps, noted }: Run, unsealed: ReadonlySet<string>): Promise<void> {
  for (const state of noted.keys()) if (!unsealed.has(state)) await deps.log.forgetUnsealed(state);
}
