/**
 * The OpenAPI document of the API of staff, made of the route table and the schemas that requests are checked by, so that it cannot say anything else than what is served. Which fields a company keeps of
 * its own is a stage's setting; the document describes their types only.
 */
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import type { z } from 'zod';
import { OUTBOUND_SCOPE } from '../src/core/staff/actor';
import { PLAIN_PROFILES } from '../src/core/staff/profile-settings';
import { meAnswer, problemShape, SAMPLES } from '../src/runtime/staff/schemas';
import { staffRoutes } from '../src/runtime/staff/routes';
import type { Route } from '../src/runtime/staff/route';

const SIGNED_IN = 'signedIn';
const SENDING = 'sendingSystem';
const OUTBOUND = `${OUTBOUND_SCOPE.server}/${OUTBOUND_SCOPE.name}`;
const header = (description: string, example: string | number) => ({ description, required: true, schema: { type: typeof example === 'number' ? ('integer' as const) : ('string' as const) }, example });

const LANGUAGE = header('The language it is told in.', 'en');
const problem = (description: string, headers: Record<string, object> = {}) => ({ description, content: { 'application/problem+json': { schema: problemShape } }, headers: { 'Content-Language': LANGUAGE, ...headers } as never });

const ETAG = header('The revision, for If-Match.', '"3"');
const LIMITS = {
  RateLimit: header('How many requests are left, and in how many seconds all are there again.', '"operator";r=49;t=1'),
  'RateLimit-Policy': header('How many requests at once, and in how many seconds they come back.', '"operator";q=50;w=5'),
};
const RETRY_AFTER = { 'Retry-After': { ...header('Seconds to wait.', 1), required: false } };

/** What API Gateway answers before a function of ours is asked: it has its own short JSON, which HTTP APIs do not let one change. */
const early = (description: string, headers?: Record<string, object>) => {
  // Its own has none of our headers.
  const ours = problem(description, { 'Content-Language': { ...LANGUAGE, required: false }, ...headers });
  return { ...ours, content: { ...ours.content, 'application/json': { schema: { $ref: '#/components/schemas/GatewayMessage' } } } };
};

/** What every route of staff may answer, whatever it does. */
const COMMON: Readonly<Record<string, ReturnType<typeof problem>>> = {
  400: problem('Something is wrong with the request; `errors` names all of it.'),
  401: early('No token, or one that is not the access token of a sign-in.', { 'WWW-Authenticate': { ...header('That a token is wanted, or what is wrong with the one there is.', 'Bearer'), required: false } }),
  403: early('Your role has no such right.'),
  429: early('You asked too much at once.', RETRY_AFTER),
  500: early('Our fault; the operators are told.'),
  503: early('A store did not answer; send the request again.', RETRY_AFTER),
};

export function openApiDocument(): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', SIGNED_IN, { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token of a sign-in with a second factor.' });
  registry.registerComponent('securitySchemes', SENDING, { type: 'oauth2', description: 'A system signs in for itself; the address is TokenUrl among the outputs of the stage.', flows: { clientCredentials: { tokenUrl: 'https://auth.example.com/oauth2/token', scopes: { [OUTBOUND]: 'Records what it sent.' } } } });
  registry.registerComponent('schemas', 'GatewayMessage', { type: 'object', required: ['message'], properties: { message: { type: ['string', 'null'] } }, additionalProperties: false, description: 'The short form in which API Gateway itself refuses.' });
  for (const route of staffRoutes(PLAIN_PROFILES)) registry.registerPath(pathOf(route));
  registry.registerPath({
    method: 'get', path: '/v1/me', operationId: 'readSelf', tags: ['Self'], summary: 'See who you are to us', security: [{ [SIGNED_IN]: [] }],
    responses: { 200: json('Who the token was given to.', meAnswer, { operatorId: SAMPLES.OPERATOR, name: 'support', role: 'support', signedInAt: SAMPLES.TIME, expiresAt: SAMPLES.TIME }), ...only(COMMON, '401', '403', '429', '500', '503') },
  });
  registry.registerPath({
    method: 'get', path: '/health', operationId: 'readHealth', tags: ['Self'], summary: 'See that somebody answers', security: [],
    responses: { 200: { description: 'A function of ours answers.', content: { 'application/json': { schema: { type: 'object', required: ['status'], properties: { status: { type: 'string', const: 'up' } }, additionalProperties: false } } } }, ...only(COMMON, '429', '500', '503') },
  });
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Intact: the API of staff', version: '1.0.0', description: 'Customers, their profiles and versions, and who saw them. How to call it: docs/api.md. Times are UTC, bodies JSON in UTF-8 of at most 64 KB. Unknown members and parameters are refused.', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: 'https://{host}', description: 'ApiUrl among the outputs of the stage.', variables: { host: { default: 'api.example.com' } } }],
    tags: [
      { name: 'Customers', description: 'People on the other side, and what staff keep of them.' },
      { name: 'Versions', description: 'Every state a profile was in, and the way back.' },
      { name: 'Messages', description: 'What was said, and the proof of it.' },
      { name: 'Holds and erasures', description: 'Legal holds, and the erasure of a person by two officers.' },
      { name: 'Access', description: 'Who saw and did what.' },
      { name: 'Self', description: 'The caller, and the API itself.' },
    ],
  });
}

function pathOf(route: Route): RouteConfig {
  const [method = '', path = ''] = route.key.split(' ');
  return {
    method: method.toLowerCase() as RouteConfig['method'],
    path,
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, `Asks for the right \`${route.action}\` (docs/roles.md).`].filter(Boolean).join(' '),
    security: [{ [SIGNED_IN]: [] }, ...(route.level === 'outbound' ? [{ [SENDING]: [OUTBOUND] }] : [])],
    parameters: headersOf(route),
    request: {
      ...(Object.keys(route.params.shape).length > 0 && { params: route.params }),
      ...(Object.keys(route.query.shape).length > 0 && { query: route.query }),
      ...(route.body !== undefined && { body: { required: true, content: { 'application/json': { schema: route.body } } } }),
    },
    responses: responsesOf(route),
  };
}

function headersOf({ ifMatch, idempotent }: Route): NonNullable<RouteConfig['parameters']> {
  const text = { in: 'header' as const, schema: { type: 'string' as const } };
  return [
    ...(ifMatch ? [{ ...text, name: 'If-Match', required: true, description: 'The ETag of the state you read.', schema: { type: 'string' as const, pattern: '^"[1-9][0-9]{0,9}"$' }, example: '"3"' }] : []),
    ...(idempotent ? [{ ...text, name: 'Idempotency-Key', required: false, description: 'Your own name of this one request. Sent again within a day it gets the same answer, and nothing is done twice.', schema: { type: 'string' as const, minLength: 1, maxLength: 255, pattern: '^[!-~]+$' }, example: SAMPLES.OPERATOR }] : []),
    { ...text, name: 'Accept-Language', required: false, description: 'The language in which problems are told: en, which is also that of who names none, or zh.', example: 'zh' },
  ];
}

function responsesOf(route: Route): RouteConfig['responses'] {
  const { key, status, answer, example, bears, body, ifMatch, idempotent, mayConflict } = route;
  const headers = {
    ...LIMITS,
    ...(bears.includes('ETag') && { ETag: ETAG }),
    ...(bears.includes('Location') && { Location: header('Where it can be read.', `/v1/customers/${SAMPLES.CUSTOMER}`) }),
    ...(idempotent && { 'Idempotency-Replayed': { ...header('`true` where this was answered before.', 'true'), required: false } }),
  };
  return {
    [status]: { ...json(status === 201 ? 'Made.' : 'Done.', answer, example), headers: headers as never },
    ...COMMON,
    ...(key.includes('{id}') && { 404: problem('There is none, or none that you may know of.') }),
    ...(mayConflict && { 409: problem('As things stand it cannot be done; `detail` says why.') }),
    ...(body !== undefined && { 409: problem('As things stand it cannot be done, or a request under the same Idempotency-Key is being worked on.'), 413: early('The body has more than 64 KB.'), 415: problem('The body is not application/json.') }),
    ...(ifMatch && { 412: problem('Changed since you read it; `rev` and `changes` say how.', { ETag: ETAG }), 428: problem('If-Match is missing.') }),
    ...(idempotent && { 422: problem('The Idempotency-Key was used for another request.') }),
  };
}

const json = (description: string, schema: z.ZodType, example: unknown) => ({ description, content: { 'application/json': { schema, example } } });
const only = <T>(of: Record<string, T>, ...keys: string[]): Record<string, T> => Object.fromEntries(keys.map((key) => [key, of[key]!]));
