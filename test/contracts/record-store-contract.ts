/** What src/ports.ts promises about the records table, for every implementation. Keys are new in every test, so one table serves all. */
import { randomUUID } from 'node:crypto';
import { canonicalImage } from '../../src/core/canonical-image';
import { keyOf, type Image, type TableKey } from '../../src/core/image';
import type { IndexRange, RecordStore } from '../../src/ports';

/** `settle`: waits until the index has caught up, where that takes time. */
export interface RecordStoreSubject {
  readonly store: RecordStore;
  readonly settle?: () => Promise<void>;
}

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
const bytesOf = (image: Image | 'absent' | undefined): string => (image === undefined || image === 'absent' ? String(image) : canonicalImage(image).toString());

export function recordStoreContract(name: string, make: () => Promise<RecordStoreSubject>): void {
  describe(`${name} keeps records`, () => {
    let subject: RecordStoreSubject;
    let pk: string;
    beforeAll(async () => {
      subject = await make();
    });
    beforeEach(() => {
      pk = `m#${randomUUID()}`;
    });
    const record = (sk: string, attributes: Image = {}): Image => ({ pk: { S: pk }, sk: { S: sk }, kind: { S: 'message' }, rev: { N: '1' }, ...attributes });
    const get = (key: TableKey): Promise<Image | 'absent'> => subject.store.get(key, { consistent: true });

    test('an image comes back as it was put, every type of attribute in it', async () => {
      const image = record('1', {
        raw: { B: Buffer.from([0, 255, 1]) },
        text: { S: 'é \u0000 😀' },
        empty: { S: '' },
        n: { N: '-12345678901234567890' },
        yes: { BOOL: true },
        nothing: { NULL: true },
        list: { L: [{ S: 'a' }, { M: { deep: { L: [] } } }] },
        strings: { SS: ['b', 'a'] },
        numbers: { NS: ['2', '10'] },
        binaries: { BS: [Buffer.from('x'), Buffer.from('a')] },
      });
      expect(await subject.store.create(image)).toBe('created');
      expect(bytesOf(await get(keyOf(image)))).toBe(bytesOf(image));
    });

    test('an absent item is absent, consistently or not', async () => {
      expect(await get({ pk, sk: 'none' })).toBe('absent');
      expect(await subject.store.get({ pk, sk: 'none' }, { consistent: false })).toBe('absent');
    });

    test('create never overwrites; it answers with what is there', async () => {
      await subject.store.create(record('1', { text: { S: 'first' } }));
      const again = await subject.store.create(record('1', { text: { S: 'second' } }));
      expect(again).toMatchObject({ exists: { text: { S: 'first' } } });
      expect(await get({ pk, sk: '1' })).toMatchObject({ text: { S: 'first' } });
    });

    test('of many creates at once exactly one wins', async () => {
      const outcomes = await Promise.all(Array.from({ length: 12 }, (_, i) => subject.store.create(record('1', { by: { N: String(i) } }))));
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    });

    test('replace needs the revision it was told', async () => {
      const second = record('1', { rev: { N: '2' } });
      expect(await subject.store.replace(second, 1)).toEqual({ stale: 'absent' });
      await subject.store.create(record('1'));
      expect(await subject.store.replace(second, 1)).toBe('replaced');
      expect(await subject.store.replace(record('1', { rev: { N: '2' }, by: { S: 'other' } }), 1)).toMatchObject({ stale: { rev: { N: '2' } } });
      expect(await get({ pk, sk: '1' })).toEqual(second);
    });

    test('replace removes attributes the new image has not', async () => {
      await subject.store.create(record('1', { old: { S: 'x' } }));
      await subject.store.replace(record('1', { rev: { N: '2' } }), 1);
      expect(await get({ pk, sk: '1' })).not.toHaveProperty('old');
    });

    test('a transaction does all or nothing and says which write refused', async () => {
      await subject.store.create(record('there'));
      const writes = [
        { op: 'create', image: record('new') },
        { op: 'create', image: record('there') },
        { op: 'replace', image: record('none', { rev: { N: '2' } }), ifRev: 1 },
        { op: 'check-absent', key: { pk, sk: 'free' } },
        { op: 'check-rev', key: { pk, sk: 'also none' }, ifRev: 1 },
      ] as const;
      const outcome = await subject.store.transact(writes);
      if (outcome === 'done') throw new Error('it was done');
      expect(outcome.refused.map((each) => (each === undefined || each === 'absent' ? each : 'item'))).toEqual([undefined, 'item', 'absent', undefined, 'absent']);
      expect(await get({ pk, sk: 'new' })).toBe('absent');
    });

    test('a transaction whose conditions hold is done, checks included', async () => {
      await subject.store.create(record('1'));
      const outcome = await subject.store.transact([
        { op: 'create', image: record('2') },
        { op: 'replace', image: record('1', { rev: { N: '2' } }), ifRev: 1 },
        { op: 'check-absent', key: { pk, sk: '3' } },
      ]);
      expect(outcome).toBe('done');
      expect((await all(subject.store.partition(pk))).map((image) => [keyOf(image).sk, image['rev']])).toEqual([
        ['1', { N: '2' }],
        ['2', { N: '1' }],
      ]);
      expect(await subject.store.transact([{ op: 'check-rev', key: { pk, sk: '1' }, ifRev: 2 }, { op: 'create', image: record('4') }])).toBe('done');
    });

    test('a transaction takes a hundred writes', async () => {
      expect(await subject.store.transact(Array.from({ length: 100 }, (_, i) => ({ op: 'create' as const, image: record(String(i).padStart(3, '0')) })))).toBe('done');
      expect(await all(subject.store.partition(pk))).toHaveLength(100);
    });

    test('of transactions on the same items at once exactly one is done', async () => {
      await subject.store.create(record('1'));
      const move = (by: number) => subject.store.transact([{ op: 'replace', image: record('1', { rev: { N: '2' }, by: { N: String(by) } }), ifRev: 1 }, { op: 'create', image: record(`by ${by}`) }]);
      const outcomes = await Promise.all([1, 2, 3, 4].map(move));
      expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
      expect(await all(subject.store.partition(pk))).toHaveLength(2);
    });

    test('a partition comes in order of its sort keys, or the part with a prefix', async () => {
      for (const sk of ['b#2', 'a', 'b#10', 'B', 'é', 'c']) await subject.store.create(record(sk));
      expect((await all(subject.store.partition(pk))).map((image) => keyOf(image).sk)).toEqual(['B', 'a', 'b#10', 'b#2', 'c', 'é']);
      expect((await all(subject.store.partition(pk, 'b#'))).map((image) => keyOf(image).sk)).toEqual(['b#10', 'b#2']);
      expect(await all(subject.store.partition(`${pk}x`))).toEqual([]);
    });

    test('a partition comes from its end too, or from before a place', async () => {
      for (const sk of ['a', 'b#1', 'b#2', 'b#3', 'c']) await subject.store.create(record(sk));
      const names = async (...asked: Parameters<RecordStore['partition']>): Promise<readonly string[]> => (await all(subject.store.partition(...asked))).map((image) => keyOf(image).sk);
      expect(await names(pk, undefined, { newestFirst: true })).toEqual(['c', 'b#3', 'b#2', 'b#1', 'a']);
      expect(await names(pk, 'b#', { newestFirst: true })).toEqual(['b#3', 'b#2', 'b#1']);
      expect(await names(pk, 'b#', { newestFirst: true, before: 'b#3' })).toEqual(['b#2', 'b#1']);
      expect(await names(pk, 'b#', { before: 'b#25' })).toEqual(['b#1', 'b#2']);
      expect(await names(pk, '', { newestFirst: true, before: 'b#2' })).toEqual(['b#1', 'a']);
      expect(await names(pk, 'b#', { newestFirst: true, before: 'b#1' })).toEqual([]);
      expect(await names(pk, 'b#', { newestFirst: true, limit: 2 })).toEqual(['b#3', 'b#2']);
      expect(await names(pk, 'b#', { newestFirst: true, before: 'b#3', limit: 1 })).toEqual(['b#2']);
      expect(await names(pk, 'b#', { newestFirst: true, before: 'b#25', limit: 1 })).toEqual(['b#2']);
      expect(await names(pk, '', { limit: 9 })).toEqual(['a', 'b#1', 'b#2', 'b#3', 'c']);
    });

    test.each(['customer', 'operator'] as const)('a %s has the keys of all their records, oldest first, newest first, or of a span of time', async (whose) => {
      const id = { S: randomUUID() };
      const owned = whose === 'customer' ? { customerId: id } : { operatorId: id };
      for (const day of ['03', '01', '02']) await subject.store.create(record(day, { ...owned, receivedAt: { S: `2026-02-${day}T00:00:00.000Z` } }));
      await subject.store.create(record('of nobody', { receivedAt: { S: '2026-02-02T00:00:00.000Z' } }));
      await subject.store.create(record('of the other index', { [whose === 'customer' ? 'operatorId' : 'customerId']: id, receivedAt: { S: '2026-02-02T00:00:00.000Z' } }));
      await subject.settle?.();
      const days = async (range?: IndexRange): Promise<readonly string[]> => {
        const keys = await all(whose === 'customer' ? subject.store.ofCustomer(id.S, range) : subject.store.ofOperator(id.S, range));
        expect(keys.every((key) => key.pk === pk)).toBe(true);
        return keys.map(({ sk }) => sk);
      };
      const at = (day: string): string => `2026-02-${day}T00:00:00.000Z`;
      expect(await days()).toEqual(['01', '02', '03']);
      expect(await days({ since: at('02') })).toEqual(['02', '03']);
      expect(await days({ until: at('02') })).toEqual(['01']);
      expect(await days({ since: at('02'), until: at('03') })).toEqual(['02']);
      expect(await days({ newestFirst: true })).toEqual(['03', '02', '01']);
      expect(await days({ since: at('01'), until: at('03'), newestFirst: true })).toEqual(['02', '01']);
      expect(await days({ since: at('04'), until: at('05') })).toEqual([]);
      expect(await days({ since: at('03'), until: at('01') })).toEqual([]);
    });

    test('a scan finds every item, or those of some kinds', async () => {
      await subject.store.create(record('1'));
      await subject.store.create(record('2', { kind: { S: 'status' } }));
      const ours = (images: readonly Image[]): string[] => images.filter((image) => keyOf(image).pk === pk).map((image) => keyOf(image).sk).sort();
      expect(ours(await all(subject.store.scan()))).toEqual(['1', '2']);
      expect(ours(await all(subject.store.scan({ kinds: ['status', 'alias'] })))).toEqual(['2']);
    });
  });
}
