/**
 * What the table can be found to be against the log, record by record, and the record each finding leaves. The judgement is the same for the audit (log against live table) and
 * the drill (restored table against live table): a state only this system can have written, and that is newer than the log's, is no difference.
 */
import { createHash } from 'node:crypto';
import { integerOf, stringOf, type Image, type TableKey } from './image';
import { isOurKey, systemImage } from './own-records';
import { succession } from './record-history';
import type { MacKey } from './record-mac';
import { recordKeys } from './table-keys';

/** The closed list of what an audit finds. Programs act on the codes, so none is ever renamed. */
export const AUDIT_CODES = {
  'record-modified': 'A record is not what was sealed last, and no newer state of this system.',
  'record-missing': 'A record that was sealed is not in the table.',
  'record-out-of-version': 'A record was put back to an earlier revision.',
  'record-extra': 'An item was not written by this system, and the log has nothing genuine in its place.',
  'record-unsealed': 'A record of this system is not in the log, long after it should be; seal-missing seals it.',
  'record-doubled': 'One state of a record was sealed twice.',
  'key-absent': 'The log holds entries of a subject whose key is not in the keys table.',
  'key-corrupt': "A subject's key cannot be unwrapped.",
} as const;
export type AuditCode = keyof typeof AUDIT_CODES;

/** What a repair from the log can undo. */
export const REPAIRABLE: ReadonlySet<AuditCode> = new Set<AuditCode>(['record-modified', 'record-missing', 'record-out-of-version', 'record-extra']);

/** How what is in the table stands to what the log has in its place. `ahead`: ours, and the log does not have it yet. */
export type Standing = 'same' | 'ahead' | 'modified' | 'missing' | 'out-of-version' | 'extra';

/** `genuine`: as the log leaves the record; `live`: as the table has it; undefined: nothing. */
export function standing(genuine: Image | undefined, live: Image | undefined, macKeys: readonly MacKey[]): Standing {
  if (live === undefined) return genuine === undefined ? 'same' : 'missing';
  const outcome = succession(genuine, live, macKeys);
  if (outcome === 'same') return 'same';
  if (outcome === 'accepted') return 'ahead';
  if (genuine === undefined) return 'extra';
  // Another state under the same revision is no earlier one.
  return outcome === 'older' && (integerOf(live, 'rev') ?? 0) < (integerOf(genuine, 'rev') ?? 0) ? 'out-of-version' : 'modified';
}

/** The times a record bears itself, the latest of them; '' for none. What waited in the inbox or in quarantine bears an old one when it is written. */
export const latestTimeIn = (image: Image): string => ['receivedAt', 'updatedAt', 'at'].map((name) => stringOf(image, name) ?? '').sort().at(-1) ?? '';

export interface AuditFinding {
  readonly code: AuditCode;
  /** The record; absent where it is about a key. */
  readonly key?: TableKey;
  /** The subject whose key it is about. */
  readonly subject?: string;
  /** What exactly was found: the hash of the live state, or the entries. The same again is the same finding. */
  readonly state: string;
  /** Index of the entry that holds the genuine state. */
  readonly entry?: number;
}

/** Named by what was found, so that a second run finds it recorded. `at`: ISO 8601 UTC. Its MAC is the caller's to add. */
export function auditFindingImage({ code, key, subject, state, entry }: AuditFinding, systemSubject: string, at: string): Image {
  const source = `table:${createHash('sha256').update(JSON.stringify([key?.pk ?? null, key?.sk ?? null, subject ?? null, state])).digest('base64url')}`;
  return {
    ...systemImage(recordKeys.finding(source, code), 'finding', systemSubject, at),
    code: { S: code },
    source: { S: source },
    detail: { S: AUDIT_CODES[code] },
    state: { S: state },
    ...(entry !== undefined && { entry: { N: String(entry) } }),
    ...(subject !== undefined && { keyOf: { S: subject } }),
    // A key written by hand may hold anything, personal data too, and this record outlives an erasure: only keys of our own shape are repeated.
    ...(key !== undefined && isOurKey(key) && { recordPk: { S: key.pk }, recordSk: { S: key.sk } }),
  };
}
