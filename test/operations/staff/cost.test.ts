/** What a request of staff costs in the records table, counted. */
import { indexBytes, itemBytes, writeUnits } from '../../item-bytes';
import { operator, staffWorld, valueOf } from './staff-world';

test('reading a customer is one read, the notes, the links, each of their names, and one put of 3 units, indexes included', async () => {
  const world = staffWorld();
  const customerId = await world.receive(1);
  const container = world.process();
  valueOf(await container.readCustomer(operator('support'), { customerId }));
  expect(container.calls.map(({ method }) => method)).toEqual(['get', 'partition', 'partition', 'create']);
  const [access] = world.all('access');
  expect(itemBytes(access!)).toBeLessThan(1_024);
  // One for the item, one for its entry in each of the two indexes.
  expect(writeUnits(itemBytes(access!)) + 2 * writeUnits(indexBytes(access!) / 2)).toBe(3);
});

test('changing a profile is one read and one transaction of three records', async () => {
  const world = staffWorld();
  const customerId = await world.receive(1);
  const container = world.process();
  valueOf(await container.editCustomer(operator('support'), { customerId, ifRev: 1, change: { name: 'Ada' } }));
  expect(container.calls.map(({ method }) => method)).toEqual(['get', 'transact']);
  expect(world.records.stream.slice(1).map(({ op }) => op)).toEqual(['MODIFY', 'INSERT', 'INSERT']);
});
