/**
 * Seals a batch of the records table's stream: every change, whoever made it, becomes an entry of the log, exactly once, however often, how much longer,
 * shorter or shifted the stream delivers the batch again, and however many sealers work at the same time. Content can neither stop it nor be lost by it.
 * What must be true if the process dies is said at each step; docs/architecture.md has it as a table.
 */
import { createHash } from 'node:crypto';
import { headKey, headOf } from '../core/head';
import { encodeEntries } from '../core/log/bundle';
import { appendLeaves, leafHash } from '../core/log/merkle';
import { sha256Hex } from '../core/log/sha256';
import { segmentName } from '../core/verify/vault-name';
import { PortError, type Clock, type Head, type Inbox, type KeyService, type KeyTable, type LogStore, type Meter, type Random, type RecordStore, type Sleep, type StreamEvent, type Vault } from '../ports';
import type { RepairRequests } from '../ports/repair-requests';
import { inParallel } from './in-parallel';
import { loadSecrets } from './load-secrets';
import { countingStops, readLog, rememberIdentity, type LogReader } from './read-log';
import { sealChange, type SealChangeDeps, type SourcedChange } from './seal-changes';
import { subjectKeys } from './subject-keys';

export interface SealDeps {
  readonly records: Pick<RecordStore, 'create' | 'partition'>;
  /** Absent where a person wants to be asked before a record is repaired. */
  readonly repairRequests?: RepairRequests | undefined;
  readonly log: Pick<LogStore, 'readHead' | 'sealedMarks' | 'commitRound' | 'identity'>;
  readonly vault: Pick<Vault, 'getMutable' | 'createLocked'>;
  readonly inbox: Pick<Inbox, 'get'>;
  readonly keys: Pick<KeyTable, 'get' | 'create' | 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  readonly meter: Meter;
  readonly now: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
}

/** The world and what this container remembers of it: make one per container. */
export interface Sealer extends LogReader, SealChangeDeps {
  readonly log: SealDeps['log'];
  readonly vault: SealDeps['vault'];
  readonly now: Clock;
  readonly sleep: Sleep;
}

export function makeSealer(deps: SealDeps): Sealer {
  const secrets = loadSecrets(deps);
  return {
    ...deps,
    identity: rememberIdentity(deps.log),
    headKey: async () => headKey(await secrets.kek()),
    macKeys: secrets.macKeys,
    subjectKeys: subjectKeys({ ...deps, kek: secrets.kek }),
    memory: {},
  };
}

/** DynamoDB takes 100 actions a transaction: head, round, and one item of marks a minute. 90 leaves room for a span that begins within a minute. */
export const MAX_ROUND_MINUTES = 90;
/** Events. Marks of one minute are one item of at most 400 KB; 5,000 of 16 bytes are 80 KB, and a lost race wastes one segment of them at most. An erasure's are two entries each: still few for a segment. */
export const MAX_ROUND_ENTRIES = 5_000;
/** A race is lost only because somebody else won it, so a few attempts pass even among many sealers; then the stream delivers the batch again. */
const MAX_ATTEMPTS = 12;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 2_000;
/** Requests in flight while changes are encrypted: keys to read, findings and blobs to put. */
const CHANGES_AT_ONCE = 16;

export interface SealOutcome {
  /** Events this call sealed. */
  readonly sealed: number;
  /** Events of the batch that were in the log already. */
  readonly sealedBefore: number;
  readonly rounds: number;
  /** Races lost to other sealers. */
  readonly lost: number;
}

/** An event with what is derived from it once, whatever number of attempts its round needs. */
interface Sealable {
  readonly minute: number;
  readonly mark: Buffer;
  readonly change: SourcedChange;
  readonly createdAtMs: number;
  /** Its entries, once made. */
  entries?: Promise<readonly Buffer[]>;
}

/** Seals `events`, in their order. Throws `LogStopped` when the log must not be extended, `PortError` when the world failed; then the batch is delivered again. */
export function sealRecords(sealer: Sealer, events: readonly StreamEvent[]): Promise<SealOutcome> {
  return countingStops(sealer.meter, async () => {
    const total = { sealed: 0, sealedBefore: 0, rounds: 0, lost: 0 };
    for (const round of roundsOf(sealables(events))) {
      const { sealed, lost } = await sealRound(sealer, round);
      total.sealed += sealed;
      total.sealedBefore += round.length - sealed;
      total.rounds += sealed > 0 ? 1 : 0;
      total.lost += lost;
    }
    return total;
  });
}

async function sealRound(sealer: Sealer, events: readonly Sealable[]): Promise<{ readonly sealed: number; readonly lost: number }> {
  for (let lost = 0; lost < MAX_ATTEMPTS; lost++) {
    // 1. Where the log stands, and whether it may be extended at all.
    const { head } = await readLog(sealer);
    // 2. Drop exactly what is sealed. After the head: marks of a round that moved it later cannot be missed, because then the commit below is lost.
    const sealedMarks = await sealer.log.sealedMarks([...new Set(events.map(({ minute }) => minute))]);
    const rest = events.filter(({ mark }) => !sealedMarks.has(mark.toString('hex')));
    if (rest.length === 0) return { sealed: 0, lost };
    // 3. Findings, keys and blobs become durable, then the segment. Died here: findings stand, the segment is an orphan, nothing is sealed yet.
    const entries = await inParallel(rest, CHANGES_AT_ONCE, (event) => (event.entries ??= entriesOf(sealer, event)));
    const time = sealer.now().toISOString();
    const commit = await putRound(sealer, head, entries.flat(), time);
    // 4. The one step that seals: head, round and marks together or not at all. Died after it: the next delivery finds the marks.
    const outcome = await sealer.log.commitRound({ ...commit, marks: marksOf(rest) });
    if (outcome === 'moved') {
      sealer.memory.seen = commit.head;
      measure(sealer.meter, rest, commit.round.n, Date.parse(time));
      return { sealed: rest.length, lost };
    }
    sealer.meter.count('SealLost');
    await sealer.sleep(pause(lost, sealer.random));
  }
  throw new PortError('unavailable', `lost the race for the head ${MAX_ATTEMPTS} times in a row`);
}

/** Puts the segment of `entries` behind `head` and says what committing it means. Shared with `seal-missing`. */
export async function putRound(
  { vault, headKey: keyOfHeads }: Pick<Sealer, 'vault' | 'headKey'>,
  head: Head,
  entries: readonly Buffer[],
  time: string,
): Promise<Pick<Parameters<LogStore['commitRound']>[0], 'expected' | 'head' | 'round'>> {
  const bytes = encodeEntries(entries);
  const segment = segmentName(head.size, sha256Hex(bytes));
  await vault.createLocked(segment, bytes);
  const next = headOf(await keyOfHeads(), appendLeaves(head, Buffer.concat(entries.map(leafHash))));
  return { expected: head, head: next, round: { from: head.size, n: entries.length, segment, time } };
}

/** A failed attempt at an event is forgotten, so that the next one begins anew. */
function entriesOf(sealer: Sealer, event: Sealable): Promise<readonly Buffer[]> {
  return sealChange(sealer, event.change).catch((error: unknown) => {
    delete event.entries;
    throw error;
  });
}

/** Derives what never changes about each event. The same event twice in one batch is one event. */
function sealables(events: readonly StreamEvent[]): Sealable[] {
  const seen = new Set<string>();
  return events
    .filter(({ eventId }) => !seen.has(eventId) && seen.add(eventId))
    .map((event) => {
      const createdAtMs = isTime(event.createdAtMs) ? event.createdAtMs : 0;
      const change = { ...event, src: sourceOf(event.eventId), at: new Date(createdAtMs).toISOString() };
      return { minute: minuteOf(createdAtMs), mark: markOf(change.src), change, createdAtMs };
    });
}

/** 16 bytes under which an entry's source counts as sealed. */
export const markOf = (src: string): Buffer => createHash('sha256').update(src).digest().subarray(0, 16);

/** Whole minutes since the epoch. */
export const minuteOf = (ms: number): number => Math.floor(ms / 60_000);

const isTime = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0 && ms < 253_402_300_800_000; // the year 10000 has no RFC 3339 form

/** Stream event ids are 32 hex digits today; whatever else they become, the entry can hold it, and it is taken for no source of another kind. */
const sourceOf = (eventId: string): string => (/^(?!\w+:)[\x21-\x7e]{1,128}$/.test(eventId) ? eventId : `sha256:${sha256Hex(Buffer.from(eventId))}`);

/** Cuts a batch, in order, where a round would grow beyond its limits. */
export function roundsOf<T extends { readonly minute: number }>(events: readonly T[]): T[][] {
  return cutIntoRounds(events, ({ minute }, span?: { readonly earliest: number; readonly latest: number }) => {
    const [earliest, latest] = [Math.min(span?.earliest ?? minute, minute), Math.max(span?.latest ?? minute, minute)];
    return latest - earliest >= MAX_ROUND_MINUTES ? 'full' : { earliest, latest };
  });
}

/**
 * Cuts `items`, in order, into rounds of at most `MAX_ROUND_ENTRIES`. `extend`: what a round that measures `extent` (undefined: an empty one) measures with `item`
 * in it, or 'full' where it has no room; an empty round takes any item.
 */
export function cutIntoRounds<T, E>(items: readonly T[], extend: (item: T, extent?: E) => E | 'full'): T[][] {
  const rounds: T[][] = [];
  let extent: E | undefined;
  for (const item of items) {
    const round = rounds.at(-1);
    const extended = round === undefined || round.length >= MAX_ROUND_ENTRIES ? 'full' : extend(item, extent);
    if (round !== undefined && extended !== 'full') round.push(item);
    else rounds.push([item]);
    const alone = extended === 'full' ? extend(item) : extended;
    extent = alone === 'full' ? undefined : alone;
  }
  return rounds;
}

function marksOf(events: readonly Sealable[]): ReadonlyMap<number, readonly Buffer[]> {
  const marks = new Map<number, Buffer[]>();
  for (const { minute, mark } of events) {
    const those = marks.get(minute);
    if (those === undefined) marks.set(minute, [mark]);
    else those.push(mark);
  }
  return marks;
}

function measure(meter: Meter, sealed: readonly Sealable[], entries: number, nowMs: number): void {
  meter.count('EntriesSealed', entries);
  // reduce, not Math.min(...): a round has more events than a call has arguments in some engines.
  const oldestMs = sealed.reduce((oldest, { createdAtMs }) => Math.min(oldest, createdAtMs), nowMs);
  meter.gauge('SealLag', Math.max(0, (nowMs - oldestMs) / 1000), 'Seconds');
}

/** Full jitter under a doubling bound: sealers that collided once spread out. */
export function pause(attempt: number, random: Random): number {
  const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  return Math.floor((random(4).readUInt32BE() / 2 ** 32) * bound);
}
