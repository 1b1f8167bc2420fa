/** Signing in, against a pool in memory that asks as a real one does: the first time with a temporary password and no device, then with the code alone. */
import { randomBytes } from 'node:crypto';
import { signIn, type SignInAnswers } from '../../../src/operations/staff/sign-in';
import type { SignInStep, StaffPool } from '../../../src/ports/staff-pool';

const SECRET = 'MZXW6YTBOI';
const tokens: SignInStep = { step: 'tokens', tokens: { accessToken: 'a', refreshToken: 'r', expiresInSeconds: 900 } };

/** Accepts any password's proof: the proof itself is judged in test/core/staff/srp.test.ts. */
function pool(first: readonly string[], more: Partial<StaffPool> = {}): { readonly pool: StaffPool; readonly calls: string[] } {
  const calls: string[] = [];
  const left = [...first];
  const next = (): SignInStep => {
    const name = left.shift();
    return name === undefined ? tokens : { step: 'challenge', name, session: `s${left.length}`, parameters: name === 'PASSWORD_VERIFIER' ? { SALT: '1f', SRP_B: 'abcdef', SECRET_BLOCK: 'AAAA', USER_ID_FOR_SRP: 'anna-as-stored' } : {} };
  };
  return {
    calls,
    pool: {
      begin: async (userName, a) => { calls.push(`begin ${userName} ${a.length > 700}`); return next(); },
      answer: async (challenge, session, responses) => { calls.push(`${challenge} ${session ?? '-'} ${Object.keys(responses).sort().join(' ')} ${responses['USERNAME']}`); return next(); },
      newTotpSecret: async (proof) => { calls.push(`associate ${JSON.stringify(proof)}`); return { secret: SECRET, session: 'associated' }; },
      verifyTotp: async (proof, code) => { calls.push(`verify ${JSON.stringify(proof)} ${code}`); return { session: 'verified' }; },
      refresh: async () => tokens,
      revoke: async () => undefined,
      ...more,
    },
  };
}
const asked: string[] = [];
const person: SignInAnswers = {
  userName: 'Anna',
  password: async () => (asked.push('password'), 'Temporary-1'),
  newPassword: async () => (asked.push('new password'), 'Chosen-by-anna-1'),
  enroll: async (secret) => void asked.push(`enroll ${secret}`),
  code: async () => (asked.push('code'), '123456'),
};
const enter = (there: StaffPool, answers: SignInAnswers = person) => signIn({ pool: there, poolId: 'eu-central-1_Abc', random: randomBytes, now: () => new Date(0) }, answers);
beforeEach(() => { asked.length = 0; });

it('asks an enrolled operator for the password and the code, and nothing else', async () => {
  const { pool: there, calls } = pool(['PASSWORD_VERIFIER', 'SOFTWARE_TOKEN_MFA']);
  expect(await enter(there)).toEqual({ outcome: 'signed-in', tokens: { accessToken: 'a', refreshToken: 'r', expiresInSeconds: 900 } });
  expect(asked).toEqual(['password', 'code']);
  expect(calls).toEqual([
    'begin Anna true',
    'PASSWORD_VERIFIER s1 PASSWORD_CLAIM_SECRET_BLOCK PASSWORD_CLAIM_SIGNATURE TIMESTAMP USERNAME anna-as-stored',
    'SOFTWARE_TOKEN_MFA s0 SOFTWARE_TOKEN_MFA_CODE USERNAME anna-as-stored',
  ]);
});

it('has a new operator choose a password and enroll an app, each step bound to the one before', async () => {
  const { pool: there, calls } = pool(['PASSWORD_VERIFIER', 'NEW_PASSWORD_REQUIRED', 'MFA_SETUP']);
  expect((await enter(there)).outcome).toBe('signed-in');
  expect(asked).toEqual(['password', 'new password', `enroll ${SECRET}`, 'code']);
  expect(calls.slice(2)).toEqual([
    'NEW_PASSWORD_REQUIRED s1 NEW_PASSWORD USERNAME anna-as-stored',
    'associate {"session":"s0"}',
    'verify {"session":"associated"} 123456',
    'MFA_SETUP verified USERNAME anna-as-stored',
  ]);
});

it('never sends the password, only a proof', async () => {
  const sent: string[] = [];
  const { pool: there } = pool(['PASSWORD_VERIFIER']);
  await enter({ ...there, answer: async (name, session, responses) => { sent.push(JSON.stringify(responses)); return there.answer(name, session, responses); } });
  expect(sent.join()).not.toContain('Temporary-1');
});

it.each(['not-authorized', 'too-many-attempts', 'expired'] as const)('passes on that it was refused: %s', async (reason) => {
  const { pool: there } = pool(['PASSWORD_VERIFIER'], { answer: async () => ({ step: 'refused', reason }) });
  expect(await enter(there)).toEqual({ outcome: 'refused', reason });
});

it('a wrong first code enrolls nothing', async () => {
  const { pool: there, calls } = pool(['PASSWORD_VERIFIER', 'MFA_SETUP'], { verifyTotp: async () => 'wrong-code' });
  expect(await enter(there)).toEqual({ outcome: 'refused', reason: 'wrong-code' });
  expect(calls.filter((call) => call.startsWith('MFA_SETUP'))).toEqual([]);
});

it.each([['SMS_MFA'], ['DEVICE_SRP_AUTH'], ['constructor']])('does not answer what it does not know: %s', async (name) => {
  expect(await enter(pool(['PASSWORD_VERIFIER', name]).pool)).toEqual({ outcome: 'refused', reason: 'unknown-challenge' });
});

it('does not go round in circles', async () => {
  expect(await enter(pool(Array<string>(50).fill('SOFTWARE_TOKEN_MFA')).pool)).toEqual({ outcome: 'refused', reason: 'unknown-challenge' });
  expect(asked.length).toBeLessThan(10);
});

it('gives no proof to a server whose number is worthless', async () => {
  const { pool: there, calls } = pool([], { begin: async () => ({ step: 'challenge', name: 'PASSWORD_VERIFIER', session: undefined, parameters: { SALT: '1f', SRP_B: '0', SECRET_BLOCK: 'AAAA' } }) });
  expect(await enter(there)).toEqual({ outcome: 'refused', reason: 'not-authorized' });
  expect(calls).toEqual([]);
});
