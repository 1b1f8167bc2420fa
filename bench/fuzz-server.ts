/**
 * The API of staff in one process, for fuzzing without a cloud: the real routes, operations and policies over adapters in memory, behind HTTP as API Gateway puts it. The token is the name of a role: who
 * may sign in is not what is fuzzed here. What follows an erasure's confirmation is another function's work and does not happen.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import { ulid } from 'ulid';
import { memoryRequests } from '../src/adapters/memory/request-memory';
import { memoryHoldMarks } from '../src/adapters/memory/hold-marks';
import { memoryViews } from '../src/adapters/memory/view-store';
import { OUTBOUND_SCOPE, SYSTEM_ROLE, type Actor } from '../src/core/staff/actor';
import type { ProfileSettings } from '../src/core/staff/profile-settings';
import { loadSecrets } from '../src/operations/load-secrets';
import { projectViews } from '../src/operations/project-views';
import { deliveryIdOf, eventsOf, recordDelivery } from '../src/operations/record-delivery';
import { addNote } from '../src/operations/staff/add-note';
import { assignCustomer } from '../src/operations/staff/assign-customer';
import { authorize } from '../src/operations/staff/authorize';
import { bulkRollback, planBulkRollback } from '../src/operations/staff/bulk-rollback';
import { compareVersions } from '../src/operations/staff/compare-versions';
import { createCustomer } from '../src/operations/staff/create-customer';
import { editCustomer } from '../src/operations/staff/edit-customer';
import { askErasure, confirmErasure, readErasure, withdrawErasure } from '../src/operations/staff/erasures';
import { placeHold, readHold, releaseHold } from '../src/operations/staff/holds';
import { linkAlias, unlinkAlias } from '../src/operations/staff/link-alias';
import { listCustomers } from '../src/operations/staff/list-customers';
import { listNotes } from '../src/operations/staff/list-notes';
import { customerAt, listVersions } from '../src/operations/staff/list-versions';
import { mergeCustomers, unmergeCustomers } from '../src/operations/staff/merge-customers';
import { noteAccess, type NotedAccess } from '../src/operations/staff/note-access';
import { proveMessage } from '../src/operations/staff/prove-message';
import { queryAccess } from '../src/operations/staff/query-access';
import { readConversation } from '../src/operations/staff/read-conversation';
import { readCustomer } from '../src/operations/staff/read-customer';
import { readMessage } from '../src/operations/staff/read-message';
import { recordOutbound } from '../src/operations/staff/record-outbound';
import { rollbackCustomer } from '../src/operations/staff/rollback-customer';
import { searchCustomers } from '../src/operations/staff/search-customers';
import { Env } from '../src/runtime/env';
import type { HttpAnswer } from '../src/runtime/problem';
import { staffApi } from '../src/runtime/stacks/staff-api';
import type { StaffOperations } from '../src/runtime/staff/operations';
import { LEVELS, type RouteKey } from '../src/runtime/staff/route';
import { selfRoutes } from '../src/runtime/staff/self';
import { routesOf, type StaffRoute } from '../src/runtime/staff/serve';
import { makeWorld } from '../test/world';

const LIMIT = { ratePerSecond: 1_000, burst: 10_000 };
const OUTBOUND = 'POST /v1/outbound';
const HEALTH = 'GET /health';

/** A name that is not in it, and none that is missing, does not compile. */
const OPERATIONS: Readonly<Record<keyof StaffOperations, unknown>> = {
  listCustomers, searchCustomers, readCustomer, listNotes, listVersions, customerAt, compareVersions, createCustomer, editCustomer, assignCustomer, addNote, rollbackCustomer, planBulkRollback, bulkRollback, queryAccess, linkAlias, unlinkAlias, mergeCustomers, unmergeCustomers,
  readConversation, readMessage, proveMessage, recordOutbound, readHold, placeHold, releaseHold, askErasure, readErasure, confirmErasure, withdrawErasure,
};

export interface Served {
  readonly url: string;
  /** As the webhook would, once the signature fits. */
  receive(body: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Serves on a port of its own until closed. */
export async function serveInMemory(profile: ProfileSettings, seed: number): Promise<Served> {
  // A line a request would bury what was found; failures are told.
  Object.assign(process.env, { [Env.STAGE]: 'fuzz', POWERTOOLS_LOG_LEVEL: 'ERROR', POWERTOOLS_METRICS_DISABLED: 'true' });
  const { routes, arrive, follow, receive } = await worldOf(profile, seed);
  const handler = staffApi({ routes: { ...routes, ...selfRoutes }, open: { [HEALTH]: () => ({ status: 'up' }) } });
  const keys = [...Object.keys(routes), ...Object.keys(selfRoutes), HEALTH];
  const server = createServer((request, response) => {
    const answer = async (): Promise<HttpAnswer> => {
      const event = await eventOf(request, keys);
      if (typeof event === 'number') return gateway(event);
      await arrive(event.routeKey);
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, receive, close: () => closed(server) };
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

async function worldOf(profile: ProfileSettings, seed: number) {
  const world = await makeWorld({ seed, startMs: Date.now() });
  const views = memoryViews();
  const keys = loadSecrets(world);
  const deps = { ...world, holdMarks: memoryHoldMarks(world.records, world.keys), views, keys, authorize, profile, identity: async () => world.identity, accounts: new Map<string, string>(), proof: world };
  const operations = Object.fromEntries(Object.entries(OPERATIONS).map(([name, operation]) => [name, (actor: Actor, input: never) => (operation as (deps: never, actor: Actor, input: never) => unknown)(deps as never, actor, input)]));
  const staff = { operations, profile, memory: memoryRequests(), limit: LIMIT, secret: async () => (await keys.macKeys())[0].secret, note: (access: NotedAccess) => noteAccess(deps, access), now: world.now, newId: () => ulid(world.now().getTime()) };
  let projected = 0;
  let sealed = 0;
  const follow = async (): Promise<void> => {
    const events = world.stream.slice(projected);
    projected = world.stream.length;
    await projectViews(deps, events);
  };
  return {
    routes: Object.assign({}, ...LEVELS.map((level) => routesOf(level, staff))) as Readonly<Record<RouteKey, StaffRoute>>,
    follow,
    /** What a request finds: the time of day, and where a proof is asked for, all that was recorded before in the log. */
    async arrive(route: string): Promise<void> {
      world.advance(Math.max(0, Date.now() - world.now().getTime()));
      if (!route.endsWith('/proof')) return;
      const events = world.stream.slice(sealed);
      sealed = world.stream.length;
      await world.seal(events);
      await world.publish();
    },
    async receive(body: Buffer): Promise<void> {
      await recordDelivery(deps, { deliveryId: deliveryIdOf(body), receivedAt: world.now() }, eventsOf(body) ?? []);
      await follow();
    },
  };
}

const MESSAGES = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found' } as const;
const gateway = (statusCode: keyof typeof MESSAGES): HttpAnswer => ({ statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message: MESSAGES[statusCode] }) });

/** An HTTP API's event (payload version 2.0), or how API Gateway answers by itself: nothing there, no token, a token without the scope of the route. */
async function eventOf(request: IncomingMessage, keys: readonly string[]) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [rawPath = '/', rawQueryString = ''] = (request.url ?? '/').split(/\?(.*)/s);
  const found = keys.map((key) => matched(key, request.method ?? 'GET', rawPath)).filter((each) => each !== undefined);
  // The more of the path a route names itself, the more it is the one.
  const route = found.sort((a, b) => Object.keys(a.pathParameters).length - Object.keys(b.pathParameters).length)[0];
  if (route === undefined) return 404;
  const role = /^Bearer (\w+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (route.routeKey !== HEALTH && role === undefined) return 401;
  if (route.routeKey !== HEALTH && route.routeKey !== OUTBOUND && role === SYSTEM_ROLE) return 403;
  return {
    ...route,
    rawPath,
    rawQueryString,
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value])) as Record<string, string>,
    ...(chunks.length > 0 && { body: Buffer.concat(chunks).toString('base64'), isBase64Encoded: true }),
    requestContext: { http: { method: request.method ?? '', path: rawPath, sourceIp: '192.0.2.1', userAgent: request.headers['user-agent'] ?? '' }, authorizer: { jwt: { claims: claimsOf(role ?? '') } } },
  };
}

function claimsOf(role: string): Readonly<Record<string, string>> {
  const seconds = Math.floor(Date.now() / 1_000);
  const sub = `00000000-0000-4000-8000-${Buffer.from(role).toString('hex').padEnd(12, '0').slice(0, 12)}`;
  const person = role === SYSTEM_ROLE ? { client_id: sub, scope: `${OUTBOUND_SCOPE.server}/${OUTBOUND_SCOPE.name}` } : { username: role, 'cognito:groups': `[${role}]` };
  return { sub, ...person, token_use: 'access', auth_time: String(seconds), exp: String(seconds + 900) };
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
