/** What tiles in the vault say about leaves: for choosing among segments when the log table can no longer say which were committed. */
import { decodeEntries, TILE_WIDTH } from '../core/log/bundle';
import { leafHash } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { partialsPrefix, tilePath } from '../core/log/tile-path';
import type { Round, Vault } from '../ports';
import { LogStopped } from './read-log';
import { readSegment } from './read-segments';

type Reader = Pick<Vault, 'get' | 'list'>;

/** Leaf hashes [from, from + n) of the published tree of `size`. Throws `LogStopped` (`tiles-damaged`). */
export async function leavesInTiles(vault: Reader, from: number, n: number, size: number): Promise<Buffer> {
  const hashes: Buffer[] = [];
  for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < from + n; index++) {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    const partial = width < TILE_WIDTH ? await vault.get(tilePath({ level: 0, index, width })) : 'absent';
    const tile = partial === 'absent' ? await vault.get(tilePath({ level: 0, index, width: TILE_WIDTH })) : partial;
    if (tile === 'absent') throw new LogStopped('tiles-damaged', `${tilePath({ level: 0, index, width })} is not in the vault`);
    const first = Math.max(0, from - index * TILE_WIDTH);
    hashes.push(tile.subarray(first * HASH_SIZE, Math.min(width, from + n - index * TILE_WIDTH) * HASH_SIZE));
  }
  return Buffer.concat(hashes);
}

/**
 * Whether these rounds, which extend the published tree of `size`, contradict no tile of leaf hashes beyond it. A publisher that died before its checkpoint
 * left such tiles; they are locked, so the log has to go the way they say.
 */
export async function fitsPublishedTiles(vault: Reader, size: number, rounds: readonly Round[]): Promise<boolean> {
  const first = Math.floor(size / TILE_WIDTH);
  const known = size % TILE_WIDTH; // hashes of the first tile that the checkpoint speaks of
  let leaves = known === 0 ? Buffer.alloc(0) : await leavesInTiles(vault, first * TILE_WIDTH, known, size);
  for (const round of rounds) leaves = Buffer.concat([leaves, ...decodeEntries(await readSegment(vault, round)).map(leafHash)]);
  for (let tile = 0; tile * TILE_WIDTH * HASH_SIZE <= leaves.length; tile++) {
    const ours = leaves.subarray(tile * TILE_WIDTH * HASH_SIZE, (tile + 1) * TILE_WIDTH * HASH_SIZE);
    for (const theirs of await formsOf(vault, first + tile)) if (!ours.subarray(0, theirs.length).equals(theirs)) return false;
  }
  return true;
}

/** Every form of a tile of leaf hashes that is in the vault. */
async function formsOf(vault: Reader, index: number): Promise<Buffer[]> {
  const names = [tilePath({ level: 0, index, width: TILE_WIDTH })];
  for await (const name of vault.list(partialsPrefix(0, index))) names.push(name);
  const forms = await Promise.all(names.map((name) => vault.get(name)));
  return forms.filter((form) => form !== 'absent');
}
