/**
 * The closed list of record kinds and what each may undergo. The sealer judges every change against this list, whoever made it;
 * docs/data-model.md explains each kind. A kind outside it is sealed as `unknown` with a finding.
 */

/** Create-only kinds: written once, never modified; removed only by an erasure, which leaves a tombstone under the same key. */
export const IMMUTABLE_KINDS = [
  'message', // inbound message or business echo of any type but the three below
  'edit', // the user changed an earlier message
  'revoke', // the user withdrew an earlier message; what was said stays
  'reaction', // emoji set or removed on an earlier message
  'status', // one status of one outbound message for one participant
  'field', // an item of any other webhook field: account, template, group, preference, call, ...
  'account', // a WhatsApp Business Account and the random subject its own records are sealed under
  'variant', // same digest as a recorded event, richer body
  'conflict', // another digest under a used identity, kept as evidence
  'quarantine', // signed input that does not fit the specification
  'link', // an alias was given to a customer or taken away: who, why, before, after
  'finding', // one discrepancy that sealing or verification found
  'verification', // the result of one scheduled verification
  'audit', // the result of one comparison of the table with the log
  'drill', // the result of one restore into scratch
  'snapshot', // one full backup: which manifest, and its hash
  'reconciliation', // the result of one comparison of deliveries, and of Meta's own history, with the records
  'restore', // an operator restores into the live table: why records come back; or all of them into another one, in parts
  'repair', // what one repair is about to do; the sealer accepts exactly that
  'heartbeat', // keeps the log fresh when nothing happens
  'version', // one state of a customer's profile as staff left it: who, when, why, before and after
  'note', // what a member of staff noted about a customer
  'access', // staff saw, searched, changed or exported something, or were refused
  'outbound', // what a sending system says it sent
  'tombstone', // stands in the place of an erased record: recognises a late resend of it, and says nothing
  'erasure', // two officers had a customer erased: permits the sealer the removals
  'certificate', // one erasure is done, and when the last copy of the key will be gone
  'reason', // why an officer placed a hold or asked for an erasure; content of the customer, and goes with them
  'gap', // a stretch the stream lost and `seal-missing` made up for
] as const;

/** Kinds whose current state carries `rev` and changes by condition on it, `rev` + 1 each time. */
export const VERSIONED_KINDS = [
  'customer', // the person on the other side: current profile
  'alias', // BSUID, wa_id, phone or username → customer
  'hold', // whether a customer is under a legal hold; every step of an erasure asks it
  'erasure-request', // how far the erasure of a customer is
  'quarantine-state', // open | replayed, of one quarantine record
] as const;

export type ImmutableKind = (typeof IMMUTABLE_KINDS)[number];
export type VersionedKind = (typeof VERSIONED_KINDS)[number];
export type Kind = ImmutableKind | VersionedKind;

const immutable: ReadonlySet<string> = new Set(IMMUTABLE_KINDS);
const versioned: ReadonlySet<string> = new Set(VERSIONED_KINDS);

export const isImmutableKind = (kind: string): kind is ImmutableKind => immutable.has(kind);
export const isKind = (kind: string): kind is Kind => immutable.has(kind) || versioned.has(kind);
