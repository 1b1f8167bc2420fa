/**
 * Meta's signature over a delivery: who may write to the records at all. Everything behind `verifySignature` trusts that it said 'valid'.
 * The signature proves that the body was made by a holder of the app secret; it carries no time and no nonce, so a captured body
 * stays valid for ever and only deduplication stops a replay.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * `valid`: made with one of the secrets. `missing`: no header. `malformed`: not `sha256=` and 64 lowercase hex digits.
 * `mismatch`: well formed and made with none of them. `no-secret`: nothing to check against; must be refused like a forgery.
 */
export type SignatureVerdict = 'valid' | 'missing' | 'malformed' | 'mismatch' | 'no-secret';

const HEADER = /^sha256=[0-9a-f]{64}$/;

const hmacOf = (body: Uint8Array, secret: string): Buffer => createHmac('sha256', secret).update(body).digest();

/** The header Meta would send with exactly these bytes: what plays Meta signs with it. */
export function signatureOf(body: Uint8Array, secret: string): string {
  return `sha256=${hmacOf(body, secret).toString('hex')}`;
}

/**
 * Checks `X-Hub-Signature-256`: HMAC-SHA256 of the exact bytes received under the app secret (`secrets`: current first, then the previous one).
 * Never a re-serialised body: Meta signs its own escapes (`\/`, `é`). Takes the same time for every well-formed header, so it tells a forger
 * neither which secret nor which digit was near.
 */
export function verifySignature(rawBody: Buffer, header: string | undefined, secrets: readonly string[]): SignatureVerdict {
  // An empty secret would make a signature that anybody can compute; it counts as no secret.
  const usable = secrets.filter((secret) => secret !== '');
  if (usable.length === 0) return 'no-secret';
  if (header === undefined || header === '') return 'missing';
  if (!HEADER.test(header)) return 'malformed';
  const given = Buffer.from(header.slice('sha256='.length), 'hex');
  let valid = false;
  for (const secret of usable) {
    if (timingSafeEqual(hmacOf(rawBody, secret), given)) valid = true;
  }
  return valid ? 'valid' : 'mismatch';
}
