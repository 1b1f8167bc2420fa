/**
 * The closed list of what can be wrong with what staff send, and what has to be known to say it. A catalogue holds a sentence for every rule in one language; one that lacks a rule, or takes other
 * parameters, does not compile. Nothing here or in a catalogue repeats what was sent: positions and code points only.
 */

/** Where a character stands: its index in code points, from 0, in the text as sent; and its name, `U+202E`. */
export interface At {
  readonly at: number;
  readonly codePoint: string;
}

export type ValueType = 'text' | 'number' | 'list' | 'object' | 'text-or-number';

export interface RuleParameters {
  // any member
  'required': Nothing;
  'unknown-field': Nothing;
  'wrong-type': { readonly expected: ValueType };
  'nothing-to-change': Nothing;
  // any text
  'blank': Nothing;
  'too-long': { readonly max: number; readonly length: number };
  'outer-space': Nothing;
  'control-character': At;
  'bidi-override': At;
  'lone-surrogate': At;
  'invisible-character': At;
  // a name
  'character-not-allowed': At & { readonly punctuation: string };
  'mark-without-letter': At;
  'too-many-marks': At & { readonly max: number };
  'no-letter': Nothing;
  // a phone number
  'phone-plus': Nothing;
  'phone-character': At;
  'phone-zero': Nothing;
  'phone-length': { readonly digits: number };
  // an e-mail address
  'email-at': { readonly count: number };
  'email-character': At;
  'email-local': Nothing;
  'email-domain': Nothing;
  // lists
  'too-many': { readonly max: number; readonly count: number };
  'duplicate': { readonly first: number };
  // custom fields
  'not-a-number': Nothing;
  'too-small': { readonly min: number };
  'too-big': { readonly max: number };
  'too-precise': Nothing;
  'not-a-date': Nothing;
  'too-early': { readonly min: string };
  'too-late': { readonly max: string };
  'not-a-choice': { readonly choices: string };
  // requests
  'not-json': { readonly offset: number };
  'duplicate-member': Nothing;
  'too-deep': { readonly max: number };
  'inexact-number': Nothing;
  'not-utf8': Nothing;
  'repeated': Nothing;
  'id': Nothing;
  'cursor': Nothing;
  'whole-number': { readonly min: number; readonly max: number };
  'time': Nothing;
  'time-order': Nothing;
  'one-of': { readonly choices: string };
  'exactly-one': { readonly names: string };
  'address': Nothing;
  'etag': Nothing;
  'idempotency-key': Nothing;
  'search-too-short': Nothing;
  'message-id': Nothing;
  'alias': Nothing;
}
type Nothing = Readonly<Record<never, never>>;

export type Rule = keyof RuleParameters;
export type Catalogue = { readonly [R in Rule]: (parameters: RuleParameters[R]) => string };
