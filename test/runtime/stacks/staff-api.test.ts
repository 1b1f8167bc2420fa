/** What surrounds the routes of staff: nobody reaches one without being known, and every answer is safe to hand to a browser. */
import type { Context } from 'aws-lambda';
import { staffApi } from '../../../src/runtime/stacks/staff-api';
import { PortError } from '../../../src/ports';
import { jsonAnswer } from '../../../src/runtime/problem';
import { selfRoutes } from '../../../src/runtime/staff/self';
import { capturedAsync } from '../captured';

const context = { awsRequestId: '11111111-2222-4333-8444-555555555555', getRemainingTimeInMillis: () => 5_000 } as Context;
const claims = { sub: 's', username: 'anna', token_use: 'access', 'cognito:groups': '[support]', auth_time: '1', exp: '2' };
const event = (routeKey: string | undefined, jwt: object | undefined = { claims }) => ({ ...(routeKey !== undefined && { routeKey }), requestContext: { http: {}, ...(jwt && { authorizer: { jwt } }) } });

process.env['INTACT_STAGE'] = 'test';
let reached = 0;
const handler = staffApi({
  routes: {
    'GET /v1/me': ({ actor: { name } }) => { reached++; return jsonAnswer({ name }); },
    'GET /v1/broken': () => { throw new Error('SECRET'); },
    'GET /v1/away': () => Promise.reject(new PortError('unavailable', 'SECRET')),
  },
  open: { 'GET /health': () => ({ status: 'up' }) },
});
async function call(request: object) {
  let answer: { statusCode: number; headers: Record<string, string>; body: string } | undefined;
  const lines = await capturedAsync(async () => { answer = (await handler(request, context)) as typeof answer; });
  if (answer === undefined) throw new Error('every request gets an answer');
  return { ...answer, json: JSON.parse(answer.body) as Record<string, unknown>, lines };
}
beforeEach(() => { reached = 0; });

it('lets a known operator through', async () => {
  expect(await call(event('GET /v1/me'))).toMatchObject({ statusCode: 200, json: { name: 'anna' } });
});

it.each([
  ['no token', event('GET /v1/me', {}), 401, 'token-missing'],
  ['an ID token', event('GET /v1/me', { claims: { ...claims, token_use: 'id' } }), 401, 'token-unfit'],
  ['no role', event('GET /v1/me', { claims: { ...claims, 'cognito:groups': '[]' } }), 403, 'no-role'],
  ['a path that is not there', event('GET /v1/other'), 404, 'no-such-resource'],
  ['a path that every object has', event('constructor'), 404, 'no-such-resource'],
  ['no path', event(undefined), 404, 'no-such-resource'],
])('answers %s with a problem, and calls nothing', async (_what, request, status, code) => {
  const { statusCode, headers, json } = await call(request);
  expect([statusCode, headers['content-type'], json, reached]).toEqual([status, 'application/problem+json', { type: `urn:intact:problem:${code}`, title: expect.any(String) as string, status, instance: `urn:uuid:${context.awsRequestId}` }, 0]);
  if (status === 401) expect(headers['www-authenticate']).toMatch(/^Bearer/);
});

it.each([['GET /v1/broken', 500, 'internal'], ['GET /v1/away', 503, 'store-unavailable']])('answers a failure of %s with %d, and tells nothing of the inside', async (route, status, code) => {
  const { statusCode, json, body, lines } = await call(event(route));
  expect([statusCode, json['type']]).toEqual([status, `urn:intact:problem:${code}`]);
  expect(body).not.toContain('SECRET');
  expect(lines.length).toBeGreaterThan(0);
});

it('tells what stands before every route, and its failures, in the language of the caller', async () => {
  const titles = async (request: object) => {
    const { json, headers } = await call({ ...request, headers: { 'accept-language': 'zh' } });
    return [json['title'], headers['content-language'], headers['vary']];
  };
  expect(await titles(event('GET /v1/me', {}))).toEqual(['请求没有携带已登录操作员的令牌', 'zh', 'accept-language']);
  expect(await titles(event('GET /v1/other'))).toEqual(['此路径下没有任何内容', 'zh', 'accept-language']);
  expect(await titles(event('GET /v1/away'))).toEqual(['存储没有响应；请重新发送请求', 'zh', 'accept-language']);
});

it('shows nobody to a machine: its token opens the record of what was sent, and nothing else', async () => {
  const self = staffApi({ routes: selfRoutes });
  const asked = async (more: object) => (await self(event('GET /v1/me', { claims: { ...claims, ...more } }), context)) as { statusCode: number; body: string };
  const client = 'client-1';
  expect(await asked({})).toMatchObject({ statusCode: 200, body: expect.stringContaining('"role":"support"') as string });
  const refused = await asked({ sub: client, client_id: client, username: undefined, 'cognito:groups': undefined, scope: 'intact/outbound' });
  expect([refused.statusCode, (JSON.parse(refused.body) as { type: string }).type, refused.body.includes(client)]).toEqual([403, 'urn:intact:problem:forbidden', false]);
});

it('gives Lambda an answer of nothing but status, headers and body', async () => {
  const answer = (await handler(event('GET /v1/other'), context)) as object;
  expect(Reflect.ownKeys(answer).sort()).toEqual(['body', 'headers', 'statusCode']);
});

it('answers what is open to anybody', async () => {
  expect(await call(event('GET /health', undefined))).toMatchObject({ statusCode: 200, json: { status: 'up' } });
});

it('gives every answer the security headers', async () => {
  for (const request of [event('GET /v1/me'), event('GET /health'), event('GET /v1/me', {}), event('GET /v1/broken'), event('x')]) {
    expect((await call(request)).headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; frame-ancestors 'none'", 'strict-transport-security': expect.stringContaining('max-age=') as string, 'referrer-policy': 'no-referrer' });
  }
});
