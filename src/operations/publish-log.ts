/**
 * Publishes what is sealed: tiles, bundles and the signed checkpoint, from the size in `checkpoint` (the published state is stored nowhere else) to the
 * head. It runs serially, driven by the head's own stream, but is safe if it does not. Everything is create-only until `checkpoint` itself is swapped, so a
 * crash anywhere is finished by the next run on this same path.
 */
import { headKey } from '../core/head';
import { parseEntry, EntryError } from '../core/entry';
import { decodeEntries } from '../core/log/bundle';
import { appendLeaves, leafHash, rootOfEdge, type RightEdge } from '../core/log/merkle';
import { extendTree, levelCount, partialObjects, rightEdgeOf, type LogObject, type TreeEdge } from '../core/log/tiles';
import { parseTilePath, tilePath, type TileName } from '../core/log/tile-path';
import { TILE_WIDTH } from '../core/log/bundle';
import { checkpointCopyName } from '../core/verify/vault-name';
import { PortError, type Clock, type Head, type KeyService, type KeyTable, type LogStore, type Meter, type Signer, type Vault } from '../ports';
import { inParallel } from './in-parallel';
import { loadSecrets, once } from './load-secrets';
import { countingStops, LogStopped, readLog, rememberIdentity, type LogReader, type LogState } from './read-log';
import { readEntries, type EntryRun, type SegmentReader } from './read-segments';
import { readTree } from './read-tree';
import { readKeys, signedOnce, signerOf } from './sign-checkpoint';
import { signedBeyond } from './signed-ahead';

export interface PublishDeps {
  readonly log: Pick<LogStore, 'readHead' | 'rounds' | 'identity'>;
  readonly vault: Vault;
  readonly keys: Pick<KeyTable, 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  readonly signer: Signer;
  readonly meter: Meter;
  readonly now: Clock;
}

/** The world and what this container remembers of it: make one per container. */
export interface Publisher extends LogReader, SegmentReader, Omit<PublishDeps, 'log' | 'keys' | 'keyService'> {
  readonly log: PublishDeps['log'];
  readonly vault: Vault;
  readonly memory: LogReader['memory'] & {
    /** The edge of the tree published last: spares reading it back. */
    tree?: TreeEdge;
    /** Whether what was signed beyond `checkpoint` has been looked for; from then on this container knows itself how far the log has come. */
    looked?: boolean;
    /** Whether partial tiles that an earlier, interrupted run left behind are known to be gone. */
    swept?: boolean;
  };
}

export function makePublisher(deps: PublishDeps): Publisher {
  const secrets = loadSecrets(deps);
  const publicKey = once(() => deps.signer.publicKey());
  return {
    ...deps,
    signer: { sign: (message) => deps.signer.sign(message), publicKey },
    identity: rememberIdentity(deps.log),
    headKey: async () => headKey(await secrets.kek()),
    memory: {},
  };
}

/** Another publisher can have been first, which is rare; a few times in a row is something else. */
const MAX_ATTEMPTS = 3;
const OBJECTS_AT_ONCE = 16;
/** Segments kept in memory between computing the root and writing the tiles; a longer backlog is read twice. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

export interface PublishOutcome {
  /** `nothing-new`: the checkpoint states the head already. */
  readonly outcome: 'published' | 'nothing-new';
  readonly size: number;
}

/** Brings `checkpoint` to the head. Throws `LogStopped` when that must not be signed, `PortError` when the world failed; then the next run finishes. */
export function publishLog(publisher: Publisher): Promise<PublishOutcome> {
  return countingStops(publisher.meter, async () => {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const state = await readLog(publisher);
      const outcome = await publish(publisher, state);
      if (outcome !== 'stale') return { outcome, size: state.head.size };
    }
    throw new PortError('unavailable', 'the checkpoint was replaced by somebody else at every attempt');
  });
}

async function publish(publisher: Publisher, { published, head }: LogState): Promise<PublishOutcome['outcome'] | 'stale'> {
  const { vault, memory, meter } = publisher;
  const { origin } = await publisher.identity();
  const keys = await readKeys(vault, origin);
  const notBefore = signerOf(published.note, keys, 'the checkpoint');
  // Head and checkpoint agree with each other, but both can be put back; what was signed cannot.
  const signed = memory.looked === true ? new Map<number, Buffer>() : await signedBeyond(vault, keys, published.checkpoint.size);
  const furthest = Math.max(0, ...signed.keys());
  if (furthest > head.size) {
    const now = await publisher.log.readHead();
    if (now !== 'absent' && now.size >= furthest) return 'stale'; // sealed and published by another run since the head was read
    throw new LogStopped('signed-ahead', `${checkpointCopyName(furthest)} is signed, the head has only ${head.size} entries: head and checkpoint were put back; run recover-head`);
  }
  if (published.checkpoint.size === head.size) {
    memory.looked = true;
    await sweep(publisher, head.size);
    return 'nothing-new';
  }
  // What is published, from its own tiles, and what is to come, from the segments; nothing is written before both together have the head's root.
  const tree = await publishedTree(publisher, published.checkpoint);
  const pending = await readPending(publisher, tree, head, signed);
  memory.looked = true;
  // Full objects, then partial ones. Died here: no checkpoint speaks of them; the next run writes the same bytes under the same names.
  const written = await writeTree(publisher, tree, pending);
  // The signature, under its own size for ever. Died here: the next run reads it back and uses it.
  const note = await signedOnce({ vault, signer: publisher.signer, keys, notBefore }, { origin, size: head.size, root: head.root, extensions: [] });
  // Only forward: the swap fails unless `checkpoint` is still the smaller one read above. Died after it: published; only superseded partials may be left.
  if ((await vault.replaceMutable('checkpoint', note, published.etag)) === 'stale') return 'stale';
  memory.tree = written.edge;
  meter.gauge('CheckpointSize', head.size, 'Count');
  meter.gauge('CheckpointAge', ageOf(written.last, publisher.now()), 'Seconds');
  await removeSuperseded(publisher, written.superseded, head.size);
  return 'published';
}

async function publishedTree({ vault, memory }: Publisher, checkpoint: { readonly size: number; readonly root: Buffer }): Promise<TreeEdge> {
  const kept = memory.tree;
  if (kept?.size === checkpoint.size && rootOfEdge(rightEdgeOf(kept).edge).equals(checkpoint.root)) return kept;
  return readTree(vault, checkpoint);
}

/** The entries between `tree` and `head`, once their root is the head's and every root `signed` on the way is theirs; kept as read, or to be read again. Throws `LogStopped` (`fork`). */
async function readPending(publisher: Publisher, tree: TreeEdge, head: Head, signed: ReadonlyMap<number, Buffer>): Promise<() => AsyncIterable<EntryRun>> {
  const read = (): AsyncIterable<EntryRun> => readEntries(publisher, tree.size, head.size);
  const kept: EntryRun[] = [];
  let keptBytes = 0;
  let edge: RightEdge = rightEdgeOf(tree);
  const confirmed = new Set<number>();
  for await (const run of read()) {
    edge = appendLeaves(edge, Buffer.concat(decodeEntries(run.bytes).map(leafHash)));
    if (signed.get(edge.size)?.equals(rootOfEdge(edge.edge)) === true) confirmed.add(edge.size);
    keptBytes += run.bytes.length;
    if (keptBytes <= MAX_KEPT_BYTES) kept.push(run);
  }
  if (edge.size !== head.size || !rootOfEdge(edge.edge).equals(head.root)) {
    throw new LogStopped('fork', `checkpoint and segments make another tree of ${head.size} entries than the head states: nothing is signed`);
  }
  const contradicted = [...signed.keys()].find((size) => !confirmed.has(size));
  if (contradicted !== undefined) throw new LogStopped('fork', `${checkpointCopyName(contradicted)} is signed, over another tree than checkpoint and segments make: run recover-head`);
  return keptBytes <= MAX_KEPT_BYTES ? () => inOrder(kept) : read;
}

async function* inOrder<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

interface Written {
  readonly edge: TreeEdge;
  readonly superseded: readonly string[];
  /** The newest entry. */
  readonly last: Buffer | undefined;
}

async function writeTree({ vault }: Publisher, from: TreeEdge, pending: () => AsyncIterable<EntryRun>): Promise<Written> {
  const superseded: string[] = [];
  let edge = from;
  let last: Buffer | undefined;
  for await (const run of chunks(pending())) {
    const extension = extendTree(edge, run.bytes);
    await putObjects(vault, extension.full);
    superseded.push(...extension.superseded);
    edge = extension.edge;
    last = decodeEntries(run.bytes).at(-1);
  }
  await putObjects(vault, partialObjects(edge));
  return { edge, superseded, last };
}

/** Joins small runs, so that many small rounds are written with as many requests in flight as one large one. */
async function* chunks(runs: AsyncIterable<EntryRun>): AsyncGenerator<{ readonly bytes: Buffer }> {
  const LARGE = 4 * 1024 * 1024;
  let joined: Buffer[] = [];
  let bytes = 0;
  for await (const run of runs) {
    joined.push(run.bytes);
    bytes += run.bytes.length;
    if (bytes >= LARGE) {
      yield { bytes: Buffer.concat(joined) };
      [joined, bytes] = [[], 0];
    }
  }
  if (joined.length > 0) yield { bytes: Buffer.concat(joined) };
}

async function putObjects(vault: Vault, objects: readonly LogObject[]): Promise<void> {
  await inParallel(objects, OBJECTS_AT_ONCE, ({ name, bytes, partial }) => (partial ? vault.createPartial(name, bytes) : vault.createLocked(name, bytes)));
}

function ageOf(entry: Buffer | undefined, now: Date): number {
  if (entry === undefined) return 0;
  try {
    return Math.max(0, (now.getTime() - Date.parse(parseEntry(entry).at)) / 1000);
  } catch (error) {
    if (error instanceof EntryError) return 0; // not sealed by this version; its age is not what publishing is about
    throw error;
  }
}

/** Deletes the partial forms of what is now full. Only after `checkpoint` stands: until then readers of the old one need them. */
async function removeSuperseded(publisher: Publisher, prefixes: readonly string[], size: number): Promise<void> {
  const { vault, memory } = publisher;
  const done = memory.swept === true;
  memory.swept = false; // until these are gone
  for (const prefix of prefixes) for await (const name of vault.list(prefix)) await vault.deletePartial(name);
  if (done) memory.swept = true;
  else await sweep(publisher, size);
}

/**
 * Once per container, finishes what a run that died between its checkpoint and its deletes has left: partials of tiles that are full, looked for near the
 * right edge (the thousand tiles in whose listing the edge lies, and the thousand before).
 */
async function sweep({ vault, memory }: Publisher, size: number): Promise<void> {
  if (memory.swept === true) return;
  const levels: TileName['level'][] = ['entries', ...Array.from({ length: levelCount(size) }, (_, level) => level)];
  for (const level of levels) {
    const edge = Math.floor(size / TILE_WIDTH ** ((level === 'entries' ? 0 : level) + 1));
    for (const folder of new Set([folderOf(level, edge), folderOf(level, Math.max(0, edge - 1000))])) await sweepFolder(vault, folder, edge);
  }
  memory.swept = true;
}

const folderOf = (level: TileName['level'], index: number): string => tilePath({ level, index, width: TILE_WIDTH }).replace(/\d{3}$/, '');

async function sweepFolder(vault: Vault, folder: string, edge: number): Promise<void> {
  const full = new Set<number>();
  const partial: { readonly name: string; readonly index: number }[] = [];
  for await (const name of vault.list(folder)) {
    const tile = parseTilePath(name);
    if (tile === undefined || tile.index >= edge) continue;
    if (tile.width === TILE_WIDTH) full.add(tile.index);
    else partial.push({ name, index: tile.index });
  }
  for (const { name, index } of partial) if (full.has(index)) await vault.deletePartial(name);
}
