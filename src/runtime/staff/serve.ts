/**
 * From a route of the table to answers over HTTP: the operator's limit, the whole request checked, an Idempotency-Key heeded, the operation asked, its value or refusal told. Every expected outcome is an
 * answer; what is thrown is a store that did not answer, and becomes a 5xx in one place.
 */
import { createHmac } from 'node:crypto';
import { canonicalize } from '../../core/canonical-json';
import type { AccessActor } from '../../core/staff/access-record';
import type { Actor } from '../../core/staff/actor';
import type { ProfileSettings } from '../../core/staff/profile-settings';
import type { StaffResult } from '../../core/staff/refusal';
import type { Limit, Taken } from '../../core/staff/token-bucket';
import type { Clock } from '../../ports';
import type { NotedAccess } from '../../operations/staff/note-access';
import type { Claim, RequestMemory, Share } from '../../ports/request-memory';
import type { HttpEvent } from '../http-event';
import { log } from '../log';
import { containerMeter } from '../metrics';
import type { Operator } from '../operator-claims';
import { etagOf, jsonAnswer, problem, refusalProblem, type HttpAnswer, type ProblemCode, type ProblemDetails } from '../problem';
import type { StaffOperations } from './operations';
import { remembering } from './remembered';
import { readRequest, type CheckedRequest } from './request';
import type { Level, Route, RouteKey, Shown } from './route';
import { staffRoutes } from './routes';

export interface StaffDeps {
  /** Those of the level's routes. */
  readonly operations: Partial<StaffOperations>;
  readonly profile: ProfileSettings;
  readonly memory: RequestMemory;
  /** Of one operator. */
  readonly limit: Limit;
  /** 32 bytes; fingerprints of requests are MACs under a key derived from it, since what they are made of could be guessed. */
  readonly secret: () => Promise<Uint8Array>;
  /** Writes into the access log what no operation saw. */
  readonly note: (access: NotedAccess) => Promise<void>;
  readonly now: Clock;
  /** A ULID. */
  readonly newId: () => string;
}

/** Called with the operator behind the request. */
export type StaffRoute = (operator: Operator, event: HttpEvent) => Promise<HttpAnswer> | HttpAnswer;

/** The routes of one level, by route key. */
export const routesOf = (level: Level, deps: StaffDeps): Readonly<Record<RouteKey, StaffRoute>> =>
  Object.fromEntries(staffRoutes(deps.profile).filter((route) => route.level === level).map((route) => [route.key, served(route, deps)]));

/** One level, as its function serves it. */
export const levelOf = (level: Level, deps: StaffDeps) => ({ routes: routesOf(level, deps), door: doorOf(level, deps) });

const served = (route: Route, deps: StaffDeps): StaffRoute => ({ actor }, event) => {
  const asking: Asking = { actor, action: route.action, customerId: event.pathParameters?.['id'] };
  return limited(deps, asking, () => answered(route, deps, actor, event, asking));
};

/** What a line of the access log says of a request that comes to no operation. `customerId`: as it was sent. */
type Asking = Pick<NotedAccess, 'actor' | 'action' | 'customerId'>;

/** Refused before anybody was asked: that is written down, and then told. */
async function turnedAway({ note }: Pick<StaffDeps, 'note'>, asking: Asking, code: ProblemCode, outcome: NotedAccess['outcome'], more: { readonly details?: ProblemDetails | undefined; readonly headers?: Readonly<Record<string, string>> | undefined } = {}): Promise<HttpAnswer> {
  await note({ ...asking, decision: { allowed: false, policies: [code] }, outcome });
  return problem(code, asking.actor.requestId, more.details, more.headers);
}

/** Whoever has signed in without one role is turned away, and that is written down before it is told; as often as their limit allows, so that nobody fills the access log with it. */
function doorOf(level: Level, deps: StaffDeps) {
  const actions = new Map<string, Route['action']>(staffRoutes(deps.profile).filter((route) => route.level === level).map(({ key, action }) => [key, action]));
  return (stranger: AccessActor, key: string, refused: ProblemCode, customerId?: string): Promise<HttpAnswer> => {
    const action = actions.get(key);
    if (action === undefined) throw new Error(`${key} is no route of ${level}`);
    const asking: Asking = { actor: stranger, action, customerId };
    return limited(deps, asking, () => turnedAway(deps, asking, refused, 'forbidden'));
  };
}

/** What is over the limit is counted and not done. One a minute is written down: writing them all down is what they would be sent for. */
async function limited(deps: StaffDeps, asking: Asking, answer: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  const { memory, limit, now } = deps;
  const taken = await memory.take(asking.actor.operatorId, limit, now());
  const told = taken.allowed ? await answer() : await overLimit(deps, asking, taken);
  return { ...told, headers: { ...told.headers, ...limitHeaders(limit, taken) } };
}

async function overLimit(deps: StaffDeps, asking: Asking, { isNews, retryAfterSeconds }: Share): Promise<HttpAnswer> {
  containerMeter().count('OperatorLimited');
  const headers = { 'retry-after': String(retryAfterSeconds) };
  return isNews ? turnedAway(deps, asking, 'too-many-requests', 'limited', { headers }) : problem('too-many-requests', asking.actor.requestId, {}, headers);
}

/** As draft-ietf-httpapi-ratelimit-headers has them: what is left, and in how many seconds all of it is there again. */
const limitHeaders = ({ ratePerSecond, burst }: Limit, { remaining, resetSeconds }: Taken): Readonly<Record<string, string>> => ({
  'ratelimit-policy': `"operator";q=${burst};w=${Math.ceil(burst / ratePerSecond)}`,
  ratelimit: `"operator";r=${remaining};t=${resetSeconds}`,
});

async function answered(route: Route, deps: StaffDeps, actor: Actor, event: HttpEvent, asking: Asking): Promise<HttpAnswer> {
  const read = readRequest(route, event);
  if (read.outcome === 'refused') return turnedAway(deps, asking, read.problem, 'invalid', read.errors && { details: { errors: read.errors } });
  const { request } = read;
  if (request.idempotencyKey === undefined) return tell(route, await asked(route, deps, actor, request, deps.newId()), actor);
  return once(route, deps, actor, request, request.idempotencyKey, asking);
}

const asked = (route: Route, { operations }: StaffDeps, actor: Actor, { params, query, body, bytesOf, ifRev }: CheckedRequest, id: string): Promise<StaffResult<Shown>> =>
  route.ask(operations, actor, { params: params as never, query: query as never, body: body as never, bytesOf, ifRev, id });

/**
 * Answers a repeat as the first was answered. A request that was refused changed nothing and may be tried again under its key; of one that failed nobody knows, so it may be too, and the operation
 * finds by the id what the first attempt made.
 */
async function once(route: Route, deps: StaffDeps, actor: Actor, request: CheckedRequest, key: string, asking: Asking): Promise<HttpAnswer> {
  const { memory, now } = deps;
  const claim: Claim = { operatorId: actor.operatorId, route: route.key, key, fingerprint: await fingerprintOf(deps, actor, route, request), attempt: actor.requestId };
  const { idKept, idIn, answerKept, answerIn } = remembering(await deps.secret(), claim);
  const begun = await memory.begin(claim, idKept(deps.newId()), now());
  if (begun.outcome === 'in-flight') return turnedAway(deps, asking, 'key-in-flight', 'conflict');
  if (begun.outcome === 'other-parameters') return turnedAway(deps, asking, 'key-reused', 'conflict');
  if (begun.outcome === 'answered') {
    const { status, body, etag, location } = answerIn(begun.answer);
    await deps.note({ ...asking, decision: { allowed: true, policies: ['idempotency-key'] }, outcome: 'repeated', shown: customersIn(body).filter((id) => id !== asking.customerId) });
    return jsonAnswer(body, status, { ...(etag !== undefined && { etag }), ...(location !== undefined && { location }), 'idempotency-replayed': 'true' });
  }
  let result: StaffResult<Shown>;
  try {
    result = await asked(route, deps, actor, request, idIn(begun.id));
  } catch (error) {
    // The failure is what is told. A claim that is not released ends by itself.
    await memory.release(claim).catch(() => undefined);
    throw error;
  }
  const answer = tell(route, result, actor);
  // Died here: what was asked for is done, and the next attempt finds it under the claim's id.
  try {
    if (result.outcome === 'refused') await memory.release(claim);
    else await memory.finish(claim, answerKept({ status: answer.statusCode, body: answer.body, ...(answer.headers['etag'] && { etag: answer.headers['etag'] }), ...(answer.headers['location'] && { location: answer.headers['location'] }) }), now());
  } catch (error) {
    // It is done all the same, and the caller has a right to know.
    log.error('a request could not be remembered', error, { requestId: actor.requestId, route: route.key });
  }
  return answer;
}

/** Whom a remembered answer names. */
const customersIn = (body: string): readonly string[] => [...new Set([...body.matchAll(/"customerId":"([^"]+)"/g)].map(([, id]) => id!))];

/** Of a request in this role: what was told in one is not told again in another, which may not ask for it. */
async function fingerprintOf({ secret }: StaffDeps, { role }: Actor, { key }: Route, { params, query, body, ifRev }: CheckedRequest): Promise<string> {
  return createHmac('sha256', await secret()).update('intact/request/v2\n').update(canonicalize({ role, route: key, params: JSON.stringify(params), query: JSON.stringify(query), body: JSON.parse(JSON.stringify(body ?? null)) as unknown, ifRev })).digest('base64url');
}

function tell(route: Route, result: StaffResult<Shown>, { requestId }: Actor): HttpAnswer {
  if (result.outcome === 'done') {
    const { body, rev, location } = result.value;
    return jsonAnswer(body, route.status, { ...(rev !== undefined && { etag: etagOf(rev) }), ...(location !== undefined && { location }) });
  }
  return refusalProblem(result.refusal, requestId);
}
