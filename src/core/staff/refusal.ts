/** Why an operation of staff gave nothing. Values, so that no caller can forget one; src/runtime/problem.ts says which status each is. */

/** One thing that is wrong with what was sent. `field`: as a JSON Pointer (`/tags/3`), or the name of a header or parameter. */
export interface FieldError {
  readonly field: string;
  /** From a closed list (profile-rules and the schemas of requests). */
  readonly rule: string;
  /** What was wrong, in the caller's language. Never repeats the value. */
  readonly detail: string;
  /** What would be right. */
  readonly example?: string;
}

/** One field of a profile, before and after; absent: it had none. */
export interface FieldChange {
  readonly field: string;
  readonly before?: FieldValue;
  readonly after?: FieldValue;
}
export type FieldValue = string | number | readonly string[];

export type Refusal =
  /** There is none, or the caller may not know that there is. The two are one. */
  | { readonly code: 'not-found' }
  /** The role has no such right, whatever it is asked for. */
  | { readonly code: 'forbidden' }
  | { readonly code: 'invalid'; readonly errors: readonly FieldError[] }
  /** Changed since the caller read it: `rev` is the state now, `changes` lead there from what the caller had. */
  | { readonly code: 'stale'; readonly rev: number; readonly changes: readonly FieldChange[] }
  /** As things stand it cannot be done; `detail` says why and what to do. */
  | { readonly code: 'conflict'; readonly detail: string };

export type StaffResult<T> = { readonly outcome: 'done'; readonly value: T } | { readonly outcome: 'refused'; readonly refusal: Refusal };

export const done = <T>(value: T): StaffResult<T> => ({ outcome: 'done', value });
export const refused = (refusal: Refusal): StaffResult<never> => ({ outcome: 'refused', refusal });
