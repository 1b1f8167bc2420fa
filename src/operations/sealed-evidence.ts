/**
 * Whether what is about to be overwritten is in the log: nothing is put back over a state that nobody could show afterwards. The sealer needs seconds to seal what somebody just did
 * by hand, so the search waits a while for the log to grow.
 */
import { entryIn } from '../core/entry';
import type { VerifierKey } from '../core/log/vkey';
import { placeOf } from '../core/record-history';
import { stateHash, type StateHash } from '../core/repair-record';
import { stringOf, type Image } from '../core/image';
import type { Clock, Sleep } from '../ports';
import { inParallel } from './in-parallel';
import { openSealed, type SealedReader } from './open-sealed';
import { publishedCheckpoint, publishedEntries, type PublishedLog } from './published-entries';

export interface EvidenceDeps {
  readonly vault: PublishedLog;
  readonly subjectKeys: SealedReader['subjectKeys'];
  readonly now: Clock;
  readonly sleep: Sleep;
}

/** A change by hand is sealed in seconds and published in a few more; what takes longer is no matter of waiting. */
const WAIT_MS = 60_000;
const POLL_MS = 1_000;
const OPENED_AT_ONCE = 32;

/**
 * Of `wanted` (place → hash of the state there), the places whose state the log holds. Every entry is opened: what was done by hand may be sealed under any subject. `waiting` is
 * told how many are still missing. Throws `ReplayError`, `PortError`, `VaultReadError`.
 */
export async function sealedStates(deps: EvidenceDeps, wanted: ReadonlyMap<string, StateHash>, pinned: readonly VerifierKey[], waiting: (missing: number) => void): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const deadline = deps.now().getTime() + WAIT_MS;
  for (let searched = 0; found.size < wanted.size; ) {
    const checkpoint = await publishedCheckpoint(deps.vault, pinned);
    if (checkpoint.size > searched) {
      await search(deps, checkpoint, searched, (image) => {
        const place = placeOf(image);
        if (wanted.get(place) === hashOf(image)) found.add(place);
      });
      searched = checkpoint.size;
    }
    if (found.size >= wanted.size || deps.now().getTime() >= deadline) break;
    waiting(wanted.size - found.size);
    await deps.sleep(POLL_MS);
  }
  return found;
}

async function search(deps: EvidenceDeps, checkpoint: Parameters<typeof publishedEntries>[1], since: number, give: (image: Image) => void): Promise<void> {
  for await (const { from, entries } of publishedEntries(deps.vault, checkpoint)) {
    const parsed = entries.flatMap((bytes, i) => (from + i < since ? [] : (entryIn(bytes) ?? [])));
    const opened = await inParallel(parsed, OPENED_AT_ONCE, (entry) => openSealed(deps, entry));
    for (const each of opened) if (each.state === 'image' && hasKey(each.image)) give(each.image);
  }
}

const hasKey = (image: Image): boolean => stringOf(image, 'pk') !== undefined && stringOf(image, 'sk') !== undefined;

/** Of an item that somebody may have written by hand: one without canonical bytes is like no other. */
export function hashOf(image: Image): StateHash | undefined {
  try {
    return stateHash(image);
  } catch {
    return undefined;
  }
}
