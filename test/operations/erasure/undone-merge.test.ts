/** What docs/erasure.md says of a wrong merge that was undone: what the erasure of the one leaves with the other, and nothing else. */
import { stringOf } from '../../../src/core/image';
import { mergeCustomers, unmergeCustomers } from '../../../src/operations/staff/merge-customers';
import { textDelivery } from '../receiving-world';
import { ALICE, EVE, populated, SECRETS } from './erasing-world';

test('the erasure of who was merged into somebody else by mistake leaves with the other: the name, the reasons of staff, and what was recorded meanwhile', async () => {
  const { it, eve, other } = await populated(601);
  const step = { customerId: other, other: eve };
  expect(await mergeCustomers(it.staff, ALICE, { ...step, reason: 'why they were merged' })).toMatchObject({ outcome: 'done' });
  await it.settle();
  it.world.advance(120_000);
  await it.receiver().receive(textDelivery('wamid.between', 'the words in between', EVE));
  await it.settle();
  expect(await unmergeCustomers(it.staff, ALICE, { ...step, reason: 'why they were taken apart' })).toMatchObject({ outcome: 'done' });
  await it.settle();
  await it.confirmed(eve);
  expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
  expect((await it.audit()).findings).toBe(0);

  const left = async (needle: string): Promise<readonly string[]> => {
    const places = new Set((await it.holding(needle)).filter((place) => place.startsWith('record')));
    return [...new Set((await it.images()).filter((image) => places.has(`record ${stringOf(image, 'pk')} ${stringOf(image, 'sk')}`)).map((image) => `${stringOf(image, 'kind')} of ${stringOf(image, 'customerId') === other ? 'the other' : 'whom?'}`))].sort();
  };
  expect(await left(EVE.waId)).toEqual(['alias of the other', 'message of the other']);
  expect(await left(EVE.bsuid)).toEqual(['alias of the other', 'message of the other']);
  for (const why of ['why they were merged', 'why they were taken apart']) expect([why, await left(why)]).toEqual([why, ['link of the other', 'version of the other']]);
  expect(await left('the words in between')).toEqual(['message of the other']);
  for (const secret of SECRETS.filter((each) => each !== EVE.waId && each !== EVE.bsuid)) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
});
