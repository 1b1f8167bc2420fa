/** The keys table is in two regions, and the second follows by itself: nothing is certified before the key is gone there too, whose backups hold it as long as its own row did. */
import { memoryKeyTable, type MemoryKeyTable } from '../../../src/adapters/memory/keys';
import { stringOf } from '../../../src/core/image';
import { advanceErasures } from '../../../src/operations/erasure/advance-erasures';
import { readErasure } from '../../../src/operations/staff/erasures';
import { ALICE, EVERY_MS, populated, type ErasingWorld } from './erasing-world';

const DAY_MS = 86_400_000;

/** The schedule, with the second region as it is in `offsite`, until the key is gone in the first. */
async function untilKeyed(it: ErasingWorld, offsite: MemoryKeyTable): Promise<() => ReturnType<typeof advanceErasures>> {
  const advance = (): ReturnType<typeof advanceErasures> => advanceErasures({ ...it.container().deps, keysOffsite: offsite });
  for (let run = 0; ![...it.world.keys.subjects.values()].includes('erased'); run++) {
    expect(run).toBeLessThan(20);
    await advance();
    await it.settle();
    it.world.advance(EVERY_MS);
  }
  return advance;
}
const erasedSubject = (it: ErasingWorld): string => [...it.world.keys.subjects].find(([, row]) => row === 'erased')![0];

/** As replication leaves it that has not come so far. */
const behind = (it: ErasingWorld): MemoryKeyTable => {
  const offsite = memoryKeyTable();
  for (const [subject, row] of it.world.keys.subjects) offsite.subjects.set(subject, row);
  return offsite;
};

test('a key that is still in the second region is waited for, and the backups of that region count from when it was gone there', async () => {
  const { it, eve } = await populated(401);
  await it.confirmed(eve);
  const offsite = behind(it);
  const advance = await untilKeyed(it, offsite);
  for (let day = 0; day < 3; day++) {
    expect(await advance()).toMatchObject([{ state: 'keyed', waiting: 'region' }]);
    it.world.advance(DAY_MS);
  }
  expect(await it.images('certificate')).toEqual([]);
  expect(it.world.meter.gauges.get('ErasureAge')).toBeGreaterThan(2 * 86_400);
  // A row that is not there yet says nothing either: the removal makes one.
  offsite.subjects.delete(erasedSubject(it));
  expect(await advance()).toMatchObject([{ state: 'keyed', waiting: 'region' }]);
  offsite.subjects.set(erasedSubject(it), 'erased');
  expect(await advance()).toMatchObject([{ state: 'done', waiting: 'done' }]);
  const view = await readErasure(it.staff, ALICE, { customerId: eve });
  const { keyedAt, recoverableUntil } = (view as { value: { keyedAt: string; recoverableUntil: string } }).value;
  expect(Date.parse(recoverableUntil) - Date.parse(keyedAt)).toBeGreaterThan((35 + 3) * DAY_MS);
});

test('a second region that cannot be asked is no region without the key', async () => {
  const { it, eve } = await populated(402);
  await it.confirmed(eve);
  const offsite = behind(it);
  let isAway = false;
  const advance = await untilKeyed(it, { ...offsite, get: async (subject) => (isAway ? Promise.reject(new Error('no such region today')) : offsite.get(subject)) });
  offsite.subjects.set(erasedSubject(it), 'erased');
  isAway = true;
  await expect(advance()).rejects.toThrow('no such region today');
  expect(await it.images('certificate')).toEqual([]);
});

test('a key that comes back before its certificate is taken again, counted, and then certified', async () => {
  const { it, eve } = await populated(403);
  await it.confirmed(eve);
  const [before, offsite] = [new Map(it.world.keys.subjects), behind(it)];
  const advance = await untilKeyed(it, offsite);
  const subject = erasedSubject(it);
  it.world.keys.subjects.set(subject, before.get(subject)!);
  expect(await advance()).toMatchObject([{ state: 'keyed', waiting: 'running' }]);
  expect([it.world.keys.subjects.get(subject), it.world.meter.counts.get('KeysErasedAgain')]).toEqual(['erased', 1]);
  offsite.subjects.set(subject, 'erased');
  expect(await advance()).toMatchObject([{ state: 'done' }]);
  expect((await it.images('certificate')).map((image) => stringOf(image, 'kind'))).toEqual(['certificate']);
});
