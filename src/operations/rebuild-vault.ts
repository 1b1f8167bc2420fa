/**
 * A whole vault from its facts alone: segments, signed copies of checkpoints, keys, blobs, snapshots and reports, which is what a replica holds. Tiles, bundles and
 * `checkpoint` follow from them. Where sealers raced, segments lie beside each other; which of them are the log, only the signed roots tell, so the log is rebuilt from one
 * signed size to the next and ends at the last one that the segments lead to.
 */
import { entryLeafHashes, entryStarts } from '../core/log/bundle';
import type { Checkpoint } from '../core/log/checkpoint';
import { unlessMalformed } from '../core/log/log-format-error';
import { appendLeaves, EMPTY_ROOT, rootOfEdge, type RightEdge } from '../core/log/merkle';
import { sha256Hex } from '../core/log/sha256';
import { EMPTY_TREE, extendTree, partialObjects, rightEdgeOf, type LogObject, type TreeEdge } from '../core/log/tiles';
import type { VerifierKey } from '../core/log/vkey';
import { trustKeys } from '../core/verify/key-trust';
import { CHECKPOINT, checkpointCopyName, classifyName, LOG_VKEYS } from '../core/verify/vault-name';
import { inParallel } from './in-parallel';
import { ReplayError, type PublishedLog } from './published-entries';
import type { PullTarget } from './pull-vault';
import { signedCopy } from './signed-ahead';

export interface Rebuilt {
  readonly origin: string;
  /** Entries of the rebuilt log, and the largest signed size that the source knows: less is lost where they differ. */
  readonly size: number;
  readonly signed: number;
  /** Base64 as in checkpoints. */
  readonly root: string;
  /** Facts copied, and objects made from them. */
  readonly copied: number;
  readonly derived: number;
  /** Segments and signed copies that are not what their names say. */
  readonly damaged: readonly string[];
}

interface Signed {
  readonly checkpoint: Checkpoint;
  readonly bytes: Buffer;
}

const OBJECTS_AT_ONCE = 16;
/** Ways through competing segments between two signed sizes; there are two or three after the worst of races. */
const MAX_WAYS = 10_000;

/**
 * Rebuilds into `target`; `checkpoint` is written last, so what an interrupted run leaves is no vault yet and the next run completes it. `pinned`: keys of the log that are
 * known from elsewhere. Throws `ReplayError` (`no-log`, `untrusted`), and what reading and writing throw.
 */
export async function rebuildVault(source: PublishedLog, target: PullTarget, pinned: readonly VerifierKey[] = []): Promise<Rebuilt> {
  const keysFile = await source.get(LOG_VKEYS);
  if (keysFile === 'absent') throw new ReplayError('no-log', 'there is no log.vkeys: these are not the facts of a vault');
  const { trust, findings } = trustKeys(keysFile, pinned);
  if (findings[0] !== undefined) throw new ReplayError('untrusted', `${findings[0].object} cannot be trusted: ${findings[0].detail}`);
  const damaged: string[] = [];
  const facts = await listFacts(source);
  const signed = await signedSizes(source, facts.copies, trust.keys, damaged);
  const last = signed.at(-1);
  if (last === undefined) throw new ReplayError('no-log', 'there is no signed checkpoint under checkpoints/');

  await target.write(LOG_VKEYS, keysFile);
  let tree: TreeEdge = EMPTY_TREE;
  let reached: Signed | undefined;
  let derived = 0;
  const put = (objects: readonly LogObject[]): Promise<void[]> => inParallel(objects, OBJECTS_AT_ONCE, ({ name, bytes }) => target.write(name, bytes));
  const read = segmentReader(source, damaged);
  for (const next of signed) {
    const way = await wayTo(read, facts.segments, rightEdgeOf(tree), next.checkpoint);
    if (way === undefined) break;
    for (const bytes of way) {
      const extension = extendTree(tree, bytes);
      await put(extension.full);
      derived += extension.full.length;
      tree = extension.edge;
    }
    reached = next;
  }
  if (reached === undefined) throw new ReplayError('damaged', `no segments lead to the tree of ${signed[0]!.checkpoint.size} entries, the first that was signed: nothing can be rebuilt`);
  const partials = partialObjects(tree);
  await put(partials);
  const others = [...facts.others, ...[...facts.segments.values()].flat(), ...facts.copies.map(checkpointCopyName)];
  await inParallel(others, OBJECTS_AT_ONCE, async (name) => {
    const bytes = await source.get(name);
    if (bytes !== 'absent') await target.write(name, bytes);
  });
  await target.write(CHECKPOINT, reached.bytes);
  const { origin, size, root } = reached.checkpoint;
  return { origin, size, signed: last.checkpoint.size, root: root.toString('base64'), copied: others.length + 1, derived: derived + partials.length + 1, damaged };
}

interface Facts {
  readonly segments: ReadonlyMap<number, readonly string[]>;
  /** Sizes of checkpoints/. */
  readonly copies: readonly number[];
  /** Blobs, snapshots, reports. */
  readonly others: readonly string[];
}

async function listFacts(source: PublishedLog): Promise<Facts> {
  if (source.list === undefined) throw new ReplayError('no-log', 'a source that cannot be listed has no facts to rebuild from: use the bucket, or a copy of it');
  const segments = new Map<number, string[]>();
  const copies: number[] = [];
  const others: string[] = [];
  for (const prefix of ['segment/', 'checkpoints/', 'blob/', 'snapshot/', 'report/']) {
    for await (const name of source.list(prefix)) {
      const known = classifyName(name);
      if (known.kind === 'segment') segments.set(known.from, [...(segments.get(known.from) ?? []), name]);
      else if (known.kind === 'checkpoint-copy') copies.push(known.size);
      else if (known.kind === 'blob' || known.kind === 'document') others.push(name);
    }
  }
  return { segments, copies, others };
}

/** Every tree that was signed, smallest first; the empty one needs no way to it. */
async function signedSizes(source: PublishedLog, sizes: readonly number[], keys: readonly VerifierKey[], damaged: string[]): Promise<readonly Signed[]> {
  const read = await inParallel(sizes, OBJECTS_AT_ONCE, async (size): Promise<Signed | undefined> => {
    const copy = await signedCopy(source, keys, size);
    if (copy === 'unsigned') damaged.push(checkpointCopyName(size));
    return typeof copy === 'string' ? undefined : copy;
  });
  return read.filter((each) => each !== undefined).sort((a, b) => a.checkpoint.size - b.checkpoint.size);
}

interface Segment {
  readonly bytes: Buffer;
  readonly n: number;
  readonly leaves: Buffer;
}

/** Reads each segment once per way it may be part of; undefined for what is none. */
function segmentReader(source: PublishedLog, damaged: string[]): (name: string) => Promise<Segment | undefined> {
  return async (name) => {
    const bytes = await source.get(name);
    const starts = bytes === 'absent' || !name.endsWith(`/${sha256Hex(bytes)}`) ? undefined : unlessMalformed(() => entryStarts(bytes));
    if (bytes !== 'absent' && starts !== undefined && starts.length > 1) return { bytes, n: starts.length - 1, leaves: entryLeafHashes(bytes, starts) };
    if (!damaged.includes(name)) damaged.push(name);
    return undefined;
  };
}

/** The segments that lead from `from` to exactly this tree, as encoded entries in order; undefined where none do. */
async function wayTo(read: (name: string) => Promise<Segment | undefined>, segments: ReadonlyMap<number, readonly string[]>, from: RightEdge, { size, root }: Checkpoint): Promise<readonly Buffer[] | undefined> {
  let ways = 0;
  const follow = async (edge: RightEdge): Promise<readonly Buffer[] | undefined> => {
    if (edge.size === size) return (size === 0 ? EMPTY_ROOT : rootOfEdge(edge.edge)).equals(root) ? [] : undefined;
    for (const name of segments.get(edge.size) ?? []) {
      const segment = await read(name);
      if (segment === undefined || edge.size + segment.n > size || ++ways > MAX_WAYS) continue;
      const rest = await follow(appendLeaves(edge, segment.leaves));
      if (rest !== undefined) return [segment.bytes, ...rest];
    }
    return undefined;
  };
  return follow(from);
}
