/**
 * Random histories of people who write and staff who link, merge and undo, against a model of a few lines: every message is recorded once, for the customer the model says. And the same at once, in orders
 * drawn from seeds, and with a store that fails in every way it can.
 */
import { figure } from '../../figures';
import { forEachSeed } from '../../seeds';
import { FAULTS, Killed, type Fault } from '../../../src/adapters/memory/process';
import { seededDraw, seededSchedule } from '../../../src/adapters/memory/schedule';
import { stringOf } from '../../../src/core/image';
import { MAX_TOGETHER, mergedInto } from '../../../src/core/staff/identity';
import { OWNER_CACHE_LIFE_MS } from '../../../src/operations/owner-cache';
import { readTogether } from '../../../src/operations/staff/merged-customers';
import { textDelivery, type Person } from '../receiving-world';
import { identityWorld, reason, support, type IdentityWorld } from './identity-world';
import { customerIdOf, operator, valueOf } from './staff-world';

const PEOPLE = [1, 2, 3, 4].map((n) => ({ bsuid: `US.100${n}`, waId: `1650555000${n}` }));
type Name = { readonly type: 'bsuid' | 'wa-id'; readonly value: string };
const namesOf = ({ bsuid, waId }: { readonly bsuid: string; readonly waId: string }): readonly [Name, Name] => [{ type: 'bsuid', value: bsuid }, { type: 'wa-id', value: waId }];
const NAMES = PEOPLE.flatMap(namesOf);

/** Whose each name is: what is promised of linking and merging, and of receiving where two names come together. */
function model() {
  const has = new Map<string, { holder: string; merges: string[]; knows: boolean }>();
  const above = new Map<string, { into: string; merge: string; moved: string[] }>();
  const customers: string[] = [];
  const sizeOf = (id: string): number => 1 + [...above].filter(([, { into }]) => into === id).reduce((sum, [child]) => sum + sizeOf(child), 0);
  return {
    has,
    above,
    customers,
    /** Whose a message under these names is; `met`: the customer it makes, where it makes one. */
    write(names: readonly Name[], met: string): string {
      const states = names.map(({ value }) => has.get(value));
      const [first] = states;
      // A user id that was seen with the number before: nothing else is looked at.
      if (first !== undefined && (names.length === 1 || first.knows)) return first.holder;
      const holder = states.find((state) => state !== undefined)?.holder ?? met;
      if (holder === met) customers.push(met);
      names.forEach(({ value }, i) => {
        const state = states[i];
        if (state === undefined) has.set(value, { holder, merges: [], knows: names.length > 1 });
        else if (state.holder === holder) state.knows ||= names.length > 1;
      });
      return holder;
    },
    link({ value }: Name, to: string, from: string | undefined): 'done' | 'refused' {
      const state = has.get(value);
      if (from === to || above.has(to)) return 'refused';
      if (state?.holder === to) return 'done';
      if (state?.holder !== from) return 'refused';
      has.set(value, { holder: to, merges: [], knows: false });
      return 'done';
    },
    unlink: ({ value }: Name, from: string): 'done' | 'refused' => (has.get(value)?.holder === from && has.delete(value) ? 'done' : 'refused'),
    merge(into: string, other: string, merge: string): 'done' | 'refused' {
      if (into === other || above.has(into) || above.has(other) || sizeOf(into) + sizeOf(other) > MAX_TOGETHER) return 'refused';
      const moved = [...has].filter(([, { holder }]) => holder === other).map(([value]) => value);
      for (const value of moved) {
        const state = has.get(value)!;
        has.set(value, { ...state, holder: into, merges: [...state.merges, merge] });
      }
      above.set(other, { into, merge, moved });
      return 'done';
    },
    unmerge(from: string, other: string): { readonly returned: readonly string[]; readonly stayed: readonly string[] } | 'refused' {
      const merged = above.get(other);
      if (merged?.into !== from || above.has(from)) return 'refused';
      above.delete(other);
      const returned = merged.moved.filter((value) => has.get(value)?.holder === from && has.get(value)?.merges.at(-1) === merged.merge);
      for (const value of returned) {
        const state = has.get(value)!;
        has.set(value, { ...state, holder: other, merges: state.merges.slice(0, -1) });
      }
      return { returned, stayed: merged.moved.filter((value) => !returned.includes(value)) };
    },
    topOf: (id: string): string => {
      let top = id;
      for (let next = above.get(top); next !== undefined; next = above.get(top)) top = next.into;
      return top;
    },
  };
}

const HISTORIES = 10;
const STEPS = 36;

test('in every history each message is recorded once, for the customer the model says, and names are whose the model says', async () => {
  const tried = { histories: 0, messages: 0, link: 0, unlink: 0, merge: 0, unmerge: 0, refused: 0, stayed: 0 };
  await forEachSeed('histories of identities', HISTORIES, async (seed) => {
    const world = identityWorld(seed);
    const [draw, expected, expectedOf] = [seededDraw(seed), model(), [] as string[]];
    const pick = <T>(of: readonly T[]): T => of[Math.floor(draw() * of.length)] as T;
    let step = 0;
    for (; step < STEPS; step += 1) {
      world.clock.ms += Math.floor(draw() * 90_000);
      const [id, dice] = [customerIdOf(10_000 + step), draw()];
      const [a, b] = [pick(expected.customers), pick(expected.customers)];
      if (dice < 0.4 || a === undefined || b === undefined) {
        const names = pick(PEOPLE.map(namesOf).flatMap(([bsuid, number]): (readonly Name[])[] => [[bsuid], [number], [bsuid, number]]));
        const before = new Set(world.all('customer').map((image) => stringOf(image, 'customerId')));
        const owner = await world.write(Object.fromEntries(names.map(({ type, value }) => [type === 'bsuid' ? 'bsuid' : 'waId', value])) as Person);
        expect(owner).toBe(expected.write(names, before.has(owner) ? 'nobody new' : owner));
        expectedOf.push(owner);
      } else if (dice < 0.55) {
        const name = pick(NAMES);
        const from = pick([expected.has.get(name.value)?.holder, expected.has.get(name.value)?.holder, undefined, b]);
        const result = await world.linkAlias(support, { customerId: a, alias: name, ...(from !== undefined && { from }), reason, id });
        expect(result.outcome).toBe(expected.link(name, a, from));
        tried[result.outcome === 'done' ? 'link' : 'refused'] += 1;
      } else if (dice < 0.65) {
        const name = pick(NAMES);
        const from = expected.has.get(name.value)?.holder ?? a;
        const result = await world.unlinkAlias(support, { customerId: from, alias: name, reason, id });
        expect(result.outcome).toBe(expected.unlink(name, from));
        tried[result.outcome === 'done' ? 'unlink' : 'refused'] += 1;
      } else if (dice < 0.85) {
        const result = await world.mergeCustomers(support, { customerId: a, other: b, reason, id });
        expect(result.outcome).toBe(expected.merge(a, b, id));
        tried[result.outcome === 'done' ? 'merge' : 'refused'] += 1;
      } else {
        const [other, { into: from }] = pick([...expected.above]) ?? [b, { into: a }];
        const result = await world.unmergeCustomers(support, { customerId: from, other, reason, id });
        const undone = expected.unmerge(from, other);
        expect(result.outcome).toBe(undone === 'refused' ? 'refused' : 'done');
        tried[result.outcome === 'done' ? 'unmerge' : 'refused'] += 1;
        if (result.outcome === 'done' && undone !== 'refused') {
          expect(result.value.returned).toBe(undone.returned.length);
          const hashes = new Map(NAMES.map((name) => [world.aliasHash(name.type, name.value), name.value]));
          expect(result.value.stayed.filter(({ why }) => why !== 'came-since').map(({ aliasId }) => hashes.get(aliasId)).sort()).toEqual([...undone.stayed].sort());
          tried.stayed += undone.stayed.length;
        }
      }
    }
    for (const { type, value } of NAMES) expect([value, world.holdersOf(type, value)]).toEqual([value, expected.has.has(value) ? [expected.has.get(value)?.holder] : []]);
    expectedOf.forEach((owner, i) => expect(world.messageOf(`wamid.${i + 1}`).map((image) => stringOf(image, 'customerId'))).toEqual([owner]));
    // Whoever is looked up, all of theirs is read with the one who stays.
    for (const customerId of expected.customers) {
      const whole = await readTogether(world.deps, { genuine: (image) => image }, world.customer(expected.topOf(customerId)));
      expect(whole.map((image) => stringOf(image, 'customerId'))).toContain(customerId);
    }
    expect(world.wrong()).toEqual([]);
    tried.histories += 1;
    tried.messages += expectedOf.length;
  });
  expect(Math.min(tried.link, tried.unlink, tried.merge, tried.unmerge, tried.refused)).toBeGreaterThan(0);
  // Rare: a few histories may do without.
  if (process.env['INTACT_FULL']) expect(tried.stayed).toBeGreaterThan(5);
  figure('identity: histories against a model', `${tried.histories} histories, ${tried.messages} messages each recorded once for the customer the model says; ${tried.link} links, ${tried.unlink} unlinks, ${tried.merge} merges, ${tried.unmerge} undone (${tried.stayed} names changed since), ${tried.refused} refused`);
});

const INTERLEAVINGS = 30;

test('two operators and receivers at once: no name has two holders, no message is lost, doubled or nobody’s, and every step is whole', async () => {
  let [tried, refused, done] = [0, 0, 0];
  await forEachSeed('identities at once', INTERLEAVINGS, async (seed) => {
    const world = identityWorld(seed);
    const [draw, schedule] = [seededDraw(seed), seededSchedule(seed)];
    const ids: string[] = [];
    for (const person of PEOPLE.slice(0, 3)) ids.push(await world.write({ bsuid: person.bsuid, ...(draw() < 0.5 && { waId: person.waId }) }));
    const [ann = '', bob = '', cid = ''] = ids;
    const onCall = async (): Promise<undefined> => {
      await schedule.turn();
      return undefined;
    };
    const pick = <T>(of: readonly T[]): T => of[Math.floor(draw() * of.length)] as T;
    type Ask = (actor: ReturnType<typeof operator>) => Promise<{ readonly outcome: string; readonly refusal?: unknown }>;
    const asks: readonly (() => Ask)[] = [
      () => (actor) => world.staff(onCall).mergeCustomers(actor, { customerId: ann, other: bob, reason }),
      () => (actor) => world.staff(onCall).mergeCustomers(actor, { customerId: bob, other: ann, reason }),
      () => (actor) => world.staff(onCall).mergeCustomers(actor, { customerId: bob, other: cid, reason }),
      () => (actor) => world.staff(onCall).unmergeCustomers(actor, { customerId: ann, other: bob, reason }),
      () => (actor) => world.staff(onCall).linkAlias(actor, { customerId: bob, alias: { type: 'wa-id', value: PEOPLE[3]!.waId }, reason }),
      () => (actor) => world.staff(onCall).linkAlias(actor, { customerId: cid, alias: { type: 'bsuid', value: PEOPLE[1]!.bsuid }, from: bob, reason }),
      () => (actor) => world.staff(onCall).unlinkAlias(actor, { customerId: bob, alias: { type: 'bsuid', value: PEOPLE[1]!.bsuid }, reason }),
    ];
    const operators = [1, 2].map((n) => async () => {
      for (let i = 0; i < 2; i += 1) {
        const result = await pick(asks)()(operator('support', n));
        if (result.outcome === 'done') done += 1;
        else refused += 1;
      }
    });
    const receivers = [0, 1].map((n) => async () => {
      const container = world.process(onCall, { remembers: draw() < 0.5 });
      for (let i = 0; i < 2; i += 1) expect(await container.receive(textDelivery(`wamid.at-once.${n}.${i}`, 'hello', pick([PEOPLE[1]!, { waId: PEOPLE[1]!.waId }, PEOPLE[3]!, { bsuid: PEOPLE[2]!.bsuid, waId: PEOPLE[2]!.waId }]), Math.floor(world.clock.ms / 1000)))).toMatchObject({ outcome: 'accepted', recorded: 1 });
    });
    for (const each of await schedule.run([...operators, ...receivers])) if (each.status === 'rejected') throw each.reason;
    for (const n of [0, 1]) for (const i of [0, 1]) expect(world.messageOf(`wamid.at-once.${n}.${i}`).length).toBe(1);
    expect(world.wrong()).toEqual([]);
    tried += 1;
  });
  expect(Math.min(done, refused)).toBeGreaterThan(tried / 4);
  figure('identity: interleavings of two operators and two receivers', `${tried} tried, ${done} steps done, ${refused} refused, no name with two holders, no message lost, doubled or nobody's`);
});

const ID = customerIdOf(9_999);
const number = { type: 'wa-id', value: PEOPLE[3]!.waId } as const;
const bobs = { type: 'wa-id', value: PEOPLE[1]!.waId } as const;
type Place = { readonly ann: string; readonly bob: string };
const steps: readonly { readonly name: string; readonly merged?: true; readonly run: (by: ReturnType<IdentityWorld['staff']>, at: Place) => Promise<{ readonly outcome: string }> }[] = [
  { name: 'linking a name', run: ({ linkAlias }, { ann }) => linkAlias(support, { customerId: ann, alias: number, reason, id: ID }) },
  { name: 'linking a name of another', run: ({ linkAlias }, { ann, bob }) => linkAlias(support, { customerId: ann, alias: bobs, from: bob, reason, id: ID }) },
  { name: 'taking a name away', run: ({ unlinkAlias }, { bob }) => unlinkAlias(support, { customerId: bob, alias: bobs, reason, id: ID }) },
  { name: 'merging', run: ({ mergeCustomers }, { ann, bob }) => mergeCustomers(support, { customerId: ann, other: bob, reason, id: ID }) },
  { name: 'undoing a merge', merged: true, run: ({ unmergeCustomers }, { ann, bob }) => unmergeCustomers(support, { customerId: ann, other: bob, reason, id: ID }) },
];
let faulted = 0;

describe.each(steps)('$name', ({ merged, run }) => {
  const begun = async () => {
    const world = identityWorld();
    const [ann, bob] = [await world.write(PEOPLE[0]!), await world.write(PEOPLE[1]!)];
    if (merged) valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    return { world, ann, bob };
  };
  const stateOf = (world: IdentityWorld): string => JSON.stringify([NAMES.map(({ type, value }) => world.holdersOf(type, value)), world.all('customer').map((image) => [mergedInto(image), stringOf(image, 'customerId')])]);

  test.each(FAULTS)('%s at any call: whole or not at all, and the same request once more completes it', async (fault: Fault) => {
    const whole = await begun();
    const container = whole.world.staff();
    expect((await run(container, whole)).outcome).toBe('done');
    const [becomes, calls] = [stateOf(whole.world), container.calls.length];
    for (let at = 0; at < calls; at += 1) {
      const { world, ...place } = await begun();
      const [before, versions] = [stateOf(world), world.all('version').length];
      const failing = world.staff(({ index }) => (index === at ? fault : undefined));
      const first = await run(failing, place).catch((error: unknown) => error as Error);
      if (first instanceof Error) expect(first instanceof Killed || (first as { code?: string }).code === 'unavailable').toBe(true);
      else expect([first.outcome, stateOf(world)]).toEqual(['done', becomes]);
      expect([before, becomes]).toContain(stateOf(world));
      expect(world.wrong()).toEqual([]);
      await failing.settle();
      expect((await run(world.staff(), place)).outcome).toBe('done');
      expect([stateOf(world), world.wrong()]).toEqual([becomes, []]);
      // Done once: as many versions as the step makes.
      expect(world.all('version').length - versions).toBe(whole.world.all('version').length - versions);
    }
    faulted += calls;
  });
});

afterAll(() => figure('identity: faults', `${faulted} single faults of the store at every call of five steps, each whole or not at all, and completed by asking again`));

test('a receiver that remembers an owner may still record for the one before, for a minute; what it records is read together', async () => {
  const world = identityWorld();
  const [ann, bob] = [await world.write(PEOPLE[0]!), await world.write(PEOPLE[1]!)];
  world.clock.ms += 10_000;
  const remembering = world.process();
  expect(await world.write(PEOPLE[1]!, { by: remembering })).toBe(bob);
  valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
  world.clock.ms += OWNER_CACHE_LIFE_MS - 1;
  expect(await world.write(PEOPLE[1]!, { by: remembering })).toBe(bob);
  expect((await readTogether(world.deps, { genuine: (image) => image }, world.customer(ann))).map((image) => stringOf(image, 'customerId'))).toEqual([ann, bob]);
  world.clock.ms += 1;
  expect(await world.write(PEOPLE[1]!, { by: remembering })).toBe(ann);
  expect(world.wrong()).toEqual([]);
});
