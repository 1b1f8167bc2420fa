/**
 * What a caller over HTTP is told when it does not get what it asked for: RFC 9457 problem details, one status per problem, and nothing about the inside.
 * For a webhook the status decides what Meta does next: on anything but 200 it sends the delivery again, for days.
 */
import { DEFAULT_LANGUAGE, detailOf, languageOf, retold, titleOf, type Language } from '../core/staff/messages/catalogue';
import type { StaffProblem } from '../core/staff/messages/rules';
import type { FieldError, Refusal } from '../core/staff/refusal';
import { PortError } from '../ports';

/** What only a webhook comes to: read by Meta's machines, so it is told in one language. */
const OF_WEBHOOK = {
  'signature-missing': { status: 401, title: 'The delivery is not signed' },
  'signature-malformed': { status: 401, title: 'X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits' },
  'signature-mismatch': { status: 401, title: 'The signature does not fit the delivery' },
  'secret-missing': { status: 401, title: 'No app secret is set, so no delivery is accepted' },
  'handshake-refused': { status: 403, title: 'The verify token is not the one that is set, or none is set' },
  'method-not-allowed': { status: 405, title: 'The webhook takes GET and POST' },
} as const satisfies Record<string, { status: number; title: string }>;
/** The status of each of the others; the catalogues of languages have their titles. */
const STATUS: Readonly<Record<StaffProblem, number>> = {
  'token-missing': 401,
  'token-unfit': 401,
  'no-role': 403,
  'several-roles': 403,
  'invalid-request': 400,
  'not-found': 404,
  'forbidden': 403,
  'changed-since': 412,
  'precondition-required': 428,
  'conflict': 409,
  'key-in-flight': 409,
  'key-reused': 422,
  'body-too-large': 413,
  'content-type': 415,
  'too-many-requests': 429,
  'no-such-resource': 404,
  'store-unavailable': 503,
  'store-refused': 500,
  'internal': 500,
};
/** The closed list. `type` in an answer is `urn:intact:problem:<code>`. */
export type ProblemCode = keyof typeof OF_WEBHOOK | StaffProblem;

const isOfWebhook = (code: ProblemCode): code is keyof typeof OF_WEBHOOK => Object.hasOwn(OF_WEBHOOK, code);

const IN_LANGUAGE = Symbol('in a language');

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of a problem its body in a language. No member of the JSON that Lambda makes of an answer. */
  readonly [IN_LANGUAGE]?: (language: Language) => string;
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

/** In English, until it is told in another language. */
export function problem(code: ProblemCode, requestId?: string, details: ProblemDetails | ((language: Language) => ProblemDetails) = {}, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  const status = isOfWebhook(code) ? OF_WEBHOOK[code].status : STATUS[code];
  const inLanguage = (language: Language): string => {
    const title = isOfWebhook(code) ? OF_WEBHOOK[code].title : titleOf(language, code);
    return JSON.stringify({ type: `urn:intact:problem:${code}`, title, status, ...(typeof details === 'function' ? details(language) : details), ...(requestId && { instance: `urn:uuid:${requestId}` }) });
  };
  return {
    statusCode: status,
    headers: { ...BASE_HEADERS, ...EXTRA_HEADERS[status], ...EXTRA_HEADERS[code], ...headers, 'content-type': 'application/problem+json' },
    body: inLanguage(DEFAULT_LANGUAGE),
    [IN_LANGUAGE]: inLanguage,
  };
}

/** What is wrong, in the language that an Accept-Language header wants; every other answer as it is. */
export function toldIn(acceptLanguage: string | undefined, answer: HttpAnswer): HttpAnswer {
  const { [IN_LANGUAGE]: inLanguage, ...told } = answer;
  if (inLanguage === undefined) return told;
  const language = languageOf(acceptLanguage);
  return { ...told, headers: { ...told.headers, 'content-language': language, vary: 'accept-language' }, body: inLanguage(language) };
}

/** Of every answer that shows a state or refuses to change one: the revision it is about. */
export const etagOf = (rev: number): string => `"${rev}"`;

/** What an operation of staff refused. */
export function refusalProblem(refusal: Refusal, requestId: string): HttpAnswer {
  switch (refusal.code) {
    case 'invalid':
      return problem('invalid-request', requestId, (language) => ({ errors: refusal.errors.map((error) => retold(language, error)) }));
    case 'stale':
      return problem('changed-since', requestId, { rev: refusal.rev, changes: refusal.changes }, { etag: etagOf(refusal.rev) });
    case 'conflict':
      return problem('conflict', requestId, (language) => ({ detail: detailOf(language, refusal) }));
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
