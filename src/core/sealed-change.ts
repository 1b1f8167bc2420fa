/**
 * From a change to its entry: encrypts under the subject's key, commits, and decides whether the ciphertext fits the entry or becomes a blob. Pure: randomness is an
 * argument, so that a worked example (docs/format.md) can be re-computed.
 */
import { commitmentOf, joinPlaintext, SALT_SIZE } from './commitment';
import { encodeEntry, EntryError, type NamedObject, type PutEntry } from './entry';
import type { TableKey } from './image';
import { encryptJwe, JWE_IV_BYTES } from './jwe';
import { sha256Hex } from './log/sha256';
import { blobName } from './verify/vault-name';
import { recordId, type SubjectKey } from './subject-key';

type Random = (n: number) => Buffer;

/** A vault object to put before the segment that names it. */
export interface Blob {
  /** `blob/<sha256 hex>`. */
  readonly name: string;
  readonly bytes: Buffer;
}

export interface SealedChange {
  /** Canonical bytes. */
  readonly entry: Buffer;
  readonly blobs: readonly Blob[];
}

/** What is known of a change apart from its content. */
export interface ChangeFacts {
  readonly kind: string;
  readonly key: TableKey;
  readonly rev: number;
  /** RFC 3339 UTC with milliseconds. */
  readonly at: string;
  readonly src: string;
}

/** Seals that a record was put. `content`: its canonical image (or, kind `raw`, the stream's bytes). `attached`: bodies kept outside the image. `vouched`: objects the record names. */
export function sealPut(facts: ChangeFacts, subjectKey: SubjectKey, content: Uint8Array, random: Random, attached: readonly Uint8Array[] = [], vouched: readonly NamedObject[] = []): SealedChange {
  const plaintext = joinPlaintext(random(SALT_SIZE), content);
  const jwe = encryptJwe(subjectKey.key, subjectKey.generation, random(JWE_IV_BYTES), plaintext);
  // A body needs no salt: what vouches for it is its hash inside the committed image.
  const bodies = attached.map((body) => blobOf(encryptJwe(subjectKey.key, subjectKey.generation, random(JWE_IV_BYTES), body)));
  const objects = [...bodies.map(named), ...vouched];
  const common = { ...commonOf(facts, subjectKey), op: 'put', commit: commitmentOf(plaintext), ...(objects.length > 0 && { objects }) } as const;
  const inline = inlineEntry({ ...common, image: jwe });
  if (inline !== undefined) return { entry: inline, blobs: bodies };
  const blob = blobOf(jwe);
  return { entry: encodeEntry({ ...common, blob: blob.name.slice('blob/'.length) } satisfies PutEntry), blobs: [...bodies, blob] };
}

/** Seals that a record was removed. */
export function sealRemove(facts: ChangeFacts, subjectKey: SubjectKey): SealedChange {
  return { entry: encodeEntry({ ...commonOf(facts, subjectKey), op: 'remove' }), blobs: [] };
}

/** The entry with its image in it, or undefined when that does not fit. */
function inlineEntry(entry: PutEntry): Buffer | undefined {
  try {
    return encodeEntry(entry);
  } catch (error) {
    if (error instanceof EntryError && error.code === 'size') return undefined;
    throw error;
  }
}

const commonOf = ({ kind, key, rev, at, src }: ChangeFacts, subjectKey: SubjectKey) =>
  ({ v: 1, kind, id: recordId(subjectKey, key), rev, at, subject: subjectKey.subject, src }) as const;

function blobOf(jwe: string): Blob {
  const bytes = Buffer.from(jwe, 'ascii');
  return { name: blobName(sha256Hex(bytes)), bytes };
}

const named = ({ name }: Blob): NamedObject => ({ name, sha256: name.slice('blob/'.length) });
