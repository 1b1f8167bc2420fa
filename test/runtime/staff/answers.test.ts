/** What the API of staff answers: refusals as problems, repeats as the first time, no more than an operator's share. */
import { done, refused, type Refusal } from '../../../src/core/staff/refusal';
import { conflictOf, fieldError } from '../../../src/core/staff/messages/catalogue';
import { PortError } from '../../../src/ports';
import { LEASE_SECONDS, type Begun, type RememberedAnswer } from '../../../src/ports/request-memory';
import { problemShape } from '../../../src/runtime/staff/schemas';
import { CUSTOMER, rules, staff, type Request } from './harness';

const edit: Request = { headers: { 'if-match': '"3"' }, body: { profile: { name: 'Anne' } } };
const changes = [{ field: '/name', before: 'A', after: 'B' }];

it.each<[Refusal, number, object]>([
  [{ code: 'not-found' }, 404, { type: 'urn:intact:problem:not-found' }],
  [{ code: 'forbidden' }, 403, { type: 'urn:intact:problem:forbidden' }],
  [{ code: 'stale', rev: 5, changes }, 412, { type: 'urn:intact:problem:changed-since', rev: 5, changes }],
  [{ code: 'conflict', detail: 'The customer is being erased.' }, 409, { type: 'urn:intact:problem:conflict', detail: 'The customer is being erased.' }],
  [{ code: 'invalid', errors: [fieldError('en', 'cursor', 'cursor', {})] }, 400, { type: 'urn:intact:problem:invalid-request', errors: [{ field: 'cursor', rule: 'cursor' }] }],
])('a refusal %j is %d', async (refusal, status, body) => {
  const world = staff();
  world.answers['editCustomer'] = async () => refused(refusal);
  const told = await world.call('PATCH /v1/customers/{id}', edit);
  expect([told.status, told.headers['content-type']]).toEqual([status, 'application/problem+json']);
  expect(told.json).toMatchObject({ ...body, status });
  expect(problemShape.safeParse(told.json).error).toBeUndefined();
  expect(told.headers['etag']).toBe(refusal.code === 'stale' ? '"5"' : undefined);
});

it('what an operation found wrong is told in the language of the caller', async () => {
  const world = staff();
  world.answers['readCustomer'] = async () => refused({ code: 'invalid', errors: [fieldError('en', 'time', 'too-early', { min: '2026-01-01' })] });
  const told = await world.call('GET /v1/customers/{id}', { headers: { 'accept-language': 'zh' } });
  expect(told.json.errors?.[0]?.detail).toBe('不能早于 2026-01-01');
});

it('what a request comes to, and why, is told in the language of the caller, and the answer says in which', async () => {
  const world = staff();
  world.answers['confirmErasure'] = async () => refused(conflictOf('same-officer', {}));
  const told = async (language?: string) => {
    const { json, headers } = await world.call('POST /v1/customers/{id}/erasure/{requestId}/confirm', { path: { id: CUSTOMER, requestId: CUSTOMER }, headers: language === undefined ? {} : { 'accept-language': language } });
    return [json.type, json['title'], json['detail'], headers['content-language'], headers['vary']];
  };
  const type = 'urn:intact:problem:conflict';
  expect(await told()).toEqual([type, 'As things stand it cannot be done', 'another officer confirms than the one who asked', 'en', 'accept-language']);
  expect(await told('fr')).toEqual(await told());
  expect(await told('zh-CN')).toEqual([type, '按目前的情况无法执行', '必须由申请人以外的另一位专员确认', 'zh', 'accept-language']);
});

it('an answer that is no problem is the same in every language, and says of none', async () => {
  const { headers } = await staff().call('GET /v1/customers', { headers: { 'accept-language': 'zh' } });
  expect([headers['content-language'], headers['vary']]).toEqual([undefined, undefined]);
});

it.each([['unavailable', 503], ['corrupt', 500]] as const)('a store that is %s is %d, and nothing of it is told', async (code, status) => {
  const world = staff();
  world.answers['readCustomer'] = () => Promise.reject(new PortError(code, 'SECRET'));
  const told = await world.call('GET /v1/customers/{id}');
  expect([told.status, told.body.includes('SECRET')]).toEqual([status, false]);
});

describe('an Idempotency-Key', () => {
  const create = (key: string, name = 'Anne', more: Partial<Request> = {}): [string, Request] => ['POST /v1/customers', { body: { profile: { name } }, headers: { 'Idempotency-Key': key }, ...more }];

  it('sent again gets the same answer, and nothing is done twice', async () => {
    const world = staff();
    const first = await world.call(...create('k'));
    const second = await world.call(...create('k'));
    expect([first.status, second.status, second.body, second.headers['location'], second.headers['etag']]).toEqual([201, 201, first.body, first.headers['location'], '"1"']);
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed'], world.asked.length]).toEqual([undefined, 'true', 1]);
  });

  it('of a body that means the same is the same request', async () => {
    const world = staff();
    const headers = { 'idempotency-key': 'k' };
    await world.call('POST /v1/customers', { headers, body: '{"reason":"r","profile":{"name":"Caf\u00e9"}}' });
    expect((await world.call('POST /v1/customers', { headers, body: '{ "profile" : {"name": "Cafe\\u0301", "tags": []}, "reason":"r" }' })).headers['idempotency-replayed']).toBe('true');
  });

  it('used for another request is refused', async () => {
    const world = staff();
    await world.call(...create('k'));
    const told = await world.call(...create('k', 'Ben'));
    expect([told.status, told.json.type, world.asked.length]).toEqual([422, 'urn:intact:problem:key-reused', 1]);
    // Of another customer, and against another state, it is another request too.
    const note = (id: string) => world.call('POST /v1/customers/{id}/notes', { path: { id }, headers: { 'idempotency-key': 'n' }, body: { text: 'a' } });
    expect([(await note(CUSTOMER)).status, (await note(CUSTOMER.replace('G', 'H'))).status]).toEqual([201, 422]);
    const back = (rev: string) => world.call('POST /v1/customers/{id}/rollback', { headers: { 'idempotency-key': 'r', 'if-match': rev }, body: { toRev: 1, reason: 'x' } });
    expect([(await back('"3"')).status, (await back('"4"')).status]).toEqual([200, 422]);
  });

  it('of another operator or route is another one', async () => {
    const world = staff();
    await world.call(...create('k'));
    expect((await world.call(...create('k', 'Ben', { operator: 'ben' }))).status).toBe(201);
    expect((await world.call('POST /v1/customers/{id}/notes', { body: { text: 'a' }, headers: { 'Idempotency-Key': 'k' } })).status).toBe(201);
  });

  it('in another role is of another request: what was told in the one is not told again in the other', async () => {
    const world = staff();
    const first = await world.call(...create('k'));
    const told = await world.call(...create('k', 'Anne', { groups: '[auditor]' }));
    expect([told.status, told.json.type, told.body.includes(String(first.json['customerId'])), world.asked.length]).toEqual([422, 'urn:intact:problem:key-reused', false, 1]);
    expect(world.noted).toMatchObject([{ actor: { role: 'auditor' }, decision: { allowed: false }, outcome: 'conflict' }]);
  });

  it('of a request that is being worked on is a conflict', async () => {
    const world = staff();
    let finish = (): void => undefined;
    const working = new Promise<void>((resolve) => { finish = resolve; });
    world.answers['createCustomer'] = async () => { await working; return done({ customerId: CUSTOMER, rev: 1 }); };
    const first = world.call(...create('k'));
    await new Promise(setImmediate);
    const second = await world.call(...create('k'));
    finish();
    expect([second.status, second.json.type, second.headers['retry-after'], (await first).status]).toEqual([409, 'urn:intact:problem:key-in-flight', '1', 201]);
  });

  it('of a request that failed is tried again under the same id', async () => {
    const world = staff();
    const works = world.answers['createCustomer']!;
    world.answers['createCustomer'] = () => Promise.reject(new PortError('unavailable', 'x'));
    expect((await world.call(...create('k'))).status).toBe(503);
    world.answers['createCustomer'] = works;
    expect((await world.call(...create('k'))).status).toBe(201);
    expect(world.asked[0]?.input['id']).toBe(world.asked[1]?.input['id']);
    expect((await world.call(...create('other'))).status).toBe(201);
    expect(world.asked[2]?.input['id']).not.toBe(world.asked[1]?.input['id']);
  });

  it('of a process that died blocks for its lease and no longer', async () => {
    const world = staff();
    let wake = (): void => undefined;
    const asleep = new Promise<void>((resolve) => { wake = resolve; });
    world.answers['createCustomer'] = async () => { await asleep; return refused({ code: 'not-found' }); };
    const first = world.call(...create('k'));
    await new Promise(setImmediate);
    world.answers['createCustomer'] = async (_actor, { id }: { id: string }) => done({ customerId: id, rev: 1 });
    expect((await world.call(...create('k'))).status).toBe(409);
    world.now = new Date(world.now.getTime() + (LEASE_SECONDS + 1) * 1_000);
    expect((await world.call(...create('k'))).status).toBe(201);
    expect(world.asked[1]?.input['id']).toBe(world.asked[0]?.input['id']);
    // It was only slow: what it comes to changes nothing any more.
    wake();
    await first;
    expect((await world.call(...create('k'))).headers['idempotency-replayed']).toBe('true');
  });

  it('of a request that was refused may be tried again', async () => {
    const world = staff();
    const works = world.answers['addNote']!;
    const note = () => world.call('POST /v1/customers/{id}/notes', { body: { text: 'a' }, headers: { 'Idempotency-Key': 'k' } });
    world.answers['addNote'] = async () => refused({ code: 'not-found' });
    expect((await note()).status).toBe(404);
    world.answers['addNote'] = works;
    expect((await note()).status).toBe(201);
  });

  it('whose answer could not be remembered does not take the answer from the caller', async () => {
    const world = staff();
    world.memory.finish = () => Promise.reject(new PortError('unavailable', 'x'));
    const told = await world.call(...create('k'));
    expect([told.status, told.lines.length]).toEqual([201, 2]);
  });

  it('is not heeded of a request that was never fit to be done', async () => {
    const world = staff();
    expect((await world.call(...create('k', 'A1'))).status).toBe(400);
    expect((await world.call(...create('k', 'Ben'))).status).toBe(201);
  });

  it('leaves nothing in the memory that was said of the customer', async () => {
    const world = staff();
    const remembered: unknown[] = [];
    const { begin, finish } = world.memory;
    world.memory.begin = (...of) => { remembered.push(of); return begin(...of); };
    world.memory.finish = (...of) => { remembered.push(of); return finish(...of); };
    await world.call(...create('k', 'Secret Name'));
    await world.call('POST /v1/customers/{id}/rollback', { headers: { 'idempotency-key': 'r', 'if-match': '"3"' }, body: { toRev: 1, reason: 'Secret' } });
    expect(remembered).toHaveLength(4);
    // `Anne` is what the operations answer as the profile.
    expect(JSON.stringify(remembered)).not.toMatch(/Secret|Anne/);
  });
});

describe('somebody who has signed in and has not one role', () => {
  it.each([['none', '[]', 'no-role'], ['several', '[sales admin]', 'several-roles']])('(%s) is turned away, and that is written down with what they asked for', async (role, groups, code) => {
    const world = staff();
    const told = await world.call('GET /v1/customers', { groups });
    expect([told.status, told.json.type, world.asked]).toEqual([403, `urn:intact:problem:${code}`, []]);
    expect(world.noted).toEqual([{ actor: expect.objectContaining({ operatorId: 'anna', role, sourceIp: '192.0.2.7' }) as unknown, action: 'ListCustomers', decision: { allowed: false, policies: [code] }, outcome: 'forbidden' }]);
  });

  it('fills nothing with it: over the limit it is counted, and written down once', async () => {
    const world = staff({ limit: { ratePerSecond: 1, burst: 2 } });
    const told = [];
    for (let n = 0; n < 5; n += 1) told.push(await world.call('GET /v1/customers', { groups: '[]' }));
    expect([told.map(({ status }) => status), world.noted.map(({ outcome }) => outcome)]).toEqual([[403, 403, 429, 429, 429], ['forbidden', 'forbidden', 'limited']]);
    expect(told.map(({ lines }) => lines.join().includes('"OperatorLimited":1'))).toEqual([false, false, true, true, true]);
  });

  it('and nobody at all is not written down', async () => {
    const world = staff();
    await world.call('GET /v1/customers', { operator: '' });
    expect(world.noted).toEqual([]);
  });
});

describe('a request that comes to no operation', () => {
  const who = { actor: expect.objectContaining({ operatorId: 'anna', role: 'support', sourceIp: '192.0.2.7', requestId: expect.any(String) as string }) as unknown };
  const denied = (code: string) => ({ allowed: false, policies: [code] });

  it.each<[string, number, string, Request, string]>([
    ['invalid-request', 400, 'PATCH /v1/customers/{id}', { headers: { 'if-match': '"3"' }, body: { profile: { name: 'A1' }, secret: 'SECRET' } }, 'EditCustomer'],
    ['invalid-request', 400, 'GET /v1/customers', { query: 'SECRET=1' }, 'ListCustomers'],
    ['body-too-large', 413, 'POST /v1/customers', { body: 'x'.repeat(70_000) }, 'CreateCustomer'],
    ['content-type', 415, 'POST /v1/customers', { body: '{}', headers: { 'content-type': 'text/plain' } }, 'CreateCustomer'],
    ['precondition-required', 428, 'PATCH /v1/customers/{id}', { ...edit, headers: {} }, 'EditCustomer'],
  ])('is written down before it is told: %s', async (code, status, route, request, action) => {
    const world = staff();
    const told = await world.call(route, request);
    expect([told.status, told.json.type, world.asked]).toEqual([status, `urn:intact:problem:${code}`, []]);
    expect(world.noted).toEqual([{ ...who, action, decision: denied(code), outcome: 'invalid', customerId: route.includes('{id}') ? CUSTOMER : undefined }]);
    expect(JSON.stringify(world.noted)).not.toContain('SECRET');
  });

  it('since there were too many is written down once a minute, whatever it would have been', async () => {
    const world = staff({ limit: { ratePerSecond: 0.001, burst: 1 } });
    const read = (query = '') => world.call('GET /v1/customers/{id}', { query });
    const told = [await read(), await read(), await read('x=1'), await read()];
    const limited = { ...who, action: 'ReadCustomer', decision: denied('too-many-requests'), outcome: 'limited', customerId: CUSTOMER };
    expect([told.map(({ status }) => status), world.noted]).toEqual([[200, 429, 429, 429], [limited]]);
    world.now = new Date(world.now.getTime() + 60_000);
    expect([(await read()).status, world.noted]).toEqual([429, [limited, limited]]);
    expect((await world.call('GET /v1/customers/{id}', { operator: 'ben' })).status).toBe(200);
  });

  it('under a key that is taken is written down', async () => {
    const world = staff();
    const headers = { 'idempotency-key': 'k' };
    await world.call('POST /v1/customers', { headers, body: { profile: { name: 'Anne' } } });
    expect((await world.call('POST /v1/customers', { headers, body: { profile: { name: 'Ben' } } })).status).toBe(422);
    world.memory.begin = async () => ({ outcome: 'in-flight' });
    expect((await world.call('POST /v1/customers', { headers, body: { profile: { name: 'Anne' } } })).status).toBe(409);
    expect(world.noted.map(({ decision, outcome }) => [decision.policies, outcome])).toEqual([[['key-reused'], 'conflict'], [['key-in-flight'], 'conflict']]);
  });

  it('but to the answer it had before, is written down with whom that names, before it is told', async () => {
    const world = staff();
    const twice = async (route: string, request: Request) => {
      await world.call(route, request);
      expect((await world.call(route, request)).headers['idempotency-replayed']).toBe('true');
    };
    const headers = { 'idempotency-key': 'k' };
    await twice('POST /v1/customers', { headers, body: { profile: { name: 'Anne' } } });
    const decision = { allowed: true, policies: ['idempotency-key'] };
    const made = world.asked[0]!.input['id'];
    await twice('POST /v1/customers/{id}/rollback', { headers: { ...headers, 'if-match': '"3"' }, body: { toRev: 1, reason: 'r' } });
    expect(world.noted).toEqual([
      { ...who, action: 'CreateCustomer', decision, outcome: 'repeated', customerId: undefined, shown: [made] },
      { ...who, action: 'RollbackCustomer', decision, outcome: 'repeated', customerId: CUSTOMER, shown: [] },
    ]);
  });

  it('is not answered where it cannot be written down', async () => {
    const world = staff({ note: () => Promise.reject(new PortError('unavailable', 'x')), limit: { ratePerSecond: 0.001, burst: 4 } });
    const create: Request = { headers: { 'idempotency-key': 'k' }, body: { profile: { name: 'Anne' } } };
    expect((await world.call('POST /v1/customers', create)).status).toBe(201);
    const told = [await world.call('POST /v1/customers', create), await world.call('POST /v1/customers', { ...create, body: {} }), await world.call('GET /v1/customers', { groups: '[]' }), await world.call('GET /v1/customers')];
    expect(told.map(({ status, json }) => [status, json.type])).toEqual(Array(4).fill([503, 'urn:intact:problem:store-unavailable']));
  });
});

describe('what somebody else wrote into the memory of requests', () => {
  const create = ['POST /v1/customers', { body: { profile: { name: 'Anne' } }, headers: { 'idempotency-key': 'k' } }] as const;
  /** A world whose memory somebody changes before it is read again. */
  async function poisoned(change: (begun: Begun) => Begun, first: 'answers' | 'fails' = 'answers') {
    const world = staff();
    const works = world.answers['createCustomer']!;
    if (first === 'fails') world.answers['createCustomer'] = () => Promise.reject(new PortError('unavailable', 'x'));
    await world.call(...create);
    world.answers['createCustomer'] = works;
    const { begin } = world.memory;
    world.memory.begin = async (...of) => change(await begin(...of));
    const asked = world.asked.length;
    return { told: await world.call(...create), asked: world.asked.length - asked };
  }
  const answer = (change: (answer: RememberedAnswer) => object) => (begun: Begun): Begun => (begun.outcome === 'answered' ? { ...begun, answer: change(begun.answer) as RememberedAnswer } : begun);
  const isReplayed = { status: 201, replayed: 'true' };

  it('as it was is believed', async () => {
    const { told } = await poisoned((begun) => begun);
    expect({ status: told.status, replayed: told.headers['idempotency-replayed'] }).toEqual(isReplayed);
  });

  it.each<[string, (begun: Begun) => Begun]>([
    ['another body', answer((kept) => ({ ...kept, body: '{"customerId":"another"}' }))],
    ['another address', answer((kept) => ({ ...kept, location: 'https://example.com/' }))],
    ['another status', answer((kept) => ({ ...kept, status: 302 }))],
    ['no ETag', answer(({ etag: _, ...kept }) => kept)],
    ['a header more', answer((kept) => ({ ...kept, more: 'x' }))],
    ['no MAC', answer(({ mac: _, ...kept }) => kept)],
    ['an answer where none was given', (begun) => ({ outcome: 'answered', answer: { status: 200, body: '{}', mac: begun.outcome === 'answered' ? begun.answer.mac : '' } })],
  ])('as %s is answered to nobody', async (_, change) => {
    const { told, asked } = await poisoned(change);
    expect([told.status, told.json.type, asked]).toEqual([500, 'urn:intact:problem:store-refused', 0]);
  });

  it('as the id of something else is not taken for what the request made', async () => {
    const { told, asked } = await poisoned((begun) => (begun.outcome === 'new' ? { ...begun, id: begun.id.replace(/^.{26}/, CUSTOMER) } : begun), 'fails');
    expect([told.status, asked]).toEqual([500, 0]);
  });

  it('of another request is not believed for this one', async () => {
    const world = staff();
    let kept: Begun | undefined;
    const { begin } = world.memory;
    await world.call(...create);
    world.memory.begin = async (...of) => (kept = await begin(...of));
    await world.call(...create);
    world.memory.begin = async () => kept!;
    expect((await world.call(...create)).headers['idempotency-replayed']).toBe('true');
    expect((await world.call('POST /v1/customers', { ...create[1], operator: 'ben' })).status).toBe(500);
    expect((await world.call('POST /v1/customers', { ...create[1], headers: { 'idempotency-key': 'another' } })).status).toBe(500);
    expect((await world.call('POST /v1/customers', { ...create[1], body: { profile: { name: 'Ben' } } })).status).toBe(500);
  });
});

describe('an operator', () => {
  it('who asks too much at once waits; others do not', async () => {
    const world = staff({ limit: { ratePerSecond: 1, burst: 2 } });
    const read = (operator: string) => world.call('GET /v1/customers/{id}', { operator });
    expect((await read('anna')).headers).toMatchObject({ ratelimit: '"operator";r=1;t=1', 'ratelimit-policy': '"operator";q=2;w=2' });
    expect((await read('anna')).status).toBe(200);
    const told = await read('anna');
    expect([told.status, told.json.type, told.headers['retry-after'], told.headers['ratelimit'], world.asked.length]).toEqual([429, 'urn:intact:problem:too-many-requests', '1', '"operator";r=0;t=2', 2]);
    expect((await read('ben')).status).toBe(200);
    world.now = new Date(world.now.getTime() + 1_000);
    expect((await read('anna')).status).toBe(200);
  });

  it('pays for bad requests too', async () => {
    const world = staff({ limit: { ratePerSecond: 1, burst: 1 } });
    expect(rules(await world.call('GET /v1/customers', { query: 'x=1' }))).toEqual(['x unknown-field']);
    expect((await world.call('GET /v1/customers')).status).toBe(429);
  });
});

it('every answer bears the security headers', async () => {
  const world = staff();
  for (const [key, request] of [['GET /v1/customers', {}], ['GET /v1/customers', { query: 'x' }], ['PATCH /v1/customers/{id}', { ...edit, headers: {} }], ['GET /v1/nothing', {}]] as const) {
    expect((await world.call(key, request)).headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'strict-transport-security': expect.any(String) as string, 'content-security-policy': expect.any(String) as string });
  }
});
