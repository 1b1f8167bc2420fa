/** Undoing what one operator did: the plan shows it, and what is done is what was shown or nothing. */
import { stringOf } from '../../../src/core/image';
import { withMac } from '../../../src/core/record-mac';
import { bulkRollback, MAX_PLANNED, planBulkRollback } from '../../../src/operations/staff/bulk-rollback';
import { SETTINGS } from './staff-container';
import { customerIdOf, operator, staffWorld, valueOf, type StaffWorld } from './staff-world';

const [hasty, careful, admin] = [operator('support', 1), operator('support', 2), operator('admin')];
const [from, to] = ['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'];
const asked = { operatorId: hasty.operatorId, from, to };
let world: StaffWorld;
beforeEach(() => {
  world = staffWorld();
});
afterEach(() => expect(world.wrong()).toEqual([]));

/** A customer that both changed: the careful one the name before and the tags after. */
async function changedByBoth(n: number): Promise<string> {
  const customerId = await world.receive(n);
  valueOf(await world.editCustomer(careful, { customerId, ifRev: 1, change: { name: 'Ada' } }));
  valueOf(await world.editCustomer(hasty, { customerId, ifRev: 2, change: { name: 'Bea', email: 'b@example.com', tags: ['x'] } }));
  valueOf(await world.editCustomer(careful, { customerId, ifRev: 3, change: { tags: ['x', 'y'] } }));
  return customerId;
}
const planned = async () => valueOf(await world.planBulkRollback(admin, asked));
const applied = async (planId: string) => valueOf(await world.bulkRollback(admin, { ...asked, planId, reason: 'Wrong list.' }));

test('the plan says what would become of each customer, and that the later changes of others stay', async () => {
  const customerId = await changedByBoth(1);
  const { items, planId } = await planned();
  expect(items).toEqual([{ customerId, rev: 4, toRev: 2, changes: [{ field: '/email', before: 'b@example.com' }, { field: '/name', before: 'Bea', after: 'Ada' }], conflict: ['/tags'] }]);
  expect(await applied(planId)).toEqual({ done: [{ customerId, rev: 5 }], stale: [] });
  expect(valueOf(await world.readCustomer(admin, { customerId })).profile).toEqual({ name: 'Ada', tags: ['x', 'y'], custom: {} });
  const [version] = valueOf(await world.listVersions(admin, { customerId, limit: 1 })).items;
  expect(version).toMatchObject({ rev: 5, action: 'rolled-back', by: { operatorId: 'admin-1' }, reason: 'Wrong list.', changes: items[0]!.changes });
  expect(world.all('access').filter((image) => stringOf(image, 'action') === 'BulkRollback').map((image) => stringOf(image, 'customerId'))).toEqual(expect.arrayContaining([customerId, undefined]));
});

test('the time begins with its first instant and ends before its last', async () => {
  const customerId = await world.receive(1);
  for (const [ifRev, name] of [[1, 'Ada'], [2, 'Bea'], [3, 'Cleo']] as const) {
    valueOf(await world.editCustomer(hasty, { customerId, ifRev, change: ifRev === 2 ? { email: 'b@example.com' } : { name } }));
    world.clock.ms += 1_000;
  }
  const plan = async (begin: string, end: string) => valueOf(await world.planBulkRollback(admin, { operatorId: hasty.operatorId, from: `2026-03-01T12:00:${begin}Z`, to: `2026-03-01T12:00:${end}Z` })).items.map(({ changes }) => changes.map(({ field }) => field));
  expect(await plan('00.000', '01.000')).toEqual([]); // the name was changed again since, which stays
  expect(await plan('01.000', '01.001')).toEqual([['/email']]);
  expect(await plan('01.000', '02.000')).toEqual([['/email']]);
  expect(await plan('01.001', '02.000')).toEqual([]);
  expect(await plan('01.000', '02.001')).toEqual([['/email', '/name']]);
});

test('a customer that changed after it was planned is left alone and named; the others are done', async () => {
  const [first, second] = [await changedByBoth(1), await changedByBoth(2)];
  const { planId } = await planned();
  valueOf(await world.editCustomer(careful, { customerId: first, ifRev: 4, change: { phone: '+4915123456789' } }));
  expect(await applied(planId)).toEqual({ done: [{ customerId: second, rev: 5 }], stale: [{ customerId: first, rev: 5 }] });
  // Planned anew it is done as it is now.
  expect(await applied((await planned()).planId)).toEqual({ done: [{ customerId: first, rev: 6 }], stale: [] });
  expect(valueOf(await world.readCustomer(admin, { customerId: first })).profile).toEqual({ name: 'Ada', phone: '+4915123456789', tags: ['x', 'y'], custom: {} });
});

test('a customer that is overtaken while it is being done is left alone and named', async () => {
  const customerId = await changedByBoth(1);
  const { planId } = await planned();
  const racing = world.process(async ({ method }) => {
    if (method === 'transact') valueOf(await world.editCustomer(careful, { customerId, ifRev: 4, change: { phone: '+4915123456789' } }));
    return undefined;
  });
  expect(valueOf(await racing.bulkRollback(admin, { ...asked, planId, reason: 'x' }))).toEqual({ done: [], stale: [{ customerId }] });
});

test('a customer erased after it was planned is left alone and named', async () => {
  const customerId = await changedByBoth(1);
  const { planId } = await planned();
  const image = world.all('customer')[0]!;
  world.records.byHand.decay(withMac(world.macKey, { pk: image['pk']!, sk: image['sk']!, kind: { S: 'tombstone' }, rev: { N: '5' }, subject: image['subject']! }));
  expect(await applied(planId)).toEqual({ done: [], stale: [{ customerId }] });
  world.records.byHand.decay(image);
});

test('that a customer was made is not undone, what was changed after is; an assignment is undone with the rest', async () => {
  const { customerId } = valueOf(await world.createCustomer(admin, { profile: { name: 'Ada', tags: [], custom: {} } }));
  valueOf(await world.editCustomer(admin, { customerId, ifRev: 1, change: { name: 'Bea' } }));
  valueOf(await world.assignCustomer(admin, { customerId, ifRev: 2, ownerId: 'sales-1' }));
  const theirs = { operatorId: admin.operatorId, from, to };
  const { items, planId } = valueOf(await world.planBulkRollback(admin, theirs));
  expect(items).toEqual([{ customerId, rev: 3, toRev: 1, changes: [{ field: '/name', before: 'Bea', after: 'Ada' }, { field: '/ownerId', before: 'sales-1' }] }]);
  valueOf(await world.bulkRollback(operator('admin', 2), { ...theirs, planId, reason: 'x' }));
  expect(valueOf(await world.readCustomer(admin, { customerId })).profile).toEqual({ name: 'Ada', tags: [], custom: {} });
});

test('a custom field that the settings no longer know does not come back, and what was planned with it is stale', async () => {
  const customerId = await world.receive(1);
  valueOf(await world.editCustomer(careful, { customerId, ifRev: 1, change: { name: 'Ada', custom: { city: 'Bonn' } } }));
  valueOf(await world.editCustomer(hasty, { customerId, ifRev: 2, change: { name: 'Bea', custom: { city: null } } }));
  const deps = { ...world.deps, profile: { ...SETTINGS, customFields: {} } };
  const before = await planned();
  expect(before.items.map(({ changes }) => changes.map(({ field }) => field))).toEqual([['/custom/city', '/name']]);
  expect(valueOf(await bulkRollback(deps, admin, { ...asked, planId: before.planId, reason: 'x' }))).toEqual({ done: [], stale: [{ customerId, rev: 3 }] });
  const { items, planId } = valueOf(await planBulkRollback(deps, admin, asked));
  expect(items.map(({ changes }) => changes.map(({ field }) => field))).toEqual([['/name']]);
  expect(valueOf(await bulkRollback(deps, admin, { ...asked, planId, reason: 'x' })).done).toEqual([{ customerId, rev: 4 }]);
  expect(valueOf(await world.readCustomer(admin, { customerId })).profile.custom).toEqual({});
});

test('two who follow one plan at once undo it once', async () => {
  const ids = [await changedByBoth(1), await changedByBoth(2), await changedByBoth(3)];
  const { planId } = await planned();
  const both = await Promise.all([1, 2].map((n) => world.bulkRollback(operator('admin', n), { ...asked, planId, reason: 'x' })));
  for (const { done, stale } of both.map(valueOf)) expect([...done, ...stale].map(({ customerId }) => customerId).sort()).toEqual(ids);
  expect(world.all('version').length).toBe(3 * 3 + 3);
});

test('many customers are planned some at a time, and the next ones after them', async () => {
  const ids: string[] = [];
  for (let n = 1; n <= MAX_PLANNED + 3; n += 1) {
    const customerId = await world.receive(n);
    valueOf(await world.editCustomer(hasty, { customerId, ifRev: 1, change: { name: 'Bea' } }));
    ids.push(customerId);
  }
  const first = await planned();
  expect(first.items.map(({ customerId }) => customerId)).toEqual(ids.slice(0, MAX_PLANNED));
  expect(first.planId.length).toBeLessThan(4_096);
  const rest = valueOf(await world.planBulkRollback(admin, { ...asked, after: first.after }));
  expect([rest.items.map(({ customerId }) => customerId), rest.after]).toEqual([ids.slice(MAX_PLANNED), undefined]);
  expect((await applied(first.planId)).done).toHaveLength(MAX_PLANNED);
  // What is done is not planned again, so without a place to begin it goes on as well.
  expect((await planned()).items.map(({ customerId }) => customerId)).toEqual(ids.slice(MAX_PLANNED));
});

test.each([
  ['nothing', ''],
  ['no plan', 'abc'],
  ['a plan with a line too many', Buffer.from(Array.from({ length: MAX_PLANNED + 1 }, (_, n) => `${customerIdOf(n)} 1 ${'A'.repeat(11)}`).join('\n')).toString('base64url')],
  ['a plan spelt otherwise', `${Buffer.from(`${customerIdOf(1)} 1 ${'A'.repeat(11)}`).toString('base64url')}=`],
])('%s is no plan to follow', async (what, planId) => {
  const result = await world.bulkRollback(admin, { ...asked, planId, reason: 'x' });
  if (what === 'nothing') expect(result).toEqual({ outcome: 'done', value: { done: [], stale: [] } });
  else expect(result).toMatchObject({ refusal: { code: 'conflict' } });
});

test('a plan of another time or operator, or one somebody wrote, does nothing', async () => {
  const customerId = await changedByBoth(1);
  const { planId } = await planned();
  const other = { ...asked, from: '2026-03-01T00:00:00.001Z' };
  expect(valueOf(await world.bulkRollback(admin, { ...other, planId, reason: 'x' }))).toEqual({ done: [], stale: [{ customerId, rev: 4 }] });
  const forged = Buffer.from(`${customerId} 4 ${'A'.repeat(11)}`).toString('base64url');
  expect(await applied(forged)).toEqual({ done: [], stale: [{ customerId, rev: 4 }] });
});

test('only an administrator may, and an end before the beginning is refused', async () => {
  for (const actor of [hasty, operator('sales'), operator('auditor')]) {
    expect(await world.planBulkRollback(actor, asked)).toEqual({ outcome: 'refused', refusal: { code: 'forbidden' } });
    expect(await world.bulkRollback(actor, { ...asked, planId: '', reason: 'x' })).toEqual({ outcome: 'refused', refusal: { code: 'forbidden' } });
  }
  expect(await world.planBulkRollback(admin, { ...asked, from: to, to: from })).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: '/to' }] } });
});
