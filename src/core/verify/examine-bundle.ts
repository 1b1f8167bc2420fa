/**
 * The healthy case of verification, as a function of a bundle's bytes and its tile's alone, so that any thread can do it: do they agree, and what is their root?
 * Whether that is the logged root is for the caller to say, who has the tree above; what disagrees here is looked at again, with every other copy at hand, by
 * the one who reports findings.
 */
import { EntryError, parseEntry } from '../entry';
import { agreesWithTile, entryAt, startsOf, TILE_WIDTH } from '../log/bundle';
import { fullSubtreeRoot } from '../log/merkle';

/** A full bundle whose entries have exactly the hashes of its tile. */
export interface AgreeingBundle {
  /** Hash of the tile's subtree. */
  readonly root: Buffer;
  /** Where entries are judged: the bundle and the tile, and the places (0…255) of the entries that are malformed or name objects. */
  readonly judged?: { readonly bundle: Buffer; readonly tile: Buffer; readonly remarkable: readonly number[] };
}

/** undefined: the two are no full bundle and tile that agree. `judgeEntries`: they are entries of ours, not opaque. */
export function examineBundle(bundle: Buffer, tile: Buffer, judgeEntries: boolean): AgreeingBundle | undefined {
  const starts = startsOf(bundle);
  if (starts === undefined || !agreesWithTile(bundle, starts, tile)) return undefined;
  const root = fullSubtreeRoot(tile);
  if (!judgeEntries) return { root };
  const remarkable: number[] = [];
  for (let i = 0; i < TILE_WIDTH; i++) if (isRemarkable(entryAt(bundle, starts, i))) remarkable.push(i);
  return { root, judged: { bundle, tile, remarkable } };
}

function isRemarkable(bytes: Buffer): boolean {
  try {
    const entry = parseEntry(bytes);
    return entry.objects !== undefined || (entry.op === 'put' && entry.blob !== undefined);
  } catch (error) {
    if (error instanceof EntryError) return true;
    throw error;
  }
}
