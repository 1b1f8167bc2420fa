/** Bounded concurrency: order kept, bound kept, nothing left running after an error. */
import { inParallel } from '../../src/operations/in-parallel';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('doing things in parallel', () => {
  test('keeps the order of results and the bound on what is in flight', async () => {
    let [running, most] = [0, 0];
    const results = await inParallel([5, 1, 4, 2, 3, 0], 3, async (n, index) => {
      most = Math.max(most, ++running);
      for (let i = 0; i < n; i++) await tick();
      running--;
      return `${index}:${n}`;
    });
    expect(results).toEqual(['0:5', '1:1', '2:4', '3:2', '4:3', '5:0']);
    expect(most).toBe(3);
    expect(await inParallel([], 3, async () => 1)).toEqual([]);
  });

  test('begins nothing after an error, and throws it only when all in flight has settled', async () => {
    const begun: number[] = [];
    let settled = 0;
    const work = inParallel([0, 1, 2, 3, 4], 2, async (n) => {
      begun.push(n);
      await tick();
      if (n === 0) throw new Error('the first');
      await tick();
      settled++;
    });
    await expect(work).rejects.toThrow('the first');
    expect(begun).toEqual([0, 1]);
    expect(settled).toBe(1);
  });
});
