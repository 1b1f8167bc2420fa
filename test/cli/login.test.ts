/** Signing in at a command line: at a terminal, where a person is asked and secrets stay unseen; on the local cloud, where nobody is; and what is left of it on the disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Call } from '../../src/cli/command';
import { report } from '../../src/cli/failure';
import type { Io } from '../../src/cli/io';
import { run as login } from '../../src/cli/login';
import { run as logout } from '../../src/cli/logout';
import { run as me } from '../../src/cli/me';
import { seededStaff, sessionFile, type StaffAccess } from '../../src/cli/staff-access';
import type { Deployment } from '../../src/cli/world';
import { base32Bytes, totp } from '../../src/core/staff/totp';
import type { SignInStep, StaffPool } from '../../src/ports/staff-pool';

const NOW = new Date('2026-11-02T08:00:00Z');
const SECRET = 'MZXW6YTBOI';
const seeded = { role: 'support', userName: 'support', password: 'Seeded-password-1', totpSecret: SECRET };
const identity = { operatorId: 'o1', name: 'anna', role: 'support', signedInAt: '2026-11-02T08:00:00.000Z', expiresAt: '2026-11-02T08:15:00.000Z' };

let directory = '';
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'intact-login-')); });
afterEach(() => rmSync(directory, { recursive: true }));

/** A pool that asks for these challenges and accepts what comes; what it was asked is kept. */
function cloud(kind: 'local' | 'aws', challenges: readonly string[], more: Partial<StaffPool> = {}) {
  const asked: string[] = [];
  const left = [...challenges];
  const state = { status: 200, now: NOW };
  const next = (): SignInStep => {
    const name = left.shift();
    if (name === undefined) return { step: 'tokens', tokens: { accessToken: 'access-1', refreshToken: 'refresh-1', expiresInSeconds: 900 } };
    return { step: 'challenge', name, session: 's', parameters: name === 'PASSWORD_VERIFIER' ? { SALT: '1f', SRP_B: 'abcdef', SECRET_BLOCK: 'AAAA' } : {} };
  };
  const pool: StaffPool = {
    begin: async (userName) => { asked.push(`begin ${userName}`); return next(); },
    answer: async (challenge, _session, { NEW_PASSWORD = '', SOFTWARE_TOKEN_MFA_CODE = '' }) => { asked.push(`${challenge} ${NEW_PASSWORD}${SOFTWARE_TOKEN_MFA_CODE}`.trim()); return next(); },
    newTotpSecret: async () => ({ secret: SECRET, session: 's2' }),
    verifyTotp: async (_proof, code) => { asked.push(`verify ${code}`); return { session: 's3' }; },
    refresh: async (token) => { asked.push(`refresh ${token}`); return { step: 'tokens', tokens: { accessToken: 'access-2', expiresInSeconds: 900 } }; },
    revoke: async (token) => void asked.push(`revoke ${token}`),
    ...more,
  };
  const staff: StaffAccess = {
    poolId: 'p_1', clientId: 'client', pool,
    sessions: sessionFile(directory, kind === 'local' ? 'local' : 'prod', 'client'),
    seeded: () => seededStaff(join(directory, 'staff.json'), 'p_1'),
    get: async (path, token) => { asked.push(`GET ${path} ${token}`); return { status: state.status, body: JSON.stringify(state.status === 200 ? identity : { title: 'You have no role' }) }; },
  };
  const deployment = { target: { kind, stage: kind === 'local' ? 'local' : 'prod' }, staff, random: (n: number) => Buffer.alloc(n, 7) } as unknown as Deployment;
  return { asked, state, deployment };
}

async function call(run: typeof login, { deployment, state }: ReturnType<typeof cloud>, { as, json = false, typed, interactive = typed !== undefined }: { readonly as?: string; readonly json?: boolean; readonly typed?: readonly string[]; readonly interactive?: boolean } = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const stdin = new PassThrough();
  const answers = [...(typed ?? [])];
  const io: Io = {
    stdout: { write: (chunk) => out.push(String(chunk)) },
    stderr: {
      write: (chunk) => {
        err.push(String(chunk));
        // A person types when asked, and not before.
        if (/(name|password|more|app): $/.test(String(chunk))) setImmediate(() => { const answer = answers.shift(); if (answer === undefined) stdin.end(); else stdin.write(`${answer}\n`); });
      },
    },
    stdin, interactive, env: {}, cwd: '/', now: () => state.now, sleep: async () => undefined,
  };
  const the: Call = { operands: [], text: (name) => (name === 'as' ? as : undefined), flag: (name) => name === 'json' && json, version: () => '0', io, world: { deployment: async () => deployment, now: () => state.now } as unknown as Call['world'] };
  const code = await run(the).catch((error: unknown) => report(io, error));
  return { code, stdout: out.join(''), stderr: err.join('') };
}

describe('at a terminal', () => {
  it('a person is asked for name, password and code, and the password is not shown', async () => {
    const there = cloud('aws', ['PASSWORD_VERIFIER', 'SOFTWARE_TOKEN_MFA']);
    const { code, stdout, stderr } = await call(login, there, { typed: ['anna', 'Secret-of-anna-1', '123456'] });
    expect([code, stdout]).toEqual([0, 'signed in as anna, support\n']);
    expect(there.asked).toEqual(['begin anna', 'PASSWORD_VERIFIER', 'SOFTWARE_TOKEN_MFA 123456', 'GET /v1/me access-1']);
    expect(stderr).toContain('password: ');
    expect(stderr).not.toContain('Secret-of-anna');
  });

  it('a new operator chooses a password, twice the same, and sees the secret of the app once, never on stdout', async () => {
    const there = cloud('aws', ['PASSWORD_VERIFIER', 'NEW_PASSWORD_REQUIRED', 'MFA_SETUP']);
    const { code, stdout, stderr } = await call(login, there, { typed: ['anna', 'Temporary-1', 'Chosen-by-anna-1', 'Chosen-by-anna-1', '654321'], json: true });
    expect([code, JSON.parse(stdout)]).toEqual([0, identity]);
    expect(there.asked).toEqual(['begin anna', 'PASSWORD_VERIFIER', 'NEW_PASSWORD_REQUIRED Chosen-by-anna-1', 'verify 654321', 'MFA_SETUP', 'GET /v1/me access-1']);
    expect(stderr.split(SECRET)).toHaveLength(2);
    expect(stderr).toContain('otpauth://totp/Intact%20prod:anna?secret=');
    for (const secret of ['Temporary-1', 'Chosen-by-anna']) expect(`${stdout}${stderr}`).not.toContain(secret);
    expect(readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8')).join()).not.toContain(SECRET);
  });

  it('two new passwords that differ change nothing', async () => {
    const there = cloud('aws', ['PASSWORD_VERIFIER', 'NEW_PASSWORD_REQUIRED']);
    const { code, stderr } = await call(login, there, { typed: ['anna', 'Temporary-1', 'Chosen-by-anna-1', 'Chosen-by-anna-2'] });
    expect([code, there.asked]).toEqual([2, ['begin anna', 'PASSWORD_VERIFIER']]);
    expect(stderr).toContain('not the same');
  });

  it('who stops typing is not signed in', async () => {
    const { code } = await call(login, cloud('aws', ['PASSWORD_VERIFIER', 'SOFTWARE_TOKEN_MFA']), { typed: ['anna'] });
    expect([code, readdirSync(directory)]).toEqual([2, []]);
  });

  it('that is none is not asked: a password does not belong into a pipe', async () => {
    const there = cloud('aws', ['PASSWORD_VERIFIER']);
    expect([(await call(login, there)).code, there.asked]).toEqual([2, []]);
  });

  it('nobody signs in as a role of the local cloud on a stage', async () => {
    const there = cloud('aws', []);
    expect([(await call(login, there, { as: 'admin', typed: [] })).code, there.asked]).toEqual([2, []]);
  });

  it.each(['not-authorized', 'wrong-code', 'weak-password', 'too-many-attempts', 'expired'] as const)('a refusal is told with what to do next: %s', async (reason) => {
    const there = cloud('aws', ['PASSWORD_VERIFIER'], { answer: async () => ({ step: 'refused', reason }) });
    const { code, stderr } = await call(login, there, { typed: ['anna', 'x'] });
    expect([code, readdirSync(directory)]).toEqual([1, []]);
    expect(stderr).toMatch(/\n {2}next: .+/);
  });
});

describe('on the local cloud', () => {
  beforeEach(() => writeFileSync(join(directory, 'staff.json'), JSON.stringify({ userPoolId: 'p_1', staff: [seeded] })));

  it('nobody is asked: the code is computed', async () => {
    const there = cloud('local', ['PASSWORD_VERIFIER', 'SOFTWARE_TOKEN_MFA']);
    expect((await call(login, there)).code).toBe(0);
    expect(there.asked).toContain(`SOFTWARE_TOKEN_MFA ${totp(base32Bytes(SECRET), NOW)}`);
  });

  it('a role that nobody has is refused with those there are', async () => {
    const { code, stderr } = await call(login, cloud('local', []), { as: 'root' });
    expect(code).toBe(2);
    expect(stderr).toContain('sales, support, compliance');
  });

  it('staff of an earlier cloud are not those of this one', async () => {
    writeFileSync(join(directory, 'staff.json'), JSON.stringify({ userPoolId: 'p_0', staff: [seeded] }));
    const { code, stderr } = await call(login, cloud('local', []));
    expect(code).toBe(2);
    expect(stderr).not.toContain(seeded.password);
  });
});

describe('the session', () => {
  const signedIn = async (there: ReturnType<typeof cloud>): Promise<void> => {
    writeFileSync(join(directory, 'staff.json'), JSON.stringify({ userPoolId: 'p_1', staff: [seeded] }));
    expect((await call(login, there)).code).toBe(0);
    there.asked.length = 0;
  };

  it('can be read by its owner alone, and holds no password', async () => {
    await signedIn(cloud('local', ['PASSWORD_VERIFIER']));
    const path = join(directory, 'session-local.json');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).not.toContain(seeded.password);
  });

  it('is renewed when its token is about to end, not before', async () => {
    const there = cloud('local', []);
    await signedIn(there);
    await call(me, there);
    there.state.now = new Date(NOW.getTime() + 880_000);
    expect(await call(me, there, { json: true })).toMatchObject({ code: 0, stdout: `${JSON.stringify(identity)}\n` });
    await call(me, there);
    expect(there.asked).toEqual(['GET /v1/me access-1', 'refresh refresh-1', 'GET /v1/me access-2', 'GET /v1/me access-2']);
  });

  it('that was ended elsewhere is forgotten here, and says so', async () => {
    const there = cloud('local', [], { refresh: async () => ({ step: 'refused', reason: 'not-authorized' }) });
    await signedIn(there);
    there.state.now = new Date(NOW.getTime() + 3_600_000);
    const { code, stderr } = await call(me, there);
    expect([code, readdirSync(directory)]).toEqual([2, ['staff.json']]);
    expect(stderr).toContain('npx intact login');
  });

  it('is ended in the pool first: where that fails it is kept, so that it can be ended yet', async () => {
    const there = cloud('local', []);
    await signedIn(there);
    expect((await call(logout, { ...there, deployment: { ...there.deployment, staff: { ...there.deployment.staff!, pool: { ...there.deployment.staff!.pool, revoke: () => Promise.reject(new Error('away')) } } } })).code).toBe(2);
    expect(readdirSync(directory)).toContain('session-local.json');
    expect((await call(logout, there)).code).toBe(0);
    expect([there.asked, readdirSync(directory)]).toEqual([['revoke refresh-1'], ['staff.json']]);
    // Once more is no failure.
    expect((await call(logout, there)).code).toBe(0);
  });

  it.each([['of another deployment', { clientId: 'other', userName: 'a', accessToken: 'a', refreshToken: 'r', expiresAt: '2030-01-01T00:00:00Z' }], ['that is damaged', { clientId: 'client' }]])('%s is none', async (_what, session) => {
    writeFileSync(join(directory, 'session-local.json'), JSON.stringify(session));
    const there = cloud('local', []);
    expect([(await call(me, there)).code, there.asked]).toEqual([2, []]);
  });

  it.each([[401, 2], [403, 2], [500, 2]])('the API says %d: exit %d, nothing on stdout', async (status, code) => {
    const there = cloud('local', []);
    await signedIn(there);
    there.state.status = status;
    const ran = await call(me, there);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    if (status === 403) expect(ran.stderr).toContain('You have no role');
  });
});

it('a stage that was deployed before it had staff says so', async () => {
  const there = cloud('aws', []);
  const { code, stderr } = await call(me, { ...there, deployment: { target: { kind: 'aws', stage: 'prod' } } as unknown as Deployment });
  expect(code).toBe(2);
  expect(stderr).toContain('cdk deploy');
});
