/**
 * Staff at the door: the deployed pool, authorizer and function, with IAM enforced. Who signs in with password and code gets in and is told who they are; every other way in is tried
 * with one thing wrong at a time.
 */
import { createHmac, generateKeyPairSync, randomBytes, randomUUID, sign as signBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { AdminGetUserCommand, CreateUserPoolClientCommand, CreateUserPoolCommand, DescribeUserPoolClientCommand, DescribeUserPoolCommand, SignUpCommand, UpdateUserPoolClientCommand } from '@aws-sdk/client-cognito-identity-provider';
import { enrolled, type SeededOperator, type SeededStaff } from '../../local/fillers/staff';
import { staffFile, stateDirectory } from '../../local/state-directory';
import { cognitoClient, staffPool } from '../../src/adapters/operator/staff-pool';
import { ROLES } from '../../src/core/staff/actor';
import { base32Bytes, totp } from '../../src/core/staff/totp';
import { signIn, type SignInOutcome } from '../../src/operations/staff/sign-in';
import type { Tokens } from '../../src/ports/staff-pool';
import { withoutRight } from './harness/as-function';
import { outputs } from './harness/cloud';
import { intact } from './harness/intact';
import { get, post } from './harness/post';
import { recordsWith } from './harness/published-log';

const cognito = cognitoClient();
const pool = staffPool(cognito, outputs.UserPoolClientId);
const file = staffFile(stateDirectory());
const seeded = (JSON.parse(readFileSync(file, 'utf8')) as SeededStaff).staff;
const of = (role: string): SeededOperator => seeded.find((one) => one.role === role)!;

type Person = Pick<SeededOperator, 'userName' | 'password' | 'totpSecret'>;
const codeOf = ({ totpSecret }: Person): string => totp(base32Bytes(totpSecret), new Date());

function signInAs(person: Person, wrong: { readonly password?: string; readonly code?: string } = {}): Promise<SignInOutcome> {
  const unasked = (): Promise<never> => Promise.reject(new Error('asked for what an enrolled operator is not asked'));
  return signIn(
    { pool, poolId: outputs.UserPoolId, random: randomBytes, now: () => new Date() },
    { userName: person.userName, password: async () => wrong.password ?? person.password, code: async () => wrong.code ?? codeOf(person), newPassword: unasked, enroll: unasked },
  );
}

async function tokensOf(person: Person): Promise<Tokens> {
  const outcome = await signInAs(person);
  if (outcome.outcome === 'refused') throw new Error(`${person.userName} was refused: ${outcome.reason}`);
  return outcome.tokens;
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}
async function ask(path: string, token?: string, method = 'GET'): Promise<Answered> {
  const response = await fetch(`${outputs.ApiUrl}${path}`, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {} };
}
const me = (token?: string): Promise<Answered> => ask('/v1/me', token);

const claimsOf = (token: string): Record<string, unknown> => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

afterAll(() => cognito.destroy());

describe('a sign-in', () => {
  it('that cannot be written down gives no tokens', async () => {
    const person = of('auditor');
    await withoutRight('note-sign-in', ['dynamodb:PutItem'], () => expect(signInAs(person)).rejects.toThrow());
    expect((await signInAs(person)).outcome).not.toBe('refused');
  }, 60_000);

  it('of somebody without a role, or with two, is written down, and so is each time they are turned away', async () => {
    for (const [role, groups] of [['none', []], ['several', ['sales', 'admin']]] as const) {
      const stranger = await enrolled(cognito, { userPoolId: outputs.UserPoolId, clientId: outputs.UserPoolClientId }, groups, `stranger-${randomUUID()}`);
      const { accessToken } = await tokensOf(stranger);
      const { status, json } = await ask('/v1/customers', accessToken);
      expect([status, json['type']]).toEqual([403, `urn:intact:problem:${role === 'none' ? 'no-role' : 'several-roles'}`]);
      const noted = [...(await recordsWith('operatorName', stranger.userName))].sort((a, b) => ((a['sk']?.S ?? '') < (b['sk']?.S ?? '') ? -1 : 1));
      expect(noted.map(({ action, decision, operatorRole }) => [action?.S, decision?.S, operatorRole?.S])).toEqual([['SignIn', 'allow', role], ['SignIn', 'allow', role], ['ListCustomers', 'deny', role]]);
    }
  }, 60_000);
});

describe('the seeded staff', () => {
  it('lie in a file that only its owner can read, one of each role', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(seeded.map(({ role }) => role)).toEqual([...ROLES]);
    expect(new Set(seeded.map(({ password }) => password)).size).toBe(ROLES.length);
  });

  it.each([...ROLES])('%s signs in with password and code, and is told who that is', async (role) => {
    const person = of(role);
    const { accessToken, expiresInSeconds } = await tokensOf(person);
    expect(expiresInSeconds).toBe(900);
    const { status, headers, json } = await me(accessToken);
    const { UserAttributes = [] } = await cognito.send(new AdminGetUserCommand({ UserPoolId: outputs.UserPoolId, Username: person.userName }));
    const claims = claimsOf(accessToken);
    expect([status, json]).toEqual([200, {
      operatorId: UserAttributes.find(({ Name }) => Name === 'sub')?.Value,
      name: person.userName,
      role,
      signedInAt: new Date(Number(claims['auth_time']) * 1000).toISOString(),
      expiresAt: new Date(Number(claims['exp']) * 1000).toISOString(),
    }]);
    expect(Date.parse(String(json['expiresAt'])) - Date.parse(String(json['signedInAt']))).toBe(900_000);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/);
  });
});

describe('who is not let in', () => {
  const person = of('support');

  it.each([
    ['a wrong password', { password: 'Wrong-password-123' }, 'not-authorized'],
    ['a wrong code', { code: '000000' }, 'wrong-code'],
    ['no code', { code: '' }, 'wrong-code'],
    ['the code of another operator', { code: codeOf(of('admin')) }, 'wrong-code'],
  ])('%s', async (_what, wrong, reason) => {
    expect(await signInAs(person, wrong)).toEqual({ outcome: 'refused', reason });
  });

  it('a name that nobody has, told apart from a wrong password by nothing', async () => {
    const nobody = { ...person, userName: `nobody-${randomUUID()}` };
    expect(await signInAs(nobody)).toEqual({ outcome: 'refused', reason: 'not-authorized' });
    expect(await signInAs(person, { password: 'Wrong-password-123' })).toEqual({ outcome: 'refused', reason: 'not-authorized' });
  });

  it('who signs up by themselves', async () => {
    // AWS refuses the call itself, by the setting that the last test below reads; the emulator takes it, and still lets nobody in whom no administrator has confirmed.
    const mallory = { userName: `mallory-${randomUUID()}`, password: 'Mallory-Mallory-1', totpSecret: person.totpSecret };
    await cognito.send(new SignUpCommand({ ClientId: outputs.UserPoolClientId, Username: mallory.userName, Password: mallory.password })).catch(() => undefined);
    expect(await signInAs(mallory)).toEqual({ outcome: 'refused', reason: 'not-authorized' });
  });
});

describe('a token', () => {
  let token = '';
  beforeAll(async () => {
    token = (await tokensOf(of('support'))).accessToken;
  });
  const refused = async (bearer: string | undefined): Promise<number> => (await me(bearer)).status;

  it('is asked for', async () => {
    expect(await refused(undefined)).toBe(401);
  });

  it.each([
    ['is garbage', () => 'garbage'],
    ['is three pieces of garbage', () => 'a.b.c'],
    ['has another signature', () => `${token.slice(0, -8)}AAAAAAAA`],
    ['says another role under the same signature', () => changed({ 'cognito:groups': ['admin'] })],
    ['is not signed at all', () => unsigned()],
    ['is signed with its own header as the key', () => hmacSigned()],
    ['is signed by somebody else under the same key id', () => signedByUs({})],
  ])('is refused where it %s', async (_what, make) => {
    expect(await refused(make())).toBe(401);
  });

  it('is refused after its end, genuine as it is', async () => {
    const client = { UserPoolId: outputs.UserPoolId, ClientId: outputs.UserPoolClientId };
    const { UserPoolClient: { AccessTokenValidity, TokenValidityUnits } = {} } = await cognito.send(new DescribeUserPoolClientCommand(client));
    expect([AccessTokenValidity, TokenValidityUnits?.AccessToken]).toEqual([15, 'minutes']);
    let brief: string;
    try {
      await cognito.send(new UpdateUserPoolClientCommand({ ...client, AccessTokenValidity: 3, TokenValidityUnits: { ...TokenValidityUnits, AccessToken: 'seconds' } }));
      brief = (await tokensOf(of('support'))).accessToken;
    } finally {
      await cognito.send(new UpdateUserPoolClientCommand({ ...client, AccessTokenValidity, TokenValidityUnits }));
    }
    expect((await me(brief)).status).toBe(200);
    const end = 1000 * Number(claimsOf(brief)['exp']);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, end - Date.now()) + 100));
    expect(await refused(brief)).toBe(401);
  });

  it('of another pool is refused, its user, role and code right in there', async () => {
    const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: 'foreign', MfaConfiguration: 'OFF' }));
    const userPoolId = UserPool?.Id ?? '';
    const { UserPoolClient } = await cognito.send(new CreateUserPoolClientCommand({ UserPoolId: userPoolId, ClientName: 'staff', ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] }));
    const clientId = UserPoolClient?.ClientId ?? '';
    const theirs = await enrolled(cognito, { userPoolId, clientId }, [], 'support');
    const entry = await signIn({ pool: staffPool(cognito, clientId), poolId: userPoolId, random: randomBytes, now: () => new Date() }, { userName: 'support', password: async () => theirs.password, code: async () => codeOf(theirs), newPassword: async () => '', enroll: async () => undefined });
    expect(entry.outcome).toBe('signed-in');
    expect(await refused(entry.outcome === 'signed-in' ? entry.tokens.accessToken : '')).toBe(401);
  });

  it('of another client of the same pool is refused', async () => {
    const { UserPoolClient } = await cognito.send(new CreateUserPoolClientCommand({ UserPoolId: outputs.UserPoolId, ClientName: 'other', ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] }));
    const person = of('support');
    const entry = await signIn({ pool: staffPool(cognito, UserPoolClient?.ClientId ?? ''), poolId: outputs.UserPoolId, random: randomBytes, now: () => new Date() }, { userName: person.userName, password: async () => person.password, code: async () => codeOf(person), newPassword: async () => '', enroll: async () => undefined });
    expect(entry.outcome).toBe('signed-in');
    expect(await refused(entry.outcome === 'signed-in' ? entry.tokens.accessToken : '')).toBe(401);
  });

  const piece = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const changed = (claims: object): string => {
    const [header, , signature] = token.split('.');
    return `${header}.${piece({ ...claimsOf(token), ...claims })}.${signature}`;
  };
  const headerOf = (): Record<string, unknown> => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const unsigned = (): string => `${piece({ ...headerOf(), alg: 'none' })}.${token.split('.')[1]}.`;
  const hmacSigned = (): string => {
    const signed = `${piece({ ...headerOf(), alg: 'HS256' })}.${token.split('.')[1]}`;
    return `${signed}.${createHmac('sha256', piece(headerOf())).update(signed).digest('base64url')}`;
  };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signedByUs = (claims: object): string => {
    const signed = `${piece(headerOf())}.${piece({ ...claimsOf(token), ...claims })}`;
    return `${signed}.${signBytes('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  };
});

describe('a role', () => {
  it('is needed: who is in no group is signed in and told so', async () => {
    const stranger = await enrolled(cognito, { userPoolId: outputs.UserPoolId, clientId: outputs.UserPoolClientId }, [], `stranger-${randomUUID()}`);
    const { status, headers, json } = await me((await tokensOf(stranger)).accessToken);
    expect([status, headers.get('content-type'), json]).toEqual([403, 'application/problem+json', expect.objectContaining({ type: 'urn:intact:problem:no-role', status: 403 })]);
  });

  it('is one: who is in two groups acts in neither', async () => {
    const both = await enrolled(cognito, { userPoolId: outputs.UserPoolId, clientId: outputs.UserPoolClientId }, ['support', 'admin'], `both-${randomUUID()}`);
    const { status, json } = await me((await tokensOf(both)).accessToken);
    expect([status, json['type']]).toEqual([403, 'urn:intact:problem:several-roles']);
  });
});

describe('a refresh token', () => {
  it('renews the access token until it is revoked, and never after', async () => {
    const { refreshToken = '' } = await tokensOf(of('auditor'));
    const renewed = await pool.refresh(refreshToken);
    expect(renewed.step).toBe('tokens');
    expect((await me(renewed.step === 'tokens' ? renewed.tokens.accessToken : '')).status).toBe(200);
    await pool.revoke(refreshToken);
    expect(await pool.refresh(refreshToken)).toEqual({ step: 'refused', reason: 'not-authorized' });
  });
});

describe('the command line', () => {
  it('signs in, says who that is, signs out, and then is nobody', async () => {
    const login = await intact(['login', '--as', 'compliance', '--json']);
    expect([login.code, JSON.parse(login.stdout || '{}')]).toEqual([0, expect.objectContaining({ name: 'compliance', role: 'compliance' })]);
    const session = `${stateDirectory().root}/session-local.json`;
    expect(statSync(session).mode & 0o777).toBe(0o600);
    const told = await intact(['me', '--json']);
    expect([told.code, JSON.parse(told.stdout || '{}')]).toEqual([0, expect.objectContaining({ name: 'compliance', role: 'compliance', operatorId: expect.any(String) as string })]);
    const { refreshToken } = JSON.parse(readFileSync(session, 'utf8')) as { refreshToken: string };
    expect((await intact(['logout'])).code).toBe(0);
    // Revoked in the pool, not only forgotten here.
    expect(await pool.refresh(refreshToken)).toEqual({ step: 'refused', reason: 'not-authorized' });
    const after = await intact(['me']);
    expect([after.code, after.stdout]).toEqual([2, '']);
    expect(after.stderr).toContain('npx intact login');
  });
});

describe('what is open', () => {
  it('answers without a token: health, and the webhook by its own rules', async () => {
    const health = await ask('/health');
    expect([health.status, health.json]).toEqual([200, { status: 'up' }]);
    expect((await post('{}', { sign: 'forged' })).status).toBe(401);
    expect((await get({ 'hub.mode': 'subscribe', 'hub.verify_token': 'no', 'hub.challenge': '1' })).status).toBe(403);
  });

  it('is nothing else: no other method and no other path, with a token or without', async () => {
    const { accessToken } = await tokensOf(of('admin'));
    for (const token of [undefined, accessToken]) for (const [method, path] of [['POST', '/v1/me'], ['GET', '/v1'], ['GET', '/v1/me/more'], ['GET', '/'], ['POST', '/health']] as const) expect([method, path, (await ask(path, token, method)).status]).not.toEqual([method, path, 200]);
  });
});

it('the pool that is deployed asks for a second factor and lets nobody sign up', async () => {
  const { UserPool } = await cognito.send(new DescribeUserPoolCommand({ UserPoolId: outputs.UserPoolId }));
  expect(UserPool).toMatchObject({ MfaConfiguration: 'ON', AdminCreateUserConfig: { AllowAdminCreateUserOnly: true }, DeletionProtection: 'ACTIVE' });
});
