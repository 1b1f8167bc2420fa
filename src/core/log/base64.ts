/**
 * Standard base64 (RFC 4648, section 4), accepted only in its one canonical form. Node's own decoder skips what it does not know, so that
 * several texts would stand for the same bytes and a changed byte could pass unseen.
 */

/** The bytes of `text`, or undefined unless `text` is exactly their canonical encoding. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
