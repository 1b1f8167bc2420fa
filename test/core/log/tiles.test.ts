import fc from 'fast-check';
import { decodeEntries, encodeEntries, TILE_WIDTH } from '../../../src/core/log/bundle';
import { inclusionProof, leafHash, rootOfEdge, subtreesOfLeaves } from '../../../src/core/log/merkle';
import { parseTilePath, tileIndexPath, tilePath } from '../../../src/core/log/tile-path';
import { EMPTY_TREE, extendTree, partialObjects, rightEdgeOf, subtreesOfTiles, tilesOfProof, type LogObject, type TreeEdge } from '../../../src/core/log/tiles';
import { hash, propertyRuns, sumdb, sumdbEntry } from './vectors';

const run = (from: number, to: number): Buffer => encodeEntries(Array.from({ length: to - from }, (_, i) => sumdbEntry(from + i)));

/** A log's objects after publishing at each of `sizes`, as a publisher writes and deletes them. */
function publish(sizes: readonly number[]): { readonly objects: Map<string, Buffer>; readonly edge: TreeEdge } {
  const objects = new Map<string, Buffer>();
  let edge = EMPTY_TREE;
  for (const size of sizes) {
    const step = extendTree(edge, run(edge.size, size));
    for (const { name, bytes } of [...step.full, ...partialObjects(step.edge)]) objects.set(name, bytes);
    for (const prefix of step.superseded) for (const name of [...objects.keys()]) if (name.startsWith(prefix)) objects.delete(name);
    edge = step.edge;
  }
  return { objects, edge };
}

describe('tile paths', () => {
  test('are those of golang.org/x/mod/sumdb/tlog', () => {
    for (const [index, path] of Object.entries(sumdb.indexPaths)) expect(tileIndexPath(Number(index))).toBe(path);
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067'); // the specification's example
    expect(tilePath({ level: 'entries', index: 5, width: 17 })).toBe('tile/entries/005.p/17');
  });

  test('parse back to the tile they name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 })), fc.integer({ min: 0, max: 2 ** 45 }), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width });
      }),
      { numRuns: propertyRuns },
    );
  });

  test('have one spelling each', () => {
    for (const name of ['tile/00/000', 'tile/64/000', 'tile/0/00', 'tile/0/0000', 'tile/0/x000/001', 'tile/0/001/001', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/01', 'tile/0/000.p', 'tile/entries/000/', '/tile/0/000', 'tile/-1/000', 'tile/0/x999/x999/x999/x999/x999/999']) {
      expect([name, parseTilePath(name)]).toEqual([name, undefined]);
    }
  });

  test('of any text are undefined or the very same text', () => {
    const part = fc.constantFrom('tile/', 'entries/', '0/', 'x001/', '001', '.p/', '7', 'x000/', '256');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 7 }).map((parts) => parts.join('')), (name) => {
        const tile = parseTilePath(name);
        if (tile !== undefined) expect(tilePath(tile)).toBe(name);
      }),
      { numRuns: propertyRuns },
    );
  });
});

describe('extending a tree', () => {
  test('gives the tiles of golang.org/x/mod/sumdb/tlog, and bundles that hold the entries', () => {
    for (const size of [1, 255, 256, 257, 600]) {
      const { objects } = publish([size]);
      for (const [name, bytes] of objects) {
        if (name.startsWith('tile/entries/')) continue;
        expect([name, leafHash(bytes).toString('base64')]).toEqual([name, sumdb.tiles[name]]);
      }
    }
    const { objects } = publish([600]);
    expect([...objects.keys()].sort()).toEqual(['tile/0/000', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2', 'tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/88']);
    const bundles = ['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/88'].flatMap((name) => decodeEntries(objects.get(name)!));
    expect(bundles).toEqual(Array.from({ length: 600 }, (_, i) => sumdbEntry(i)));
  });

  test('leaves the same objects whatever the steps, but for partials of earlier checkpoints whose tile is not yet full', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 7 }), (unsorted) => {
        const sizes = unsorted.sort((a, b) => a - b);
        const { objects, edge } = publish(sizes);
        const direct = publish([sizes.at(-1)!]);
        for (const [name, bytes] of direct.objects) expect([name, objects.get(name)?.equals(bytes)]).toEqual([name, true]);
        for (const name of objects.keys()) {
          if (direct.objects.has(name)) continue;
          const { level, index, width } = parseTilePath(name)!;
          expect(width).toBeLessThan(TILE_WIDTH);
          expect(objects.has(tilePath({ level, index, width: TILE_WIDTH }))).toBe(false);
        }
        expect(rootOfEdge(rightEdgeOf(edge).edge).toString('base64')).toBe(sumdb.roots[edge.size]);
      }),
      { numRuns: Math.min(propertyRuns, 100) },
    );
  });

  test('orders objects so that no tile is written before the entries and tiles it is made of', () => {
    const names = extendTree(EMPTY_TREE, run(0, 600)).full.map(({ name }) => name);
    expect(names).toEqual(['tile/entries/000', 'tile/0/000', 'tile/entries/001', 'tile/0/001']);
  });

  test('needs a right edge of the size it states', () => {
    const { edge } = publish([300]);
    expect(() => extendTree({ ...edge, size: 301 }, run(300, 301))).toThrow(RangeError);
    expect(() => rightEdgeOf({ ...edge, tiles: edge.tiles.slice(0, 1) })).toThrow(RangeError);
  });

  test('past 65,536 entries fills tiles of level 1 and opens level 2', () => {
    const entries = encodeEntries(Array.from({ length: 65_537 }, () => Buffer.of(1)));
    const { full, edge } = extendTree(EMPTY_TREE, entries);
    expect(full.filter(({ name }) => name.startsWith('tile/1/')).map(({ name, bytes }) => [name, bytes.length])).toEqual([['tile/1/000', 8192]]);
    expect(partialObjects(edge).map(({ name }: LogObject) => name)).toEqual(['tile/entries/256.p/1', 'tile/0/256.p/1', 'tile/2/000.p/1']);
  });
});

test('a proof out of tiles equals the one out of leaves, and asks for the tiles it announced', () => {
  const leaves = Buffer.concat(Array.from({ length: 600 }, (_, i) => leafHash(sumdbEntry(i))));
  const { objects } = publish([600]);
  for (const { size, of, proof } of sumdb.inclusion.filter(({ size }) => size === 600)) {
    const announced = new Set(tilesOfProof(size, (tree) => inclusionProof(of, size, tree)).map(tilePath));
    const read = subtreesOfTiles(size, (tile) => {
      expect(announced).toContain(tilePath(tile));
      return objects.get(tilePath(tile))!;
    });
    expect(inclusionProof(of, size, read).map((h) => h.toString('base64'))).toEqual(proof);
    expect(inclusionProof(of, size, subtreesOfLeaves(leaves))).toEqual(proof.map(hash));
  }
});
