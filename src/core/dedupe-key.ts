/**
 * Names for what must never be recorded twice and must not be readable from its name: HMAC-SHA256 under the permanent dedupe key.
 * A wamid holds a phone number and a phone number is easily guessed, so a plain hash would be a phone number too; without the key this one tells nothing,
 * not even after an erasure, and the same input still gets the same name, so a late resend finds its tombstone.
 */
import { createHmac } from 'node:crypto';

/** What is named; part of the input, so that the same string in two roles gets two names. Permanent: another tag is another name for ever. */
export type HashTag =
  | 'wamid' // [wamid]
  | 'status' // [phone_number_id, wamid, status, timestamp, participant]
  | 'field' // [WABA id, field, digest, entry.time]
  | 'alias' // [alias type, value]
  | 'whole' // [canonical whole of one event]: variants and conflicts
  | 'quarantine' // [account or '', kept bytes]
  | 'content' // [pk, sk, attribute, bytes]: the name of an inbox object
  | 'delivery' // [bytes]: proof in an inbox name that we put it there
  | 'link' // [customerId, other customerId]: a proposal that is made once
  | 'search' // [type of a term, term]: what staff find customers by
  | 'searched'; // [type of a term, what was looked for]: what staff looked for

const STRING = Buffer.from('s');
const BYTES = Buffer.from('b');

/**
 * 43 characters of base64url. The encoding is injective: each part is its type, its length in bytes (4, big-endian) and its bytes; strings as UTF-16LE,
 * which, unlike UTF-8, also keeps lone surrogates apart. `dedupeKey` is the 32-byte secret `dedupe` of the keys table.
 */
export function hashed(dedupeKey: Uint8Array, tag: HashTag, parts: readonly (string | Uint8Array)[]): string {
  const hmac = createHmac('sha256', dedupeKey);
  for (const part of [tag, ...parts]) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf16le') : part;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hmac.update(typeof part === 'string' ? STRING : BYTES).update(length).update(bytes);
  }
  return hmac.digest('base64url');
}
