/**
 * One pass over all names of a vault: what is there beside the objects that the checkpoint needs. Names are judged by arithmetic, not
 * remembered, so that memory grows with partial tiles and checkpoints only, not with the log.
 */
import { TILE_WIDTH } from '../core/log/bundle';
import type { TileName } from '../core/log/tile-path';
import { classifyName } from '../core/verify/vault-name';
import type { VaultReader } from '../ports/vault-reader';

export interface VaultNames {
  /** Widths of the partial forms there are of a tile, by `tileKey`. */
  readonly partials: ReadonlyMap<string, readonly number[]>;
  /** Tiles and bundles, full or partial, that reach beyond the checkpoint. */
  readonly ahead: ReadonlyMap<string, TileName>;
  /** Sizes under checkpoints/, ascending. */
  readonly copies: readonly number[];
  /** report/ objects, and what lies under snapshot/ with no name of a snapshot: each must be named by an entry. */
  readonly documents: ReadonlySet<string>;
  /** Manifests and parts. */
  readonly snapshots: ReadonlySet<string>;
  /** Names that nothing of ours has. */
  readonly strangers: readonly string[];
  /** One past the last entry that a stored bundle could hold. */
  readonly bundlesEnd: number;
}

export const tileKey = ({ level, index }: Pick<TileName, 'level' | 'index'>): string => `${level}/${index}`;

/** One past the last entry under a tile. */
export const tileEnd = ({ level, index, width }: TileName): number => (index * TILE_WIDTH + width) * TILE_WIDTH ** (level === 'entries' ? 0 : level);

/** Reads all names (`tile/` alone for a foreign log, whose other objects are its own business). `size`: of the checkpoint. */
export async function sweepNames(list: NonNullable<VaultReader['list']>, size: number, foreign: boolean): Promise<VaultNames> {
  const partials = new Map<string, number[]>();
  const ahead = new Map<string, TileName>();
  const copies: number[] = [];
  const documents = new Set<string>();
  const snapshots = new Set<string>();
  const strangers: string[] = [];
  let bundlesEnd = 0;
  for await (const name of list(foreign ? 'tile/' : '')) {
    const known = classifyName(name);
    if (known.kind === 'tile') {
      const { tile } = known;
      if (tile.level === 'entries') bundlesEnd = Math.max(bundlesEnd, tileEnd(tile));
      if (tileEnd(tile) > size) ahead.set(name, tile);
      else if (tile.width < TILE_WIDTH) partials.set(tileKey(tile), [...(partials.get(tileKey(tile)) ?? []), tile.width]);
    } else if (known.kind === 'checkpoint-copy') copies.push(known.size);
    else if (known.kind === 'document') documents.add(name);
    else if (known.kind === 'snapshot-manifest' || known.kind === 'snapshot-part') snapshots.add(name);
    else if (known.kind === 'other' && !foreign) strangers.push(name);
  }
  return { partials, ahead, copies: copies.sort((a, b) => a - b), documents, snapshots, strangers, bundlesEnd };
}
