/**
 * JWE compact (RFC 7516) in exactly one profile: direct encryption (`dir`) with AES-256-GCM, `kid` = generation of the subject's key. Anybody's JOSE
 * library opens it with the key; ours reads nothing else. test/core/jwe.test.ts holds it to the package `jose` in both directions.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { canonicalize } from './canonical-json';

/** `form`: not five parts of base64url in their one spelling. `header`: another algorithm or member. `key`: no such generation. `tag`: other key or other bytes. */
export type JweErrorCode = 'form' | 'header' | 'key' | 'tag';

export class JweError extends Error {
  constructor(
    readonly code: JweErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'JweError';
  }
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORM = /^([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]{22})$/;

const headerOf = (generation: number): string => Buffer.from(canonicalize({ alg: 'dir', enc: 'A256GCM', kid: String(generation) })).toString('base64url');

/** `key`: 32 bytes; `iv`: 12 random bytes, never used twice with one key. */
export function encryptJwe(key: Uint8Array, generation: number, iv: Uint8Array, plaintext: Uint8Array): string {
  const header = headerOf(generation);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(header, 'ascii'));
  const ciphertext = cipher.update(plaintext).toString('base64url') + cipher.final().toString('base64url'); // GCM's final is empty
  return `${header}..${Buffer.from(iv).toString('base64url')}.${ciphertext}.${cipher.getAuthTag().toString('base64url')}`;
}

/** The plaintext. `keyOf` answers the key of a generation. Throws `JweError` on everything `encryptJwe` would not have written under that key. */
export function decryptJwe(compact: string, keyOf: (generation: number) => Uint8Array | undefined): Buffer {
  const parts = FORM.exec(compact);
  if (parts === null) throw new JweError('form', 'not a JWE compact of ours: header, no key, 12 bytes IV, ciphertext, 16 bytes tag');
  const [header, iv, ciphertext, tag] = parts.slice(1) as [string, string, string, string];
  const generation = generationIn(header);
  const key = keyOf(generation);
  if (key === undefined) throw new JweError('key', `no key of generation ${generation}`);
  const bytes = [iv, ciphertext, tag].map(fromBase64url) as [Buffer, Buffer, Buffer];
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes[0], { authTagLength: TAG_BYTES }).setAAD(Buffer.from(header, 'ascii')).setAuthTag(bytes[2]);
    return Buffer.concat([decipher.update(bytes[1]), decipher.final()]);
  } catch (cause) {
    throw new JweError('tag', 'the key is another one or the bytes were changed', { cause });
  }
}

function generationIn(header: string): number {
  const match = /^\{"alg":"dir","enc":"A256GCM","kid":"([1-9][0-9]{0,8})"\}$/.exec(Buffer.from(header, 'base64url').toString());
  const generation = match === null ? 0 : Number(match[1]);
  if (match === null || headerOf(generation) !== header) throw new JweError('header', 'the header is not {"alg":"dir","enc":"A256GCM","kid":"<generation>"}');
  return generation;
}

function fromBase64url(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new JweError('form', 'base64url in a spelling that is not its one spelling');
  return bytes;
}

export const JWE_IV_BYTES = IV_BYTES;
