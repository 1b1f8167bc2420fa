/**
 * The client's half of the user pool's password proof (SRP-6a over the 3072-bit group of RFC 3526, with Cognito's own derivation of the key): whoever listens, the pool's operator
 * included, sees nothing from which the password could be had without guessing it. What the server sends is attacker-controlled until the proof is accepted.
 */
import { createHash, createHmac, getDiffieHellman, hkdfSync } from 'node:crypto';

const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);
const G = 2n;
/** As long as the exponent of the pool's own clients; what matters is at least 256 bits. */
export const SRP_RANDOM_BYTES = 128;

/** What the server answered a begun sign-in with. */
export interface SrpChallenge {
  /** Hexadecimal. */
  readonly salt: string;
  readonly srpB: string;
  /** Base64; only handed back. */
  readonly secretBlock: string;
  /** The name the pool knows the user by. */
  readonly userId: string;
}

export interface SrpIdentity {
  /** `<region>_<name>`. */
  readonly poolId: string;
  readonly password: string;
}

/** A whole number as the pool hashes it: big-endian, with a zero byte in front where the first bit is set. */
function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Buffer.from(/^[89a-f]/i.test(even) ? `00${even}` : even, 'hex');
}

const hash = (...parts: readonly (string | Uint8Array)[]): Buffer => parts.reduce((all, part) => all.update(part), createHash('sha256')).digest();
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const K = numberOf(hash(bytesOf(N), bytesOf(G)));

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base % N];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % N;
    square = (square * square) % N;
  }
  return result;
}

const poolName = (poolId: string): string => poolId.slice(poolId.indexOf('_') + 1);

/** SRP_A, hexadecimal, of a secret exponent of `SRP_RANDOM_BYTES` random bytes used once. */
export const srpA = (exponent: Uint8Array): string => power(G, numberOf(exponent)).toString(16);

/** The pool's timestamp, in English and UTC whatever this machine speaks: `Sun Nov 2 08:05:09 UTC 2026`. */
export function srpTimestamp(at: Date): string {
  const [weekday = '', day = '', month = '', year = '', time = ''] = at.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${Number(day)} ${time} UTC ${year}`;
}

/**
 * The proof of the password, Base64, or `refused` where the server's number would make it worthless: a multiple of N lets anybody pass for the server, and ours would be a gift to
 * guess the password from.
 */
export function srpProof(exponent: Uint8Array, { poolId, password }: SrpIdentity, { salt, srpB, secretBlock, userId }: SrpChallenge, timestamp: string): string | 'refused' {
  if (!/^[0-9a-f]+$/i.test(srpB) || !/^[0-9a-f]+$/i.test(salt)) return 'refused';
  const a = numberOf(exponent);
  const b = BigInt(`0x${srpB}`);
  const u = numberOf(hash(bytesOf(power(G, a)), bytesOf(b)));
  if (b % N === 0n || u === 0n) return 'refused';
  const x = numberOf(hash(bytesOf(BigInt(`0x${salt}`)), hash(`${poolName(poolId)}${userId}:${password}`)));
  const base = (((b - K * power(G, x)) % N) + N) % N;
  const shared = power(base, a + u * x);
  const key = Buffer.from(hkdfSync('sha256', bytesOf(shared), bytesOf(u), 'Caldera Derived Key', 16));
  return createHmac('sha256', key).update(poolName(poolId)).update(userId).update(Buffer.from(secretBlock, 'base64')).update(timestamp).digest('base64');
}
