/** What a sending system records of what it sent: once, for the right customer, beside its statuses, whatever fails. */
import { hashed } from '../../../src/core/dedupe-key';
import { FAULTS, Killed, type Fault } from '../../../src/adapters/memory/process';
import { stringOf, type Image } from '../../../src/core/image';
import { checkMac, withMac } from '../../../src/core/record-mac';
import { MAX_PAYLOAD_BYTES, type OutboundInput } from '../../../src/core/staff/outbound';
import { viewKeys } from '../../../src/core/table-keys';
import { getMessage } from '../../../src/operations/get-message';
import { projectViews } from '../../../src/operations/project-views';
import { readConversation } from '../../../src/operations/staff/read-conversation';
import { readMessage } from '../../../src/operations/staff/read-message';
import { recordOutbound } from '../../../src/operations/staff/record-outbound';
import { PortError } from '../../../src/ports';
import { figure } from '../../figures';
import { forEachSeed } from '../../seeds';
import { seededSchedule } from '../../../src/adapters/memory/schedule';
import { delivery, NUMBER, receivingWorld, textDelivery, type ReceivingWorld } from '../receiving-world';
import { accessRecords, operator, staffDeps } from './searching-world';

const INTERLEAVINGS = 100;
const SENDER = operator('client-id', 'system');
const SUPPORT = operator('support-1', 'support');
const TO = '16505551234';
const payloadOf = (body: string): Buffer => Buffer.from(JSON.stringify({ messaging_product: 'whatsapp', to: TO, type: 'text', text: { body } }));
const sent = (more: Partial<OutboundInput> = {}): OutboundInput => ({ phoneNumberId: NUMBER, messageId: 'wamid.out', to: TO, payload: payloadOf('your order is on its way'), sentAt: '2026-03-01T11:59:58.120Z', ...more });
const status = (name: string, at: number): string => delivery({ statuses: [{ id: 'wamid.out', status: name, timestamp: String(at), recipient_id: TO }] });
const record = (world: ReceivingWorld, input: OutboundInput = sent(), actor = SENDER) => recordOutbound({ ...staffDeps(world), accounts: new Map() }, actor, input);
const recorded = { outcome: 'done', value: { outcome: 'recorded' } };
const duplicate = { outcome: 'done', value: { outcome: 'duplicate' } };

test.each(['before', 'after'] as const)('recorded %s its statuses, it is one message of one customer with them', async (when) => {
  const world = receivingWorld();
  const [before, after] = when === 'before' ? [true, false] : [false, true];
  if (before) expect(await record(world)).toEqual(recorded);
  await world.process().receive(status('sent', 1_772_366_399));
  await world.process().receive(status('read', 1_772_366_500));
  if (after) expect(await record(world)).toEqual(recorded);
  const customers = await world.scan('customer');
  expect(customers).toHaveLength(1);
  const customerId = stringOf(customers[0], 'customerId')!;
  await projectViews(world, world.records.stream);
  const page = await readConversation(staffDeps(world), SUPPORT, { customerId, limit: 10 });
  expect(page).toMatchObject({ value: { items: [{ kind: 'outbound', direction: 'outbound', type: 'text', text: 'your order is on its way', at: '2026-03-01T11:59:58.000Z', statuses: [{ status: 'sent' }, { status: 'read' }], state: { status: { status: 'read' } } }] } });
  const [found] = await getMessage({ ...world }, 'wamid.out');
  expect(found).toMatchObject({ phoneNumberId: NUMBER, state: { status: { status: 'read' } } });
  expect(found!.records.map(({ image }) => stringOf(image, 'kind'))).toEqual(['outbound', 'status', 'status']);
  expect(await world.views.get(viewKeys.conversation(customerId, NUMBER))).toMatchObject({ sent: { N: '1' }, statuses: { N: '2' }, lastDirection: { S: 'outbound' } });
});

test('the record holds the payload byte for byte, and whose word it is', async () => {
  const world = receivingWorld();
  const payload = Buffer.from(`{ "type":"text", "text" : {"body":"a\\u202eb"},"n":9007199254740993, "to":"${TO}"}`);
  await record(world, sent({ payload }));
  const [image] = await world.scan('outbound');
  expect(Buffer.from((image!['raw'] as { B: Uint8Array }).B).equals(payload)).toBe(true);
  expect(image).toMatchObject({ direction: { S: 'outbound' }, text: { S: 'a\u202eb' }, textClean: { S: 'ab' }, operatorId: { S: 'client-id' }, operatorRole: { S: 'system' }, messageId: { S: 'wamid.out' }, timestamp: { S: '1772366398' } });
  expect(checkMac([world.macKey], image!)).toBe('valid');
  const customerId = stringOf(image, 'customerId')!;
  const message = await readMessage(staffDeps(world), SUPPORT, { customerId, id: hashed(world.dedupe, 'wamid', ['wamid.out']) });
  expect(message.outcome === 'done' && Buffer.from(message.value.messages[0]!.raw!, 'base64').equals(payload)).toBe(true);
});

test('the person is the one who wrote from that number before, or who writes from it later', async () => {
  const world = receivingWorld();
  await world.process().receive(textDelivery('wamid.in', 'hello', { waId: TO, bsuid: 'US.13491208655302741918' }));
  await record(world);
  await record(world, sent({ messageId: 'wamid.by-id', to: 'US.13491208655302741918' }));
  await record(world, sent({ messageId: 'wamid.new', to: '447700900123' }));
  await world.process().receive(textDelivery('wamid.reply', 'who is this?', { waId: '447700900123' }));
  const customerOf = async (id: string): Promise<string | undefined> => stringOf((await world.scan('outbound', 'message')).find((each) => stringOf(each, 'messageId') === id), 'customerId');
  expect(await customerOf('wamid.out')).toBe(await customerOf('wamid.in'));
  expect(await customerOf('wamid.by-id')).toBe(await customerOf('wamid.in'));
  expect(await customerOf('wamid.new')).toBe(await customerOf('wamid.reply'));
  expect(await world.scan('customer')).toHaveLength(2);
});

test('told again, in other white space or later, it is a duplicate; with another content it is refused and kept as evidence, once', async () => {
  const world = receivingWorld();
  expect(await record(world)).toEqual(recorded);
  expect(await record(world)).toEqual(duplicate);
  expect(await record(world, sent({ payload: Buffer.from(JSON.stringify(JSON.parse(payloadOf('your order is on its way').toString()), null, 2)), sentAt: '2026-03-01T12:30:00.000Z' }))).toEqual(duplicate);
  const before = await world.scan('outbound');
  for (const other of [sent({ payload: payloadOf('your order is lost') }), sent({ to: '447700900123' }), sent({ payload: payloadOf('your order is lost') })]) {
    expect(await record(world, other)).toMatchObject({ outcome: 'refused', refusal: { code: 'conflict', detail: expect.stringContaining('evidence') } });
  }
  expect(await world.scan('outbound')).toEqual(before);
  expect((await world.scan('conflict')).map((each) => stringOf(each, 'of'))).toEqual(['outbound', 'outbound']);
  expect(world.meter.counts.get('EventsConflict')).toBe(2);
  expect((await world.scan('access')).map((each) => stringOf(each, 'outcome')).sort()).toEqual(['conflict', 'conflict', 'conflict', 'done', 'done', 'done']);
  expect(world.meter.counts.get('EventsRecorded')).toBe(1);
  // The same id under another business number is another message.
  expect(await record(world, sent({ phoneNumberId: '999' }))).toEqual(recorded);
});

test('a payload that is too long for a record lies beside it; one that is no message is refused', async () => {
  const world = receivingWorld();
  const long = payloadOf('x'.repeat(40_000));
  expect(await record(world, sent({ payload: long }))).toEqual(recorded);
  const [image] = await world.scan('outbound');
  expect(image).not.toHaveProperty('raw');
  expect(Buffer.from((await world.inbox.get(stringOf(image, 'contentName')!)) as Buffer).equals(long)).toBe(true);
  for (const payload of [Buffer.from('[]'), Buffer.from('not JSON'), Buffer.from('"text"'), payloadOf('x'.repeat(MAX_PAYLOAD_BYTES))]) {
    expect(await record(world, sent({ messageId: 'wamid.bad', payload }))).toMatchObject({ outcome: 'refused', refusal: { code: 'invalid', errors: [{ field: '/payload' }] } });
  }
  expect(await world.scan('outbound')).toHaveLength(1);
});

test('only a sending system and support may, and what they did is written down without a number', async () => {
  const world = receivingWorld();
  for (const role of ['sales', 'admin', 'auditor', 'compliance', 'dpo'] as const) expect(await record(world, sent(), operator('somebody', role))).toMatchObject({ refusal: { code: role === 'sales' ? 'forbidden' : expect.any(String) } });
  expect(await world.scan('outbound', 'customer')).toEqual([]);
  await record(world, sent(), SUPPORT);
  await record(world);
  const access = await accessRecords(world);
  expect(access).toHaveLength(7);
  expect(access.filter((each) => stringOf(each, 'decision') === 'allow')).toHaveLength(2);
  expect(JSON.stringify(access)).not.toMatch(/wamid\.|1650555|order/);
});

test('an erased one stays erased', async () => {
  const world = receivingWorld();
  await record(world);
  const [image] = await world.scan('outbound');
  const { pk, sk, subject, receivedAt } = image!;
  const tombstone: Image = withMac(world.macKey, { pk: pk!, sk: sk!, kind: { S: 'tombstone' }, rev: { N: '2' }, subject: subject!, receivedAt: receivedAt! });
  world.records.byHand.put(tombstone);
  expect(await record(world)).toEqual(duplicate);
  expect(await record(world, sent({ payload: payloadOf('something else') }))).toEqual(duplicate);
  expect(await world.scan('outbound', 'conflict')).toEqual([]);
});

test('the access log says whose message was recorded, refused or told again', async () => {
  const world = receivingWorld();
  await record(world);
  await record(world);
  for (let i = 0; i < 2; i += 1) await record(world, sent({ payload: payloadOf('your order is lost') }));
  const [customer] = await world.scan('customer');
  const access = await accessRecords(world);
  expect(access.map((each) => [stringOf(each, 'outcome'), stringOf(each, 'customerId')])).toEqual(['done', 'done', 'conflict', 'conflict'].map((outcome) => [outcome, stringOf(customer, 'customerId')]));
});

test('somebody new, what was sent to them and its access record are one transaction', async () => {
  const world = receivingWorld();
  const { deps, calls } = world.process();
  await recordOutbound({ ...staffDeps(world), ...deps }, SENDER, sent());
  expect(calls.filter(({ method }) => ['create', 'replace', 'transact'].includes(method)).map(({ method }) => method)).toEqual(['transact']);
  expect(await world.scan('customer', 'alias', 'link', 'outbound', 'access')).toHaveLength(5);
});

test('senders and a receiver who meet the same person at once make one customer, in whatever order', async () => {
  let overtaken = 0;
  await forEachSeed('first contacts at once', INTERLEAVINGS, async (seed) => {
    const world = receivingWorld(seed);
    const schedule = seededSchedule(seed);
    const turn = async (): Promise<undefined> => {
      await schedule.turn();
      return undefined;
    };
    const transactions: (() => number)[] = [];
    const send = (messageId: string, body: string) => async (): Promise<unknown> => {
      const { deps, calls } = world.process(turn, { remembers: false });
      transactions.push(() => calls.filter(({ method }) => method === 'transact').length);
      return recordOutbound({ ...staffDeps(world), ...deps }, SENDER, sent({ messageId, payload: payloadOf(body) }));
    };
    const receive = async (): Promise<unknown> => world.process(turn, { remembers: false }).receive(textDelivery('wamid.in', 'hello', { waId: TO }));
    const settled = await schedule.run<unknown>([send('wamid.a', 'one'), send('wamid.a', 'one'), send('wamid.a', 'two'), send('wamid.b', 'three'), receive]);
    for (const each of settled) if (each.status === 'rejected') throw each.reason;
    const [customer, ...others] = await world.scan('customer');
    expect(others).toEqual([]);
    const messages = await world.scan('outbound', 'message');
    expect(messages.map((each) => stringOf(each, 'messageId')).sort()).toEqual(['wamid.a', 'wamid.b', 'wamid.in']);
    expect(new Set([...messages, ...(await world.scan('alias', 'conflict', 'access'))].map((each) => stringOf(each, 'customerId')))).toEqual(new Set([stringOf(customer, 'customerId')]));
    expect((await world.scan('access')).length).toBe(4);
    expect((await world.scan('conflict')).length).toBeGreaterThan(0);
    overtaken += transactions.filter((count) => count() > 1).length;
  });
  expect(overtaken).toBeGreaterThan(INTERLEAVINGS / 4);
  figure('outbound: interleavings of first contacts', `${INTERLEAVINGS} tried, ${overtaken} senders overtaken, one customer each time`);
});

let converged = 0;
afterAll(() => figure('recording what was sent: one fault at one call, of six kinds', `${converged} tried, every retry converges to one record`));

describe.each([
  ['first contact', []],
  ['a known customer', [textDelivery('wamid.in', 'hello', { waId: TO })]],
  ['statuses that came first', [status('sent', 1)]],
] as const)('%s', (_, before) => {
  test.each(FAULTS)('converges after %s at any one call', async (fault: Fault) => {
    const begin = async (): Promise<ReceivingWorld> => {
      const world = receivingWorld();
      for (const body of before) await world.process().receive(body);
      return world;
    };
    for (const input of [sent(), sent({ payload: payloadOf('x'.repeat(30_000)) })]) {
      for (let index = 0, calls = 1; index < calls; index += 1) {
        const world = await begin();
        const { deps, calls: made, settle } = world.process((call) => (call.index === index ? fault : undefined));
        const outcome = await recordOutbound({ ...staffDeps(world), ...deps }, SENDER, input).catch((error: unknown) => {
          if (error instanceof Killed || error instanceof PortError) return 'failed' as const;
          throw error;
        });
        await settle();
        calls = Math.max(calls, made.length);
        if (outcome !== 'failed') expect(outcome).toMatchObject({ outcome: 'done' });
        const access = (await accessRecords(world)).length;
        expect(await record(world, input)).toMatchObject({ outcome: 'done' });
        expect(await record(world, input)).toEqual(duplicate);
        expect(await world.scan('outbound')).toHaveLength(1);
        expect(await world.scan('customer')).toHaveLength(1);
        expect(await world.scan('conflict')).toEqual([]);
        // Every answer has its line, and what was answered nobody lacks one.
        expect((await accessRecords(world)).length).toBe(access + 2);
        if (outcome !== 'failed') expect(access).toBe(1);
        expect(await world.allGenuine()).toBe(true);
        converged += 1;
      }
    }
  });
});
