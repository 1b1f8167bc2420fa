/** The access log of an erasure that takes several: it is found by each of them, whichever it was asked for. */
import { queryAccess } from '../../../src/operations/staff/query-access';
import { askErasure, readErasure, withdrawErasure } from '../../../src/operations/staff/erasures';
import { mergeCustomers } from '../../../src/operations/staff/merge-customers';
import { ALICE, BOB, populated } from './erasing-world';

test('an erasure of a customer is found in the access log by whoever is merged with them, from the asking to the certificate', async () => {
  const { it, eve, other } = await populated(611);
  const next = async (step: Promise<{ readonly outcome: string }>): Promise<void> => {
    expect(await step).toMatchObject({ outcome: 'done' });
    await it.settle();
    it.world.advance(1_000);
  };
  const id = '01JGFJM0A1B2C3D4E5F6G7H8J9';
  await next(mergeCustomers(it.staff, ALICE, { customerId: other, other: eve, reason: 'one person' }));
  await next(askErasure(it.staff, ALICE, { customerId: other, reason: 'by mistake', id }));
  await next(askErasure(it.staff, ALICE, { customerId: other, reason: 'by mistake', id }));
  await next(withdrawErasure(it.staff, BOB, { customerId: other, requestId: id }));
  const requestId = await it.confirmed(other);
  await next(readErasure(it.staff, BOB, { customerId: other }));
  await it.untilDone();
  await next(readErasure(it.staff, BOB, { customerId: eve }));

  const range = { from: '2026-02-01T00:00:00.000Z', to: '2026-03-01T00:00:00.000Z', limit: 100 };
  for (const customerId of [eve, other]) {
    const page = await queryAccess({ ...it.staff, views: it.views }, ALICE, { ...range, customerId });
    const lines = page.outcome === 'done' ? page.value.items.map(({ api, resources }) => [api.operation, resources[1]?.uid]) : [];
    // The asking and the confirmation are of one moment here.
    expect(lines.slice().reverse().map(([operation]) => operation).sort()).toEqual(['AskErasure', 'AskErasure', 'AskErasure', 'AskErasure', 'ConfirmErasure', 'MergeCustomers', 'ReadErasure', 'ReadErasure']);
    expect(lines.filter(([operation, of]) => operation === 'ConfirmErasure' && of === requestId)).toHaveLength(1);
  }
});
