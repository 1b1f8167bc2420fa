/**
 * `intact login`: a session with the API of staff, by name, password and code. On the local cloud as one of its seeded operators, whose code is computed from the secret beside their
 * password: a second factor that lies beside the first is none, and is for the local cloud alone.
 */
import { ROLES, type Role } from '../core/staff/actor';
import { base32Bytes, otpauthUri, totp } from '../core/staff/totp';
import { signIn, type SignInAnswers, type SignInOutcome } from '../operations/staff/sign-in';
import type { Call, Run } from './command';
import { Failure } from './failure';
import { printJson, printLine, say, type Io } from './io';
import { endOf, staffOf, whoami } from './signed-in';
import type { StaffAccess } from './staff-access';
import { terminalQuestions } from './terminal-questions';
import type { Deployment } from './world';

/** Who sits at the desk, where nothing is said. */
const ANYBODY: Role = 'support';

export const run: Run = async (call) => {
  const { flag, io, world } = call;
  const deployment = await world.deployment();
  const staff = staffOf(deployment);
  const { userName, outcome } = deployment.target.kind === 'local' ? await asSeeded(call, deployment, staff) : await asPerson(call, deployment, staff);
  if (outcome.outcome === 'refused') throw refusal(outcome);
  const { accessToken, refreshToken, expiresInSeconds } = outcome.tokens;
  if (refreshToken === undefined) throw new Failure('wrong', 'the pool gave no refresh token', "look at the pool's client");
  // First the file: what is not known to be revocable should not be in use.
  await staff.sessions.write({ clientId: staff.clientId, userName, accessToken, refreshToken, expiresAt: endOf(world.now, expiresInSeconds) });
  const identity = await whoami(staff, accessToken);
  if (flag('json')) printJson(io, identity);
  else printLine(io, `signed in as ${identity.name}, ${identity.role}`);
  return 0;
};

interface Entry {
  readonly userName: string;
  readonly outcome: SignInOutcome;
}

const enter = async ({ random }: Deployment, { pool, poolId }: StaffAccess, { world }: Call, answers: SignInAnswers): Promise<Entry> => ({
  userName: answers.userName,
  outcome: await signIn({ pool, poolId, random, now: world.now }, answers),
});

async function asSeeded(call: Call, deployment: Deployment, staff: StaffAccess): Promise<Entry> {
  const role = call.text('as') ?? ANYBODY;
  const operator = (await staff.seeded()).find((one) => one.role === role);
  if (operator === undefined) throw new Failure('usage', `there is no role "${role}"`, `one of ${ROLES.join(', ')}`);
  const unasked = (): Promise<never> => Promise.reject(new Failure('wrong', `${operator.userName} was to enroll anew`, 'start the local cloud anew with npm start'));
  return enter(deployment, staff, call, {
    userName: operator.userName,
    password: async () => operator.password,
    code: async () => totp(base32Bytes(operator.totpSecret), call.world.now()),
    newPassword: unasked,
    enroll: unasked,
  });
}

async function asPerson(call: Call, deployment: Deployment, staff: StaffAccess): Promise<Entry> {
  const { io } = call;
  if (call.text('as') !== undefined) throw new Failure('usage', '--as is for the local cloud: nobody signs in as a role, but as themselves', 'leave it away');
  const questions = terminalQuestions(io);
  try {
    const userName = await questions.ask('user name: ');
    return await enter(deployment, staff, call, {
      userName,
      password: () => questions.askSecretly('password: '),
      newPassword: async () => {
        say(io, 'The password was a temporary one. A new one has at least 12 characters: small and capital letters, digits and signs.');
        const [once, twice] = [await questions.askSecretly('new password: '), await questions.askSecretly('once more: ')];
        if (once !== twice) throw new Failure('usage', 'the two are not the same; nothing was changed', 'sign in again');
        return once;
      },
      enroll: async (secret) => showOnce(io, otpauthUri(`Intact ${deployment.target.stage}`, userName, secret)),
      code: () => questions.ask('code of the authenticator app: '),
    });
  } finally {
    questions.close();
  }
}

/** Never to stdout, which may be a file. */
function showOnce(io: Io, uri: string): void {
  say(io, 'Add this to an authenticator app; it is not shown again:');
  say(io, `  ${uri}`);
}

const REASONS: Readonly<Record<Extract<SignInOutcome, { outcome: 'refused' }>['reason'], readonly [string, string]>> = {
  'not-authorized': ['the name or the password is wrong, or the account is closed', 'try again; an administrator of the pool can give you a new temporary password'],
  'wrong-code': ['the code is wrong, or was used', 'wait for the next one; look at the clock of the device'],
  'weak-password': ['the new password does not keep the rules, or was used before', 'at least 12 characters: small and capital letters, digits and signs'],
  'too-many-attempts': ['too many attempts', 'wait for a quarter of an hour'],
  expired: ['the answer came too late', 'sign in again'],
  'unknown-challenge': ['the pool asks for something that this version does not know', 'update the repository'],
};

function refusal({ reason }: Extract<SignInOutcome, { outcome: 'refused' }>): Failure {
  const [what, next] = REASONS[reason];
  return new Failure('refused', what, next);
}
