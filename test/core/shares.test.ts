/** Whose turn it is: followed from the clock alone, over many runs. */
import { finerShare, isOfShare, isTurnOfReplica, shareAt } from '../../src/core/shares';

const HOUR_MS = 3_600_000;
const runs = (n: number, everyHours: number): Date[] => Array.from({ length: n }, (_, i) => new Date(Date.parse('2026-02-03T04:05:06Z') + i * everyHours * HOUR_MS));

describe('the turn of the replica', () => {
  test.each([[1, 2], [4, 4], [4, 2], [7, 3], [6, 4], [90, 90]])('of %i shares, one drill in %i uses it, and every share comes to it', (of, every) => {
    const times = runs(of * every * of, 24);
    const turns = times.filter((at) => isTurnOfReplica(at, 24, of, every));
    expect(Math.abs(turns.length - times.length / every)).toBeLessThanOrEqual(of);
    expect(new Set(turns.map((at) => shareAt(at, 24, of).number)).size).toBe(of);
    // Never so seldom that nobody would notice: the longest wait is under two rounds of it.
    const gaps = turns.slice(1).map((at, i) => (at.getTime() - turns[i]!.getTime()) / (24 * HOUR_MS));
    expect(Math.max(...gaps)).toBeLessThan(2 * every);
  });

  test('is every one, or none', () => {
    for (const at of runs(50, 24)) expect([isTurnOfReplica(at, 24, 4, 1), isTurnOfReplica(at, 24, 4, 0)]).toEqual([true, false]);
  });
});

describe('finer shares', () => {
  test.each([[1, 3], [7, 1], [7, 4], [4, 5]])('of one of %i, %i of them, hold what it holds, each in exactly one', (of, into) => {
    const names = Array.from({ length: 2_000 }, (_, i) => `name ${i}`);
    for (let number = 0; number < of; number++) {
      const share = { number, of };
      const finer = Array.from({ length: into }, (_, i) => finerShare(share, into, i));
      for (const name of names) expect(finer.filter((each) => isOfShare(name, each))).toHaveLength(isOfShare(name, share) ? 1 : 0);
    }
  });
});
