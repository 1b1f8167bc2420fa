/**
 * A vault that holds the facts alone, a replica, seen as whole: its checkpoint is the newest signed copy that its segments lead to, its bundles and tiles are cut from these segments when
 * they are asked for. Nothing is written and nothing kept but where each segment lies. What is read here is believed as little as from any vault: it has to lead to the signed root.
 */
import { entryLeafHashes, entryStarts, startsOf, TILE_WIDTH } from '../core/log/bundle';
import { parseOwnCheckpoint } from '../core/log/checkpoint';
import { unlessMalformed } from '../core/log/log-format-error';
import type { VerifierKey } from '../core/log/vkey';
import { openCheckpoint, trustKeys } from '../core/verify/key-trust';
import { CHECKPOINT, checkpointCopyName, classifyName, LOG_VKEYS } from '../core/verify/vault-name';
import { readFacts, signedRuns, type FactSegment, type Signed } from './log-from-facts';
import { type PublishedLog, ReplayError } from './published-entries';

export interface FactsOptions {
  /** Keys of the log that are known from elsewhere. */
  readonly pinned?: readonly VerifierKey[] | undefined;
  /** How far the segments have been walked, of the largest signed size. */
  readonly onProgress?: ((entries: number, of: number) => void) | undefined;
}

/** Segments kept while neighbouring bundles are cut from them. */
const KEPT_BYTES = 64 * 1024 * 1024;

/**
 * `vault` itself where it has a `checkpoint` that is as new as anything signed there, or cannot be listed; else what its facts lead to: every segment is read once to find out. Throws `ReplayError`
 * (`no-log`, `untrusted`, `damaged`), and what reading throws.
 */
export async function wholeVault(vault: PublishedLog, options: FactsOptions = {}): Promise<PublishedLog> {
  if (vault.list === undefined) return vault;
  const bytes = await vault.get(CHECKPOINT);
  if (bytes === 'absent') return factsVault(vault, options);
  const stated = sizeOf(bytes);
  if (stated === undefined || !(await isOutdated(vault, stated, options))) return vault;
  // Segments may be damaged that bundles make up for: what reaches farther is read.
  const facts = await factsVault(vault, options).catch((error: unknown) => {
    if (error instanceof ReplayError) return undefined;
    throw error;
  });
  const reached = await facts?.get(CHECKPOINT);
  return facts !== undefined && reached instanceof Buffer && (sizeOf(reached) ?? 0) > stated ? facts : vault;
}

const sizeOf = (checkpoint: Buffer): number | undefined => unlessMalformed(() => parseOwnCheckpoint(checkpoint))?.checkpoint.size;

/**
 * Whether a larger tree was signed than `checkpoint` states, of `stated` entries. A replica has none, and nothing locks the name: who put an old one there would have all that came since passed over, though the facts of it are
 * locked. A checkpoint that cannot be read is left to who reads the vault, and says so.
 */
async function isOutdated(vault: PublishedLog, stated: number, { pinned = [] }: FactsOptions): Promise<boolean> {
  const larger: number[] = [];
  for await (const name of vault.list?.('checkpoints/') ?? []) {
    const known = classifyName(name);
    if (known.kind === 'checkpoint-copy' && known.size > stated) larger.push(known.size);
  }
  if (larger.length === 0) return false;
  const { trust } = trustKeys(await vault.get(LOG_VKEYS), pinned);
  for (const size of larger.sort((a, b) => b - a)) {
    const copy = await vault.get(checkpointCopyName(size));
    if (copy !== 'absent' && openCheckpoint(checkpointCopyName(size), copy, trust, true).trusted) return true;
  }
  return false;
}

/** Reads `source` as if it held no more than facts. Throws as `wholeVault` does. */
export async function factsVault(source: PublishedLog, { pinned = [], onProgress = () => undefined }: FactsOptions = {}): Promise<PublishedLog> {
  const facts = await readFacts(source, pinned);
  const largest = facts.signed.at(-1)!.checkpoint.size;
  const chain: Place[] = [];
  let newest: Signed | undefined;
  for await (const { signed, segments } of signedRuns(source, facts)) {
    for (const { name, from, n } of segments) chain.push({ name, from, n });
    newest = signed;
    onProgress(signed.checkpoint.size, largest);
  }
  if (newest === undefined) throw new ReplayError('damaged', `no segments lead to the tree of ${facts.signed[0].checkpoint.size} entries, the first that was signed: nothing can be read here`);
  const { bytes: checkpoint } = newest;
  const cut = cutter(source, chain, newest.checkpoint.size);
  return {
    get: async (name) => {
      if (name === CHECKPOINT) return checkpoint;
      const known = classifyName(name);
      if (known.kind !== 'tile') return source.get(name);
      const { level, index, width } = known.tile;
      // What replays a log reads hashes of leaves only.
      if (level !== 'entries' && level !== 0) return 'absent';
      const entries = await cut(index * TILE_WIDTH, width);
      return entries === 'absent' || level === 'entries' ? entries : entryLeafHashes(entries, entryStarts(entries));
    },
    list: source.list,
  };
}

type Place = Omit<FactSegment, 'bytes'>;

/** Entries [from, from + n), encoded; 'absent' where they are not all there. */
function cutter(source: PublishedLog, chain: readonly Place[], size: number): (from: number, n: number) => Promise<Buffer | 'absent'> {
  const read = keeping(source);
  return async (from, n) => {
    if (from + n > size) return 'absent';
    const parts: Buffer[] = [];
    for (let at = placeOf(chain, from); at < chain.length && chain[at]!.from < from + n; at++) {
      const segment = chain[at]!;
      const bytes = await read(segment.name);
      const starts = bytes === 'absent' ? undefined : startsOf(bytes);
      // It was there, with as many entries, when the chain was found.
      if (bytes === 'absent' || starts?.length !== segment.n + 1) return 'absent';
      parts.push(bytes.subarray(starts[Math.max(0, from - segment.from)], starts[Math.min(segment.n, from + n - segment.from)]));
    }
    return Buffer.concat(parts);
  };
}

/** Place of the segment that holds entry `index`, which is in the log. */
function placeOf(chain: readonly Place[], index: number): number {
  let [low, high] = [0, chain.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (chain[middle]!.from <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Reads objects, those that were asked for last from memory: bundles are asked for in order, many of one segment. */
function keeping(source: PublishedLog): (name: string) => Promise<Buffer | 'absent'> {
  const kept = new Map<string, Promise<Buffer | 'absent'>>();
  const sizes = new Map<string, number>();
  let total = 0;
  const forget = (name: string): void => {
    kept.delete(name);
    total -= sizes.get(name) ?? 0;
    sizes.delete(name);
  };
  return async (name) => {
    const there = kept.get(name);
    if (there !== undefined) return there;
    const reading = source.get(name);
    kept.set(name, reading);
    try {
      const bytes = await reading;
      sizes.set(name, bytes.length);
      total += bytes.length;
      for (const oldest of sizes.keys()) {
        if (total <= KEPT_BYTES || oldest === name) break;
        forget(oldest);
      }
      return bytes;
    } catch (error) {
      forget(name); // the next to ask tries again
      throw error;
    }
  };
}
