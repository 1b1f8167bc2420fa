/**
 * The log as its facts alone tell it: segments, signed copies of checkpoints and keys, which is what a replica holds. Where sealers raced, segments lie beside each other; which of them are
 * the log, only the signed roots tell, so the way leads from one signed size to the next and ends at the last one that the segments lead to. Whoever rebuilds a vault or replays a replica
 * goes this way.
 */
import { entryLeafHashes, startsOf } from '../core/log/bundle';
import type { Checkpoint } from '../core/log/checkpoint';
import { appendLeaves, EMPTY_EDGE, EMPTY_ROOT, rootOfEdge, type RightEdge } from '../core/log/merkle';
import { sha256Hex } from '../core/log/sha256';
import type { VerifierKey } from '../core/log/vkey';
import { openCheckpoint, trustKeys, type KeyTrust } from '../core/verify/key-trust';
import { checkpointCopyName, classifyName, LOG_VKEYS } from '../core/verify/vault-name';
import { inParallel } from './in-parallel';
import { type PublishedLog, ReplayError } from './published-entries';
import { isOurs } from './pull-vault';
import { readAtMost } from './read-at-most';
import { signedCopy } from './signed-ahead';

/** A checkpoint, and the bytes that state it. */
export interface Signed {
  readonly checkpoint: Checkpoint;
  readonly bytes: Buffer;
}

export interface Facts {
  readonly keysFile: Buffer;
  /** Names of segments by where they begin. */
  readonly segments: ReadonlyMap<number, readonly string[]>;
  /** Sizes under checkpoints/, signed or not. */
  readonly copies: readonly number[];
  /** Blobs, snapshots, reports. */
  readonly others: readonly string[];
  /** Every tree that was signed, smallest first. Never empty. */
  readonly signed: readonly [Signed, ...Signed[]];
  /** Segments and signed copies that were found not to be what their names say; grows while the log is walked. */
  readonly damaged: string[];
}

/** A segment that is part of the log. */
export interface FactSegment {
  readonly name: string;
  /** Index of its first entry, and how many it has. */
  readonly from: number;
  readonly n: number;
  readonly bytes: Buffer;
}

const OBJECTS_AT_ONCE = 16;
/** Steps tried on ways through competing segments between two signed sizes, and the hashes these take; there are two or three ways after the worst of races. Seconds. */
const MAX_STEPS = 100_000;
const MAX_HASHES = 20_000_000;
/** Of hashes kept while ways are tried. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** What there is, without reading segments. `pinned`: keys of the log that are known from elsewhere. Throws `ReplayError` (`no-log`, `untrusted`), and what reading throws. */
export async function readFacts(source: PublishedLog, pinned: readonly VerifierKey[] = []): Promise<Facts> {
  const keysFile = await source.get(LOG_VKEYS);
  if (keysFile === 'absent') throw new ReplayError('no-log', 'there is no log.vkeys: these are not the facts of a vault');
  const { trust, findings } = trustKeys(keysFile, pinned);
  if (findings[0] !== undefined) throw new ReplayError('untrusted', `${findings[0].object} cannot be trusted: ${findings[0].detail}`);
  const damaged: string[] = [];
  const listed = await listFacts(source);
  const [first, ...rest] = withoutRetired(await signedSizes(source, listed.copies, trust.keys, damaged), trust, damaged);
  if (first === undefined) throw new ReplayError('no-log', 'there is no signed checkpoint under checkpoints/');
  return { keysFile, ...listed, signed: [first, ...rest], damaged };
}

/** The segments that lead to each signed size from the one before, as far as there are any: of a log that was only ever signed empty, none. */
export async function* signedRuns(source: PublishedLog, facts: Facts): AsyncGenerator<{ readonly signed: Signed; readonly segments: readonly FactSegment[] }> {
  const read = segmentReader(source, facts.damaged);
  let edge: RightEdge = EMPTY_EDGE;
  for (const signed of facts.signed) {
    const way = await wayTo(read, facts.segments, edge, signed.checkpoint);
    if (way === undefined) return;
    edge = way.edge;
    yield { signed, segments: way.segments };
  }
}

async function listFacts(source: PublishedLog): Promise<Pick<Facts, 'segments' | 'copies' | 'others'>> {
  if (source.list === undefined) throw new ReplayError('no-log', 'a source that cannot be listed has no facts to rebuild from: use the bucket, or a copy of it');
  const segments = new Map<number, string[]>();
  const copies: number[] = [];
  const others: string[] = [];
  for (const prefix of ['segment/', 'checkpoints/', 'blob/', 'snapshot/', 'report/']) {
    for await (const name of source.list(prefix)) {
      const known = classifyName(name);
      if (known.kind === 'segment') segments.set(known.from, [...(segments.get(known.from) ?? []), name]);
      else if (known.kind === 'checkpoint-copy') copies.push(known.size);
      else if (known.kind !== 'other') others.push(name);
    }
  }
  return { segments, copies, others: others.filter(fitsBeside(others)) };
}

/**
 * What lies under report/ or snapshot/ may have any name, and who can put an object chooses it; a directory that is rebuilt into must not be led elsewhere by it, nor be asked for a file where it needs a
 * directory.
 */
function fitsBeside(names: readonly string[]): (name: string) => boolean {
  const directories = new Set(names.flatMap((name) => [...name.matchAll(/\//g)].map(({ index }) => name.slice(0, index))));
  return (name) => isOurs(name) && !directories.has(name);
}

async function signedSizes(source: PublishedLog, sizes: readonly number[], keys: readonly VerifierKey[], damaged: string[]): Promise<readonly Signed[]> {
  const read = await inParallel(sizes, OBJECTS_AT_ONCE, async (size): Promise<Signed | undefined> => {
    const copy = await signedCopy(source, keys, size);
    if (copy === 'unsigned') damaged.push(checkpointCopyName(size));
    return typeof copy === 'string' ? undefined : copy;
  });
  return read.filter((each) => each !== undefined).sort((a, b) => a.checkpoint.size - b.checkpoint.size);
}

/** A key that was replaced signs nothing behind what its successor signed: who stole it would lengthen the log with it. `signed`: smallest first. */
function withoutRetired(signed: readonly Signed[], trust: KeyTrust, damaged: string[]): readonly Signed[] {
  const newest = signed.map(({ checkpoint, bytes }) => openCheckpoint(checkpointCopyName(checkpoint.size), bytes, trust, false).key ?? -1);
  const key = newest.reduce((a, b) => Math.max(a, b), -1);
  const end = newest.lastIndexOf(key) + 1;
  for (const { checkpoint } of signed.slice(end)) damaged.push(checkpointCopyName(checkpoint.size));
  return signed.slice(0, end);
}

interface ReadSegment {
  readonly bytes: Buffer;
  readonly n: number;
  readonly leaves: Buffer;
}

/** Reads each segment once per way it may be part of; undefined for what is none. */
export function segmentReader(source: PublishedLog, damaged: string[]): (name: string) => Promise<ReadSegment | undefined> {
  return async (name) => {
    const bytes = await readAtMost(source, name);
    const starts = typeof bytes === 'string' || !name.endsWith(`/${sha256Hex(bytes)}`) ? undefined : startsOf(bytes);
    if (typeof bytes !== 'string' && starts !== undefined && starts.length > 1) return { bytes, n: starts.length - 1, leaves: entryLeafHashes(bytes, starts) };
    if (!damaged.includes(name)) damaged.push(name);
    return undefined;
  };
}

export interface Way {
  readonly segments: readonly FactSegment[];
  readonly edge: RightEdge;
}

/**
 * The segments that lead from `from` to exactly this tree, in order; undefined where none do. Only the root at the end tells a right way from a wrong one, and who may put objects can lay wrong ones:
 * what ends nowhere is left out before a hash is computed, and ways of few segments come first, so that splinters, which cost nothing, do not stand before a round of the log.
 */
export async function wayTo(read: (name: string) => Promise<ReadSegment | undefined>, segments: Facts['segments'], from: RightEdge, { size, root }: Checkpoint): Promise<Way | undefined> {
  const map = await mapped(read, segments, from.size, size);
  let [steps, hashes] = [0, 0];
  /** Its segments from the last one on. */
  const follow = async (edge: RightEdge, left: number): Promise<{ readonly segments: FactSegment[]; readonly edge: RightEdge } | undefined> => {
    if (edge.size === size) return left === 0 && (size === 0 ? EMPTY_ROOT : rootOfEdge(edge.edge)).equals(root) ? { segments: [], edge } : undefined;
    for (const { name, n } of map.at(edge.size)) {
      if (!map.leads(edge.size + n, left - 1)) continue;
      if (++steps > MAX_STEPS || (hashes += n) > MAX_HASHES) return undefined;
      const segment = await map.read(name);
      if (segment === undefined || segment.n !== n) continue; // gone, or another, since it was read first
      const rest = await follow(appendLeaves(edge, segment.leaves), left - 1);
      if (rest === undefined) continue;
      rest.segments.push({ name, from: edge.size, n, bytes: segment.bytes });
      return rest;
    }
    return undefined;
  };
  for (const length of map.lengths()) {
    const way = await follow(from, length);
    if (way !== undefined) return { segments: way.segments.reverse(), edge: way.edge };
  }
  return undefined;
}

interface SegmentMap {
  /** Segments that begin there and end before `size` or at it. */
  at(from: number): readonly { readonly name: string; readonly n: number }[];
  /** Whether so many segments may lead from there to `size`. */
  leads(from: number, left: number): boolean;
  /** Of ways from the first place to `size`, ascending: how many segments they may have. */
  lengths(): Iterable<number>;
  read(name: string): Promise<ReadSegment | undefined>;
}

/** Where segments lead from entry `first` on; each is read once, and kept where there is room. */
async function mapped(read: (name: string) => Promise<ReadSegment | undefined>, segments: Facts['segments'], first: number, size: number): Promise<SegmentMap> {
  const kept = new Map<string, ReadSegment>();
  let bytes = 0;
  const at = new Map<number, { readonly name: string; readonly n: number }[]>();
  const open = [first];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    if (from === size || at.has(from)) continue;
    const here: { readonly name: string; readonly n: number }[] = [];
    at.set(from, here);
    for (const name of segments.get(from) ?? []) {
      const segment = await read(name);
      if (segment === undefined || from + segment.n > size) continue;
      here.push({ name, n: segment.n });
      open.push(from + segment.n);
      bytes += segment.bytes.length + segment.leaves.length;
      if (bytes <= KEPT_BYTES) kept.set(name, segment);
    }
  }
  // Fewest and most segments from each place to `size`, from its end backwards.
  const reach = new Map<number, readonly [fewest: number, most: number]>([[size, [0, 0]]]);
  for (const from of [...at.keys()].sort((a, b) => b - a)) {
    const beyond = at.get(from)!.map(({ n }) => reach.get(from + n)).filter((each) => each !== undefined);
    if (beyond.length > 0) reach.set(from, [1 + least(beyond.map(([few]) => few)), 1 + greatest(beyond.map(([, many]) => many))]);
  }
  const [fewest, most] = reach.get(first) ?? [1, 0];
  return {
    at: (from) => at.get(from) ?? [],
    leads: (from, left) => {
      const there = reach.get(from);
      return there !== undefined && there[0] <= left && left <= there[1];
    },
    lengths: () => Array.from({ length: Math.max(0, most - fewest + 1) }, (_, i) => fewest + i),
    read: async (name) => kept.get(name) ?? read(name),
  };
}

const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), Infinity);
const greatest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), 0);
