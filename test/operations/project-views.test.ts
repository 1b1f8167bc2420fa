import * as fc from 'fast-check';
import { memoryViews } from '../../src/adapters/memory/view-store';
import { stringOf, type Image } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { accessImage, type AccessEvent } from '../../src/core/staff/access-record';
import { viewKeys } from '../../src/core/table-keys';
import { getMessage } from '../../src/operations/get-message';
import { listRecords } from '../../src/operations/list-records';
import { projectViews, rebuildViews } from '../../src/operations/project-views';
import type { StreamEvent, ViewStore } from '../../src/ports';
import { contact, delivery, NUMBER, receivingWorld, textDelivery, type ReceivingWorld } from './receiving-world';

const SHEENA = { waId: '16505551234' };
const act = (id: string, type: string, body: object, at: number): object => ({ from: SHEENA.waId, id, timestamp: String(at), type, [type]: body });
const status = (name: string, at: number): string => delivery({ statuses: [{ id: 'wamid.out', status: name, timestamp: String(at), recipient_id: SHEENA.waId }] });

const projecting = ({ views, keys, now }: ReceivingWorld) => ({ views, keys, now });

/** A day with one customer: texts, an echo with statuses, an edit, reactions, a revoke, something unreadable. */
async function day() {
  const world = receivingWorld();
  const bodies = [
    textDelivery('wamid.1', 'first', SHEENA, 100),
    textDelivery('wamid.2', 'second', SHEENA, 200),
    delivery({ message_echoes: [{ from: '15550783881', to: SHEENA.waId, id: 'wamid.out', timestamp: '300', type: 'text', text: { body: 'our answer' } }] }, { field: 'smb_message_echoes' }),
    status('sent', 301),
    status('read', 303),
    status('delivered', 302),
    delivery({ contacts: [contact(SHEENA)], messages: [act('wamid.e', 'edit', { original_message_id: 'wamid.1', message: { type: 'text', text: { body: 'first, corrected' } } }, 110)] }),
    delivery({ messages: [act('wamid.r1', 'reaction', { message_id: 'wamid.out', emoji: '👍' }, 310), act('wamid.r2', 'reaction', { message_id: 'wamid.out', emoji: '❤️' }, 320)] }),
    delivery({ messages: [act('wamid.v', 'revoke', { original_message_id: 'wamid.2' }, 250)] }),
    'not JSON',
  ];
  for (const body of bodies) await world.process().receive(body);
  const customerId = stringOf((await world.scan('customer'))[0], 'customerId')!;
  return { world, customerId };
}

async function dump(views: ViewStore, customerId: string): Promise<readonly Image[]> {
  const found: Image[] = [];
  for (const pk of [`c#${customerId}`, 'n#2026-03-01', `d#${NUMBER}#2026-03-01`]) for await (const view of views.partition(pk)) found.push(view);
  return found;
}

test('a conversation shows its counts and its latest message by the time it was written, and holds no word of it', async () => {
  const { world, customerId } = await day();
  await projectViews(projecting(world), world.records.stream);
  const conversation = await world.views.get(viewKeys.conversation(customerId, NUMBER));
  expect(conversation).toMatchObject({ inbound: { N: '2' }, outbound: { N: '1' }, statuses: { N: '3' }, edit: { N: '1' }, reaction: { N: '2' }, revoke: { N: '1' }, lastAt: { S: '320' }, lastKind: { S: 'reaction' } });
  const all = JSON.stringify(await dump(world.views, customerId));
  for (const content of ['first', 'second', 'our answer', '👍', SHEENA.waId, 'Sheena', 'wamid']) expect(all).not.toContain(content);
  expect(await world.views.get(viewKeys.counter('2026-03-01', 'status'))).toMatchObject({ n: { N: '3' } });
  expect(await world.views.get(viewKeys.counter('2026-03-01', 'quarantine'))).toMatchObject({ n: { N: '1' } });
});

test('the views are the same in any order, with repeats, and rebuilt from the table', async () => {
  const { world, customerId } = await day();
  await projectViews(projecting(world), world.records.stream);
  const expected = await dump(world.views, customerId);
  const events = world.records.stream;
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length }), fc.integer({ min: 1, max: 7 }), async (shuffled, size) => {
      const views = memoryViews();
      for (let i = 0; i < shuffled.length; i += size) await projectViews({ ...projecting(world), views }, shuffled.slice(i, i + size));
      expect(await dump(views, customerId)).toEqual(expected);
    }),
    { numRuns: 20 },
  );
  const rebuilt = memoryViews();
  await rebuildViews({ ...projecting(world), views: rebuilt, records: world.records });
  expect(await dump(rebuilt, customerId)).toEqual(expected);
  // Over existing ones it only completes.
  expect(await rebuildViews({ ...projecting(world), records: world.records })).toMatchObject({ applied: 0 });
});

test('what somebody wrote by hand, changed or removed changes no view and stops nothing', async () => {
  const { world, customerId } = await day();
  await projectViews(projecting(world), world.records.stream);
  const expected = await dump(world.views, customerId);
  const [message] = await world.scan('message');
  world.records.byHand.put({ ...message!, text: { S: 'forged' } });
  world.records.byHand.remove({ pk: stringOf(message, 'pk')!, sk: stringOf(message, 'sk')! });
  world.records.byHand.put({ pk: { S: 'x' }, sk: { S: 'y' } });
  world.records.byHand.put({ pk: { S: 'x' }, sk: { S: 'z' }, kind: { S: 'nonsense' }, receivedAt: { S: '' } });
  await projectViews(projecting(world), world.records.stream as readonly StreamEvent[]);
  expect(await dump(world.views, customerId)).toEqual(expected);
});

test('an answer that showed several customers leaves a row under each, once, without a word; one that somebody wrote by hand leaves none', async () => {
  const world = receivingWorld();
  const event: AccessEvent = {
    at: '2026-03-01T12:00:00.123Z', id: 'AAAAAAAAAAAA', action: 'ListCustomers', resourceType: 'Customers', decision: { allowed: true, policies: ['p'] }, outcome: 'done', count: 2, shown: ['one', 'two'], searched: ['tag:h'],
    actor: { operatorId: 'o-1', name: 'ada', role: 'support', sourceIp: '192.0.2.7', userAgent: 'tests', requestId: 'r' },
  };
  const ours = withMac(world.macKey, accessImage(event, 'S'.repeat(22)));
  await world.records.create(ours);
  world.records.byHand.put(accessImage({ ...event, id: 'BBBBBBBBBBBB' }, 'S'.repeat(22)));
  world.records.byHand.put({ ...ours, sk: { S: `${event.at}#CCCCCCCCCCCC` } });
  const rows = async (views: ViewStore): Promise<readonly Image[]> => {
    const found: Image[] = [];
    for (const customerId of ['one', 'two', 'three']) for await (const view of views.partition(viewKeys.shown(customerId, '').pk)) found.push(view);
    return found;
  };
  const expected = ['one', 'two'].map((customerId) => ({ pk: { S: `w#${customerId}` }, sk: { S: '2026-03-01T12:00:00.123Z#AAAAAAAAAAAA' } }));
  await projectViews(projecting(world), world.records.stream);
  expect(await rows(world.views)).toEqual(expected);
  expect(await projectViews(projecting(world), world.records.stream)).toMatchObject({ applied: 0 });
  const rebuilt = memoryViews();
  await rebuildViews({ ...projecting(world), views: rebuilt, records: world.records });
  expect(await rows(rebuilt)).toEqual(expected);
});

describe('a message asked for', () => {
  const get = async (id: string) => {
    const { world } = await day();
    await projectViews(projecting(world), world.records.stream);
    return { world, found: await getMessage({ records: world.records, views: world.views, keys: world.keys, meter: world.meter }, id) };
  };

  test('is what the records about it make it', async () => {
    const { found } = await get('wamid.out');
    expect(found).toMatchObject([{ phoneNumberId: NUMBER, state: { status: { status: 'read', at: 303 }, reactions: [{ emoji: '❤️', at: 320 }] } }]);
    expect(found[0]!.records.map(({ image }) => stringOf(image, 'kind')).sort()).toEqual(['message', 'status', 'status', 'status']);
    expect((await get('wamid.1')).found[0]!.state.edited).toEqual({ id: 'wamid.e', at: 110, text: 'first, corrected' });
    const revoked = (await get('wamid.2')).found[0]!;
    expect(revoked.state.revoked).toEqual({ id: 'wamid.v', at: 250 });
    expect(stringOf(revoked.records[0]!.image, 'text')).toBe('second');
  });

  test('and never received is not found', async () => {
    expect((await get('wamid.never')).found).toEqual([]);
  });

  test('and changed by hand is shown as not genuine and counts for nothing', async () => {
    const { world } = await day();
    const read = (await world.scan('status')).find((image) => stringOf(image, 'status') === 'delivered')!;
    world.records.byHand.put({ ...read, status: { S: 'played' } });
    const [found] = await getMessage({ records: world.records, views: world.views, keys: world.keys, meter: world.meter }, 'wamid.out');
    expect(found!.state.status?.status).toBe('read');
    expect(found!.records.filter(({ isGenuine }) => !isGenuine)).toHaveLength(1);
    expect(world.meter.counts.get('RecordMacInvalid')).toBe(1);
  });
});

test('records are listed newest first, by kind and time, up to a limit that says how much it hides', async () => {
  const world = receivingWorld();
  for (let i = 0; i < 30; i += 1) {
    await world.process().receive(textDelivery(`wamid.${i}`, 'x', SHEENA));
    world.clock.ms += 1000;
  }
  const deps = { records: world.records, keys: world.keys, meter: world.meter };
  const { records, matched } = await listRecords(deps, { kinds: ['message'], limit: 3 });
  expect(records.map(({ image }) => stringOf(image, 'messageId'))).toEqual(['wamid.29', 'wamid.28', 'wamid.27']);
  expect(matched).toBe(30);
  expect((await listRecords(deps, { kinds: ['message'], since: '2026-03-01T12:00:28.000Z', limit: 10 })).matched).toBe(2);
});
