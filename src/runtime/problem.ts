/**
 * What a caller over HTTP is told when it does not get what it asked for: RFC 9457 problem details, one status per problem, and nothing about the inside.
 * For a webhook the status decides what Meta does next: on anything but 200 it sends the delivery again, for days.
 */
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
};

export function problem(code: ProblemCode, requestId?: string): HttpAnswer {
  const { status, title } = PROBLEMS[code];
  return {
    statusCode: status,
    headers: { ...BASE_HEADERS, ...EXTRA_HEADERS[status], ...EXTRA_HEADERS[code], 'content-type': 'application/problem+json' },
    body: JSON.stringify({ type: `urn:intact:problem:${code}`, title, status, ...(requestId && { instance: `urn:uuid:${requestId}` }) }),
  };
}

export const jsonAnswer = (body: unknown): HttpAnswer => ({
  statusCode: 200,
  headers: { ...BASE_HEADERS, 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

export const textAnswer = (body: string): HttpAnswer => ({ statusCode: 200, headers: { ...BASE_HEADERS, 'content-type': 'text/plain; charset=utf-8' }, body });

/** Which problem a thrown error is. Everything is a 5xx here: what is the caller's fault is a value, not an error. */
export function problemOf(error: unknown): ProblemCode {
  if (error instanceof PortError) return error.code === 'unavailable' ? 'store-unavailable' : 'store-refused';
  return error instanceof Error && error.name === 'TimeoutError' ? 'store-unavailable' : 'internal';
}
