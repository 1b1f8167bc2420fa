/**
 * The one way out when the head is lost, forged or put back: rebuilds head, rounds and marks from what cannot be changed, the signed checkpoint and the
 * segments that extend it. First a plan that a person can look at, then its execution, which may be repeated. Stop the sealers before: they would go on from the
 * head that is to be replaced.
 */
import { EntryError, parseEntry } from '../core/entry';
import { headKey, headOf, isOurHead } from '../core/head';
import { decodeEntries } from '../core/log/bundle';
import { LogFormatError } from '../core/log/log-format-error';
import { appendLeaves, leafHash, rootOfEdge, type RightEdge } from '../core/log/merkle';
import { rightEdgeOf } from '../core/log/tiles';
import { newSubject } from '../core/subject-key';
import { classifyName } from '../core/verify/vault-name';
import type { Clock, Head, KeyService, KeyTable, LogIdentity, LogStore, Random, Round, Vault } from '../ports';
import { loadSecrets } from './load-secrets';
import { readCheckpoint, LogStopped } from './read-log';
import { readSegment } from './read-segments';
import { readTree } from './read-tree';
import { markOf, minuteOf } from './seal-records';
import { readKeys, signerOf } from './sign-checkpoint';
import { signedBeyond } from './signed-ahead';
import { fitsPublishedTiles, leavesInTiles } from './published-leaves';

export interface RecoverDeps {
  readonly log: Pick<LogStore, 'identity' | 'initialize' | 'readHead' | 'rounds' | 'forceHead'>;
  readonly vault: Pick<Vault, 'get' | 'getMutable' | 'list'>;
  readonly keys: Pick<KeyTable, 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  readonly random: Random;
  readonly now: Clock;
}

export interface RecoveryPlan {
  /** What the log table holds now. `sound`: ours, and the very head this plan arrives at. */
  readonly found: 'absent' | 'forged' | 'other' | 'sound';
  readonly identity: LogIdentity;
  /** The log table has no identity: a new system subject is made, the origin is the checkpoint's. */
  readonly isNewIdentity: boolean;
  readonly published: number;
  readonly head: Head;
  /** Rounds that are missing or wrong in the log table. */
  readonly rounds: readonly Round[];
  /** Of entries of the last days, which the stream may deliver again. */
  readonly marks: ReadonlyMap<number, readonly Buffer[]>;
  /** Minute → where rounds began that are left out: what they marked as sealed is not in the log. */
  readonly withdrawn: ReadonlyMap<number, ReadonlySet<number>>;
  /** Segments behind the checkpoint that are left out, because another one was committed or chosen in their place. */
  readonly orphans: number;
}

/** Streams forget after a day; marks live three. */
const MARKS_DAYS = 3;
/** Ways through competing segments that are tried; there are two or three after the worst of races. */
const MAX_CHAINS = 1_000;

/** What recovery would do; writes nothing. Throws `LogStopped` when checkpoint, tiles or segments do not allow one, `PortError`. */
export async function planRecovery(deps: RecoverDeps): Promise<RecoveryPlan> {
  const { log, vault, random } = deps;
  const known = await log.identity();
  const { checkpoint, note } = await readCheckpoint({ vault, ...(known !== 'absent' && { origin: known.origin }) });
  const logKeys = await readKeys(vault, checkpoint.origin);
  signerOf(note, logKeys, 'the checkpoint');
  const identity = known === 'absent' ? { origin: checkpoint.origin, systemSubject: newSubject(random) } : known;
  const rows = await rowsByFrom(log);
  const segments = await segmentsByFrom(vault);
  const tree = await readTree(vault, checkpoint);

  const below = await publishedRounds(vault, rows, segments, checkpoint.size);
  const signed = await signedBeyond(vault, logKeys, checkpoint.size);
  const above = await longestChain(vault, rows, segments, rightEdgeOf(tree), signed);
  const key = headKey(await loadSecrets(deps).kek());
  const head = headOf(key, above.edge);
  const rounds = [...below, ...above.rounds];
  const there = await log.readHead();
  const isSound = there !== 'absent' && isOurHead(key, there) && there.size === head.size && there.root.equals(head.root);
  return {
    found: there === 'absent' ? 'absent' : isSound ? 'sound' : isOurHead(key, there) ? 'other' : 'forged',
    identity,
    isNewIdentity: known === 'absent',
    published: checkpoint.size,
    head,
    rounds: rounds.filter((round) => !isSameRound(rows.get(round.from), round)),
    marks: await marksOfLastDays(vault, rounds, deps.now()),
    ...(await leftOut(vault, segments, checkpoint.size, above.rounds)),
  };
}

/** Does what the plan says. May be repeated; afterwards sealers and publisher go on from its head. */
export async function recoverHead({ log }: Pick<RecoverDeps, 'log'>, plan: RecoveryPlan): Promise<void> {
  if (plan.isNewIdentity) await log.initialize(plan.identity, plan.head); // 'exists': only the head was left, and it is replaced now
  await log.forceHead(plan);
}

async function rowsByFrom(log: RecoverDeps['log']): Promise<ReadonlyMap<number, Round>> {
  const rows = new Map<number, Round>();
  for await (const round of log.rounds(0)) rows.set(round.from, round);
  return rows;
}

async function segmentsByFrom(vault: RecoverDeps['vault']): Promise<ReadonlyMap<number, readonly string[]>> {
  const segments = new Map<number, string[]>();
  for await (const name of vault.list('segment/')) {
    const segment = classifyName(name);
    if (segment.kind === 'segment') segments.set(segment.from, [...(segments.get(segment.from) ?? []), name]);
  }
  return segments;
}

/** The rounds of [0, size). A row that fits is believed; where none does, the segment is chosen whose entries have the hashes of the published tiles. */
async function publishedRounds(vault: RecoverDeps['vault'], rows: ReadonlyMap<number, Round>, segments: ReadonlyMap<number, readonly string[]>, size: number): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let next = 0; next < size; ) {
    const row = rows.get(next);
    const fits = row !== undefined && row.n > 0 && next + row.n <= size && segments.get(next)?.includes(row.segment) === true;
    const round = fits ? row : await publishedRound(vault, segments.get(next) ?? [], next, size);
    if (round === undefined) throw new LogStopped('segment-damaged', `no segment in the vault holds the published entry ${next}`);
    rounds.push(round);
    next += round.n;
  }
  return rounds;
}

async function publishedRound(vault: RecoverDeps['vault'], names: readonly string[], from: number, size: number): Promise<Round | undefined> {
  for (const name of names) {
    const candidate = await readCandidate(vault, name, from);
    if (candidate === undefined || from + candidate.round.n > size) continue;
    if (candidate.leaves.equals(await leavesInTiles(vault, from, candidate.round.n, size))) return candidate.round;
  }
  return undefined;
}

interface Chain {
  readonly rounds: readonly Round[];
  readonly edge: RightEdge;
  /** Of its entries. */
  readonly sources: ReadonlySet<string>;
}

/**
 * The longest way through segments from the published tree on that contradicts nothing published and nothing signed. Rows of the log table go before segments without
 * one, they were committed, unless they lead past a tree that was signed: then somebody put head and checkpoint back and had other rounds sealed. Only where rows are
 * lost, too, and sealers raced, is there a choice; what is left out is found again by the stream or by seal-missing.
 */
async function longestChain(
  vault: RecoverDeps['vault'],
  rows: ReadonlyMap<number, Round>,
  segments: ReadonlyMap<number, readonly string[]>,
  from: RightEdge,
  signed: ReadonlyMap<number, Buffer>,
): Promise<Chain> {
  const chains: Chain[] = [];
  const furthest = Math.max(0, ...signed.keys());
  const follow = async (chain: Chain): Promise<void> => {
    if (chains.length >= MAX_CHAINS) return;
    const next = chain.edge.size;
    const row = rows.get(next);
    const names = segments.get(next) ?? [];
    const isCommitted = row !== undefined && names.includes(row.segment);
    // Below what was signed only the signed roots tell which rounds were committed; the row is merely the first to try.
    const wanted = !isCommitted ? names : next < furthest ? [row.segment, ...names.filter((name) => name !== row.segment)] : [row.segment];
    let isLast = true;
    for (const name of wanted) {
      const candidate = await readCandidate(vault, name, next);
      if (candidate === undefined) continue;
      // A loser's segment was made for another log than the one this chain is: what both hold would be sealed twice.
      if (candidate.sources.some((src) => chain.sources.has(src))) continue;
      const edge = appendLeaves(chain.edge, candidate.leaves);
      if (!passesSigned(edge, next)) continue;
      isLast = false;
      const round = row?.segment === name && row.n === candidate.round.n ? row : candidate.round;
      await follow({ rounds: [...chain.rounds, round], edge, sources: new Set([...chain.sources, ...candidate.sources]) });
    }
    if (isLast && next >= furthest) chains.push(chain);
  };
  /** Whether a round that brings the log from `before` entries to `edge` stops at every signed size on its way, with the signed root. */
  const passesSigned = (edge: RightEdge, before: number): boolean =>
    [...signed].every(([size, root]) => size <= before || size > edge.size || (size === edge.size && root.equals(rootOfEdge(edge.edge))));
  await follow({ rounds: [], edge: from, sources: new Set() });
  if (chains.length === 0) throw new LogStopped('segment-damaged', `no chain of segments leads from the checkpoint to the tree of ${furthest} entries that was signed`);
  for (const chain of chains.sort((a, b) => b.edge.size - a.edge.size)) if (await fitsPublishedTiles(vault, from.size, chain.rounds)) return chain;
  throw new LogStopped('tiles-damaged', 'the tiles behind the checkpoint fit no chain of segments: somebody wrote to the vault past the publisher');
}

/** The segments behind the checkpoint that are not in the log, and under which minutes a round of theirs would have marked events as sealed. */
async function leftOut(
  vault: RecoverDeps['vault'],
  segments: ReadonlyMap<number, readonly string[]>,
  size: number,
  rounds: readonly Round[],
): Promise<Pick<RecoveryPlan, 'orphans' | 'withdrawn'>> {
  const chosen = new Set(rounds.map(({ segment }) => segment));
  const withdrawn = new Map<number, Set<number>>();
  let orphans = 0;
  for (const [from, names] of segments) {
    for (const name of names) {
      if (from < size || chosen.has(name)) continue;
      orphans++;
      const candidate = await readCandidate(vault, name, from);
      for (const minute of candidate?.minutes ?? []) withdrawn.set(minute, (withdrawn.get(minute) ?? new Set()).add(from));
    }
  }
  return { orphans, withdrawn };
}

interface Candidate {
  readonly round: Round;
  readonly leaves: Buffer;
  readonly sources: readonly string[];
  /** In which its events were created. */
  readonly minutes: ReadonlySet<number>;
}

/** A segment as a round, or undefined when it is not one: anybody with write access may have put it there. */
async function readCandidate(vault: RecoverDeps['vault'], segment: string, from: number): Promise<Candidate | undefined> {
  const bytes = await vault.get(segment);
  if (bytes === 'absent') return undefined;
  try {
    const entries = decodeEntries(bytes);
    const parsed = entries.map((entry) => parseEntry(entry));
    const newest = parsed.map(({ at }) => at).sort().at(-1);
    if (newest === undefined) return undefined;
    const round = { from, n: entries.length, segment, time: newest };
    await readSegment({ get: async () => bytes }, round); // its name
    return { round, leaves: Buffer.concat(entries.map(leafHash)), sources: parsed.map(({ src }) => src), minutes: new Set(parsed.map(({ at }) => minuteOf(Date.parse(at)))) };
  } catch (error) {
    if (error instanceof EntryError || error instanceof LogStopped || error instanceof LogFormatError) return undefined;
    throw error;
  }
}

const isSameRound = (a: Round | undefined, b: Round): boolean => a !== undefined && a.n === b.n && a.segment === b.segment;

/** Entries carry their source and its minute, so the marks that make a second delivery harmless can be made again. */
async function marksOfLastDays(vault: RecoverDeps['vault'], rounds: readonly Round[], now: Date): Promise<ReadonlyMap<number, readonly Buffer[]>> {
  const sinceMs = now.getTime() - MARKS_DAYS * 86_400_000;
  const marks = new Map<number, Buffer[]>();
  for (const round of rounds.toReversed()) {
    if (Date.parse(round.time) < sinceMs) break;
    for (const bytes of decodeEntries(await readSegment(vault, round))) {
      const { at, src } = parseEntry(bytes);
      const minute = minuteOf(Date.parse(at));
      const those = marks.get(minute);
      if (those === undefined) marks.set(minute, [markOf(src)]);
      else those.push(markOf(src));
    }
  }
  return marks;
}
