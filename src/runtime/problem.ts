/**
 * What a caller over HTTP is told when it does not get what it asked for: RFC 9457 problem details, one status per problem, and nothing about the inside.
 * For a webhook the status decides what Meta does next: on anything but 200 it sends the delivery again, for days.
 */
import type { FieldError, Refusal } from '../core/staff/refusal';
import { PortError } from '../ports';

/** The closed list. `type` in an answer is `urn:intact:problem:<code>`. */
const PROBLEMS = {
  'signature-missing': { status: 401, title: 'The delivery is not signed' },
  'signature-malformed': { status: 401, title: 'X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits' },
  'signature-mismatch': { status: 401, title: 'The signature does not fit the delivery' },
  'secret-missing': { status: 401, title: 'No app secret is set, so no delivery is accepted' },
  'handshake-refused': { status: 403, title: 'The verify token is not the one that is set, or none is set' },
  'token-missing': { status: 401, title: 'The request bears no token of a signed-in operator' },
  'token-unfit': { status: 401, title: 'The token is not the access token of a sign-in' },
  'no-role': { status: 403, title: 'You are signed in, but have no role; an administrator gives you one' },
  'several-roles': { status: 403, title: 'You have several roles, so nobody could say in which of them you act; an administrator leaves you one' },
  'invalid-request': { status: 400, title: 'The request is not as it has to be; errors names everything that is wrong with it' },
  'not-found': { status: 404, title: 'There is none, or none that you may know of' },
  'forbidden': { status: 403, title: 'Your role has no such right' },
  'changed-since': { status: 412, title: 'It has changed since you read it; rev and changes say how' },
  'precondition-required': { status: 428, title: 'Send If-Match with the ETag of what you read, so that nobody overwrites what they have not seen' },
  'conflict': { status: 409, title: 'As things stand it cannot be done' },
  'key-in-flight': { status: 409, title: 'A request under this Idempotency-Key is being worked on; send it again a little later' },
  'key-reused': { status: 422, title: 'This Idempotency-Key was used for another request; take a new one' },
  'body-too-large': { status: 413, title: 'The body has more than 64 KB' },
  'content-type': { status: 415, title: 'The body has to be application/json, not compressed' },
  'too-many-requests': { status: 429, title: 'You asked too much at once; Retry-After says when to go on' },
  'no-such-resource': { status: 404, title: 'There is nothing under this path' },
  'method-not-allowed': { status: 405, title: 'The webhook takes GET and POST' },
  'store-unavailable': { status: 503, title: 'A store did not answer; send the request again' },
  'store-refused': { status: 500, title: 'A store refused or holds something unexpected; the operators are told' },
  'internal': { status: 500, title: 'Something went wrong on our side; the operators are told' },
} as const satisfies Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Every answer: never cached, never taken for HTML. */
const BASE_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;
const EXTRA_HEADERS: Readonly<Partial<Record<number | ProblemCode, Readonly<Record<string, string>>>>> = {
  401: { 'www-authenticate': 'X-Hub-Signature-256' },
  'token-missing': { 'www-authenticate': 'Bearer' },
  'token-unfit': { 'www-authenticate': 'Bearer error="invalid_token"' },
  405: { allow: 'GET, POST' },
  503: { 'retry-after': '5' },
  'key-in-flight': { 'retry-after': '1' },
};

/** What else a caller is told; members of the problem itself (RFC 9457, 3.2). */
export interface ProblemDetails {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly rev?: number;
  readonly changes?: readonly object[];
}

export function problem(code: ProblemCode, requestId?: string, details: ProblemDetails = {}, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  const { status, title } = PROBLEMS[code];
  return {
    statusCode: status,
    headers: { ...BASE_HEADERS, ...EXTRA_HEADERS[status], ...EXTRA_HEADERS[code], ...headers, 'content-type': 'application/problem+json' },
    body: JSON.stringify({ type: `urn:intact:problem:${code}`, title, status, ...details, ...(requestId && { instance: `urn:uuid:${requestId}` }) }),
  };
}

/** Of every answer that shows a state or refuses to change one: the revision it is about. */
export const etagOf = (rev: number): string => `"${rev}"`;

/** What an operation of staff refused. */
export function refusalProblem(refusal: Refusal, requestId: string): HttpAnswer {
  switch (refusal.code) {
    case 'invalid':
      return problem('invalid-request', requestId, { errors: refusal.errors });
    case 'stale':
      return problem('changed-since', requestId, { rev: refusal.rev, changes: refusal.changes }, { etag: etagOf(refusal.rev) });
    case 'conflict':
      return problem('conflict', requestId, { detail: refusal.detail });
    default:
      return problem(refusal.code, requestId);
  }
}

export const jsonAnswer = (body: unknown, statusCode = 200, headers: Readonly<Record<string, string>> = {}): HttpAnswer => ({
  statusCode,
  headers: { ...BASE_HEADERS, ...headers, 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

export const textAnswer = (body: string): HttpAnswer => ({ statusCode: 200, headers: { ...BASE_HEADERS, 'content-type': 'text/plain; charset=utf-8' }, body });

/** Which problem a thrown error is. Everything is a 5xx here: what is the caller's fault is a value, not an error. */
export function problemOf(error: unknown): ProblemCode {
  if (error instanceof PortError) return error.code === 'unavailable' ? 'store-unavailable' : 'store-refused';
  return error instanceof Error && error.name === 'TimeoutError' ? 'store-unavailable' : 'internal';
}
