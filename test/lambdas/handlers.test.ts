/** Every handler as Lambda runs it: its own module, its environment, the real SDK over HTTP; only AWS is somebody else. */
import { createHmac } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { STAFF_ROUTES, type StaffFunctionName } from '../../lib/constructs/staff-api';
import { PLAIN_PROFILES } from '../../src/core/staff/profile-settings';
import { Env } from '../../src/runtime/env';
import { capturedAsync } from '../runtime/captured';
import { APP_SECRET, fakeCloud, type FakeCloud } from './fake-cloud';

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

const folder = join(__dirname, '../../lambdas');
const names = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''));
const MARKER = 'Grüße-an-4915112345678';
const context = { awsRequestId: '11111111-2222-4333-8444-555555555555', logStreamName: 'stream', functionName: 'f', getRemainingTimeInMillis: () => 25_000 };

let cloud: FakeCloud;
const handlers: Record<string, Handler> = {};
const before = { ...process.env };

beforeAll(async () => {
  cloud = await fakeCloud();
  for (const name of Object.values(Env)) process.env[name] = 'set';
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: cloud.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    [Env.INBOX_QUEUE_URL]: `${cloud.url}/queue`,
    [Env.REPAIR_QUEUE_URL]: `${cloud.url}/queue`,
    [Env.LOCK_MODE]: 'GOVERNANCE',
    [Env.RETENTION_DAYS]: '1',
    [Env.SNAPSHOT_RETENTION_DAYS]: '1',
    [Env.LOG_RETENTION_DAYS]: '3',
    [Env.WHOLE_UP_TO]: '2000000',
    [Env.REPLICA_REGION]: 'us-west-2',
    [Env.DRILL_FROM_REPLICA_EVERY]: '5',
    [Env.META_BASE_URL]: 'https://127.0.0.1:1/v1', // nobody listens
    [Env.AUDIT_ROTATION]: '24/7',
    [Env.DRILL_ROTATION]: '144/4',
    [Env.PROFILE]: JSON.stringify(PLAIN_PROFILES),
    [Env.OPERATOR_LIMIT]: '1000/1000',
    [Env.SCRATCH_TABLE]: 'records-drill-scratch',
    [Env.RESTORED_PREFIX]: 'records-restored-',
  });
  for (const name of names) handlers[name] = ((await import(join(folder, name))) as { handler: Handler }).handler;
});
afterAll(async () => {
  process.env = before;
  await cloud.stop();
});
beforeEach(() => {
  cloud.mood = 'works';
  cloud.asked.length = 0;
  cloud.cloudFormation.length = 0;
});

const body = JSON.stringify({
  object: 'whatsapp_business_account',
  entry: [
    {
      id: '102290129340398',
      changes: [
        {
          field: 'messages',
          value: {
            messaging_product: 'whatsapp',
            metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' },
            contacts: [{ profile: { name: MARKER }, wa_id: '16505551234' }],
            messages: [{ from: '16505551234', id: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=', timestamp: '1749416383', type: 'text', text: { body: MARKER } }],
          },
        },
      ],
    },
  ],
});
const sign = (text: string): string => `sha256=${createHmac('sha256', APP_SECRET).update(text).digest('hex')}`;
const post = (text: string, signature: string | undefined = sign(text), more: object = {}) => ({
  version: '2.0',
  rawPath: '/webhook',
  rawQueryString: '',
  headers: { 'content-type': 'application/json', ...(signature !== '' && { 'x-hub-signature-256': signature }) },
  requestContext: { http: { method: 'POST', path: '/webhook' } },
  body: text,
  isBase64Encoded: false,
  ...more,
});
const get = (query: string) => ({ version: '2.0', rawPath: '/webhook', rawQueryString: query, headers: {}, requestContext: { http: { method: 'GET', path: '/webhook' } } });
const stream = {
  Records: [
    {
      eventID: 'c4ca4238a0b923820dcc509a6f75849b',
      eventName: 'INSERT',
      dynamodb: {
        ApproximateCreationDateTime: 1_760_000_000,
        Keys: { pk: { S: `m#${MARKER}` }, sk: { S: MARKER } },
        NewImage: { pk: { S: `m#${MARKER}` }, sk: { S: MARKER }, kind: { S: 'message' }, text: { S: MARKER }, subject: { S: MARKER }, receivedAt: { S: '2026-01-01T00:00:00.000Z' } },
      },
    },
  ],
};
const queue = { Records: [JSON.stringify({ name: `delivery/${'a'.repeat(64)}.b` }), JSON.stringify({ name: `delivery/${MARKER}` }), MARKER].map((message) => ({ body: message })) };
const repairs = {
  Records: [JSON.stringify({ pk: `m#${MARKER}`, sk: MARKER, source: 'c4ca4238a0b923820dcc509a6f75849b' }), JSON.stringify({ pk: 'heartbeat#2026-01-01', sk: '2026-01-01T00:00Z' }), MARKER].map((message, i) => ({ messageId: `${i}`, body: message })),
};
const staffRequest = (claims: object, routeKey = 'GET /v1/me', more: object = {}) => {
  const [method = '', path = ''] = routeKey.split(' ');
  return { routeKey, rawPath: path, headers: { authorization: MARKER, 'content-type': 'application/json', 'idempotency-key': MARKER, 'if-match': '"1"' }, requestContext: { http: { method, path, sourceIp: '192.0.2.1', userAgent: MARKER }, authorizer: { jwt: { claims } } }, ...more };
};
const claimsOf = (role: string) => ({ sub: 's', username: 'n', token_use: 'access', 'cognito:groups': `[${role}]`, auth_time: '1', exp: '2' });
/** Every route of one function, as somebody who may, somebody who may not, and nobody; with a good body and with nonsense. */
const staffRequests = (name: StaffFunctionName, role: string, fitting: string) => () => [
  ...STAFF_ROUTES[name].flatMap((route) => [fitting, JSON.stringify({ [MARKER]: MARKER }), MARKER].map((text) => staffRequest(claimsOf(role), route, { pathParameters: { id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', message: MARKER, requestId: MARKER }, rawQueryString: `q=${MARKER}`, queryStringParameters: { q: MARKER }, body: text }))),
  ...STAFF_ROUTES[name].flatMap((route) => [staffRequest(claimsOf('sales'), route, { pathParameters: { id: MARKER, message: MARKER, requestId: MARKER } }), staffRequest({ username: MARKER }, route), staffRequest(claimsOf(''), route)]),
];
/** As the user pool calls before it gives tokens. */
const signIn = (triggerSource: string) => ({ version: '1', triggerSource, region: 'us-east-1', userPoolId: 'us-east-1_a', userName: MARKER, callerContext: { awsSdkVersion: MARKER, clientId: 'c' }, request: { userAttributes: { sub: MARKER, email: MARKER }, groupConfiguration: { groupsToOverride: ['support'], iamRolesToOverride: [], preferredRole: null } }, response: { claimsOverrideDetails: null } });
const deployment = (RequestType: string, OriginPrefix: unknown = 'example.com/whatsapp') => ({
  RequestType,
  ResponseURL: `${cloud.url}/cloudformation`,
  StackId: 's',
  RequestId: 'r',
  LogicalResourceId: 'InitializedLog',
  ResourceProperties: { OriginPrefix, Secret: MARKER },
});

const RUN = { run: '2026-01-01T00:00:00.000Z', round: 0 };
/** As a state machine calls, and as nobody should. */
const steps = [{ note: MARKER }, { step: 'begin' }, { step: 'part', part: '0', ...RUN }, { step: 'merge', ...RUN }, { step: 'part', part: `../${MARKER}`, ...RUN }, { step: MARKER }];

/** What each handler is called with. A handler without a line here fails the test below. */
const EVENTS: Record<string, () => unknown[]> = {
  'receive-webhook': () => [post(body), post(body, sign('other')), post(MARKER), post(`${body.slice(0, -3)}`), get(`hub.mode=subscribe&hub.verify_token=${MARKER}&hub.challenge=${MARKER}`), { headers: 1, body: MARKER }],
  'process-inbox': () => [queue],
  'sweep-inbox': () => [{ note: MARKER }],
  'erase-subjects': () => [{ note: MARKER }],
  'seal-records': () => [stream],
  'publish-log': () => [stream],
  'project-views': () => [stream],
  heartbeat: () => [{ note: MARKER }],
  'seal-missing': () => [{ note: MARKER }],
  'repair-records': () => [repairs, { Records: [{ messageId: '1', body: JSON.stringify({ pk: `m#${MARKER}`, sk: MARKER }) }] }],
  'verify-vault': () => steps,
  'audit-table': () => steps,
  'run-drill': () => [{ note: MARKER }],
  'take-snapshot': () => steps,
  'restore-table': () => [...steps, { step: 'begin', asked: { to: MARKER } }, { step: 'begin', asked: { to: 'records-restored-one', point: { size: 1 }, from: 'replica', by: MARKER } }, { step: 'part', part: MARKER, ...RUN }],
  'reconcile-deliveries': () => [{ note: MARKER }],
  'api-self': () => [{ routeKey: 'GET /health' }, staffRequest({ sub: 's', username: MARKER, token_use: 'access', 'cognito:groups': '[support]', auth_time: '1', exp: '2' }), staffRequest({ username: MARKER }), { routeKey: MARKER }],
  'api-read': staffRequests('api-read', 'support', ''),
  'api-write': staffRequests('api-write', 'support', JSON.stringify({ name: MARKER, note: MARKER })),
  'api-admin': staffRequests('api-admin', 'admin', JSON.stringify({ operatorId: 's', from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' })),
  'api-audit': staffRequests('api-audit', 'auditor', ''),
  'api-messages': staffRequests('api-messages', 'support', ''),
  'api-outbound': staffRequests('api-outbound', 'support', JSON.stringify({ phoneNumberId: '1', messageId: MARKER, to: '4915112345678', sentAt: '2026-01-01T00:00:00.000Z', payload: { text: MARKER } })),
  'api-officer': staffRequests('api-officer', 'dpo', JSON.stringify({ reason: MARKER })),
  'note-sign-in': () => [signIn('TokenGeneration_Authentication'), signIn('TokenGeneration_RefreshTokens'), signIn(MARKER), { request: MARKER }],
  'initialize-log': () => [deployment('Create'), deployment('Create', MARKER), deployment('Delete')],
};

test('every handler there is has events to be tried with', () => {
  expect(Object.keys(EVENTS).sort()).toEqual([...names].sort());
});

describe.each(names)('%s', (name) => {
  test.each(['works', 'fails', 'no-secret'] as const)('never logs or throws what it was given, while the cloud is: %s', async (mood) => {
    cloud.mood = mood;
    let said = 0;
    for (const event of EVENTS[name]?.() ?? []) {
      let thrown = '';
      const lines = await capturedAsync(async () => {
        await handlers[name]?.(event, context).catch((error: Error & { originalError?: Error }) => {
          thrown = [error.message, error.stack, String(error.cause), JSON.stringify(error), error.originalError?.message].join('\n');
        });
      });
      said += lines.length;
      for (const secret of [MARKER, '4915112345678', APP_SECRET]) expect(`${lines.join('\n')}${thrown}`).not.toContain(secret);
      for (const line of lines) expect(JSON.parse(line)).toBeInstanceOf(Object);
    }
    expect(said).toBeGreaterThan(0);
  });
});

describe('the webhook', () => {
  const call = async (event: unknown) => {
    let answer: { statusCode: number; headers: Record<string, string>; body: string } | undefined;
    const lines = await capturedAsync(async () => {
      answer = (await handlers['receive-webhook']?.(event, context)) as typeof answer;
    });
    if (answer === undefined) throw new Error('every request gets an answer');
    return { ...answer, json: /json/.test(answer.headers['content-type'] ?? '') ? (JSON.parse(answer.body) as Record<string, unknown>) : {}, lines };
  };

  test('answers a signed delivery with the counts of its events', async () => {
    const { statusCode, json, lines } = await call(post(body));
    expect(statusCode).toBe(200);
    expect(json).toEqual({ deliveryId: expect.any(String) as string, queued: 0, recorded: 1, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 });
    const metrics = lines.map((line) => JSON.parse(line) as Record<string, unknown>).find((line) => '_aws' in line);
    expect(metrics).toMatchObject({ stage: 'set', DeliveriesReceived: 1, EventsRecorded: 1 });
  });

  test('reads a body that came as base64 by its bytes', async () => {
    const { statusCode, json } = await call(post(Buffer.from(body).toString('base64'), sign(body), { isBase64Encoded: true }));
    expect([statusCode, json['recorded']]).toEqual([200, 1]);
  });

  test('keeps what is signed and no JSON, and answers 200', async () => {
    const { statusCode, json } = await call(post('{"object":'));
    expect([statusCode, json['quarantined']]).toEqual([200, 1]);
  });

  test('puts a delivery that is too big to the inbox, loaded on demand', async () => {
    const big = body.replace('"text":{', `"padding":"${'x'.repeat(200_000)}","text":{`);
    const { statusCode, json } = await call(post(big));
    expect([statusCode, json['queued']]).toEqual([200, 1]);
    expect(cloud.asked).toContain('PUT s3');
  });

  test.each([
    ['forged', 'signature-mismatch', () => post(body, `sha256=${'0'.repeat(64)}`)],
    ['malformed', 'signature-malformed', () => post(body, 'md5=1')],
    ['missing', 'signature-missing', () => post(body, '')],
  ])('refuses a signature that is %s with 401, counts it and touches no store', async (_how, code, event) => {
    const { statusCode, headers, json, lines } = await call(event());
    expect(statusCode).toBe(401);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(json).toMatchObject({ type: `urn:intact:problem:${code}`, status: 401, title: expect.any(String) as string });
    expect(cloud.asked.filter((operation) => operation !== 'GetSecretValue')).toEqual([]);
    expect(lines.join()).toContain('"SignaturesRefused":1');
  });

  test('answers 5xx while a store does not do what it should, so that the delivery is sent again', async () => {
    cloud.mood = 'fails';
    const { statusCode, headers, json } = await call(post(body));
    expect([statusCode, json['type']]).toEqual([500, 'urn:intact:problem:store-refused']);
    expect(headers['cache-control']).toBe('no-store');
  });

  test('answers the handshake with the bare challenge, or 403', async () => {
    const asked = 'hub.mode=subscribe&hub.verify_token=token&hub.challenge=1158201444';
    expect(await call(get(asked))).toMatchObject({ statusCode: 200, body: '1158201444', headers: { 'content-type': 'text/plain; charset=utf-8' } });
    expect(await call(get(asked.replace('token=token', 'token=other')))).toMatchObject({ statusCode: 403, headers: { 'content-type': 'application/problem+json' } });
  });

  test('knows no other method and no other path', async () => {
    expect(await call({ ...post(body), requestContext: { http: { method: 'PUT' } } })).toMatchObject({ statusCode: 405, headers: { allow: 'GET, POST' } });
    expect(await call({ ...post(body), rawPath: '/other' })).toMatchObject({ statusCode: 404 });
  });
});

describe('a sign-in', () => {
  const call = (event: object) => handlers['note-sign-in']!(event, context);

  test('is written down, once, and goes on as it came', async () => {
    const event = signIn('TokenGeneration_Authentication');
    await capturedAsync(async () => expect(await call(event)).toEqual(event));
    expect(cloud.asked.filter((operation) => operation === 'PutItem')).toHaveLength(1);
  });

  test('that is a session going on is nothing new', async () => {
    await capturedAsync(async () => void (await call(signIn('TokenGeneration_RefreshTokens'))));
    expect(cloud.asked).toEqual([]);
  });

  test.each([['fails', signIn('TokenGeneration_Authentication')], ['works', signIn('SomethingElse')], ['works', { ...signIn('TokenGeneration_Authentication'), request: {} }]] as const)('that cannot be written down is none, while the cloud %s', async (mood, event) => {
    cloud.mood = mood;
    await capturedAsync(async () => void (await expect(call(event)).rejects.toThrow('note-sign-in failed')));
    // What is no sign-in is not even tried to be written.
    if (mood === 'works') expect(cloud.asked).toEqual([]);
  });
});

describe('the step of the deployment', () => {
  const call = async (event: unknown) => {
    const lines = await capturedAsync(async () => handlers['initialize-log']?.(event, context));
    return { answer: cloud.cloudFormation.at(-1), lines };
  };

  test('tells CloudFormation the origin of the log that is there, again and again under the same id', async () => {
    const created = (await call(deployment('Create'))).answer;
    const updated = (await call({ ...deployment('Update'), PhysicalResourceId: created?.['PhysicalResourceId'] })).answer;
    expect(created).toMatchObject({ RequestId: 'r', StackId: 's', LogicalResourceId: 'InitializedLog' });
    expect(updated?.['PhysicalResourceId']).toBe(created?.['PhysicalResourceId']);
  });

  test('refuses another origin than the log has', async () => {
    const { answer } = await call(deployment('Update', 'example.org/other'));
    expect(answer).toMatchObject({ Status: 'FAILED' });
  });

  test('has nothing to delete', async () => {
    expect((await call(deployment('Delete'))).answer).toMatchObject({ Status: 'SUCCESS' });
    expect(cloud.asked.filter((operation) => operation !== 'PUT s3')).toEqual([]);
  });

  test('answers when it fails, with a reason', async () => {
    cloud.mood = 'fails';
    const { answer } = await call(deployment('Create'));
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('initialize-log: could not') as string });
    expect(JSON.stringify(answer)).not.toContain(MARKER);
  });
});

test('a failed batch of a stream or of the queue fails the invocation, so that it is delivered again', async () => {
  cloud.mood = 'fails';
  for (const name of ['seal-records', 'publish-log', 'project-views', 'process-inbox', 'heartbeat', 'sweep-inbox', 'erase-subjects', 'seal-missing', 'verify-vault', 'audit-table', 'run-drill', 'take-snapshot', 'restore-table', 'reconcile-deliveries']) {
    await capturedAsync(async () => expect(handlers[name]?.(EVENTS[name]?.()[0], context)).rejects.toThrow('the log line before this one says why'));
  }
});
