/** Bundles and tiles of a mended vault, as they follow from proven leaf hashes: entries from whatever copy holds them, hashes from each other. */
import { decodeEntries, TILE_WIDTH } from '../core/log/bundle';
import { fullSubtreeRoot } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { tilePath, type TileName } from '../core/log/tile-path';
import { classifyName } from '../core/verify/vault-name';
import { compared, lost, type EntryRun, type HealedObject, type Healing } from './healed-object';
import { bundleOf, widthOf, type MendSource } from './mend-evidence';
import { isProven, type ProvenLog } from './mend-leaves';

/** A bundle's entries as proven. `leaves`: undefined where nothing but its root is known. */
export interface ProvenBundle {
  readonly index: number;
  readonly leaves: Buffer | undefined;
  /** undefined: no copy holds it. */
  readonly entries: readonly (Buffer | undefined)[];
  readonly bytes: Buffer | undefined;
  readonly from: readonly MendSource[];
}

export async function provenBundle({ evidence, log }: Healing, index: number): Promise<ProvenBundle> {
  const standing = await evidence.standing(index, log.size);
  if (standing !== undefined && isProven(log, index, standing.leaves)) return { index, leaves: standing.leaves, entries: decodeEntries(standing.bytes), bytes: standing.bytes, from: [] };
  const known = await evidence.all(index, log.size);
  const leaves = known.candidates.find((each) => isProven(log, index, each)) ?? (log.roots[index] === undefined ? log.edge : undefined);
  if (leaves === undefined) return { index, leaves, entries: Array.from({ length: widthOf(index, log.size) }, () => undefined), bytes: undefined, from: [] };
  const { entries, from } = known.entriesOf(leaves);
  return { index, leaves, entries, bytes: bundleOf(entries), from: [...from] };
}

export async function* entriesBetween(healing: Healing, from: number, to: number): AsyncGenerator<Buffer | undefined> {
  for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < to; index++) {
    const { entries } = await provenBundle(healing, index);
    yield* entries.slice(Math.max(0, from - index * TILE_WIDTH), to - index * TILE_WIDTH);
  }
}

export async function* bundleAndTile(healing: Healing, { index, leaves, entries, bytes, from }: ProvenBundle): AsyncGenerator<HealedObject> {
  const width = entries.length;
  const [bundle, tile] = [tilePath({ level: 'entries', index, width }), tilePath({ level: 0, index, width })];
  if (bytes === undefined) yield await lost(healing, bundle, 'no copy holds these entries', runsOf(entries, index * TILE_WIDTH));
  else yield await standingForm(healing, bundle, { level: 'entries', index, width }, bytes, from.length === 0 ? ['other-form'] : from);
  if (leaves === undefined) yield await lost(healing, tile, 'no copy tells the hashes of these entries');
  else yield await standingForm(healing, tile, { level: 0, index, width }, leaves, ['recomputed']);
}

/** In a vault that lives the publisher may have replaced a partial form by the full one meanwhile. */
async function standingForm(healing: Healing, object: string, tile: TileName, right: Buffer, from: readonly MendSource[]): Promise<HealedObject> {
  const found = await compared(healing, object, right, from);
  if (found.state !== 'repaired' || !healing.inPlace || tile.width === TILE_WIDTH || (found.fault !== 'absent' && found.fault !== 'hidden')) return found;
  const full = await healing.copies.own(tilePath({ ...tile, width: TILE_WIDTH }));
  return typeof full !== 'string' && full.subarray(0, right.length).equals(right) ? { state: 'sound', object, bytes: right } : found;
}

/** Where entries are missing. */
function runsOf(entries: readonly (Buffer | undefined)[], first: number): EntryRun[] {
  const runs: { from: number; to: number }[] = [];
  for (const [i, entry] of entries.entries()) {
    if (entry !== undefined) continue;
    const last = runs.at(-1);
    if (last?.to === first + i) last.to++;
    else runs.push({ from: first + i, to: first + i + 1 });
  }
  return runs;
}

/** Hashes of the log's tree that lie in tiles at levels from 1 on, level 1 first. */
function upperHashes({ roots }: ProvenLog): readonly (readonly Buffer[])[] {
  const levels: (readonly Buffer[])[] = [];
  for (let hashes: readonly Buffer[] = roots; hashes.length > 0; ) {
    levels.push(hashes);
    const above: Buffer[] = [];
    for (let end = TILE_WIDTH; end <= hashes.length; end += TILE_WIDTH) above.push(fullSubtreeRoot(Buffer.concat(hashes.slice(end - TILE_WIDTH, end))));
    hashes = above;
  }
  return levels;
}

export async function* upperTiles(healing: Healing): AsyncGenerator<HealedObject> {
  for (const [i, hashes] of upperHashes(healing.log).entries()) {
    for (let index = 0; index * TILE_WIDTH < hashes.length; index++) {
      const part = hashes.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH);
      const tile = { level: i + 1, index, width: part.length };
      yield await standingForm(healing, tilePath(tile), tile, Buffer.concat(part), ['recomputed']);
    }
  }
}

/** Forms that a tile had at earlier sizes: they stay until the full one replaces them. Those that stand there are kept; that one is not there is in order. */
export async function* earlierForms(healing: Healing): AsyncGenerator<HealedObject> {
  const { copies, log } = healing;
  const levels = upperHashes(log);
  for await (const object of copies.names('tile/')) {
    const known = classifyName(object);
    if (known.kind !== 'tile' || known.tile.width === TILE_WIDTH) continue;
    const { level, index, width } = known.tile;
    const hashes = levels[Number(level) - 1];
    const available = level === 'entries' || level === 0 ? log.size : (hashes?.length ?? 0);
    if (width >= Math.min(TILE_WIDTH, available - index * TILE_WIDTH) || (await copies.own(object)) === 'absent') continue;
    if (level !== 'entries' && level !== 0) {
      yield await compared(healing, object, Buffer.concat((hashes ?? []).slice(index * TILE_WIDTH, index * TILE_WIDTH + width)), ['recomputed']);
      continue;
    }
    const { leaves, entries } = await provenBundle(healing, index);
    const right = level === 0 ? leaves?.subarray(0, width * HASH_SIZE) : bundleOf(entries.slice(0, width));
    if (right !== undefined) yield await compared(healing, object, right, [level === 0 ? 'recomputed' : 'other-form']);
  }
}

