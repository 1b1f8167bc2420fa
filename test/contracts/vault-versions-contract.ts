/** What src/ports/vault-reader.ts promises about versions and locks, for every store that has them. Names are new in every test, so one bucket serves all. */
import { randomUUID } from 'node:crypto';
import type { Vault } from '../../src/ports';
import type { ObjectVersion, VaultReader } from '../../src/ports/vault-reader';

export interface VersionedStore {
  /** Locks for `retentionDays`, in COMPLIANCE mode. */
  readonly vault: Vault;
  readonly reader: VaultReader;
  readonly retentionDays: number;
  /** A new version past the rules, without a lock. */
  put(name: string, bytes: Buffer): Promise<void>;
  /** A delete marker. */
  hide(name: string): Promise<void>;
}

const DAY_MS = 86_400_000;

export function vaultVersionsContract(name: string, make: () => Promise<VersionedStore>): void {
  describe(`${name} tells of versions and locks`, () => {
    let store: VersionedStore;
    const locks = (): NonNullable<VaultReader['locks']> => {
      if (store.reader.locks === undefined) throw new Error('this store knows no locks');
      return store.reader.locks;
    };
    const versionsOf = async (prefix: string): Promise<ObjectVersion[]> => {
      const found: ObjectVersion[] = [];
      for await (const version of locks().versions(prefix)) found.push(version);
      return found;
    };
    const told = (versions: readonly ObjectVersion[]): string[] => versions.map(({ name: each, kind, isLatest }) => `${each.split('/').at(-1)} ${kind} ${isLatest}`);
    beforeAll(async () => {
      store = await make();
    });

    test('a locked object is one version, locked for as long as promised from when it was written', async () => {
      const object = `report/${randomUUID()}`;
      await store.vault.createLocked(object, Buffer.from('a'));
      const [version, ...more] = await versionsOf(object);
      if (version === undefined) throw new Error('it was just put');
      expect([more, version.kind, version.isLatest]).toEqual([[], 'version', true]);
      const lock = await locks().lock(version);
      if (typeof lock !== 'object') throw new Error(`there should be a lock, not ${lock}`);
      const days = (lock.retainUntil.getTime() - version.lastModified.getTime()) / DAY_MS;
      expect([lock.mode, days >= store.retentionDays, days <= store.retentionDays + 2]).toEqual(['COMPLIANCE', true, true]);
    });

    test('what is replaced or hidden stays, the latest first, each readable by its own id, with its own lock', async () => {
      const folder = `report/${randomUUID()}`;
      await store.vault.createLocked(`${folder}/a`, Buffer.from('first'));
      await store.put(`${folder}/a`, Buffer.from('second'));
      await store.hide(`${folder}/a`);
      await store.vault.createLocked(`${folder}/ab`, Buffer.from('beside'));
      expect(await store.reader.get(`${folder}/a`)).toBe('absent');
      const versions = await versionsOf(`${folder}/`);
      expect(told(versions)).toEqual(['a delete-marker true', 'a version false', 'a version false', 'ab version true']);
      const stored = versions.filter(({ kind }) => kind === 'version');
      const bytes = await Promise.all(stored.map(async (version) => String(await locks().get(version))));
      // S3 keeps the seconds of a version's time only, so of two older ones of one second either may come first.
      expect([...bytes].sort()).toEqual(['beside', 'first', 'second']);
      for (const [i, version] of stored.entries()) expect(typeof (await locks().lock(version))).toBe(bytes[i] === 'second' ? 'string' : 'object');
    });

    test('no lock and no such version are two things', async () => {
      const object = `report/${randomUUID()}`;
      await store.put(object, Buffer.from('unlocked'));
      const [version] = await versionsOf(object);
      expect(await locks().lock(version as ObjectVersion)).toBe('none');
      const gone = { name: `report/${randomUUID()}`, version: (version as ObjectVersion).version };
      expect([await locks().lock(gone), await locks().get(gone)]).toEqual(['absent', 'absent']);
    });

    test('an object put back over a delete marker is the latest version, and the marker stays', async () => {
      const object = `report/${randomUUID()}`;
      await store.vault.createLocked(object, Buffer.from('a'));
      await store.hide(object);
      expect(await store.vault.createLocked(object, Buffer.from('a'))).toBe('created');
      expect(await store.reader.get(object)).toEqual(Buffer.from('a'));
      expect(told(await versionsOf(object)).map((each) => each.split(' ').slice(1).join(' '))[0]).toBe('version true');
      expect(told(await versionsOf(object))).toHaveLength(3);
    });

    test('more versions than one page of a listing come all', async () => {
      const folder = `report/${randomUUID()}`;
      const names = Array.from({ length: 30 }, (_, i) => `${folder}/${String(i).padStart(2, '0')}`);
      for (const each of names) await store.vault.createLocked(each, Buffer.from(each));
      expect((await versionsOf(`${folder}/`)).map(({ name: each }) => each)).toEqual(names);
    });
  });
}
