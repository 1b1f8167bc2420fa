/** The world fails in every way it can, at every call it is asked to answer; then Meta sends the delivery again, and everything is there once. */
import { figure } from '../figures';
import { FAULTS, type Fault } from '../../src/adapters/memory/process';
import { stringOf } from '../../src/core/image';
import { MAX_EVENTS_AT_ONCE } from '../../src/operations/receive-delivery';
import { processInbox } from '../../src/operations/process-inbox';
import { contact, delivery, NUMBER, receivingWorld, text, textDelivery, type ReceivingWorld } from './receiving-world';

const SHEENA = { waId: '16505551234', bsuid: 'US.13491208655302741918' };
const OTHER = { waId: '16505550000' };
const statusOf = (id: string, status: string): object => ({ id, status, timestamp: '1750030073', recipient_id: OTHER.waId });
const numberChange = delivery({ messages: [{ from: '16505551234', id: 'wamid.S', timestamp: '1750269342', type: 'system', system: { body: 'x', wa_id: '12195555358', type: 'user_changed_number' } }] });

const cases: readonly { readonly name: string; readonly before?: string; readonly body: string; readonly kinds: Readonly<Record<string, number>> }[] = [
  { name: 'first contact', body: textDelivery('wamid.A', 'hello', SHEENA), kinds: { message: 1, customer: 1, alias: 2, link: 1 } },
  { name: 'a known customer', before: textDelivery('wamid.0', 'hello', SHEENA), body: textDelivery('wamid.A', 'again', SHEENA), kinds: { message: 2, customer: 1, alias: 2, link: 1 } },
  {
    name: 'several people, a status, bad input and an account event in one delivery',
    body: JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '1',
          changes: [
            {
              field: 'messages',
              value: {
                metadata: { phone_number_id: NUMBER },
                contacts: [contact(SHEENA), contact(OTHER)],
                messages: [text('wamid.A', 'a', SHEENA), text('wamid.B', 'b', OTHER), { type: 'text' }],
                statuses: [statusOf('wamid.C', 'sent'), statusOf('wamid.C', 'read')],
              },
            },
            { field: 'account_alerts', value: { alert: 'x' } },
          ],
        },
      ],
    }),
    kinds: { message: 2, status: 2, field: 1, account: 1, quarantine: 1, 'quarantine-state': 1, customer: 2, alias: 3, link: 2 },
  },
  { name: 'a conflicting body', before: textDelivery('wamid.A', 'first', SHEENA), body: textDelivery('wamid.A', 'second', SHEENA), kinds: { message: 1, conflict: 1, customer: 1, alias: 2, link: 1 } },
  { name: 'content that becomes an object', body: textDelivery('wamid.A', 'x'.repeat(30_000), SHEENA), kinds: { message: 1, customer: 1, alias: 2, link: 1 } },
  { name: 'a change of number', before: textDelivery('wamid.0', 'hello', SHEENA), body: numberChange, kinds: { message: 2, customer: 1, alias: 3, link: 2 } },
];

async function kindsIn(world: ReceivingWorld): Promise<Readonly<Record<string, number>>> {
  const kinds: Record<string, number> = {};
  for (const image of await world.scan()) kinds[stringOf(image, 'kind') ?? ''] = (kinds[stringOf(image, 'kind') ?? ''] ?? 0) + 1;
  return kinds;
}

let converged = 0;
afterAll(() => figure('receiving: one fault at one call, of six kinds', `${converged} tried, every retry converges`));

describe.each(cases)('$name', ({ before, body, kinds }) => {
  const begin = async (): Promise<ReceivingWorld> => {
    const world = receivingWorld();
    if (before !== undefined) await world.process().receive(before);
    return world;
  };
  const callsOf = async (): Promise<number> => {
    const process = (await begin()).process();
    await process.receive(body);
    return process.calls.length;
  };

  test.each(FAULTS)('%s at any call: no answer 200 before all is durable, and the retry converges', async (fault: Fault) => {
    const calls = await callsOf();
    expect(calls).toBeGreaterThan(1);
    for (let at = 0; at < calls; at += 1) {
      const world = await begin();
      const failing = world.process(({ index }) => (index === at ? fault : undefined));
      const first = await failing.receive(body).catch(() => undefined);
      if (first !== undefined) expect(await kindsIn(world)).toEqual(kinds);
      await failing.settle();
      await world.process().receive(body);
      expect(await kindsIn(world)).toEqual(kinds);
      expect(await world.allGenuine()).toBe(true);
      expect(world.records.stream.every(({ op, newImage }) => op === 'INSERT' || (op === 'MODIFY' && stringOf(newImage, 'kind') === 'alias'))).toBe(true);
    }
    converged += calls;
  });
});

test('a store that refuses one event fails the delivery only after all its neighbours were recorded', async () => {
  const world = receivingWorld();
  await world.process().receive(textDelivery('wamid.0', 'hello', SHEENA));
  const ids = Array.from({ length: 20 }, (_, i) => `wamid.${i + 1}`);
  let refused = 0;
  const failing = world.process(({ method }) => (method === 'create' && (refused += 1) === 7 ? 'throttle' : undefined));
  await expect(failing.receive(delivery({ contacts: [contact(SHEENA)], messages: ids.map((id) => text(id, id, SHEENA)) }))).rejects.toMatchObject({ code: 'unavailable' });
  expect((await world.scan('message')).length).toBe(20);
});

describe('a delivery recorded later', () => {
  const messages = Array.from({ length: MAX_EVENTS_AT_ONCE + 1 }, (_, i) => text(`wamid.${i}`, 'x', SHEENA));
  const body = delivery({ contacts: [contact(SHEENA)], messages });

  test.each(FAULTS)('%s while it is put to the inbox: no answer 200 before it is there, and the retry converges', async (fault: Fault) => {
    const world = receivingWorld();
    const failing = world.process(({ index }) => (index === 0 ? fault : undefined));
    const first = await failing.receive(body).catch(() => undefined);
    if (first !== undefined) expect(world.inbox.objects.size).toBe(1);
    await failing.settle();
    expect(await world.process().receive(body)).toMatchObject({ outcome: 'accepted', queued: 1 });
    expect(world.inbox.objects.size).toBe(1);
  });

  test.each(FAULTS)('%s at any call of the first ones and the last ones: brought again it is recorded once and then removed', async (fault: Fault) => {
    const calls = await (async () => {
      const world = receivingWorld();
      await world.process().receive(body);
      const process = world.process();
      await processInbox(process.deps, [...world.inbox.objects.keys()][0]!);
      return process.calls.length;
    })();
    for (const at of [0, 1, 2, 3, 4, 5, 20, calls - 2, calls - 1]) {
      const world = receivingWorld();
      await world.process().receive(body);
      const name = [...world.inbox.objects.keys()][0]!;
      const failing = world.process(({ index }) => (index === at ? fault : undefined));
      await processInbox(failing.deps, name).catch(() => undefined);
      if (world.inbox.objects.size === 0) expect((await world.scan('message')).length).toBe(messages.length);
      await failing.settle();
      await processInbox(world.process().deps, name);
      expect((await world.scan('message')).length).toBe(messages.length);
      expect((await world.scan('customer')).length).toBe(1);
      expect(world.inbox.objects.size).toBe(0);
    }
  });
});
