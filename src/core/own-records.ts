/**
 * The records the system writes about itself: findings, heartbeats, gaps. They go the way of every record (table, stream, log), under the log's own
 * subject, and hold no content. All are create-only under a key that follows from what they report, so a retry finds its own.
 */
import type { Violation } from './change-judgement';
import type { Image, TableKey } from './image';
import type { ImmutableKind } from './kinds';
import { recordKeys } from './table-keys';

/** What a sealer found about one change. `at`: when the stream saw the change, so that a retry makes the same record. */
export interface SealFinding {
  readonly src: string;
  readonly code: Violation;
  readonly op: string;
  readonly key: TableKey;
  readonly at: string;
}

export function findingImage({ src, code, op, key, at }: SealFinding, systemSubject: string): Image {
  return {
    ...systemImage(recordKeys.finding(src, code), 'finding', systemSubject, at),
    code: { S: code },
    source: { S: src },
    change: { S: op },
    // A key written by hand may hold anything, personal data too, and this record outlives an erasure: only keys of our own shape are repeated.
    ...(isOurKey(key) && { recordPk: { S: key.pk }, recordSk: { S: key.sk } }),
  };
}

/** `minute`: ISO 8601 to the minute (`2026-02-03T04:15Z`). */
export function heartbeatImage(minute: string, systemSubject: string, at: string): Image {
  return systemImage(recordKeys.heartbeat(minute), 'heartbeat', systemSubject, at);
}

/** A stretch of changes the stream lost. `oldest`, `newest`: the times the lost states bear themselves. */
export function gapImage(id: string, gap: { readonly states: number; readonly oldest: string; readonly newest: string }, systemSubject: string, at: string): Image {
  return {
    ...systemImage(recordKeys.gap(id), 'gap', systemSubject, at),
    states: { N: String(gap.states) },
    oldest: { S: gap.oldest },
    newest: { S: gap.newest },
  };
}

/** What every record of the system itself has; `at`: ISO 8601 UTC. Its MAC is the caller's to add. */
export function systemImage({ pk, sk }: TableKey, kind: ImmutableKind, systemSubject: string, at: string): Image {
  return { pk: { S: pk }, sk: { S: sk }, kind: { S: kind }, rev: { N: '1' }, subject: { S: systemSubject }, receivedAt: { S: at } };
}

export const isOurKey = ({ pk, sk }: TableKey): boolean => /^([mfqac]#[A-Za-z0-9_-]{26,43}|w#\d{1,20}|finding#[!-~]{1,128}|heartbeat#[\d-]{10}|repair#[A-Za-z0-9_-]{43}|access#[\d-]{10}|erasure#[0-9A-Z]{26}|hold#[0-9A-Z]{26}|erasure-request|gap|verification|audit|drill|restore|snapshot|reconciliation)$/.test(pk) && /^[A-Za-z0-9#:_.-]{1,200}$/.test(sk);
