/**
 * The entries of the published log, in order, from the vault alone and checked against what was signed: from bundles, and where a bundle is gone or damaged, from the
 * segments, which hold the same entries. Used by whatever restores or audits; nothing is believed that does not lead to the signed root.
 */
import { entriesAt, entryLeafHashes, entryStarts, LONGEST_SEGMENT, startsOf, TILE_WIDTH } from '../core/log/bundle';
import type { Checkpoint } from '../core/log/checkpoint';
import { appendLeaves, EMPTY_EDGE, rootOfEdge, type RightEdge } from '../core/log/merkle';
import { HASH_SIZE, sha256Hex } from '../core/log/sha256';
import { tilePath } from '../core/log/tile-path';
import type { VerifierKey } from '../core/log/vkey';
import type { Finding } from '../core/verify/finding-codes';
import { openCheckpoint, trustKeys } from '../core/verify/key-trust';
import { CHECKPOINT, classifyName, LOG_VKEYS } from '../core/verify/vault-name';
import { inParallel } from './in-parallel';

/** A vault as both its writers and a verifier see it. */
export interface PublishedLog {
  /** `maxBytes`: see the ports. */
  get(name: string, maxBytes?: number): Promise<Buffer | 'absent'>;
  readonly list?: ((prefix: string) => AsyncIterable<string>) | undefined;
  /** What is wrong with what stands there and was passed over, because something signed says more. */
  readonly doubts?: readonly Finding[] | undefined;
}

/** `no-log`: no checkpoint or keys. `untrusted`: the checkpoint is not signed by the log's keys, or not by the pinned ones. `damaged`: entries are gone or do not lead to the signed root. */
export type ReplayErrorCode = 'no-log' | 'untrusted' | 'damaged';

/** The vault cannot be replayed as it is; `message` says which object and what to do. Nothing was written on the strength of it. */
export class ReplayError extends Error {
  constructor(
    readonly code: ReplayErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ReplayError';
  }
}

/** What the vault's `checkpoint` states, signed by a key of the log; by one of `pinned` or its successors where any are given. Throws `ReplayError`. */
export async function publishedCheckpoint(vault: PublishedLog, pinned: readonly VerifierKey[] = []): Promise<Checkpoint> {
  const [keys, bytes] = [await vault.get(LOG_VKEYS), await vault.get(CHECKPOINT)];
  if (bytes === 'absent') throw new ReplayError('no-log', 'there is no checkpoint: this is no vault, or not all of one');
  const { trust, findings } = trustKeys(keys, pinned);
  const opened = openCheckpoint(CHECKPOINT, bytes, trust, true);
  const wrong = [...findings, ...opened.findings][0];
  if (opened.checkpoint === undefined || wrong !== undefined) {
    throw new ReplayError('untrusted', `${wrong?.object ?? CHECKPOINT} cannot be trusted: ${wrong?.detail ?? 'it is not a checkpoint'}; run intact verify`);
  }
  return opened.checkpoint;
}

export interface EntryRange {
  /** Index of the first entry. */
  readonly from: number;
  readonly entries: readonly Buffer[];
  /** Right edge of the tree behind the last of them. */
  readonly edge: RightEdge;
}

const BUNDLES_AT_ONCE = 16;

/**
 * All entries [0, size) of the tree `checkpoint` states, a bundle at a time; with `since`, those behind a tree with this edge, which is proven with them: no other leads to the root. The root is
 * compared at the end, so a consumer that must not act on a wrong log reads to the end first. Throws `ReplayError` (`damaged`), and what reading throws.
 */
export async function* publishedEntries(vault: PublishedLog, { size, root }: Pick<Checkpoint, 'size' | 'root'>, since: RightEdge = EMPTY_EDGE): AsyncGenerator<EntryRange> {
  const segments = segmentSource(vault);
  let edge = since;
  const count = Math.ceil(size / TILE_WIDTH);
  for (let first = Math.floor(since.size / TILE_WIDTH); first < count; first += BUNDLES_AT_ONCE) {
    const indexes = Array.from({ length: Math.min(BUNDLES_AT_ONCE, count - first) }, (_, i) => first + i);
    const bundles = await inParallel(indexes, BUNDLES_AT_ONCE, (index) => readRange(vault, segments, index, size));
    for (const [i, bundle] of bundles.entries()) {
      const from = Math.max(indexes[i]! * TILE_WIDTH, since.size);
      const [bytes, starts] = [bundle.bytes, bundle.starts.slice(from - indexes[i]! * TILE_WIDTH)];
      edge = appendLeaves(edge, entryLeafHashes(bytes, starts));
      yield { from, edge, entries: entriesAt(bytes, starts) };
    }
  }
  if (!rootOfEdge(edge.edge).equals(root)) throw new ReplayError('damaged', `the ${size} entries of the vault do not have the root its checkpoint states; run intact verify, which names the object`);
}

interface Encoded {
  readonly bytes: Buffer;
  readonly starts: readonly number[];
}

/** Entries of bundle `index`, which have the hashes of the tile above them; or, where the bundle does not, the same entries from segments. */
async function readRange(vault: PublishedLog, segments: SegmentSource, index: number, size: number): Promise<Encoded> {
  const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  const [bundle, tile] = await Promise.all([readForm(vault, 'entries', index, width), readForm(vault, 0, index, width)]);
  const wanted = tile?.subarray(0, width * HASH_SIZE);
  const encoded = bundle === undefined ? undefined : encodedOf(bundle, width);
  const hashes = encoded === undefined ? undefined : entryLeafHashes(encoded.bytes, encoded.starts);
  if (encoded !== undefined && wanted !== undefined && hashes?.equals(wanted)) return encoded;
  const fromSegments = await segments.entries(index * TILE_WIDTH, width, wanted);
  if (fromSegments !== undefined) return fromSegments;
  // Without a tile to hold it against, a bundle that can be read is used; the root at the end decides.
  if (encoded !== undefined && wanted === undefined) return encoded;
  throw new ReplayError('damaged', `${tilePath({ level: 'entries', index, width })} ${bundle === undefined ? 'is not there' : 'does not hold the entries its tile names'}, and no segment holds them either`);
}

/** The partial object, or the full one that replaced it. */
async function readForm(vault: PublishedLog, level: 'entries' | 0, index: number, width: number): Promise<Buffer | undefined> {
  for (const each of width === TILE_WIDTH ? [TILE_WIDTH] : [width, TILE_WIDTH]) {
    const bytes = await vault.get(tilePath({ level, index, width: each }));
    if (bytes !== 'absent') return bytes;
  }
  return undefined;
}

/** The first `width` entries of `bytes`, or undefined where it does not hold as many. */
function encodedOf(bytes: Buffer, width: number): Encoded | undefined {
  const starts = startsOf(bytes);
  if (starts === undefined || starts.length <= width) return undefined;
  return { bytes: bytes.subarray(0, starts[width]), starts: starts.slice(0, width + 1) };
}

interface SegmentSource {
  /** Entries [from, from + n), with the leaf hashes `wanted` where they are known; undefined where segments do not hold them. */
  entries(from: number, n: number, wanted: Buffer | undefined): Promise<Encoded | undefined>;
}

/** Segments by where they begin, listed only when one is needed. Losers of races lie beside winners; hashes tell which is meant. */
function segmentSource(vault: PublishedLog): SegmentSource {
  let listing: Promise<readonly { readonly from: number; readonly name: string }[]> | undefined;
  const list = async () => {
    const found: { from: number; name: string }[] = [];
    for await (const name of vault.list?.('segment/') ?? []) {
      const segment = classifyName(name);
      if (segment.kind === 'segment') found.push({ from: segment.from, name });
    }
    return found;
  };
  /** Every run of entries that some segment holds at `from`, as far as `to`, nearest first. */
  async function* runsAt(from: number, to: number): AsyncGenerator<Buffer> {
    const reaching = (await (listing ??= list())).filter((segment) => segment.from <= from && from - segment.from < LONGEST_SEGMENT);
    for (const { from: begin, name } of reaching.toReversed()) {
      const bytes = await vault.get(name);
      const starts = bytes === 'absent' || !name.endsWith(`/${sha256Hex(bytes)}`) ? undefined : startsOf(bytes);
      if (bytes === 'absent' || starts === undefined || begin + starts.length - 1 <= from) continue;
      yield bytes.subarray(starts[from - begin], starts[Math.min(to - begin, starts.length - 1)]);
    }
  }
  /** `dead`: places from which no way leads to `to`; each is tried once, however many segments somebody laid side by side. */
  const follow = async (from: number, to: number, wanted: Buffer | undefined, dead: Set<number>): Promise<Buffer | undefined> => {
    if (from === to) return Buffer.alloc(0);
    if (dead.has(from)) return undefined;
    for await (const run of runsAt(from, to)) {
      const hashes = entryLeafHashes(run, entryStarts(run));
      if (wanted !== undefined && !hashes.equals(wanted.subarray(0, hashes.length))) continue;
      const rest = await follow(from + hashes.length / HASH_SIZE, to, wanted?.subarray(hashes.length), dead);
      if (rest !== undefined) return Buffer.concat([run, rest]);
    }
    dead.add(from);
    return undefined;
  };
  return {
    entries: async (from, n, wanted) => {
      const bytes = await follow(from, from + n, wanted, new Set());
      return bytes === undefined ? undefined : { bytes, starts: entryStarts(bytes) };
    },
  };
}
