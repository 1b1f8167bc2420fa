import { shapeOfMessage } from '../../src/core/meta/messages';
import { bytesOf, stringOf } from '../../src/core/image';
import { listQuarantine, showQuarantined } from '../../src/operations/list-quarantine';
import { replayQuarantine } from '../../src/operations/replay-quarantine';
import { contact, delivery, receivingWorld, text, type ReceivingWorld } from './receiving-world';

jest.mock('../../src/core/meta/messages', () => {
  const actual = jest.requireActual<typeof import('../../src/core/meta/messages')>('../../src/core/meta/messages');
  return { ...actual, shapeOfMessage: jest.fn(actual.shapeOfMessage) };
});
const correct = jest.requireActual<typeof import('../../src/core/meta/messages')>('../../src/core/meta/messages');

const SHEENA = { waId: '16505551234' };
const bad = (body: unknown = 'hello'): object => ({ from: SHEENA.waId, id: 'wamid.Q', timestamp: '1749416383', type: 'text', text: body });
const depsOf = (world: ReceivingWorld) => ({ records: world.records, inbox: world.inbox, keys: world.keys, meter: world.meter });

async function withQuarantined(body: unknown = 'hello') {
  const world = receivingWorld();
  await world.process().receive(delivery({ contacts: [contact(SHEENA)], messages: [text('wamid.ok', 'fine', SHEENA), bad(body)] }));
  const id = (await listQuarantine(depsOf(world)))[0]!.id;
  return { world, id, replay: () => replayQuarantine(world.process().deps, { id, by: 'operator' }) };
}

/** The schema of texts as somebody corrected it, while `run` lasts. */
async function withCorrectedSchema<T>(run: () => Promise<T>): Promise<T> {
  const schema = jest.mocked(shapeOfMessage);
  schema.mockImplementation(() => ({ known: true }));
  try {
    return await run();
  } finally {
    schema.mockImplementation(correct.shapeOfMessage);
  }
}

describe('quarantined input', () => {
  test('is listed with its reason and without its content, and shown with its bytes', async () => {
    const { world, id } = await withQuarantined('a secret');
    const listed = await listQuarantine(depsOf(world));
    expect(listed).toMatchObject([{ id, state: 'open', isGenuine: true }]);
    const image = listed[0]!.image;
    expect([stringOf(image, 'reason'), stringOf(image, 'path')]).toEqual(['wrong-shape', 'entry[0].changes[0].value.messages[1].text']);
    const { raw: _raw, before: _before, after: _after, ...described } = image;
    expect(JSON.stringify(described)).not.toContain('a secret');
    expect(await showQuarantined(depsOf(world), id)).toMatchObject({ id, raw: Buffer.from(JSON.stringify(bad('a secret'))) });
    expect(await showQuarantined(depsOf(world), 'x'.repeat(43))).toBe('absent');
  });

  test('has a subject of its own', async () => {
    const { world } = await withQuarantined();
    await world.process().receive('not JSON');
    const subjects = (await world.scan('quarantine', 'customer', 'account')).map((image) => stringOf(image, 'subject'));
    expect(new Set(subjects).size).toBe(3);
  });

  test('that somebody overwrote by hand does not swallow the resend: what Meta sends is kept beside it, once', async () => {
    const world = receivingWorld();
    await world.process().receive('not JSON');
    const [image] = await world.scan('quarantine');
    world.records.byHand.put({ ...image!, raw: { B: Buffer.alloc(0) } });
    expect(await world.process().receive('not JSON')).toMatchObject({ conflict: 1, duplicate: 0 });
    expect(await world.process().receive('not JSON')).toMatchObject({ conflict: 0, duplicate: 1 });
    const [evidence] = await world.scan('conflict');
    expect(bytesOf(evidence, 'raw')).toEqual(Buffer.from('not JSON'));
    expect(stringOf(evidence, 'of')).toBe('quarantine');
  });

  test('whose long body was lost gets it back with the resend', async () => {
    const world = receivingWorld();
    const body = 'not JSON '.repeat(4_000);
    await world.process().receive(body);
    const [name] = [...world.inbox.objects.keys()];
    world.inbox.objects.delete(name!);
    expect(await world.process().receive(body)).toMatchObject({ duplicate: 1 });
    expect([...world.inbox.objects.keys()]).toEqual([name]);
  });

  test('that is replayed without a correction stays open', async () => {
    const { world, replay } = await withQuarantined();
    const before = world.records.stream.length;
    expect(await replay()).toEqual({ outcome: 'still-bad' });
    expect(world.records.stream.length).toBe(before);
  });

  test.each([
    ['short', 'hello'],
    ['too long for a record', 'x'.repeat(30_000)],
  ])('that is %s and replayed after a correction is recorded as of when it came, once, and says who asked', async (_, body) => {
    const { world, replay } = await withQuarantined(body);
    const receivedAt = world.now().toISOString();
    world.clock.ms += 86_400_000;
    await withCorrectedSchema(async () => {
      expect(await replay()).toEqual({ outcome: 'replayed', recorded: 1, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 });
      expect(await replay()).toEqual({ outcome: 'done-before' });
    });
    const message = (await world.scan('message')).find((image) => stringOf(image, 'messageId') === 'wamid.Q')!;
    const neighbour = (await world.scan('message')).find((image) => stringOf(image, 'messageId') === 'wamid.ok')!;
    expect(stringOf(message, 'receivedAt')).toBe(receivedAt);
    expect(stringOf(message, 'customerId')).toBe(stringOf(neighbour, 'customerId'));
    expect(await listQuarantine(depsOf(world))).toMatchObject([{ state: 'replayed' }]);
    expect((await world.scan('quarantine-state')).map((image) => [stringOf(image, 'by'), image['rev']])).toEqual([['operator', { N: '2' }]]);
    expect(await world.allGenuine()).toBe(true);
  });

  test('that was being replayed when the process died is replayed by the next try', async () => {
    const { world, id } = await withQuarantined();
    // A world of the same seed, to see how many calls there are to die at.
    const other = (await withQuarantined()).world.process();
    await withCorrectedSchema(async () => {
      await replayQuarantine(other.deps, { id, by: 'operator' });
      const calls = other.calls.length;
      expect(calls).toBeGreaterThan(3);
      for (let at = 0; at < calls; at += 1) {
        const dying = world.process(({ index }) => (index === at ? 'kill-after' : undefined));
        await replayQuarantine(dying.deps, { id, by: 'operator' }).catch(() => undefined);
      }
      await replayQuarantine(world.process().deps, { id, by: 'operator' });
    });
    expect((await world.scan('message')).length).toBe(2);
    expect(await listQuarantine(depsOf(world))).toMatchObject([{ state: 'replayed' }]);
  });

  test('that somebody changed by hand is not recorded from', async () => {
    const { world, replay } = await withQuarantined();
    const [image] = await world.scan('quarantine');
    world.records.byHand.put({ ...image!, raw: { B: Buffer.from(JSON.stringify(bad({ body: 'forged' }))) } });
    expect(await replay()).toEqual({ outcome: 'not-genuine' });
    expect((await world.scan('message')).length).toBe(1);
    expect(await listQuarantine(depsOf(world))).toMatchObject([{ isGenuine: false }]);
  });

  test('whose object was exchanged is not recorded from', async () => {
    const { world, replay } = await withQuarantined('x'.repeat(30_000));
    const [name, object] = [...world.inbox.objects][0]!;
    world.inbox.objects.set(name, { ...object, bytes: Buffer.from(delivery({ messages: [text('wamid.F', 'forged', SHEENA)] })) });
    expect(await replay()).toEqual({ outcome: 'not-genuine' });
    world.inbox.objects.delete(name);
    expect(await replay()).toEqual({ outcome: 'gone' });
    expect((await world.scan('message')).length).toBe(1);
  });
});
