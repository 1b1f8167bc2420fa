/** The store fails in every way it can at every call of what staff do. There is never a change without its version and access record, never one of these without the change, and never an answer that was not written down. */
import { figure } from '../../figures';
import { FAULTS, type Fault } from '../../../src/adapters/memory/process';
import { stringOf } from '../../../src/core/image';
import { withMac } from '../../../src/core/record-mac';
import { profileOf } from '../../../src/core/staff/profile';
import { customerIdOf, operator, staffWorld, valueOf, type StaffWorld } from './staff-world';

const [support, admin, auditor] = [operator('support'), operator('admin'), operator('auditor')];
const from = '2026-03-01T00:00:00.000Z';
const to = '2026-03-02T00:00:00.000Z';
type Container = ReturnType<StaffWorld['process']>;

/** A customer at rev 3, named and then tagged. */
async function begun(): Promise<{ readonly world: StaffWorld; readonly customerId: string; readonly planId: string }> {
  const world = staffWorld();
  const customerId = await world.receive(1);
  valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada' } }));
  valueOf(await world.editCustomer(operator('support', 2), { customerId, ifRev: 2, change: { tags: ['a'] } }));
  const { planId } = valueOf(await world.planBulkRollback(admin, { operatorId: 'support-1', from, to }));
  return { world, customerId, planId };
}

const id = customerIdOf(9);
const changes: readonly { readonly name: string; readonly run: (container: Container, at: { readonly customerId: string; readonly planId: string }) => Promise<{ readonly outcome: string }>; readonly made: (world: StaffWorld) => unknown; readonly becomes: unknown }[] = [
  { name: 'making a customer', run: ({ createCustomer }) => createCustomer(support, { profile: { name: 'New', tags: [], custom: {} }, id }), made: (world) => world.all('customer').length, becomes: 2 },
  { name: 'an edit', run: ({ editCustomer }, { customerId }) => editCustomer(support, { customerId, ifRev: 3, change: { email: 'a@example.com' } }), made: (world) => profileOf(world.all('customer')[0]!), becomes: { name: 'Ada', email: 'a@example.com', tags: ['a'], custom: {} } },
  { name: 'an assignment', run: ({ assignCustomer }, { customerId }) => assignCustomer(admin, { customerId, ifRev: 3, ownerId: 'sales-1' }), made: (world) => profileOf(world.all('customer')[0]!), becomes: { name: 'Ada', tags: ['a'], ownerId: 'sales-1', custom: {} } },
  { name: 'a rollback', run: ({ rollbackCustomer }, { customerId }) => rollbackCustomer(support, { customerId, ifRev: 3, toRev: 2, reason: 'x' }), made: (world) => profileOf(world.all('customer')[0]!), becomes: { name: 'Ada', tags: [], custom: {} } },
  { name: 'a note', run: ({ addNote }, { customerId }) => addNote(support, { customerId, text: 'hello', id }), made: (world) => world.all('note').length, becomes: 1 },
  { name: 'a bulk rollback', run: ({ bulkRollback }, { planId }) => bulkRollback(admin, { operatorId: 'support-1', from, to, planId, reason: 'x' }), made: (world) => profileOf(world.all('customer')[0]!), becomes: { tags: ['a'], custom: {} } },
];

let tried = 0;
afterAll(() => figure('staff: one fault at one call of a change or a read, of six kinds', `${tried} tried, no change and no answer without its access record`));

const doneRecords = (world: StaffWorld): number => world.all('access').filter((image) => stringOf(image, 'outcome') === 'done').length;

describe.each(changes)('$name', ({ run, made, becomes }) => {
  const callsOf = async (): Promise<number> => {
    const { world, ...at } = await begun();
    const container = world.process();
    expect((await run(container, at)).outcome).toBe('done');
    expect(made(world)).toEqual(becomes);
    return container.calls.length;
  };

  test.each(FAULTS)('%s at any call: whole or not at all, and the same request once more completes it', async (fault: Fault) => {
    const calls = await callsOf();
    expect(calls).toBeGreaterThan(1);
    for (let at = 0; at < calls; at += 1) {
      const { world, ...place } = await begun();
      const before = { made: made(world), done: doneRecords(world) };
      const failing = world.process(({ index }) => (index === at ? fault : undefined));
      const first = await run(failing, place).catch((error: unknown) => error as Error);
      expect(world.wrong()).toEqual([]);
      if (!(first instanceof Error)) expect([first.outcome, made(world)]).toEqual(['done', becomes]);
      // Whatever became of it, it was made together with its access record.
      expect(JSON.stringify(made(world)) !== JSON.stringify(before.made)).toBe(doneRecords(world) > before.done);
      await failing.settle();
      expect(world.wrong()).toEqual([]);
      const again = await run(world.process(), place);
      // An edit that was made after all is stale the second time, and so says that it was.
      if (again.outcome === 'refused') expect(again).toMatchObject({ refusal: { code: 'stale', rev: 4 } });
      expect(made(world)).toEqual(becomes);
      expect(world.wrong()).toEqual([]);
    }
    tried += calls;
  });

  test.each(['error-before', 'error-after', 'throttle', 'timeout'] as const)('%s at the writing: tried again at once, and done once', async (fault) => {
    const { world, ...place } = await begun();
    let failed = 0;
    const failing = world.process(({ method }) => (method === 'transact' && (failed += 1) === 1 ? fault : undefined));
    expect((await run(failing, place)).outcome).toBe('done');
    await failing.settle();
    expect(made(world)).toEqual(becomes);
    expect(world.wrong()).toEqual([]);
  });

  test('a store that takes no access record takes no change', async () => {
    const { world, ...place } = await begun();
    const before = JSON.stringify([made(world), world.records.stream.length]);
    const failing = world.process(({ method }) => (method === 'transact' || method === 'create' ? 'error-before' : undefined));
    await expect(run(failing, place)).rejects.toMatchObject({ code: 'unavailable' });
    expect(JSON.stringify([made(world), world.records.stream.length])).toBe(before);
  });
});

const reads: readonly { readonly name: string; readonly run: (container: Container, at: { readonly customerId: string }) => Promise<{ readonly outcome: string }> }[] = [
  { name: 'reading a customer', run: ({ readCustomer }, { customerId }) => readCustomer(support, { customerId }) },
  { name: 'reading one there is not', run: ({ readCustomer }) => readCustomer(support, { customerId: customerIdOf(5) }) },
  { name: 'reading one without the right', run: ({ readCustomer }, { customerId }) => readCustomer(operator('sales'), { customerId }) },
  { name: 'listing versions', run: ({ listVersions }, { customerId }) => listVersions(support, { customerId, limit: 2 }) },
  { name: 'the profile at a time', run: ({ customerAt }, { customerId }) => customerAt(support, { customerId, at: to }) },
  { name: 'a stale edit', run: ({ editCustomer }, { customerId }) => editCustomer(support, { customerId, ifRev: 2, change: { name: 'x' } }) },
  { name: 'planning a bulk rollback', run: ({ planBulkRollback }) => planBulkRollback(admin, { operatorId: 'support-1', from, to }) },
  { name: 'asking the access log', run: ({ queryAccess }) => queryAccess(auditor, { from, to, limit: 9 }) },
  { name: 'asking who saw a customer', run: ({ queryAccess }, { customerId }) => queryAccess(auditor, { customerId, from, to, limit: 9 }) },
  { name: 'a refused request', run: ({ queryAccess }) => queryAccess(support, { from, to, limit: 9 }) },
];

describe.each(reads)('$name', ({ run }) => {
  test.each(FAULTS)('%s at any call: no answer that is not written down, and once written down it is written once', async (fault: Fault) => {
    const calls = await (async () => {
      const { world, customerId } = await begun();
      const container = world.process();
      await run(container, { customerId });
      return container.calls.length;
    })();
    for (let at = 0; at < calls; at += 1) {
      const { world, customerId } = await begun();
      const before = world.all('access').length;
      const failing = world.process(({ index }) => (index === at ? fault : undefined));
      const first = await run(failing, { customerId }).catch((error: unknown) => error as Error);
      if (!(first instanceof Error)) expect(world.all('access').length).toBe(before + 1);
      await failing.settle();
      expect(world.all('access').length - before).toBeLessThanOrEqual(1);
      expect(world.wrong()).toEqual([]);
    }
    tried += calls;
  });

  test('without a store that takes the access record there is no answer', async () => {
    const { world, customerId } = await begun();
    const failing = world.process(({ method }) => (method === 'create' ? 'throttle' : undefined));
    await expect(run(failing, { customerId })).rejects.toMatchObject({ code: 'unavailable' });
  });
});

test('no note for a customer who is erased between the decision and the writing', async () => {
  const { world, customerId } = await begun();
  const image = world.all('customer')[0]!;
  const racing = world.process(({ method }) => {
    if (method === 'transact') world.records.byHand.decay(withMac(world.macKey, { pk: image['pk']!, sk: image['sk']!, kind: { S: 'tombstone' }, rev: { N: '9' }, subject: image['subject']! }));
    return undefined;
  });
  expect(await racing.addNote(support, { customerId, text: 'x' })).toEqual({ outcome: 'refused', refusal: { code: 'not-found' } });
  expect(world.all('note')).toEqual([]);
});

test('an answer waits for its access record', async () => {
  const { world, customerId } = await begun();
  let written = false;
  const slow = world.process(async ({ method }) => {
    if (method === 'create') {
      await new Promise((resolve) => setImmediate(resolve));
      written = true;
    }
    return undefined;
  });
  const answered = slow.readCustomer(support, { customerId }).then(() => written);
  expect(await answered).toBe(true);
});
