/**
 * What an entry commits to: SHA-256("intact/v1" ‖ salt ‖ content). With salt and content anyone checks it; without the salt, which only the JWE
 * holds, the commitment tells nothing, not even to somebody who can guess the content: after an erasure it is noise.
 */
import { createHash } from 'node:crypto';

export const SALT_SIZE = 32;
const DOMAIN = 'intact/v1';

/** What is encrypted and committed to: 32 random bytes, then the content (the canonical image, or the stream's bytes for kind `raw`). */
export function joinPlaintext(salt: Uint8Array, content: Uint8Array): Buffer {
  if (salt.length !== SALT_SIZE) throw new RangeError(`a salt has ${SALT_SIZE} bytes`);
  return Buffer.concat([salt, content]);
}

/** Salt and content of a plaintext, or undefined when it is too short to hold a salt. */
export function splitPlaintext(plaintext: Buffer): { readonly salt: Buffer; readonly content: Buffer } | undefined {
  return plaintext.length < SALT_SIZE ? undefined : { salt: plaintext.subarray(0, SALT_SIZE), content: plaintext.subarray(SALT_SIZE) };
}

/** The commitment as entries carry it: base64url. */
export function commitmentOf(plaintext: Uint8Array): string {
  return createHash('sha256').update(DOMAIN).update(plaintext).digest('base64url');
}
