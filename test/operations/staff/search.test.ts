/** Search and lists against a model that knows nothing of terms: the collation of the language library decides what is alike, and every customer is looked at. */
import { accessEventOf } from '../../../src/core/staff/access-record';
import { ocsfOf } from '../../../src/core/staff/ocsf';
import { FAULTS, Killed, memoryProcess } from '../../../src/adapters/memory/process';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { seededDraw } from '../../../src/adapters/memory/schedule';
import { canonicalImage } from '../../../src/core/canonical-image';
import { integerOf, stringOf, type Image } from '../../../src/core/image';
import { EVERYBODY, partitionOf } from '../../../src/core/staff/search-index';
import { recordKeys } from '../../../src/core/table-keys';
import type { Actor } from '../../../src/core/staff/actor';
import type { Profile } from '../../../src/core/staff/profile';
import type { StaffResult } from '../../../src/core/staff/refusal';
import { MAX_CANDIDATES } from '../../../src/operations/staff/find-customers';
import { listCustomers, type CustomerPage, type PageInput } from '../../../src/operations/staff/list-customers';
import { searchCustomers, type SearchInput } from '../../../src/operations/staff/search-customers';
import { projectViews, rebuildViews } from '../../../src/operations/project-views';
import { PortError, type StreamEvent } from '../../../src/ports';
import { figure } from '../../figures';
import { forEachSeed } from '../../seeds';
import { accessRecords, operator, searchingWorld, ulidOf, type SearchingWorld } from './searching-world';

const SUPPORT = operator('support-1', 'support');
const SALES = [operator('sales-1', 'sales'), operator('sales-2', 'sales')] as const;

const WORDS = ['María', 'José', 'Groß', 'Νίκος', 'Παπαδόπουλος', 'Владимир', 'Wolfeschlegelsteinhausen', "O'Brien", 'Jean-Luc', 'X', 'שרה', 'शर्मा', '王小明', '欧阳娜娜', '김민수', 'さくら', 'สมชาย'];
const UNSPACED = /^[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Thai}]/u;
const PHONES = ['+16505551234', '+16505559999', '+447700900123', '+8613800138000', '+33612345678'];
const TAGS = ['vip', 'Gold member', '重要', 'late'];

const alike = new Intl.Collator('und', { sensitivity: 'base' });
const split = (name: string): string[] => name.split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => word !== '');
const piecesOf = (word: string): string[] => {
  const characters = [...word];
  const from = UNSPACED.test(word) ? characters.map((_, i) => i) : [0];
  return from.flatMap((start) => characters.slice(start).map((_, i) => characters.slice(start, start + i + 1).join('')));
};
const modelName = (name: string | undefined, query: string): boolean => name !== undefined && split(query).every((asked) => split(name).some((word) => UNSPACED.test(word) === UNSPACED.test(asked) && piecesOf(word).some((piece) => alike.compare(piece, asked) === 0)));
const modelPhone = (phone: string | undefined, query: string): boolean => phone !== undefined && (query.startsWith('+') ? phone.replace('+', '') === query.slice(1) : phone.endsWith(query));

interface Known {
  profile: Profile;
  readonly aliases: string[];
}
type Model = Map<number, Known>;
type Question = { readonly is: 'list'; readonly tag?: string; readonly ownerId?: string } | { readonly is: 'search'; readonly input: { q: string } | { phone: string } | { tag: string } | { ownerId: string } };

function answerOf(model: Model, actor: Actor, question: Question): string[] {
  const wanted = ({ profile, aliases }: Known): boolean => {
    if (question.is === 'list') return (question.tag === undefined || profile.tags.includes(question.tag)) && (question.ownerId === undefined || profile.ownerId === question.ownerId);
    const { input } = question;
    if ('tag' in input) return profile.tags.includes(input.tag);
    if ('ownerId' in input) return profile.ownerId === input.ownerId;
    if ('phone' in input) return modelPhone(profile.phone, input.phone) || aliases.some((alias) => modelPhone(alias, input.phone));
    return modelName(profile.name, input.q);
  };
  return [...model].filter(([, known]) => wanted(known) && (actor.role !== 'sales' || known.profile.ownerId === actor.operatorId)).map(([n]) => ulidOf(n)).sort().reverse();
}

const ask = (world: Pick<SearchingWorld, 'deps'>, actor: Actor, question: Question, page: PageInput): Promise<StaffResult<CustomerPage>> =>
  question.is === 'list' ? listCustomers(world.deps, actor, { ...page, ...(question.tag !== undefined && { tag: question.tag }), ...(question.ownerId !== undefined && { ownerId: question.ownerId }) }) : searchCustomers(world.deps, actor, { ...page, ...question.input } as SearchInput);

/** All pages; what is on them, and how many customers each had. */
async function all(world: Pick<SearchingWorld, 'deps'>, actor: Actor, question: Question, limit: number) {
  const items: CustomerPage['items'][number][] = [];
  const pages: number[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const result = await ask(world, actor, question, { limit, ...(cursor !== undefined && { cursor }) });
    if (result.outcome !== 'done') throw new Error(`refused: ${JSON.stringify(result.refusal)}`);
    expect(result.value.items.length).toBeLessThanOrEqual(limit);
    items.push(...result.value.items);
    pages.push(result.value.items.length);
    cursor = result.value.cursor;
  }
  return { ids: items.map(({ customerId }) => customerId), items, pages };
}

function drawer(seed: number) {
  const draw = seededDraw(seed);
  const below = (n: number): number => Math.floor(draw() * n);
  const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const maybe = <T>(make: () => T): T | undefined => (draw() < 0.7 ? make() : undefined);
  const profile = (): Profile => {
    const [name, phone, ownerId] = [maybe(() => [one(WORDS), one(WORDS)].join(one([' ', '  ', ', ']))), maybe(() => one(PHONES)), maybe(() => one(SALES).operatorId)];
    return { ...(name !== undefined && { name }), ...(phone !== undefined && { phone }), ...(ownerId !== undefined && { ownerId }), tags: TAGS.filter(() => draw() < 0.3).sort(), custom: {} };
  };
  const word = (): string => {
    const written = split(one(WORDS.filter((each) => each !== 'X'))).at(-1)!;
    const piece = one(piecesOf(written).filter((each) => UNSPACED.test(written) || [...each].length >= 2));
    return one([piece, piece.toUpperCase(), piece.toLowerCase(), UNSPACED.test(piece) ? piece : piece.normalize('NFD')]);
  };
  const question = (): Question => {
    const kind = below(7);
    if (kind === 0) return { is: 'list', ...(draw() < 0.3 && { tag: one(TAGS) }), ...(draw() < 0.3 && { ownerId: one(SALES).operatorId }) };
    if (kind === 1) return { is: 'search', input: { tag: one([...TAGS, 'VIP']) } };
    if (kind === 2) return { is: 'search', input: { ownerId: one(SALES).operatorId } };
    if (kind === 3) return { is: 'search', input: { phone: one([one(PHONES), one(PHONES).slice(-(4 + below(6)))]) } };
    return { is: 'search', input: { q: [`${one(['Mar', '王', 'Jo', 'GROSS', 'Παπ'])}`, word(), `${word()} ${word()}`][below(3)]! } };
  };
  return { draw, below, one, profile, question };
}

/** An id is never given twice, not even after an erasure. */
const lastMade = new WeakMap<Model, number>();

/** Some customers live for a while: made, edited, assigned, known by numbers, erased. */
async function live(world: SearchingWorld, model: Model, seed: number, steps: number): Promise<void> {
  const { draw, below, one, profile } = drawer(seed);
  for (let step = 0; step < steps; step += 1) {
    const there = [...model.keys()];
    const n = there.length > 0 ? one(there) : 0;
    const kind = there.length === 0 ? 0 : below(10);
    if (kind < 4) {
      const made = (lastMade.get(model) ?? 0) + 1 + below(3);
      lastMade.set(model, made);
      // Half of them as the webhook makes them: without a profile.
      const born = draw() < 0.5 ? profile() : { tags: [], custom: {} };
      await world.create(made, born);
      model.set(made, { profile: born, aliases: [] });
    } else if (kind < 8) {
      const edited = profile();
      await world.edit(n, edited);
      model.get(n)!.profile = edited;
    } else if (kind === 8) {
      const number = `99${1_000 + below(9_000)}${n}`;
      if (model.get(n)!.aliases.includes(number)) continue;
      await world.alias(n, one(['wa-id', 'phone'] as const), number);
      model.get(n)!.aliases.push(number);
    } else if (draw() < 0.3) {
      await world.erase(n);
      model.delete(n);
    }
  }
}

let [asked, found] = [0, 0];
afterAll(() => figure('search and lists against a naive model', `${asked} questions asked, ${found} customers found, every answer the same`));

test('whatever is asked by whomever, the answer is that of the model; while the index is behind, nothing wrong is shown', async () => {
  await forEachSeed('searches', 3, async (seed) => {
    const world = searchingWorld(seed);
    const model: Model = new Map();
    const { below, question } = drawer(seed ^ 0x5eed);
    for (let round = 0; round < 4; round += 1) {
      await live(world, model, seed + round, 30);
      for (const [i, behind] of [true, false].entries()) {
        if (!behind) await world.follow();
        for (let n = 0; n < 15; n += 1) {
          const what = question();
          for (const actor of [SUPPORT, ...SALES]) {
            const { ids, items } = await all(world, actor, what, 1 + below(7));
            const expected = answerOf(model, actor, what);
            asked += 1;
            found += ids.length;
            const context = `${actor.role} asks ${JSON.stringify(what)} in round ${round}.${i}`;
            if (behind) expect([context, ids.filter((id) => !expected.includes(id))]).toEqual([context, []]);
            else expect([context, ids]).toEqual([context, expected]);
            for (const item of items) expect(item.profile).toEqual(model.get(Number(item.customerId))!.profile);
          }
        }
      }
    }
    expect(await rowsOf(world.views, world)).not.toHaveLength(0);
  });
});

/** Every row of the index there can be for this world's terms, without those that say they are gone. */
async function rowsOf(views: SearchingWorld['views'], world: SearchingWorld): Promise<readonly string[]> {
  const terms = new Set<string>();
  for await (const image of everyState(world)) for (const term of image) terms.add(term);
  const rows: string[] = [];
  for (const pk of terms) for await (const view of views.partition(pk)) if (stringOf(view, 'customerId') !== undefined) rows.push(canonicalImage(view).toString());
  return rows.sort();
}

/** The partitions a record's states ever named, learnt by projecting each state by itself. */
async function* everyState(world: SearchingWorld): AsyncIterable<readonly string[]> {
  for (const { newImage } of world.events()) {
    const named: string[] = [];
    const note = async ({ key }: { readonly key: { readonly pk: string } }): Promise<'applied'> => (named.push(key.pk), 'applied');
    if (newImage !== undefined) await projectViews({ ...world.deps, views: { ...world.views, place: note } }, [{ op: 'INSERT', key: { pk: stringOf(newImage, 'pk')!, sk: stringOf(newImage, 'sk')! }, newImage } as StreamEvent]);
    yield named;
  }
}

test('events in any order, some of them twice, end in the index that a rebuild makes', async () => {
  await forEachSeed('disordered streams', 3, async (seed) => {
    const world = searchingWorld(seed);
    await live(world, new Map(), seed, 40);
    const rebuilt = memoryViews();
    await rebuildViews({ ...world.deps, views: rebuilt });
    const expected = await rowsOf(rebuilt, world);
    expect(expected.length).toBeGreaterThan(20);
    const { below, draw } = drawer(seed);
    for (let run = 0; run < 5; run += 1) {
      const views = memoryViews();
      const events = world.events().flatMap((event) => (draw() < 0.3 ? [event, event] : [event]));
      for (let i = events.length - 1; i > 0; i -= 1) {
        const j = below(i + 1);
        [events[i], events[j]] = [events[j]!, events[i]!];
      }
      while (events.length > 0) await projectViews({ ...world.deps, views }, events.splice(0, 1 + below(5)));
      expect(await rowsOf(views, world)).toEqual(expected);
      // A rebuild over them leaves them as they are.
      await rebuildViews({ ...world.deps, views });
      expect(await rowsOf(views, world)).toEqual(expected);
    }
  });
});

let converged = 0;
afterAll(() => figure('the search index: one fault at one call, of six kinds', `${converged} tried, every batch that comes again ends in the index of a rebuild`));

test.each(FAULTS)('a batch that met %s at any one call, and comes again, ends in the index that a rebuild makes', async (fault) => {
  const world = searchingWorld();
  await live(world, new Map(), 4, 12);
  const rebuilt = memoryViews();
  await rebuildViews({ ...world.deps, views: rebuilt });
  const expected = await rowsOf(rebuilt, world);
  for (let index = 0, calls = 1; index < calls; index += 1) {
    const views = memoryViews();
    const { ports, calls: made, settle } = memoryProcess({ views }, (call) => (call.index === index ? fault : undefined));
    await projectViews({ ...world.deps, ...ports }, world.events()).catch((error: unknown) => {
      if (!(error instanceof Killed || error instanceof PortError)) throw error;
    });
    await settle();
    calls = Math.max(calls, made.length);
    await projectViews({ ...world.deps, views }, world.events());
    expect(await rowsOf(views, world)).toEqual(expected);
    converged += 1;
  }
});

const find = async (world: SearchingWorld, actor: Actor, input: { q: string } | { phone: string }): Promise<string[]> => (await all(world, actor, { is: 'search', input }, 50)).ids;
const named = (name: string, rest: Partial<Profile> = {}): Profile => ({ name, tags: [], custom: {}, ...rest });

test('a record removed by hand is not found, and found again when it is put back; a forged state takes nobody out of the index', async () => {
  const world = searchingWorld();
  await world.create(1, named('Maria'));
  await world.create(2, named('Marius'));
  await world.follow();
  const genuine = await world.stored(1);
  world.records.byHand.remove(recordKeys.customer(ulidOf(1)));
  await world.follow();
  expect(await find(world, SUPPORT, { q: 'mar' })).toEqual([ulidOf(2)]);
  world.records.byHand.put(genuine);
  await world.follow();
  expect(await find(world, SUPPORT, { q: 'mar' })).toEqual([ulidOf(2), ulidOf(1)]);
  world.records.byHand.put({ ...genuine, profileName: { S: 'Nobody' }, rev: { N: '9' } });
  await world.follow();
  expect(await find(world, SUPPORT, { q: 'mar' })).toEqual([ulidOf(2)]);
  expect(world.meter.counts.get('RecordMacInvalid')).toBeGreaterThan(0);
  expect(await find(world, SUPPORT, { q: 'nobody' })).toEqual([]);
  world.records.byHand.put(genuine);
  await world.follow();
  expect(await find(world, SUPPORT, { q: 'mar' })).toEqual([ulidOf(2), ulidOf(1)]);
});

describe('customers whose records are not as we wrote them', () => {
  const forge = async (world: SearchingWorld, n: number): Promise<void> => world.records.byHand.put({ ...(await world.stored(n)), profileName: { S: 'Mary, Queen' } });
  const peopled = async (): Promise<SearchingWorld> => {
    const world = searchingWorld();
    for (const [n, ownerId] of [[1, 'sales-1'], [2, 'sales-1'], [3, 'sales-2'], [4, 'sales-1']] as const) await world.create(n, named('Maria', { ownerId, phone: `+1650555000${n}` }));
    await world.follow();
    return world;
  };
  const page = (world: SearchingWorld, actor: Actor, input: object) => ('q' in input || 'phone' in input ? searchCustomers(world.deps, actor, { limit: 50, ...input } as never) : listCustomers(world.deps, actor, { limit: 50, ...input }));
  const told = (n: readonly number[], unreadable?: number) => ({ outcome: 'done', value: { items: n.map((each) => expect.objectContaining({ customerId: ulidOf(each) })), ...(unreadable !== undefined && { unreadable }) } });

  test('are left out of lists and searches, counted there, and written down', async () => {
    const world = await peopled();
    for (const n of [2, 3]) await forge(world, n);
    expect(await page(world, SUPPORT, {})).toEqual(told([4, 1], 2));
    expect(await page(world, SUPPORT, { q: 'maria' })).toEqual(told([4, 1], 2));
    expect(await page(world, SUPPORT, { phone: '+16505550003' })).toEqual(told([], 1));
    expect(await page(world, SUPPORT, { phone: '+16505550001' })).toEqual(told([1]));
    expect(world.meter.counts.get('RecordMacInvalid')).toBe(5);
    expect((await accessRecords(world)).map((each) => [stringOf(each, 'outcome'), integerOf(each, 'count'), integerOf(each, 'unreadable')]).sort()).toEqual([['done', 0, 1], ['done', 1, undefined], ['done', 2, 2], ['done', 2, 2]]);
  });

  test('count on the page they stand on, once', async () => {
    const world = await peopled();
    await forge(world, 3);
    const first = await page(world, SUPPORT, { limit: 1 });
    expect(first).toMatchObject({ value: { items: [{ customerId: ulidOf(4) }], cursor: expect.any(String) } });
    expect(first).not.toHaveProperty('value.unreadable');
    const second = await page(world, SUPPORT, { limit: 1, cursor: first.outcome === 'done' ? first.value.cursor : '' });
    expect(second).toMatchObject({ value: { items: [{ customerId: ulidOf(2) }], unreadable: 1 } });
  });

  test('are told to sales only of their own customers', async () => {
    const world = await peopled();
    for (const n of [2, 3]) await forge(world, n);
    expect(await page(world, SALES[0], {})).toEqual(told([4, 1], 1));
    expect(await page(world, SALES[0], { q: 'mar' })).toEqual(told([4, 1], 1));
    expect(await page(world, SALES[1], {})).toEqual(told([], 1));
    expect(await page(world, operator('sales-3', 'sales'), {})).toEqual(told([]));
    for (const whose of ['sales-2', 'sales-3']) expect(await page(world, SALES[0], { ownerId: whose })).toEqual(told([]));
  });

  test('are doubtful too where only the name they write under is: nobody can say whether it is the number', async () => {
    const world = searchingWorld();
    await world.create(1, named('Maria'));
    await world.alias(1, 'wa-id', '16505551234');
    await world.follow();
    expect(await page(world, SUPPORT, { phone: '+16505551234' })).toEqual(told([1]));
    const alias = world.records.byHand.all().find((image) => stringOf(image, 'kind') === 'alias')!;
    world.records.byHand.put({ ...alias, aliasValue: { S: '447700900123' } });
    expect(await page(world, SUPPORT, { phone: '+16505551234' })).toEqual(told([], 1));
    // Who is found by what can be read is found.
    expect(await page(world, SUPPORT, { q: 'maria' })).toEqual(told([1]));
  });
});

test('a number that went to somebody else finds the new holder only', async () => {
  const world = searchingWorld();
  await world.create(1, named('Maria'));
  await world.create(2, named('Marius'));
  await world.alias(1, 'wa-id', '16505551234');
  await world.follow();
  expect(await find(world, SUPPORT, { phone: '1234' })).toEqual([ulidOf(1)]);
  await world.alias(1, 'wa-id', '16505551234', { rev: 2, movedTo: 1 });
  // Not yet in the index: the record says whose it is.
  expect(await find(world, SUPPORT, { phone: '1234' })).toEqual([]);
  await world.follow();
  expect(await find(world, SUPPORT, { phone: '1234' })).toEqual([]);
});

test('the index holds nothing that could be read, and an erasure leaves no row of it that counts', async () => {
  const world = searchingWorld();
  await world.create(1, named('Maria Papadopoulou', { phone: '+16505551234', tags: ['vip'], ownerId: SALES[0].operatorId }));
  await world.alias(1, 'wa-id', '447700900123');
  await world.follow();
  const rows = await rowsOf(world.views, world);
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.join()).not.toMatch(/maria|papa|1234|0123|vip|sales/i);
  await world.erase(1);
  await world.follow();
  expect(await rowsOf(world.views, world)).toEqual((await rowsOf(world.views, world)).filter((row) => row.includes('recordPk')));
  expect(await find(world, SUPPORT, { q: 'maria' })).toEqual([]);
});

test('what one page reads is bounded, and the cursor of an empty page goes on', async () => {
  const world = searchingWorld();
  await world.create(1, named('Maria Zorn'));
  for (let n = 2; n <= MAX_CANDIDATES + 30; n += 1) await world.create(n, named('Maria Adler'));
  await world.follow();
  let reads = 0;
  const counting = { ...world.deps, records: { ...world.records, get: (...args: Parameters<typeof world.records.get>) => (reads++, world.records.get(...args)) } };
  const first = await searchCustomers(counting, SUPPORT, { q: 'maria z', limit: 10 });
  if (first.outcome !== 'done') throw new Error('refused');
  expect(first.value).toEqual({ items: [], cursor: expect.any(String) });
  expect(reads).toBe(MAX_CANDIDATES);
  const second = await searchCustomers(counting, SUPPORT, { q: 'maria z', limit: 10, cursor: first.value.cursor! });
  expect(second).toMatchObject({ value: { items: [{ customerId: ulidOf(1) }] } });
  expect(second).not.toHaveProperty('value.cursor');
});

test('a customer is found though a page ends between what they had once and what they have', async () => {
  const world = searchingWorld();
  const phone = '+16505551234';
  await world.create(1, { ...named('Maria Adler'), phone });
  // Their numbers end like the one that is looked for.
  for (let n = 2; n <= MAX_CANDIDATES; n += 1) await world.create(n, { ...named('Maria Adler'), phone: `+44${phone.slice(1)}` });
  await world.alias(1, 'wa-id', phone.slice(1));
  await world.alias(1, 'wa-id', phone.slice(1), { rev: 2, movedTo: 2 });
  await world.follow();
  expect(await searchCustomers(world.deps, SUPPORT, { phone, limit: 100 })).toMatchObject({ value: { items: [{ customerId: ulidOf(1) }] } });
});

test('sales get the same bytes and the same pages whatever customers others have', async () => {
  await forEachSeed('worlds that differ in others’ customers', 4, async (seed) => {
    const mine = { ...named('Maria Adler'), ownerId: SALES[0].operatorId };
    const seen = async (others: number): Promise<readonly unknown[]> => {
      const world = searchingWorld(seed);
      for (let n = 1; n <= 60; n += 1) {
        if (n % 7 === 0) await world.create(n, { ...mine, phone: `+1650555${1_000 + n}` });
        else if (n % 60 < others) await world.create(n, { ...mine, ownerId: SALES[1].operatorId, tags: ['vip'], phone: '+16505551049' });
      }
      await world.follow();
      const answers: unknown[] = [];
      let reads = 0;
      const counting = { deps: { ...world.deps, records: { ...world.records, get: (...args: Parameters<typeof world.records.get>) => (reads++, world.records.get(...args)) } } };
      for (const what of [{ is: 'list' }, { is: 'list', tag: 'vip' }, { is: 'list', ownerId: SALES[1].operatorId }, { is: 'search', input: { q: 'maria' } }, { is: 'search', input: { phone: '1049' } }, { is: 'search', input: { tag: 'vip' } }, { is: 'search', input: { ownerId: SALES[1].operatorId } }] as readonly Question[]) {
        for (const limit of [3, 4]) {
          const { items, pages } = await all(counting, SALES[0], what, limit);
          answers.push([what, items, pages, reads]);
        }
      }
      answers.push((await accessRecords(world)).map((image: Image) => JSON.stringify([stringOf(image, 'outcome'), image['count']])).sort());
      return answers;
    };
    expect(await seen(60)).toEqual(await seen(0));
  });
});

test('each page is written down before it is answered, by who asked and whom they saw, not by what for', async () => {
  const world = searchingWorld();
  await world.create(1, named('Maria'));
  await world.follow();
  await find(world, SUPPORT, { q: 'maria' });
  await listCustomers(world.deps, operator('auditor-1', 'auditor'), { limit: 5, tag: 'vip' });
  const [first, second] = await accessRecords(world);
  expect(first).toMatchObject({ action: { S: 'SearchCustomers' }, decision: { S: 'allow' }, outcome: { S: 'done' }, count: { N: '1' }, operatorId: { S: 'support-1' } });
  expect(JSON.stringify([first, second])).not.toMatch(/maria|vip/i);
  // What for can be asked of the log, and not read in it; of whom was turned away too.
  expect([first, second].map((each) => accessEventOf(each!)?.searched)).toEqual([[expect.stringMatching(/^name:[\w-]{43}$/)], [expect.stringMatching(/^tag:[\w-]{43}$/)]]);
  const shown = (await listCustomers(world.deps, SUPPORT, { limit: 5 })) as { readonly value: { readonly items: readonly { readonly customerId: string }[] } };
  const ids = shown.value.items.map(({ customerId }) => customerId);
  expect(ids).toHaveLength(1);
  expect(accessEventOf(first!)?.shown).toEqual(ids);
  expect(ocsfOf(accessEventOf(first!)!).resources.slice(1)).toEqual(ids.map((uid) => ({ type: 'Customer', uid })));
  expect(second).toMatchObject({ action: { S: 'ListCustomers' }, decision: { S: 'deny' }, outcome: { S: 'forbidden' } });
  const blind = { ...world.deps, records: { ...world.records, create: async () => Promise.reject(new Error('the access log cannot be written')) } };
  await expect(listCustomers(blind, SUPPORT, { limit: 5 })).rejects.toThrow('access log');
});

test('a cursor is good for the operator, the route and the question it was made for', async () => {
  const world = searchingWorld();
  for (let n = 1; n < 6; n += 1) await world.create(n, named('Maria', { ownerId: SALES[0].operatorId, tags: ['vip'] }));
  await world.follow();
  const page = await searchCustomers(world.deps, SALES[0], { q: 'maria', limit: 2 });
  const cursor = page.outcome === 'done' ? page.value.cursor! : '';
  expect(await searchCustomers(world.deps, SALES[0], { q: 'maria', limit: 2, cursor })).toMatchObject({ outcome: 'done' });
  const invalid = { outcome: 'refused', refusal: { code: 'invalid', errors: [{ field: 'cursor' }] } };
  expect(await searchCustomers(world.deps, SALES[1], { q: 'maria', limit: 2, cursor })).toMatchObject(invalid);
  expect(await searchCustomers(world.deps, SALES[0], { q: 'mari', limit: 2, cursor })).toMatchObject(invalid);
  expect(await searchCustomers(world.deps, SALES[0], { tag: 'maria', limit: 2, cursor })).toMatchObject(invalid);
  expect(await listCustomers(world.deps, SALES[0], { limit: 2, cursor })).toMatchObject(invalid);
});

test('what holds nothing to look for is refused, and that is written down too', async () => {
  const world = searchingWorld();
  for (const input of [{ q: 'x' }, { q: '--' }, { q: '' }, { phone: '123' }, { phone: 'maria' }]) {
    expect(await searchCustomers(world.deps, SUPPORT, { ...input, limit: 5 })).toMatchObject({ outcome: 'refused', refusal: { code: 'invalid', errors: [{ rule: 'search-too-short' }] } });
  }
  expect(await accessRecords(world)).toHaveLength(5);
});

/** docs/data-model.md states these numbers; `npx jest test/operations/staff/search.test.ts -t 'rows'` prints them. */
test('rows written for a customer: one for a new one, those of the words for a name, only what differs for an edit', async () => {
  const world = searchingWorld();
  let written = 0;
  const views = { ...world.views, place: (...args: Parameters<typeof world.views.place>) => (written++, world.views.place(...args)) };
  let from = 0;
  const rows = async (): Promise<number> => {
    written = 0;
    await projectViews({ ...world.deps, views }, world.records.stream.slice(from));
    from = world.records.stream.length;
    return written;
  };
  const maria = named('Maria Garcia Lopez');
  const counts: Record<string, number> = {};
  await world.create(1, { tags: [], custom: {} });
  counts['a customer whom the webhook met'] = await rows();
  await world.alias(1, 'wa-id', '16505551234');
  counts['their number of 11 digits'] = await rows();
  await world.edit(1, maria);
  counts['a name of 5, 6 and 5 letters'] = await rows();
  await world.edit(1, { ...maria, phone: '+16505551234', tags: ['vip'] });
  counts['a number and a tag added'] = await rows();
  await world.edit(1, { ...maria, phone: '+16505551234', tags: ['vip'], ownerId: 'sales-1' });
  counts['assigned'] = await rows();
  await world.edit(1, { ...maria, name: 'Maria Garcia Lopes', phone: '+16505551234', tags: ['vip'], ownerId: 'sales-1' });
  counts['one letter at the end of a name'] = await rows();
  await world.edit(1, { ...maria, name: '王小明', phone: '+16505551234', tags: ['vip'], ownerId: 'sales-1' });
  counts['that name replaced by three characters'] = await rows();
  figure('rows of the search index written', Object.entries(counts).map(([what, n]) => `${what}: ${n}`).join(', '));
  process.stdout.write(`    ${JSON.stringify(counts)}\n`);
  expect(Object.values(counts)).toEqual([1, 8, 13, 9, 1, 2, 18]);
});

test('the partition of a list is that of everybody', async () => {
  const world = searchingWorld();
  await world.create(7, named('Maria'));
  await world.follow();
  const rows: Image[] = [];
  for await (const view of world.views.partition(partitionOf(world.dedupe, EVERYBODY))) rows.push(view);
  expect(rows).toMatchObject([{ sk: { S: ulidOf(7) }, customerId: { S: ulidOf(7) } }]);
});
