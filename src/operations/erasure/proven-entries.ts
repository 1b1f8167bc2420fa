/**
 * Entries of the published log, each in the tree that the log's own key signed. What is told by them leads to a key going for ever. They are read from bundles, not from the segments that the rounds name: rounds are rows that somebody
 * may have put there, and there may be one a second for as long as a hold has kept an erasure waiting.
 */
import { entriesAt, entryLeafHashes, startsOf, TILE_WIDTH } from '../../core/log/bundle';
import type { Checkpoint } from '../../core/log/checkpoint';
import { tilePath } from '../../core/log/tile-path';
import { verifierKey } from '../../core/log/vkey';
import type { Signer, Vault } from '../../ports';
import { authenticTiles, type AuthenticTiles } from '../authentic-tiles';
import { inParallel } from '../in-parallel';
import { publishedCheckpoint } from '../published-entries';
import { LogStopped } from '../read-log';

export interface ProvenLogDeps {
  readonly vault: Pick<Vault, 'get'>;
  readonly signer: Pick<Signer, 'publicKey'>;
  readonly origin: string;
}

export interface ProvenLog extends Pick<ProvenLogDeps, 'vault'> {
  readonly checkpoint: Checkpoint;
  readonly tiles: AuthenticTiles;
}

/** What the log's own key signed last, and the tiles that lead to it. Throws `PortError`, `ReplayError`. */
export async function provenLog({ vault, signer, origin }: ProvenLogDeps): Promise<ProvenLog> {
  const checkpoint = await publishedCheckpoint(vault, [verifierKey(origin, await signer.publicKey())]);
  return { vault, checkpoint, tiles: await authenticTiles(vault, checkpoint) };
}

const BUNDLES_AT_ONCE = 16;

/** Entries [from, to) as far as they are published, none left out, out of at most so many bundles; some at a time, and where these begin. Throws `PortError`, `LogStopped`. */
export async function* provenEntries({ vault, checkpoint: { size }, tiles }: ProvenLog, from: number, to: number, bundles = Infinity): AsyncGenerator<{ readonly from: number; readonly entries: readonly Buffer[] }> {
  const end = Math.min(to, size);
  let at = from;
  for (let left = bundles; at < end && left > 0; ) {
    const first = Math.floor(at / TILE_WIDTH);
    const indexes = Array.from({ length: Math.min(BUNDLES_AT_ONCE, left, Math.ceil(end / TILE_WIDTH) - first) }, (_, i) => first + i);
    left -= indexes.length;
    for (const [i, entries] of (await inParallel(indexes, BUNDLES_AT_ONCE, (index) => provenBundle(vault, tiles, size, index))).entries()) {
      const begin = indexes[i]! * TILE_WIDTH;
      yield { from: at, entries: entries.slice(at - begin, end - begin) };
      at = Math.min(end, begin + TILE_WIDTH);
    }
  }
}

async function provenBundle(vault: Pick<Vault, 'get'>, tiles: AuthenticTiles, size: number, index: number): Promise<readonly Buffer[]> {
  const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  for (const each of new Set([width, TILE_WIDTH])) {
    const bytes = await vault.get(tilePath({ level: 'entries', index, width: each }));
    const starts = bytes === 'absent' ? undefined : startsOf(bytes)?.slice(0, width + 1);
    if (bytes === 'absent' || starts?.length !== width + 1) continue;
    if ((await tiles(0, index))?.equals(entryLeafHashes(bytes, starts)) !== true) continue;
    return entriesAt(bytes, starts);
  }
  throw new LogStopped('segment-damaged', `${tilePath({ level: 'entries', index, width })} does not hold what was published, or the tiles above it are damaged: run intact verify`);
}
