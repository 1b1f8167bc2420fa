/** What staff do is sealed like everything else: the sealer objects to nothing, the audit finds the table to be what the log says, and a restore brings back every version, note and access record. */
import { loadSecrets } from '../../../src/operations/load-secrets';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { viewsOf } from '../../../src/core/views';
import { stringOf } from '../../../src/core/image';
import { recordKeys, viewKeys } from '../../../src/core/table-keys';
import { authorize } from '../../../src/operations/staff/authorize';
import { addNote } from '../../../src/operations/staff/add-note';
import { createCustomer } from '../../../src/operations/staff/create-customer';
import { editCustomer } from '../../../src/operations/staff/edit-customer';
import { listVersions } from '../../../src/operations/staff/list-versions';
import { readCustomer } from '../../../src/operations/staff/read-customer';
import { rollbackCustomer } from '../../../src/operations/staff/rollback-customer';
import { findingsIn, type World } from '../../world';
import { auditedWorld, auditFindings } from '../audited-world';
import { restoringWorld, textsOf } from '../restoring-world';
import { SETTINGS } from './staff-container';
import { operator, valueOf } from './staff-world';

const [support, sales] = [operator('support'), operator('sales')];
const deps = (world: World) => ({ records: world.records, keys: loadSecrets(world), meter: world.meter, now: world.now, random: world.random, authorize, identity: async () => world.identity, profile: SETTINGS });

/** A customer made, changed three times, noted about, read, and refused to somebody. */
async function work(world: World): Promise<string> {
  const staff = deps(world);
  const { customerId } = valueOf(await createCustomer(staff, support, { profile: { name: 'Ada Lovelace', phone: '+4915123456789', tags: ['vip'], custom: { visits: 2 } } }));
  valueOf(await editCustomer(staff, support, { customerId, ifRev: 1, change: { email: 'ada@example.com', custom: { visits: null, city: 'London' } }, reason: 'She wrote.' }));
  valueOf(await addNote(staff, support, { customerId, text: 'Prefers mornings.' }));
  world.advance(1_000);
  valueOf(await rollbackCustomer(staff, support, { customerId, ifRev: 2, toRev: 1, reason: 'Another Ada.' }));
  valueOf(await readCustomer(staff, support, { customerId }));
  expect(await readCustomer(staff, sales, { customerId })).toMatchObject({ outcome: 'refused' });
  return customerId;
}

test('sealed without a finding, each record under its own subject, the customer\'s with the customer\'s', async () => {
  const { world, settle } = await restoringWorld(1);
  const customerId = await work(world);
  await settle();
  expect(await findingsIn(world)).toEqual([]);
  expect(world.check()).toEqual([]);
  const customer = await world.records.get(recordKeys.customer(customerId), { consistent: true });
  const subject = customer === 'absent' ? undefined : stringOf(customer, 'subject');
  const sealed = world.entries().map(({ entry }) => [entry.kind, entry.subject === subject ? 'customer' : entry.subject === world.identity.systemSubject ? 'system' : 'another']);
  expect(sealed.filter(([, whose]) => whose === 'customer').map(([kind]) => kind).sort()).toEqual(['customer', 'customer', 'customer', 'note', 'version', 'version', 'version']);
  expect(sealed.filter(([, whose]) => whose === 'system').map(([kind]) => kind)).toEqual(Array(6).fill('access'));
  // Nothing of the customer stands in clear in the log.
  const log = Buffer.concat(world.entries().map(({ bytes }) => bytes)).toString();
  for (const content of ['Lovelace', '4915123456789', 'ada@example.com', 'mornings', customerId, 'support1@example.com', '192.0.2.1']) expect(log).not.toContain(content);
});

test('a restore brings all of it back, and the versions still follow one from another', async () => {
  const { world, settle, restore, itemsIn } = await restoringWorld(2);
  const customerId = await work(world);
  await settle();
  await restore('scratch');
  const restored = itemsIn('scratch');
  expect(textsOf(restored)).toEqual(textsOf(itemsIn('records')));
  expect(restored.filter((image) => ['version', 'note', 'access'].includes(stringOf(image, 'kind') ?? ''))).toHaveLength(3 + 1 + 6);
  expect(valueOf(await listVersions(deps(world), support, { customerId, limit: 9 })).items.map(({ action }) => action)).toEqual(['rolled-back', 'edited', 'created']);
});

test('the audit finds the table to be what the log says, and a version that was taken away', async () => {
  const audited = await auditedWorld(3);
  const customerId = await work(audited.world);
  await audited.settle();
  expect(await audited.audit()).toMatchObject({ ok: true, findings: 0 });
  const key = recordKeys.version(customerId, 2);
  audited.world.records.byHand.remove(key);
  await audited.settle();
  expect(await audited.audit()).toMatchObject({ ok: false });
  expect(await auditFindings(audited)).toEqual([`record-missing ${JSON.stringify(key)}`]);
});

test('the views count what staff do by day and kind, and nothing of it is a conversation', async () => {
  const { world } = await restoringWorld(4);
  await work(world);
  const views = memoryViews();
  const images = world.records.byHand.all().filter((image) => ['version', 'note', 'access'].includes(stringOf(image, 'kind') ?? ''));
  const updates = images.flatMap(viewsOf);
  expect(updates.map(({ key }) => key)).toEqual(images.map((image) => viewKeys.counter('2026-02-03', stringOf(image, 'kind') ?? '')));
  for (const update of updates) await views.apply(update);
  for (const [kind, n] of [['version', '3'], ['note', '1'], ['access', '6']] as const) expect(await views.get(viewKeys.counter('2026-02-03', kind))).toMatchObject({ n: { N: n } });
});
