/** Keys of subjects as the sealer needs them: read, unwrapped, made where there is none, and remembered for a while. */
import { newSubject, newSubjectKey, unwrapSubjectKey, wrapSubjectKey, type KeyEncryptionKey, type SubjectKey } from '../core/subject-key';
import type { Clock, KeyTable, Random } from '../ports';

/** How long a key is used without asking again. An erasure waits longer than this after it froze a subject. */
export const KEY_CACHE_MS = 5 * 60_000;
/** Some 200 bytes each; a bound on memory, not a target. */
const MAX_CACHED_KEYS = 10_000;

export interface SubjectKeyDeps {
  readonly keys: Pick<KeyTable, 'get' | 'create'>;
  readonly kek: () => Promise<KeyEncryptionKey>;
  readonly random: Random;
  readonly now: Clock;
}

export interface SubjectKeys {
  /** The key of `subject`, made if it has none. `corrupt`: its row does not open. Throws `PortError`. */
  of(subject: string): Promise<SubjectKey | 'erased' | 'corrupt'>;
  /** The same for a reader, who makes none. */
  existing(subject: string): Promise<SubjectKey | 'erased' | 'corrupt' | 'absent'>;
  /** A key under a random subject that nothing else uses. Throws `PortError`. */
  fresh(): Promise<SubjectKey>;
}

export function subjectKeys({ keys, kek, random, now }: SubjectKeyDeps): SubjectKeys {
  const cache = new Map<string, { readonly key: SubjectKey; readonly untilMs: number }>();
  const create = async (fresh: SubjectKey): Promise<'created' | 'exists'> => keys.create(wrapSubjectKey(await kek(), fresh, random));
  const read = async (subject: string): Promise<SubjectKey | 'erased' | 'corrupt' | 'absent'> => {
    const row = await keys.get(subject);
    if (typeof row === 'string') return row;
    return row.subject === subject ? unwrapSubjectKey(await kek(), row) : 'corrupt';
  };
  const load = async (subject: string): Promise<SubjectKey | 'erased' | 'corrupt'> => {
    const there = await read(subject);
    if (there !== 'absent') return there;
    const fresh = newSubjectKey(subject, random);
    // The row is durable before anything is encrypted under it. Another sealer may have been first, or this one before a lost reply: what is stored counts.
    return (await create(fresh)) === 'created' ? fresh : load(subject);
  };

  const cached = (subject: string): SubjectKey | undefined => {
    const there = cache.get(subject);
    return there !== undefined && there.untilMs > now().getTime() ? there.key : undefined;
  };
  /** Only keys are remembered: an erased, absent or damaged one is rare. */
  const remember = <K extends string>(key: SubjectKey | K): SubjectKey | K => {
    if (typeof key === 'string') return key;
    if (cache.size >= MAX_CACHED_KEYS) cache.clear();
    cache.set(key.subject, { key, untilMs: now().getTime() + KEY_CACHE_MS });
    return key;
  };
  const [loadOnce, readOnce] = [once(load), once(read)];

  return {
    of: async (subject) => cached(subject) ?? remember(await loadOnce(subject)),
    existing: async (subject) => cached(subject) ?? remember(await readOnce(subject)),
    fresh: async () => {
      const key = newSubjectKey(newSubject(random), random);
      await create(key);
      return key;
    },
  };
}

/** One request for a subject, however many of its entries are in a batch. */
function once<T>(ask: (subject: string) => Promise<T>): (subject: string) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  return (subject) => {
    const there = running.get(subject) ?? ask(subject).finally(() => running.delete(subject));
    running.set(subject, there);
    return there;
  };
}
