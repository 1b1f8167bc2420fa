/**
 * The vault in memory as a bucket with versions and locks keeps it: nothing is ever overwritten, what is deleted is hidden by a marker. `vault` is what its writers see, `reader` what a verifier
 * sees, `byHand` what somebody can do who has rights past ours.
 */
import { createHash } from 'node:crypto';
import { PortError, type Clock, type Vault } from '../../ports';
import type { ObjectLock, ObjectVersion, VaultReader } from '../../ports/vault-reader';

/** What the stage promises; snapshots for as long as everything else where nothing is said of them. */
export interface MemoryLock {
  readonly mode: ObjectLock['mode'];
  readonly retentionDays: number;
  readonly snapshotRetentionDays?: number;
}

interface Stored {
  readonly version: string;
  /** undefined: a delete marker. */
  readonly bytes: Buffer | undefined;
  readonly lastModified: Date;
  readonly lock: ObjectLock | 'none';
}

export interface VersionedVault {
  readonly vault: Vault;
  readonly reader: VaultReader & Required<Pick<VaultReader, 'list' | 'locks'>>;
  readonly byHand: {
    /** A new latest version, whatever was there; locked as promised unless `lock` says otherwise. */
    put(name: string, bytes: Uint8Array, lock?: ObjectLock | 'none'): void;
    /** A delete marker over it. */
    hide(name: string): void;
    /** Makes the latest version one that was never there, as a disk or a thief with the bucket's owner would: no store with locks allows it. */
    lose(name: string): void;
    /** Changes the bytes of the latest version in place, which no such store allows either. */
    corrupt(name: string, bytes: Uint8Array): void;
    /** Changes the lock of the latest version. */
    relock(name: string, lock: ObjectLock | 'none'): void;
  };
}

const DAY_MS = 86_400_000;
const isPartial = (name: string): boolean => /^tile\/.*\.p\//.test(name);
const isMutable = (name: string): boolean => name === 'checkpoint' || name === 'log.vkeys';
const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export function versionedVault({ mode, retentionDays, snapshotRetentionDays }: MemoryLock, now: Clock, source = 'memory'): VersionedVault {
  /** Latest first. */
  const names = new Map<string, Stored[]>();
  let versions = 0;

  const latest = (name: string): Stored | undefined => names.get(name)?.[0];
  const current = (name: string): Buffer | undefined => latest(name)?.bytes;
  const promised = (name: string): ObjectLock => {
    const days = name.startsWith('snapshot/') ? (snapshotRetentionDays ?? retentionDays) : retentionDays;
    return { mode, retainUntil: new Date(now().getTime() + (days + 1) * DAY_MS) };
  };
  const add = (name: string, bytes: Uint8Array | undefined, lock: ObjectLock | 'none'): void => {
    names.set(name, [{ version: `v${++versions}`, bytes: bytes === undefined ? undefined : Buffer.from(bytes), lastModified: now(), lock }, ...(names.get(name) ?? [])]);
  };
  const replaceLatest = (name: string, change: Partial<Stored>): void => {
    const [first, ...older] = names.get(name) ?? [];
    if (first === undefined) throw new Error(`there is no ${name}`);
    names.set(name, [{ ...first, ...change }, ...older]);
  };
  const create = (name: string, bytes: Uint8Array, lock: ObjectLock | 'none'): 'created' | 'exists' => {
    const there = current(name);
    if (there !== undefined && !there.equals(bytes)) throw new PortError('different-bytes', `${name} exists with other bytes`);
    if (there !== undefined) return 'exists';
    add(name, bytes, lock);
    return 'created';
  };
  const demand = (holds: boolean, name: string): void => {
    if (!holds) throw new PortError('denied', `the vault does not take ${name} this way`);
  };
  const copyOf = (bytes: Buffer | undefined): Buffer | 'absent' => (bytes === undefined ? 'absent' : Buffer.from(bytes));
  const listed = function* (prefix: string, after = ''): Generator<string> {
    yield* [...names.keys()].filter((name) => name.startsWith(prefix) && byBytes(name, after) > 0 && current(name) !== undefined).sort(byBytes);
  };
  const stored = (name: string, version: string): Stored | undefined => names.get(name)?.find((each) => each.version === version);

  return {
    vault: {
      get: async (name, maxBytes = Infinity) => {
        const there = current(name);
        if (there !== undefined && there.length > maxBytes) throw new PortError('corrupt', `${name} has more than ${maxBytes} bytes`);
        return copyOf(there);
      },
      createLocked: async (name, bytes) => {
        demand(!isPartial(name) && !isMutable(name), name);
        return create(name, bytes, promised(name));
      },
      createPartial: async (name, bytes) => {
        demand(isPartial(name), name);
        return create(name, bytes, 'none');
      },
      getMutable: async (name) => {
        const bytes = copyOf(current(name));
        return bytes === 'absent' ? 'absent' : { bytes, etag: etagOf(bytes) };
      },
      replaceMutable: async (name, bytes, ifEtag) => {
        const there = current(name);
        if ((there === undefined ? 'absent' : etagOf(there)) !== ifEtag) return 'stale';
        add(name, bytes, 'none');
        return 'replaced';
      },
      deletePartial: async (name) => {
        demand(isPartial(name), name);
        if (current(name) !== undefined) add(name, undefined, 'none');
      },
      list: async function* (prefix, { after = '' } = {}) {
        yield* listed(prefix, after);
      },
    },
    reader: {
      source,
      get: async (name) => copyOf(current(name)),
      list: async function* (prefix) {
        yield* listed(prefix);
      },
      locks: {
        lock: async ({ name, version }) => stored(name, version)?.lock ?? 'absent',
        versions: async function* (prefix = '') {
          for (const name of [...names.keys()].filter((each) => each.startsWith(prefix)).sort(byBytes)) {
            for (const [i, { version, bytes, lastModified }] of (names.get(name) ?? []).entries()) {
              yield { name, version, kind: bytes === undefined ? 'delete-marker' : 'version', isLatest: i === 0, lastModified } satisfies ObjectVersion;
            }
          }
        },
        get: async ({ name, version }) => copyOf(stored(name, version)?.bytes),
      },
    },
    byHand: {
      put: (name, bytes, lock) => add(name, bytes, lock ?? (isPartial(name) || isMutable(name) ? 'none' : promised(name))),
      hide: (name) => add(name, undefined, 'none'),
      lose: (name) => {
        const [, ...older] = names.get(name) ?? [];
        if (older.length === 0) names.delete(name);
        else names.set(name, older);
      },
      corrupt: (name, bytes) => replaceLatest(name, { bytes: Buffer.from(bytes) }),
      relock: (name, lock) => replaceLatest(name, { lock }),
    },
  };
}
