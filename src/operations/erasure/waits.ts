/**
 * How long an erasure waits, computed in this one place from how long those may still write who began before: nothing is removed, and no key taken, while somebody may still write under the
 * subject. Waits are comparisons of times; nobody sleeps.
 */
import { OWNER_CACHE_LIFE_MS, SETTLING_MS } from '../owner-cache';
import { KEY_CACHE_MS } from '../subject-keys';

/** No function runs longer: the platform's own limit, whatever ours are set to. A test holds every timeout of ours against it. */
export const LONGEST_WRITER_MS = 15 * 60_000;
/** By which the clocks of two machines may differ. */
export const CLOCKS_DIFFER_MS = 60_000;

/** A writer that looked up whose an event is just before the freeze, out of a cache that was filled just before, and takes as long as it can; and one index that follows late. */
const WRITERS_DONE_MS = LONGEST_WRITER_MS + OWNER_CACHE_LIFE_MS + SETTLING_MS + CLOCKS_DIFFER_MS;

/** From the last alias that was frozen to the record of the erasure. With the life of the sealer's keys, so that what it encrypts is known to be under a key that is asked for anew. */
export const FREEZE_WAIT_MS = WRITERS_DONE_MS + KEY_CACHE_MS;
/** From the first look that finds nothing to remove to the one that has to find nothing again before the keys go: a writer that met a record just before it became a tombstone is done by then. */
export const QUIET_MS = WRITERS_DONE_MS;
