/**
 * The API of staff in one process, for fuzzing without a cloud: the real routes, operations and policies over adapters in memory, behind HTTP as API Gateway puts it. The token is the name of a role: who
 * may sign in is not what is fuzzed here.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import { ulid } from 'ulid';
import { memoryMeter } from '../src/adapters/memory/meter';
import { memoryRecords } from '../src/adapters/memory/record-store';
import { memoryRequests } from '../src/adapters/memory/request-memory';
import { memoryViews } from '../src/adapters/memory/view-store';
import type { Actor } from '../src/core/staff/actor';
import type { ProfileSettings } from '../src/core/staff/profile-settings';
import { projectViews } from '../src/operations/project-views';
import { addNote } from '../src/operations/staff/add-note';
import { assignCustomer } from '../src/operations/staff/assign-customer';
import { authorize } from '../src/operations/staff/authorize';
import { bulkRollback, planBulkRollback } from '../src/operations/staff/bulk-rollback';
import { createCustomer } from '../src/operations/staff/create-customer';
import { editCustomer } from '../src/operations/staff/edit-customer';
import { listCustomers } from '../src/operations/staff/list-customers';
import { customerAt, listVersions } from '../src/operations/staff/list-versions';
import { queryAccess } from '../src/operations/staff/query-access';
import { readCustomer } from '../src/operations/staff/read-customer';
import { rollbackCustomer } from '../src/operations/staff/rollback-customer';
import { searchCustomers } from '../src/operations/staff/search-customers';
import { Env } from '../src/runtime/env';
import { jsonAnswer, type HttpAnswer } from '../src/runtime/problem';
import { staffApi } from '../src/runtime/stacks/staff-api';
import { LEVELS, type RouteKey } from '../src/runtime/staff/route';
import { routesOf, type StaffRoute } from '../src/runtime/staff/serve';

const LIMIT = { ratePerSecond: 1_000, burst: 10_000 };

/** Serves on a port of its own until closed. */
export async function serveInMemory(profile: ProfileSettings): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  // A line a request would bury what was found; failures are told.
  Object.assign(process.env, { [Env.STAGE]: 'fuzz', POWERTOOLS_LOG_LEVEL: 'ERROR', POWERTOOLS_METRICS_DISABLED: 'true' });
  const { routes, follow } = world(profile);
  const handler = staffApi({ routes: { ...routes, 'GET /v1/me': me }, open: { 'GET /health': () => ({ status: 'up' }) } });
  const keys = [...Object.keys(routes), 'GET /v1/me', 'GET /health'];
  const server = createServer((request, response) => {
    const answer = async (): Promise<HttpAnswer> => {
      const event = await eventOf(request, keys);
      if (event === 'no-route') return gateway(404, 'Not Found');
      if (event === 'no-token') return gateway(401, 'Unauthorized');
      const told = (await handler(event, { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => 30_000 } as Context)) as HttpAnswer;
      await follow();
      return told;
    };
    answer().then(
      ({ statusCode, headers, body }) => response.writeHead(statusCode, headers).end(body),
      () => response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"Internal Server Error"}'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => closed(server) };
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/** Of messages there is none without a webhook. */
const SERVED = LEVELS.filter((level) => level !== 'messages' && level !== 'outbound');

const me: StaffRoute = ({ actor: { operatorId, name, role }, signedInAt, expiresAt }) => jsonAnswer({ operatorId, name, role, signedInAt, expiresAt });

function world(profile: ProfileSettings) {
  const now = (): Date => new Date();
  const random = (n: number): Buffer => randomBytes(n);
  const records = memoryRecords({ now, random });
  const views = memoryViews();
  const macKey = { id: 1, secret: random(32) };
  const dedupe = random(32);
  const deps = { records, views, keys: { macKeys: async () => [macKey] as const, dedupeKey: async () => dedupe }, authorize, identity: async () => ({ systemSubject: 'S'.repeat(22) }), meter: memoryMeter(), now, random, profile };
  const given = <I, R>(operation: (deps: never, actor: Actor, input: I) => R) => (actor: Actor, input: I): R => operation(deps as never, actor, input);
  const operations = Object.fromEntries(
    Object.entries({ listCustomers, searchCustomers, readCustomer, listVersions, customerAt, createCustomer, editCustomer, assignCustomer, addNote, rollbackCustomer, planBulkRollback, bulkRollback, queryAccess }).map(([name, operation]) => [name, given(operation as never)]),
  );
  const staff = { operations, profile, memory: memoryRequests(), limit: LIMIT, secret: async () => macKey.secret, note: async (): Promise<void> => undefined, now, newId: () => ulid(now().getTime()) };
  let projected = 0;
  return {
    routes: Object.assign({}, ...SERVED.map((level) => routesOf(level, staff))) as Readonly<Record<RouteKey, StaffRoute>>,
    follow: async (): Promise<void> => {
      const events = records.stream.slice(projected);
      projected = records.stream.length;
      await projectViews(deps, events);
    },
  };
}

const gateway = (statusCode: number, message: string): HttpAnswer => ({ statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message }) });

/** An HTTP API's event (payload version 2.0), or how API Gateway answers by itself. */
async function eventOf(request: IncomingMessage, keys: readonly string[]) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [rawPath = '/', rawQueryString = ''] = (request.url ?? '/').split(/\?(.*)/s);
  const found = keys.map((key) => matched(key, request.method ?? 'GET', rawPath)).filter((each) => each !== undefined);
  // The more of the path a route names itself, the more it is the one.
  const route = found.sort((a, b) => Object.keys(a.pathParameters).length - Object.keys(b.pathParameters).length)[0];
  if (route === undefined) return 'no-route';
  const role = /^Bearer (\w+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (route.routeKey !== 'GET /health' && role === undefined) return 'no-token';
  const seconds = Math.floor(Date.now() / 1_000);
  return {
    ...route,
    rawPath,
    rawQueryString,
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value])) as Record<string, string>,
    ...(chunks.length > 0 && { body: Buffer.concat(chunks).toString('base64'), isBase64Encoded: true }),
    requestContext: {
      http: { method: request.method ?? '', path: rawPath, sourceIp: '192.0.2.1', userAgent: request.headers['user-agent'] ?? '' },
      authorizer: { jwt: { claims: { sub: `00000000-0000-4000-8000-${Buffer.from(role ?? '').toString('hex').padEnd(12, '0').slice(0, 12)}`, username: role, token_use: 'access', 'cognito:groups': `[${role}]`, auth_time: String(seconds), exp: String(seconds + 900) } } },
    },
  };
}

function matched(routeKey: string, method: string, path: string): { readonly routeKey: string; readonly pathParameters: Readonly<Record<string, string>> } | undefined {
  const [of, template = ''] = routeKey.split(' ');
  const [names, parts] = [template.split('/'), path.split('/')];
  if (of !== method || names.length !== parts.length) return undefined;
  const pathParameters: Record<string, string> = {};
  for (const [i, name] of names.entries()) {
    const part = parts[i] ?? '';
    if (/^\{\w+\}$/.test(name) && part !== '') pathParameters[name.slice(1, -1)] = decoded(part);
    else if (name !== part) return undefined;
  }
  return { routeKey, pathParameters };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
