import * as fc from 'fast-check';
import { seededSchedule } from '../../src/adapters/memory/schedule';
import { aliasOf } from '../../src/core/customer-aliases';
import { stringOf, type Image } from '../../src/core/image';
import { receiveDelivery } from '../../src/operations/receive-delivery';
import { contact, delivery, receivingWorld, signed, text, textDelivery, type Person, type ReceivingWorld } from './receiving-world';

const B1 = 'US.13491208655302741918';
const B2 = 'US.99887766554433221100';
const W1 = '16505551234';
const W2 = '12195555358';
const T = 1_750_000_000;
/** For runs at full size. */
const LONG_MS = 600_000;

/** A short story: who writes when; afterwards, whose each message is. */
function story(seed = 1) {
  const world = receivingWorld(seed);
  const process = world.process();
  const bodies: string[] = [];
  let n = 0;
  const tell = async (body: string): Promise<void> => {
    bodies.push(body);
    expect(await process.receive(body)).toMatchObject({ outcome: 'accepted', recorded: 1 });
  };
  const ownerOf = async (id: string): Promise<string> => {
    const owner = (await world.scan()).find((image) => stringOf(image, 'messageId') === id && stringOf(image, 'kind') !== 'conflict');
    return stringOf(owner, 'customerId') ?? 'account';
  };
  return {
    world,
    process,
    bodies,
    ownerOf,
    /** The id of the message, whose owner may be asked for. */
    write: async (person: Person, at = T, waba?: string): Promise<string> => {
      const id = `wamid.${(n += 1)}`;
      await tell(textDelivery(id, 'hello', person, at, waba === undefined ? {} : { waba }));
      return ownerOf(id);
    },
    system: async (system: object, from: object, at = T): Promise<string> => {
      const id = `wamid.${(n += 1)}`;
      await tell(delivery({ messages: [{ ...from, id, timestamp: String(at), type: 'system', system: { body: 'changed', ...system } }] }));
      return ownerOf(id);
    },
    links: async (): Promise<readonly string[]> =>
      [...(await world.scan('link'))].sort((a, b) => (stringOf(a, 'sk')! < stringOf(b, 'sk')! ? -1 : 1)).map((link) => `${stringOf(link, 'action')!}: ${stringOf(link, 'reason')!}`),
    customers: async (): Promise<number> => (await world.scan('customer')).length,
  };
}

describe('whose a message is', () => {
  test('a person is one customer by either name, once both were seen together', async () => {
    const { write, customers } = story();
    const customer = await write({ bsuid: B1, waId: W1 });
    expect(await write({ bsuid: B1 })).toBe(customer);
    expect(await write({ waId: W1 })).toBe(customer);
    expect(await customers()).toBe(1);
  });

  test('a user id that comes with a known number is linked to its customer', async () => {
    const { write, links, customers } = story();
    const customer = await write({ waId: W1 });
    expect(await write({ bsuid: B1, waId: W1 })).toBe(customer);
    expect(await write({ bsuid: B1 })).toBe(customer);
    expect(await customers()).toBe(1);
    expect(await links()).toEqual(['created: first-contact', 'linked: seen-together']);
  });

  test('a number that comes with a known user id is linked to its customer', async () => {
    const { write, customers } = story();
    const customer = await write({ bsuid: B1 });
    expect(await write({ bsuid: B1, waId: W1 })).toBe(customer);
    expect(await write({ waId: W1 })).toBe(customer);
    expect(await customers()).toBe(1);
  });

  test('two known customers are never merged: the user id wins, and a proposal is kept once', async () => {
    const { write, links, customers } = story();
    const byNumber = await write({ waId: W1 });
    const byUserId = await write({ bsuid: B1 });
    expect(byNumber).not.toBe(byUserId);
    for (let i = 0; i < 3; i += 1) expect(await write({ bsuid: B1, waId: W1 })).toBe(byUserId);
    expect(await write({ waId: W1 })).toBe(byNumber);
    expect(await customers()).toBe(2);
    expect((await links()).filter((link) => link.startsWith('suspected-same'))).toHaveLength(1);
  });

  test('the same number with another user id of the same account has a new holder', async () => {
    const { write, links } = story();
    const first = await write({ bsuid: B1, waId: W1 }, T);
    const second = await write({ bsuid: B2, waId: W1 }, T + 100);
    expect(second).not.toBe(first);
    expect(await write({ waId: W1 }, T + 200)).toBe(second);
    expect(await write({ bsuid: B1 }, T + 300)).toBe(first);
    expect(await links()).toContain('unlinked: new-holder');
  });

  test('the same number with a user id of another account is the same person: such ids differ from portfolio to portfolio', async () => {
    const { write, customers } = story();
    const customer = await write({ bsuid: B1, waId: W1 }, T, '111');
    expect(await write({ bsuid: B2, waId: W1 }, T + 1, '222')).toBe(customer);
    expect(await customers()).toBe(1);
  });

  test('a message older than the one that gave the number away does not take it back', async () => {
    const { write } = story();
    const first = await write({ bsuid: B1, waId: W1 }, T);
    const second = await write({ bsuid: B2, waId: W1 }, T + 100);
    expect(await write({ bsuid: B1, waId: W1 }, T + 50)).toBe(first);
    expect(await write({ waId: W1 }, T + 200)).toBe(second);
  });

  test('a status creates the customer it was sent to, an echo its addressee', async () => {
    const { world, process, ownerOf, write } = story();
    await process.receive(delivery({ statuses: [{ id: 'wamid.out', status: 'sent', timestamp: String(T), recipient_id: W1 }] }));
    await process.receive(delivery({ message_echoes: [{ from: '15550783881', to: W1, id: 'wamid.echo', timestamp: String(T), type: 'text', text: { body: 'hi' } }] }, { field: 'smb_message_echoes' }));
    const customer = await write({ waId: W1 });
    expect([await ownerOf('wamid.out'), await ownerOf('wamid.echo')]).toEqual([customer, customer]);
    expect((await world.scan('customer')).length).toBe(1);
  });

  test('a group message is its writer’s, a group status its participant’s, and what names nobody is the account’s', async () => {
    const { process, ownerOf, write } = story();
    const customer = await write({ bsuid: B1, waId: W1 });
    await process.receive(delivery({ contacts: [contact({ waId: W1 })], messages: [{ ...text('wamid.g', 'x', { waId: W1 }), group_id: 'g@g.us' }] }));
    await process.receive(delivery({ statuses: [{ id: 'wamid.gs', status: 'read', timestamp: '1', recipient_id: 'g@g.us', recipient_type: 'group', recipient_participant_id: W1 }] }));
    await process.receive(delivery({ statuses: [{ id: 'wamid.gn', status: 'read', timestamp: '1', recipient_id: 'g@g.us', recipient_type: 'group' }] }));
    await process.receive(delivery({ messages: [text('wamid.nobody', 'x', {})] }));
    expect([await ownerOf('wamid.g'), await ownerOf('wamid.gs'), await ownerOf('wamid.gn'), await ownerOf('wamid.nobody')]).toEqual([customer, customer, 'account', 'account']);
  });

  test('an alias with a wrong MAC decides nothing: the other name does, and with none left the account keeps the message and says why', async () => {
    const { world, write } = story();
    const customer = await write({ bsuid: B1, waId: W1 });
    const thief = await write({ waId: W2 });
    const point = async (type: 'bsuid' | 'wa-id', value: string): Promise<void> => {
      const image = (await world.scan('alias')).find((each) => stringOf(each, 'pk') === `a#${aliasOf(world.dedupe, type, value).hash}`)!;
      world.records.byHand.put({ ...image, customerId: { S: thief } });
    };
    await point('bsuid', B1);
    expect(await write({ bsuid: B1, waId: W1 })).toBe(customer);
    await point('wa-id', W1);
    expect(await write({ bsuid: B1, waId: W1 })).toBe('account');
    expect((await world.scan('message')).filter((image) => stringOf(image, 'unresolved') === 'alias-unreadable')).toHaveLength(1);
    expect(world.meter.counts.get('RecordMacInvalid')).toBeGreaterThan(0);
  });
});

describe('a person who changes names', () => {
  test('changes the number: the old customer has the new number, and whoever writes from the old one later is somebody else', async () => {
    const { write, system, ownerOf, links } = story();
    const customer = await write({ waId: W1 }, T);
    expect(await system({ type: 'user_changed_number', wa_id: W2 }, { from: W1 }, T + 10)).toBe(customer);
    expect(await write({ waId: W2 }, T + 20)).toBe(customer);
    expect(await write({ waId: W1 }, T + 5)).toBe(customer); // was under way
    const stranger = await write({ waId: W1 }, T + 1000);
    expect(stranger).not.toBe(customer);
    expect(await write({ waId: W1 }, T + 1001)).toBe(stranger);
    expect(await ownerOf('wamid.1')).toBe(customer);
    expect([...(await links())].sort()).toEqual(['created: first-contact', 'created: new-holder', 'linked: user-changed', 'unlinked: new-holder']);
  });

  test('gets a number that was another customer’s: it moves, both sides have it in writing, and no message moves with it', async () => {
    const { world, write, system, ownerOf, links } = story();
    const former = await write({ waId: W2 }, T);
    const customer = await write({ waId: W1 }, T);
    await system({ type: 'user_changed_number', wa_id: W2 }, { from: W1 }, T + 10);
    expect(await write({ waId: W2 }, T + 20)).toBe(customer);
    expect(await ownerOf('wamid.1')).toBe(former);
    expect([...(await links())].sort()).toEqual(['created: first-contact', 'created: first-contact', 'linked: user-changed', 'unlinked: user-changed']);
    const byCustomer = async (id: string): Promise<number> => {
      let n = 0;
      for await (const key of world.records.ofCustomer(id)) n += key.pk.startsWith('a#') ? 1 : 0;
      return n;
    };
    expect([await byCustomer(former), await byCustomer(customer)]).toEqual([1, 2]);
  });

  test('a resend of the system message moves nothing a second time', async () => {
    const { world, process, bodies, write, system } = story();
    await write({ waId: W1 }, T);
    await system({ type: 'user_changed_number', wa_id: W2 }, { from: W1 }, T + 10);
    const stranger = await write({ bsuid: B2, waId: W2 }, T + 1000);
    void stranger;
    const before = world.records.stream.length;
    expect(await process.receive(bodies[1]!)).toMatchObject({ duplicate: 1 });
    expect(world.records.stream.length).toBe(before);
  });

  test('an old system message that comes late does not take a number from its present holder', async () => {
    const { write, system } = story();
    const customer = await write({ waId: W1 }, T);
    const present = await write({ waId: W2 }, T + 100);
    await system({ type: 'user_changed_number', wa_id: W2 }, { from: W1 }, T + 10);
    expect(await write({ waId: W2 }, T + 200)).toBe(present);
    expect(present).not.toBe(customer);
  });

  test('goes back to the old number', async () => {
    const { write, system, customers } = story();
    const customer = await write({ waId: W1 }, T);
    await system({ type: 'user_changed_number', wa_id: W2 }, { from: W1 }, T + 10);
    await system({ type: 'user_changed_number', wa_id: W1 }, { from: W2 }, T + 20);
    expect(await write({ waId: W1 }, T + 30)).toBe(customer);
    expect(await customers()).toBe(1);
    expect(await write({ waId: W2 }, T + 40)).not.toBe(customer);
  });

  test('gets another user id', async () => {
    const { write, system, customers } = story();
    const customer = await write({ bsuid: B1, waId: W1 }, T);
    expect(await system({ type: 'user_changed_user_id', user_id: B2, previous_user_id: B1 }, { from_user_id: B1 }, T + 10)).toBe(customer);
    expect(await write({ bsuid: B2 }, T + 20)).toBe(customer);
    expect(await write({ bsuid: B2, waId: W1 }, T + 30)).toBe(customer);
    expect(await customers()).toBe(1);
  });

  test('changes before the first contact: the later name is known by the earlier', async () => {
    const { write, system, customers } = story();
    const customer = await system({ type: 'user_changed_number', wa_id: W2 }, { from: W1 }, T);
    expect(await write({ waId: W2 }, T + 1)).toBe(customer);
    expect(await customers()).toBe(1);
  });

  test('gets a new device, which changes no name', async () => {
    const { write, system, world } = story();
    const customer = await write({ waId: W1 }, T);
    const before = (await world.scan('alias', 'link')).length;
    expect(await system({ type: 'customer_identity_changed', wa_id: W1 }, { from: W1 }, T + 1)).toBe(customer);
    expect((await world.scan('alias', 'link')).length).toBe(before);
  });
});

describe('what never happens', () => {
  const numbers = fc.constantFrom(W1, W2, '4915112345678');
  const userIds = fc.constantFrom(B1, B2, 'DE.1');
  const person = fc.oneof(fc.record({ waId: numbers }), fc.record({ bsuid: userIds }), fc.record({ waId: numbers, bsuid: userIds }));
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.record({ person, at: fc.integer({ min: T, max: T + 50 }) }) },
    { weight: 1, arbitrary: fc.record({ from: numbers, to: numbers, at: fc.integer({ min: T, max: T + 50 }) }) },
  );
  type Told = { readonly person: Person; readonly at: number } | { readonly from: string; readonly to: string; readonly at: number };
  const bodyOf = (told: Told, i: number): string =>
    'person' in told
      ? textDelivery(`wamid.${i}`, 'x', told.person, told.at)
      : delivery({ messages: [{ from: told.from, id: `wamid.${i}`, timestamp: String(told.at), type: 'system', system: { type: 'user_changed_number', wa_id: told.to, body: 'x' } }] });

  /** Holds in every world, whatever was told. */
  async function check(world: ReceivingWorld): Promise<void> {
    const subjects = new Map<string, string>();
    for (const image of await world.scan('customer')) subjects.set(stringOf(image, 'customerId')!, stringOf(image, 'subject')!);
    for (const image of await world.scan('message', 'alias', 'link', 'status')) {
      // No record points to a customer that is not there, or bears another's subject.
      expect(subjects.get(stringOf(image, 'customerId')!)).toBe(stringOf(image, 'subject'));
    }
    const holders = new Map<string, number>();
    for (const image of await world.scan('alias')) if (image['movedTo'] === undefined) holders.set(stringOf(image, 'pk')!, (holders.get(stringOf(image, 'pk')!) ?? 0) + 1);
    expect([...holders.values()].every((n) => n === 1)).toBe(true);
    for (const { op, newImage, oldImage } of world.records.stream) {
      if (op !== 'MODIFY') continue;
      // What the sealer holds every change against.
      expect(stringOf(newImage, 'subject')).toBe(stringOf(oldImage, 'subject'));
      expect(revOf(newImage)).toBe(revOf(oldImage) + 1);
    }
    expect(await world.allGenuine()).toBe(true);
  }
  const revOf = (image: Image | undefined): number => Number((image?.['rev'] as { readonly N: string }).N);

  test('in any order and with any concurrency no alias has two holders, no record changes its subject, nobody is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), fc.integer({ min: 0, max: 1_000_000 }), async (events, seed) => {
        const world = receivingWorld(seed);
        const schedule = seededSchedule(seed);
        const tasks = events.map((told, i) => {
          const { deps } = world.process(async () => {
            await schedule.turn();
            return undefined;
          });
          return () => receiveDelivery(deps, signed(bodyOf(told as Told, i)));
        });
        const settled = await schedule.run(tasks);
        expect(settled.filter(({ status }) => status === 'rejected')).toEqual([]);
        expect((await world.scan('message')).length).toBe(events.length);
        await check(world);
      }),
      { numRuns: process.env['INTACT_FULL'] === '1' ? 1_000 : 60 },
    );
  }, LONG_MS);

  test('a person with one user id is one customer, whatever else happens to their number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), async (events) => {
        const world = receivingWorld();
        const container = world.process();
        for (const [i, told] of events.entries()) await container.receive(bodyOf(told as Told, i));
        const owners = new Map<string, Set<string>>();
        for (const image of await world.scan('message')) {
          const i = Number(stringOf(image, 'messageId')!.slice('wamid.'.length));
          const told = events[i] as Told;
          if ('person' in told && told.person.bsuid !== undefined) owners.set(told.person.bsuid, (owners.get(told.person.bsuid) ?? new Set()).add(stringOf(image, 'customerId')!));
        }
        expect([...owners.values()].every((set) => set.size === 1)).toBe(true);
        await check(world);
      }),
      { numRuns: process.env['INTACT_FULL'] === '1' ? 1_000 : 60 },
    );
  }, LONG_MS);
});
