/**
 * A request of staff, read and checked as a whole: path, query, headers and body, so that the answer to a bad one names everything that is wrong with it, up to a hundred things. What was sent is text to be kept or refused;
 * nothing in it is run, looked up or trusted before it has passed here.
 */
import type { z } from 'zod';
import { memberOf, type JsonNode } from '../../core/meta/json-slices';
import { fieldError, languageOf, type Language } from '../../core/staff/messages/catalogue';
import { fieldErrors, pointerTo, WITH_INPUT } from '../../core/staff/profile-rules';
import type { FieldError } from '../../core/staff/refusal';
import { headerOf, rawBodyOf, type HttpEvent } from '../http-event';
import type { ProblemCode } from '../problem';
import type { Route } from './route';
import { MAX_FAULTS, strictJson } from './strict-json';

/** A profile with a note of the longest kind has a third of it. */
const MAX_BODY_BYTES = 64 * 1_024;

export interface CheckedRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly bytesOf: (member: string) => Buffer;
  readonly ifRev: number;
  readonly idempotencyKey?: string;
}
export type ReadRequest =
  | { readonly outcome: 'read'; readonly request: CheckedRequest }
  | { readonly outcome: 'refused'; readonly problem: ProblemCode; readonly errors?: readonly FieldError[] };

/** What is meant by the whole of a body. */
const BODY = 'body';
const JSON_TYPES = new Set(['application/json', 'application/merge-patch+json']);
const ETAG = /^"([1-9][0-9]{0,9})"$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const KEY_EXAMPLE = '0d4c1f0e-5d39-4a6e-9a55-3f1f7c1f6a11';

export function readRequest(route: Route, event: HttpEvent): ReadRequest {
  const language = languageOf(headerOf(event, 'accept-language'));
  if (route.body !== undefined) {
    const { body = '', isBase64Encoded = false } = event;
    // Before anything is decoded or parsed: base64 has four characters for three bytes.
    if ((isBase64Encoded ? (body.length / 4) * 3 - 2 : Buffer.byteLength(body)) > MAX_BODY_BYTES) return { outcome: 'refused', problem: 'body-too-large' };
    const type = (headerOf(event, 'content-type') ?? '').split(';')[0]!.trim().toLowerCase();
    if (!JSON_TYPES.has(type) || headerOf(event, 'content-encoding') !== undefined) return { outcome: 'refused', problem: 'content-type' };
  }
  const errors: FieldError[] = [];
  const params = checked(route.params, event.pathParameters ?? {}, language, nameIn, errors);
  const query = checked(route.query, queryOf(event, language, errors), language, nameIn, errors);
  const bytes = rawBodyOf(event);
  const root = route.body === undefined ? undefined : bodyOf(bytes, language, errors);
  const body = route.body === undefined || root === undefined ? undefined : checked(route.body, root.value, language, placeIn, errors);
  const key = route.idempotent ? headerOf(event, 'idempotency-key') : undefined;
  if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) errors.push(fieldError(language, 'Idempotency-Key', 'idempotency-key', {}, KEY_EXAMPLE));
  const ifMatch = route.ifMatch ? headerOf(event, 'if-match') : undefined;
  const rev = ifMatch === undefined ? 0 : Number(ETAG.exec(ifMatch.trim())?.[1] ?? NaN);
  if (Number.isNaN(rev)) errors.push(fieldError(language, 'If-Match', 'etag', {}, '"3"'));
  const isUnconditional = route.ifMatch && ifMatch === undefined;
  if (isUnconditional && errors.length === 0) return { outcome: 'refused', problem: 'precondition-required' };
  if (isUnconditional) errors.push(fieldError(language, 'If-Match', 'required', {}, '"3"'));
  if (errors.length > 0) return { outcome: 'refused', problem: 'invalid-request', errors: toldOf(errors) };
  return { outcome: 'read', request: { params, query, body, bytesOf: (member) => slice(bytes, root && memberOf(root, member)), ifRev: rev, ...(key !== undefined && { idempotencyKey: key }) } };
}

/** As many as an answer may bear: names are the caller's own, and as long as they like. */
const MAX_TOLD_CHARACTERS = 64 * 1_024;

/** The first ones: 100 at most, and fewer where their names are so long that the answer would be many times what was asked. */
function toldOf(errors: readonly FieldError[]): readonly FieldError[] {
  let characters = 0;
  const end = errors.findIndex(({ field }) => (characters += field.length) > MAX_TOLD_CHARACTERS);
  return errors.slice(0, Math.min(MAX_FAULTS, end < 0 ? errors.length : Math.max(1, end)));
}

const nameIn = (path: readonly PropertyKey[]): string => String(path[0] ?? 'query');
const placeIn = (path: readonly PropertyKey[]): string => (path.length === 0 ? BODY : pointerTo(path));

function checked(schema: z.ZodType, input: unknown, language: Language, field: (path: readonly PropertyKey[]) => string, errors: FieldError[]): unknown {
  const parsed = schema.safeParse(input, WITH_INPUT);
  if (parsed.success) return parsed.data;
  errors.push(...fieldErrors(parsed.error.issues, language, field));
  return undefined;
}

/** Each parameter once. An empty one is one. */
function queryOf({ rawQueryString = '' }: HttpEvent, language: Language, errors: FieldError[]): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    if (found.has(name)) errors.push(fieldError(language, name, 'repeated', {}));
    found.set(name, value);
  }
  // Own members, whatever they are called; `__proto__` would vanish in a schema unseen.
  if (found.delete('__proto__')) errors.push(fieldError(language, '__proto__', 'unknown-field', {}));
  return Object.fromEntries(found);
}

function bodyOf(bytes: Buffer, language: Language, errors: FieldError[]): JsonNode | undefined {
  const json = strictJson(bytes);
  if ('root' in json) return json.root;
  errors.push(...json.faults.map(({ pointer, fault }) => fieldError(language, pointer || BODY, fault.rule, fault.parameters as never)));
  return undefined;
}

const slice = (bytes: Buffer, node: JsonNode | undefined): Buffer => (node === undefined ? Buffer.alloc(0) : bytes.subarray(node.start, node.end));
