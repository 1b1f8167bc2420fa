/**
 * Whether everything that was answered 200 became records, and everything Meta delivered is here: the comparison, the findings, and the record each run leaves. Findings name deliveries by the hash of their
 * body and messages by the hash in their key; never what was said, nor by whom.
 */
import { createHash } from 'node:crypto';
import { stringOf, type Image } from './image';
import { systemImage } from './own-records';
import type { Claims } from './reconciliation-lines';
import { runImage, type RunResult } from './run-records';
import { recordKeys } from './table-keys';

/** The closed list of what a reconciliation finds. Programs act on the codes, so none is ever renamed. */
export const RECONCILIATION_CODES = {
  'delivery-missing': 'A delivery was answered 200, and records it is said to have made are neither in the log nor in the table.',
  'delivery-waiting': 'A delivery was put aside to be recorded later, and still waits after two days.',
  'delivery-unprocessed': 'A delivery was put aside to be recorded later; it no longer waits, and nothing says that it was recorded.',
  'deliveries-unlogged': 'Most deliveries that left records have no line in the log of the function that received them: the log was not written, or was taken away.',
  'line-unreadable': 'A line of a receiving function is not one this system writes: cut off, or made by somebody else.',
  'lines-expired': 'Deliveries of a stretch of time were never compared, and the log lines of that time are gone.',
  'message-missing': 'Meta lists a message whose webhook it delivered or gave up, and nothing is recorded of it.',
  'history-truncated': "Meta's history of a number is longer than one run reads; the rest was not compared.",
} as const;
export type ReconciliationCode = keyof typeof RECONCILIATION_CODES;

export interface ReconciliationFinding {
  readonly code: ReconciliationCode;
  /** What it is about: a delivery's id, a stretch of time, a business phone number's id, the hash in a message's key with that number. With the code it names the finding. */
  readonly about: string;
  /** Records that are missing, or deliveries. */
  readonly missing?: number;
  /** What Meta says of the message's webhook. */
  readonly webhook?: string;
}

/** Names no record in the attributes by which repairs find theirs: what was never recorded cannot be put back. The same found again by a later run is the same finding. `at`: ISO 8601 UTC. Its MAC is the caller's to add. */
export function reconciliationFindingImage({ code, about, missing, webhook }: ReconciliationFinding, systemSubject: string, at: string): Image {
  const source = `delivery:${createHash('sha256').update(JSON.stringify([about])).digest('base64url')}`;
  return {
    ...systemImage(recordKeys.finding(source, code), 'finding', systemSubject, at),
    code: { S: code },
    source: { S: source },
    detail: { S: RECONCILIATION_CODES[code] },
    about: { S: about },
    ...(missing !== undefined && { missing: { N: String(missing) } }),
    // A word of Meta's, which may come up with others.
    ...(webhook !== undefined && { webhook: { S: /^[A-Z_]{1,40}$/.test(webhook) ? webhook : 'OTHER' } }),
  };
}

/** Kinds of record one event of a delivery becomes, by how its outcome is called. */
const CLAIM_OF: Readonly<Record<string, keyof Claims>> = {
  message: 'recorded',
  edit: 'recorded',
  revoke: 'recorded',
  reaction: 'recorded',
  status: 'recorded',
  field: 'recorded',
  variant: 'variant',
  conflict: 'conflict',
  quarantine: 'quarantined',
};
export const EVENT_KINDS: readonly string[] = Object.keys(CLAIM_OF);
export const claimOf = (kind: string): keyof Claims | undefined => (Object.hasOwn(CLAIM_OF, kind) ? CLAIM_OF[kind] : undefined);

/** One delivery, as lines and records tell of it. */
export interface Delivery {
  /** Of its first line in the window, milliseconds; undefined: no line says that it was answered. */
  acceptedAtMs: number | undefined;
  /** Of the first line that says it was recorded later, milliseconds. */
  processedAtMs: number | undefined;
  queued: boolean;
  readonly claimed: Tally;
  readonly found: Tally;
}
export type Tally = { -readonly [name in keyof Claims]: number };

export const newDelivery = (): Delivery => ({ acceptedAtMs: undefined, processedAtMs: undefined, queued: false, claimed: tally(), found: tally() });
const tally = (): Tally => ({ recorded: 0, variant: 0, conflict: 0, quarantined: 0 });

/** What several lines of one delivery claim is added up: each of them is about events it recorded itself. */
export function addClaims(to: Tally, claims: Claims): void {
  for (const name of Object.keys(to) as (keyof Claims)[]) to[name] += claims[name];
}

/** Records of `delivery` that are claimed and not found. More than claimed is well: an attempt that failed half way left some too. */
export function missingOf({ claimed, found }: Delivery): number {
  return (Object.keys(claimed) as (keyof Claims)[]).reduce((sum, name) => sum + Math.max(0, claimed[name] - found[name]), 0);
}

export const total = ({ recorded, variant, conflict, quarantined }: Claims): number => recorded + variant + conflict + quarantined;

/** What was put aside may take so long: it is tried again for days, and somebody is told after minutes. */
export const WAITS_AT_MOST_MS = 48 * 3_600_000;

/**
 * What becomes of a delivery that was put aside and of which no line says that it was recorded. `isWaiting`: it still lies in the inbox. `recorded`: it left, and records of it are there, so only the
 * line is missing: it is removed from the inbox after its last event was recorded and never before.
 */
export function putAside(delivery: Delivery, { isWaiting, nowMs }: { readonly isWaiting: boolean; readonly nowMs: number }): 'waiting' | 'recorded' | 'delivery-waiting' | 'delivery-unprocessed' {
  if (!isWaiting && total(delivery.found) > 0) return 'recorded';
  // A line may be late, and a resend all of whose events were there before leaves no record at all: the line decides, as long as it can come.
  if (nowMs - (delivery.acceptedAtMs ?? 0) <= WAITS_AT_MOST_MS) return 'waiting';
  return isWaiting ? 'delivery-waiting' : 'delivery-unprocessed';
}

/** Fewer without a line say nothing: a process may die before its last line is written, and what ended in an error may have left records. */
export const UNLOGGED_AT_LEAST = 20;
export const areUnlogged = (unlogged: number, logged: number): boolean => unlogged >= UNLOGGED_AT_LEAST && unlogged > logged;

/** What a run's record says beside what every run says. Times are ISO 8601 UTC. */
export interface ReconciliationResult extends RunResult {
  readonly since: string;
  /** Everything received before is judged. */
  readonly until: string;
  /** Up to here nothing was left out, by this run or one before it; the next one begins here. */
  readonly reconciledUntil: string;
  readonly unlogged: number;
  /** Messages of Meta's history that were looked up; absent: Meta was not asked. */
  readonly messages?: number | undefined;
}

/** Its MAC is the caller's to add. */
export function reconciliationImage(result: ReconciliationResult, systemSubject: string): Image {
  const { since, until, reconciledUntil, unlogged, messages } = result;
  return {
    ...runImage('reconciliation', result, systemSubject),
    since: { S: since },
    until: { S: until },
    reconciledUntil: { S: reconciledUntil },
    unlogged: { N: String(unlogged) },
    ...(messages !== undefined && { messages: { N: String(messages) } }),
  };
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Up to when the run this is the record of, and those before it, left nothing out. The caller has checked its MAC. */
export function reconciledUntilIn(image: Image): string | undefined {
  const until = stringOf(image, 'reconciledUntil');
  return until !== undefined && ISO.test(until) ? until : undefined;
}

/** Where the next run begins after one of [since, until): windows must join, or what lies between them was never looked at. `before`: where it began to count. */
export const reconciledAfter = (before: string, { since, until }: { readonly since: string; readonly until: string }): string => (since <= before && until > before ? until : before);
