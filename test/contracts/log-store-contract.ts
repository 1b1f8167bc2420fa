/** What src/ports.ts promises about the log table, for every implementation. `make` gives an empty one each time. */
import { randomBytes } from 'node:crypto';
import type { Head, LogStore, Round } from '../../src/ports';

const head = (size: number, seed = size): Head => ({ size, root: Buffer.alloc(32, seed), edge: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)], mac: Buffer.alloc(32, 3) });
const round = (from: number, n: number, time = '2026-02-03T04:05:06.000Z'): Round => ({ from, n, segment: `segment/${String(from).padStart(20, '0')}/${'ab'.repeat(32)}`, time });
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
const identity = { origin: 'example.com/log/1', systemSubject: 'AAAAAAAAAAAAAAAAAAAAAA' };
const MINUTE = 29_000_000;

export function logStoreContract(name: string, make: () => Promise<LogStore>): void {
  describe(`${name} keeps the log`, () => {
    const initialized = async (): Promise<LogStore> => {
      const log = await make();
      await log.initialize(identity, head(0));
      return log;
    };
    const commit = (log: LogStore, from: number, n: number, more: Partial<Parameters<LogStore['commitRound']>[0]> = {}): Promise<'moved' | 'lost'> =>
      log.commitRound({ expected: head(from), head: head(from + n), round: round(from, n), marks: new Map(), ...more });

    test('nothing is there before it is initialized, and once it is, it stays', async () => {
      const log = await make();
      expect([await log.readHead(), await log.identity()]).toEqual(['absent', 'absent']);
      expect(await log.initialize(identity, head(0))).toBe('created');
      expect(await log.initialize({ ...identity, origin: 'other' }, head(9))).toBe('exists');
      expect(await log.identity()).toEqual(identity);
      expect(await log.readHead()).toEqual(head(0));
    });

    test('of two that initialize at once one does', async () => {
      const log = await make();
      const outcomes = await Promise.all([1, 2, 3].map((i) => log.initialize({ ...identity, origin: `log/${i}` }, head(0))));
      expect(outcomes.toSorted()).toEqual(['created', 'exists', 'exists']);
    });

    test('a round moves the head, and its marks count as sealed under their minutes', async () => {
      const log = await initialized();
      const marks = [randomBytes(16), randomBytes(16), randomBytes(16)] as const;
      expect(await commit(log, 0, 3, { marks: new Map([[MINUTE, [marks[0], marks[1]]], [MINUTE + 1, [marks[2]]]]) })).toBe('moved');
      expect(await log.readHead()).toEqual(head(3));
      expect(await all(log.rounds(0))).toEqual([round(0, 3)]);
      expect(await log.sealedMarks([MINUTE])).toEqual(new Set([marks[0], marks[1]].map((mark) => mark.toString('hex'))));
      expect(await log.sealedMarks([MINUTE, MINUTE + 1, MINUTE + 2])).toEqual(new Set(marks.map((mark) => mark.toString('hex'))));
      expect(await log.sealedMarks([MINUTE + 2])).toEqual(new Set());
      expect(await log.sealedMarks([])).toEqual(new Set());
    });

    test('marks of later rounds add to those of the same minute', async () => {
      const log = await initialized();
      const marks = [randomBytes(16), randomBytes(16)] as const;
      await commit(log, 0, 1, { marks: new Map([[MINUTE, [marks[0]]]]) });
      await commit(log, 1, 1, { marks: new Map([[MINUTE, [marks[1]]]]) });
      expect((await log.sealedMarks([MINUTE])).size).toBe(2);
    });

    test('the head moves only from where it was read, and a lost race writes nothing', async () => {
      const log = await initialized();
      await commit(log, 0, 2);
      const mark = randomBytes(16);
      const other = { ...round(0, 3), segment: `segment/${'0'.repeat(20)}/${'cd'.repeat(32)}` };
      expect(await commit(log, 0, 3, { round: other, marks: new Map([[MINUTE, [mark]]]) })).toBe('lost');
      expect(await commit(log, 2, 1, { expected: head(2, 77), marks: new Map([[MINUTE, [mark]]]) })).toBe('lost');
      expect(await log.readHead()).toEqual(head(2));
      expect(await all(log.rounds(0))).toEqual([round(0, 2)]);
      expect(await log.sealedMarks([MINUTE])).toEqual(new Set());
    });

    test('a round committed before is recognised, also when the head has gone on since', async () => {
      const log = await initialized();
      const marks = new Map([[MINUTE, [randomBytes(16)]]]);
      await commit(log, 0, 2, { marks });
      expect(await commit(log, 0, 2, { marks })).toBe('moved');
      await commit(log, 2, 1);
      expect(await commit(log, 0, 2, { marks })).toBe('moved');
      expect(await log.readHead()).toEqual(head(3));
    });

    test.each([
      ['another round', new Map<number, readonly Buffer[]>()],
      ['marks of another round', new Map([[MINUTE, [randomBytes(16)]]])],
    ])('a head from which %s went on already is corrupt, not lost: trying again would never end', async (what, marks) => {
      const log = await initialized();
      await commit(log, 0, 2);
      await commit(log, 2, 2, { marks: new Map([[MINUTE, [randomBytes(16)]]]) });
      // By hand: the head is put back, and where only marks are to be left, the round is gone.
      const rounds = what === 'another round' ? [round(2, 2)] : [];
      await log.forceHead({ head: head(2), rounds, marks: new Map(), withdrawn: new Map() });
      const other = { ...round(2, 3), segment: `segment/${'2'.padStart(20, '0')}/${'cd'.repeat(32)}` };
      await expect(commit(log, 2, 3, { round: other, marks })).rejects.toMatchObject({ code: 'corrupt' });
      expect(await log.readHead()).toEqual(head(2));
      expect(await all(log.rounds(2))).toEqual(rounds);
      expect((await log.sealedMarks([MINUTE])).size).toBe(1);
    });

    test('of many commits at once exactly one moves the head', async () => {
      const log = await initialized();
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, (_, i) => commit(log, 0, 2, { head: head(2, 100 + i), round: { ...round(0, 2), segment: `segment/${'0'.repeat(20)}/${String(i).repeat(64)}` } })),
      );
      expect(outcomes.filter((outcome) => outcome === 'moved')).toHaveLength(1);
      const winner = outcomes.indexOf('moved');
      expect((await log.readHead()) as Head).toMatchObject({ root: Buffer.alloc(32, 100 + winner) });
    });

    test('a round may have marks in 98 minutes and many in one', async () => {
      const log = await initialized();
      const spread = new Map(Array.from({ length: 98 }, (_, i) => [MINUTE + i, [randomBytes(16)]] as const));
      expect(await commit(log, 0, 98, { marks: spread })).toBe('moved');
      expect((await log.sealedMarks([...spread.keys()])).size).toBe(98);
      expect(await commit(log, 98, 5_000, { marks: new Map([[MINUTE + 200, Array.from({ length: 5_000 }, () => randomBytes(16))]]) })).toBe('moved');
      expect((await log.sealedMarks([MINUTE + 200])).size).toBe(5_000);
    });

    test('rounds come in order, from the one that holds an entry', async () => {
      const log = await initialized();
      for (const [from, n] of [[0, 3], [3, 1], [4, 120]] as const) await commit(log, from, n);
      const from = async (entry: number): Promise<number[]> => (await all(log.rounds(entry))).map((each) => each.from);
      expect(await from(0)).toEqual([0, 3, 4]);
      expect(await from(2)).toEqual([0, 3, 4]);
      expect(await from(3)).toEqual([3, 4]);
      expect(await from(100)).toEqual([4]);
      expect(await from(124)).toEqual([]);
    });

    test('rounds are found by the time they were committed', async () => {
      const log = await initialized();
      for (const i of [0, 1, 2, 3]) await commit(log, i, 1, { round: round(i, 1, `2026-02-03T0${i}:00:00.000Z`) });
      const between = async (since: string, until?: string): Promise<number[]> => (await all(log.roundsByTime(since, until))).map((each) => each.from);
      expect(await between('2026-02-03T01:00:00.000Z', '2026-02-03T03:00:00.000Z')).toEqual([1, 2]);
      expect(await between('2026-02-03T01:00:00.001Z')).toEqual([2, 3]);
      expect(await between('2025-01-01T00:00:00.000Z')).toEqual([0, 1, 2, 3]);
      expect(await between('2027-01-01T00:00:00.000Z')).toEqual([]);
    });

    test('forceHead replaces any head, rounds and marks, drops rounds behind it, and may be repeated', async () => {
      const log = await initialized();
      const [kept, restored] = [randomBytes(16), randomBytes(16)];
      await commit(log, 0, 2, { marks: new Map([[MINUTE, [kept]]]) });
      await commit(log, 2, 2);
      await commit(log, 4, 2);
      const replacement = { ...round(2, 1), segment: `segment/${'2'.padStart(20, '0')}/${'ef'.repeat(32)}` };
      for (let i = 0; i < 2; i++) await log.forceHead({ head: head(3), rounds: [replacement], marks: new Map([[MINUTE, [restored]], [MINUTE + 500, [restored]]]), withdrawn: new Map() });
      expect(await log.readHead()).toEqual(head(3));
      expect(await all(log.rounds(0))).toEqual([round(0, 2), replacement]);
      expect(await log.sealedMarks([MINUTE])).toEqual(new Set([kept, restored].map((mark) => mark.toString('hex'))));
      expect((await log.sealedMarks([MINUTE + 500])).size).toBe(1);
      expect(await commit(log, 3, 4)).toBe('moved');
    });

    test('forceHead withdraws the marks of rounds that are not in the log, and only these', async () => {
      const log = await initialized();
      const [kept, fork, both] = [randomBytes(16), randomBytes(16), randomBytes(16)];
      await commit(log, 0, 2, { marks: new Map([[MINUTE, [kept]]]) });
      await commit(log, 2, 2, { marks: new Map([[MINUTE, [fork, both]], [MINUTE + 1, [fork]]]) });
      const withdrawn = new Map([[MINUTE, new Set([2, 9])], [MINUTE + 1, new Set([2])]]);
      for (let i = 0; i < 2; i++) await log.forceHead({ head: head(2), rounds: [], marks: new Map([[MINUTE, [both]]]), withdrawn });
      expect(await log.sealedMarks([MINUTE, MINUTE + 1])).toEqual(new Set([kept, both].map((mark) => mark.toString('hex'))));
    });

    test('forceHead takes marks of any number of minutes, and of any number in one', async () => {
      const log = await initialized();
      const marks = new Map<number, readonly Buffer[]>(Array.from({ length: 150 }, (_, i) => [MINUTE + i, [randomBytes(16)]]));
      marks.set(MINUTE, Array.from({ length: 30_000 }, () => randomBytes(16)));
      await log.forceHead({ head: head(1), rounds: [round(0, 1)], marks, withdrawn: new Map() });
      expect((await log.sealedMarks([...marks.keys()])).size).toBe(30_149);
    }, 120_000);

    test('unsealed states keep the time of their first sighting until they are forgotten', async () => {
      const log = await initialized();
      await log.noteUnsealed('a', '2026-02-03T00:00:00.000Z');
      await log.noteUnsealed('b', '2026-02-03T01:00:00.000Z');
      await log.noteUnsealed('a', '2026-02-04T00:00:00.000Z');
      await log.forgetUnsealed('b');
      await log.forgetUnsealed('never there');
      expect(await all(log.unsealedStates())).toEqual([{ state: 'a', seenAt: '2026-02-03T00:00:00.000Z' }]);
    });
  });
}
