/**
 * Signing in as one of the staff, step by step as the pool asks: the password's proof, a new password where the first one was temporary, a TOTP secret where none is enrolled, the
 * code. What a person has to say is asked for when it is needed and not before; how it is asked is the caller's.
 */
import { SRP_RANDOM_BYTES, srpA, srpProof, srpTimestamp } from '../../core/staff/srp';
import type { Clock, Random } from '../../ports';
import type { SignInRefusal, SignInStep, StaffPool, Tokens } from '../../ports/staff-pool';

export interface SignInDeps {
  readonly pool: StaffPool;
  readonly poolId: string;
  readonly random: Random;
  readonly now: Clock;
}

/** The person, or what stands in for one. */
export interface SignInAnswers {
  readonly userName: string;
  password(): Promise<string>;
  /** The first password was temporary. */
  newPassword(): Promise<string>;
  /** Shows a new secret (Base32) for the authenticator app, once. */
  enroll(secret: string): Promise<void>;
  code(): Promise<string>;
}

export type SignInOutcome = { readonly outcome: 'signed-in'; readonly tokens: Tokens } | { readonly outcome: 'refused'; readonly reason: SignInRefusal | 'unknown-challenge' };

/** Password, new password, enrolment, code: a pool that asks more goes round in circles. */
const MAX_STEPS = 6;

const refused = (reason: SignInRefusal | 'unknown-challenge'): SignInOutcome => ({ outcome: 'refused', reason });

export async function signIn({ pool, poolId, random, now }: SignInDeps, answers: SignInAnswers): Promise<SignInOutcome> {
  const exponent = random(SRP_RANDOM_BYTES);
  let userId = answers.userName;

  const proveByPassword = async (parameters: Readonly<Record<string, string>>, session: string | undefined): Promise<SignInStep> => {
    const { SALT: salt = '', SRP_B: srpB = '', SECRET_BLOCK: secretBlock = '', USER_ID_FOR_SRP = userId } = parameters;
    userId = USER_ID_FOR_SRP;
    const timestamp = srpTimestamp(now());
    const proof = srpProof(exponent, { poolId, password: await answers.password() }, { salt, srpB, secretBlock, userId }, timestamp);
    if (proof === 'refused') return { step: 'refused', reason: 'not-authorized' };
    return pool.answer('PASSWORD_VERIFIER', session, { USERNAME: userId, TIMESTAMP: timestamp, PASSWORD_CLAIM_SECRET_BLOCK: secretBlock, PASSWORD_CLAIM_SIGNATURE: proof });
  };

  const enrollAndGoOn = async (session: string): Promise<SignInStep> => {
    const associated = await pool.newTotpSecret({ session });
    await answers.enroll(associated.secret);
    const verified = await pool.verifyTotp({ session: associated.session ?? session }, await answers.code());
    if (typeof verified === 'string') return { step: 'refused', reason: verified };
    return pool.answer('MFA_SETUP', verified.session ?? associated.session, { USERNAME: userId });
  };

  let step = await pool.begin(userId, srpA(exponent));
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    if (step.step === 'tokens') return { outcome: 'signed-in', tokens: step.tokens };
    if (step.step === 'refused') return refused(step.reason);
    const { name, session, parameters } = step;
    if (name === 'PASSWORD_VERIFIER') step = await proveByPassword(parameters, session);
    else if (name === 'NEW_PASSWORD_REQUIRED') step = await pool.answer(name, session, { USERNAME: userId, NEW_PASSWORD: await answers.newPassword() });
    else if (name === 'SOFTWARE_TOKEN_MFA') step = await pool.answer(name, session, { USERNAME: userId, SOFTWARE_TOKEN_MFA_CODE: await answers.code() });
    else if (name === 'MFA_SETUP' && session !== undefined) step = await enrollAndGoOn(session);
    else return refused('unknown-challenge');
  }
  return refused('unknown-challenge');
}
