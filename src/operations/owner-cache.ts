/**
 * Whose a business-scoped user id is, remembered in one container for a minute: messages come in conversations, and looking up their owner is a third of what
 * recording one costs. What is remembered was read from a genuine record at most `OWNER_CACHE_LIFE_MS` ago; docs/decisions/0007 says what such an answer may miss.
 */
import type { Owner } from '../core/records';
import type { Clock } from '../ports';

/** Milliseconds from the read. Whoever takes a customer out of use (erasure freezes a subject) has to wait longer than this before no writer uses it. */
export const OWNER_CACHE_LIFE_MS = 60_000;
/** About 2 MB of the container's memory; more people than write to one container in a minute. */
export const MAX_CACHED_OWNERS = 5_000;
/** Longer than an eventually consistent read lags behind a write: what is read sooner after a change may be what was before it. */
export const SETTLING_MS = 5_000;

export interface OwnerCache {
  /** `names`: of a whole set of aliases. Asking does not prolong an answer's life. */
  get(names: string): Owner | undefined;
  /** Keeps what a read that began at `readAtMs` (unix milliseconds) said, in the place of whoever was asked for longest ago; not if an alias changed hands since, or just before. */
  remember(names: string, owner: Owner, readAtMs: number): void;
  /** An alias changes hands in this container, or may have. Rare, so everything is forgotten. */
  forget(): void;
}

/** One a container. */
export function ownerCache(now: Clock): OwnerCache {
  // In the order in which they were last asked for.
  const owners = new Map<string, { readonly owner: Owner; readonly readAtMs: number }>();
  let settledAtMs = Number.NEGATIVE_INFINITY;
  return {
    get(names) {
      const entry = owners.get(names);
      if (entry === undefined) return undefined;
      owners.delete(names);
      const ageMs = now().getTime() - entry.readAtMs;
      // A negative age: the clock was set back, and nobody knows how old it is.
      if (ageMs < 0 || ageMs >= OWNER_CACHE_LIFE_MS) return undefined;
      owners.set(names, entry);
      return entry.owner;
    },
    remember(names, owner, readAtMs) {
      if (readAtMs < settledAtMs) return;
      owners.delete(names);
      owners.set(names, { owner, readAtMs });
      if (owners.size > MAX_CACHED_OWNERS) for (const oldest of owners.keys()) return void owners.delete(oldest);
    },
    forget() {
      owners.clear();
      settledAtMs = now().getTime() + SETTLING_MS;
    },
  };
}
