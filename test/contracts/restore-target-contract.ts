/** What src/ports/restore-target.ts and table-configuration.ts promise of a table that is restored into, for every implementation. */
import { canonicalImage } from '../../src/core/canonical-image';
import { keyOf, type Image } from '../../src/core/image';
import { RECORDS_TABLE } from '../../src/core/records-table';
import type { TableSettings } from '../../src/ports/restore-target';
import type { ConfigurableTarget } from '../../src/ports/table-configuration';

export interface RestoreTargetSubject {
  /** A name no table has yet. */
  readonly newName: () => string;
  readonly open: (name: string) => ConfigurableTarget;
  /** A key to encrypt with, where the implementation needs a real one. */
  readonly encryptionKey: string | null;
}

const record = (n: number, attributes: Image = {}): Image => ({ pk: { S: `m#${n}` }, sk: { S: 'é#message' }, kind: { S: 'message' }, rev: { N: '1' }, raw: { B: Buffer.from([n % 256, 0, 255]) }, ...attributes });
const inOrder = (images: readonly Image[]): string[] => images.map((image) => canonicalImage(image).toString()).sort();
const all = async (target: ConfigurableTarget): Promise<Image[]> => {
  const found: Image[] = [];
  for await (const image of target.scan()) found.push(image);
  return found;
};

export function restoreTargetContract(name: string, make: () => Promise<RestoreTargetSubject>): void {
  describe(`${name} as a table to restore into`, () => {
    let subject: RestoreTargetSubject;
    let settings: TableSettings;
    beforeAll(async () => {
      subject = await make();
      settings = {
        stream: 'NEW_AND_OLD_IMAGES',
        expires: 'expiresAt',
        pointInTimeRecovery: true,
        deletionProtection: true,
        encryptionKey: subject.encryptionKey,
        billing: 'on-demand',
        indexes: RECORDS_TABLE.indexes,
        tags: ['intact:restore=example.com/log@7 incomplete', 'team=records'],
      };
    });
    const made = async (wanted: TableSettings = { ...settings, stream: null, pointInTimeRecovery: false, deletionProtection: false, expires: null }): Promise<ConfigurableTarget> => {
      const target = subject.open(subject.newName());
      await target.create(wanted);
      return target;
    };

    test('what is not there is absent', async () => {
      expect(await subject.open(subject.newName()).settings()).toBe('absent');
    });

    test('a table is made with every setting, and made once', async () => {
      const tableName = subject.newName();
      const target = subject.open(tableName);
      await target.create(settings);
      expect(target.name).toBe(tableName);
      expect(await target.settings()).toEqual(settings);
      expect(await subject.open(tableName).settings()).toEqual(settings);
      await expect(subject.open(tableName).create(settings)).rejects.toMatchObject({ name: 'PortError', code: 'different-bytes' });
      expect(await target.settings()).toEqual(settings);
    });

    test('every setting of a table that is there can be brought to what it should be, and again; tags of others stay', async () => {
      const target = await made({ ...settings, stream: null, pointInTimeRecovery: false, deletionProtection: false, expires: null, tags: ['intact:restore=example.com/log@7 incomplete', 'other=theirs'] });
      const wanted = { ...settings, tags: ['intact:restore=example.com/log@7', 'team=records'] };
      for (let i = 0; i < 2; i++) {
        await target.configure(wanted);
        expect(await target.settings()).toEqual({ ...wanted, tags: ['intact:restore=example.com/log@7', 'other=theirs', 'team=records'] });
      }
      await target.configure({ ...wanted, stream: null, pointInTimeRecovery: false, deletionProtection: false, expires: null });
      expect(await target.settings()).toMatchObject({ stream: null, pointInTimeRecovery: false, deletionProtection: false, expires: null });
    });

    test('any number of records is written, over whatever is there, read back, scanned and removed', async () => {
      const target = await made();
      const images = Array.from({ length: 260 }, (_, n) => record(n, { text: { S: 'x'.repeat(n) }, set: { SS: ['b', 'a'] } }));
      await target.write([record(3, { text: { S: 'in the way' } })]);
      await target.write(images);
      await target.write([]);
      expect(inOrder(await all(target))).toEqual(inOrder(images));
      const keys = images.slice(5, 215).map(keyOf);
      expect(inOrder(await target.read([...keys, { pk: 'm#none', sk: 'none' }]))).toEqual(inOrder(images.slice(5, 215)));
      expect(await target.read([])).toEqual([]);
      await target.remove([...keys, { pk: 'm#none', sk: 'none' }]);
      expect(inOrder(await all(target))).toEqual(inOrder([...images.slice(0, 5), ...images.slice(215)]));
      await target.remove([]);
    });

    test('is dropped by who made it and by nobody else', async () => {
      const target = await made(settings);
      await expect(subject.open(target.name).drop()).rejects.toMatchObject({ code: 'denied' });
      expect(await target.settings()).toEqual(settings);
      await target.drop();
      expect(await target.settings()).toBe('absent');
      await expect(target.drop()).rejects.toMatchObject({ code: 'denied' });
    });
  });
}
