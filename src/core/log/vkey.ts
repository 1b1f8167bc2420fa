/**
 * Verifier keys (C2SP signed-note): `<name>+<key id, 8 hex digits>+<base64(0x01 ‖ 32-byte Ed25519 public key)>`, one line of text that a person
 * can keep on paper. Only Ed25519 is known here: one algorithm cannot be confused with another.
 */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { fromBase64, toBase64 } from './base64';
import { LogFormatError } from './log-format-error';
import { sha256 } from './sha256';

/** An Ed25519 key under a name. `keyId` is a hint for finding the key of a signature; it proves nothing. */
export interface VerifierKey {
  readonly name: string;
  /** uint32. */
  readonly keyId: number;
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Buffer;
}

/** Signature type of a plain Ed25519 note signature. */
const ED25519 = 0x01;
const PUBLIC_KEY_SIZE = 32;
export const SIGNATURE_SIZE = 64;

// SubjectPublicKeyInfo of an Ed25519 key is this prefix and the 32 bytes (RFC 8410).
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const keyObjects = new WeakMap<VerifierKey, KeyObject>();

/** Key names are non-empty and hold neither Unicode white space, plus signs nor control characters. */
export const isKeyName = (name: string): boolean => name.length > 0 && !/[\s+\p{Cc}\p{Z}]/u.test(name);

/** The key `publicKey` (32 bytes) under `name`, with its id. Throws `vkey-name`, `vkey-form`. */
export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw new LogFormatError('vkey-name', 'a key name is non-empty and holds neither spaces nor a plus sign');
  if (publicKey.length !== PUBLIC_KEY_SIZE) throw new LogFormatError('vkey-form', `an Ed25519 public key has 32 bytes, not ${publicKey.length}`);
  const material = Buffer.concat([Buffer.of(ED25519), publicKey]);
  return { name, keyId: sha256(Buffer.concat([Buffer.from(`${name}\n`), material])).readUInt32BE(0), publicKey: material.subarray(1) };
}

export const formatKeyId = (keyId: number): string => keyId.toString(16).padStart(8, '0');

/** The one-line text of `key`, without a line end. */
export function formatVkey(key: VerifierKey): string {
  return `${key.name}+${formatKeyId(key.keyId)}+${toBase64(Buffer.concat([Buffer.of(ED25519), key.publicKey]))}`;
}

/** Parses one vkey (no surrounding space). Throws `vkey-form`, `vkey-name`, `vkey-algorithm`, `vkey-key-id`. */
export function parseVkey(text: string): VerifierKey {
  // The name holds no plus sign; the base64 after the second one may.
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text);
  const material = match === null ? undefined : fromBase64(match[3]!);
  if (match === null || material === undefined) throw new LogFormatError('vkey-form', 'a verifier key is <name>+<8 hex digits>+<base64>');
  if (material[0] !== ED25519) throw new LogFormatError('vkey-algorithm', `the key is of type ${material[0]}; only Ed25519 (1) is supported`);
  const key = verifierKey(match[1]!, material.subarray(1));
  if (formatKeyId(key.keyId) !== match[2]) throw new LogFormatError('vkey-key-id', `the key id is ${match[2]}, but name and key make it ${formatKeyId(key.keyId)}`);
  return key;
}

export const sameKey = (a: VerifierKey, b: VerifierKey): boolean => a.name === b.name && a.publicKey.equals(b.publicKey);

/** Whether `signature` is `key`'s over exactly these bytes. Never throws on content. */
export function verifySignature(key: VerifierKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_SIZE) return false;
  let object = keyObjects.get(key);
  if (object === undefined) {
    object = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key.publicKey]), format: 'der', type: 'spki' });
    keyObjects.set(key, object);
  }
  return verify(null, message, object, signature);
}
