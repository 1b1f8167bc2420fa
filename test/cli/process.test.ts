/**
 * The command as a process: which deployment it talks to, that a poisoned environment leads it nowhere else, and its exit codes. Every run has a state
 * directory of its own, so a local cloud that somebody has running is neither used nor disturbed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeCloud, trap, type FakeCloud, type Trap } from './fake-cloud';

const root = join(__dirname, '..', '..');
const local = `test-cli-${process.pid}`;
const state = join(root, '.intact', local);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Called with each piece of stderr; may kill. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

function node(args: readonly string[], { env = {}, stdin = '', onStderr }: Options = {}): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, { cwd: root, env: { PATH: process.env['PATH'] ?? '', INTACT_LOCAL: local, ...env }, stdio: 'pipe' });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onStderr?.(stderr, (signal) => child.kill(signal));
    });
    child.stdin.on('error', () => undefined);
    if (onStderr === undefined) child.stdin.end(stdin);
    child.once('error', failed).once('close', (code) => done({ code, stdout, stderr }));
  });
}
const intact = (args: readonly string[], options?: Options): Promise<Ended> => node([join('bin', 'intact.cjs'), ...args], options);

const SECRET = 'the app secret of the fake cloud';
const running = (cloud: Pick<FakeCloud, 'endpoint' | 'certificate'>, changes: Readonly<Record<string, unknown>> = {}): void => {
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, 'ca.pem'), cloud.certificate);
  const names = { RecordsTableName: 'records', LogTableName: 'log', KeysTableName: 'keys', ViewsTableName: 'views', VaultBucketName: 'the-vault', InboxBucketName: 'the-inbox', AppSecretArn: 'arn:a', SigningKeyArn: 'arn:s', WrappingKeyArn: 'arn:w' };
  const outputs = { ...names, WebhookUrl: `${cloud.endpoint}/_aws/execute-api/x/webhook`, endpoint: cloud.endpoint, region: 'us-east-1', caFile: join(state, 'ca.pem'), ...changes };
  writeFileSync(join(state, 'outputs.json'), JSON.stringify(outputs));
};

let cloud: FakeCloud;
beforeAll(async () => {
  cloud = await fakeCloud(({ path, headers }) => {
    if (headers['x-amz-target'] === 'secretsmanager.GetSecretValue') return JSON.stringify({ SecretString: JSON.stringify({ appSecrets: [SECRET], verifyToken: 't' }) });
    if (path === '/_aws/execute-api/x/webhook') return JSON.stringify({ recorded: 1 });
    return headers['x-amz-target'] === undefined ? undefined : '{}';
  });
});
afterAll(() => cloud.close());
beforeEach(() => {
  cloud.asked.length = 0;
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

describe('without a deployment named', () => {
  it.each([['status'], ['list'], ['key'], ['env'], ['tamper']])('and no local cloud running, %s is exit 2 and says what to do', async (command) => {
    const ran = await intact(command === 'tamper' ? [command, '--local'] : [command]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('start it with npm start, or name a stage');
  });

  it('a cloud that a killed start left on paper does not count as running', async () => {
    running({ endpoint: 'https://127.0.0.1:9', certificate: cloud.certificate });
    const ran = await intact(['key']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('start it with npm start, or name a stage');
  });

  it('the first line on stderr names the running local cloud', async () => {
    running(cloud);
    const { stderr } = await intact(['env']);
    expect(stderr.split('\n')[0]).toBe(`target: local cloud at ${cloud.endpoint} (nothing reaches AWS)`);
  });

  it.each([['an address elsewhere', { endpoint: 'https://dynamodb.us-east-1.amazonaws.com' }], ['outputs missing', { KeysTableName: undefined }]])('a description with %s is refused', async (_what, changes) => {
    running(cloud, changes);
    const ran = await intact(['key']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('does not describe a local cloud');
    expect(cloud.asked).toEqual([]);
  });

  it('a cloud that shows another certificate than the known one is not talked to', async () => {
    const impostor = await fakeCloud(() => '{}');
    running({ endpoint: impostor.endpoint, certificate: cloud.certificate });
    const ran = await intact(['key']);
    await impostor.close();
    expect(ran.code).toBe(2);
    expect(impostor.asked).toEqual([]);
  });
});

describe('a poisoned environment', () => {
  let trapped: Trap;
  let home: string;
  const poison = (): Readonly<Record<string, string>> => ({
    HOME: home,
    AWS_PROFILE: 'production',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIAPOISON',
    AWS_SECRET_ACCESS_KEY: 'poison',
    AWS_SESSION_TOKEN: 'poison',
    AWS_ENDPOINT_URL: trapped.url,
    ...Object.fromEntries(['DYNAMODB', 'S3', 'KMS', 'SECRETS_MANAGER', 'CLOUDWATCH', 'CLOUDFORMATION', 'STS'].map((service) => [`AWS_ENDPOINT_URL_${service}`, trapped.url])),
    AWS_CONFIG_FILE: join(home, '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, '.aws', 'credentials'),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${trapped.url}/credentials`,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: trapped.url,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/poison',
    AWS_WEB_IDENTITY_TOKEN_FILE: join(home, '.aws', 'token'),
    HTTP_PROXY: trapped.url,
    HTTPS_PROXY: trapped.url,
    ALL_PROXY: trapped.url,
  });

  beforeAll(async () => {
    trapped = await trap();
    home = mkdtempSync(join(tmpdir(), 'intact-home-'));
    mkdirSync(join(home, '.aws'));
    writeFileSync(join(home, '.aws', 'config'), `[profile production]\nregion = eu-west-1\nendpoint_url = ${trapped.url}\ncredential_process = touch ${join(home, 'touched')}\n[default]\nregion = eu-west-1\nendpoint_url = ${trapped.url}\n`);
    writeFileSync(join(home, '.aws', 'credentials'), '[production]\naws_access_key_id = AKIAPOISON\naws_secret_access_key = poison\n');
    writeFileSync(join(home, '.aws', 'token'), 'poison');
  });
  afterAll(async () => {
    await trapped.close();
    rmSync(home, { recursive: true });
  });

  it('does lead the SDK alone into the trap', async () => {
    const script = `const { DynamoDBClient, ListTablesCommand } = require('@aws-sdk/client-dynamodb'); new DynamoDBClient({ maxAttempts: 1 }).send(new ListTablesCommand({})).catch(() => {})`;
    await node(['-e', script], { env: poison() });
    expect(trapped.caught()).toBeGreaterThan(0);
  });

  it.each([[['send', '-']], [['key']], [['status']], [['proof', 'wamid.X']], [['pull', join('.intact', local, 'pulled')]], [['tamper', '--local']], [['verify', 's3://the-vault']], [['env']]])(
    'leads intact %j nowhere but to the local cloud, with the local credentials',
    async (args) => {
      running(cloud);
      const before = trapped.caught();
      const ran = await intact(args, { env: poison(), stdin: '{}' });
      expect(trapped.caught()).toBe(before);
      if (args[0] !== 'env') expect(cloud.asked.length).toBeGreaterThan(0);
      for (const { path, headers } of cloud.asked) {
        if (!path.startsWith('/_aws/')) expect(headers['authorization']).toMatch(/Credential=test\/\d{8}\/us-east-1\//);
        expect(headers['x-amz-security-token']).toBeUndefined();
      }
      expect(`${ran.stdout}${ran.stderr}`).not.toMatch(/AKIAPOISON|poison/);
    },
  );

  it('together with a stage named is refused: the stage would be this machine', async () => {
    const before = trapped.caught();
    const ran = await intact(['status', '--stage', 'dev'], { env: poison() });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('points to this machine');
    expect(trapped.caught()).toBe(before);
  });
});

describe('exit codes', () => {
  it('0: a delivery sent, signed with the secret of the cloud, its bytes verbatim', async () => {
    running(cloud);
    const ran = await intact(['send', '-', '--json'], { stdin: ' {"a" :\u20281}\n' });
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject([{ source: 'stdin', status: 200, answer: { recorded: 1 } }]);
    expect(cloud.asked.find(({ method, path }) => method === 'POST' && path.endsWith('/webhook'))?.body.toString()).toBe(' {"a" :\u20281}\n');
  });

  it('1: what is read and wrong', async () => {
    expect((await intact(['proof', 'verify', '-'], { stdin: 'no proof' })).code).toBe(1);
    mkdirSync(state, { recursive: true });
    expect((await intact(['verify', state])).code).toBe(1);
  });

  it('2: what could not be tried', async () => {
    expect((await intact(['proof', 'verify', '/no/such/file'])).code).toBe(2);
    expect(await intact(['verify', '/no/such/directory'])).toMatchObject({ code: 2, stderr: expect.stringContaining('npx intact pull') as string });
    expect((await intact(['verify', 's3://Not A Bucket'])).code).toBe(2);
    expect((await intact(['verify', 'ftp://example.com/log'])).code).toBe(2);
    expect((await intact(['status', '--stage', 'no-such-stage'])).code).toBe(2);
    expect((await intact(['status', '--stage', '../../etc'])).code).toBe(2);
    expect((await intact(['key'], { env: { INTACT_LOCAL: '../elsewhere' } })).code).toBe(2);
  });

  it('2: interrupted, and it says so', async () => {
    let killed = false;
    const ran = await intact(['proof', 'verify', '-'], {
      onStderr: (text, kill) => {
        if (!killed && text.includes('source:')) kill('SIGINT');
        killed ||= text.includes('source:');
      },
    });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('interrupted');
  });

  it('stack traces are shown to those who ask for them only', async () => {
    expect((await intact(['status', '--stage', 'no-such-stage'])).stderr).not.toMatch(/\n {4}at /);
    expect((await intact(['status', '--stage', 'no-such-stage'], { env: { INTACT_DEBUG: '1' } })).stderr).toMatch(/\n {4}at /);
  });
});

describe('the command', () => {
  it('loads no SDK, no zod and no other command to say what it can do', async () => {
    const script = `process.argv = [process.argv[0], 'intact', 'help']; process.on('exit', () => process.stderr.write(Object.keys(require.cache).join('\\n'))); require(${JSON.stringify(join(root, 'bin', 'intact.cjs'))})`;
    const { stderr } = await node(['-e', script]);
    const loaded = stderr.split('\n').map((path) => path.slice(root.length + 1));
    expect(loaded).toContain(join('src', 'cli', 'command-table.ts'));
    expect(loaded.filter((path) => /aws-sdk|zod|src.(operations|adapters)|cli.(status|send|verify)\.ts/.test(path))).toEqual([]);
  });
});
