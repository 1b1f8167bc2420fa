/** What staff do with customers, request by request, and what is written down about it. */
import { stringOf } from '../../../src/core/image';
import { withMac } from '../../../src/core/record-mac';
import { EMPTY_PROFILE } from '../../../src/core/staff/profile';
import { recordKeys } from '../../../src/core/table-keys';
import type { ProfileSettings } from '../../../src/core/staff/profile-settings';
import { editCustomer } from '../../../src/operations/staff/edit-customer';
import { rollbackCustomer } from '../../../src/operations/staff/rollback-customer';
import { SETTINGS, SYSTEM_SUBJECT } from './staff-container';
import { customerIdOf, operator, staffWorld, valueOf, type StaffWorld } from './staff-world';

const [support, other, sales, admin] = [operator('support'), operator('support', 2), operator('sales'), operator('admin')];
const minute = 60_000;
let world: StaffWorld;
beforeEach(() => {
  world = staffWorld();
});
afterEach(() => expect(world.wrong()).toEqual([]));

const logged = (): readonly string[] => world.all('access').map((image) => ['operatorId', 'action', 'decision', 'outcome'].map((name) => stringOf(image, name)).join(' '));

test('a customer is made with the first version and read back, tags sorted', async () => {
  const { customerId, rev } = valueOf(await world.createCustomer(support, { profile: { name: 'Zoë Müller', phone: '+4915123456789', tags: ['vip', 'berlin'], custom: { visits: 3 } }, reason: 'Met at the fair.' }));
  expect(rev).toBe(1);
  world.clock.ms += minute;
  expect(valueOf(await world.readCustomer(support, { customerId }))).toEqual({
    customerId,
    rev: 1,
    aliases: [],
    merged: [],
    maybeSame: [],
    createdAt: '2026-03-01T12:00:00.000Z',
    profile: { name: 'Zoë Müller', phone: '+4915123456789', tags: ['berlin', 'vip'], custom: { visits: 3 } },
    notes: [],
  });
  expect(valueOf(await world.listVersions(support, { customerId, limit: 10 })).items).toEqual([
    {
      rev: 1,
      at: '2026-03-01T12:00:00.000Z',
      action: 'created',
      by: { operatorId: 'support-1', name: 'support1@example.com', role: 'support' },
      sourceIp: '192.0.2.1',
      requestId: 'request-of-support-1',
      reason: 'Met at the fair.',
      changes: [
        { field: '/custom/visits', after: 3 },
        { field: '/name', after: 'Zoë Müller' },
        { field: '/phone', after: '+4915123456789' },
        { field: '/tags', after: ['berlin', 'vip'] },
      ],
      profile: { name: 'Zoë Müller', phone: '+4915123456789', tags: ['berlin', 'vip'], custom: { visits: 3 } },
    },
  ]);
  expect(logged()).toEqual(['support-1 CreateCustomer allow done', 'support-1 ReadCustomer allow done', 'support-1 ReadVersions allow done']);
});

test('a request that comes a second time under one id makes one customer and one note', async () => {
  const [id, noteId] = [customerIdOf(7), customerIdOf(8)];
  const first = valueOf(await world.createCustomer(support, { profile: { name: 'Ada', tags: [], custom: {} }, id }));
  expect(valueOf(await world.createCustomer(support, { profile: { name: 'Ada', tags: [], custom: {} }, id }))).toEqual(first);
  expect(await world.createCustomer(other, { profile: { name: 'Eve', tags: [], custom: {} }, id })).toMatchObject({ refusal: { code: 'conflict' } });
  const note = valueOf(await world.addNote(support, { customerId: id, text: 'Called.', id: noteId }));
  world.clock.ms += minute;
  expect(valueOf(await world.addNote(support, { customerId: id, text: 'Called.', id: noteId }))).toEqual(note);
  expect(await world.addNote(other, { customerId: id, text: 'Called.', id: noteId })).toMatchObject({ refusal: { code: 'conflict' } });
  expect([world.all('customer').length, world.all('note').length]).toEqual([1, 1]);
  expect(logged()).toHaveLength(6);
});

test('what is not asked to change stays; null removes; custom fields are merged', async () => {
  const customerId = await world.receive(1);
  const first = valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada', email: 'ada@example.com', tags: ['a'], custom: { city: 'Bonn', visits: 1 } } }));
  expect(first.rev).toBe(2);
  const second = valueOf(await world.editCustomer(support, { customerId, ifRev: 2, change: { email: null, tags: null, custom: { city: null } } }));
  expect(second).toEqual({
    customerId,
    rev: 3,
    profile: { name: 'Ada', tags: [], custom: { visits: 1 } },
    changes: [
      { field: '/custom/city', before: 'Bonn' },
      { field: '/email', before: 'ada@example.com' },
      { field: '/tags', before: ['a'] },
    ],
  });
  // What receiving knew about the customer is untouched.
  expect(world.all('customer')[0]).toMatchObject({ deliveryId: { S: 'd'.repeat(22) }, createdAt: { S: '2026-03-01T12:00:00.000Z' } });
});

test('an edit that changes nothing writes nothing but that it was asked', async () => {
  const customerId = await world.receive(1);
  valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada' } }));
  expect(valueOf(await world.editCustomer(support, { customerId, ifRev: 2, change: { name: 'Ada' } }))).toMatchObject({ rev: 2, changes: [] });
  expect([world.all('version').length, world.all('access').length]).toEqual([1, 2]);
});

test('what the rules refuse is refused with all that is wrong, and is written down', async () => {
  const customerId = await world.receive(1);
  const result = await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'A\u202eB', phone: '0151' } });
  expect(result).toMatchObject({ outcome: 'refused', refusal: { code: 'invalid' } });
  expect(await world.createCustomer(support, { profile: { name: '', tags: [], custom: {} } })).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: '/name' }] } });
  expect(await world.addNote(support, { customerId, text: '' })).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: '/text' }] } });
  expect(logged()).toEqual(['support-1 EditCustomer allow invalid', 'support-1 CreateCustomer allow invalid', 'support-1 AddNote allow invalid']);
});

test('a stale edit is told where things stand and what happened since', async () => {
  const customerId = await world.receive(1);
  valueOf(await world.editCustomer(other, { customerId, ifRev: 1, change: { name: 'Ada', tags: ['x'] } }));
  valueOf(await world.editCustomer(other, { customerId, ifRev: 2, change: { name: 'Ada L' } }));
  const refusalOf = async (ifRev: number): Promise<unknown> => ((await world.editCustomer(support, { customerId, ifRev, change: { name: 'Eve' } })) as { refusal: unknown }).refusal;
  expect(await refusalOf(1)).toEqual({ code: 'stale', rev: 3, changes: [{ field: '/name', after: 'Ada L' }, { field: '/tags', after: ['x'] }] });
  expect(await refusalOf(2)).toEqual({ code: 'stale', rev: 3, changes: [{ field: '/name', before: 'Ada', after: 'Ada L' }] });
  expect(await refusalOf(9)).toEqual({ code: 'stale', rev: 3, changes: [] });
  expect(world.all('version').length).toBe(2);
});

test('two versions are compared, forwards and backwards, whatever became of the profile since', async () => {
  const customerId = await world.receive(1);
  valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada', tags: ['x'] } }));
  world.clock.ms += 1_000;
  valueOf(await world.editCustomer(support, { customerId, ifRev: 2, change: { name: 'Ada L', email: 'ada@example.com' } }));
  valueOf(await world.editCustomer(support, { customerId, ifRev: 3, change: { tags: [] } }));
  const { items } = valueOf(await world.listVersions(support, { customerId, limit: 10 }));
  const end = (rev: number): object => ({ rev, at: items.find((each) => each.rev === rev)?.at });
  expect(valueOf(await world.compareVersions(support, { customerId, from: 2, to: 3 }))).toEqual({ from: end(2), to: end(3), changes: [{ field: '/email', after: 'ada@example.com' }, { field: '/name', before: 'Ada', after: 'Ada L' }] });
  expect(valueOf(await world.compareVersions(support, { customerId, from: 2 })).changes).toEqual([{ field: '/email', after: 'ada@example.com' }, { field: '/name', before: 'Ada', after: 'Ada L' }, { field: '/tags', before: ['x'] }]);
  const back = valueOf(await world.compareVersions(support, { customerId, from: 4, to: 2 }));
  expect([back.from, back.to, back.changes]).toEqual([end(4), end(2), valueOf(await world.rollbackCustomer(support, { customerId, ifRev: 4, toRev: 2, reason: 'Back.' })).changes]);
  expect(await world.compareVersions(support, { customerId, from: 0, to: 6 })).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: 'from' }, { field: 'to' }] } });
  expect(logged().filter((line) => line.includes('ReadVersions'))).toEqual(['support-1 ReadVersions allow done', ...Array.from({ length: 3 }, () => 'support-1 ReadVersions allow done'), 'support-1 ReadVersions allow invalid']);
});

test('a rollback makes a new version, also to the state receiving made; the assignment stays', async () => {
  const customerId = await world.receive(1);
  valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada' } }));
  valueOf(await world.assignCustomer(admin, { customerId, ifRev: 2, ownerId: 'sales-1' }));
  expect(valueOf(await world.rollbackCustomer(support, { customerId, ifRev: 3, toRev: 1, reason: 'Wrong person.' }))).toEqual({
    customerId,
    rev: 4,
    profile: { ownerId: 'sales-1', tags: [], custom: {} },
    changes: [{ field: '/name', before: 'Ada' }],
  });
  expect(valueOf(await world.rollbackCustomer(support, { customerId, ifRev: 4, toRev: 2, reason: 'It was the right one.' })).profile).toEqual({ name: 'Ada', ownerId: 'sales-1', tags: [], custom: {} });
  expect(await world.rollbackCustomer(support, { customerId, ifRev: 5, toRev: 6, reason: 'x' })).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: '/toRev' }] } });
  expect(await world.rollbackCustomer(support, { customerId, ifRev: 4, toRev: 1, reason: 'x' })).toMatchObject({ refusal: { code: 'stale', rev: 5 } });
  const { items } = valueOf(await world.listVersions(support, { customerId, limit: 10 }));
  expect(items.map(({ rev, action }) => `${rev} ${action}`)).toEqual(['5 rolled-back', '4 rolled-back', '3 assigned', '2 edited', '1 received']);
  expect(items.at(-1)).toEqual({ rev: 1, at: '2026-03-01T12:00:00.000Z', action: 'received', changes: [], profile: EMPTY_PROFILE });
});

test('a rollback brings no custom field back that nobody may write any more; one that is still kept stays or goes', async () => {
  const customerId = await world.receive(1);
  const edit = async (ifRev: number, custom: Record<string, string | number | null>) => valueOf(await world.editCustomer(support, { customerId, ifRev, change: { custom } }));
  await edit(1, { city: 'Bonn', visits: 9 });
  await edit(2, { city: null, visits: 3 });
  const back = async (ifRev: number, toRev: number, customFields: ProfileSettings['customFields']) =>
    valueOf(await rollbackCustomer({ ...world.deps, profile: { ...SETTINGS, customFields } }, support, { customerId, ifRev, toRev, reason: 'x' })).profile.custom;
  const visits = { type: 'number', min: 0, max: 5 } as const;
  expect(await back(3, 2, { visits })).toEqual({ visits: 3 });
  expect(await back(3, 2, {})).toEqual({ visits: 3 });
  expect(await back(3, 1, {})).toEqual({});
  expect(await back(4, 2, {})).toEqual({});
  expect(await back(4, 2, SETTINGS.customFields)).toEqual({ city: 'Bonn', visits: 9 });
});

test('a page of versions ends before it is too big to be carried, and the next one goes on', async () => {
  const customFields = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`field${n}`, { type: 'text', maxLength: 500 } as const]));
  const deps = { ...world.deps, profile: { ...SETTINGS, customFields } };
  const customerId = await world.receive(1);
  for (let rev = 1; rev <= 36; rev += 1) {
    const custom = Object.fromEntries(Object.keys(customFields).map((name) => [name, (rev % 2 === 1 ? '"' : '\u{20000}').repeat(500)]));
    valueOf(await editCustomer(deps, support, { customerId, ifRev: rev, change: { custom } }));
  }
  const revs: number[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = valueOf(await world.listVersions(support, { customerId, limit: 100, cursor }));
    expect(Buffer.byteLength(JSON.stringify({ body: JSON.stringify(page) }))).toBeLessThan(5_000_000);
    revs.push(...page.items.map(({ rev }) => rev));
    cursor = page.cursor;
    pages += 1;
  } while (cursor !== undefined);
  expect([revs, pages]).toEqual([Array.from({ length: 37 }, (_, n) => 37 - n), 2]);
});

test('versions come in pages, newest first, whose cursors are good for their reader and customer alone', async () => {
  const [customerId, another] = [await world.receive(1), await world.receive(2)];
  for (let rev = 1; rev < 6; rev += 1) valueOf(await world.editCustomer(support, { customerId, ifRev: rev, change: { custom: { visits: rev } } }));
  for (const limit of [1, 2, 3, 5, 6, 7]) {
    const revs: number[] = [];
    let cursor: string | undefined;
    do {
      const page = valueOf(await world.listVersions(support, { customerId, limit, cursor }));
      expect(page.items.length).toBeLessThanOrEqual(limit);
      revs.push(...page.items.map(({ rev }) => rev));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(revs).toEqual([6, 5, 4, 3, 2, 1]);
  }
  const { cursor } = valueOf(await world.listVersions(support, { customerId, limit: 1 }));
  for (const asked of [world.listVersions(other, { customerId, limit: 1, cursor }), world.listVersions(support, { customerId: another, limit: 1, cursor })]) {
    expect(await asked).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: 'cursor' }] } });
  }
});

test('the profile as it was at a time', async () => {
  const customerId = await world.receive(1);
  world.clock.ms += minute;
  valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada' } }));
  world.clock.ms += minute;
  valueOf(await world.editCustomer(support, { customerId, ifRev: 2, change: { name: 'Ada L' } }));
  const then = async (at: string): Promise<unknown> => valueOf(await world.customerAt(support, { customerId, at }));
  expect(await then('2026-03-01T12:00:59.999Z')).toEqual({ rev: 1, since: '2026-03-01T12:00:00.000Z', profile: EMPTY_PROFILE });
  expect(await then('2026-03-01T12:01:00.000Z')).toEqual({ rev: 2, since: '2026-03-01T12:01:00.000Z', profile: { name: 'Ada', tags: [], custom: {} } });
  expect(await then('2030-01-01T00:00:00Z')).toMatchObject({ rev: 3 });
  expect(await world.customerAt(support, { customerId, at: '2026-03-01T11:59:59.999Z' })).toMatchObject({ refusal: { code: 'invalid', errors: [{ field: 'time', example: '2026-03-01T12:00:00.000Z' }] } });
});

test('a clock that runs behind makes no version older than the one before', async () => {
  const customerId = await world.receive(1);
  world.clock.ms += minute;
  valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada' } }));
  world.clock.ms -= minute / 2;
  valueOf(await world.editCustomer(support, { customerId, ifRev: 2, change: { name: 'Ada L' } }));
  expect(valueOf(await world.listVersions(support, { customerId, limit: 5 })).items.map(({ at }) => at)).toEqual(['2026-03-01T12:01:00.000Z', '2026-03-01T12:01:00.000Z', '2026-03-01T12:00:00.000Z']);
});

test('notes are added and shown newest first', async () => {
  const customerId = await world.receive(1);
  for (const text of ['one', 'two\nlines']) {
    valueOf(await world.addNote(support, { customerId, text }));
    world.clock.ms += minute;
  }
  const { notes } = valueOf(await world.readCustomer(support, { customerId }));
  expect(notes.map(({ text, by }) => [text, by.operatorId])).toEqual([['two\nlines', 'support-1'], ['one', 'support-1']]);
});

test('all notes are reached in pages, also those that came before the newest 200', async () => {
  const customerId = await world.receive(1);
  const texts = Array.from({ length: 205 }, (_, n) => `note ${n}`);
  for (const text of texts) {
    valueOf(await world.addNote(support, { customerId, text }));
    world.clock.ms += 1;
  }
  expect(valueOf(await world.readCustomer(support, { customerId })).notes).toHaveLength(200);
  const found: string[] = [];
  const sizes: number[] = [];
  for (let cursor: string | undefined, first = true; (first || cursor !== undefined) && sizes.length < 9; first = false) {
    const page = valueOf(await world.listNotes(support, { customerId, limit: 41, ...(cursor !== undefined && { cursor }) }));
    found.push(...page.items.map(({ text }) => text));
    sizes.push(page.items.length);
    cursor = page.cursor;
  }
  expect([found, sizes]).toEqual([[...texts].reverse(), [41, 41, 41, 41, 41]]);
});

test('a cursor of notes is good for one customer and one operator', async () => {
  const [customerId, other] = [await world.receive(1), await world.receive(2)];
  for (const text of ['one', 'two']) {
    valueOf(await world.addNote(support, { customerId, text }));
    world.clock.ms += 1;
  }
  const { cursor = '' } = valueOf(await world.listNotes(support, { customerId, limit: 1 }));
  const invalid = { outcome: 'refused', refusal: { code: 'invalid', errors: [expect.objectContaining({ field: 'cursor' })] } };
  expect(await world.listNotes(support, { customerId: other, limit: 1, cursor })).toEqual(invalid);
  expect(await world.listNotes(admin, { customerId, limit: 1, cursor })).toEqual(invalid);
  expect(valueOf(await world.listNotes(support, { customerId, limit: 1, cursor })).items.map(({ text }) => text)).toEqual(['one']);
});

test('a note that somebody wrote by hand is left out of its page, counted and written down', async () => {
  const customerId = await world.receive(1);
  for (const text of ['one', 'two', 'three']) {
    valueOf(await world.addNote(support, { customerId, text }));
    world.clock.ms += 1;
  }
  const image = world.all('note').find((each) => stringOf(each, 'note') === 'two')!;
  world.records.byHand.decay({ ...image, note: { S: 'forged' } });
  expect(valueOf(await world.listNotes(support, { customerId, limit: 5 }))).toMatchObject({ items: [{ text: 'three' }, { text: 'one' }], unreadable: 1 });
  expect(world.all('access').at(-1)).toMatchObject({ action: { S: 'ReadCustomer' }, count: { N: '2' }, unreadable: { N: '1' } });
  world.records.byHand.decay(image);
});

test('one whose erasure is under way, profile last, is nobody already', async () => {
  const half = staffWorld(); // what is wrong with it is what is tried
  const customerId = await half.receive(1);
  valueOf(await half.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada' } }));
  valueOf(await half.addNote(support, { customerId, text: 'Called.' }));
  const entomb = (key: { readonly pk: string; readonly sk: string }): void =>
    half.records.byHand.decay(withMac(half.macKey, { pk: { S: key.pk }, sk: { S: key.sk }, kind: { S: 'tombstone' }, rev: { N: '2' }, subject: { S: SYSTEM_SUBJECT } }));
  entomb(recordKeys.version(customerId, 2));
  const gone = { outcome: 'refused', refusal: { code: 'not-found' } };
  expect(await half.listVersions(support, { customerId, limit: 5 })).toEqual(gone);
  expect(await half.customerAt(support, { customerId, at: half.deps.now().toISOString() })).toEqual(gone);
  const [note] = half.all('note');
  entomb({ pk: stringOf(note, 'pk') ?? '', sk: stringOf(note, 'sk') ?? '' });
  expect(await half.readCustomer(support, { customerId })).toEqual(gone);
  expect(await half.listNotes(support, { customerId, limit: 5 })).toEqual(gone);
  expect(half.all('access').filter((image) => stringOf(image, 'outcome') === 'not-found')).toHaveLength(4);
});

test('one there is not, one of another and one that was erased are the same answer after the same calls', async () => {
  const [mine, anothers, erased] = [await world.receive(1), await world.receive(2), customerIdOf(3)];
  valueOf(await world.assignCustomer(admin, { customerId: mine, ifRev: 1, ownerId: sales.operatorId }));
  valueOf(await world.assignCustomer(admin, { customerId: anothers, ifRev: 1, ownerId: 'sales-2' }));
  const key = recordKeys.customer(erased);
  world.records.byHand.decay(withMac(world.macKey, { pk: { S: key.pk }, sk: { S: key.sk }, kind: { S: 'tombstone' }, rev: { N: '1' }, subject: { S: 'e'.repeat(22) } }));
  expect(valueOf(await world.readCustomer(sales, { customerId: mine })).customerId).toBe(mine);
  const seen = new Set<string>();
  for (const customerId of [anothers, erased, customerIdOf(4)]) {
    const process = world.process();
    const answers = [await process.readCustomer(sales, { customerId }), await process.listVersions(sales, { customerId, limit: 5 }), await process.editCustomer(sales, { customerId, ifRev: 1, change: { name: 'x' } }), await process.addNote(sales, { customerId, text: 'x' })];
    expect(answers).toEqual(answers.map(() => ({ outcome: 'refused', refusal: { code: 'not-found' } })));
    seen.add(JSON.stringify([answers, process.calls.map(({ method }) => method)]));
    const sizes = world.all('access').filter((image) => stringOf(image, 'customerId') === customerId && stringOf(image, 'operatorId') === sales.operatorId).map((image) => Object.keys(image).length);
    expect(sizes).toHaveLength(4);
  }
  expect(seen.size).toBe(1);
  // Nor may sales do at all what the role has no right to.
  expect(await world.createCustomer(sales, { profile: { tags: [], custom: {} } })).toEqual({ outcome: 'refused', refusal: { code: 'forbidden' } });
  expect(await world.editCustomer(sales, { customerId: mine, ifRev: 2, change: { name: 'x' } })).toEqual({ outcome: 'refused', refusal: { code: 'not-found' } });
  expect(logged().filter((line) => line.includes(' deny '))).not.toEqual([]);
});

test('an access record says who, what, from where and how it came out, and nothing about the customer', async () => {
  const customerId = await world.receive(1);
  valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada Lovelace' }, reason: 'She said so.' }));
  expect(world.all('access')[0]).toEqual({
    pk: { S: 'access#2026-03-01' },
    sk: { S: expect.stringMatching(/^2026-03-01T12:00:00\.000Z#[\w-]{12}$/) },
    kind: { S: 'access' },
    rev: { N: '1' },
    subject: { S: SYSTEM_SUBJECT },
    receivedAt: { S: '2026-03-01T12:00:00.000Z' },
    mac: { S: expect.any(String) },
    operatorId: { S: 'support-1' },
    operatorName: { S: 'support1@example.com' },
    operatorRole: { S: 'support' },
    sourceIp: { S: '192.0.2.1' },
    userAgent: { S: 'tests/1.0' },
    requestId: { S: 'request-of-support-1' },
    action: { S: 'EditCustomer' },
    decision: { S: 'allow' },
    policies: { L: [{ S: expect.any(String) }] },
    resourceType: { S: 'Customer' },
    customerId: { S: customerId },
    outcome: { S: 'done' },
    count: { N: '1' },
  });
});

test.each(['customer', 'version', 'note'])('a %s that somebody wrote by hand is never shown', async (kind) => {
  const customerId = await world.receive(1);
  valueOf(await world.editCustomer(support, { customerId, ifRev: 1, change: { name: 'Ada' } }));
  valueOf(await world.addNote(support, { customerId, text: 'true' }));
  const image = world.all(kind)[0]!;
  world.records.byHand.decay({ ...image, receivedAt: { S: '2026-03-01T12:00:00.001Z' } });
  await expect(kind === 'version' ? world.listVersions(support, { customerId, limit: 5 }) : world.readCustomer(support, { customerId })).rejects.toMatchObject({ code: 'corrupt' });
  world.records.byHand.decay(image);
});

test.each([2, 3, 4])('a version %i that is missing is noticed', async (rev) => {
  const customerId = await world.receive(1);
  for (const ifRev of [1, 2, 3]) valueOf(await world.editCustomer(support, { customerId, ifRev, change: { custom: { visits: ifRev } } }));
  world.records.byHand.remove(recordKeys.version(customerId, rev));
  await expect(world.listVersions(support, { customerId, limit: 5 })).rejects.toMatchObject({ code: 'corrupt' });
  world = staffWorld();
});
