/**
 * The closed lists of what can be wrong with what staff send, of what a request can come to and of why something cannot be done, and what has to be known to say it. A catalogue holds a sentence for each in one
 * language; one that lacks any, or takes other parameters, does not compile. Nothing here or in a catalogue repeats what was sent: positions and code points only.
 */

import type { ErasureState } from '../../erasure';

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

/** What a request of staff may come to that is no success: `urn:intact:problem:<name>`. src/runtime/problem.ts says which status each is. */
export type StaffProblem =
  | 'token-missing' | 'token-unfit' | 'no-role' | 'several-roles' | 'invalid-request' | 'not-found' | 'forbidden' | 'changed-since' | 'precondition-required' | 'conflict' | 'key-in-flight' | 'key-reused'
  | 'body-too-large' | 'content-type' | 'too-many-requests' | 'no-such-resource' | 'store-unavailable' | 'store-refused' | 'internal';

/** Why something cannot be done as things stand. `customer`: absent where the operator may not be told which one. */
export interface ConflictParameters {
  // ids
  'customer-exists': Nothing;
  'note-exists': Nothing;
  // messages
  'several-numbers': { readonly phoneNumberIds: readonly string[] };
  'not-in-checkpoint': Nothing;
  'other-content': Nothing;
  // many changes at once
  'too-much-done': { readonly max: number };
  'no-plan': Nothing;
  // who is who
  'taken-from-themselves': Nothing;
  'nobody-has-name': Nothing;
  'another-has-name': { readonly customer: string | undefined };
  'not-their-name': Nothing;
  'identity-while-erasing': Nothing;
  'merged-away': { readonly customer: string; readonly into: string | undefined };
  'merged-since': { readonly customer: string; readonly into: string | undefined };
  'merged-with-themselves': Nothing;
  'too-many-merged': { readonly max: number; readonly count: number };
  'too-many-links': { readonly customer: string; readonly max: number };
  'too-many-names': { readonly customer: string; readonly count: number; readonly max: number; readonly into: string };
  'not-merged': { readonly customer: string; readonly into: string };
  // holds and erasures
  'already-held': { readonly since: string };
  'not-held': Nothing;
  'held': Nothing;
  'erasure-asked': { readonly at: string };
  'erasure-under-way': { readonly at: string };
  'erasure-of-merged': Nothing;
  'erasure-too-big': { readonly customers: number; readonly inputs: number };
  'input-gone': Nothing;
  'same-officer': Nothing;
  'erasure-past-asking': { readonly state: ErasureState };
  'erasure-past-withdrawing': { readonly state: ErasureState };
}
export type Conflict = keyof ConflictParameters;

/** One language. */
export interface Catalogue {
  /** Of each error of a field, what is wrong. */
  readonly rules: { readonly [R in Rule]: (parameters: RuleParameters[R]) => string };
  readonly titles: Readonly<Record<StaffProblem, string>>;
  /** Why, and what to do. */
  readonly conflicts: { readonly [C in Conflict]: (parameters: ConflictParameters[C]) => string };
}
