/**
 * What each role can do over HTTP, on the deployed API with IAM enforced: every route asked by every role and by nobody, held against a table written by hand; one profile through its life; and the
 * access log that has all of it.
 */
import { randomUUID } from 'node:crypto';
import { asking, type Ask, type StaffAnswer } from '../../local/staff-request';
import { STAFF_ROUTES } from '../../lib/constructs/staff-api';
import { ROLES, type Role } from '../../src/core/staff/actor';
import { figure } from '../figures';
import { outputs } from './harness/cloud';
import { messages, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { post } from './harness/post';
import { entriesOf } from './harness/published-log';
import { messageUnder, operatorOf } from './harness/staff';
import { changesOf, countByKind, scan } from './harness/tables';
import { waitFor } from './harness/wait-for';

const as = {} as Record<Role, Ask>;
const idOf = {} as Record<Role, string>;
const nobody = asking(outputs.ApiUrl);
const begin = new Date(Date.now() - 1_000);

beforeAll(async () => {
  for (const role of ROLES) {
    const { ask, id } = await operatorOf(role);
    [as[role], idOf[role]] = [ask, id];
  }
}, 60_000);

const key = () => ({ 'idempotency-key': randomUUID() });
const ifMatch = (rev: number) => ({ 'if-match': `"${rev}"` });

interface Customer {
  readonly id: string;
  readonly rev: number;
  /** One of theirs, as the API names it; else one that there is not. */
  readonly message?: string;
  /** An erasure that compliance has asked for. */
  readonly erasure?: string;
}
const NO_MESSAGE = 'A'.repeat(43);
const NOBODY: Customer = { id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', rev: 1 };
/** Made by support, and given to sales where it is to be theirs. */
async function customer(of: 'sales' | 'nobody' = 'nobody', profile: object = { name: 'Matrix Person' }): Promise<Customer> {
  const made = await as.support('POST /v1/customers', { body: { profile }, headers: key() });
  expect([made.status, made.json]).toEqual([201, { customerId: expect.any(String) as string, rev: 1 }]);
  const id = String(made.json['customerId']);
  if (of === 'nobody') return { id, rev: 1 };
  const given = await as.admin(`PUT /v1/customers/${id}/owner`, { body: { ownerId: idOf.sales }, headers: ifMatch(1) });
  expect([given.status, given.json['rev']]).toEqual([200, 2]);
  return { id, rev: 2 };
}
/** Somebody who has written, and whose message is sealed; the same one for every cell, since a message is only read. */
const withMessage = new Map<string, Promise<Customer>>();
function customerWithMessage(of: 'sales' | 'nobody'): Promise<Customer> {
  const made = withMessage.get(of) ?? writing(of);
  withMessage.set(of, made);
  return made;
}
async function writing(of: 'sales' | 'nobody'): Promise<Customer> {
  const phoneNumberId = newPhoneNumberId();
  await post(messages(phoneNumberId, text({ id: newMessageId(), from: newPerson(), body: 'Matrix message' })));
  const { customerId, subject, pk } = await messageUnder(phoneNumberId);
  const [id, message] = [customerId?.S ?? '', (pk?.S ?? '').slice(2)];
  await entriesOf(subject?.S ?? '', 4);
  if (of === 'nobody') return { id, rev: 1, message };
  expect((await as.admin(`PUT /v1/customers/${id}/owner`, { body: { ownerId: idOf.sales }, headers: ifMatch(1) })).status).toBe(200);
  return { id, rev: 2, message };
}
async function customerToErase(of: 'sales' | 'nobody'): Promise<Customer> {
  const one = await customer(of);
  const { json } = await as.compliance(`POST /v1/customers/${one.id}/erasure`, { body: { reason: 'asked' }, headers: key() });
  return { ...one, erasure: String(json['requestId']) };
}
/** A customer of whom a route can be asked. */
const customerFor = (route: string, of: 'sales' | 'nobody'): Promise<Customer> | Customer => (route.includes('{message}') ? customerWithMessage(of) : /erasure\/\{|GET .*\/erasure/.test(route) ? customerToErase(of) : route.includes('{id}') ? customer(of) : NOBODY);
const now = (): string => new Date().toISOString();
const day = (): string => `from=${new Date(Date.now() - 86_400_000).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}`;

/** One request for each route there is, of `one`, which the one who asks may change. */
const REQUESTS: Readonly<Record<string, (ask: Ask, one: Customer) => Promise<StaffAnswer>>> = {
  'GET /v1/me': (ask) => ask('GET /v1/me'),
  'GET /v1/customers': (ask) => ask('GET /v1/customers?limit=5'),
  'GET /v1/customers/search': (ask) => ask('GET /v1/customers/search?q=matrix&limit=5'),
  'GET /v1/customers/{id}': (ask, { id }) => ask(`GET /v1/customers/${id}`),
  'GET /v1/customers/{id}/notes': (ask, { id }) => ask(`GET /v1/customers/${id}/notes`),
  'GET /v1/customers/{id}/versions': (ask, { id }) => ask(`GET /v1/customers/${id}/versions`),
  'GET /v1/customers/{id}/diff': (ask, { id }) => ask(`GET /v1/customers/${id}/diff?from=1`),
  'GET /v1/customers/{id}/at': (ask, { id }) => ask(`GET /v1/customers/${id}/at?time=${now()}`),
  'POST /v1/customers': (ask) => ask('POST /v1/customers', { body: { profile: { name: 'Another Person' } }, headers: key() }),
  'PATCH /v1/customers/{id}': (ask, { id, rev }) => ask(`PATCH /v1/customers/${id}`, { body: { profile: { name: 'Matrix Changed' } }, headers: ifMatch(rev) }),
  'PUT /v1/customers/{id}/owner': (ask, { id, rev }) => ask(`PUT /v1/customers/${id}/owner`, { body: { ownerId: null }, headers: ifMatch(rev) }),
  'POST /v1/customers/{id}/notes': (ask, { id }) => ask(`POST /v1/customers/${id}/notes`, { body: { text: 'Called back.' }, headers: key() }),
  'POST /v1/customers/{id}/rollback': (ask, { id, rev }) => ask(`POST /v1/customers/${id}/rollback`, { body: { toRev: 1, reason: 'as it was' }, headers: { ...ifMatch(rev), ...key() } }),
  'POST /v1/customers/{id}/aliases': (ask, { id }) => ask(`POST /v1/customers/${id}/aliases`, { body: { type: 'bsuid', value: `US.${randomUUID()}`, reason: 'told' }, headers: key() }),
  'POST /v1/customers/{id}/aliases/unlink': (ask, { id }) => ask(`POST /v1/customers/${id}/aliases/unlink`, { body: { type: 'bsuid', value: 'US.none', reason: 'told' }, headers: key() }),
  'POST /v1/customers/{id}/merges': async (ask, { id }) => ask(`POST /v1/customers/${id}/merges`, { body: { other: (await customer()).id, reason: 'one person' }, headers: key() }),
  'POST /v1/customers/{id}/merges/{other}/undo': async (ask, { id }) => ask(`POST /v1/customers/${id}/merges/${(await customer()).id}/undo`, { body: { reason: 'two' }, headers: key() }),
  'POST /v1/rollbacks/plan': (ask) => ask('POST /v1/rollbacks/plan', { body: { operatorId: randomUUID(), from: begin.toISOString(), to: now() } }),
  'POST /v1/rollbacks': (ask) => ask('POST /v1/rollbacks', { body: { operatorId: randomUUID(), from: begin.toISOString(), to: now(), planId: 'none', reason: 'tried' }, headers: key() }),
  'GET /v1/access': (ask) => ask(`GET /v1/access?${day()}&limit=5`),
  'GET /v1/customers/{id}/messages': (ask, { id }) => ask(`GET /v1/customers/${id}/messages`),
  'GET /v1/customers/{id}/messages/{message}': (ask, { id, message = NO_MESSAGE }) => ask(`GET /v1/customers/${id}/messages/${message}`),
  'GET /v1/customers/{id}/messages/{message}/proof': (ask, { id, message = NO_MESSAGE }) => ask(`GET /v1/customers/${id}/messages/${message}/proof`),
  'POST /v1/outbound': (ask) => ask('POST /v1/outbound', { body: { phoneNumberId: newPhoneNumberId(), messageId: newMessageId(), to: newPerson(), sentAt: now(), payload: { type: 'text', text: { body: 'sent' } } } }),
  'GET /v1/customers/{id}/hold': (ask, { id }) => ask(`GET /v1/customers/${id}/hold`),
  'PUT /v1/customers/{id}/hold': (ask, { id }) => ask(`PUT /v1/customers/${id}/hold`, { body: { reason: 'a lawsuit' } }),
  'DELETE /v1/customers/{id}/hold': (ask, { id }) => ask(`DELETE /v1/customers/${id}/hold`, { body: { reason: 'it is over' } }),
  'POST /v1/customers/{id}/erasure': (ask, { id }) => ask(`POST /v1/customers/${id}/erasure`, { body: { reason: 'asked for it' }, headers: key() }),
  'GET /v1/customers/{id}/erasure': (ask, { id }) => ask(`GET /v1/customers/${id}/erasure`),
  'POST /v1/customers/{id}/erasure/{requestId}/confirm': (ask, { id, erasure = NOBODY.id }) => ask(`POST /v1/customers/${id}/erasure/${erasure}/confirm`, { headers: key() }),
  'DELETE /v1/customers/{id}/erasure/{requestId}': (ask, { id, erasure = NOBODY.id }) => ask(`DELETE /v1/customers/${id}/erasure/${erasure}`),
};

/** `own`: sales, of a customer assigned to them; the other columns: of one who is assigned to nobody. */
const COLUMNS = ['own', ...ROLES] as const;
/** `!`: let in, and told that what was asked does not fit (a plan, a name or a merge that there is not). */
const TABLE: Readonly<Record<string, string>> = {
  //                                     own sales support compliance dpo auditor admin
  'GET /v1/me': '                        200 200   200     200        200 200     200',
  'GET /v1/customers': '                 200 200   200     200        200 403     200',
  'GET /v1/customers/search': '          200 200   200     200        200 403     200',
  'GET /v1/customers/{id}': '            200 404   200     200        200 404     200',
  'GET /v1/customers/{id}/notes': '      200 404   200     200        200 404     200',
  'GET /v1/customers/{id}/versions': '   200 404   200     200        200 200     200',
  'GET /v1/customers/{id}/at': '         200 404   200     200        200 200     200',
  'GET /v1/customers/{id}/diff': '       200 404   200     200        200 200     200',
  'POST /v1/customers': '                403 403   201     403        403 403     201',
  'PATCH /v1/customers/{id}': '          404 404   200     404        404 404     200',
  'PUT /v1/customers/{id}/owner': '      404 404   404     404        404 404     200',
  'POST /v1/customers/{id}/notes': '     404 404   201     404        404 404     201',
  'POST /v1/customers/{id}/rollback': '  404 404   200     404        404 404     200',
  'POST /v1/customers/{id}/aliases': '   404 404   200     404        404 404     200',
  'POST /v1/customers/{id}/aliases/unlink': ' 404 404 !     404        404 404     !',
  'POST /v1/customers/{id}/merges': '    404 404   200     404        404 404     200',
  'POST /v1/customers/{id}/merges/{other}/undo': ' 404 404 ! 404      404 404     !',
  'POST /v1/rollbacks/plan': '           403 403   403     403        403 403     200',
  'POST /v1/rollbacks': '                403 403   403     403        403 403     !',
  'GET /v1/access': '                    403 403   403     200        200 200     403',
  'GET /v1/customers/{id}/messages': '   200 404   200     200        200 404     404',
  'GET /v1/customers/{id}/messages/{message}': ' 200 404 200 200      200 404     404',
  'GET /v1/customers/{id}/messages/{message}/proof': ' 404 404 200 200 200 404   404',
  'POST /v1/outbound': '                 403 403   200     403        403 403     403',
  'GET /v1/customers/{id}/hold': '       404 404   404     200        200 200     404',
  'PUT /v1/customers/{id}/hold': '       404 404   404     200        200 404     404',
  'DELETE /v1/customers/{id}/hold': '    404 404   404     !          !   404     404',
  'POST /v1/customers/{id}/erasure': '   404 404   404     201        201 404     404',
  'GET /v1/customers/{id}/erasure': '    404 404   404     200        200 200     404',
  // Asked for by compliance: another officer confirms.
  'POST /v1/customers/{id}/erasure/{requestId}/confirm': ' 404 404 404 404 200 404 404',
  'DELETE /v1/customers/{id}/erasure/{requestId}': ' 404 404 404 200   200 404     404',
};

describe('every route', () => {
  let cells = 0;

  it('has a row in the table, and a request', () => {
    const routes = Object.values(STAFF_ROUTES).flat().sort();
    expect([Object.keys(TABLE).sort(), Object.keys(REQUESTS).sort()]).toEqual([routes, routes]);
  });

  it.each(Object.keys(TABLE))('%s answers each role as the table says, and nobody without a token', async (route) => {
    const request = REQUESTS[route]!;
    const wanted = TABLE[route]!.trim().split(/\s+/);
    const got: number[] = [];
    // One after the other: each request at the same time is a function of its own that has to start.
    for (const column of COLUMNS) got.push((await request(as[column === 'own' ? 'sales' : column], await customerFor(route, column === 'own' ? 'sales' : 'nobody'))).status);
    const told = got.map((status, i) => (wanted[i] === '!' && [400, 409, 412].includes(status) ? '!' : String(status)));
    expect(Object.fromEntries(COLUMNS.map((column, i) => [column, told[i]]))).toEqual(Object.fromEntries(COLUMNS.map((column, i) => [column, wanted[i]])));
    expect((await request(nobody, NOBODY)).status).toBe(401);
    cells += COLUMNS.length + 1;
  }, 60_000);

  it('was asked by all', () => {
    expect(cells).toBe(Object.keys(TABLE).length * (COLUMNS.length + 1));
    figure('the API of staff, deployed, with IAM enforced', `${cells} cells of route × role asked over HTTP, each as the table says`);
  });
});

describe("another's customer", () => {
  /** All that a caller can see of an answer but what is new in each. */
  const seen = ({ status, headers, text }: StaffAnswer): unknown => [status, [...headers].filter(([name]) => !/^(date|x-amzn|x-amz-|apigw|ratelimit)/.test(name)), text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'request')];

  it.each(Object.keys(REQUESTS).filter((route) => route.includes('{id}')))('%s is to sales, byte by byte, a customer whom there never was', async (route) => {
    const others = await customerFor(route, 'nobody');
    expect(seen(await REQUESTS[route]!(as.sales, others))).toEqual(seen(await REQUESTS[route]!(as.sales, { ...others, id: NOBODY.id })));
  }, 30_000);

  it('is in no list and no search of sales, and their own are', async () => {
    const word = `Unmistakable${randomUUID().replaceAll(/[^a-f]/g, '')}`;
    const [mine, others] = [await customer('sales', { name: `${word} Mine` }), await customer('nobody', { name: `${word} Others` })];
    const found = async (ask: Ask): Promise<unknown[]> => ((await ask(`GET /v1/customers/search?q=${word}&limit=50`)).json['items'] as { customerId: string }[]).map(({ customerId }) => customerId).sort();
    // The index follows the records.
    await waitFor('both to be found by support', async () => (await found(as.support)).length === 2, { withinMs: 30_000, everyMs: 300 });
    expect(await found(as.support)).toEqual([mine.id, others.id].sort());
    await waitFor('theirs to be found by sales', async () => (await found(as.sales)).length > 0, { withinMs: 30_000, everyMs: 300 });
    expect(await found(as.sales)).toEqual([mine.id]);
    const listed = JSON.stringify((await as.sales('GET /v1/customers?limit=100')).json);
    expect([listed.includes(mine.id), listed.includes(others.id)]).toEqual([true, false]);
  }, 60_000);
});

describe('one profile', () => {
  it('is edited by who has read it, told what changed to who has not, and put back by a version of its own', async () => {
    const { id } = await customer('nobody', { name: 'Life One', phone: '+12025550111', tags: ['new'] });
    const read = await as.support(`GET /v1/customers/${id}`);
    expect([read.status, read.headers.get('etag'), read.json]).toEqual([200, '"1"', expect.objectContaining({ customerId: id, rev: 1, profile: { name: 'Life One', phone: '+12025550111', tags: ['new'], custom: {} } })]);
    const edited = await as.support(`PATCH /v1/customers/${id}`, { body: { profile: { name: 'Life Two', tags: null }, reason: 'asked for it' }, headers: ifMatch(1) });
    expect([edited.status, edited.headers.get('etag'), edited.json['rev']]).toEqual([200, '"2"', 2]);

    const stale = await as.admin(`PATCH /v1/customers/${id}`, { body: { profile: { phone: '+12025550112' } }, headers: ifMatch(1) });
    expect([stale.status, stale.headers.get('content-type')]).toEqual([412, 'application/problem+json']);
    expect(stale.json).toMatchObject({ rev: 2, changes: expect.arrayContaining([{ field: '/name', before: 'Life One', after: 'Life Two' }]) as unknown });
    const unread = await as.support(`PATCH /v1/customers/${id}`, { body: { profile: { name: 'Life Three' } } });
    expect(unread.status).toBe(428);

    const back = await as.support(`POST /v1/customers/${id}/rollback`, { body: { toRev: 1, reason: 'it was right before' }, headers: { ...ifMatch(2), ...key() } });
    expect([back.status, back.json['rev']]).toEqual([200, 3]);
    const after = await as.support(`GET /v1/customers/${id}`);
    expect([after.headers.get('etag'), after.json['profile']]).toEqual(['"3"', read.json['profile']]);
    const { items } = (await as.support(`GET /v1/customers/${id}/versions`)).json as { items: { rev: number; action: string; reason?: string; by: { operatorId: string } }[] };
    expect(items.map(({ rev, action, reason, by }) => [rev, action, reason, by.operatorId])).toEqual([[3, 'rolled-back', 'it was right before', idOf.support], [2, 'edited', 'asked for it', idOf.support], [1, 'created', undefined, idOf.support]]);
  }, 60_000);

  it('loses no edit when many are made at once', async () => {
    const { id } = await customer();
    const edits = await Promise.all(Array.from({ length: 4 }, (_, n) => as.support(`PATCH /v1/customers/${id}`, { body: { profile: { name: `At Once ${'abcd'[n]}` } }, headers: ifMatch(1) })));
    expect(edits.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 3 }, () => 412)]);
    const won = edits.find(({ status }) => status === 200)?.json['profile'];
    expect((await as.support(`GET /v1/customers/${id}`)).json).toMatchObject({ rev: 2, profile: won });
  }, 60_000);

  it('is made once under one Idempotency-Key, and not for other parameters', async () => {
    const headers = key();
    const [first, again] = [await as.support('POST /v1/customers', { body: { profile: { name: 'Once' } }, headers }), await as.support('POST /v1/customers', { body: { profile: { name: 'Once' } }, headers })];
    expect([again.status, again.json]).toEqual([first.status, first.json]);
    expect((await as.support('POST /v1/customers', { body: { profile: { name: 'Twice' } }, headers })).status).toBe(422);
  }, 30_000);
});

describe('what one operator did', () => {
  it('is undone by an administrator, as planned', async () => {
    const { id } = await customer('nobody', { name: 'Before' });
    const from = now();
    await as.admin(`PATCH /v1/customers/${id}`, { body: { profile: { name: 'After' } }, headers: ifMatch(1) });
    const body = { operatorId: idOf.admin, from, to: new Date(Date.now() + 1_000).toISOString() };
    const planned = async () => (await as.admin('POST /v1/rollbacks/plan', { body })).json as { planId: string; items: { customerId: string }[] };
    await waitFor('the index to name the customer', async () => (await planned()).items.some(({ customerId }) => customerId === id), { withinMs: 15_000, everyMs: 300 });
    const { planId } = await planned();
    const done = await as.admin('POST /v1/rollbacks', { body: { ...body, planId, reason: 'a mistake' }, headers: key() });
    expect([done.status, done.json]).toEqual([200, expect.objectContaining({ done: expect.arrayContaining([{ customerId: id, rev: 3 }]) as unknown, stale: [] })]);
    expect((await as.support(`GET /v1/customers/${id}`)).json).toMatchObject({ rev: 3, profile: { name: 'Before' } });
  }, 60_000);
});

describe('the access log', () => {
  interface Line {
    readonly time: number;
    readonly api: { readonly operation: string };
    readonly action: 'Allowed' | 'Denied';
    readonly status_code?: string;
    readonly actor: { readonly user: { readonly uid: string; readonly name: string } };
    readonly src_endpoint: { readonly ip?: string };
    readonly resources: readonly { readonly uid?: string }[];
  }
  async function lines(query: string): Promise<readonly Line[]> {
    const all: Line[] = [];
    // One span: a cursor is of its own question.
    const span = day();
    let cursor = '';
    for (let pages = 0; pages < 20; pages += 1) {
      const { status, json } = await as.auditor(`GET /v1/access?${span}&limit=100&${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
      expect([status, json['notGenuine'] ?? []]).toEqual([200, []]);
      all.push(...(json['items'] as Line[]));
      if (json['cursor'] === undefined) return all;
      cursor = String(json['cursor']);
    }
    throw new Error('an access log without end');
  }

  it('has who saw and changed a customer, who was refused, and from where', async () => {
    const { id } = await customer();
    await as.support(`GET /v1/customers/${id}`);
    await as.sales(`GET /v1/customers/${id}`);
    await as.compliance(`PATCH /v1/customers/${id}`, { body: { profile: { name: 'No' } }, headers: ifMatch(1) });
    const wanted = [
      ['CompliancePatch', 'EditCustomer', 'Denied', idOf.compliance],
      ['SalesRead', 'ReadCustomer', 'Denied', idOf.sales],
      ['SupportRead', 'ReadCustomer', 'Allowed', idOf.support],
      ['SupportMade', 'CreateCustomer', 'Allowed', idOf.support],
    ].map(([, ...rest]) => rest);
    // Lists that others make meanwhile may show them.
    const done = async () => (await lines(`customer=${id}`)).filter(({ api }) => !/^(List|Search)/.test(api.operation));
    const got = async () => (await done()).map(({ api, action, actor }) => [api.operation, action, actor.user.uid]);
    await waitFor('the index to have them', async () => (await got()).length >= wanted.length, { withinMs: 15_000, everyMs: 300 });
    expect(await got()).toEqual(wanted);
    for (const line of await done()) expect(line.src_endpoint.ip).toMatch(/^127\.|^::/);
  }, 60_000);

  it('has which search showed a customer, and who searched for something', async () => {
    const tag = `t${randomUUID().slice(0, 8)}`;
    const { id } = await customer('nobody', { name: 'Matrix Person', tags: [tag] });
    await waitFor('the search to find them', async () => ((await as.support(`GET /v1/customers/search?tag=${tag}`)).json['items'] as unknown[]).length === 1, { withinMs: 30_000, everyMs: 300 });
    const shown = async () => (await lines(`customer=${id}&action=SearchCustomers`)).map(({ actor }) => actor.user.uid);
    await waitFor('the view to have it', async () => (await shown()).includes(idOf.support), { withinMs: 30_000, everyMs: 300 });
    expect(new Set((await lines(`searched=${tag}&action=SearchCustomers`)).map(({ actor }) => actor.user.uid))).toEqual(new Set([idOf.support]));
    expect(await lines(`searched=${tag}x&action=SearchCustomers`)).toEqual([]);
  }, 90_000);

  it('has requests that came to nothing, and answers that were given again', async () => {
    const sent = key();
    const make = () => as.support('POST /v1/customers', { body: { profile: { name: 'Matrix Person' } }, headers: sent });
    const id = String((await make()).json['customerId']);
    expect((await make()).status).toBe(201);
    expect((await as.support(`PATCH /v1/customers/${id}`, { body: { profile: { name: 'A1' } }, headers: ifMatch(1) })).status).toBe(400);
    const got = async () => (await lines(`customer=${id}`)).filter(({ api }) => !/^(List|Search)/.test(api.operation)).map(({ api, action, status_code }) => [api.operation, action, status_code]);
    await waitFor('index and view to have them', async () => (await got()).length >= 3, { withinMs: 30_000, everyMs: 300 });
    expect(await got()).toEqual([['EditCustomer', 'Denied', 'invalid'], ['CreateCustomer', 'Allowed', 'repeated'], ['CreateCustomer', 'Allowed', undefined]]);
  }, 60_000);

  it('has every denial of sales, by operator and by decision', async () => {
    const denied = await lines(`operator=${idOf.sales}&decision=deny`);
    expect(denied.every(({ action, actor }) => action === 'Denied' && actor.user.uid === idOf.sales)).toBe(true);
    expect(new Set(denied.map(({ api }) => api.operation))).toEqual(new Set(['ReadCustomer', 'ReadVersions', 'CreateCustomer', 'EditCustomer', 'AssignCustomer', 'AddNote', 'RollbackCustomer', 'LinkAlias', 'UnlinkAlias', 'MergeCustomers', 'UnmergeCustomers', 'BulkRollback', 'QueryAccess', 'ReadConversation', 'ProveMessage', 'RecordOutbound', 'ReadHold', 'PlaceHold', 'ReleaseHold', 'AskErasure', 'ReadErasure', 'ConfirmErasure']));
  }, 60_000);

  it('has every sign-in, with the role, before anything else of that session', async () => {
    for (const role of ROLES) expect([role, (await lines(`operator=${idOf[role]}&action=SignIn`)).map(({ action, actor }) => [action, actor.user.uid])]).toEqual([role, expect.arrayContaining([['Allowed', idOf[role]]])]);
  }, 60_000);

  it('has a reader in it too: who asks it is in it', async () => {
    const before = (await lines(`operator=${idOf.auditor}&action=QueryAccess`)).length;
    await waitFor('the index to have the question', async () => (await lines(`operator=${idOf.auditor}&action=QueryAccess`)).length > before, { withinMs: 15_000, everyMs: 300 });
  }, 60_000);
});

it('and all of it is sealed, with no finding', async () => {
  const items = await scan(outputs.RecordsTableName);
  const kinds = countByKind(items);
  expect([kinds['finding'], kinds['version']! > 30, kinds['access']! > 100]).toEqual([undefined, true, true]);
  expect(changesOf(items)).toBeGreaterThan(items.length);
}, 60_000);
