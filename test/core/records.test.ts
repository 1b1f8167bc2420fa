/** The cost of a record and what it says. */
import { aliasKey, aliasOf } from '../../src/core/customer-aliases';
import type { Image } from '../../src/core/image';
import { secondsOf } from '../../src/core/records';
import { indexBytes, itemBytes, writeUnits as units } from '../item-bytes';
import { receivingWorld, delivery } from '../operations/receiving-world';

/** As long as Meta's longest examples in every member, username and parent id included. */
const SENDER = { wa_id: '165055512345678', user_id: 'US.13491208655302741918', parent_user_id: 'US.ENT.11815799212886844830' };
const inbound = (body: string): string =>
  delivery({
    contacts: [{ profile: { name: 'Sheena Alexandra Nelson', username: '@realsheenanelson' }, ...SENDER }],
    messages: [
      {
        from: SENDER.wa_id,
        from_user_id: SENDER.user_id,
        from_parent_user_id: SENDER.parent_user_id,
        id: `wamid.${'x'.repeat(64)}`,
        timestamp: '1749416383',
        text: { body },
        type: 'text',
      },
    ],
  });

test('an inbound text of 1 KB from a known customer costs 1 read, 1 write request and at most 4 write units, index included', async () => {
  const world = receivingWorld();
  await world.process().receive(inbound('first').replace('xxx', 'yyy'));
  const process = world.process();
  expect(await process.receive(inbound('x'.repeat(1024)))).toMatchObject({ recorded: 1 });
  expect(process.calls.map(({ port, method }) => `${port}.${method}`)).toEqual(['records.get', 'records.create']);
  const image = world.records.stream.at(-1)!.newImage!;
  const cost = { item: itemBytes(image), index: indexBytes(image) };
  expect(units(cost.item) + units(cost.index)).toBeLessThanOrEqual(4);
});

test('a short text costs at most 3 write units', async () => {
  const world = receivingWorld();
  await world.process().receive(inbound('Does it come in another color?'));
  const [image] = (await world.scan('message')) as [Image];
  expect(units(itemBytes(image)) + units(indexBytes(image))).toBeLessThanOrEqual(3);
});

test('first contact costs 3 reads, one transaction and one write request', async () => {
  const world = receivingWorld();
  const process = world.process();
  await process.receive(inbound('hello'));
  expect(process.calls.map(({ method }) => method)).toEqual(['get', 'get', 'partition', 'partition', 'transact', 'create']);
});

test('no key of a record holds a message id, a number or a user id', async () => {
  const world = receivingWorld();
  await world.process().receive(inbound('hello'));
  for (const image of await world.scan()) {
    const keys = JSON.stringify([image['pk'], image['sk'], image['customerId'], image['subject']]);
    for (const personal of ['wamid', SENDER.wa_id, SENDER.user_id, SENDER.parent_user_id]) expect(keys).not.toContain(personal);
  }
});

test('the holders of an alias have keys of their own', () => {
  const alias = aliasOf(Buffer.alloc(32), 'wa-id', '1');
  expect([0, 1, 12].map((n) => aliasKey(alias, n).sk)).toEqual(['alias', 'alias#1', 'alias#12']);
});

test.each([
  ['1749416383', 1749416383],
  ['', 7],
  ['1e9', 7],
  ['-5', 7],
  ['123456789012', 7],
  [undefined, 7],
])('the time %p is %p seconds', (timestamp, seconds) => {
  expect(secondsOf(timestamp, 7)).toBe(seconds);
});
