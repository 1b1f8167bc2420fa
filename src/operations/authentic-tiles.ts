/** Stored tiles of hashes that are certainly right: each hashes to what the tile above it holds, up to the root that was signed. */
import { TILE_WIDTH } from '../core/log/bundle';
import { fullSubtreeRoot, hashAt, rootOfEdge } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { tilePath } from '../core/log/tile-path';
import { edgeTileNames, levelCount, partialWidth, rightEdgeOf } from '../core/log/tiles';
import type { VaultReader } from '../ports/vault-reader';

/** The hashes of tile `index` of `level`, as many as there are of a tree of that size; undefined: the way up to the root is broken, or there is no such tile. Throws VaultReadError. */
export type AuthenticTiles = (level: number, index: number) => Promise<Buffer | undefined>;

/** One tile of each level is remembered: ask in the order of the log. Throws VaultReadError. */
export async function authenticTiles(reader: Pick<VaultReader, 'get'>, { size, root }: { readonly size: number; readonly root: Buffer }): Promise<AuthenticTiles> {
  const edge = await edgeTiles(reader, size, root);
  const kept = new Map<number, { readonly index: number; readonly hashes: Buffer | undefined }>();
  const read = async (level: number, index: number): Promise<Buffer | undefined> => {
    if (edge === undefined || level >= levelCount(size)) return undefined;
    if (index === Math.floor(size / TILE_WIDTH ** (level + 1))) return edge[level];
    const above = await tile(level + 1, Math.floor(index / TILE_WIDTH));
    const at = index % TILE_WIDTH;
    const stored = above === undefined || above.length < (at + 1) * HASH_SIZE ? 'absent' : await reader.get(tilePath({ level, index, width: TILE_WIDTH }));
    if (above === undefined || stored === 'absent' || stored.length !== TILE_WIDTH * HASH_SIZE) return undefined;
    return fullSubtreeRoot(stored).equals(hashAt(above, at)) ? stored : undefined;
  };
  const tile: AuthenticTiles = async (level, index) => {
    const there = kept.get(level);
    if (there?.index === index) return there.hashes;
    const hashes = await read(level, index);
    kept.set(level, { index, hashes });
    return hashes;
  };
  return tile;
}

/** The unfinished tiles, level by level, if together they have the root. */
async function edgeTiles(reader: Pick<VaultReader, 'get'>, size: number, root: Buffer): Promise<readonly Buffer[] | undefined> {
  const tiles = await Promise.all(
    edgeTileNames(size).map(async (tile, level) => {
      if (tile === undefined) return Buffer.alloc(0);
      const partial = await reader.get(tilePath(tile));
      // A full one stands in where the partial one is gone.
      const stored = partial === 'absent' ? await reader.get(tilePath({ ...tile, width: TILE_WIDTH })) : partial;
      return stored === 'absent' ? Buffer.alloc(0) : stored.subarray(0, partialWidth(size, level) * HASH_SIZE);
    }),
  );
  const isWhole = tiles.every((bytes, level) => bytes.length === partialWidth(size, level) * HASH_SIZE);
  return isWhole && rootOfEdge(rightEdgeOf({ size, tiles }).edge).equals(root) ? tiles : undefined;
}
