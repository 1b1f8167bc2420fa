/**
 * The MAC every record carries, checked on every read: whoever can write the table but not use the MAC key (a person at the console, a script
 * with stolen credentials) cannot make a record that passes. It binds the record to its place: table, key, kind and revision.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalImage, ImageError } from './canonical-image';
import { canonicalize, CanonicalJsonError } from './canonical-json';
import { integerOf, stringOf, type Image } from './image';

/** `id` is the generation of the secret `mac`; `secret` is 32 bytes. */
export interface MacKey {
  readonly id: number;
  readonly secret: Buffer;
}

/** `missing`: no string attribute `mac`. `unknown-key`: well-formed, but of a generation that is not among the keys given. */
export type MacState = 'valid' | 'invalid' | 'missing' | 'unknown-key';

/** Logical name: the same in every stage and region, so a restored table still passes. */
const TABLE = 'records';
const FORM = /^([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})$/;

/**
 * `"<keyId>.<base64url>"` of HMAC-SHA256 over the canonical JSON array ["intact/mac/v1", "records", pk, sk, kind, rev, keyId], a line feed, and the
 * canonical image without `mac`. Canonical JSON holds no line feed, so the encoding is unambiguous. A missing kind or rev is null.
 */
export function macOf(key: MacKey, image: Image): string {
  return `${key.id}.${digest(key, image).toString('base64url')}`;
}

/** `image` with its `mac` set; any `mac` it had is replaced. */
export function withMac(key: MacKey, image: Image): Image {
  return { ...image, mac: { S: macOf(key, image) } };
}

/** Judges the MAC an image carries. The image may be anything: never throws on content. */
export function checkMac(keys: readonly MacKey[], image: Image): MacState {
  const mac = stringOf(image, 'mac');
  if (mac === undefined) return 'missing';
  const parts = FORM.exec(mac);
  if (parts === null) return 'invalid';
  const key = keys.find((each) => String(each.id) === parts[1]);
  if (key === undefined) return 'unknown-key';
  try {
    const expected = digest(key, image);
    const given = Buffer.from(parts[2] as string, 'base64url');
    // 43 base64url characters carry 2 spare bits; only the spelling we write is ours.
    const isOurSpelling = given.toString('base64url') === parts[2];
    return isOurSpelling && timingSafeEqual(given, expected) ? 'valid' : 'invalid';
  } catch (error) {
    // An image without canonical bytes was not written by us.
    if (error instanceof ImageError || error instanceof CanonicalJsonError) return 'invalid';
    throw error;
  }
}

function digest(key: MacKey, image: Image): Buffer {
  const place = canonicalize([
    'intact/mac/v1',
    TABLE,
    stringOf(image, 'pk') ?? null,
    stringOf(image, 'sk') ?? null,
    stringOf(image, 'kind') ?? null,
    integerOf(image, 'rev') ?? null,
    key.id,
  ]);
  return createHmac('sha256', key.secret).update(place).update('\n').update(canonicalImage(image, { without: 'mac' })).digest();
}
