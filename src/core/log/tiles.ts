/**
 * The tree as the objects a tlog-tiles log is read from. Extending a tree takes the unfinished tiles of its right edge and the new entries,
 * and gives the objects to write and the next right edge: publishing reads back nothing but a handful of partial tiles, and rebuilding a whole
 * log is the same function over one chunk of entries after another.
 */
import { entryLeafHashes, entryStarts, TILE_WIDTH } from './bundle';
import { edgeLength, fullSubtreeRoot, hashCount, type RightEdge, type SubtreeHash } from './merkle';
import { HASH_SIZE } from './sha256';
import { partialsPrefix, tilePath, type TileName } from './tile-path';

/**
 * A tree of `size` leaves as its unfinished tiles: `tiles[L]` holds the floor(size / 256^L) mod 256 hashes of the partial tile at level L
 * (empty where that is 0), `bundle` the entries of the partial bundle, encoded. Levels above the last are empty.
 */
export interface TreeEdge {
  readonly size: number;
  readonly tiles: readonly Buffer[];
  readonly bundle: Buffer;
}

export const EMPTY_TREE: TreeEdge = { size: 0, tiles: [], bundle: Buffer.alloc(0) };

/** An object of the log. Full ones never change; a partial one is replaced by a wider one and finally by the full one. */
export interface LogObject {
  readonly name: string;
  readonly bytes: Buffer;
  readonly partial: boolean;
}

/** What has to be written to take a log from one size to another; bundles come before the tiles over them, lower tiles before higher. */
export interface TreeExtension {
  readonly edge: TreeEdge;
  /** Full tiles and bundles that the new entries completed. */
  readonly full: readonly LogObject[];
  /** Prefixes (`tile/0/001.p/`) of partial objects that a full one in `full` replaces: delete what is there once the new checkpoint stands. */
  readonly superseded: readonly string[];
}

/** How wide the partial tile at `level` of a tree of `size` is; 0: there is none. */
export const partialWidth = (size: number, level: number): number => Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;

/** Levels of tiles a tree of `size` has. */
export function levelCount(size: number): number {
  let levels = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / TILE_WIDTH)) levels++;
  return levels;
}

/**
 * Appends the entries of `entries` (bundle encoding: a segment, or several joined). `edge` is trusted: who got it from stored partial tiles
 * compares `rightEdgeOf(edge)` with a root they trust. Throws `bundle-truncated`, and RangeError when widths and size of `edge` disagree.
 */
export function extendTree(edge: TreeEdge, entries: Buffer): TreeExtension {
  checkWidths(edge);
  const levels = edge.tiles.map((tile) => Tile.from(tile));
  const full: LogObject[] = [];
  const superseded: string[] = [];
  const complete = (name: TileName, bytes: Buffer): void => {
    full.push({ name: tilePath(name), bytes, partial: false });
    const level = name.level === 'entries' ? 0 : name.level;
    const wasPartial = partialWidth(edge.size, level) > 0 && name.index === Math.floor(edge.size / TILE_WIDTH ** (level + 1));
    if (wasPartial) superseded.push(partialsPrefix(name.level, name.index));
  };
  const starts = entryStarts(entries, Infinity);
  const count = starts.length - 1;
  let size = edge.size;
  let bundle = edge.bundle;
  for (let done = 0; done < count; ) {
    const take = Math.min(TILE_WIDTH - (size % TILE_WIDTH), count - done);
    const index = Math.floor(size / TILE_WIDTH);
    const slice = entries.subarray(starts[done]!, starts[done + take]!);
    bundle = bundle.length === 0 ? slice : Buffer.concat([bundle, slice]);
    const leaves = (levels[0] ??= new Tile());
    leaves.append(entryLeafHashes(entries, starts, done, done + take));
    done += take;
    size += take;
    if (!leaves.isFull()) break;
    complete({ level: 'entries', index, width: TILE_WIDTH }, bundle);
    bundle = Buffer.alloc(0);
    for (let level = 0; levels[level]?.isFull(); level++) {
      const bytes = levels[level]!.bytes();
      complete({ level, index: Math.floor(size / TILE_WIDTH ** (level + 1)) - 1, width: TILE_WIDTH }, bytes);
      (levels[level + 1] ??= new Tile()).append(fullSubtreeRoot(bytes));
      levels[level] = new Tile();
    }
  }
  return { edge: { size, tiles: levels.map((tile) => tile.bytes()), bundle }, full, superseded };
}

/** The partial bundle and tiles of this tree, as a log of exactly this size has them. */
export function partialObjects({ size, tiles, bundle }: TreeEdge): LogObject[] {
  const objects: LogObject[] = [];
  const index = Math.floor(size / TILE_WIDTH);
  if (partialWidth(size, 0) > 0) objects.push({ name: tilePath({ level: 'entries', index, width: partialWidth(size, 0) }), bytes: bundle, partial: true });
  tiles.forEach((bytes, level) => {
    const width = partialWidth(size, level);
    if (width > 0) objects.push({ name: tilePath({ level, index: Math.floor(size / TILE_WIDTH ** (level + 1)), width }), bytes, partial: true });
  });
  return objects;
}

/** Names of the partial tiles (not the bundle) that hold the right edge of a tree of `size`, lowest level first; level L at place L, undefined where there is none. */
export function edgeTileNames(size: number): (TileName | undefined)[] {
  return Array.from({ length: levelCount(size) }, (_, level) => {
    const width = partialWidth(size, level);
    return width === 0 ? undefined : { level, index: Math.floor(size / TILE_WIDTH ** (level + 1)), width };
  });
}

/** The same tree as roots of its full subtrees, for `appendLeaves` and `rootOfEdge`. Throws RangeError when widths and size disagree. */
export function rightEdgeOf({ size, tiles }: Pick<TreeEdge, 'size' | 'tiles'>): RightEdge {
  checkWidths({ size, tiles });
  const edge: Buffer[] = [];
  for (let level = tiles.length - 1; level >= 0; level--) {
    const hashes = tiles[level]!;
    const width = hashCount(hashes);
    let at = 0;
    for (let part = TILE_WIDTH / 2; part >= 1; part /= 2) {
      if (Math.floor(width / part) % 2 === 0) continue;
      edge.push(fullSubtreeRoot(hashes.subarray(at * HASH_SIZE, (at + part) * HASH_SIZE)));
      at += part;
    }
  }
  if (edge.length !== edgeLength(size)) throw new RangeError(`the tiles are not the edge of a tree of ${size}`);
  return { size, edge };
}

function checkWidths({ size, tiles }: Pick<TreeEdge, 'size' | 'tiles'>): void {
  const levels = Math.max(tiles.length, levelCount(size));
  for (let level = 0; level < levels; level++) {
    const width = hashCount(tiles[level] ?? Buffer.alloc(0));
    if (width !== partialWidth(size, level)) {
      throw new RangeError(`the tile at level ${level} holds ${width} hashes; a tree of ${size} has ${partialWidth(size, level)} there`);
    }
  }
}

/** Reads a tile's hashes: at least `width` of them. */
export type TileHashes = (tile: TileName) => Buffer;

/** Subtrees of a tree of `size`, for proofs, out of its tiles. A full tile stands in where the partial one is gone. */
export const subtreesOfTiles =
  (size: number, read: TileHashes): SubtreeHash =>
  (height, index) => {
    const level = Math.floor(height / 8);
    const span = 2 ** (height % 8);
    const tile = Math.floor((index * span) / TILE_WIDTH);
    const first = (index * span) % TILE_WIDTH;
    const hashes = read({ level, index: tile, width: Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - tile * TILE_WIDTH) });
    return fullSubtreeRoot(hashes.subarray(first * HASH_SIZE, (first + span) * HASH_SIZE));
  };

/**
 * The tiles that `proof` will ask for, so that they can be fetched before: `tilesOfProof(size, (tree) => inclusionProof(index, size, tree))`.
 */
export function tilesOfProof(size: number, proof: (subtree: SubtreeHash) => unknown): TileName[] {
  const seen = new Map<string, TileName>();
  proof(
    subtreesOfTiles(size, (tile) => {
      seen.set(tilePath(tile), tile);
      return Buffer.alloc(TILE_WIDTH * HASH_SIZE);
    }),
  );
  return [...seen.values()];
}

/** A tile being filled: its buffer is allocated once, at full width. */
class Tile {
  private readonly hashes = Buffer.allocUnsafe(TILE_WIDTH * HASH_SIZE);
  private used = 0;

  static from(hashes: Buffer): Tile {
    const tile = new Tile();
    tile.append(hashes);
    return tile;
  }
  append(hashes: Buffer): void {
    hashes.copy(this.hashes, this.used);
    this.used += hashes.length;
  }
  isFull(): boolean {
    return this.used === this.hashes.length;
  }
  bytes(): Buffer {
    return this.hashes.subarray(0, this.used);
  }
}
