/** Several staff at one customer at once, in orders drawn from seeds: no update is lost, and everybody who was overtaken is told so. */
import { figure } from '../../figures';
import { forEachSeed } from '../../seeds';
import { seededSchedule } from '../../../src/adapters/memory/schedule';
import { profileOf } from '../../../src/core/staff/profile';
import { operator, staffWorld, valueOf } from './staff-world';

const INTERLEAVINGS = 150;

test('edits, assignments, rollbacks and notes at once: every one that was done is there', async () => {
  let [tried, overtaken] = [0, 0];
  await forEachSeed('edits at once', INTERLEAVINGS, async (seed) => {
    const world = staffWorld(seed);
    const schedule = seededSchedule(seed);
    const customerId = await world.receive(1);
    const container = () =>
      world.process(async () => {
        await schedule.turn();
        return undefined;
      });
    /** Reads, adds one, and begins again from what a refusal says, until it is done. */
    const add = (n: number) => async (): Promise<void> => {
      const { readCustomer, editCustomer } = container();
      for (;;) {
        const { rev, profile } = valueOf(await readCustomer(operator('support', n), { customerId }));
        const visits = Number(profile.custom['visits'] ?? 0) + 1;
        const result = await editCustomer(operator('support', n), { customerId, ifRev: rev, change: { custom: { visits } } });
        if (result.outcome === 'done') return;
        if (result.refusal.code !== 'stale') throw new Error(`refused: ${result.refusal.code}`);
        overtaken += 1;
        // Somebody got ahead: the refusal says what they did.
        expect(result.refusal.rev).toBeGreaterThan(rev);
        expect(result.refusal.changes.length).toBeGreaterThan(0);
      }
    };
    const assign = async (): Promise<void> => {
      const { assignCustomer, readCustomer } = container();
      for (;;) {
        const { rev } = valueOf(await readCustomer(operator('admin'), { customerId }));
        const result = await assignCustomer(operator('admin'), { customerId, ifRev: rev, ownerId: 'sales-1' });
        if (result.outcome === 'done') return;
        overtaken += 1;
      }
    };
    const note = async (): Promise<void> => void valueOf(await container().addNote(operator('support', 9), { customerId, text: 'x' }));
    const settled = await schedule.run([add(1), add(2), add(3), assign, note]);
    for (const each of settled) if (each.status === 'rejected') throw each.reason;
    expect(profileOf(world.all('customer')[0]!)).toEqual({ ownerId: 'sales-1', tags: [], custom: { visits: 3 } });
    expect(world.all('version').length).toBe(4);
    expect(world.all('note').length).toBe(1);
    expect(world.wrong()).toEqual([]);
    tried += 1;
  });
  expect(overtaken).toBeGreaterThan(tried / 4);
  figure('staff: interleavings of concurrent edits', `${tried} tried, ${overtaken} edits overtaken and told so, no update lost`);
});

test('two requests for one rollback: one is made, the other is told', async () => {
  await forEachSeed('rollbacks at once', INTERLEAVINGS / 5, async (seed) => {
    const world = staffWorld(seed);
    const schedule = seededSchedule(seed);
    const customerId = await world.receive(1);
    valueOf(await world.editCustomer(operator('support'), { customerId, ifRev: 1, change: { name: 'Ada' } }));
    const back = (n: number) => () =>
      world
        .process(async () => {
          await schedule.turn();
          return undefined;
        })
        .rollbackCustomer(operator('support', n), { customerId, ifRev: 2, toRev: 1, reason: 'x' });
    const outcomes = (await schedule.run([back(1), back(2)])).map((each) => (each.status === 'fulfilled' ? each.value.outcome : 'failed'));
    expect([...outcomes].sort()).toEqual(['done', 'refused']);
    expect(world.wrong()).toEqual([]);
  });
});

test('two customers made under one id at once: one is made, and both are told of it', async () => {
  await forEachSeed('one id at once', INTERLEAVINGS / 5, async (seed) => {
    const world = staffWorld(seed);
    const schedule = seededSchedule(seed);
    const id = `01K${'7'.repeat(23)}`;
    const make = () =>
      world
        .process(async () => {
          await schedule.turn();
          return undefined;
        })
        .createCustomer(operator('support'), { profile: { name: 'Ada', tags: [], custom: {} }, id });
    const values = (await schedule.run([make, make])).map((each) => (each.status === 'fulfilled' ? valueOf(each.value).customerId : 'failed'));
    expect(values).toEqual([id, id]);
    expect([world.all('customer').length, world.wrong()]).toEqual([1, []]);
  });
});
