/**
 * Why signed input was not recorded as what it claims to be. Quarantine keeps the bytes and raises a metric; it never loses anything, and
 * after a schema fix the same bytes are replayed. A reason names the place and what was expected there, never what was found: found is content.
 */

export const QUARANTINE_CODES = [
  'not-json', // the body is not JSON; `detail` is the parser's code
  'wrong-envelope', // JSON, but not {object: "whatsapp_business_account", entry: [...]}
  'no-events', // the envelope is right and empty
  'wrong-entry', // an entry without id or changes
  'wrong-change', // a change without field or value
  'duplicate-key', // the value that a later member of the same name replaced
  'ambiguous-identity', // a member of the identity is written twice, with different outcomes for different readers
  'wrong-shape', // a known type, status or field, but not in its known form
  'no-id', // a message or status without id
  'invalid-id', // an id that cannot be part of a key: not a string, over 256, or not Unicode
  'no-phone-number-id', // a message or status that names no business number
  'no-timestamp', // a message or status without timestamp
  'no-status', // a status that does not say which
] as const;
export type QuarantineCode = (typeof QUARANTINE_CODES)[number];

export interface QuarantineReason {
  readonly code: QuarantineCode;
  /** Where, from the body down: `entry[0].changes[1].value.messages[2].text.body`; empty for the body itself. */
  readonly path: string;
  /** For a person: what is wrong and what was expected. No content of the message. */
  readonly message: string;
  /** JSON of the smallest thing that would have been accepted at the path of the event. */
  readonly expected?: string;
  /** The parser's code, where the body is not JSON. */
  readonly detail?: string;
  /** Byte offset in the body, where the parser knows it. */
  readonly offset?: number;
}

/** What a schema says about a value that does not fit: a dotted path below the value, and a sentence. */
export interface ShapeProblem {
  readonly path: string;
  readonly message: string;
}

/** The first issue of a failed parse. Says which type was expected, never what was found. */
export function firstProblem(issues: readonly { readonly path: readonly PropertyKey[]; readonly code?: string | undefined; readonly expected?: unknown }[]): ShapeProblem {
  const issue = issues[0];
  const path = (issue?.path ?? []).map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return { path, message: `expected ${issue?.code === 'invalid_type' ? String(issue.expected) : 'another type'}${path === '' ? '' : ` at ${path.slice(1)}`}` };
}
