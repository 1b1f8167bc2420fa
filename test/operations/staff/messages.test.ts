/** The conversation with one customer, one of its messages, and its proof, as staff get them. */
import { stringOf, type Image } from '../../../src/core/image';
import { hashed } from '../../../src/core/dedupe-key';
import { checkDisclosure } from '../../../src/core/disclosure';
import { loadSecrets } from '../../../src/operations/load-secrets';
import { projectViews } from '../../../src/operations/project-views';
import { withMac } from '../../../src/core/record-mac';
import { asMerged, withMerged } from '../../../src/core/staff/identity';
import { recordKeys } from '../../../src/core/table-keys';
import type { Actor } from '../../../src/core/staff/actor';
import type { TimelineItem } from '../../../src/core/staff/timeline';
import { proveMessage } from '../../../src/operations/staff/prove-message';
import { MAX_KEYS, readConversation } from '../../../src/operations/staff/read-conversation';
import { recordOutbound } from '../../../src/operations/staff/record-outbound';
import { readMessage } from '../../../src/operations/staff/read-message';
import { delivery as deliveryOf, memoryDeployment } from '../../cli/command-run';
import { forEachSeed } from '../../seeds';
import { seededDraw } from '../../../src/adapters/memory/schedule';
import { contact, delivery, NUMBER, receivingWorld, text, textDelivery, type ReceivingWorld } from '../receiving-world';
import { accessRecords, authorize, operator, staffDeps } from './searching-world';

const SUPPORT = operator('support-1', 'support');
const SHEENA = { waId: '16505551234' };
const PAUL = { waId: '447700900123' };
const act = (id: string, type: string, body: object, at: number, from = SHEENA.waId): object => ({ from, id, timestamp: String(at), type, [type]: body });
const status = (id: string, name: string, at: number, more: object = {}): string => delivery({ statuses: [{ id, status: name, timestamp: String(at), recipient_id: SHEENA.waId, ...more }] });
const echo = (id: string, body: string, at: number): string => delivery({ message_echoes: [{ from: '15550783881', to: SHEENA.waId, id, timestamp: String(at), type: 'text', text: { body } }] }, { field: 'smb_message_echoes' });
const edit = (id: string, of: string, body: string, at: number): string => delivery({ messages: [act(id, 'edit', { original_message_id: of, message: { type: 'text', text: { body } } }, at)] });
const reaction = (id: string, of: string, emoji: string, at: number): string => delivery({ messages: [act(id, 'reaction', { message_id: of, emoji }, at)] });
const revoke = (id: string, of: string, at: number): string => delivery({ messages: [act(id, 'revoke', { original_message_id: of }, at)] });

async function worldOf(...bodies: readonly string[]) {
  const world = receivingWorld();
  for (const body of bodies) {
    await world.process().receive(body);
    world.clock.ms += 1_000;
  }
  await projectViews(world, world.records.stream);
  const customerOf = async (waId: string): Promise<string> => stringOf((await world.scan('alias')).find((each) => stringOf(each, 'aliasValue') === waId), 'customerId') ?? '';
  return { world, customerId: await customerOf(SHEENA.waId), customerOf };
}

/** Every page of a conversation, but for what cannot be read. */
async function all(world: ReceivingWorld, customerId: string, limit = 100, actor: Actor = SUPPORT): Promise<readonly TimelineItem[]> {
  const items: TimelineItem[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const result = await readConversation(staffDeps(world), actor, { customerId, limit, ...(cursor !== undefined && { cursor }) });
    if (result.outcome !== 'done') throw new Error(JSON.stringify(result.refusal));
    expect(result.value.items.length).toBeLessThanOrEqual(limit);
    items.push(...result.value.items.flatMap((item) => (item.kind === 'unreadable' ? [] : [item])));
    cursor = result.value.cursor;
  }
  return items;
}
/** What names a message's records. */
const idOf = ({ dedupe }: Pick<ReceivingWorld, 'dedupe'>, messageId: string): string => hashed(dedupe, 'wamid', [messageId]);
const ids = (items: readonly TimelineItem[]): string[] => items.map(({ messageId }) => messageId);

test('each message stands once, newest first, with its edits, reactions, revokes and statuses', async () => {
  const { world, customerId } = await worldOf(
    textDelivery('wamid.1', 'fir\u202est', SHEENA, 100),
    echo('wamid.2', 'our answer', 200),
    status('wamid.2', 'sent', 201),
    edit('wamid.e', 'wamid.1', 'first, corrected', 210),
    status('wamid.2', 'read', 220),
    reaction('wamid.r', 'wamid.2', '👍', 230),
    textDelivery('wamid.3', 'never mind', SHEENA, 300),
    revoke('wamid.v', 'wamid.3', 310),
  );
  const items = await all(world, customerId);
  expect(ids(items)).toEqual(['wamid.3', 'wamid.2', 'wamid.1']);
  expect(items[2]).toMatchObject({
    kind: 'message', direction: 'inbound', at: '1970-01-01T00:01:40.000Z', type: 'text', text: 'fir\u202est', textClean: 'first', removed: [{ codePoint: 'U+202E', why: 'bidi-override', count: 1, first: 3 }],
    edits: [{ messageId: 'wamid.e', by: 'customer', text: 'first, corrected' }],
    state: { edited: { messageId: 'wamid.e', text: 'first, corrected' } },
  });
  expect(items[1]).toMatchObject({ direction: 'outbound', text: 'our answer', statuses: [{ status: 'sent' }, { status: 'read' }], state: { status: { status: 'read', at: '1970-01-01T00:03:40.000Z' }, reactions: [{ by: 'customer', emoji: '👍' }] } });
  // What was taken back is taken back; what was said stays.
  expect(items[0]).toMatchObject({ text: 'never mind', state: { revoked: { messageId: 'wamid.v' } } });
});

test('statuses of what nobody recorded stand for it, once; an edit of what never came stands by itself', async () => {
  const { world, customerId } = await worldOf(textDelivery('wamid.0', 'x', SHEENA), status('wamid.out', 'sent', 10), status('wamid.out', 'delivered', 11), edit('wamid.e', 'wamid.lost', 'corrected', 20));
  const items = await all(world, customerId);
  expect(items.map(({ kind, messageId }) => [kind, messageId])).toEqual([['edit', 'wamid.e'], ['status', 'wamid.out'], ['message', 'wamid.0']]);
  expect(items[0]).toMatchObject({ originalMessageId: 'wamid.lost', text: 'corrected' });
  expect(items[1]).toMatchObject({ direction: 'outbound', statuses: [{ status: 'sent' }, { status: 'delivered' }] });
});

test('whatever the size of a page, the pages are the conversation', async () => {
  await forEachSeed('conversations in pages', 2, async (seed) => {
    const draw = seededDraw(seed);
    const bodies = Array.from({ length: 30 }, (_, i) => {
      const of = `wamid.${Math.floor(draw() * 30)}`;
      const kind = Math.floor(draw() * 6);
      if (kind === 0) return status(of, 'delivered', 100 + i);
      if (kind === 1) return reaction(`wamid.r${i}`, of, '👍', 100 + i);
      if (kind === 2) return edit(`wamid.e${i}`, of, 'corrected', 100 + i);
      // Several in one delivery have one time.
      return delivery({ contacts: [contact(SHEENA)], messages: [text(`wamid.${i}`, 'x', SHEENA, 100 + i), text(`wamid.${i}b`, 'y', SHEENA, 100 + i)] });
    });
    const { world, customerId } = await worldOf(...bodies);
    const whole = await all(world, customerId);
    expect(whole.length).toBeGreaterThan(15);
    expect(new Set(ids(whole)).size).toBe(whole.length);
    for (const limit of [1, 2, 7]) expect(await all(world, customerId, limit)).toEqual(whole);
    // Nothing recorded is missing: every message, and every act, is an item or hangs on one.
    const shown = whole.flatMap(({ messageId, edits, reactions, revokes }) => [messageId, ...[...edits, ...reactions, ...revokes].map((each) => each.messageId)]);
    const recorded = (await world.scan('message', 'edit', 'reaction', 'status')).map((each) => stringOf(each, 'messageId'));
    expect([...new Set(shown)].sort()).toEqual([...new Set(recorded)].sort());
  });
});

test('what one page looks at is bounded, and an empty page goes on', async () => {
  const { world, customerId } = await worldOf(textDelivery('wamid.0', 'x', SHEENA));
  const [customer] = await world.scan('customer');
  for (let n = 0; n < MAX_KEYS + 10; n += 1) {
    world.records.byHand.put({ ...(customer as Image), pk: { S: `access#${n}` }, receivedAt: { S: new Date(world.clock.ms + 1_000 + n).toISOString() } });
  }
  const first = await readConversation(staffDeps(world), SUPPORT, { customerId, limit: 10 });
  expect(first).toMatchObject({ outcome: 'done', value: { items: [], cursor: expect.any(String) } });
  expect(ids(await all(world, customerId))).toEqual(['wamid.0']);
});

test('no page ends within what came in one millisecond before all of it was put in order', async () => {
  const { world, customerId } = await worldOf(textDelivery('wamid.0', 'x', SHEENA));
  const [message] = await world.scan('message');
  for (let n = 0; n < MAX_KEYS + 10; n += 1) world.records.byHand.put({ ...(message as Image), pk: { S: `access#${n}` } });
  expect(ids(await all(world, customerId))).toEqual(['wamid.0']);
});

test('of a group a customer’s conversation shows what is theirs: not who else read or reacted', async () => {
  const inGroup = { recipient_type: 'group', recipient_id: '120@g.us' };
  const { world, customerId, customerOf } = await worldOf(
    textDelivery('wamid.0', 'x', SHEENA),
    textDelivery('wamid.p', 'y', PAUL),
    textDelivery('wamid.s', 'from Sheena', SHEENA),
    status('wamid.g', 'read', 10, { ...inGroup, recipient_participant_id: SHEENA.waId }),
    status('wamid.g', 'delivered', 11, { ...inGroup, recipient_participant_id: PAUL.waId }),
    delivery({ messages: [act('wamid.r', 'reaction', { message_id: 'wamid.s', emoji: '👎' }, 30, PAUL.waId)] }),
  );
  const hers = JSON.stringify(await all(world, customerId));
  expect(hers).toContain('"participant":"16505551234"');
  expect(hers).not.toMatch(new RegExp(`${PAUL.waId}|👎|delivered|${await customerOf(PAUL.waId)}`));
  const his = await all(world, await customerOf(PAUL.waId));
  expect(JSON.stringify(his)).not.toMatch(new RegExp(`${SHEENA.waId}|from Sheena|"read"|${customerId}`));
});

describe('one message', () => {
  const read = async (world: ReceivingWorld, customerId: string, messageId: string, actor: Actor = SUPPORT) => readMessage(staffDeps(world), actor, { customerId, id: idOf(world, messageId) });

  test('comes with the very bytes it came in, wherever they are kept, and with what contradicts it', async () => {
    const long = 'x'.repeat(30_000);
    const { world, customerId } = await worldOf(textDelivery('wamid.1', 'one', SHEENA), textDelivery('wamid.1', 'another', SHEENA), textDelivery('wamid.2', long, SHEENA));
    const one = await read(world, customerId, 'wamid.1');
    expect(one).toMatchObject({ outcome: 'done', value: { messages: [{ id: idOf(world, 'wamid.1'), text: 'one', evidence: [{ kind: 'conflict', of: 'message', text: 'another' }] }] } });
    const bytesOf = (result: Awaited<typeof one>): string => (result.outcome === 'done' ? Buffer.from(result.value.messages[0]?.raw ?? '', 'base64').toString() : '');
    expect(JSON.parse(bytesOf(one))).toMatchObject({ id: 'wamid.1', text: { body: 'one' } });
    expect(JSON.parse(bytesOf(await read(world, customerId, 'wamid.2')))).toMatchObject({ text: { body: long } });
    const [name] = [...(await world.scan('message'))].flatMap((each) => stringOf(each, 'contentName') ?? []);
    await world.inbox.remove(name!);
    expect(await read(world, customerId, 'wamid.2')).toMatchObject({ value: { messages: [{ rawMissing: 'gone' }] } });
  });

  test('of another customer is not found, like one that never was, and no access record names it by its id', async () => {
    const { world, customerOf } = await worldOf(textDelivery('wamid.1', 'one', SHEENA), textDelivery('wamid.p', 'two', PAUL));
    const paul = await customerOf(PAUL.waId);
    const refusals = [await read(world, paul, 'wamid.1'), await read(world, paul, 'wamid.never'), await readMessage(staffDeps(world), SUPPORT, { customerId: paul, id: 'wamid.p' })];
    for (const refusal of refusals) expect(refusal).toEqual({ outcome: 'refused', refusal: { code: 'not-found' } });
    await read(world, paul, 'wamid.p');
    const access = await accessRecords(world);
    expect(access.map((each) => stringOf(each, 'outcome')).sort()).toEqual(['done', 'not-found', 'not-found', 'not-found']);
    expect(access.flatMap((each) => stringOf(each, 'resourceId') ?? []).sort()).toEqual(['wamid.1', 'wamid.never', 'wamid.p'].map((id) => hashed(world.dedupe, 'wamid', [id])).sort());
    expect(JSON.stringify(access)).not.toContain('wamid.');
  });

  test('that was changed by hand is not shown alone; in the conversation its place says so, and the others are shown', async () => {
    const { world, customerId } = await worldOf(textDelivery('wamid.1', 'one', SHEENA), textDelivery('wamid.2', 'two', SHEENA), textDelivery('wamid.3', 'three', SHEENA));
    const forged = (await world.scan('message')).find((each) => stringOf(each, 'messageId') === 'wamid.2')!;
    world.records.byHand.put({ ...forged, text: { S: 'forged' } });
    await expect(read(world, customerId, 'wamid.2')).rejects.toMatchObject({ code: 'corrupt' });
    const page = await readConversation(staffDeps(world), SUPPORT, { customerId, limit: 100 });
    const items: readonly unknown[] = page.outcome === 'done' ? page.value.items : [];
    expect(items).toHaveLength(3);
    expect(items).toEqual(expect.arrayContaining([{ id: idOf(world, 'wamid.2'), kind: 'unreadable', unreadable: 1 }, expect.objectContaining({ text: 'one' }), expect.objectContaining({ text: 'three' })]));
    expect(JSON.stringify(page)).not.toContain('forged');
    expect((await accessRecords(world)).at(-1)).toMatchObject({ outcome: { S: 'done' }, count: { N: '3' }, unreadable: { N: '1' } });
  });

  test('of which one record was changed by hand is shown without it, and says that there is one', async () => {
    const { world, customerId } = await worldOf(textDelivery('wamid.1', 'one', SHEENA), reaction('wamid.r', 'wamid.1', '👍', 1_772_366_500), reaction('wamid.s', 'wamid.1', '🎉', 1_772_366_501));
    const put = async (id: string): Promise<void> => world.records.byHand.put({ ...(await world.scan('reaction')).find((each) => stringOf(each, 'messageId') === id)!, text: { S: 'forged' } });
    await put('wamid.r');
    expect(await all(world, customerId)).toEqual(expect.arrayContaining([expect.objectContaining({ text: 'one', reactions: [expect.objectContaining({ text: '🎉' })], unreadable: 1 })]));
    expect(JSON.stringify(await all(world, customerId))).not.toContain('forged');
  });

  test('that is another’s stays unknown, whatever somebody did to it by hand', async () => {
    const { world, customerOf } = await worldOf(textDelivery('wamid.1', 'one', SHEENA), textDelivery('wamid.p', 'two', PAUL));
    const forged = (await world.scan('message')).find((each) => stringOf(each, 'messageId') === 'wamid.1')!;
    world.records.byHand.put({ ...forged, text: { S: 'forged' } });
    expect(ids(await all(world, await customerOf(PAUL.waId)))).toEqual(['wamid.p']);
  });

  test('and the conversation are for who may: sales of their own customer, nobody without', async () => {
    const { world, customerId } = await worldOf(textDelivery('wamid.1', 'one', SHEENA));
    for (const actor of [operator('sales-1', 'sales'), operator('admin-1', 'admin'), operator('client', 'system')]) {
      expect(await read(world, customerId, 'wamid.1', actor)).toEqual({ outcome: 'refused', refusal: { code: 'not-found' } });
      expect(await readConversation(staffDeps(world), actor, { customerId, limit: 5 })).toEqual({ outcome: 'refused', refusal: { code: 'not-found' } });
    }
    expect((await accessRecords(world)).every((each) => stringOf(each, 'decision') === 'deny')).toBe(true);
  });

  test('is not answered where it cannot be written down who saw it', async () => {
    const { world, customerId } = await worldOf(textDelivery('wamid.1', 'one', SHEENA));
    const blind = { ...staffDeps(world), records: { ...world.records, create: async () => Promise.reject(new Error('the access log cannot be written')) } };
    await expect(readMessage(blind, SUPPORT, { customerId, id: idOf(world, 'wamid.1') })).rejects.toThrow('access log');
    await expect(readConversation(blind, SUPPORT, { customerId, limit: 5 })).rejects.toThrow('access log');
  });
});

describe('a proof', () => {
  const proving = async () => {
    const cloud = await memoryDeployment();
    await cloud.run(['send', '-'], { stdin: deliveryOf('wamid.A', 'the price is 100') });
    const keys = loadSecrets({ keys: cloud.world.keys, keyService: cloud.world.keyService });
    const deps = { ...cloud.world, keys, views: cloud.deployment.views, authorize, identity: async () => cloud.world.identity, proof: { ...cloud.world } };
    let customerId = '';
    for await (const image of cloud.world.records.scan({ kinds: ['message'] })) customerId = stringOf(image, 'customerId') ?? '';
    return { cloud, deps, customerId, idOf: async (messageId: string): Promise<string> => hashed(await keys.dedupeKey(), 'wamid', [messageId]) };
  };

  test('is the file of the command line, and only of a message of that customer', async () => {
    const { cloud, deps, customerId, idOf } = await proving();
    const early = await proveMessage(deps, SUPPORT, { customerId, id: await idOf('wamid.A') });
    expect(early).toMatchObject({ outcome: 'refused', refusal: { code: 'conflict', detail: expect.stringContaining('again in a minute') } });
    await cloud.settle();
    const proof = await proveMessage(deps, SUPPORT, { customerId, id: await idOf('wamid.A') });
    if (proof.outcome !== 'done') throw new Error('refused');
    expect(checkDisclosure(Buffer.from(proof.value.file)).findings).toEqual([]);
    expect(JSON.parse(proof.value.file).disclosed.image).toContain('the price is 100');
    expect(proof.value.doubts).toEqual([]);
    for (const wanted of [{ id: await idOf('wamid.B') }, { id: 'wamid.A' }, { id: await idOf('wamid.A'), phoneNumberId: '1' }]) {
      expect(await proveMessage(deps, SUPPORT, { customerId, ...wanted })).toEqual({ outcome: 'refused', refusal: { code: 'not-found' } });
    }
    await cloud.run(['send', '-'], { stdin: textDelivery('wamid.P', 'of somebody else', PAUL) });
    await cloud.settle();
    expect(await proveMessage(deps, SUPPORT, { customerId, id: await idOf('wamid.P') })).toEqual({ outcome: 'refused', refusal: { code: 'not-found' } });
    // What a system sent is proven as it was recorded, whatever stands beside it under the same id for somebody else.
    const sending = { ...deps, accounts: new Map<string, string>(), inbox: cloud.world.inbox };
    const payload = Buffer.from('{"type":"text","text":{"body":"the price was 90"}}');
    await recordOutbound(sending, SUPPORT, { phoneNumberId: '1', messageId: 'wamid.out', to: '16505551234', payload, sentAt: '2026-02-03T04:05:06.000Z' });
    await cloud.settle();
    let to = '';
    for await (const image of cloud.world.records.scan({ kinds: ['outbound'] })) to = stringOf(image, 'customerId') ?? '';
    const sent = await proveMessage(deps, SUPPORT, { customerId: to, id: await idOf('wamid.out') });
    expect(sent.outcome === 'done' && JSON.parse(JSON.parse(sent.value.file).disclosed.image)).toMatchObject({ kind: { S: 'outbound' }, text: { S: 'the price was 90' }, operatorId: { S: 'support-1' } });
    const access = await accessRecords({ records: cloud.world.records });
    expect(access.filter((each) => stringOf(each, 'action') === 'ProveMessage')).toHaveLength(7);
  });
});

describe('of customers merged into one', () => {
  const merged = async () => {
    const { world, customerId, customerOf } = await worldOf(
      textDelivery('wamid.1', 'one', SHEENA), textDelivery('wamid.p1', 'two', PAUL), textDelivery('wamid.2', 'three', SHEENA), reaction('wamid.r', 'wamid.p1', '👍', 9), textDelivery('wamid.p2', 'four', PAUL),
    );
    const absorbed = await customerOf(PAUL.waId);
    const change = async (id: string, how: (image: Image) => Image): Promise<void> => {
      const there = (await world.records.get(recordKeys.customer(id), { consistent: true })) as Image;
      world.records.byHand.put(withMac(world.macKey, how(there)));
    };
    await change(customerId, (image) => ({ ...withMerged(image, [absorbed]), ownerId: { S: 'sales-1' } }));
    await change(absorbed, (image) => ({ ...asMerged(image, customerId, 'merge'), ownerId: { S: 'sales-2' } }));
    return { world, customerId, absorbed };
  };

  test('the conversation is both histories by time, whatever the size of a page, each message with whose it is; the other’s is their own', async () => {
    const { world, customerId, absorbed } = await merged();
    const whole = await all(world, customerId);
    expect(whole.map((item) => [item.messageId, item.customerId])).toEqual([['wamid.p2', absorbed], ['wamid.2', customerId], ['wamid.p1', absorbed], ['wamid.1', customerId]]);
    expect(whole[2]).toMatchObject({ reactions: [{ messageId: 'wamid.r' }] });
    for (const limit of [1, 2, 3]) expect(await all(world, customerId, limit)).toEqual(whole);
    expect(ids(await all(world, absorbed))).toEqual(['wamid.p2', 'wamid.p1']);
    expect(await readMessage(staffDeps(world), SUPPORT, { customerId, id: idOf(world, 'wamid.p1') })).toMatchObject({ value: { messages: [{ customerId: absorbed }] } });
    expect(await readMessage(staffDeps(world), SUPPORT, { customerId: absorbed, id: idOf(world, 'wamid.1') })).toMatchObject({ refusal: { code: 'not-found' } });
  });

  test('each reading names the other as well where it showed something of theirs', async () => {
    const { world, customerId, absorbed } = await merged();
    await all(world, customerId);
    await readMessage(staffDeps(world), SUPPORT, { customerId, id: idOf(world, 'wamid.p1') });
    await readMessage(staffDeps(world), SUPPORT, { customerId, id: idOf(world, 'wamid.1') });
    await all(world, absorbed);
    const lines = (await accessRecords(world)).map((each) => [stringOf(each, 'customerId'), each['shown']]);
    const other = { L: [{ S: absorbed }] };
    expect(lines).toHaveLength(4);
    expect(lines).toEqual(expect.arrayContaining([[customerId, other], [customerId, other], [customerId, undefined], [absorbed, undefined]]));
    expect(lines.filter(([, shown]) => shown !== undefined)).toHaveLength(2);
  });

  test('sales see the parts that are their own', async () => {
    const { world, customerId } = await merged();
    const sales = operator('sales-1', 'sales');
    // Their own customer's reaction is in their own customer's conversation; what it is about is not.
    expect(ids(await all(world, customerId, 10, sales))).toEqual(['wamid.r', 'wamid.2', 'wamid.1']);
    expect(await readMessage(staffDeps(world), sales, { customerId, id: idOf(world, 'wamid.p1') })).toMatchObject({ refusal: { code: 'not-found' } });
  });
});

test('the number a conversation is with is the business’s', async () => {
  const { world, customerId } = await worldOf(textDelivery('wamid.1', 'one', SHEENA));
  expect(await all(world, customerId)).toMatchObject([{ phoneNumberId: NUMBER }]);
});
