/**
 * The key of one subject: what encrypts its images and names its records in the log, and how it is kept: wrapped under the key-encryption key,
 * bound to its subject and generation, so that a row copied under another subject does not open. Without it everything of the subject is noise: that is erasure.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { canonicalize } from './canonical-json';
import type { TableKey } from './image';

export interface SubjectKey {
  readonly subject: string;
  readonly generation: number;
  /** 32 bytes, AES-256. */
  readonly key: Buffer;
  /** HKDF-SHA256(key, no salt, "id"), 32 bytes: what record ids are made with. */
  readonly idKey: Buffer;
}

/** The key-encryption key; `generation` tells which one wrapped a row. */
export interface KeyEncryptionKey {
  readonly generation: number;
  /** 32 bytes, AES-256. */
  readonly key: Buffer;
}

/** A subject's key as the keys table holds it; the shape is `WrappedKey` of the ports. */
export interface WrappedSubjectKey {
  readonly subject: string;
  readonly generation: number;
  /** 12 bytes IV ‖ 32 bytes ciphertext ‖ 16 bytes tag. */
  readonly wrapped: Buffer;
  readonly kek: number;
}

type Random = (n: number) => Buffer;
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A name nobody can derive from the person: 16 random bytes, 22 characters of base64url. */
export const newSubject = (random: Random): string => random(16).toString('base64url');

/** A fresh first key for `subject`. */
export const newSubjectKey = (subject: string, random: Random): SubjectKey => subjectKey(subject, 1, random(KEY_BYTES));

export function subjectKey(subject: string, generation: number, key: Buffer): SubjectKey {
  return { subject, generation, key, idKey: derivedKey(key, 'id') };
}

/** HKDF-SHA256 with an empty salt: 32 bytes for one purpose, out of a key that keeps another. */
export const derivedKey = (key: Buffer, purpose: string): Buffer => Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), purpose, KEY_BYTES));

/** HMAC-SHA256(idKey, canonical JSON of ["records", pk, sk]), base64url: the record's name in the log. Throws `CanonicalJsonError` on a lone surrogate. */
export function recordId({ idKey }: Pick<SubjectKey, 'idKey'>, { pk, sk }: TableKey): string {
  return createHmac('sha256', idKey).update(canonicalize(['records', pk, sk])).digest('base64url');
}

/** AES-256-GCM under the key-encryption key, AAD = subject (UTF-8) ‖ generation (uint32, big endian). */
export function wrapSubjectKey(kek: KeyEncryptionKey, { subject, generation, key }: SubjectKey, random: Random): WrappedSubjectKey {
  const iv = random(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', kek.key, iv).setAAD(aadOf(subject, generation));
  return { subject, generation, kek: kek.generation, wrapped: Buffer.concat([iv, cipher.update(key), cipher.final(), cipher.getAuthTag()]) };
}

/** The key, or `corrupt` when the row was not written under this key-encryption key for this subject and generation. */
export function unwrapSubjectKey(kek: KeyEncryptionKey, { subject, generation, wrapped, kek: wrappedBy }: WrappedSubjectKey): SubjectKey | 'corrupt' {
  if (wrappedBy !== kek.generation || wrapped.length !== IV_BYTES + KEY_BYTES + TAG_BYTES) return 'corrupt';
  try {
    const decipher = createDecipheriv('aes-256-gcm', kek.key, wrapped.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(aadOf(subject, generation)).setAuthTag(wrapped.subarray(-TAG_BYTES));
    return subjectKey(subject, generation, Buffer.concat([decipher.update(wrapped.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]));
  } catch {
    // The only thing that can fail here is the tag (or a generation no uint32 holds): both mean that the row is not what was written.
    return 'corrupt';
  }
}

function aadOf(subject: string, generation: number): Buffer {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(generation);
  return Buffer.concat([Buffer.from(subject, 'utf8'), number]);
}
