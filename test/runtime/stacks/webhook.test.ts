/** What Meta is told while something we depend on fails: never 200 before all is durable, 503 with Retry-After where sending again helps, and then it is recorded once. */
import type { Context } from 'aws-lambda';
import type { Fault } from '../../../src/adapters/memory/process';
import { receiveDelivery, type ReceiveDeps } from '../../../src/operations/receive-delivery';
import { PortError, type PortErrorCode } from '../../../src/ports';
import { Env } from '../../../src/runtime/env';
import type { HttpAnswer } from '../../../src/runtime/problem';
import { webhook } from '../../../src/runtime/stacks/webhook';
import { receivingWorld, signed, textDelivery, type ReceivingWorld } from '../../operations/receiving-world';
import { capturedAsync } from '../captured';

const SHEENA = { waId: '16505551234', bsuid: 'US.13491208655302741918' };
const WORDS = 'Grüße an Sheena';
const BODIES = {
  'first contact': textDelivery('wamid.A', WORDS, SHEENA),
  'content that becomes an object': textDelivery('wamid.A', WORDS + 'x'.repeat(30_000), SHEENA),
  'a delivery recorded later': textDelivery('wamid.A', WORDS + 'x'.repeat(200_000), SHEENA),
} as const;
type Body = keyof typeof BODIES;

const before = { ...process.env };
beforeAll(() => {
  process.env[Env.STAGE] = 'test';
});
afterAll(() => {
  process.env = before;
});

const context = (remainingMs: number): Context => ({ awsRequestId: '11111111-2222-4333-8444-555555555555', getRemainingTimeInMillis: () => remainingMs }) as Context;

/** The handler as it is deployed, over ports in memory. */
async function post(deps: ReceiveDeps, body: string, remainingMs = 25_000): Promise<HttpAnswer & { readonly json: Record<string, unknown>; readonly lines: readonly string[] }> {
  const handler = webhook({ handshake: async () => 'refused', deliver: (delivery) => receiveDelivery(deps, delivery) });
  const { rawBody, signature } = signed(body);
  const event = { rawPath: '/webhook', rawQueryString: '', headers: { 'x-hub-signature-256': signature }, requestContext: { http: { method: 'POST', path: '/webhook' } }, body: rawBody.toString(), isBase64Encoded: false };
  let answer: HttpAnswer | undefined;
  const lines = await capturedAsync(async () => {
    answer = (await handler(event as never, context(remainingMs))) as HttpAnswer;
  });
  if (answer === undefined) throw new Error('every request gets an answer');
  return { ...answer, json: JSON.parse(answer.body) as Record<string, unknown>, lines };
}

/** `settle`: lets what timed out arrive after all. */
async function expectRetryLater(world: ReceivingWorld, deps: ReceiveDeps, body: string, { remainingMs, settle }: { readonly remainingMs?: number; readonly settle?: () => Promise<void> } = {}): Promise<void> {
  const { statusCode, headers, json, lines } = await post(deps, body, remainingMs);
  expect(statusCode).toBe(503);
  expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store', 'retry-after': expect.stringMatching(/^\d+$/) as string });
  expect(json).toMatchObject({ type: 'urn:intact:problem:store-unavailable', status: 503 });
  expect(`${JSON.stringify(json)}${lines.join('\n')}`).not.toContain(WORDS);
  await settle?.();
  await expectRecordedOnce(world, body);
}

/** Meta sends it again, when all is well. */
async function expectRecordedOnce(world: ReceivingWorld, body: string): Promise<void> {
  const { statusCode, json } = await post(world.process().deps, body);
  expect(statusCode).toBe(200);
  const isQueued = json['queued'] === 1;
  expect(Number(json['recorded']) + Number(json['duplicate']) + Number(json['queued'])).toBe(1);
  expect((await world.scan('message')).length).toBe(isQueued ? 0 : 1);
  expect([...world.inbox.objects.keys()].filter((name) => name.startsWith('delivery/'))).toHaveLength(isQueued ? 1 : 0);
}

const ALL = Object.keys(BODIES) as readonly Body[];
const RECORDED_AT_ONCE = ALL.filter((which) => which !== 'a delivery recorded later');

describe.each(['error-before', 'error-after', 'throttle', 'timeout'] as const)('a call to DynamoDB or S3 that fails (%s)', (fault: Fault) => {
  test.each(ALL)('is answered 503, whichever it is, and the delivery recorded once when it is sent again: %s', async (which) => {
    const healthy = receivingWorld().process();
    await post(healthy.deps, BODIES[which]);
    expect(healthy.calls.length).toBeGreaterThan(0);
    for (const { index } of healthy.calls) {
      const world = receivingWorld();
      const { deps, settle } = world.process((call) => (call.index === index ? fault : undefined));
      await expectRetryLater(world, deps, BODIES[which], { settle });
    }
  });
});

const failing = (code: PortErrorCode) => async (): Promise<never> => Promise.reject(new PortError(code, 'could not'));
type Broken = (world: ReceivingWorld, fail: () => Promise<never>) => ReceiveDeps;
const store = (broken: 'records' | 'inbox'): Broken => (world, fail) => {
  const { deps } = world.process();
  return { ...deps, [broken]: new Proxy({}, { get: () => fail }) };
};
const NEEDS: readonly (readonly [string, Broken, readonly Body[]])[] = [
  ['DynamoDB', store('records'), RECORDED_AT_ONCE],
  ['S3', store('inbox'), ['content that becomes an object', 'a delivery recorded later']],
  ['the MAC key, which KMS unwraps', (world, fail) => ({ ...world.process().deps, keys: { ...world.keys, macKeys: fail } }), RECORDED_AT_ONCE],
  ['the dedupe key, which KMS unwraps', (world, fail) => ({ ...world.process().deps, keys: { ...world.keys, dedupeKey: fail } }), ALL],
  ['the app secret', (world, fail) => ({ ...world.process().deps, secrets: { current: fail, refresh: fail } }), ALL],
];

describe.each(NEEDS.flatMap(([what, broken, bodies]) => bodies.map((which) => [what, which, broken] as const)))('while %s cannot be had: %s', (_what, which, broken) => {
  test('is answered 503, and recorded once when it is sent again', async () => {
    const world = receivingWorld();
    await expectRetryLater(world, broken(world, failing('unavailable')), BODIES[which]);
  });

  test.each(['denied', 'corrupt', 'different-bytes'] as const)('is answered 500, and so sent again, where that is not the weather (%s)', async (code) => {
    const world = receivingWorld();
    const { statusCode, json } = await post(broken(world, failing(code)), BODIES[which]);
    expect([statusCode, json['type']]).toEqual([500, 'urn:intact:problem:store-refused']);
    await expectRecordedOnce(world, BODIES[which]);
  });

  test('is answered 503 before the function would be killed, where no answer comes at all', async () => {
    const world = receivingWorld();
    await expectRetryLater(world, broken(world, () => new Promise(() => undefined)), BODIES[which], { remainingMs: 550 });
  });
});

test('a big delivery is taken while the table does not work: it needs the dedupe key and the inbox, and nothing else', async () => {
  const world = receivingWorld();
  const { statusCode, json } = await post(store('records')(world, failing('unavailable')), BODIES['a delivery recorded later']);
  expect([statusCode, json['queued']]).toEqual([200, 1]);
  expect(world.inbox.objects.size).toBe(1);
});
