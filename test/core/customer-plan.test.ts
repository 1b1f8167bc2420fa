import * as fc from 'fast-check';
import { aliasOf, aliasState, type AliasState } from '../../src/core/customer-aliases';
import { planAliases, writesOf, type Plan, type PlanInput, type Seen } from '../../src/core/customer-plan';
import { stringOf } from '../../src/core/image';

const KEY = Buffer.alloc(32, 1);
const STAMP = { receivedAt: '2026-03-01T12:00:00.000Z', deliveryId: 'd', attempt: 'a' };
const WABA = '1';
const bsuid = (value: string) => aliasOf(KEY, 'bsuid', value);
const number = (value: string) => aliasOf(KEY, 'wa-id', value);
const given = (customerId: string, more: Partial<Extract<AliasState, { state: 'given' }>> = {}): AliasState => ({ state: 'given', customerId, subject: `s-${customerId}`, n: 0, rev: 1, linked: {}, assignedAt: 100, ...more });
const plan = (input: Partial<PlanInput> & Pick<PlanInput, 'seen'>): Plan | 'nobody' => planAliases({ becomes: [], wabaId: WABA, at: 200, ...input });
const customerOf = (made: Plan | 'nobody'): string => (made === 'nobody' ? made : made.customer === 'new' ? 'new' : made.customer.customerId);

test('with no alias that can be read it is nobody’s', () => {
  expect(plan({ seen: [] })).toBe('nobody');
  expect(plan({ seen: [{ alias: number('1'), state: { state: 'unreadable' } }] })).toBe('nobody');
  expect(plan({ seen: [{ alias: number('1'), state: { state: 'moved' } }] })).toBe('nobody');
});

test('where the only readable alias can neither be trusted nor be given away, its holder it is: no customer is made without an alias', () => {
  const rival = given('c1', { linked: { [bsuid('A').hash]: `bsuid@${WABA}` } });
  const made = plan({ seen: [{ alias: bsuid('B'), state: { state: 'unreadable' } }, { alias: number('1'), state: rival }], at: 50 });
  expect(customerOf(made)).toBe('c1');
});

test('a system message older than the one that gave the number does not give it up', () => {
  const seen: Seen[] = [{ alias: number('1'), state: given('c1', { assignedAt: 300 }) }];
  const becomes: Seen[] = [{ alias: number('2'), state: { state: 'free', n: 0 } }];
  expect((plan({ seen, becomes }) as Plan).release.size).toBe(0);
  expect((plan({ seen, becomes, at: 400 }) as Plan).release).toEqual(new Set([number('1').hash]));
});

test('given up in the same second, the number still is its holder’s', () => {
  const seen: Seen[] = [{ alias: number('1'), state: given('c1', { releasedAt: 200 }) }];
  expect(customerOf(plan({ seen, at: 200 }))).toBe('c1');
  expect(customerOf(plan({ seen, at: 201 }))).toBe('new');
});

test('a moved alias keeps its record under its old subject, and its new holder gets one', () => {
  const seen: Seen[] = [{ alias: number('1'), state: given('c1', { n: 2, rev: 4, releasedAt: 150 }) }];
  const input: PlanInput = { seen, becomes: [], wabaId: WABA, at: 200 };
  const writes = writesOf(planAliases(input) as Plan, input, { customerId: 'c2', subject: 's-c2' }, STAMP, () => 'id');
  const aliases = writes.filter(({ image }) => stringOf(image, 'kind') === 'alias').map(({ op, image }) => [op, stringOf(image, 'sk'), stringOf(image, 'subject'), image['rev'], image['movedTo']]);
  expect(aliases).toEqual([
    ['replace', 'alias#2', 's-c1', { N: '5' }, { N: '3' }],
    ['create', 'alias#3', 's-c2', { N: '1' }, undefined],
  ]);
});

test('whoever is given a name is written again under those by which they were found, though nothing of these is new: a merge at the same moment is refused by it', () => {
  const seen: Seen[] = [{ alias: bsuid('A'), state: given('c1', { linked: { [bsuid('B').hash]: `bsuid@${WABA}` } }) }];
  const becomes: Seen[] = [{ alias: bsuid('B'), state: { state: 'free', n: 1 } }];
  const made = plan({ seen, becomes }) as Plan;
  expect([customerOf(made), made.give.map((each) => each.seen.alias.value), made.touch.map(({ alias }) => alias.value)]).toEqual(['c1', ['B'], ['A']]);
  expect((plan({ seen }) as Plan).touch).toEqual([]);
});

test('what is written of an alias is what is read of it', () => {
  const alias = number('1');
  const input: PlanInput = { seen: [{ alias, state: { state: 'free', n: 0 } }, { alias: bsuid('A'), state: { state: 'free', n: 0 } }], becomes: [], wabaId: WABA, at: 200 };
  const writes = writesOf(planAliases(input) as Plan, input, { customerId: 'c', subject: 's' }, STAMP, () => 'id');
  const image = writes.map((write) => write.image).find((each) => stringOf(each, 'pk') === `a#${alias.hash}`)!;
  expect(aliasState([image], () => true, { firstOnly: true })).toEqual({ state: 'given', customerId: 'c', subject: 's', n: 0, rev: 1, linked: { [bsuid('A').hash]: 'bsuid@1' }, assignedAt: 200 });
  expect(aliasState([image], () => false, { firstOnly: true })).toEqual({ state: 'unreadable' });
});

test('whatever the table says, a plan gives the customer at least one alias or follows one, writes no item twice, and settles', () => {
  const customer = fc.constantFrom('c1', 'c2', 'c3');
  const time = fc.integer({ min: 0, max: 5 });
  const linked = fc.dictionary(fc.constantFrom(bsuid('A').hash, bsuid('B').hash, number('1').hash), fc.constantFrom('bsuid@1', 'bsuid@2', 'wa-id@1'), { maxKeys: 2 });
  const state: fc.Arbitrary<AliasState> = fc.oneof(
    fc.constant({ state: 'free' as const, n: 0 }),
    fc.constant({ state: 'unreadable' as const }),
    fc.record({ c: customer, linked, assignedAt: time, releasedAt: fc.option(time, { nil: undefined }) }).map(({ c, linked: l, assignedAt, releasedAt }) => given(c, { linked: l, assignedAt, ...(releasedAt === undefined ? {} : { releasedAt }) })),
  );
  const names = [bsuid('A'), number('1'), bsuid('B'), number('2')];
  const input = fc.record({ states: fc.array(state, { minLength: 4, maxLength: 4 }), before: fc.integer({ min: 0, max: 2 }), after: fc.integer({ min: 0, max: 2 }), at: time });
  fc.assert(
    fc.property(input, ({ states, before, after, at }) => {
      const seen = names.slice(0, before).map((alias, i): Seen => ({ alias, state: states[i] as AliasState }));
      const becomes = before === 0 ? [] : names.slice(2, 2 + after).map((alias, i): Seen => ({ alias, state: states[2 + i] as AliasState }));
      const asked: PlanInput = { seen, becomes, wabaId: WABA, at };
      const made = planAliases(asked);
      if (made === 'nobody') return;
      const to = made.customer === 'new' ? { customerId: 'fresh', subject: 's-fresh' } : made.customer;
      if (made.customer === 'new') expect(made.give.length).toBeGreaterThan(0);
      let n = 0;
      const writes = writesOf(made, asked, to, STAMP, () => `id${(n += 1)}`);
      const items = writes.map(({ image }) => `${stringOf(image, 'pk')!} ${stringOf(image, 'sk')!}`);
      expect(new Set(items).size).toBe(items.length);
      // Done again with what it wrote, nothing is left to do and the customer is the same.
      const now = (each: Seen): Seen => {
        const written = writes.map(({ image }) => image).filter((image) => stringOf(image, 'pk') === `a#${each.alias.hash}`);
        return written.length === 0 ? each : { alias: each.alias, state: aliasState(written, () => true, { firstOnly: false }) };
      };
      const again = planAliases({ ...asked, seen: seen.map(now), becomes: becomes.map(now) }) as Plan;
      expect(again.customer).toEqual(to);
      expect(again.give).toEqual([]);
      expect(again.touch).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});
