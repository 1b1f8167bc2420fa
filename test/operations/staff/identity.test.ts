/** Names linked and taken away, customers merged and taken back: what staff see, to whom later messages come, and what stays as it was. */
import { keyOf, stringOf, type Image } from '../../../src/core/image';
import { MAX_MOVED, MAX_TOGETHER, mergedInto, mergedOf } from '../../../src/core/staff/identity';
import { recordKeys } from '../../../src/core/table-keys';
import { withMac } from '../../../src/core/record-mac';
import { requestImage } from '../../../src/core/erasure';
import { linkedCustomers } from '../../../src/operations/erasure/linked-customers';
import { MAX_LINKS } from '../../../src/operations/staff/held-aliases';
import { readTogether } from '../../../src/operations/staff/merged-customers';
import { identityWorld, reason, support, type IdentityWorld } from './identity-world';
import { SYSTEM_SUBJECT } from './staff-container';
import { customerIdOf, operator, valueOf } from './staff-world';

const ANN = { bsuid: 'US.1001', waId: '16505550001' };
const BOB = { bsuid: 'US.1002', waId: '16505550002' };
const refusalOf = (result: { readonly outcome: string; readonly refusal?: unknown }): unknown => result.refusal;
const together = async (world: IdentityWorld, customerId: string): Promise<readonly string[]> =>
  (await readTogether(world.deps, { genuine: (image) => image }, world.customer(customerId))).map((image) => stringOf(image, 'customerId') ?? '');
const linked = (world: IdentityWorld) => linkedCustomers({ records: world.records, macKeys: [world.macKey] });

/** Two customers, as receiving met them. */
async function two(seed?: number) {
  const world = identityWorld(seed);
  const [ann, bob] = [await world.write(ANN), await world.write(BOB)];
  return { world, ann, bob };
}

describe('a merge', () => {
  test('brings later messages of every name of the other to the one that stays, and moves no message', async () => {
    const { world, ann, bob } = await two();
    const before = world.all('message').map((image) => JSON.stringify(image));
    const merged = valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    expect(merged).toEqual({ customerId: ann, rev: 2, other: { customerId: bob, rev: 2 }, moved: 2 });
    expect([await world.write(BOB), await world.write({ bsuid: BOB.bsuid }), await world.write({ waId: BOB.waId }), await world.write(ANN)]).toEqual([ann, ann, ann, ann]);
    expect(world.all('message').map((image) => JSON.stringify(image))).toEqual(expect.arrayContaining(before));
    expect(world.wrong()).toEqual([]);
  });

  test('keeps both records, each with its subject; both are read together, and erased together', async () => {
    const { world, ann, bob } = await two();
    const subjects = [ann, bob].map((id) => stringOf(world.customer(id), 'subject'));
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    expect([ann, bob].map((id) => stringOf(world.customer(id), 'subject'))).toEqual(subjects);
    expect(await together(world, ann)).toEqual([ann, bob]);
    // The other's own page shows its own history, and says where it went.
    expect(await together(world, bob)).toEqual([bob]);
    expect(mergedInto(world.customer(bob))).toBe(ann);
    expect([await linked(world)(ann), await linked(world)(bob)]).toEqual([[bob], [ann]]);
  });

  test('is on record for both: who, why, from where, which names', async () => {
    const { world, ann, bob } = await two();
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    const links = world.all('link').filter((link) => stringOf(link, 'by') === 'operator');
    expect(links.map((link) => [stringOf(link, 'customerId'), stringOf(link, 'action'), stringOf(link, 'other'), stringOf(link, 'why'), stringOf(link, 'operatorId'), stringOf(link, 'sourceIp')]).sort()).toEqual(
      [
        [ann, 'merged', bob, reason, support.operatorId, support.sourceIp],
        [bob, 'merged-into', ann, reason, support.operatorId, support.sourceIp],
      ].sort(),
    );
    const accesses = world.all('access').map((access) => [stringOf(access, 'customerId'), stringOf(access, 'action'), stringOf(access, 'decision'), stringOf(access, 'outcome')]);
    expect(accesses.sort()).toEqual([[ann, 'MergeCustomers', 'allow', 'done'], [bob, 'MergeCustomers', 'allow', 'done']].sort());
    const [first, second] = world.all('access').map((access) => stringOf(access, 'resourceId'));
    expect(first).toBe(second);
    expect(links.map((link) => keyOf(link).sk)).toEqual([`link#${first}`, `link#${first}`]);
  });

  test('is refused into, and of, one that is merged already, and names the survivor; there are no cycles', async () => {
    const { world, ann, bob } = await two();
    const cid = await world.write({ waId: '16505550003' });
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    for (const [customerId, other] of [[bob, cid], [cid, bob], [bob, ann], [ann, bob]] as const) {
      expect(refusalOf(await world.mergeCustomers(support, { customerId, other, reason }))).toEqual({ code: 'conflict', detail: expect.stringContaining(`customer ${bob} was merged into customer ${ann}`) as string });
    }
    expect(refusalOf(await world.mergeCustomers(support, { customerId: ann, other: ann, reason }))).toMatchObject({ code: 'conflict' });
    // The survivor may go on into another, with all of theirs.
    valueOf(await world.mergeCustomers(support, { customerId: cid, other: ann, reason }));
    expect(await together(world, cid)).toEqual([cid, ann, bob]);
    expect(await together(world, ann)).toEqual([ann, bob]);
    expect(refusalOf(await world.mergeCustomers(support, { customerId: bob, other: cid, reason }))).toEqual({ code: 'conflict', detail: expect.stringContaining(`merged into customer ${cid}`) as string });
    expect([...(await linked(world)(bob))].sort()).toEqual([ann, cid].sort());
    expect(await world.write(BOB)).toBe(cid);
    expect(world.wrong()).toEqual([]);
  });

  test('has limits: of customers together, and of names it moves', async () => {
    const world = identityWorld();
    const ids: string[] = [];
    for (let n = 0; n < MAX_TOGETHER + 1; n += 1) ids.push(await world.write({ waId: `1650555${1000 + n}` }));
    const [first = '', ...others] = ids;
    for (const other of others.slice(0, -1)) valueOf(await world.mergeCustomers(support, { customerId: first, other, reason }));
    expect((await together(world, first)).length).toBe(MAX_TOGETHER);
    expect(refusalOf(await world.mergeCustomers(support, { customerId: first, other: others.at(-1)!, reason }))).toMatchObject({ code: 'conflict', detail: expect.stringContaining('at most 20 customers') as string });
    expect(refusalOf(await world.mergeCustomers(support, { customerId: others.at(-1)!, other: first, reason }))).toMatchObject({ code: 'conflict' });
    const many = await world.write({ waId: '16505559999' });
    // The fullest transaction there is: as many names as one merge moves, and everybody of a whole to look after.
    valueOf(await world.unmergeCustomers(support, { customerId: first, other: others[0]!, reason }));
    for (let n = 1; n < MAX_MOVED; n += 1) valueOf(await world.linkAlias(support, { customerId: many, alias: { type: 'wa-id', value: `4915100${1000 + n}` }, reason }));
    expect(valueOf(await world.mergeCustomers(support, { customerId: first, other: many, reason })).moved).toBe(MAX_MOVED);
    expect(valueOf(await world.unmergeCustomers(support, { customerId: first, other: many, reason })).returned).toBe(MAX_MOVED);
    valueOf(await world.linkAlias(support, { customerId: many, alias: { type: 'wa-id', value: '49151009999' }, reason }));
    expect(refusalOf(await world.mergeCustomers(support, { customerId: first, other: many, reason }))).toMatchObject({ code: 'conflict', detail: expect.stringContaining('31 names') as string });
    expect(world.wrong()).toEqual([]);
  });

  test('brings nothing of a customer made by staff but who is read together', async () => {
    const { world, ann } = await two();
    const { customerId: made } = valueOf(await world.createCustomer(support, { profile: { name: 'Ann', tags: [], custom: {} } }));
    expect(valueOf(await world.mergeCustomers(support, { customerId: made, other: ann, reason })).moved).toBe(2);
    expect([await world.write(ANN), await together(world, made)]).toEqual([made, [made, ann]]);
    expect(world.wrong()).toEqual([]);
  });
});

describe('undoing a merge', () => {
  test('gives the names back to whom they belonged; what was recorded meanwhile stays', async () => {
    const { world, ann, bob } = await two();
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    expect(await world.write(BOB)).toBe(ann);
    const undone = valueOf(await world.unmergeCustomers(support, { customerId: ann, other: bob, reason: 'they are father and son' }));
    expect(undone).toEqual({ customerId: ann, rev: 3, other: { customerId: bob, rev: 3 }, returned: 2, stayed: [] });
    expect([await world.write(BOB), await world.write({ waId: BOB.waId }), await world.write(ANN)]).toEqual([bob, bob, ann]);
    expect([await together(world, ann), await together(world, bob), await linked(world)(ann)]).toEqual([[ann], [bob], []]);
    expect(world.messageOf('wamid.3').map((image) => stringOf(image, 'customerId'))).toEqual([ann]);
    expect(world.wrong()).toEqual([]);
    // And once more, both ways.
    valueOf(await world.mergeCustomers(support, { customerId: bob, other: ann, reason }));
    expect(await world.write(ANN)).toBe(bob);
    expect(valueOf(await world.unmergeCustomers(support, { customerId: bob, other: ann, reason })).returned).toBe(2);
    expect([await world.write(ANN), world.wrong()]).toEqual([ann, []]);
  });

  test('names what changed since: taken away, given to somebody else, linked anew, and what came with a name that goes back', async () => {
    const { world, ann, bob } = await two();
    const names = ['16505550012', '16505550022', '16505550032'].map((value) => ({ type: 'wa-id', value }) as const);
    const [cid] = [await world.write({ waId: '16505550003' })];
    for (const alias of names) valueOf(await world.linkAlias(support, { customerId: bob, alias, reason }));
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    const [gone, given, anew] = names as unknown as [(typeof names)[0], (typeof names)[0], (typeof names)[0]];
    valueOf(await world.unlinkAlias(support, { customerId: ann, alias: gone, reason }));
    valueOf(await world.linkAlias(support, { customerId: cid, alias: given, from: ann, reason }));
    valueOf(await world.linkAlias(support, { customerId: cid, alias: anew, from: ann, reason }));
    valueOf(await world.linkAlias(support, { customerId: ann, alias: anew, from: cid, reason }));
    // Bob writes from his user id and a number nobody has seen.
    expect(await world.write({ bsuid: BOB.bsuid, waId: '16505550042' })).toBe(ann);
    const { returned, stayed } = valueOf(await world.unmergeCustomers(support, { customerId: ann, other: bob, reason }));
    expect(returned).toBe(2);
    const hash = (value: string): string => world.aliasHash('wa-id', value);
    expect([...stayed].sort((a, b) => (a.why < b.why ? -1 : 1))).toEqual([
      { aliasId: hash('16505550042'), type: 'wa-id', why: 'came-since' },
      { aliasId: hash(given.value), type: 'wa-id', why: 'given-away' },
      { aliasId: hash(gone.value), type: 'wa-id', why: 'held-by-nobody' },
      { aliasId: hash(anew.value), type: 'wa-id', why: 'kept' },
    ]);
    expect([world.holdersOf('wa-id', gone.value), world.holdersOf('wa-id', given.value), world.holdersOf('wa-id', anew.value), world.holdersOf('wa-id', BOB.waId)]).toEqual([[], [cid], [ann], [bob]]);
    expect(world.wrong()).toEqual([]);
  });

  test('is undone in the order of the merges: the last one first', async () => {
    const { world, ann, bob } = await two();
    const cid = await world.write({ waId: '16505550003' });
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    valueOf(await world.mergeCustomers(support, { customerId: cid, other: ann, reason }));
    expect(refusalOf(await world.unmergeCustomers(support, { customerId: ann, other: bob, reason }))).toEqual({ code: 'conflict', detail: expect.stringContaining(`merged into customer ${cid} since`) as string });
    expect(refusalOf(await world.unmergeCustomers(support, { customerId: cid, other: bob, reason }))).toMatchObject({ code: 'conflict' });
    expect(valueOf(await world.unmergeCustomers(support, { customerId: cid, other: ann, reason })).returned).toBe(4);
    expect([await world.write(BOB), await together(world, ann)]).toEqual([ann, [ann, bob]]);
    expect(valueOf(await world.unmergeCustomers(support, { customerId: ann, other: bob, reason })).returned).toBe(2);
    expect([await world.write(BOB), await world.write(ANN), world.wrong()]).toEqual([bob, ann, []]);
    expect(refusalOf(await world.unmergeCustomers(support, { customerId: ann, other: bob, reason }))).toMatchObject({ code: 'conflict', detail: expect.stringContaining('is not merged') as string });
  });

  test('leaves others who are merged into the same one alone', async () => {
    const { world, ann, bob } = await two();
    const cid = await world.write({ waId: '16505550003' });
    for (const other of [bob, cid]) valueOf(await world.mergeCustomers(support, { customerId: ann, other, reason }));
    valueOf(await world.unmergeCustomers(support, { customerId: ann, other: bob, reason }));
    expect([mergedOf(world.customer(ann)), await world.write({ waId: '16505550003' }), await world.write(BOB)]).toEqual([[cid], ann, bob]);
    expect(world.wrong()).toEqual([]);
  });
});

describe('a name', () => {
  const number = { type: 'wa-id', value: '16505550009' } as const;

  test('that nobody has is linked, and the next message from it is theirs', async () => {
    const { world, ann } = await two();
    const { rev, aliasId } = valueOf(await world.linkAlias(support, { customerId: ann, alias: number, reason }));
    expect([rev, aliasId]).toEqual([2, world.aliasHash('wa-id', number.value)]);
    expect(await world.write({ waId: number.value })).toBe(ann);
    // Again: it is so already, and only that somebody asked is written.
    const [versions, accesses] = [world.all('version').length, world.all('access').length];
    expect(valueOf(await world.linkAlias(support, { customerId: ann, alias: number, reason })).rev).toBe(2);
    expect([world.all('version').length, world.all('access').length]).toEqual([versions, accesses + 1]);
    expect(world.wrong()).toEqual([]);
  });

  test('is taken from another only where that one is named', async () => {
    const { world, ann, bob } = await two();
    const bobs = { type: 'wa-id', value: BOB.waId } as const;
    expect(refusalOf(await world.linkAlias(support, { customerId: ann, alias: bobs, reason }))).toEqual({ code: 'conflict', detail: expect.stringContaining(`customer ${bob} has this name`) as string });
    expect(refusalOf(await world.linkAlias(support, { customerId: bob, alias: { type: 'wa-id', value: ANN.waId }, from: bob, reason }))).toMatchObject({ code: 'conflict' });
    const cid = await world.write({ waId: number.value });
    expect(refusalOf(await world.linkAlias(support, { customerId: ann, alias: bobs, from: cid, reason }))).toMatchObject({ code: 'conflict', detail: expect.stringContaining(`customer ${bob} has this name`) as string });
    valueOf(await world.linkAlias(support, { customerId: ann, alias: bobs, from: bob, reason }));
    expect([await world.write({ waId: BOB.waId }), await world.write({ bsuid: BOB.bsuid })]).toEqual([ann, bob]);
    expect(world.wrong()).toEqual([]);
  });

  test('that another has is named with them, and the access log has that they were', async () => {
    const { world, ann, bob } = await two();
    expect(refusalOf(await world.linkAlias(support, { customerId: ann, alias: { type: 'wa-id', value: BOB.waId }, reason }))).toMatchObject({ code: 'conflict' });
    expect(world.all('access').map((access) => [stringOf(access, 'customerId'), stringOf(access, 'outcome'), access['shown']])).toEqual([[ann, 'conflict', { L: [{ S: bob }] }]]);
  });

  test('is taken away: the next message from it alone begins a new customer, and links are for both to read', async () => {
    const { world, ann } = await two();
    const anns = { type: 'wa-id', value: ANN.waId } as const;
    valueOf(await world.unlinkAlias(support, { customerId: ann, alias: anns, reason }));
    expect(world.holdersOf('wa-id', ANN.waId)).toEqual([]);
    const fresh = await world.write({ waId: ANN.waId });
    expect(fresh).not.toBe(ann);
    expect(await world.write({ bsuid: ANN.bsuid })).toBe(ann);
    expect(refusalOf(await world.unlinkAlias(support, { customerId: ann, alias: anns, reason }))).toMatchObject({ code: 'conflict' });
    expect(world.holdersOf('wa-id', ANN.waId)).toEqual([fresh]);
    expect(world.wrong()).toEqual([]);
  });

  test('an event that is older than the decision does not take it away', async () => {
    const { world, ann, bob } = await two();
    valueOf(await world.linkAlias(support, { customerId: ann, alias: { type: 'wa-id', value: BOB.waId }, from: bob, reason }));
    const past = Math.floor(world.now().getTime() / 1000) - 3_600;
    await world.write(BOB, { at: past });
    expect(world.holdersOf('wa-id', BOB.waId)).toEqual([ann]);
  });

  test.each([
    ['a number with a +', { type: 'wa-id', value: '+16505550009' }],
    ['a number of letters', { type: 'wa-id', value: 'call me' }],
    ['nothing', { type: 'bsuid', value: '' }],
    ['half a character', { type: 'bsuid', value: 'US.\ud800' }],
    ['more than Meta has', { type: 'bsuid', value: 'x'.repeat(257) }],
  ] as const)('that is none is refused: %s', async (_what, alias) => {
    const { world, ann } = await two();
    for (const ask of [world.linkAlias, world.unlinkAlias]) expect(refusalOf(await ask(support, { customerId: ann, alias, reason }))).toMatchObject({ code: 'invalid', errors: [{ field: '/value', rule: 'alias' }] });
  });

  test('that holds what nobody sees is not given, and can be taken away', async () => {
    const { world, ann } = await two();
    const alias = { type: 'bsuid', value: 'US.12\u202e34' } as const;
    expect(refusalOf(await world.linkAlias(support, { customerId: ann, alias, reason }))).toMatchObject({ code: 'invalid' });
    expect(refusalOf(await world.unlinkAlias(support, { customerId: ann, alias, reason }))).not.toMatchObject({ code: 'invalid' });
  });

  test('is not linked to a customer who is merged: the survivor is named', async () => {
    const { world, ann, bob } = await two();
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    expect(refusalOf(await world.linkAlias(support, { customerId: bob, alias: number, reason }))).toEqual({ code: 'conflict', detail: expect.stringContaining(`customer ${ann}`) as string });
  });
});

describe('who may', () => {
  test('whoever is concerned and may not be seen does not exist, and the attempt is on record', async () => {
    const { world, ann, bob } = await two();
    const absent = customerIdOf(77);
    // No role may do it to some customers only; a rule of tomorrow might.
    const narrow = world.staff();
    const deps = { ...narrow.deps, authorize: (actor: never, action: never, resource: never) => ((resource as { id?: string }).id === bob ? { allowed: false, policies: [] } : narrow.deps.authorize(actor, action, resource)) };
    const { mergeCustomers, unmergeCustomers } = await import('../../../src/operations/staff/merge-customers');
    const { linkAlias } = await import('../../../src/operations/staff/link-alias');
    const asks = (other: string) => [
      () => mergeCustomers(deps as never, support, { customerId: ann, other, reason }),
      () => unmergeCustomers(deps as never, support, { customerId: ann, other, reason }),
      () => linkAlias(deps as never, support, { customerId: ann, other, alias: { type: 'wa-id', value: '16505550009' }, from: other, reason } as never),
    ];
    for (const other of [bob, absent, 'no ulid']) {
      for (const ask of asks(other)) {
        const before = world.all('access').length;
        expect(await ask()).toEqual({ outcome: 'refused', refusal: { code: 'not-found' } });
        expect(world.all('access').length).toBe(before + 2);
      }
    }
    expect(world.all('access').filter((access) => stringOf(access, 'customerId') === bob).map((access) => [stringOf(access, 'decision'), stringOf(access, 'outcome')])).toEqual(Array(3).fill(['deny', 'not-found']));
    // Nor is the id told to who stumbles over it.
    expect(JSON.stringify(await linkAlias(deps as never, support, { customerId: ann, alias: { type: 'wa-id', value: BOB.waId }, reason }))).not.toContain(bob);
    expect(world.all('version').length).toBe(0);
  });

  test.each(['sales', 'compliance', 'dpo', 'auditor'] as const)('%s may not', async (role) => {
    const { world, ann, bob } = await two();
    const actor = operator(role);
    valueOf(await world.assignCustomer(operator('admin'), { customerId: ann, ifRev: 1, ownerId: actor.operatorId }));
    for (const ask of [world.mergeCustomers, world.unmergeCustomers]) expect(refusalOf(await ask(actor, { customerId: ann, other: bob, reason }))).toEqual({ code: 'not-found' });
    for (const ask of [world.linkAlias, world.unlinkAlias]) expect(refusalOf(await ask(actor, { customerId: ann, alias: { type: 'wa-id', value: '16505550009' }, reason }))).toEqual({ code: 'not-found' });
  });
});

describe('a customer is shown', () => {
  test('with the names that lead to them, who was merged into them, and into whom they were', async () => {
    const { world, ann, bob } = await two();
    const shown = async (customerId: string, actor = support) => {
      const { aliases, merged, mergedInto: into, maybeSame } = valueOf(await world.readCustomer(actor, { customerId }));
      return { names: aliases.map(({ type, value }) => `${type} ${value}`).sort(), merged, into, maybeSame };
    };
    const names = (person: typeof ANN): readonly string[] => [`bsuid ${person.bsuid}`, `wa-id ${person.waId}`];
    expect(await shown(ann)).toEqual({ names: names(ANN), merged: [], into: undefined, maybeSame: [] });
    expect(valueOf(await world.readCustomer(support, { customerId: ann })).aliases.map(({ aliasId, since }) => [aliasId, since]).sort()).toEqual([['bsuid', ANN.bsuid], ['wa-id', ANN.waId]].map(([type, value]) => [world.aliasHash(type as 'bsuid', value!), '2026-03-01T12:00:00.000Z']).sort());
    // A number that was only ever a number, with Ann's user id: it may be the same person, which is for staff to say.
    const cid = await world.write({ waId: '16505550003' });
    await world.write({ bsuid: ANN.bsuid, waId: '16505550003' });
    expect((await shown(ann)).maybeSame).toEqual([cid]);
    for (const other of [bob, cid]) valueOf(await world.mergeCustomers(support, { customerId: ann, other, reason }));
    expect(await shown(ann)).toEqual({ names: [...names(ANN), ...names(BOB), 'wa-id 16505550003'].sort(), merged: [bob, cid], into: undefined, maybeSame: [] });
    expect(await shown(bob)).toEqual({ names: [], merged: [], into: ann, maybeSame: [] });
  });

  test('and of others only those whom the reader may read', async () => {
    const { world, ann, bob } = await two();
    const [cid, sales] = [await world.write({ waId: '16505550003' }), operator('sales')];
    await world.write({ bsuid: ANN.bsuid, waId: '16505550003' });
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    for (const customerId of [ann]) valueOf(await world.assignCustomer(operator('admin'), { customerId, ifRev: 2, ownerId: sales.operatorId }));
    const { merged, maybeSame } = valueOf(await world.readCustomer(sales, { customerId: ann }));
    expect([merged, maybeSame]).toEqual([[], []]);
    valueOf(await world.assignCustomer(operator('admin'), { customerId: bob, ifRev: 2, ownerId: sales.operatorId }));
    valueOf(await world.assignCustomer(operator('admin'), { customerId: cid, ifRev: 1, ownerId: sales.operatorId }));
    const now = valueOf(await world.readCustomer(sales, { customerId: ann }));
    expect([now.merged, now.maybeSame]).toEqual([[bob], [cid]]);
    valueOf(await world.assignCustomer(operator('admin'), { customerId: ann, ifRev: 3, ownerId: 'sales-2' }));
    expect(valueOf(await world.readCustomer(sales, { customerId: bob })).mergedInto).toBeUndefined();
  });
});

test('what somebody changed by hand in the record of another is no error to whom that other is nobody', async () => {
  const { world, ann } = await two();
  const [cid, sales] = [await world.write({ waId: '16505550003' }), operator('sales')];
  await world.write({ bsuid: ANN.bsuid, waId: '16505550003' });
  expect(valueOf(await world.readCustomer(support, { customerId: ann })).maybeSame).toEqual([cid]);
  valueOf(await world.assignCustomer(operator('admin'), { customerId: ann, ifRev: 1, ownerId: sales.operatorId }));
  const before = valueOf(await world.readCustomer(sales, { customerId: ann }));
  world.records.byHand.put({ ...world.customer(cid), ownerId: { S: sales.operatorId } });
  expect(valueOf(await world.readCustomer(sales, { customerId: ann }))).toEqual(before);
  await expect(world.readCustomer(support, { customerId: ann })).rejects.toMatchObject({ code: 'corrupt' });
});

describe('erasures', () => {
  const request = (world: IdentityWorld, customerId: string, state: 'asked' | 'frozen' | 'withdrawn'): Image =>
    withMac(world.macKey, requestImage({ rev: 1, requestId: customerIdOf(5), customerId, state, customers: [], inputs: [], askedBy: 'dpo-1', askedAt: '2026-03-01T12:00:00.000Z', removed: 0 }, SYSTEM_SUBJECT, '2026-03-01T12:00:00.000Z'));

  test('while one is open of anybody in the whole, nothing of it is linked, merged or taken back', async () => {
    for (const state of ['asked', 'frozen'] as const) {
      const { world, ann, bob } = await two();
      const cid = await world.write({ waId: '16505550003' });
      valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
      world.records.byHand.put(request(world, bob, state));
      const number = { type: 'wa-id', value: '16505550009' } as const;
      const asks = [
        world.mergeCustomers(support, { customerId: cid, other: ann, reason }),
        world.mergeCustomers(support, { customerId: ann, other: cid, reason }),
        world.unmergeCustomers(support, { customerId: ann, other: bob, reason }),
        world.linkAlias(support, { customerId: ann, alias: number, reason }),
        world.linkAlias(support, { customerId: cid, alias: { type: 'wa-id', value: ANN.waId }, from: ann, reason }),
        world.unlinkAlias(support, { customerId: ann, alias: { type: 'wa-id', value: ANN.waId }, reason }),
      ];
      for (const ask of asks) expect(refusalOf(await ask)).toEqual({ code: 'conflict', detail: expect.stringContaining('erasure') as string });
    }
  });

  test('one that was withdrawn stands in nobody’s way; one that is asked for in between does', async () => {
    const { world, ann, bob } = await two();
    world.records.byHand.put(request(world, bob, 'withdrawn'));
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    let asked = false;
    const late = world.staff(({ method }) => {
      if (method === 'transact' && !asked) {
        asked = true;
        world.records.byHand.put(request(world, ann, 'asked'));
      }
      return undefined;
    });
    expect(refusalOf(await late.unmergeCustomers(support, { customerId: ann, other: bob, reason }))).toMatchObject({ code: 'conflict', detail: expect.stringContaining('erasure') as string });
    expect(mergedInto(world.customer(bob))).toBe(ann);
  });

  test('who is erased together is never guessed: records that do not agree, are missing or not ours stop it', async () => {
    const { world, ann, bob } = await two();
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: bob, reason }));
    const kept = world.customer(bob);
    const { mergedInto: _, ...alone } = kept;
    world.records.byHand.put(withMac(world.macKey, alone));
    await expect(linked(world)(ann)).rejects.toMatchObject({ code: 'corrupt' });
    world.records.byHand.put({ ...kept, mergedInto: { S: customerIdOf(9) } });
    await expect(linked(world)(ann)).rejects.toMatchObject({ code: 'corrupt' });
    world.records.byHand.remove(recordKeys.customer(bob));
    await expect(linked(world)(ann)).rejects.toMatchObject({ code: 'corrupt' });
    world.records.byHand.put(kept);
    expect(await linked(world)(ann)).toEqual([bob]);
  });
});

test('a request that is made again after its answer was lost is not done twice', async () => {
  const { world, ann, bob } = await two();
  const id = (n: number): string => customerIdOf(1_000 + n);
  const number = { type: 'wa-id', value: '16505550009' } as const;
  const steps = [
    () => world.linkAlias(support, { customerId: bob, alias: number, reason, id: id(1) }),
    () => world.mergeCustomers(support, { customerId: ann, other: bob, reason, id: id(2) }),
    () => world.unmergeCustomers(support, { customerId: ann, other: bob, reason, id: id(3) }),
    () => world.unlinkAlias(support, { customerId: bob, alias: number, reason, id: id(4) }),
  ];
  for (const step of steps) {
    const first = valueOf<object>(await step());
    const versions = world.all('version').length;
    expect(valueOf<object>(await step())).toEqual(first);
    expect([world.all('version').length, world.wrong()]).toEqual([versions, []]);
  }
});

describe('a customer whose names changed too often', () => {
  /** As many link records more, as somebody who links and unlinks a name for ever would leave. */
  const linksUpTo = async (world: IdentityWorld, customerId: string, count: number): Promise<void> => {
    const mine = world.all('link').filter((link) => stringOf(link, 'customerId') === customerId);
    for (let n = mine.length; n < count; n += 1) await world.records.create(withMac(world.macKey, { ...mine[0]!, sk: { S: recordKeys.link(customerId, `00${String(n).padStart(24, '0')}`).sk } }));
  };

  test('is given no further one, by a link or a merge; taking away and undoing go on', async () => {
    const { world, ann, bob } = await two();
    const give = (value: string) => world.linkAlias(support, { customerId: ann, alias: { type: 'wa-id', value }, reason });
    const mergedBefore = await world.write({ waId: '16505550009' });
    valueOf(await world.mergeCustomers(support, { customerId: ann, other: mergedBefore, reason }));
    await linksUpTo(world, ann, MAX_LINKS - 1);
    valueOf(await give('16505550003'));
    const conflict = { outcome: 'refused', refusal: { code: 'conflict', detail: expect.stringContaining(String(MAX_LINKS)) as string } };
    expect(await give('16505550004')).toMatchObject(conflict);
    expect(await world.mergeCustomers(support, { customerId: ann, other: bob, reason })).toMatchObject(conflict);
    expect(await world.mergeCustomers(support, { customerId: bob, other: ann, reason })).toMatchObject(conflict);
    valueOf(await world.unlinkAlias(support, { customerId: ann, alias: { type: 'wa-id', value: '16505550003' }, reason }));
    valueOf(await world.unmergeCustomers(support, { customerId: ann, other: mergedBefore, reason }));
    expect(valueOf(await world.readCustomer(support, { customerId: ann }))).not.toHaveProperty('namesCut');
  });

  test('is read all the same, and it is said that names may be missing', async () => {
    const { world, ann } = await two();
    await linksUpTo(world, ann, 2 * MAX_LINKS);
    expect(valueOf(await world.readCustomer(support, { customerId: ann }))).not.toHaveProperty('namesCut');
    await linksUpTo(world, ann, 2 * MAX_LINKS + 1);
    expect(valueOf(await world.readCustomer(support, { customerId: ann }))).toMatchObject({ customerId: ann, namesCut: true });
  });
});
