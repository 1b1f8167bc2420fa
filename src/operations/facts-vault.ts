/**
 * A vault that holds the facts alone, a replica, seen as whole: its checkpoint is the newest signed copy that its segments lead to, its bundles and tiles are cut from these segments when
 * they are asked for. Nothing is written and nothing kept but where each segment lies. What is read here is believed as little as from any vault: it has to lead to the signed root.
 */
import { entryLeafHashes, entryStarts, startsOf, TILE_WIDTH } from '../core/log/bundle';
import { parseOwnCheckpoint } from '../core/log/checkpoint';
import { unlessMalformed } from '../core/log/log-format-error';
import { tilePath } from '../core/log/tile-path';
import type { VerifierKey } from '../core/log/vkey';
import { finding, type Finding } from '../core/verify/finding-codes';
import { openCheckpoint, trustKeys } from '../core/verify/key-trust';
import { CHECKPOINT, checkpointCopyName, classifyName, LOG_VKEYS, segmentName } from '../core/verify/vault-name';
import { readFacts, signedRuns, type FactSegment, type Signed } from './log-from-facts';
import { type PublishedLog, ReplayError } from './published-entries';
import { readAtMost } from './read-at-most';

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
  const trusted = await despiteCheckpoint(vault, options);
  const bytes = trusted === vault && vault.list !== undefined ? await readAtMost(vault, CHECKPOINT) : undefined;
  if (bytes === undefined || bytes === 'too-large') return trusted;
  if (bytes === 'absent') return factsVault(vault, options);
  const stated = sizeOf(bytes);
  const larger = stated === undefined ? undefined : await signedAbove(vault, stated, options);
  if (stated === undefined || larger === undefined) return vault;
  const doubt = finding('checkpoint-behind', CHECKPOINT, `it states the size ${stated}; ${checkpointCopyName(larger)} is signed`);
  // Segments may be damaged that bundles make up for: what reaches farther is read.
  const facts = await unlessRefused(readFactsVault(vault, options));
  return facts !== undefined && facts.size > stated ? doubting(facts.vault, [doubt]) : doubting(vault, [doubt]);
}

/**
 * `vault` itself while a key of the log signed its `checkpoint`, or there is none, or nothing else that could be read instead; else as its facts are, or as the newest signed copy under checkpoints/ states it. Nothing locks that one name,
 * so whoever may put objects could have everything refused that is there, locked and signed. Throws what reading throws.
 */
export async function despiteCheckpoint(vault: PublishedLog, options: FactsOptions = {}): Promise<PublishedLog> {
  const bytes = vault.list === undefined ? 'absent' : await readAtMost(vault, CHECKPOINT);
  if (bytes === 'absent') return vault;
  const { trust, findings } = trustKeys(await vault.get(LOG_VKEYS), options.pinned ?? []);
  const { findings: wrong } = bytes === 'too-large' ? { findings: [finding('checkpoint-unreadable', CHECKPOINT, 'it has more bytes than any checkpoint')] } : openCheckpoint(CHECKPOINT, bytes, trust, true);
  // Which keys are the log's nothing but the file tells; who reads the vault says what is wrong with it.
  if (wrong.length === 0 || findings.length > 0) return vault;
  const facts = await unlessRefused(readFactsVault(vault, options));
  if (facts === undefined) return vault;
  const isShort = facts.size < facts.largest.checkpoint.size && (await hasBundles(vault, facts.largest.checkpoint.size));
  return isShort ? doubting({ ...readingOf(vault), get: async (name, maxBytes) => (name === CHECKPOINT ? facts.largest.bytes : vault.get(name, maxBytes)) }, wrong) : doubting(facts.vault, wrong);
}

/** Whether the last of so many entries is there without looking into segments. */
async function hasBundles(vault: PublishedLog, size: number): Promise<boolean> {
  const index = Math.floor((size - 1) / TILE_WIDTH);
  for (const width of [size - index * TILE_WIDTH, TILE_WIDTH]) if ((await vault.get(tilePath({ level: 'entries', index, width }))) !== 'absent') return true;
  return false;
}

async function unlessRefused<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof ReplayError) return undefined;
    throw error;
  });
}

const readingOf = (vault: PublishedLog): PublishedLog => ({ get: (name, maxBytes) => vault.get(name, maxBytes), list: vault.list });
const doubting = (vault: PublishedLog, doubts: readonly Finding[]): PublishedLog => ({ ...readingOf(vault), doubts: [...doubts, ...(vault.doubts ?? [])] });

const sizeOf = (checkpoint: Buffer): number | undefined => unlessMalformed(() => parseOwnCheckpoint(checkpoint))?.checkpoint.size;

/**
 * The largest size above `stated`, which `checkpoint` states, that was signed. A replica has none, and nothing locks the name: who put an old one there would have all that came since passed over, though the facts of it are
 * locked.
 */
async function signedAbove(vault: PublishedLog, stated: number, { pinned = [] }: FactsOptions): Promise<number | undefined> {
  const larger: number[] = [];
  for await (const name of vault.list?.('checkpoints/') ?? []) {
    const known = classifyName(name);
    if (known.kind === 'checkpoint-copy' && known.size > stated) larger.push(known.size);
  }
  if (larger.length === 0) return undefined;
  const { trust } = trustKeys(await vault.get(LOG_VKEYS), pinned);
  for (const size of larger.sort((a, b) => b - a)) {
    const copy = await readAtMost(vault, checkpointCopyName(size));
    const opened = typeof copy === 'string' ? undefined : openCheckpoint(checkpointCopyName(size), copy, trust, true);
    if (opened?.trusted === true && opened.checkpoint?.size === size) return size;
  }
  return undefined;
}

/** Reads `source` as if it held no more than facts. Throws as `wholeVault` does. */
export async function factsVault(source: PublishedLog, options: FactsOptions = {}): Promise<PublishedLog> {
  return (await readFactsVault(source, options)).vault;
}

interface FactsVault {
  readonly vault: PublishedLog;
  /** What its segments lead to, and the largest tree that was signed: of more entries where some segments are not there. */
  readonly size: number;
  readonly largest: Signed;
}

async function readFactsVault(source: PublishedLog, { pinned = [], onProgress = () => undefined }: FactsOptions): Promise<FactsVault> {
  const facts = await readFacts(source, pinned);
  const largest = facts.signed.at(-1)!;
  const chain: Place[] = [];
  let newest: Signed | undefined;
  for await (const { signed, segments } of signedRuns(source, facts)) {
    for (const { name, from, n } of segments) chain.push({ name, from, n });
    newest = signed;
    onProgress(signed.checkpoint.size, largest.checkpoint.size);
  }
  if (newest === undefined) throw new ReplayError('damaged', `no segments lead to the tree of ${facts.signed[0].checkpoint.size} entries, the first that was signed: nothing can be read here`);
  const { bytes: checkpoint, checkpoint: { size } } = newest;
  const isShort = size < largest.checkpoint.size;
  const doubts = isShort ? [finding('segment-missing', segmentName(size, ''), `no segments lead from here to the tree of ${largest.checkpoint.size} entries that ${checkpointCopyName(largest.checkpoint.size)} states`, size)] : [];
  const cut = cutter(source, chain, size);
  const vault: PublishedLog = {
    doubts,
    get: async (name, maxBytes) => {
      if (name === CHECKPOINT) return checkpoint;
      const known = classifyName(name);
      if (known.kind !== 'tile') return source.get(name, maxBytes);
      const { level, index, width } = known.tile;
      // What replays a log reads hashes of leaves only.
      if (level !== 'entries' && level !== 0) return 'absent';
      const entries = await cut(index * TILE_WIDTH, width);
      return entries === 'absent' || level === 'entries' ? entries : entryLeafHashes(entries, entryStarts(entries));
    },
    list: source.list,
  };
  return { vault, size, largest };
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
