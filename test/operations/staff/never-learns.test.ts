/**
 * A sales operator never learns of another's customer. Two worlds are made that differ in nothing but the customers of others: here they are, there they never were. Whatever the operator asks, of their
 * own customers, of ids of others, of ids of nobody, in lists, pages, searches and changes they may not make: both worlds answer with the same bytes, after the same calls to the stores.
 */
import fc from 'fast-check';
import { memoryHoldMarks } from '../../../src/adapters/memory/hold-marks';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import type { Actor } from '../../../src/core/staff/actor';
import type { StaffResult } from '../../../src/core/staff/refusal';
import { hashed } from '../../../src/core/dedupe-key';
import { loadSecrets } from '../../../src/operations/load-secrets';
import { projectViews } from '../../../src/operations/project-views';
import { rememberIdentity } from '../../../src/operations/read-log';
import { deliveryIdOf, eventsOf, recordDelivery } from '../../../src/operations/record-delivery';
import { addNote } from '../../../src/operations/staff/add-note';
import { assignCustomer } from '../../../src/operations/staff/assign-customer';
import { createCustomer } from '../../../src/operations/staff/create-customer';
import { editCustomer } from '../../../src/operations/staff/edit-customer';
import { askErasure, confirmErasure, readErasure, withdrawErasure } from '../../../src/operations/staff/erasures';
import { placeHold, readHold, releaseHold } from '../../../src/operations/staff/holds';
import { linkAlias, unlinkAlias } from '../../../src/operations/staff/link-alias';
import { listCustomers, type CustomerPage } from '../../../src/operations/staff/list-customers';
import { listNotes } from '../../../src/operations/staff/list-notes';
import { compareVersions } from '../../../src/operations/staff/compare-versions';
import { customerAt, listVersions } from '../../../src/operations/staff/list-versions';
import { mergeCustomers, unmergeCustomers } from '../../../src/operations/staff/merge-customers';
import { proveMessage } from '../../../src/operations/staff/prove-message';
import { readConversation } from '../../../src/operations/staff/read-conversation';
import { readCustomer } from '../../../src/operations/staff/read-customer';
import { readMessage } from '../../../src/operations/staff/read-message';
import { rollbackCustomer } from '../../../src/operations/staff/rollback-customer';
import { searchCustomers } from '../../../src/operations/staff/search-customers';
import { PLAIN_PROFILES } from '../../../src/core/staff/profile-settings';
import { recordKeys } from '../../../src/core/table-keys';
import { PortError } from '../../../src/ports';
import { figure } from '../../figures';
import { makeWorld } from '../../world';
import { textDelivery } from '../receiving-world';
import { decide } from './staff-container';

const actor = (operatorId: string, role: Actor['role']): Actor => ({ operatorId, name: operatorId, role, sourceIp: '192.0.2.1', userAgent: 'test', requestId: 'r' });
const ME = actor('me', 'sales');
const SUPPORT = actor('support', 'support');
const ADMIN = actor('admin', 'admin');

/** `owners`: one after the other; the last one has the customer. */
interface Person {
  readonly owners: readonly (string | null)[];
  readonly name: string;
  readonly phone: string;
  readonly tag: string;
  /** Somebody changed the record by hand. */
  readonly isForged: boolean;
}
const isMine = ({ owners }: Person): boolean => owners.at(-1) === ME.operatorId;
const wasMine = (person: Person): boolean => !isMine(person) && person.owners.includes(ME.operatorId);
const idOf = (index: number): string => `01ARZ3NDEKTSV4RRFFQ69G5F${String(index).padStart(2, '0')}`;
const nameOf = (index: number) => ({ type: 'wa-id', value: `49300000${String(index).padStart(2, '0')}` }) as const;
/** What the message that each of them wrote says, and what names it here. */
const wordsOf = (index: number): string => `the words of ${index}`;
const messageOf = async ({ keys }: Deps, index: number): Promise<string> => hashed(await keys.dedupeKey(), 'wamid', [`wamid.${index}`]);
/** Of nobody, in either world. */
const ABSENT = [idOf(90), idOf(91), 'x', ''];

type Asked = (deps: Deps) => Promise<StaffResult<unknown>>;
type Deps = Awaited<ReturnType<typeof worldOf>>['deps'];

/** Counts each call of a port, and each item of a list it gives. */
function counted<T extends object>(name: string, port: T, calls: string[]): T {
  return new Proxy(port, {
    get: (target, method: string) => {
      const value = target[method as keyof T];
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        calls.push(`${name}.${method}`);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

async function worldOf(people: readonly (Person | undefined)[]) {
  const world = await makeWorld({ seed: 7 });
  const views = memoryViews();
  const calls: string[] = [];
  const secrets = loadSecrets(world);
  const plain = { records: world.records, views, keys: secrets, authorize: decide, identity: rememberIdentity(world.log), meter: world.meter, now: world.now, random: world.random, profile: PLAIN_PROFILES, inbox: world.inbox, holdMarks: memoryHoldMarks(world.records, world.keys), accounts: new Map<string, string>(), proof: world };
  for (const [index, person] of people.entries()) {
    world.advance(1_000);
    if (person === undefined) continue;
    const id = idOf(index);
    const made = await createCustomer(plain, SUPPORT, { id, profile: { name: person.name, phone: person.phone, tags: [person.tag], custom: {} } });
    if (made.outcome !== 'done') throw new Error(JSON.stringify(made));
    const linked = await linkAlias(plain, SUPPORT, { customerId: id, alias: nameOf(index), reason: 'they called' });
    if (linked.outcome !== 'done') throw new Error(JSON.stringify(linked));
    const wrote = Buffer.from(textDelivery(`wamid.${index}`, wordsOf(index), { waId: nameOf(index).value }, Math.ceil(world.now().getTime() / 1_000)));
    await recordDelivery(plain, { deliveryId: deliveryIdOf(wrote), receivedAt: world.now() }, eventsOf(wrote) ?? []);
    let { rev } = linked.value;
    for (const ownerId of person.owners) {
      const given = await assignCustomer(plain, ADMIN, { customerId: id, ifRev: rev, ownerId });
      if (given.outcome !== 'done') throw new Error(JSON.stringify(given));
      rev = given.value.rev;
    }
    await addNote(plain, SUPPORT, { customerId: id, text: `about ${person.name}`, id: idOf(50 + index) });
  }
  await projectViews({ views, keys: secrets, now: world.now }, world.records.stream);
  for (const [index, one] of people.entries()) {
    const image = one?.isForged === true ? world.records.byHand.peek(recordKeys.customer(idOf(index))) : 'absent';
    if (image !== 'absent') world.records.byHand.put({ ...image, profileName: { S: 'Forged' }, ownerId: { S: ME.operatorId } });
  }
  return { deps: { ...plain, records: counted('records', world.records, calls), views: counted('views', views, calls) }, calls };
}

/** Their own customer's record, changed by hand, is an error for them too. */
const answered = (answer: Promise<StaffResult<unknown>>): Promise<StaffResult<unknown> | { readonly outcome: PortError['code'] }> =>
  answer.catch((error: unknown) => {
    if (error instanceof PortError) return { outcome: error.code };
    throw error;
  });

/** Follows a list to its end. */
async function allPages(page: (cursor: string | undefined) => Promise<StaffResult<CustomerPage>>): Promise<StaffResult<unknown>> {
  const pages: CustomerPage[] = [];
  for (let cursor: string | undefined, turns = 0; turns < 30; turns += 1) {
    const result = await page(cursor);
    if (result.outcome === 'refused') return result;
    pages.push(result.value);
    cursor = result.value.cursor;
    if (cursor === undefined) return { outcome: 'done', value: pages };
  }
  throw new Error('a list without end');
}
const cursored = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor });

const NAMES = ['Anna Maria', 'Annegret', '王小明', 'Zoë', 'Bob'];
const PHONES = ['+12025550101', '+12025550102', '+447700900101'];
const TAGS = ['vip', 'new'];
const OWNERS = ['me', 'another', 'third', null];

const person = (owners: fc.Arbitrary<readonly (string | null)[]>, isForged: fc.Arbitrary<boolean>): fc.Arbitrary<Person> => fc.record({ owners, isForged, name: fc.constantFrom(...NAMES), phone: fc.constantFrom(...PHONES), tag: fc.constantFrom(...TAGS) });
/** Of me, or never of me. */
const neverMine = person(fc.oneof(fc.constant(['me']), fc.array(fc.constantFrom('another', 'third', null), { maxLength: 2 })), fc.boolean());
const anybodys = person(fc.array(fc.constantFrom(...OWNERS), { maxLength: 3 }), fc.constant(false));

const limit = fc.constantFrom(1, 2, 100);
const customerId = fc.oneof(fc.nat(9).map(idOf), fc.constantFrom(...ABSENT));
const criterion = fc.oneof(
  fc.constantFrom('An', 'Ann', 'anna m', '王', 'zoe', 'Bob', 'nobody', '0101', '+1202').map((q) => ({ q })),
  fc.constantFrom('0101', ...PHONES).map((phone) => ({ phone })),
  fc.constantFrom(...TAGS, 'none').map((tag) => ({ tag })),
  fc.constantFrom('me', 'another', 'third', 'nobody').map((ownerId) => ({ ownerId })),
);

/** Asked of one customer by id. */
const ofOne = fc.tuple(customerId, fc.nat(9), fc.constantFrom<(id: string, other: number) => Asked>(
  (id) => (deps) => readCustomer(deps, ME, { customerId: id }),
  (id) => (deps) => listNotes(deps, ME, { customerId: id, limit: 5 }),
  (id) => (deps) => listVersions(deps, ME, { customerId: id, limit: 5 }),
  (id) => (deps) => compareVersions(deps, ME, { customerId: id, from: 1 }),
  (id) => (deps) => customerAt(deps, ME, { customerId: id, at: '2026-02-03T04:05:30.000Z' }),
  (id) => (deps) => editCustomer(deps, ME, { customerId: id, ifRev: 1, change: { name: 'Mine now' } }),
  (id) => (deps) => assignCustomer(deps, ME, { customerId: id, ifRev: 2, ownerId: 'me' }),
  (id) => (deps) => addNote(deps, ME, { customerId: id, text: 'noted' }),
  (id) => (deps) => rollbackCustomer(deps, ME, { customerId: id, ifRev: 2, toRev: 1, reason: 'because' }),
  (id) => (deps) => mergeCustomers(deps, ME, { customerId: id, other: idOf(0), reason: 'because' }),
  (id) => (deps) => mergeCustomers(deps, ME, { customerId: idOf(0), other: id, reason: 'because' }),
  (id) => (deps) => readConversation(deps, ME, { customerId: id, limit: 5 }),
  (id, other) => (deps) => linkAlias(deps, ME, { customerId: id, alias: nameOf(other), reason: 'because' }),
  (id, other) => (deps) => unlinkAlias(deps, ME, { customerId: id, alias: nameOf(other), reason: 'because' }),
  (id, other) => (deps) => unmergeCustomers(deps, ME, { customerId: id, other: idOf(other), reason: 'because' }),
  (id) => (deps) => placeHold(deps, ME, { customerId: id, reason: 'because' }),
  (id) => (deps) => releaseHold(deps, ME, { customerId: id, reason: 'because' }),
  (id) => (deps) => readHold(deps, ME, { customerId: id }),
  (id) => (deps) => askErasure(deps, ME, { customerId: id, reason: 'because' }),
  (id) => (deps) => readErasure(deps, ME, { customerId: id }),
  (id) => (deps) => confirmErasure(deps, ME, { customerId: id, requestId: idOf(0) }),
  (id) => (deps) => withdrawErasure(deps, ME, { customerId: id, requestId: idOf(0) }),
)).map(([id, other, ask]) => ask(id, other));
/** Asked of what somebody wrote, who is not always the one it is asked of. */
const ofMessages = fc.tuple(fc.nat(5), fc.option(fc.nat(5)), fc.constantFrom<(id: string, of: number) => Asked>(
  (id) => (deps) => readConversation(deps, ME, { customerId: id, limit: 5 }),
  (id, of) => async (deps) => readMessage(deps, ME, { customerId: id, id: await messageOf(deps, of) }),
  (id, of) => async (deps) => proveMessage(deps, ME, { customerId: id, id: await messageOf(deps, of) }),
)).map(([index, other, ask]) => ask(idOf(index), other ?? index));
/** Asked of all. */
const ofAll: fc.Arbitrary<Asked> = fc.oneof(
  fc.tuple(limit, fc.option(fc.constantFrom(...TAGS), { nil: undefined }), fc.option(fc.constantFrom('me', 'another'), { nil: undefined })).map(([atOnce, tag, ownerId]): Asked => (deps) =>
    allPages((cursor) => listCustomers(deps, ME, { limit: atOnce, ...cursored(cursor), ...(tag !== undefined && { tag }), ...(ownerId !== undefined && { ownerId }) }))),
  fc.tuple(limit, criterion).map(([atOnce, by]): Asked => (deps) => allPages((cursor) => searchCustomers(deps, ME, { limit: atOnce, ...cursored(cursor), ...by }))),
);

const runs = { numRuns: process.env['INTACT_FULL'] ? 1_000 : 40 };

describe('a sales operator', () => {
  it('is answered as if there were no customers but their own: same bytes, same calls', async () => {
    let [asked, found, doubted, heard] = [0, 0, 0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(neverMine, { maxLength: 10 }), fc.array(fc.oneof(ofOne, ofMessages, ofAll), { minLength: 5, maxLength: 25 }), async (people, asks) => {
        const [full, bare] = [await worldOf(people), await worldOf(people.map((one) => (isMine(one) ? one : undefined)))];
        for (const ask of asks) {
          full.calls.length = bare.calls.length = 0;
          const [here, there] = [await answered(ask(full.deps)), await answered(ask(bare.deps))];
          expect(JSON.stringify(here)).toBe(JSON.stringify(there));
          expect(full.calls).toEqual(bare.calls);
          asked += 1;
          if (here.outcome === 'done') found += 1;
          if (JSON.stringify(here).includes('unreadable')) doubted += 1;
          if (JSON.stringify(here).includes(wordsOf(0).slice(0, -1))) heard += 1;
        }
      }),
      runs,
    );
    // Were nothing ever found, nothing would have been tried.
    expect(found).toBeGreaterThan(asked / 10);
    expect(Math.min(doubted, heard)).toBeGreaterThan(0);
    figure('a sales operator never learns of others', `${asked} requests in two worlds, one without others' customers: the same bytes and calls`);
  });

  it('finds and reads nobody who was theirs once and is not any more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anybodys, { minLength: 1, maxLength: 8 }), fc.array(ofAll, { minLength: 3, maxLength: 8 }), async (people, asks) => {
        const { deps } = await worldOf(people);
        const mine = new Set(people.flatMap((one, index) => (isMine(one) ? [idOf(index)] : [])));
        for (const ask of asks) {
          const shown = [...JSON.stringify(await ask(deps)).matchAll(/"customerId":"([^"]*)"/g)].map(([, id]) => id ?? '');
          expect(shown.filter((id) => !mine.has(id))).toEqual([]);
        }
        const unknown = JSON.stringify(await readCustomer(deps, ME, { customerId: ABSENT[0]! }));
        for (const [index, one] of people.entries()) {
          const read = JSON.stringify(await readCustomer(deps, ME, { customerId: idOf(index) }));
          if (isMine(one)) expect(read).toContain(one.name);
          else expect([wasMine(one), read]).toEqual([wasMine(one), unknown]);
        }
      }),
      runs,
    );
  });

  it('cannot go on in a list with the cursor of somebody else', async () => {
    const { deps } = await worldOf([0, 1, 2, 3].map((n): Person => ({ owners: [n === 0 ? 'me' : 'another'], name: 'Anna Maria', phone: PHONES[0]!, tag: 'vip', isForged: false })));
    const page = await listCustomers(deps, SUPPORT, { limit: 1 });
    const cursor = page.outcome === 'done' ? page.value.cursor : undefined;
    expect(cursor).toBeDefined();
    expect(await listCustomers(deps, ME, { limit: 1, cursor: cursor! })).toMatchObject({ outcome: 'refused', refusal: { code: 'invalid' } });
  });
});
