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
/** From the header's end: no key, 12 bytes IV, ciphertext, 16 bytes tag. The bits of the tag's last character that stand for no byte are zero. */
const AFTER_HEADER = /\.\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{21}[AQgw]$/y;
/** From the header's end to the ciphertext: two dots, IV, dot. */
const BEFORE_TEXT = 19;
/** From the ciphertext to the end: dot, tag. */
const AFTER_TEXT = 23;

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
  const headerEnd = compact.indexOf('.');
  if (!isFramed(compact, headerEnd)) throw new JweError('form', 'not a JWE compact of ours: header, no key, 12 bytes IV, ciphertext, 16 bytes tag, each in its one spelling');
  const header = compact.slice(0, headerEnd);
  const generation = generationIn(header);
  if (generation === undefined) throw new JweError('header', 'the header is not {"alg":"dir","enc":"A256GCM","kid":"<generation>"}');
  const key = keyOf(generation);
  if (key === undefined) throw new JweError('key', `no key of generation ${generation}`);
  const [iv, ciphertext, tag] = compact.slice(headerEnd + 2).split('.').map((part) => Buffer.from(part, 'base64url')) as [Buffer, Buffer, Buffer];
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(header, 'ascii')).setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (cause) {
    throw new JweError('tag', 'the key is another one or the bytes were changed', { cause });
  }
}

/**
 * Whether `compact` is all that can be asked of a JWE without its key: our header, no encrypted key, IV, tag, and a plaintext of at least `minPlaintext` bytes,
 * everything in its one spelling. Verification asks it of every entry.
 */
export function hasJweForm(compact: string, minPlaintext: number): boolean {
  const headerEnd = compact.indexOf('.');
  const textLength = compact.length - AFTER_TEXT - headerEnd - BEFORE_TEXT;
  // GCM's ciphertext is as long as its plaintext.
  return Math.floor((textLength * 3) / 4) >= minPlaintext && isFramed(compact, headerEnd) && isHeader(compact.slice(0, headerEnd));
}

/** Whether all after the header is as it should be. Written for speed: a look at every character of a message costs more than parsing the entry around it. */
function isFramed(compact: string, headerEnd: number): boolean {
  const textAt = headerEnd + BEFORE_TEXT;
  const textEnd = compact.length - AFTER_TEXT;
  if (headerEnd <= 0) return false;
  if (textEnd - textAt < LONG_TEXT) return matchesAt(compact, headerEnd) && isOneSpelling(compact, textAt, textEnd);
  const text = compact.slice(textAt, textEnd);
  return matchesAt(compact.slice(headerEnd, textAt) + compact.slice(textEnd), 0) && Buffer.from(text, 'base64url').toString('base64url') === text;
}

/** From here on a trip to bytes and back, which is native, costs less than a pattern. */
const LONG_TEXT = 800;

function matchesAt(compact: string, headerEnd: number): boolean {
  AFTER_HEADER.lastIndex = headerEnd;
  return AFTER_HEADER.test(compact);
}

/** base64url in [from, to) is of whole bytes, and the bits of its last character that stand for none are zero. */
function isOneSpelling(text: string, from: number, to: number): boolean {
  const last = text.charAt(to - 1);
  switch ((to - from) % 4) {
    case 0:
      return true;
    case 2:
      return 'AQgw'.includes(last);
    case 3:
      return 'AEIMQUYcgkosw048'.includes(last);
    default:
      return false;
  }
}

/** One header serves a log until a key's next generation, so the one seen last is not taken apart again. */
let headerSeen = '';
function isHeader(header: string): boolean {
  if (header === headerSeen) return true;
  if (generationIn(header) === undefined) return false;
  headerSeen = header;
  return true;
}

function generationIn(header: string): number | undefined {
  const match = /^\{"alg":"dir","enc":"A256GCM","kid":"([1-9][0-9]{0,8})"\}$/.exec(Buffer.from(header, 'base64url').toString());
  const generation = match === null ? 0 : Number(match[1]);
  return match === null || headerOf(generation) !== header ? undefined : generation;
}

export const JWE_IV_BYTES = IV_BYTES;
