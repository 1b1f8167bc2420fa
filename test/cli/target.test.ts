/** Which deployment is meant, and what is left of the environment once it is the local one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StateDirectory } from '../../local/state-directory';
import type { Io } from '../../src/cli/io';
import { resolveTarget } from '../../src/cli/target';
import { fakeCloud, type FakeCloud } from './fake-cloud';

let root: string;
let cloud: FakeCloud;
const state = (): StateDirectory => ({ root, venv: join(root, 'venv'), cloud: join(root, 'cloud'), assembly: '', ca: join(root, 'ca.pem'), caBundle: join(root, 'ca-bundle.pem'), caKey: '', outputs: join(root, 'outputs.json') }) as StateDirectory;
const resolve = (env: Record<string, string | undefined>, stage?: string) => resolveTarget(stage, { env } as unknown as Io, state);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'intact-target-'));
  cloud = await fakeCloud(() => '{}');
  mkdirSync(join(root, 'cloud'));
  writeFileSync(join(root, 'ca.pem'), cloud.certificate);
  const names = ['WebhookUrl', 'RecordsTableName', 'LogTableName', 'KeysTableName', 'ViewsTableName', 'VaultBucketName', 'InboxBucketName', 'AppSecretArn', 'SigningKeyArn', 'WrappingKeyArn'];
  writeFileSync(join(root, 'outputs.json'), JSON.stringify({ ...Object.fromEntries(names.map((name) => [name, name])), endpoint: cloud.endpoint, region: 'us-east-1', caFile: 'ca.pem' }));
});
afterAll(async () => {
  await cloud.close();
  rmSync(root, { recursive: true });
});

describe('the target', () => {
  it('is the running local cloud where no stage is named, or stage local is', async () => {
    for (const [env, stage] of [[{}, undefined], [{ INTACT_STAGE: '' }, undefined], [{ INTACT_STAGE: 'local' }, undefined], [{}, 'local']] as const) {
      expect(await resolve({ ...env }, stage)).toMatchObject({ kind: 'local', stage: 'local', endpoint: cloud.endpoint, ca: cloud.certificate });
    }
  });

  it('is the stage of the option before the one of the environment, and leaves the environment alone', async () => {
    const env = { INTACT_STAGE: 'dev', AWS_PROFILE: 'mine', PATH: '/bin' };
    expect(await resolve(env, 'prod')).toEqual({ kind: 'aws', stage: 'prod' });
    expect(await resolve(env)).toEqual({ kind: 'aws', stage: 'dev' });
    expect(env).toEqual({ INTACT_STAGE: 'dev', AWS_PROFILE: 'mine', PATH: '/bin' });
  });

  it.each(['Prod', '../x', '1a', 'a b', ''.padEnd(40, 'a')])('is never a stage called "%s"', async (stage) => {
    await expect(resolve({}, stage)).rejects.toMatchObject({ code: 'usage' });
  });

  it.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3'])('is refused where a stage is named and %s leads to this machine', async (name) => {
    for (const url of ['https://127.0.0.1:4680', 'http://localhost:1', 'http://[::1]:2']) await expect(resolve({ [name]: url }, 'prod')).rejects.toMatchObject({ code: 'usage' });
    expect(await resolve({ [name]: 'https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com' }, 'prod')).toEqual({ kind: 'aws', stage: 'prod' });
  });

  it('being local, leaves nothing of the environment but what local/environment.ts lists, PATH, TERM and INTACT_DEBUG', async () => {
    const env: Record<string, string | undefined> = { PATH: '/bin', TERM: 'vt100', INTACT_DEBUG: '1', HOME: '/home/me', AWS_PROFILE: 'production', AWS_SESSION_TOKEN: 't', AWS_ENDPOINT_URL_S3: 'x', AWS_WEB_IDENTITY_TOKEN_FILE: 'x', HTTPS_PROXY: 'x', ANYTHING: 'x' };
    await resolve(env);
    for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL_S3', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'HTTPS_PROXY', 'ANYTHING']) expect(env).not.toHaveProperty(name);
    expect(env).toMatchObject({ TERM: 'vt100', INTACT_DEBUG: '1', AWS_ENDPOINT_URL: cloud.endpoint, AWS_ACCESS_KEY_ID: 'test', AWS_EC2_METADATA_DISABLED: 'true' });
    expect(env['HOME']).not.toBe('/home/me');
  });
});
