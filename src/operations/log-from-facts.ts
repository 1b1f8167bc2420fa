/**
 * The log as its facts alone tell it: segments, signed copies of checkpoints and keys, which is what a replica holds. Where sealers raced, segments lie beside each other; which of them are
 * the log, only the signed roots tell, so the way leads from one signed size to the next and ends at the last one that the segments lead to. Whoever rebuilds a vault or replays a replica
 * goes this way.
 */
import { entryLeafHashes, entryStarts } from '../core/log/bundle';
import type { Checkpoint } from '../core/log/checkpoint';
import { unlessMalformed } from '../core/log/log-format-error';
import { appendLeaves, EMPTY_EDGE, EMPTY_ROOT, rootOfEdge, type RightEdge } from '../core/log/merkle';
import { sha256Hex } from '../core/log/sha256';
import type { VerifierKey } from '../core/log/vkey';
import { trustKeys } from '../core/verify/key-trust';
import { checkpointCopyName, classifyName, LOG_VKEYS } from '../core/verify/vault-name';
import { inParallel } from './in-parallel';
import { ReplayError, type PublishedLog } from './published-entries';
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
/** Ways through competing segments between two signed sizes; there are two or three after the worst of races. */
const MAX_WAYS = 10_000;

/** What there is, without reading segments. `pinned`: keys of the log that are known from elsewhere. Throws `ReplayError` (`no-log`, `untrusted`), and what reading throws. */
export async function readFacts(source: PublishedLog, pinned: readonly VerifierKey[] = []): Promise<Facts> {
  const keysFile = await source.get(LOG_VKEYS);
  if (keysFile === 'absent') throw new ReplayError('no-log', 'there is no log.vkeys: these are not the facts of a vault');
  const { trust, findings } = trustKeys(keysFile, pinned);
  if (findings[0] !== undefined) throw new ReplayError('untrusted', `${findings[0].object} cannot be trusted: ${findings[0].detail}`);
  const damaged: string[] = [];
  const listed = await listFacts(source);
  const [first, ...rest] = await signedSizes(source, listed.copies, trust.keys, damaged);
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
  return { segments, copies, others };
}

async function signedSizes(source: PublishedLog, sizes: readonly number[], keys: readonly VerifierKey[], damaged: string[]): Promise<readonly Signed[]> {
  const read = await inParallel(sizes, OBJECTS_AT_ONCE, async (size): Promise<Signed | undefined> => {
    const copy = await signedCopy(source, keys, size);
    if (copy === 'unsigned') damaged.push(checkpointCopyName(size));
    return typeof copy === 'string' ? undefined : copy;
  });
  return read.filter((each) => each !== undefined).sort((a, b) => a.checkpoint.size - b.checkpoint.size);
}

interface ReadSegment {
  readonly bytes: Buffer;
  readonly n: number;
  readonly leaves: Buffer;
}

/** Reads each segment once per way it may be part of; undefined for what is none. */
export function segmentReader(source: PublishedLog, damaged: string[]): (name: string) => Promise<ReadSegment | undefined> {
  return async (name) => {
    const bytes = await source.get(name);
    const starts = bytes === 'absent' || !name.endsWith(`/${sha256Hex(bytes)}`) ? undefined : unlessMalformed(() => entryStarts(bytes));
    if (bytes !== 'absent' && starts !== undefined && starts.length > 1) return { bytes, n: starts.length - 1, leaves: entryLeafHashes(bytes, starts) };
    if (!damaged.includes(name)) damaged.push(name);
    return undefined;
  };
}

export interface Way {
  readonly segments: readonly FactSegment[];
  readonly edge: RightEdge;
}

/** The segments that lead from `from` to exactly this tree, in order; undefined where none do. */
export async function wayTo(read: (name: string) => Promise<ReadSegment | undefined>, segments: Facts['segments'], from: RightEdge, { size, root }: Checkpoint): Promise<Way | undefined> {
  let ways = 0;
  const follow = async (edge: RightEdge): Promise<Way | undefined> => {
    if (edge.size === size) return (size === 0 ? EMPTY_ROOT : rootOfEdge(edge.edge)).equals(root) ? { segments: [], edge } : undefined;
    for (const name of segments.get(edge.size) ?? []) {
      const segment = await read(name);
      if (segment === undefined || edge.size + segment.n > size || ++ways > MAX_WAYS) continue;
      const rest = await follow(appendLeaves(edge, segment.leaves));
      if (rest !== undefined) return { segments: [{ name, from: edge.size, n: segment.n, bytes: segment.bytes }, ...rest.segments], edge: rest.edge };
    }
    return undefined;
  };
  return follow(from);
}
