/** What src/ports.ts promises about views, for every implementation. */
import { randomUUID } from 'node:crypto';
import { keyOf, type Image } from '../../src/core/image';
import type { ViewStore } from '../../src/ports';

export function viewStoreContract(name: string, make: () => Promise<ViewStore>): void {
  describe(`${name} keeps views`, () => {
    let views: ViewStore;
    let pk: string;
    beforeAll(async () => {
      views = await make();
    });
    beforeEach(() => {
      pk = randomUUID();
    });
    const stored = async (sk = 'v'): Promise<Image | 'absent'> => views.get({ pk, sk });

    test('an event counts once, however often it is applied', async () => {
      const key = { pk, sk: 'v' };
      expect(await stored()).toBe('absent');
      expect(await views.apply({ key, eventId: 'e1', add: { messages: 1, bytes: 10 } })).toBe('applied');
      expect(await views.apply({ key, eventId: 'e1', add: { messages: 1, bytes: 10 } })).toBe('seen');
      expect(await views.apply({ key, eventId: 'e2', add: { messages: 2, bytes: -4 } })).toBe('applied');
      expect(await stored()).toMatchObject({ messages: { N: '3' }, bytes: { N: '6' } });
    });

    test('one event may change several views', async () => {
      for (const sk of ['a', 'b']) expect(await views.apply({ key: { pk, sk }, eventId: 'e1', add: { n: 1 } })).toBe('applied');
      for (const sk of ['a', 'b']) expect(await stored(sk)).toMatchObject({ n: { N: '1' } });
    });

    test('with an order only the newest sets, and every one counts', async () => {
      const key = { pk, sk: 'v' };
      const apply = (eventId: string, order: string) => views.apply({ key, eventId, add: { n: 1 }, set: { text: { S: order } }, order });
      for (const [eventId, order] of [['e1', '2026-02-02'], ['e2', '2026-02-03'], ['e3', '2026-02-01']] as const) expect(await apply(eventId, order)).toBe('applied');
      expect(await stored()).toMatchObject({ n: { N: '3' }, text: { S: '2026-02-03' } });
    });

    test('many events at once are all counted', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, i) => views.apply({ key: { pk, sk: 'v' }, eventId: `e${i}`, add: { n: 1 } })));
      expect(await stored()).toMatchObject({ n: { N: '20' } });
    });

    test('a view is placed as a whole, by the greatest order, and whatever is late changes nothing', async () => {
      const key = { pk, sk: 'v' };
      expect(await views.place({ key, order: '2', set: { a: { S: '2' }, b: { S: 'x' } }, goesAt: 4_000_000_000 })).toBe('applied');
      expect(await views.place({ key, order: '1', set: { a: { S: '1' } } })).toBe('seen');
      expect(await views.place({ key, order: '2', set: { a: { S: 'again' } } })).toBe('seen');
      expect(await stored()).toEqual({ pk: { S: pk }, sk: { S: 'v' }, a: { S: '2' }, b: { S: 'x' } });
      expect(await views.place({ key, order: '3', set: { a: { S: '3' } } })).toBe('applied');
      expect(await stored()).toEqual({ pk: { S: pk }, sk: { S: 'v' }, a: { S: '3' } });
    });

    test('a placed view is removed unless something newer is there', async () => {
      const key = { pk, sk: 'v' };
      expect(await views.remove(key, '9')).toBe('seen');
      await views.place({ key, order: '5', set: {} });
      expect(await views.remove(key, '4')).toBe('seen');
      expect(await stored()).not.toBe('absent');
      expect(await views.remove(key, '5')).toBe('applied');
      expect(await stored()).toBe('absent');
      expect(await views.place({ key, order: '5', set: {} })).toBe('applied');
    });

    test('a view that was never given an order is removed as well', async () => {
      const key = { pk, sk: 'v' };
      await views.apply({ key, eventId: 'e1', add: { n: 1 }, set: { a: { S: 'x' } } });
      expect(await views.remove(key, '5')).toBe('applied');
      expect(await stored()).toBe('absent');
      expect(await views.remove(key, '5')).toBe('seen');
      expect(await views.apply({ key, eventId: 'e1', add: { n: 1 } })).toBe('seen');
    });

    test('a partition can begin before a view, or hold what begins alike', async () => {
      for (const sk of ['a', 'b', 'b#1', 'b#2', 'c']) await views.place({ key: { pk, sk }, order: '1', set: {} });
      const keys = async (options: Parameters<ViewStore['partition']>[1]): Promise<string[]> => {
        const found: string[] = [];
        for await (const view of views.partition(pk, options)) found.push(keyOf(view).sk);
        return found;
      };
      expect(await keys({ newestFirst: true, before: 'b#2', limit: 2 })).toEqual(['b#1', 'b']);
      expect(await keys({ before: 'b' })).toEqual(['a']);
      expect(await keys({ skPrefix: 'b#' })).toEqual(['b#1', 'b#2']);
    });

    test('a partition comes in order, or newest first, or the first few', async () => {
      for (const sk of ['2', '1', '3']) await views.apply({ key: { pk, sk }, eventId: 'e', add: { n: 1 } });
      const keys = async (options?: Parameters<ViewStore['partition']>[1]): Promise<string[]> => {
        const found: string[] = [];
        for await (const view of views.partition(pk, options)) found.push(keyOf(view).sk);
        return found;
      };
      expect(await keys()).toEqual(['1', '2', '3']);
      expect(await keys({ newestFirst: true })).toEqual(['3', '2', '1']);
      expect(await keys({ newestFirst: true, limit: 2 })).toEqual(['3', '2']);
    });
  });
}
