/**
 * What a scheduled verification leaves in the records table: one record of its result, and one for each discrepancy. They are sealed like every record, so a
 * finding cannot be taken back by whoever caused it.
 */
import { createHash } from 'node:crypto';
import { integerOf, stringOf, type Image } from './image';
import { recordKeys } from './table-keys';
import type { Finding } from './verify/finding-codes';

/** What a verification of the whole vault came to. */
export interface VerificationResult {
  readonly ok: boolean;
  readonly findings: number;
  readonly entries: number;
  /** Null where the vault had no readable checkpoint. */
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string } | null;
}

/** `at`: when it began, ISO 8601 UTC; also its name, so that names sort by time. */
export function verificationImage(at: string, systemSubject: string, { ok, findings, entries, checkpoint }: VerificationResult): Image {
  const { pk, sk } = recordKeys.verification(at);
  return {
    pk: { S: pk },
    sk: { S: sk },
    kind: { S: 'verification' },
    rev: { N: '1' },
    subject: { S: systemSubject },
    receivedAt: { S: at },
    ok: { BOOL: ok },
    findings: { N: String(findings) },
    entries: { N: String(entries) },
    ...(checkpoint && { origin: { S: checkpoint.origin }, size: { N: String(checkpoint.size) }, root: { S: checkpoint.root } }),
  };
}

/** The checkpoint that an earlier verification saw, or undefined where it saw none. */
export function checkpointIn(image: Image): { readonly origin: string; readonly size: number; readonly root: string } | undefined {
  const [origin, size, root] = [stringOf(image, 'origin'), integerOf(image, 'size'), stringOf(image, 'root')];
  return origin === undefined || size === undefined || root === undefined ? undefined : { origin, size, root };
}

/** The same discrepancy, found again by a later run, has the same key: it is one finding until somebody has dealt with it. */
export function vaultFindingImage({ code, object, index, detail }: Finding, systemSubject: string, at: string): Image {
  const source = `vault:${createHash('sha256').update(JSON.stringify([object, index ?? null, code])).digest('base64url')}`;
  const { pk, sk } = recordKeys.finding(source, code);
  return {
    pk: { S: pk },
    sk: { S: sk },
    kind: { S: 'finding' },
    rev: { N: '1' },
    subject: { S: systemSubject },
    receivedAt: { S: at },
    code: { S: code },
    source: { S: source },
    object: { S: object },
    ...(index !== undefined && { entry: { N: String(index) } }),
    detail: { S: detail },
  };
}
