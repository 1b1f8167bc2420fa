/**
 * What a scheduled verification leaves in the records table: one record of its result, and one for each discrepancy. They are sealed like every record, so a
 * finding cannot be taken back by whoever caused it.
 */
import { createHash } from 'node:crypto';
import { integerOf, stringOf, type Image } from './image';
import { systemImage } from './own-records';
import { recordKeys } from './table-keys';
import type { Finding, FindingCode } from './verify/finding-codes';
import { CHECKPOINT } from './verify/vault-name';

/** As a checkpoint states it; `root` in base64. */
export interface SeenCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

/** A discrepancy of one version of an object, where a store keeps several. */
export interface VersionFinding extends Finding {
  /** As the store names it. */
  readonly version: string;
}

/** What a verification of the whole vault came to. */
export interface VerificationResult {
  readonly ok: boolean;
  readonly findings: number;
  readonly entries: number;
  /** Null where the vault had no readable checkpoint. Whatever it is worth: findings say. */
  readonly checkpoint: SeenCheckpoint | null;
  /** The largest proven by this verification or an earlier one, so that the newest record alone says what the next one has to find again. */
  readonly proven?: SeenCheckpoint | undefined;
}

/** `at`: when it began, ISO 8601 UTC; also its name, so that names sort by time. */
export function verificationImage(at: string, systemSubject: string, { ok, findings, entries, checkpoint, proven }: VerificationResult): Image {
  return {
    ...systemImage(recordKeys.verification(at), 'verification', systemSubject, at),
    ok: { BOOL: ok },
    findings: { N: String(findings) },
    entries: { N: String(entries) },
    ...(checkpoint && { origin: { S: checkpoint.origin }, size: { N: String(checkpoint.size) }, root: { S: checkpoint.root } }),
    ...(proven && { provenOrigin: { S: proven.origin }, provenSize: { N: String(proven.size) }, provenRoot: { S: proven.root } }),
  };
}

/** The largest checkpoint proven by the verification this is the record of, or by an earlier one; undefined: none was. */
export function provenIn(image: Image): SeenCheckpoint | undefined {
  const [origin, size, root] = [stringOf(image, 'provenOrigin'), integerOf(image, 'provenSize'), stringOf(image, 'provenRoot')];
  return origin === undefined || size === undefined || root === undefined ? undefined : { origin, size, root };
}

/**
 * The checkpoint of a report of a verification with pinned keys, if its signature and its root are proven; undefined otherwise. What is remembered from it accuses every
 * later, smaller or other log: a number that somebody merely wrote down must not. Damage elsewhere takes nothing from it, or one stray object would stop the memory.
 */
export function provenCheckpoint({ origin, size, root, findings }: { readonly origin: string | null; readonly size: number; readonly root: string | null; readonly findings: readonly Finding[] }): SeenCheckpoint | undefined {
  const doubted = findings.some(({ code, object }) => object === CHECKPOINT || (object.startsWith('tile/') && ENTRIES_IN_DOUBT.has(code)));
  return origin === null || root === null || doubted ? undefined : { origin, size, root };
}

/** The root was then taken from elsewhere than the entries, or not derived at all. */
const ENTRIES_IN_DOUBT: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'bundle-missing',
  'bundle-unreadable',
  'entries-altered',
  'entry-modified',
  'entry-deleted',
  'entry-inserted',
  'entry-duplicated',
  'entry-reordered',
]);

/** The same discrepancy, found again by a later run, has the same key: it is one finding until somebody has dealt with it. */
export function vaultFindingImage({ code, object, index, detail, version }: Finding & Partial<VersionFinding>, systemSubject: string, at: string): Image {
  const which = [object, index ?? null, code, ...(version === undefined ? [] : [version])];
  const source = `vault:${createHash('sha256').update(JSON.stringify(which)).digest('base64url')}`;
  return {
    ...systemImage(recordKeys.finding(source, code), 'finding', systemSubject, at),
    code: { S: code },
    source: { S: source },
    object: { S: object },
    ...(version !== undefined && { version: { S: version } }),
    ...(index !== undefined && { entry: { N: String(index) } }),
    detail: { S: detail },
  };
}
