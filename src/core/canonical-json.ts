/**
 * Canonical JSON as RFC 8785 (JCS) defines it: one value, one text, so that what is hashed or signed here can be re-computed by anyone.
 * Input is judged, never repaired: what I-JSON (RFC 7493) cannot hold is refused with a code instead of being written some way.
 */

/** `depth`: nested deeper than `MAX_DEPTH`. `type`: undefined, a function, a bigint, a class instance, a sparse array. */
export type CanonicalJsonErrorCode = 'lone-surrogate' | 'not-finite' | 'type' | 'depth';

export class CanonicalJsonError extends Error {
  constructor(
    readonly code: CanonicalJsonErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'CanonicalJsonError';
  }
}

/** Far above anything sent in good faith, far below what would exhaust the stack (about 8,000 levels on Node's default). */
export const MAX_DEPTH = 1000;

const NEEDS_ESCAPE_OR_LOOK = /[\u0000-\u001f"\\\ud800-\udfff]/;
/** With the `u` flag a surrogate matches only where it is not half of a pair. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/**
 * The RFC 8785 text of `value`: null, booleans, finite numbers, well-formed strings, arrays and plain objects of these.
 * Throws `CanonicalJsonError` on anything else, undefined members included.
 */
export function canonicalize(value: unknown): string {
  return write(value, 0);
}

/** A JSON string literal as RFC 8785 writes it. Throws `lone-surrogate`. */
export function canonicalString(text: string): string {
  if (!NEEDS_ESCAPE_OR_LOOK.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) throw new CanonicalJsonError('lone-surrogate', 'a string holds half of a surrogate pair, which UTF-8 cannot express');
  return JSON.stringify(text);
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value);
    case 'number':
      // ECMAScript's own number-to-string is what RFC 8785 prescribes; -0 becomes 0.
      if (!Number.isFinite(value)) throw new CanonicalJsonError('not-finite', 'JSON has no NaN and no infinity');
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth >= MAX_DEPTH) throw new CanonicalJsonError('depth', `nested deeper than ${MAX_DEPTH} levels`);
      return Array.isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1);
    default:
      throw new CanonicalJsonError('type', `JSON has no ${typeof value}`);
  }
}

function writeArray(value: readonly unknown[], depth: number): string {
  let text = '[';
  for (let i = 0; i < value.length; i++) text += (i === 0 ? '' : ',') + write(value[i], depth);
  return `${text}]`;
}

function writeObject(value: object, depth: number): string {
  if (!isPlain(value)) throw new CanonicalJsonError('type', `JSON has no ${value.constructor?.name ?? 'class instance'}`);
  const members = value as Readonly<Record<string, unknown>>;
  // The default sort compares UTF-16 code units, as RFC 8785 §3.2.3 asks; localeCompare would not.
  const names = Object.keys(members).sort();
  let text = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    text += `${i === 0 ? '' : ','}${canonicalString(name)}:${write(members[name], depth)}`;
  }
  return `${text}}`;
}

/** Objects of another realm are plain too, so the test is that the prototype is at the root, not that it is ours. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty'));
}
