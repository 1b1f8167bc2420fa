/** Whatever staff do to a profile in whatever order: its versions, its states at any time, a rollback and a bulk rollback are what the plainest model of it says. */
import fc from 'fast-check';
import { figure } from '../../figures';
import type { ProfileChange } from '../../../src/core/staff/profile-rules';
import { isSameProfile, profileOf, type Profile } from '../../../src/core/staff/profile';
import { operator, staffWorld, valueOf, type StaffWorld } from './staff-world';

const numRuns = process.env['INTACT_FULL'] ? 2_000 : 60;

/** A field and its value by name; a field that is not there has none. */
type Flat = Readonly<Record<string, string>>;
interface Did {
  readonly by: string;
  readonly at: string;
  readonly state: Flat;
}

const flat = (profile: Profile): Flat => {
  const { tags, custom, ...texts } = profile;
  return Object.fromEntries([...Object.entries(texts), ...(tags.length > 0 ? [['tags', JSON.stringify(tags)]] : []), ...Object.entries(custom).map(([name, value]) => [`custom ${name}`, JSON.stringify(value)])] as [string, string][]);
};

const word = fc.constantFrom('Ada', 'Bea', '王芳');
const change: fc.Arbitrary<ProfileChange> = fc
  .record(
    {
      name: fc.option(word, { nil: null }),
      email: fc.option(fc.constantFrom('a@example.com', 'b@example.com'), { nil: null }),
      tags: fc.option(fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 }), { nil: null }),
      custom: fc.option(fc.dictionary(fc.constantFrom('city', 'visits'), fc.constantFrom<never>(null as never), { noNullPrototype: true }), { nil: null }),
    },
    { requiredKeys: [] },
  )
  .filter((each) => Object.keys(each).length > 0);
const custom = fc.record({ city: fc.option(word, { nil: null }), visits: fc.option(fc.nat(9), { nil: null }) }, { requiredKeys: [] }).map((values): ProfileChange => ({ custom: values }));
type Step = { readonly by: number; readonly waitMs: number } & ({ readonly edit: ProfileChange } | { readonly assign: string | null } | { readonly back: number });
const step: fc.Arbitrary<Step> = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(0, 1_000, 60_000), fc.oneof({ weight: 4, arbitrary: fc.oneof(change, custom).map((edit) => ({ edit })) }, fc.constantFrom('sales-1', 'sales-2', null).map((assign) => ({ assign })), fc.nat(1_000).map((back) => ({ back }))))
  .map(([by, waitMs, what]) => ({ by, waitMs, ...what }));

/** Does `steps` and keeps what came of each as a model would: who, when, and the state then. */
async function history(world: StaffWorld, customerId: string, steps: readonly Step[]): Promise<readonly Did[]> {
  const did: Did[] = [{ by: '', at: new Date(world.clock.ms).toISOString(), state: {} }];
  for (const { by, waitMs, ...what } of steps) {
    world.clock.ms += waitMs;
    const ifRev = did.length;
    const actor = 'edit' in what ? operator('support', by) : operator('admin', by);
    const before = did.at(-1)!.state;
    const result = valueOf(
      'edit' in what
        ? await world.editCustomer(actor, { customerId, ifRev, change: what.edit })
        : 'assign' in what
          ? await world.assignCustomer(actor, { customerId, ifRev, ownerId: what.assign })
          : await world.rollbackCustomer(actor, { customerId, ifRev, toRev: 1 + (what.back % ifRev), reason: 'x' }),
    );
    if ('back' in what) {
      const { ownerId: _, ...former } = did[what.back % ifRev]!.state;
      expect(flat(result.profile)).toEqual({ ...former, ...(before['ownerId'] !== undefined && { ownerId: before['ownerId'] }) });
    }
    if (result.changes.length === 0) expect(flat(result.profile)).toEqual(before);
    else did.push({ by: actor.operatorId, at: new Date(world.clock.ms).toISOString(), state: flat(result.profile) });
    expect(result.rev).toBe(did.length);
  }
  return did;
}

test('versions replay to the profile, the state at any time is the model\'s, and a rollback goes back to exactly it', async () => {
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.nat(1_000_000), async (all, when) => {
      const world = staffWorld();
      const customerId = await world.receive(1);
      const beginMs = world.clock.ms;
      const did = await history(world, customerId, all);
      steps += all.length;
      const { items } = valueOf(await world.listVersions(operator('support'), { customerId, limit: 100 }));
      expect(items.map(({ profile }) => flat(profile)).reverse()).toEqual(did.map(({ state }) => state));
      expect(flat(profileOf(world.all('customer')[0]!))).toEqual(did.at(-1)!.state);
      const at = new Date(beginMs + when).toISOString();
      const then = did.filter((each) => each.at <= at).at(-1)!;
      expect(flat(valueOf(await world.customerAt(operator('support'), { customerId, at })).profile)).toEqual(then.state);
      expect(world.wrong()).toEqual([]);
    }),
    { numRuns },
  );
  figure('staff: sequences of edits, assignments and rollbacks against a model', `${steps} steps in ${numRuns} histories, versions and states at a time agree`);
});

/** The last value of each field that somebody else gave it: what would be there if the operator had done nothing in that time. */
function without(did: readonly Did[], isTheirs: (each: Did) => boolean): Flat {
  const state = new Map<string, string>();
  did.forEach((each, i) => {
    if (isTheirs(each)) return;
    const before = did[i - 1]?.state ?? {};
    for (const field of new Set([...Object.keys(before), ...Object.keys(each.state)])) {
      if (before[field] === each.state[field]) continue;
      if (each.state[field] === undefined) state.delete(field);
      else state.set(field, each.state[field]);
    }
  });
  return Object.fromEntries(state);
}

test('a bulk rollback leaves what everybody else did, and done again it finds nothing to do', async () => {
  let undone = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 8 }), { minLength: 1, maxLength: 3 }), fc.nat(200_000), fc.nat(400_000), async (customers, begin, length) => {
      const world = staffWorld();
      const [from, to] = [new Date(world.clock.ms + begin).toISOString(), new Date(world.clock.ms + begin + length + 1).toISOString()];
      const stories: { readonly customerId: string; readonly did: readonly Did[] }[] = [];
      for (const [n, steps] of customers.entries()) {
        const customerId = await world.receive(n + 1);
        stories.push({ customerId, did: await history(world, customerId, steps) });
      }
      world.clock.ms += 1_000_000;
      const admin = operator('admin', 9);
      const asked = { operatorId: 'support-1', from, to };
      const plan = valueOf(await world.planBulkRollback(admin, asked));
      const expected = stories.map(({ customerId, did }) => ({ customerId, now: did.at(-1)!.state, state: without(did, ({ by, at }) => by === 'support-1' && at >= from && at < to) }));
      const changed = expected.filter(({ now, state }) => JSON.stringify(Object.entries(now).sort()) !== JSON.stringify(Object.entries(state).sort()));
      expect(plan.items.map(({ customerId }) => customerId)).toEqual(changed.map(({ customerId }) => customerId));
      const result = valueOf(await world.bulkRollback(admin, { ...asked, planId: plan.planId, reason: 'They mixed up two lists.' }));
      expect(result.stale).toEqual([]);
      for (const { customerId, state } of expected) {
        expect(flat(valueOf(await world.readCustomer(admin, { customerId })).profile)).toEqual(state);
      }
      undone += changed.length;
      const versions = world.all('version').length;
      expect(valueOf(await world.bulkRollback(admin, { ...asked, planId: plan.planId, reason: 'x' }))).toMatchObject({ stale: [] });
      expect(valueOf(await world.planBulkRollback(admin, asked)).items).toEqual([]);
      expect(world.all('version').length).toBe(versions);
      expect(world.wrong()).toEqual([]);
    }),
    { numRuns },
  );
  expect(undone).toBeGreaterThan(0);
  figure('staff: bulk rollbacks against a model', `${undone} customers put back in ${numRuns} worlds, what others did stays`);
});

test('profiles that differ are told apart by the model', () => {
  expect(isSameProfile({ tags: [], custom: {} }, { tags: ['x'], custom: {} })).toBe(false);
  expect(flat({ tags: ['x'], custom: { visits: 1 }, name: 'A' })).toEqual({ name: 'A', 'tags': '["x"]', 'custom visits': '1' });
});
