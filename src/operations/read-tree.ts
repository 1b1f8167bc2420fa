/** The right edge of the published tree, read back from the vault and held against the root that was signed over it. */
import { EMPTY_TREE, edgeTileNames, partialWidth, rightEdgeOf, type TreeEdge } from '../core/log/tiles';
import { decodeEntries, encodeEntries, entryLeafHashes, entryStarts, TILE_WIDTH } from '../core/log/bundle';
import { LogFormatError } from '../core/log/log-format-error';
import { rootOfEdge } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { tilePath, type TileName } from '../core/log/tile-path';
import type { Vault } from '../ports';
import { inParallel } from './in-parallel';
import { LogStopped } from './read-log';

type Reader = Pick<Vault, 'get'>;

/** The edge of the tree with this size and root. Throws `LogStopped` (`tiles-damaged`): extending a wrong edge would lock wrong tiles for years. */
export async function readTree(vault: Reader, { size, root }: { readonly size: number; readonly root: Buffer }): Promise<TreeEdge> {
  const tree = size === 0 ? EMPTY_TREE : { size, tiles: await readTiles(vault, size), bundle: await readBundle(vault, size) };
  if (!rootOfEdge(rightEdgeOf(tree).edge).equals(root)) throw new LogStopped('tiles-damaged', `the tiles of ${size} entries do not have the root of the checkpoint`);
  const leaves = entryLeafHashes(tree.bundle, entryStarts(tree.bundle));
  if (!leaves.equals(tree.tiles[0] ?? Buffer.alloc(0))) throw new LogStopped('tiles-damaged', `the last bundle of ${size} entries does not have the hashes of its tile`);
  return tree;
}

function readTiles(vault: Reader, size: number): Promise<Buffer[]> {
  return inParallel(edgeTileNames(size), 4, async (tile) => {
    if (tile === undefined) return Buffer.alloc(0);
    const hashes = await readWidest(vault, tile);
    if (hashes.length < tile.width * HASH_SIZE || hashes.length % HASH_SIZE !== 0) throw new LogStopped('tiles-damaged', `${tilePath(tile)} holds fewer than ${tile.width} hashes`);
    return hashes.subarray(0, tile.width * HASH_SIZE);
  });
}

async function readBundle(vault: Reader, size: number): Promise<Buffer> {
  const width = partialWidth(size, 0);
  if (width === 0) return Buffer.alloc(0);
  const name: TileName = { level: 'entries', index: Math.floor(size / TILE_WIDTH), width };
  const bytes = await readWidest(vault, name);
  try {
    const entries = decodeEntries(bytes);
    if (entries.length >= width) return encodeEntries(entries.slice(0, width));
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
  }
  throw new LogStopped('tiles-damaged', `${tilePath(name)} does not hold ${width} entries`);
}

/** The partial object, or the full one that replaced it: then `checkpoint` is older than the tiles, because somebody put it back. */
async function readWidest(vault: Reader, name: TileName): Promise<Buffer> {
  const partial = await vault.get(tilePath(name));
  if (partial !== 'absent') return partial;
  const full = await vault.get(tilePath({ ...name, width: TILE_WIDTH }));
  if (full !== 'absent') return full;
  throw new LogStopped('tiles-damaged', `neither ${tilePath(name)} nor its full form is in the vault`);
}
