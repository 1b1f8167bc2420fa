import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emulatorEnvironment, isolatedEnvironment, localEnvironment } from '../../local/environment';
import type { StateDirectory } from '../../local/state-directory';

/** What a developer's shell may hold; every value is recognisable. */
const poison = {
  AWS_PROFILE: 'poison',
  AWS_DEFAULT_PROFILE: 'poison',
  AWS_ACCESS_KEY_ID: 'poison',
  AWS_SECRET_ACCESS_KEY: 'poison',
  AWS_SESSION_TOKEN: 'poison',
  AWS_REGION: 'eu-poison-1',
  AWS_DEFAULT_REGION: 'eu-poison-1',
  AWS_ENDPOINT_URL: 'https://poison.example',
  AWS_ENDPOINT_URL_S3: 'https://poison.example',
  AWS_ENDPOINT_URL_DYNAMODB: 'https://poison.example',
  AWS_WEB_IDENTITY_TOKEN_FILE: '/poison',
  AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/poison',
  AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:9/poison',
  AWS_CA_BUNDLE: '/poison',
  CDK_DEFAULT_ACCOUNT: '123456789012',
  CDK_CONTEXT_JSON: '{"poison":true}',
  HTTPS_PROXY: 'http://poison.example',
  NODE_OPTIONS: '--no-warnings',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  INTACT_STAGE: 'prod',
};

let directory: string;
let state: StateDirectory;
const before = { ...process.env };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'intact-environment-'));
  const root = join(directory, '.intact');
  state = { root, venv: join(root, 'venv'), cloud: join(root, 'cloud'), assembly: join(root, 'cdk.out'), ca: join(root, 'ca.pem'), caKey: join(root, 'ca.key'), outputs: join(root, 'outputs.json') };
  const home = join(directory, 'home');
  mkdirSync(join(home, '.aws'), { recursive: true });
  writeFileSync(join(home, '.aws', 'config'), '[default]\nregion = eu-poison-1\nendpoint_url = https://poison.example\n[profile poison]\nregion = eu-poison-1\n');
  writeFileSync(join(home, '.aws', 'credentials'), '[default]\naws_access_key_id = poison\naws_secret_access_key = poison\n[poison]\naws_access_key_id = poison\naws_secret_access_key = poison\n');
  Object.assign(process.env, poison, { HOME: home });
});
afterEach(() => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, before);
  rmSync(directory, { recursive: true, force: true });
});

describe('the environment of local processes', () => {
  const all = (): Record<string, Readonly<Record<string, string>>> => ({
    isolated: isolatedEnvironment(state),
    local: localEnvironment(state, 'https://127.0.0.1:4680'),
    emulator: emulatorEnvironment(state, 4680),
  });

  it('holds nothing of the shell but PATH', () => {
    for (const [name, { PATH, ...rest }] of Object.entries(all())) {
      expect(PATH).toContain(before['PATH']);
      const leaked = Object.entries(rest).filter(([variable, value]) => /poison|123456789012/.test(value) || ['AWS_PROFILE', 'NODE_OPTIONS', 'HTTPS_PROXY'].includes(variable));
      expect([name, leaked]).toEqual([name, []]);
    }
  });

  it('has no credentials at all where no cloud is to be reached', () => {
    const names = [...Object.keys(isolatedEnvironment(state)), ...Object.keys(emulatorEnvironment(state, 4680))];
    expect(names.filter((name) => /ACCESS_KEY|SESSION_TOKEN|ENDPOINT_URL/.test(name))).toEqual([]);
  });

  it('leads the AWS SDK to the local cloud only, whatever the shell and ~/.aws say', () => {
    const program = `
      const { S3Client, ListBucketsCommand } = require('@aws-sdk/client-s3');
      const { DynamoDBClient, ListTablesCommand } = require('@aws-sdk/client-dynamodb');
      (async () => {
        const seen = [];
        const requestHandler = { handle: async ({ hostname, headers }) => { seen.push([hostname, /Credential=([^,]+)/.exec(headers.authorization)[1].replace(/\\d{8}/, '<day>')]); throw new Error('not sent'); } };
        await new S3Client({ requestHandler, maxAttempts: 1 }).send(new ListBucketsCommand({})).catch(() => {});
        await new DynamoDBClient({ requestHandler, maxAttempts: 1 }).send(new ListTablesCommand({})).catch(() => {});
        console.log(JSON.stringify(seen));
      })();`;
    const run = (env: NodeJS.ProcessEnv): unknown => JSON.parse(execFileSync(process.execPath, ['-e', program], { env, encoding: 'utf8', cwd: join(__dirname, '..', '..'), stdio: ['ignore', 'pipe', 'ignore'] }));
    const { NODE_OPTIONS: _options, ...shell } = process.env;
    expect(JSON.stringify(run(shell))).toContain('poison'); // The same program in the poisoned shell: the poison works.
    expect(run(localEnvironment(state, 'https://127.0.0.1:4680') as NodeJS.ProcessEnv)).toEqual([
      ['127.0.0.1', 'test/<day>/us-east-1/s3/aws4_request'],
      ['127.0.0.1', 'test/<day>/us-east-1/dynamodb/aws4_request'],
    ]);
  });

  it('names the state directory of a test run to the commands it starts, and not that of npm start', () => {
    const run = { ...state, root: join(state.root, 'test-7') };
    expect([localEnvironment(run, 'https://127.0.0.1:1')['INTACT_LOCAL'], localEnvironment(state, 'https://127.0.0.1:1')['INTACT_LOCAL']]).toEqual(['test-7', undefined]);
  });
});
