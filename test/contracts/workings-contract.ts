/** What src/ports/workings.ts promises, for every implementation. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Workings } from '../../src/ports/workings';

export function workingsContract(name: string, make: () => Promise<Workings>): void {
  describe(`${name} keeps workings`, () => {
    let workings: Workings;
    beforeAll(async () => {
      workings = await make();
    });
    const path = (): string => `task/2026-01-01T00:00:00.000Z/${randomUUID()}.json`;

    test('what was never put is absent', async () => expect(await workings.get(path())).toBe('absent'));

    test('what was put comes back, byte for byte, empty or of a megabyte', async () => {
      for (const size of [0, 1_000_000]) {
        const [at, bytes] = [path(), randomBytes(size)];
        await workings.put(at, bytes);
        expect(bytes.equals((await workings.get(at)) as Buffer)).toBe(true);
      }
    });

    test('what was put is listed by what its name begins with, and nothing else is', async () => {
      const run = `task/${randomUUID()}`;
      for (const at of [`${run}/part-1.json`, `${run}/part-2.json`, `${run}/plan-0.json`]) await workings.put(at, Buffer.from('x'));
      expect([...(await workings.list(`${run}/part-`))].sort()).toEqual([`${run}/part-1.json`, `${run}/part-2.json`]);
      expect(await workings.list(`${run}/report`)).toEqual([]);
    });

    test('what is put again is what counts', async () => {
      const at = path();
      for (const text of ['first', 'second']) await workings.put(at, Buffer.from(text));
      expect(String(await workings.get(at))).toBe('second');
    });
  });
}
