/** What staff decide about who is who is sealed like everything else: the sealer objects to nothing, every record stays under the subject it was made under, and a restore brings all of it back. */
import { loadSecrets } from '../../../src/operations/load-secrets';
import { stringOf } from '../../../src/core/image';
import { recordKeys } from '../../../src/core/table-keys';
import { authorize } from '../../../src/operations/staff/authorize';
import { createCustomer } from '../../../src/operations/staff/create-customer';
import { linkAlias, unlinkAlias } from '../../../src/operations/staff/link-alias';
import { mergeCustomers, unmergeCustomers } from '../../../src/operations/staff/merge-customers';
import { readCustomer } from '../../../src/operations/staff/read-customer';
import { findingsIn } from '../../world';
import { restoringWorld, textsOf } from '../restoring-world';
import { SETTINGS } from './staff-container';
import { operator, valueOf } from './staff-world';

const support = operator('support');
const reason = 'They told us.';

test('linked, merged, taken back and taken away: sealed without a finding, and restored', async () => {
  const { world, settle, restore, itemsIn } = await restoringWorld(3);
  const deps = { records: world.records, keys: loadSecrets(world), meter: world.meter, now: world.now, random: world.random, authorize, identity: async () => world.identity, profile: SETTINGS };
  const [ann = '', bob = ''] = await Promise.all(['Ann', 'Bob'].map(async (name) => valueOf(await createCustomer(deps, support, { profile: { name, tags: [], custom: {} } })).customerId));
  const [number, other] = [{ type: 'wa-id', value: '16505550001' }, { type: 'wa-id', value: '16505550002' }] as const;
  for (const alias of [number, other]) valueOf(await linkAlias(deps, support, { customerId: bob, alias, reason }));
  valueOf(await mergeCustomers(deps, support, { customerId: ann, other: bob, reason }));
  await settle();
  world.advance(60_000);
  valueOf(await unlinkAlias(deps, support, { customerId: ann, alias: other, reason }));
  expect(valueOf(await unmergeCustomers(deps, support, { customerId: ann, other: bob, reason })).stayed).toMatchObject([{ why: 'held-by-nobody' }]);
  await settle();
  expect([await findingsIn(world), world.check()]).toEqual([[], []]);
  // Three holders of one number: whose record each is, that one's subject seals.
  const subjects = await Promise.all([bob, ann, bob].map(async (id) => stringOf((await world.records.get(recordKeys.customer(id), { consistent: true })) as never, 'subject')));
  const { aliasId } = valueOf(await readCustomer(deps, support, { customerId: bob })).aliases[0]!;
  const holders: (string | undefined)[] = [];
  for await (const image of world.records.partition(recordKeys.alias(aliasId).pk)) holders.push(stringOf(image, 'subject'));
  expect(holders).toEqual(subjects);
  const log = Buffer.concat(world.entries().map(({ bytes }) => bytes)).toString();
  for (const content of [number.value, other.value, reason, ann, bob]) expect(log).not.toContain(content);
  await settle();
  await restore('scratch');
  expect(textsOf(itemsIn('scratch'))).toEqual(textsOf(itemsIn('records')));
});
