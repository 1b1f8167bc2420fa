/** The access log, asked in every way: the same records in the same order, page by page, and nothing that is not ours. */
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { stringOf, type Image } from '../../../src/core/image';
import { withMac } from '../../../src/core/record-mac';
import type { Actor } from '../../../src/core/staff/actor';
import { viewKeys } from '../../../src/core/table-keys';
import { projectViews } from '../../../src/operations/project-views';
import { listCustomers } from '../../../src/operations/staff/list-customers';
import { searchCustomers } from '../../../src/operations/staff/search-customers';
import { queryAccess, type AccessPage, type AccessQuery, type QueryAccessDeps } from '../../../src/operations/staff/query-access';
import type { IndexedKey, IndexRange, RecordStore } from '../../../src/ports';
import { operator, staffWorld, valueOf, type StaffWorld } from './staff-world';

const [support, sales, auditor, compliance] = [operator('support'), operator('sales', 2), operator('auditor'), operator('compliance')];
const [from, to] = ['2026-03-01T00:00:00.000Z', '2026-03-06T00:00:00.000Z'];

let world: StaffWorld;
let customers: readonly string[];
let deps: QueryAccessDeps;
const ask = (actor: Actor, query: AccessQuery) => queryAccess(deps, actor, query);
/** Four days of work: reads, edits and refusals, several in one millisecond. */
beforeEach(async () => {
  world = staffWorld();
  deps = { ...world.deps, views: memoryViews(), keys: { ...world.deps.keys, dedupeKey: async () => Buffer.alloc(32, 1) } };
  customers = [await world.receive(1), await world.receive(2)];
  for (let day = 0; day < 4; day += 1) {
    for (const customerId of customers) {
      const { rev } = valueOf(await world.readCustomer(support, { customerId }));
      valueOf(await world.readCustomer(compliance, { customerId }));
      world.clock.ms += 1;
      valueOf(await world.editCustomer(support, { customerId, ifRev: rev, change: { custom: { visits: day } } }));
      await world.readCustomer(sales, { customerId });
      await world.createCustomer(sales, { profile: { tags: [], custom: {} } });
    }
    world.clock.ms += 86_400_000;
  }
});

const uids = (page: Pick<AccessPage, 'items'>): readonly string[] => page.items.map(({ metadata }) => metadata.uid);
/** What the records say, newest first, judged by the plainest means. */
const expected = (is: (image: Image) => boolean): readonly string[] => world.all('access').filter((image) => stringOf(image, 'operatorId') !== auditor.operatorId && is(image)).map((image) => stringOf(image, 'sk') ?? '').sort().reverse();
const is = (name: string, value: string) => (image: Image): boolean => stringOf(image, name) === value;

async function pages(query: Partial<AccessQuery>, limit: number): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = valueOf(await ask(auditor, { from, to, ...query, limit, cursor }));
    expect(page.items.length).toBeLessThanOrEqual(limit);
    expect(page.notGenuine).toEqual([]);
    found.push(...uids(page));
    cursor = page.cursor;
  } while (cursor !== undefined);
  // What the auditor asks is written down while they ask: it is not what is compared here.
  const own = new Set(world.all('access').filter(is('operatorId', auditor.operatorId)).map((image) => stringOf(image, 'sk')));
  return found.filter((uid) => !own.has(uid));
}

const queries: readonly [string, () => Partial<AccessQuery>, () => (image: Image) => boolean][] = [
  ['of all', () => ({}), () => () => true],
  ['of an operator', () => ({ operatorId: support.operatorId }), () => is('operatorId', support.operatorId)],
  ['of a customer', () => ({ customerId: customers[0] }), () => is('customerId', customers[0] ?? '')],
  ['of an operator and a customer', () => ({ operatorId: support.operatorId, customerId: customers[1] }), () => (image) => is('operatorId', support.operatorId)(image) && is('customerId', customers[1] ?? '')(image)],
  ['of an action', () => ({ action: 'EditCustomer' }), () => is('action', 'EditCustomer')],
  ['refused', () => ({ decision: 'deny' }), () => is('decision', 'deny')],
  ['allowed of a customer', () => ({ decision: 'allow', customerId: customers[0] }), () => (image) => is('decision', 'allow')(image) && is('customerId', customers[0] ?? '')(image)],
  ['from an address', () => ({ sourceIp: sales.sourceIp }), () => is('sourceIp', sales.sourceIp)],
  ['of a time', () => ({ from: '2026-03-02T12:00:00.001Z', to: '2026-03-03T12:00:00.002Z' }), () => (image) => (stringOf(image, 'receivedAt') ?? '') >= '2026-03-02T12:00:00.001Z' && (stringOf(image, 'receivedAt') ?? '') < '2026-03-03T12:00:00.002Z'],
  ['of an operator and a time', () => ({ operatorId: support.operatorId, from: '2026-03-02T12:00:00.001Z', to: '2026-03-03T12:00:00.002Z' }), () => (image) => is('operatorId', support.operatorId)(image) && (stringOf(image, 'receivedAt') ?? '') >= '2026-03-02T12:00:00.001Z' && (stringOf(image, 'receivedAt') ?? '') < '2026-03-03T12:00:00.002Z'],
];

test.each(queries)('records %s come newest first, however many a page holds', async (_, query, wanted) => {
  const all = expected(wanted());
  expect(all.length).toBeGreaterThan(2);
  for (const limit of [3, all.length, 100]) expect(await pages(query(), limit)).toEqual(all);
});

test('a query is written down itself, with how much it gave', async () => {
  const page = valueOf(await ask(auditor, { from, to, customerId: customers[0], limit: 3 }));
  expect(page.items).toHaveLength(3);
  const own = world.all('access').filter(is('operatorId', auditor.operatorId));
  expect(own).toEqual([expect.objectContaining({ action: { S: 'QueryAccess' }, resourceId: { S: `customer:${customers[0]}` }, outcome: { S: 'done' }, count: { N: '3' } })]);
});

test('of a customer with years of messages one request looks at some, and the next ones go on', async () => {
  const [customerId] = customers;
  let looked = 0;
  /** The customer's index with a message every millisecond between what is there, two of each, and some that somebody wrote by hand. */
  const busy = async function* (id: string, { since = '', until = '~' }: IndexRange = {}): AsyncGenerator<IndexedKey> {
    const message = (ms: number): readonly IndexedKey[] => ['a', 'b'].map((sk) => ({ pk: 'm#', sk, receivedAt: new Date(ms).toISOString() }));
    const end = Date.parse('2026-03-05T12:00:00.000Z');
    const keys: IndexedKey[] = Array.from({ length: 30_000 }, (_, n) => message(end - n)).flat();
    for await (const key of world.records.ofCustomer(id)) keys.push(key);
    keys.push({ pk: 'm#', sk: 'x', receivedAt: 'no time' });
    for (const key of keys.sort((a, b) => (a.receivedAt < b.receivedAt ? 1 : -1))) {
      if (key.receivedAt < since || key.receivedAt >= until) continue;
      looked += 1;
      yield key;
    }
  };
  const broken = { ...deps, records: { ...deps.records, ofCustomer: busy } };
  const found: string[] = [];
  let cursor: string | undefined;
  let requests = 0;
  do {
    looked = 0;
    const page = valueOf(await queryAccess(broken, auditor, { from, to, customerId, limit: 100, cursor }));
    expect(looked).toBeLessThan(21_000);
    found.push(...uids(page));
    cursor = page.cursor;
    requests += 1;
  } while (cursor !== undefined);
  expect(found).toEqual(expected(is('customerId', customerId ?? '')));
  expect(requests).toBe(4);
});

test('a time without an end is looked through from today on', async () => {
  const days: string[] = [];
  const partition: RecordStore['partition'] = (pk, ...more) => {
    days.push(pk);
    return world.records.partition(pk, ...more);
  };
  const broken = { ...deps, records: { ...world.deps.records, partition } };
  const page = valueOf(await queryAccess(broken, auditor, { from, to: '9999-12-31T23:59:59.999Z', limit: 100 }));
  expect(uids(page)).toEqual(expected(() => true));
  expect(days.length).toBe(6);
});

test('who may not ask is told nothing, and that they asked is written down', async () => {
  for (const actor of [support, sales, operator('admin')]) expect(await ask(actor, { from, to, limit: 3 })).toEqual({ outcome: 'refused', refusal: { code: 'forbidden' } });
  expect(world.meter.counts.get('AccessDenied')).toBeGreaterThan(3);
});

test('an end before the beginning and a cursor of another question are refused', async () => {
  expect(await ask(auditor, { from: to, to: from, limit: 3 })).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: 'to' }] } });
  const { cursor } = valueOf(await ask(auditor, { from, to, limit: 3 }));
  expect(cursor).toBeDefined();
  for (const asked of [{ actor: compliance }, { actor: auditor, decision: 'deny' as const }, { actor: auditor, customerId: customers[0] }]) {
    const { actor, ...more } = asked;
    expect(await ask(actor, { from, to, limit: 3, ...more, cursor })).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: 'cursor' }] } });
  }
});

describe.each([
  ['by day', () => ({})],
  ['by operator', () => ({ operatorId: support.operatorId })],
  ['by customer', () => ({ customerId: customers[0] })],
] as const)('%s', (_, query) => {
  const wanted = (): readonly Image[] => world.all('access').filter((image) => Object.entries(query()).every(([name, value]) => stringOf(image, name) === value));

  test('a record that somebody changed is named and not shown; the others are', async () => {
    const image = wanted().find(is('operatorId', support.operatorId))!;
    const all = await pages(query(), 100);
    world.records.byHand.decay({ ...image, outcome: { S: 'not-found' } });
    const page = valueOf(await ask(auditor, { from, to, ...query(), limit: 100 }));
    expect(page.notGenuine).toEqual([stringOf(image, 'sk')]);
    expect(uids(page).filter((uid) => all.includes(uid))).toEqual(all.filter((uid) => uid !== stringOf(image, 'sk')));
    expect(world.meter.counts.get('RecordMacInvalid')).toBeGreaterThan(0);
  });

  test('a genuine record under another key is not shown twice', async () => {
    const image = wanted().find(is('operatorId', support.operatorId))!;
    const copy = `${stringOf(image, 'receivedAt')}#${'z'.repeat(12)}`;
    world.records.byHand.decay({ ...image, sk: { S: copy } });
    const page = valueOf(await ask(auditor, { from, to, ...query(), limit: 100 }));
    expect(page.notGenuine).toEqual([copy]);
  });

  test('records with keys of another form are said to be there, once, and use up nothing', async () => {
    const all = await pages(query(), 100);
    const image = wanted().find(is('operatorId', support.operatorId))!;
    for (let i = 0; i < 600; i += 1) world.records.byHand.decay({ ...image, sk: { S: `2026-03-01T~phone +4915112345${i}` } });
    const page = valueOf(await ask(auditor, { from, to, ...query(), limit: 100 }));
    expect(page.notGenuine).toEqual(['foreign']);
    expect(uids(page).filter((uid) => all.includes(uid))).toEqual(all);
  });
});

test('records of one millisecond have an order, which an index does not give them, and pages keep it', async () => {
  const image = world.all('access').find(is('operatorId', support.operatorId))!;
  const at = '2026-03-01T01:02:03.004Z';
  const ids = ['cccccccccccc', 'aaaaaaaaaaaa', 'eeeeeeeeeeee', 'bbbbbbbbbbbb', 'dddddddddddd'];
  for (const id of ids) world.records.byHand.decay(withMac(world.macKey, { ...image, sk: { S: `${at}#${id}` }, receivedAt: { S: at } }));
  for (const limit of [1, 2, 5]) {
    for (const query of [{}, { operatorId: support.operatorId }]) {
      expect(await pages({ from: at, to: '2026-03-01T02:00:00.000Z', ...query }, limit)).toEqual([...ids].sort().reverse().map((id) => `${at}#${id}`));
    }
  }
});

test('a record that only the index still knows is named', async () => {
  const image = world.all('access').find(is('customerId', customers[0] ?? ''))!;
  const key = { pk: stringOf(image, 'pk') ?? '', sk: stringOf(image, 'sk') ?? '', receivedAt: stringOf(image, 'receivedAt') ?? '' };
  world.records.byHand.remove(key);
  const lagging = { ...world.records, ofCustomer: async function* () { yield key; } };
  expect(valueOf(await queryAccess({ ...deps, records: lagging }, auditor, { from, to, customerId: customers[0], limit: 5 }))).toMatchObject({ items: [], notGenuine: [key.sk] });
});

test('one request looks at no more than it may, and the next one goes on from there', async () => {
  const image = world.all('access').find(is('operatorId', support.operatorId))!;
  for (let i = 0; i < 1_200; i += 1) world.records.byHand.decay(withMac(world.macKey, { ...image, sk: { S: `${stringOf(image, 'receivedAt')}#${String(i).padStart(12, '0')}` } }));
  const lengths: number[] = [];
  let cursor: string | undefined;
  do {
    const page = valueOf(await ask(auditor, { from, to, operatorId: support.operatorId, sourceIp: '203.0.113.1', limit: 10, cursor }));
    lengths.push(page.verified);
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(lengths).toEqual([500, 500, expect.any(Number)]);
});

test('years without a record are passed over, some days at a time', async () => {
  const asked = async (cursor?: string): Promise<AccessPage> => valueOf(await ask(auditor, { from: '2025-06-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z', limit: 10, cursor }));
  let page = await asked();
  let requests = 1;
  while (page.cursor !== undefined) {
    page = await asked(page.cursor);
    requests += 1;
  }
  expect(requests).toBe(3);
});

describe('whom lists and searches showed', () => {
  /** The views that the stream makes, followed now. */
  let views: ReturnType<typeof memoryViews>;
  const follow = (): Promise<unknown> => projectViews({ ...deps, views }, world.records.stream);
  const showed = (customerId: string) => (image: Image): boolean => {
    const shown = image['shown'];
    return stringOf(image, 'customerId') === customerId || (shown !== undefined && 'L' in shown && shown.L.some((each) => 'S' in each && each.S === customerId));
  };
  beforeEach(async () => {
    views = memoryViews();
    deps = { ...deps, views };
    await follow();
    const finding = { ...deps, views };
    for (let n = 0; n < 3; n += 1) {
      world.clock.ms -= 40_000_000;
      valueOf(await listCustomers(finding, support, { limit: 10 }));
      // In the same millisecond, by somebody else.
      valueOf(await searchCustomers(finding, compliance, { tag: 'vip', limit: 10 }));
    }
    world.clock.ms += 200_000_000;
    await follow();
  });

  test('is found by each of the customers, in the order of time, among what was done to them', async () => {
    for (const customerId of customers) {
      const all = expected(showed(customerId));
      expect(all.length).toBe(expected(is('customerId', customerId)).length + 3);
      for (const limit of [1, 3, 100]) expect(await pages({ customerId }, limit)).toEqual(all);
    }
  });

  test('is narrowed like everything else', async () => {
    const [customerId = ''] = customers;
    const lists = expected(is('action', 'ListCustomers'));
    expect(lists).toHaveLength(3);
    expect(await pages({ customerId, action: 'ListCustomers' }, 2)).toEqual(lists);
    expect(await pages({ customerId, operatorId: support.operatorId, action: 'ListCustomers' }, 2)).toEqual(lists);
    const [newest = '', , oldest = ''] = lists;
    expect(await pages({ customerId, action: 'ListCustomers', from: oldest.slice(0, 24), to: newest.slice(0, 24) }, 100)).toEqual(lists.slice(1));
  });

  test('is believed of the record, not of the row that leads there', async () => {
    const [customerId = '', other = ''] = customers;
    const all = await pages({ customerId }, 100);
    const place = (key: string): Promise<unknown> => views.place({ key: viewKeys.shown(customerId, key), order: '1', set: {} });
    // Of another customer, of none, and no place at all.
    await place(expected(is('customerId', other))[0] ?? '');
    await place('2026-03-02T00:00:00.000Z#aaaaaaaaaaaa');
    await place('2026-03-02T00~');
    const page = valueOf(await ask(auditor, { from, to, customerId, limit: 100 }));
    expect([uids(page), page.notGenuine]).toEqual([all, ['2026-03-02T00:00:00.000Z#aaaaaaaaaaaa']]);
  });

  test('is named where the record was changed or taken away since', async () => {
    const [customerId = ''] = customers;
    const [first, second] = world.all('access').filter(is('action', 'ListCustomers'));
    world.records.byHand.decay({ ...first!, shown: { L: [] } });
    world.records.byHand.remove({ pk: stringOf(second, 'pk') ?? '', sk: stringOf(second, 'sk') ?? '' });
    const page = valueOf(await ask(auditor, { from, to, customerId, limit: 100 }));
    expect([...page.notGenuine].sort()).toEqual([first, second].map((image) => stringOf(image, 'sk')).sort());
  });

  test('is all found where it is more than one look at the rows', async () => {
    const [customerId = ''] = customers;
    world.clock.ms = Date.parse('2026-03-05T13:00:00.000Z');
    for (let n = 0; n < 230; n += 1) valueOf(await listCustomers({ ...deps, views }, support, { limit: 10 }));
    await follow();
    for (const limit of [100, 1_000]) expect(await pages({ customerId, action: 'ListCustomers' }, limit)).toEqual(expected(is('action', 'ListCustomers')));
  });
});

test('who searched for a number, a name or a tag is found by it, by its ending and by its beginnings, and nothing of it is in the log', async () => {
  const finding = { ...deps, views: memoryViews() };
  for (const search of [{ phone: '+4915123456789' }, { phone: '56789' }, { q: 'anne bri' }, { q: '王小' }, { tag: 'vip' }, { phone: '+33612345600' }]) {
    world.clock.ms += 1;
    valueOf(await searchCustomers(finding, support, { ...search, limit: 10 }));
  }
  const searches = expected(is('action', 'SearchCustomers')).slice().reverse();
  const found = async (searched: string): Promise<readonly number[]> => (await pages({ searched, action: 'SearchCustomers' }, 2)).map((uid) => searches.indexOf(uid));
  expect(await found('+49 151 2345 6789')).toEqual([1, 0]);
  expect(await found("Anne-Marie O'Brien")).toEqual([2]);
  expect(await found('王小明')).toEqual([3]);
  expect(await found('vip')).toEqual([4]);
  expect(await found('Anna')).toEqual([]);
  const { items } = valueOf(await ask(auditor, { from, to, searched: '+4915123456789', limit: 100 }));
  expect(items.at(-1)?.unmapped).toEqual({ results: 0, searched: [expect.stringMatching(/^phone:/)] });
  // That they asked is a search for it too.
  expect(items[0]?.api.operation).toBe('QueryAccess');
  expect(JSON.stringify(world.all('access'))).not.toMatch(/6789|33612345600|anne|bri|王|vip/);
});
