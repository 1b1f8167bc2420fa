import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { seededSchedule } from '../../src/adapters/memory/schedule';
import { bytesOf, keyOf, stringOf } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { eventsOf } from '../../src/operations/record-delivery';
import { MAX_BYTES_AT_ONCE, MAX_EVENTS_AT_ONCE, receiveDelivery } from '../../src/operations/receive-delivery';
import { APP_SECRET, contact, delivery, receivingWorld, signed, sumOf, text, textDelivery, WABA, type ReceivingWorld } from './receiving-world';
import type { RecordStore } from '../../src/ports';

const SHEENA = { waId: '16505551234', bsuid: 'US.13491208655302741918' };
const FIXTURES = join(__dirname, '../fixtures/meta');
const fixtures = readdirSync(FIXTURES).filter((name) => name.endsWith('.json'));
const full = process.env['INTACT_FULL'] === '1';
/** For runs at full size. */
const LONG_MS = 600_000;

describe('what is refused', () => {
  const body = textDelivery('wamid.A', 'hello', SHEENA);
  const good = signed(body);
  test.each([
    ['no signature', undefined, 'missing'],
    ['an empty signature', '', 'missing'],
    ['a forged signature', signed(body, 'another secret').signature, 'mismatch'],
    ['a signature over other bytes', signed(`${body} `).signature, 'mismatch'],
    ['a signature without its prefix', good.signature.slice('sha256='.length), 'malformed'],
  ])('a delivery with %s is refused, counted, and leaves nothing', async (_, signature, reason) => {
    const world = receivingWorld();
    const process = world.process();
    expect(await receiveDelivery(process.deps, { rawBody: good.rawBody, signature })).toEqual({ outcome: 'refused', reason });
    expect(process.calls).toEqual([]);
    expect(world.meter.counts).toEqual(new Map([['SignaturesRefused', 1]]));
  });

  test('without an app secret everything is refused, also what an empty secret would sign', async () => {
    const world = receivingWorld();
    world.appSecrets.known = world.appSecrets.refreshed = [];
    expect(await world.process().receive(body, '')).toEqual({ outcome: 'refused', reason: 'no-secret' });
    world.appSecrets.known = world.appSecrets.refreshed = [''];
    expect(await world.process().receive(body, '')).toEqual({ outcome: 'refused', reason: 'no-secret' });
    expect(world.meter.counts.get('SecretMissing')).toBe(2);
    expect(world.records.stream).toEqual([]);
  });

  test('a secret that cannot be read is an error, not a refusal', async () => {
    const world = receivingWorld();
    const { deps } = world.process();
    const failing = { ...deps, secrets: { ...deps.secrets, current: () => Promise.reject(new Error('no network')) } };
    await expect(receiveDelivery(failing, good)).rejects.toThrow('no network');
  });
});

describe('rotation of the app secret', () => {
  test('both secrets are accepted, and a new one is read again on the first mismatch', async () => {
    const world = receivingWorld();
    const process = world.process();
    world.appSecrets.refreshed = ['the new one', APP_SECRET];
    expect((await process.receive(textDelivery('wamid.A', 'a', SHEENA), 'the new one')).outcome).toBe('accepted');
    expect((await process.receive(textDelivery('wamid.B', 'b', SHEENA))).outcome).toBe('accepted');
    expect(world.appSecrets.refreshes).toBe(1);
  });

  test('a forgery reads the secret again once, and a delivery without a signature never', async () => {
    const world = receivingWorld();
    const process = world.process();
    await process.receive(textDelivery('wamid.A', 'a', SHEENA), 'forged');
    expect(world.appSecrets.refreshes).toBe(1);
    await receiveDelivery(process.deps, { rawBody: Buffer.from('{}') });
    expect(world.appSecrets.refreshes).toBe(1);
  });
});

describe('every sample of Meta', () => {
  test.each(fixtures)('%s: each event is kept, and sent again it is a duplicate', async (name) => {
    const world = receivingWorld();
    const body = readFileSync(join(FIXTURES, name));
    const events = eventsOf(body);
    const first = await world.process().receive(body);
    expect({ ...first, sum: sumOf(first) }).toMatchObject({ outcome: 'accepted', queued: 0, duplicate: 0, conflict: 0, sum: events.length });
    const before = world.records.stream.length;
    const second = await world.process().receive(body);
    expect(second).toMatchObject({ recorded: 0, variant: 0, conflict: 0, quarantined: 0, duplicate: events.length });
    expect(world.records.stream.length).toBe(before);
    expect(await world.allGenuine()).toBe(true);
    const kept = (await world.scan()).map((image) => bytesOf(image, 'raw')).flatMap((raw) => (raw === undefined ? [] : [Buffer.from(raw)]));
    for (const event of events) expect(kept.some((raw) => raw.equals(event.raw))).toBe(true);
  });
});

describe('one identity, several bodies', () => {
  const once = async (first: string, second: string) => {
    const world = receivingWorld();
    await world.process().receive(first);
    const outcomes = [await world.process().receive(second), await world.process().receive(second)];
    return { world, outcomes };
  };

  test('another text under a used id is a conflict once, then a duplicate, and the first is unchanged', async () => {
    const { world, outcomes } = await once(textDelivery('wamid.A', 'I owe you 10', SHEENA), textDelivery('wamid.A', 'I owe you 1000', SHEENA));
    expect(outcomes).toMatchObject([{ conflict: 1 }, { conflict: 0, duplicate: 1 }]);
    expect((await world.scan('message')).map((image) => stringOf(image, 'text'))).toEqual(['I owe you 10']);
    expect((await world.scan('conflict')).map((image) => [stringOf(image, 'text'), stringOf(image, 'of')])).toEqual([['I owe you 1000', 'message']]);
    expect(world.meter.counts.get('EventsConflict')).toBe(1);
  });

  test('a body that Meta made richer is a variant, kept without alarm', async () => {
    const image = (url: object) => delivery({ contacts: [contact(SHEENA)], messages: [{ from: SHEENA.waId, id: 'wamid.I', timestamp: '1749416383', type: 'image', image: { id: '1', mime_type: 'image/jpeg', sha256: 'x', ...url } }] });
    const { world, outcomes } = await once(image({}), image({ url: 'https://example.com/1' }));
    expect(outcomes).toMatchObject([{ variant: 1, conflict: 0 }, { variant: 0, duplicate: 1 }]);
    expect((await world.scan('variant')).length).toBe(1);
    expect(world.meter.counts.get('EventsConflict')).toBeUndefined();
  });

  test('other escapes, white space and key order are the same body', async () => {
    const body = textDelivery('wamid.A', 'café / 10', SHEENA);
    const escaped = JSON.stringify(JSON.parse(body), null, 2).replaceAll('/', '\\/').replaceAll('é', '\\u00e9');
    const { outcomes } = await once(body, escaped);
    expect(outcomes).toMatchObject([{ duplicate: 1 }, { duplicate: 1 }]);
  });

  test('the same event twice in one delivery is one record and one duplicate', async () => {
    const world = receivingWorld();
    const message = text('wamid.A', 'hello', SHEENA);
    expect(await world.process().receive(delivery({ contacts: [contact(SHEENA)], messages: [message, message, message] }))).toMatchObject({ recorded: 1, duplicate: 2 });
  });

  test.each([
    ['a message', textDelivery('wamid.A', 'hello', SHEENA), { recorded: 1 }],
    ['a conflict', textDelivery('wamid.0', 'another', SHEENA), { conflict: 1 }],
    ['quarantined input', 'not JSON', { quarantined: 1 }],
    ['a change of number', delivery({ messages: [{ from: SHEENA.waId, id: 'wamid.S', timestamp: '1750269342', type: 'system', system: { body: 'x', wa_id: '1', type: 'user_changed_number' } }] }), { recorded: 1 }],
  ])('%s whose reply was lost is known as our own write, not as a duplicate', async (_, body, expected) => {
    const world = receivingWorld();
    await world.process().receive(textDelivery('wamid.0', 'first', SHEENA));
    const { deps } = world.process();
    // What a store does that retries inside: the first try arrived, the second meets it.
    const retrying: RecordStore = {
      ...world.records,
      create: async (image) => {
        await world.records.create(image);
        return world.records.create(image);
      },
      transact: async (writes) => {
        await world.records.transact(writes);
        return world.records.transact(writes);
      },
    };
    expect(await receiveDelivery({ ...deps, records: retrying }, signed(body))).toMatchObject({ recorded: 0, duplicate: 0, conflict: 0, quarantined: 0, ...expected });
  });

  test('one message id under two business numbers is two messages', async () => {
    const world = receivingWorld();
    const value = { contacts: [contact(SHEENA)], messages: [text('wamid.A', 'hello', SHEENA)] };
    await world.process().receive(delivery(value));
    expect(await world.process().receive(delivery(value, { number: '999' }))).toMatchObject({ recorded: 1 });
  });

  test('a record with a wrong MAC is not believed: what Meta sends is kept beside it, and an alarm is raised', async () => {
    const world = receivingWorld();
    const body = textDelivery('wamid.A', 'I owe you 10', SHEENA);
    await world.process().receive(body);
    const [image] = await world.scan('message');
    world.records.byHand.put({ ...image!, text: { S: 'I owe you 1' } });
    expect(await world.process().receive(body)).toMatchObject({ conflict: 1, duplicate: 0 });
    expect(world.meter.counts.get('RecordMacInvalid')).toBe(1);
    expect((await world.scan('conflict')).map((each) => stringOf(each, 'text'))).toEqual(['I owe you 10']);
  });

  test('a tombstone recognises a late resend, and nothing of the person comes back', async () => {
    const world = receivingWorld();
    const body = textDelivery('wamid.A', 'forget me', SHEENA);
    await world.process().receive(body);
    for (const { pk, sk, subject, kind } of await world.scan()) {
      if (pk === undefined || sk === undefined || subject === undefined) throw new Error('unreachable');
      world.records.byHand.put(withMac(world.macKey, { pk, sk, subject, kind: { S: 'tombstone' }, of: kind!, rev: { N: '2' } }));
    }
    const before = world.records.stream.length;
    expect(await world.process().receive(body)).toMatchObject({ duplicate: 1, recorded: 0 });
    expect(world.records.stream.length).toBe(before);
    // A new message of the same person makes a new customer, beside the tombstones.
    expect(await world.process().receive(textDelivery('wamid.B', 'it is me again', SHEENA))).toMatchObject({ recorded: 1 });
    expect((await world.scan('customer')).length).toBe(1);
    expect((await world.scan('tombstone')).length).toBeGreaterThan(3);
    expect(await world.process().receive(textDelivery('wamid.C', 'and again', SHEENA))).toMatchObject({ recorded: 1 });
    expect((await world.scan('customer')).length).toBe(1);
  });
});

describe('bad input that is signed', () => {
  test.each([
    ['not JSON', 'hello'],
    ['nothing', ''],
    ['cut off', textDelivery('wamid.A', 'hello', SHEENA).slice(0, -5)],
    ['another product', '{"object":"page","entry":[]}'],
    ['an array', '[]'],
    ['an entry without changes', `{"object":"whatsapp_business_account","entry":[{"id":"${WABA}"}]}`],
    ['a message without id', delivery({ messages: [{ from: '1', timestamp: '1', type: 'text', text: { body: 'x' } }] })],
    ['a message of a known type in another form', delivery({ messages: [{ from: '1', id: 'wamid.A', timestamp: '1', type: 'text', text: 'x' }] })],
    ['a key of 300 characters', delivery({ messages: [{ ...text('w'.repeat(300), 'x', SHEENA) }] })],
  ])('%s is quarantined with its reason and its bytes', async (_, body) => {
    const world = receivingWorld();
    expect(await world.process().receive(body)).toMatchObject({ outcome: 'accepted', quarantined: 1, recorded: 0 });
    const [record, ...more] = await world.scan('quarantine');
    expect(more).toEqual([]);
    expect(body).toContain(Buffer.from(bytesOf(record!, 'raw') ?? []).toString());
    expect(stringOf(record, 'reason')).toMatch(/^[a-z-]+$/);
    expect(await world.process().receive(body)).toMatchObject({ quarantined: 0, duplicate: 1 });
  });

  test('a bad message does not keep its neighbours from being recorded', async () => {
    const world = receivingWorld();
    const value = { contacts: [contact(SHEENA)], messages: [text('wamid.A', 'a', SHEENA), { type: 'text' }, text('wamid.B', 'b', SHEENA)] };
    expect(await world.process().receive(delivery(value))).toMatchObject({ recorded: 2, quarantined: 1 });
  });

  test('identifiers and words of absurd length are kept and do not fail', async () => {
    const world = receivingWorld();
    const long = 'x'.repeat(10_000);
    const message = { ...text('wamid.A', 'hello', { waId: long }), type: long, group_id: long };
    expect(sumOf(await world.process().receive(delivery({ messages: [message] })))).toBe(1);
    expect(sumOf(await world.process().receive(delivery({ anything: long }, { field: 'y'.repeat(200) })))).toBe(1);
    expect(await world.allGenuine()).toBe(true);
  });

  test('half a surrogate pair, NUL and overrides are stored as written in raw and cleaned beside it', async () => {
    const world = receivingWorld();
    const body = textDelivery('wamid.A', 'a\u0000b\u202ec', SHEENA).replace('"a', '"\\ud800a');
    expect(await world.process().receive(body)).toMatchObject({ recorded: 1 });
    const [image] = await world.scan('message');
    expect(stringOf(image, 'textClean')).toBe('abc');
    expect(stringOf(image, 'text')).toBe('\ufffda\u0000b\u202ec');
    expect(Buffer.from(bytesOf(image!, 'raw')!).toString()).toContain('\\ud800a');
  });

  test('whatever is signed is counted in exactly one outcome', async () => {
    const json = fc.letrec((tie) => ({ value: fc.oneof({ maxDepth: 4 }, fc.string(), fc.integer(), fc.constant(null), fc.array(tie('value')), fc.dictionary(fc.string(), tie('value'))) })).value;
    const base = fixtures.map((name) => readFileSync(join(FIXTURES, name), 'utf8'));
    const mutated = fc.tuple(fc.constantFrom(...base), fc.nat(), fc.nat(40), fc.string({ unit: 'grapheme' })).map(([body, at, n, other]) => {
      const from = at % body.length;
      return body.slice(0, from) + other + body.slice(from + n);
    });
    const wrapped = json.map((value) => delivery({ messages: value, statuses: value }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, wrapped, json.map((value) => JSON.stringify(value))), async (body) => {
        const world = receivingWorld();
        const rawBody = Buffer.from(body);
        const events = eventsOf(rawBody);
        const first = await world.process().receive(rawBody);
        const second = await world.process().receive(rawBody);
        if (first.outcome === 'refused' || first.queued === 1) return;
        expect(sumOf(first)).toBe(events.length);
        expect(second).toMatchObject({ recorded: 0, variant: 0, conflict: 0, quarantined: 0, duplicate: events.length });
        expect(await world.allGenuine()).toBe(true);
      }),
      { numRuns: full ? 10_000 : 300 },
    );
  }, LONG_MS);
});

describe('what is kept later', () => {
  test.each([
    ['more bytes than are recorded at once', textDelivery('wamid.A', 'x'.repeat(MAX_BYTES_AT_ONCE), SHEENA)],
    ['more events than are recorded at once', delivery({ contacts: [contact(SHEENA)], messages: Array.from({ length: MAX_EVENTS_AT_ONCE + 1 }, (_, i) => text(`wamid.${i}`, 'x', SHEENA)) })],
  ])('%s: the body is durable before the answer, and no record is made', async (_, body) => {
    const world = receivingWorld();
    expect(await world.process().receive(body)).toMatchObject({ outcome: 'accepted', queued: 1, recorded: 0 });
    expect(await world.process().receive(body)).toMatchObject({ queued: 1 });
    expect([...world.inbox.objects.values()].map(({ bytes }) => bytes.toString())).toEqual([body]);
    expect(world.records.stream).toEqual([]);
    expect(world.meter.counts.get('DeliveriesQueued')).toBe(2);
  });

  test('just below both bounds it is recorded at once', async () => {
    const world = receivingWorld();
    const body = delivery({ contacts: [contact(SHEENA)], messages: Array.from({ length: MAX_EVENTS_AT_ONCE }, (_, i) => text(`wamid.${i}`, 'x', SHEENA)) });
    expect(await world.process().receive(body)).toMatchObject({ queued: 0, recorded: MAX_EVENTS_AT_ONCE });
    expect((await world.scan('customer')).length).toBe(1);
  });

  test('content over 20 KB is an object that the record names with its hash, and its resend makes no second', async () => {
    const world = receivingWorld();
    const body = textDelivery('wamid.A', 'x'.repeat(30_000), SHEENA);
    expect(await world.process().receive(body)).toMatchObject({ recorded: 1 });
    const [image] = await world.scan('message');
    const object = world.inbox.objects.get(stringOf(image, 'contentName')!)!;
    expect(object.bytes.toString()).toContain('x'.repeat(30_000));
    expect(bytesOf(image!, 'raw')).toBeUndefined();
    expect(stringOf(image, 'contentName')).toMatch(/^content\/[A-Za-z0-9_-]{43}$/);
    expect(await world.process().receive(body)).toMatchObject({ duplicate: 1 });
    expect(await world.process().receive(` ${body}`)).toMatchObject({ duplicate: 1 });
    expect(await world.process().receive(textDelivery('wamid.A', 'y'.repeat(30_000), SHEENA))).toMatchObject({ conflict: 1 });
    expect(world.inbox.objects.size).toBe(2);
  });
});

describe('many producers at once', () => {
  const PRODUCERS = 20;
  const EACH = full ? 200 : 10;

  /** Every producer sends unique messages, each three times, in an order drawn from the seed. */
  async function run(seed: number, breakCondition: boolean) {
    const world = receivingWorld(seed);
    const schedule = seededSchedule(seed);
    const tasks: (() => Promise<unknown>)[] = [];
    for (let producer = 0; producer < PRODUCERS; producer += 1) {
      for (let copy = 0; copy < 3; copy += 1) {
        const { deps } = world.process(async () => {
          await schedule.turn();
          return undefined;
        });
        const person = { waId: `1650555${producer % 5}`, bsuid: `US.${producer % 5}` };
        // What a handler does that asks first and writes then.
        const unconditional: RecordStore = {
          ...deps.records,
          create: async (image) => {
            const there = await deps.records.get(keyOf(image), { consistent: true });
            if (there !== 'absent') return { exists: there };
            await schedule.turn();
            world.records.byHand.put(image);
            return 'created';
          },
        };
        const used = breakCondition ? { ...deps, records: unconditional } : deps;
        tasks.push(async () => {
          for (let n = 0; n < EACH; n += 1) await receiveDelivery(used, signed(textDelivery(`wamid.${producer}.${n}`, `${n}`, person)));
        });
      }
    }
    const settled = await schedule.run(tasks);
    expect(settled.filter(({ status }) => status === 'rejected')).toEqual([]);
    return world;
  }

  const timesWritten = (world: ReceivingWorld): number => world.records.stream.filter(({ newImage }) => stringOf(newImage, 'kind') === 'message').length;

  test.each([1, 2])('seed %i: exactly one record for each message, one customer for each person', async (seed) => {
    const world = await run(seed, false);
    expect((await world.scan('message')).length).toBe(PRODUCERS * EACH);
    expect((await world.scan('customer')).length).toBe(5);
    expect(timesWritten(world)).toBe(PRODUCERS * EACH);
    expect(world.meter.counts.get('EventsRecorded')).toBe(PRODUCERS * EACH);
    expect(world.meter.counts.get('EventsDuplicate')).toBe(2 * PRODUCERS * EACH);
  }, LONG_MS);

  test('with a look before the write in place of the condition, messages are recorded more than once', async () => {
    const world = await run(4, true);
    expect(timesWritten(world)).toBeGreaterThan(PRODUCERS * EACH);
    expect(world.meter.counts.get('EventsRecorded')).toBeGreaterThan(PRODUCERS * EACH);
  }, LONG_MS);
});
