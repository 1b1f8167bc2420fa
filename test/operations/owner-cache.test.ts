/** What a container remembers of owners, and for how long; then the same through whole deliveries, against a world that remembers nothing. */
import * as fc from 'fast-check';
import { aliasKey, aliasOf } from '../../src/core/customer-aliases';
import { stringOf, type Image } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { MAX_CACHED_OWNERS, ownerCache, OWNER_CACHE_LIFE_MS, SETTLING_MS } from '../../src/operations/owner-cache';
import { delivery, receivingWorld, textDelivery, type Person, type ReceivingWorld } from './receiving-world';

const OWNER = { customerId: 'C1', subject: 'S1' };
const START = 1_750_000_000_000;

function remembering() {
  const clock = { ms: START };
  return { clock, cache: ownerCache(() => new Date(clock.ms)) };
}

describe('what a container remembers', () => {
  test('is answered until its life has ended, counted from the read, however often it is asked for', () => {
    const { clock, cache } = remembering();
    cache.remember('a', OWNER, START);
    for (const ageMs of [0, 30_000, OWNER_CACHE_LIFE_MS - 1]) {
      clock.ms = START + ageMs;
      expect(cache.get('a')).toEqual(OWNER);
    }
    clock.ms = START + OWNER_CACHE_LIFE_MS;
    expect(cache.get('a')).toBeUndefined();
  });

  test('ages while it is being read', () => {
    const { clock, cache } = remembering();
    clock.ms = START + 10_000;
    cache.remember('a', OWNER, START);
    clock.ms = START + OWNER_CACHE_LIFE_MS;
    expect(cache.get('a')).toBeUndefined();
  });

  test('is not believed where the clock was set back: nobody knows how old it is', () => {
    const { clock, cache } = remembering();
    cache.remember('a', OWNER, START);
    clock.ms = START - 1;
    expect(cache.get('a')).toBeUndefined();
    clock.ms = START + 1;
    expect(cache.get('a')).toBeUndefined();
  });

  test('is bounded; who was asked for longest ago goes first', () => {
    const { cache } = remembering();
    for (let i = 0; i < MAX_CACHED_OWNERS; i += 1) cache.remember(`n${i}`, OWNER, START);
    expect(cache.get('n0')).toEqual(OWNER);
    cache.remember('one more', OWNER, START);
    expect(cache.get('n1')).toBeUndefined();
    expect([cache.get('n0'), cache.get('n2'), cache.get('one more')]).toEqual([OWNER, OWNER, OWNER]);
  });

  test('is forgotten where an alias changes hands, and what was read before or just after is not remembered', () => {
    const { clock, cache } = remembering();
    cache.remember('a', OWNER, START);
    cache.forget();
    expect(cache.get('a')).toBeUndefined();
    for (const readAtMs of [START - 1, START, START + SETTLING_MS - 1]) cache.remember('a', OWNER, readAtMs);
    clock.ms = START + SETTLING_MS;
    expect(cache.get('a')).toBeUndefined();
    cache.remember('a', OWNER, clock.ms);
    expect(cache.get('a')).toEqual(OWNER);
  });
});

const B1 = 'US.13491208655302741918';
const B2 = 'US.99887766554433221100';
const B3 = 'DE.4711';
const W1 = '16505551234';
const W2 = '12195555358';
const T = 1_750_000_000;
/** For runs at full size. */
const LONG_MS = 600_000;

type Container = ReturnType<ReceivingWorld['process']>;

const userIdChange = (id: string, from: string, to: string, at: number): string =>
  delivery({ messages: [{ from_user_id: from, id, timestamp: String(at), type: 'system', system: { type: 'user_changed_user_id', user_id: to, previous_user_id: from, body: 'x' } }] });

async function ownerOf(world: ReceivingWorld, id: string): Promise<string> {
  return stringOf((await world.scan('message')).find((image) => stringOf(image, 'messageId') === id), 'customerId') ?? 'account';
}

/** One world, containers side by side; what each writes is told with whom it was recorded for. */
function story() {
  const world = receivingWorld();
  let n = 0;
  const containerOf = (container: Container) => {
    let seen = 0;
    const send = async (bodyOf: (id: string) => string): Promise<string> => {
      const id = `wamid.${(n += 1)}`;
      expect(await container.receive(bodyOf(id))).toMatchObject({ recorded: 1 });
      return ownerOf(world, id);
    };
    return {
      /** Port calls since it was last asked. */
      calls: (): readonly string[] => {
        const since = container.calls.slice(seen).map(({ method }) => method);
        seen = container.calls.length;
        return since;
      },
      write: (person: Person, at = T): Promise<string> => send((id) => textDelivery(id, 'hello', person, at)),
      changesUserId: (from: string, to: string, at = T): Promise<string> => send((id) => userIdChange(id, from, to, at)),
    };
  };
  return { world, container: (...options: Parameters<ReceivingWorld['process']>) => containerOf(world.process(...options)) };
}

describe('a delivery of somebody this container has just read', () => {
  test('costs no read', async () => {
    const { container } = story();
    const { write, calls } = container();
    const customer = await write({ bsuid: B1, waId: W1 });
    expect(await write({ bsuid: B1, waId: W1 })).toBe(customer);
    calls();
    expect(await write({ bsuid: B1, waId: W1 })).toBe(customer);
    expect(calls()).toEqual(['create']);
  });

  test('costs one again a minute later, however many came in between', async () => {
    const { world, container } = story();
    const { write, calls } = container();
    await write({ bsuid: B1, waId: W1 });
    calls();
    const reads: number[] = [];
    for (let second = 0; second <= 120; second += 20) {
      await write({ bsuid: B1, waId: W1 });
      if (calls().includes('get')) reads.push(second);
      world.clock.ms += 20_000;
    }
    expect(reads).toEqual([0, 60, 120]);
  });

  test('by a number alone costs one every time: it may be somebody else’s by now', async () => {
    const { container } = story();
    const { write, calls } = container();
    for (let i = 0; i < 3; i += 1) await write({ waId: W1 });
    calls();
    await write({ waId: W1 });
    expect(calls()).toEqual(['get', 'create']);
  });

  test('by a name that did not come with it before is read, and linked', async () => {
    const { world, container } = story();
    const { write } = container();
    const customer = await write({ bsuid: B1 });
    for (let i = 0; i < 2; i += 1) await write({ bsuid: B1 });
    expect(await write({ bsuid: B1, waId: W1 })).toBe(customer);
    expect((await world.scan('alias')).map((image) => stringOf(image, 'aliasValue')).sort()).toEqual([W1, B1].sort());
  });

  test('whom nobody knew is not remembered as unknown', async () => {
    const { container } = story();
    const [here, there] = [container(), container()];
    const customer = await there.write({ bsuid: B1 });
    expect(await here.write({ bsuid: B1 })).toBe(customer);
  });
});

describe('a change of hands', () => {
  /** B2 is a customer of its own whom both containers remember; then Meta says that B1's person has B2 now. */
  const moved = async () => {
    const told = story();
    const [here, there] = [told.container(), told.container()];
    const customer = await here.write({ bsuid: B1 });
    const former = await here.write({ bsuid: B2 });
    for (const container of [here, there]) for (let i = 0; i < 2; i += 1) expect(await container.write({ bsuid: B2 })).toBe(former);
    expect(await here.changesUserId(B1, B2, T + 10)).toBe(customer);
    return { ...told, here, there, customer, former };
  };

  test('in this container is seen at once', async () => {
    const { here, customer } = await moved();
    expect(await here.write({ bsuid: B2 }, T + 20)).toBe(customer);
  });

  test('in another container is seen when the life of what was read before has ended, and no later', async () => {
    const { world, there, customer, former } = await moved();
    world.clock.ms += OWNER_CACHE_LIFE_MS - 1;
    expect(await there.write({ bsuid: B2 }, T + 20)).toBe(former);
    world.clock.ms += 1;
    expect(await there.write({ bsuid: B2 }, T + 20)).toBe(customer);
  });

  test('whose reply was lost is seen as well: it may have happened', async () => {
    const { world, container } = story();
    let losing = false;
    const process = world.process(({ method }) => (losing && method === 'transact' ? 'error-after' : undefined));
    const other = container();
    const customer = await other.write({ bsuid: B1 });
    await other.write({ bsuid: B2 });
    for (const id of ['wamid.a', 'wamid.b']) await process.receive(textDelivery(id, 'x', { bsuid: B2 }, T));
    losing = true;
    await expect(process.receive(userIdChange('wamid.c', B1, B2, T + 10))).rejects.toMatchObject({ code: 'unavailable' });
    await process.receive(textDelivery('wamid.d', 'x', { bsuid: B2 }, T + 20));
    expect(await ownerOf(world, 'wamid.d')).toBe(customer);
  });
});

describe('an alias record that changes by another hand', () => {
  const known = async () => {
    const told = story();
    const here = told.container();
    const customer = await here.write({ bsuid: B1 });
    await here.write({ bsuid: B1 });
    const image = (await told.world.scan('alias'))[0] as Image;
    return { ...told, here, customer, image };
  };

  test('tampered with, decides nothing: what was read of it before holds until its life ends, and what it says now is never remembered', async () => {
    const { world, here, customer, image } = await known();
    world.records.byHand.put({ ...image, customerId: { S: 'thief' } });
    expect(await here.write({ bsuid: B1 })).toBe(customer);
    world.clock.ms += OWNER_CACHE_LIFE_MS;
    here.calls();
    for (let i = 0; i < 2; i += 1) {
      expect(await here.write({ bsuid: B1 })).toBe('account');
      expect(here.calls()).toContain('get');
    }
    world.records.byHand.put(image);
    expect(await here.write({ bsuid: B1 })).toBe(customer);
  });

  test('erased, is nobody’s at the latest when the life has ended', async () => {
    const { world, here, customer, image } = await known();
    const { pk, sk } = aliasKey(aliasOf(world.dedupe, 'bsuid', B1), 0);
    const tombstone = { pk: { S: pk }, sk: { S: sk }, kind: { S: 'tombstone' }, subject: image['subject']!, rev: { N: '2' } };
    world.records.byHand.put(withMac(world.macKey, tombstone));
    world.clock.ms += OWNER_CACHE_LIFE_MS;
    expect(await here.write({ bsuid: B1 })).not.toBe(customer);
  });
});

describe('whatever is told, in whatever order', () => {
  const userIds = fc.constantFrom(B1, B2, B3);
  const numbers = fc.constantFrom(W1, W2);
  const person = fc.oneof(fc.record({ bsuid: userIds }), fc.record({ waId: numbers, bsuid: userIds }), fc.record({ waId: numbers }));
  const pauseMs = fc.constantFrom(0, 0, 1_000, 6_000, 20_000, OWNER_CACHE_LIFE_MS - 1, OWNER_CACHE_LIFE_MS);
  const container = fc.integer({ min: 0, max: 1 });
  const at = fc.integer({ min: T, max: T + 20 });
  const told = fc.oneof(
    { weight: 5, arbitrary: fc.record({ pauseMs, container, at, person }) },
    { weight: 1, arbitrary: fc.record({ pauseMs, container, at, from: userIds, to: userIds }) },
  );
  type Told = { readonly pauseMs: number; readonly container: number; readonly at: number } & ({ readonly person: Person } | { readonly from: string; readonly to: string });
  const bodyOf = (each: Told, i: number): string => ('person' in each ? textDelivery(`wamid.${i}`, 'x', each.person, each.at) : userIdChange(`wamid.${i}`, each.from, each.to, each.at));
  const runs = { numRuns: process.env['INTACT_FULL'] === '1' ? 2_000 : 100 };

  /** For each message the first one of its customer: the same in two worlds, whatever ids they drew. */
  async function grouping(events: readonly Told[], remembers: boolean): Promise<readonly number[]> {
    const world = receivingWorld();
    const process = world.process(undefined, { remembers });
    const owners: string[] = [];
    for (const [i, each] of events.entries()) {
      world.clock.ms += each.pauseMs;
      await process.receive(bodyOf(each, i));
      owners.push(await ownerOf(world, `wamid.${i}`));
    }
    return owners.map((owner) => owners.indexOf(owner));
  }

  test('one container that remembers gives every message to whom one without memory gives it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(told, { minLength: 1, maxLength: 25 }), async (events) => {
        expect(await grouping(events as Told[], true)).toEqual(await grouping(events as Told[], false));
      }),
      runs,
    );
  }, LONG_MS);

  test('of several, each gives a message with a user id to somebody whose that was at most a cache life ago', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(told, { minLength: 1, maxLength: 25 }), async (events) => {
        const world = receivingWorld();
        const containers = [world.process(), world.process()];
        const heldBy = new Map<string, { readonly fromMs: number; readonly customer: string }[]>();
        for (const [i, each] of (events as Told[]).entries()) {
          world.clock.ms += each.pauseMs;
          await containers[each.container]?.receive(bodyOf(each, i));
          for (const image of await world.scan('alias')) {
            if (stringOf(image, 'aliasType') !== 'bsuid' || image['movedTo'] !== undefined) continue;
            const past = heldBy.get(stringOf(image, 'aliasValue')!) ?? [];
            const customer = stringOf(image, 'customerId')!;
            if (past.at(-1)?.customer !== customer) heldBy.set(stringOf(image, 'aliasValue')!, [...past, { fromMs: world.clock.ms, customer }]);
          }
          if (!('person' in each) || each.person.bsuid === undefined) continue;
          const past = heldBy.get(each.person.bsuid) ?? [];
          // Held until the next one had it: still so within the life, or now.
          const recently = past.filter((_, k) => (past[k + 1]?.fromMs ?? Number.POSITIVE_INFINITY) > world.clock.ms - OWNER_CACHE_LIFE_MS).map(({ customer }) => customer);
          expect(recently).toContain(await ownerOf(world, `wamid.${i}`));
        }
      }),
      runs,
    );
  }, LONG_MS);
});
