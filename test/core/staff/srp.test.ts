/**
 * The proof against the server's half, written here after RFC 5054 §2.5: the server knows the verifier, never the password, and must come to the same key by another way
 * (S = (A·v^u)^b). test/e2e/sign-in.test.ts lets a user pool judge it.
 */
import { createHash, createHmac, getDiffieHellman, randomBytes } from 'node:crypto';
import { SRP_RANDOM_BYTES, srpA, srpProof, srpTimestamp } from '../../../src/core/staff/srp';

const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);
const pow = (base: bigint, exponent: bigint): bigint => {
  let result = 1n;
  for (const bit of exponent.toString(2)) result = ((result * result) % N) * (bit === '1' ? base : 1n) % N;
  return result;
};
const bytes = (value: bigint): Buffer => {
  const hex = value.toString(16);
  const even = hex.padStart(hex.length + (hex.length % 2), '0');
  return Buffer.from(parseInt(even.slice(0, 2), 16) > 0x7f ? `00${even}` : even, 'hex');
};
const sha = (...parts: (string | Uint8Array)[]): bigint => BigInt(`0x${createHash('sha256').update(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)))).digest('hex')}`);
const inner = (text: string): Buffer => createHash('sha256').update(text).digest();

interface Server {
  readonly salt: string;
  readonly srpB: string;
  accepts(a: string, secretBlock: string, timestamp: string, proof: string): boolean;
}
function server(poolId: string, userId: string, password: string, secret: bigint, salt: string): Server {
  const name = poolId.split('_')[1] ?? '';
  const verifier = pow(2n, sha(bytes(BigInt(`0x${salt}`)), inner(`${name}${userId}:${password}`)));
  const big = (sha(bytes(N), bytes(2n)) * verifier + pow(2n, secret)) % N;
  return {
    salt,
    srpB: big.toString(16),
    accepts: (a, secretBlock, timestamp, proof) => {
      const u = sha(bytes(BigInt(`0x${a}`)), bytes(big));
      const shared = pow((BigInt(`0x${a}`) * pow(verifier, u)) % N, secret);
      const prk = createHmac('sha256', bytes(u)).update(bytes(shared)).digest();
      const key = createHmac('sha256', prk).update('Caldera Derived Key').update(Uint8Array.of(1)).digest().subarray(0, 16);
      return createHmac('sha256', key).update(Buffer.concat([Buffer.from(name + userId), Buffer.from(secretBlock, 'base64'), Buffer.from(timestamp)])).digest('base64') === proof;
    },
  };
}

const poolId = 'eu-central-1_Abc123XyZ';
const secretBlock = randomBytes(64).toString('base64');
const timestamp = srpTimestamp(new Date('2026-11-02T08:05:09Z'));

it.each(Array.from({ length: 6 }, (_, i) => i))('is accepted by the server that knows the verifier of the password, and of no other (%d)', (round) => {
  const exponent = randomBytes(SRP_RANDOM_BYTES);
  // Salts whose first byte is small, and large: numbers are padded by their first bit.
  const salt = (round % 2 === 0 ? '1f' : 'f1') + randomBytes(15).toString('hex');
  const there = server(poolId, 'anna', 'Correct-horse-1', BigInt(`0x${randomBytes(32).toString('hex')}`), salt);
  const proof = (password: string, userId = 'anna'): string => srpProof(exponent, { poolId, password }, { salt, srpB: there.srpB, secretBlock, userId }, timestamp);
  const judged = (text: string): boolean => there.accepts(srpA(exponent), secretBlock, timestamp, text);
  expect(judged(proof('Correct-horse-1'))).toBe(true);
  expect(judged(proof('Correct-horse-2'))).toBe(false);
  expect(judged(proof('Correct-horse-1', 'bert'))).toBe(false);
  expect(there.accepts(srpA(exponent), secretBlock, srpTimestamp(new Date(0)), proof('Correct-horse-1'))).toBe(false);
});

it.each([['0'], [N.toString(16)], [(2n * N).toString(16)], ['not a number'], ['']])('is not made for a server number that is worthless', (srpB) => {
  expect(srpProof(randomBytes(SRP_RANDOM_BYTES), { poolId, password: 'x' }, { salt: '1f', srpB, secretBlock, userId: 'anna' }, timestamp)).toBe('refused');
});

it('the timestamp is in English, in UTC, its day without a zero', () => {
  expect(srpTimestamp(new Date('2026-11-02T08:05:09.999Z'))).toBe('Mon Nov 2 08:05:09 UTC 2026');
  expect(srpTimestamp(new Date('2026-12-31T23:59:59Z'))).toBe('Thu Dec 31 23:59:59 UTC 2026');
});
