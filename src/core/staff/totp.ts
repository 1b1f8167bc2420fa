/**
 * One-time codes as authenticator apps show them: TOTP (RFC 6238) over SHA-1, 30 seconds, 6 digits, which is what the user pool takes, and the secret's Base32 form (RFC 4648 §6).
 * The command line computes codes of the local cloud's seeded staff with it, and shows a new secret as the URI that apps read.
 */
import { createHmac } from 'node:crypto';

const STEP_MS = 30_000;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The bytes of a Base32 text; padding may be absent, letters may be small. Throws RangeError on any other character, without quoting the text: it is a secret. */
export function base32Bytes(text: string): Buffer {
  const bytes: number[] = [];
  let [held, bits] = [0, 0];
  for (const character of text.replace(/=+$/, '').toUpperCase()) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) throw new RangeError('the secret holds a character that Base32 does not have');
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
    held &= (1 << bits) - 1;
  }
  return Buffer.from(bytes);
}

/** HOTP (RFC 4226): the code for one value of the counter. */
export function hotp(secret: Uint8Array, counter: number, digits = 6): string {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac('sha1', secret).update(moving).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** digits).padStart(digits, '0');
}

/** The code an app shows at `at` for a secret of these bytes. */
export const totp = (secret: Uint8Array, at: Date, digits = 6): string => hotp(secret, Math.floor(at.getTime() / STEP_MS), digits);

/** What authenticator apps read, as text or as a QR code. `secret`: Base32, as the user pool gives it. */
export function otpauthUri(issuer: string, account: string, secret: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${secret.replace(/=+$/, '')}&issuer=${encodeURIComponent(issuer)}`;
}
