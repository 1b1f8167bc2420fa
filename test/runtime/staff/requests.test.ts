/** What is asked of the API of staff is checked as a whole before an operation sees it; every bad request is the good one with something changed. */
import { staffRoutes } from '../../../src/runtime/staff/routes';
import { CUSTOMER, rules, settings, staff, type Request } from './harness';

const FROM = '2026-01-01T00:00:00Z';
const TO = '2026-02-01T00:00:00.5Z';
const MESSAGE = 'm'.repeat(43);
const good: Readonly<Record<string, Request>> = {
  'GET /v1/customers': { query: 'limit=10&tag=vip&owner=o-1&cursor=abc' },
  'GET /v1/customers/search': { query: 'q=anne%20o%27brien' },
  'POST /v1/customers': { body: { profile: { name: "Anne-Marie O'Brien", phone: '+4915123456789', tags: ['vip'], custom: { discount: 5 } }, reason: 'New.' } },
  'GET /v1/customers/{id}': {},
  'PATCH /v1/customers/{id}': { headers: { 'If-Match': '"3"' }, body: { profile: { name: null, custom: { city: null } } } },
  'PUT /v1/customers/{id}/owner': { headers: { 'if-match': '"3"' }, body: { ownerId: 'o-1' } },
  'POST /v1/customers/{id}/notes': { body: { text: 'one\ntwo' } },
  'GET /v1/customers/{id}/notes': { query: 'limit=50' },
  'GET /v1/customers/{id}/versions': { query: 'limit=100' },
  'GET /v1/customers/{id}/at': { query: `time=${FROM}` },
  'GET /v1/customers/{id}/diff': { query: 'from=1&to=2' },
  'POST /v1/customers/{id}/rollback': { headers: { 'if-match': '"3"' }, body: { toRev: 2, reason: 'Wrong customer.' } },
  'POST /v1/rollbacks/plan': { body: { operatorId: 'o-1', from: FROM, to: TO } },
  'POST /v1/rollbacks': { body: { operatorId: 'o-1', from: FROM, to: TO, planId: 'p', reason: 'Account was stolen.' } },
  'GET /v1/access': { query: `from=${FROM}&to=${TO}&operator=o-1&action=ReadCustomer&ip=192.0.2.7&decision=deny&customer=${CUSTOMER}` },
  'POST /v1/customers/{id}/aliases': { body: { type: 'wa-id', value: '4915123456789', from: CUSTOMER, reason: 'They said so.' } },
  'POST /v1/customers/{id}/aliases/unlink': { body: { type: 'bsuid', value: 'US.1', reason: 'They said so.' } },
  'POST /v1/customers/{id}/merges': { body: { other: CUSTOMER, reason: 'One person.' } },
  'POST /v1/customers/{id}/merges/{other}/undo': { path: { id: CUSTOMER, other: CUSTOMER }, body: { reason: 'Two, after all.' } },
  'GET /v1/customers/{id}/messages': { query: 'limit=3' },
  'GET /v1/customers/{id}/messages/{message}': { path: { id: CUSTOMER, message: MESSAGE } },
  'GET /v1/customers/{id}/messages/{message}/proof': { path: { id: CUSTOMER, message: MESSAGE }, query: 'phoneNumberId=12' },
  'POST /v1/outbound': { body: `{"phoneNumberId":"12","messageId":"wamid.A=","to":"4915123456789","sentAt":"${FROM}","payload": {"text" : {"body":"\\u0048i"}} }` },
  'GET /v1/customers/{id}/hold': {},
  'PUT /v1/customers/{id}/hold': { body: { reason: 'A lawsuit.' } },
  'DELETE /v1/customers/{id}/hold': { body: { reason: 'It is over.' } },
  'POST /v1/customers/{id}/erasure': { body: { reason: 'They asked.', inputs: [MESSAGE] } },
  'GET /v1/customers/{id}/erasure': {},
  'POST /v1/customers/{id}/erasure/{requestId}/confirm': { path: { id: CUSTOMER, requestId: 'e1' } },
  'DELETE /v1/customers/{id}/erasure/{requestId}': { path: { id: CUSTOMER, requestId: 'e1' } },
};
const routes = staffRoutes(settings);

it('every route of the table has a good request here', () => expect(Object.keys(good)).toEqual(routes.map(({ key }) => key)));

it.each(routes)('$key asks $operation and shows what it answers as its schema says', async ({ key, operation, status, answer, bears }) => {
  const world = staff();
  const told = await world.call(key, good[key]);
  expect([told.status, world.asked.map((each) => each.operation)]).toEqual([status, [operation]]);
  expect(answer.safeParse(told.json).error).toBeUndefined();
  expect([...(told.headers['etag'] ? ['ETag'] : []), ...(told.headers['location'] ? ['Location'] : [])]).toEqual(bears);
});

it('hands over what was asked, in the words of the operation', async () => {
  const world = staff();
  for (const [key, request] of Object.entries(good)) await world.call(key, request);
  expect(world.asked.map(({ input }) => input)).toEqual([
    { limit: 10, tag: 'vip', ownerId: 'o-1', cursor: 'abc' },
    { limit: 25, q: "anne o'brien" },
    { profile: { name: "Anne-Marie O'Brien", phone: '+4915123456789', tags: ['vip'], custom: { discount: 5 } }, reason: 'New.', id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
    { customerId: CUSTOMER },
    { customerId: CUSTOMER, ifRev: 3, change: { name: null, custom: { city: null } } },
    { customerId: CUSTOMER, ifRev: 3, ownerId: 'o-1' },
    { customerId: CUSTOMER, text: 'one\ntwo', id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
    { customerId: CUSTOMER, limit: 50 },
    { customerId: CUSTOMER, limit: 100 },
    { customerId: CUSTOMER, at: '2026-01-01T00:00:00.000Z' },
    { customerId: CUSTOMER, from: 1, to: 2 },
    { customerId: CUSTOMER, ifRev: 3, toRev: 2, reason: 'Wrong customer.' },
    { operatorId: 'o-1', from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.500Z' },
    { operatorId: 'o-1', from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.500Z', planId: 'p', reason: 'Account was stolen.' },
    { limit: 25, operatorId: 'o-1', customerId: CUSTOMER, action: 'ReadCustomer', sourceIp: '192.0.2.7', decision: 'deny', from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.500Z', cursor: undefined },
    { customerId: CUSTOMER, alias: { type: 'wa-id', value: '4915123456789' }, from: CUSTOMER, reason: 'They said so.', id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
    { customerId: CUSTOMER, alias: { type: 'bsuid', value: 'US.1' }, reason: 'They said so.', id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
    { customerId: CUSTOMER, other: CUSTOMER, reason: 'One person.', id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
    { customerId: CUSTOMER, other: CUSTOMER, reason: 'Two, after all.', id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
    { customerId: CUSTOMER, limit: 3 },
    { customerId: CUSTOMER, id: MESSAGE },
    { customerId: CUSTOMER, id: MESSAGE, phoneNumberId: '12' },
    { phoneNumberId: '12', messageId: 'wamid.A=', to: '4915123456789', sentAt: '2026-01-01T00:00:00.000Z', payload: Buffer.from('{"text" : {"body":"\\u0048i"}}') },
    { customerId: CUSTOMER },
    { customerId: CUSTOMER, reason: 'A lawsuit.' },
    { customerId: CUSTOMER, reason: 'It is over.' },
    { customerId: CUSTOMER, reason: 'They asked.', inputs: [MESSAGE], id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
    { customerId: CUSTOMER },
    { customerId: CUSTOMER, requestId: 'e1' },
    { customerId: CUSTOMER, requestId: 'e1' },
  ]);
});

/** The good request of a route with something changed. */
const but = (key: string, change: Request): [string, Request] => [key, { ...good[key], ...change, headers: { ...good[key]?.headers, ...change.headers } }];
const body = (key: string, more: object): [string, Request] => but(key, { body: { ...(good[key]?.body as object), ...more } });

it.each<[string, [string, Request], readonly string[]]>([
  ['a limit of none', but('GET /v1/customers', { query: 'limit=0' }), ['limit whole-number']],
  ['a limit of too many', but('GET /v1/customers', { query: 'limit=101' }), ['limit whole-number']],
  ['a limit in words', but('GET /v1/customers', { query: 'limit=ten' }), ['limit whole-number']],
  ['an unknown parameter', but('GET /v1/customers', { query: 'lmit=1&x=' }), ['lmit unknown-field', 'x unknown-field']],
  ['a parameter called as an object has it', but('GET /v1/customers', { query: '__proto__=1&constructor=1' }), ['__proto__ unknown-field', 'constructor unknown-field']],
  ['a parameter twice', but('GET /v1/customers', { query: 'tag=a&tag=b' }), ['tag repeated']],
  ['a tag with a control character', but('GET /v1/customers', { query: 'tag=a%00' }), ['tag control-character']],
  ['a cursor that is none', but('GET /v1/customers', { query: 'cursor=!' }), ['cursor cursor']],
  ['nothing to search for', but('GET /v1/customers/search', { query: '' }), ['query exactly-one']],
  ['two things to search for, and a bad limit', but('GET /v1/customers/search', { query: 'q=a&phone=1234&limit=x' }), ['limit whole-number', 'query exactly-one']],
  ['no revision to begin with', but('GET /v1/customers/{id}/diff', { query: '' }), ['from required']],
  ['revisions that are none', but('GET /v1/customers/{id}/diff', { query: 'from=0&to=1.5' }), ['from whole-number', 'to whole-number']],
  ['no time', but('GET /v1/customers/{id}/at', { query: '' }), ['time required']],
  ['a day for a time', but('GET /v1/customers/{id}/at', { query: 'time=2026-01-01' }), ['time time']],
  ['a time that is not there', but('GET /v1/customers/{id}/at', { query: 'time=2026-02-30T00:00:00Z' }), ['time time']],
  ['a time of another zone', but('GET /v1/customers/{id}/at', { query: 'time=2026-02-03T00:00:00%2B02:00' }), ['time time']],
  ['an end before the beginning', but('GET /v1/access', { query: `from=${TO}&to=${FROM}` }), ['query time-order']],
  ['everything wrong with a query', but('GET /v1/access', { query: 'from=x&operator=a%20b&customer=c&action=Fly&ip=1.2.3&decision=maybe' }), ['operator id', 'customer id', 'action one-of', 'ip address', 'decision one-of', 'from time', 'to required']],
  ['a name of no type, and no reason', but('POST /v1/customers/{id}/aliases', { body: { type: 'e-mail', value: '', from: 'x' } }), ['/from id', '/reason required', '/type one-of', '/value alias']],
  ['nothing in the body', but('POST /v1/customers', { body: '' }), ['body required']],
  ['no JSON in the body', but('POST /v1/customers', { body: '{"profile":' }), ['body not-json']],
  ['a list for a body', but('POST /v1/customers', { body: [] }), ['body wrong-type']],
  ['null for a body', but('POST /v1/customers', { body: 'null' }), ['body wrong-type']],
  ['no profile', but('POST /v1/customers', { body: {} }), ['/profile required']],
  ['a member twice', but('POST /v1/customers', { body: '{"profile":{"name":"A","name":"B"},"profile":{}}' }), ['/profile duplicate-member', '/profile/name duplicate-member']],
  ['a member that is the same by an escape', but('POST /v1/customers', { body: '{"profile":{"name":"A","n\\u0061me":"B"}}' }), ['/profile/name duplicate-member']],
  ['a member that would be a prototype', but('POST /v1/customers', { body: '{"profile":{"__proto__":{"tags":["x"]}}}' }), ['/profile/__proto__ unknown-field']],
  ['a custom field that would be a prototype', but('POST /v1/customers', { body: '{"profile":{"custom":{"__proto__":"x"}}}' }), ['/profile/custom/__proto__ unknown-field']],
  ['a number that does not survive', but('POST /v1/customers', { body: '{"profile":{"custom":{"discount":9007199254740993}}}' }), ['/profile/custom/discount inexact-number']],
  ['bytes that are not UTF-8', but('POST /v1/customers', { body: Buffer.concat([Buffer.from('{"profile":{"name":"A'), Buffer.from([0xff]), Buffer.from('"}}')]) }), ['body not-utf8']],
  ['a pit of brackets', but('POST /v1/customers', { body: `{"profile":${'['.repeat(10_000)}${']'.repeat(10_000)}}` }), ['body too-deep']],
  ['an owner in the profile', but('POST /v1/customers', { body: { profile: { ownerId: 'me' } } }), ['/profile/ownerId unknown-field']],
  ['a change of nothing', but('PATCH /v1/customers/{id}', { body: { profile: {} } }), ['/profile nothing-to-change']],
  ['an If-Match without quotes', but('PATCH /v1/customers/{id}', { headers: { 'If-Match': '3' } }), ['If-Match etag']],
  ['an If-Match of anything', but('PATCH /v1/customers/{id}', { headers: { 'If-Match': '*' } }), ['If-Match etag']],
  ['no If-Match, and more', but('PUT /v1/customers/{id}/owner', { headers: { 'if-match': undefined as never }, body: { ownerId: 'a b' } }), ['/ownerId id', 'If-Match required']],
  ['an owner left out', but('PUT /v1/customers/{id}/owner', { body: { reason: 'x' } }), ['/ownerId required']],
  ['a revision that is none', body('POST /v1/customers/{id}/rollback', { toRev: 1.5 }), ['/toRev whole-number']],
  ['a revision in words', body('POST /v1/customers/{id}/rollback', { toRev: '2' }), ['/toRev wrong-type']],
  ['an Idempotency-Key with a space', but('POST /v1/customers', { headers: { 'idempotency-key': 'a b' } }), ['Idempotency-Key idempotency-key']],
  ['an Idempotency-Key of 256 characters', but('POST /v1/customers', { headers: { 'idempotency-key': 'a'.repeat(256) } }), ['Idempotency-Key idempotency-key']],
  ['everything wrong with what was sent', but('POST /v1/outbound', { body: { phoneNumberId: '+1', messageId: 'a b', to: '', sentAt: 'now', payload: 'x', more: 1 } }), ['/phoneNumberId id', '/messageId message-id', '/to id', '/sentAt time', '/payload wrong-type', '/more unknown-field']],
  ['a note of control characters', but('POST /v1/customers/{id}/notes', { body: { text: 'a\u0007', more: 1 } }), ['/text control-character', '/more unknown-field']],
])('%s is refused, and nothing is done', async (_what, [key, request], expected) => {
  const world = staff();
  const told = await world.call(key, request);
  expect([told.status, told.json.type, told.headers['content-type']]).toEqual([400, 'urn:intact:problem:invalid-request', 'application/problem+json']);
  expect([...rules(told)].sort()).toEqual([...expected].sort());
  expect(world.asked).toEqual([]);
});

it('everything that is wrong is told at once, with what would be right', async () => {
  const told = await staff().call('POST /v1/customers', { headers: { 'idempotency-key': '\u00e9' }, query: 'a=1', body: { profile: { name: 'A\u202e1', phone: '0', email: 'x', tags: ['a', 'a'], custom: { discount: 99 } }, reason: ' ', other: 1 } });
  expect([...rules(told)].sort()).toEqual(['/other unknown-field', '/profile/custom/discount too-big', '/profile/email email-at', '/profile/name bidi-override', '/profile/name character-not-allowed', '/profile/phone phone-length', '/profile/phone phone-plus', '/profile/tags/1 duplicate', '/reason blank', 'Idempotency-Key idempotency-key', 'a unknown-field']);
  expect(told.json.errors?.find(({ field }) => field === '/profile/phone')).toMatchObject({ example: '+4915123456789' });
});

it.each([['zh-CN,zh;q=0.9,en;q=0.8', 'zh'], ['de, en;q=0.5', 'en'], ['fr', 'en'], ['en;q=0.1, zh;q=0.2', 'zh'], ['*', 'en'], ['zh;q=0', 'en'], [undefined, 'en']])('who accepts %s is told in %s', async (accepted, language) => {
  const told = await staff().call('GET /v1/customers', { query: 'limit=0', headers: accepted === undefined ? {} : { 'Accept-Language': accepted } });
  expect(told.headers['content-language']).toBe(language);
  expect(/[\u4e00-\u9fff]/.test(told.json.errors?.[0]?.detail ?? '')).toBe(language === 'zh');
});

it.each<[string, Request, number, string]>([
  ['a body of more than 64 KB', { body: { text: 'x'.repeat(66_000) } }, 413, 'body-too-large'],
  ['one of more than 64 KB in few characters', { body: { text: '王'.repeat(22_000) } }, 413, 'body-too-large'],
  ['one of more than 64 KB as base64', { body: { text: 'x'.repeat(66_000) }, base64: true }, 413, 'body-too-large'],
  ['no content type', { body: '{"text":"a"}', headers: { 'content-type': '' } }, 415, 'content-type'],
  ['a form', { body: 'text=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'content-type'],
  ['text that says it is JSON', { body: '{"text":"a"}', headers: { 'content-type': 'text/plain; application/json' } }, 415, 'content-type'],
  ['a compressed body', { body: 'x', headers: { 'content-encoding': 'gzip' } }, 415, 'content-type'],
])('%s is answered so', async (_what, request, status, code) => {
  const world = staff();
  const told = await world.call('POST /v1/customers/{id}/notes', request);
  expect([told.status, told.json.type, world.asked]).toEqual([status, `urn:intact:problem:${code}`, []]);
});

it('takes JSON by any of its names, and a body as base64', async () => {
  for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/merge-patch+json']) expect((await staff().call(...but('PATCH /v1/customers/{id}', { headers: { 'content-type': type } }))).status).toBe(200);
  expect((await staff().call('POST /v1/customers/{id}/notes', { body: { text: '王' }, base64: true })).status).toBe(201);
});

it.each(routes.filter(({ ifMatch }) => ifMatch))('$key wants to know what was read', async ({ key }) => {
  const world = staff();
  const told = await world.call(key, { ...good[key], headers: {} });
  expect([told.status, told.json.type, world.asked]).toEqual([428, 'urn:intact:problem:precondition-required', []]);
});

it('texts that mean something elsewhere are texts here', async () => {
  const world = staff();
  const texts = ["'; DROP TABLE customers; --", '<script>alert(1)</script>', '${jndi:ldap://x/a}', '{{7*7}}', '=HYPERLINK("http://x")', '../../etc/passwd', '%00%0a', '$(reboot)', '{"$ne":null}', 'a\\u0000b'];
  for (const text of texts) expect((await world.call('POST /v1/customers/{id}/notes', { body: { text } })).status).toBe(201);
  expect(world.asked.map(({ input }) => input['text'])).toEqual(texts);
});

it('no log line holds anything of what was asked', async () => {
  const world = staff();
  const told = [await world.call('POST /v1/customers', { body: { profile: { name: 'SECRET' } } }), await world.call('GET /v1/customers/search', { query: 'q=SECRET' }), await world.call('POST /v1/customers', { body: { profile: { name: 'SECRET1' } } })];
  expect(told.map(({ status }) => status)).toEqual([201, 200, 400]);
  expect(told.flatMap(({ lines }) => lines).join('\n')).not.toContain('SECRET');
  expect(told[2]?.body).not.toContain('SECRET');
});

describe('a body of nothing but faults', () => {
  const nested = (leaf: string): string => `${'{"'.concat('k'.repeat(500), '":').repeat(60)}${leaf}${'}'.repeat(60)}`;
  it.each([
    ['numbers for tags', `{"profile":{"tags":[${'0,'.repeat(32_000)}0]}}`],
    ['empty tags', `{"profile":{"tags":[${'"",'.repeat(21_000)}""]}}`],
    ['members twice', `{"profile":{${'"a":0,'.repeat(10_000)}"a":0}}`],
    ['unknown fields', `{"profile":{"custom":{${Array.from({ length: 6_000 }, (_, n) => `"${n}":0`).join()}}}}`],
    ['numbers that change, deep below long names', nested(`[${'1e999,'.repeat(5_000)}0]`)],
    ['numbers that change, below a name as long as an answer may be', `{"${'~'.repeat(40_000)}":[${'1e999,'.repeat(3_000)}0]}`],
    ['one name as long as the body', `{"${'~'.repeat(65_000)}":0,"b":0}`],
  ])('of %s gets an answer that is not many times its size', async (_, body) => {
    const told = await staff().call('POST /v1/customers', { body });
    expect(told.status).toBe(400);
    expect(told.json.errors?.length).toBeGreaterThan(0);
    expect(told.json.errors?.length).toBeLessThanOrEqual(100);
    expect(told.body.length).toBeLessThan(4 * 64 * 1_024);
  });
});
