/**
 * Where a list goes on, as a text the caller cannot read, change or use elsewhere. The adversary is an operator: a position may name a customer they may not see, and a cursor of another operator,
 * route or filter would be a way around what was decided for this one. Encrypted and authenticated with a synthetic IV (the MAC of scope and position is the IV), so the same position has the same text and
 * no randomness is needed; what is not exactly a text made here for this scope is `invalid`.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { FieldError } from './refusal';
import { fieldError } from './messages/catalogue';

/** For whom and for what a cursor was made. `filter`: whatever else decides what the list holds, in a fixed order. */
export interface CursorScope {
  readonly operatorId: string;
  /** As in the API: `GET /v1/customers`. */
  readonly route: string;
  readonly filter?: readonly string[];
}

const IV_BYTES = 16;
/** A position is a few keys; more was not made here. */
const MAX_CURSOR = 4_096;

/** `secret`: 32 bytes, any of ours; the keys used are derived from it and good for nothing else. `position`: any well-formed text. */
export function sealCursor(secret: Uint8Array, scope: CursorScope, position: string): string {
  const keys = keysFrom(secret);
  const plain = Buffer.from(position, 'utf8');
  const iv = syntheticIv(keys.mac, scope, plain);
  const cipher = createCipheriv('aes-256-ctr', keys.encryption, iv);
  return Buffer.concat([iv, cipher.update(plain), cipher.final()]).toString('base64url');
}

/** The position in `cursor` if it was sealed under `secret` for this very scope. Never throws on content. */
export function openCursor(secret: Uint8Array, scope: CursorScope, cursor: string): string | 'invalid' {
  if (cursor.length > MAX_CURSOR) return 'invalid';
  const bytes = Buffer.from(cursor, 'base64url');
  // Decoding forgives spare bits, padding and foreign characters; only the spelling made here is ours.
  if (bytes.length < IV_BYTES || bytes.toString('base64url') !== cursor) return 'invalid';
  const keys = keysFrom(secret);
  const iv = bytes.subarray(0, IV_BYTES);
  const decipher = createDecipheriv('aes-256-ctr', keys.encryption, iv);
  const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES)), decipher.final()]);
  return timingSafeEqual(iv, syntheticIv(keys.mac, scope, plain)) ? plain.toString('utf8') : 'invalid';
}

/** What an operation answers to a cursor it cannot open. */
export const invalidCursor = (): FieldError => fieldError('en', 'cursor', 'cursor', {});

function syntheticIv(key: Uint8Array, { operatorId, route, filter = [] }: CursorScope, plain: Uint8Array): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of [operatorId, route, String(filter.length), ...filter]) hmac.update(`${Buffer.byteLength(part, 'utf8')}:`).update(part, 'utf8');
  return hmac.update(plain).digest().subarray(0, IV_BYTES);
}

function keysFrom(secret: Uint8Array): { readonly encryption: Buffer; readonly mac: Buffer } {
  const both = Buffer.from(hkdfSync('sha256', secret, '', 'intact/cursor/v1', 64));
  return { encryption: both.subarray(0, 32), mac: both.subarray(32) };
}
