import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { bundleLambdas } from '../../../lib/constructs/lambda-bundles';

const work = mkdtempSync(join(tmpdir(), 'intact-bundles-'));
const lambdas = join(work, 'lambdas');
const out = join(work, 'out');
const file = (name: string, text: string): void => writeFileSync(join(lambdas, name), text);

/** What the SDK sends for a put with every header our vault relies on, and how it reads an answer. */
const PUTS = `
  import { PutObjectCommand, S3Client } from ${JSON.stringify(dirname(require.resolve('@aws-sdk/client-s3/package.json')))};
  import { HttpResponse } from ${JSON.stringify(dirname(require.resolve('@smithy/core/package.json')) + '/dist-es/submodules/protocols')};
  export const handler = async () => {
    let sent;
    const handle = async (request) => {
      sent = request;
      return { response: new HttpResponse({ statusCode: 200, headers: { etag: '"e"', 'x-amz-version-id': 'v' }, body: undefined }) };
    };
    const client = new S3Client({ region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId: 'a', secretAccessKey: 's' }, requestHandler: { handle } });
    const put = { Bucket: 'b', Key: 'k/l', Body: 'x', IfNoneMatch: '*', Tagging: 't=1', ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(0), Metadata: { m: '1' } };
    const { ETag, VersionId } = await client.send(new PutObjectCommand(put));
    const { method, path, query, headers } = sent;
    const isOfTheMoment = (name) => /^(authorization|x-amz-date|amz-sdk-|user-agent|x-amz-user-agent)/.test(name);
    return { ETag, VersionId, method, path, query, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !isOfTheMoment(name)).sort()) };
  };`;

/** Asks the policies something that one of them permits, and another forbids. */
const ASKS = `
  import { authorize } from ${JSON.stringify(join(__dirname, '../../../src/operations/staff/authorize'))};
  const actor = { operatorId: 'me', name: '', role: 'sales', sourceIp: '', userAgent: '', requestId: '' };
  export const handler = async () => ['me', 'another'].map((ownerId) => authorize(actor, 'ReadCustomer', { type: 'Customer', id: 'c', ownerId }));`;

beforeAll(async () => {
  mkdirSync(join(lambdas, 'shared'), { recursive: true });
  file('shared/both.ts', `export const both = 'both'.repeat(500);`);
  file('shared/heavy.ts', `export const heavy = 'only of first';`);
  file('shared/old.cjs', `const { sep } = require('node:path'); module.exports = { sep };`);
  file('first.ts', `import { both } from './shared/both'; export const handler = async () => [both.length, (await import('./shared/heavy')).heavy];`);
  file('second.ts', `import { both } from './shared/both'; import { sep } from './shared/old.cjs'; export const handler = async () => [both.length, sep];`);
  file('puts.ts', PUTS);
  file('asks.ts', ASKS);
  const code = await bundleLambdas(lambdas, out);
  for (const name of ['first', 'second', 'puts', 'asks']) code(name);
});
afterAll(() => rmSync(work, { recursive: true }));

const answer = (name: string): unknown =>
  JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', `const { handler } = await import(${JSON.stringify(join(out, name, 'index.mjs'))}); console.log(JSON.stringify(await handler()))`], { encoding: 'utf8', env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' } }));

describe('a bundle', () => {
  it('runs by itself, CommonJS inside and what is imported on demand included', () => {
    expect(answer('first')).toEqual([2000, 'only of first']);
    expect(answer('second')).toEqual([2000, '/']);
  });

  it('holds what its handler may need and nothing of its neighbours, no source maps', () => {
    const [first, second] = [readdirSync(join(out, 'first')), readdirSync(join(out, 'second'))];
    expect(first.filter((name) => name.startsWith('heavy'))).toHaveLength(1);
    expect(second.filter((name) => name.startsWith('heavy'))).toHaveLength(0);
    expect([...first, ...second].every((name) => name.endsWith('.mjs'))).toBe(true);
  });

  it('sends what the SDK sends, and of the SDK holds only the operations that are used', () => {
    expect(answer('puts')).toEqual({
      ETag: '"e"',
      VersionId: 'v',
      method: 'PUT',
      path: '/b/k/l',
      query: { 'x-id': 'PutObject' },
      headers: expect.objectContaining({
        'if-none-match': '*',
        'x-amz-meta-m': '1',
        'x-amz-object-lock-mode': 'COMPLIANCE',
        'x-amz-object-lock-retain-until-date': '1970-01-01T00:00:00Z',
        'x-amz-tagging': 't=1',
      }) as object,
    });
    const code = readdirSync(join(out, 'puts')).map((name) => readFileSync(join(out, 'puts', name), 'utf8')).join('');
    expect(code).toContain('PutObjectRequest');
    expect(code).not.toContain('GetBucketLifecycleConfigurationRequest');
  });

  it('that authorizes bears the policies and Cedar with it, wherever it lies, and no other does', () => {
    const elsewhere = join(work, 'elsewhere');
    cpSync(join(out, 'asks'), elsewhere, { recursive: true });
    rmSync(join(out, 'built-0'), { recursive: true });
    expect(answer('../elsewhere')).toEqual([{ allowed: true, policies: ['sales-read-own'] }, { allowed: false, policies: ['never-sales-others'] }]);
    const holds = (name: string): boolean => readdirSync(join(out, name)).some((each) => each.endsWith('.wasm'));
    expect(['first', 'second', 'puts', 'asks'].filter(holds)).toEqual(['asks']);
  });

  it('of a Lambda that has no file is refused with the file that is missing', async () => {
    const code = await bundleLambdas(lambdas, out);
    expect(() => code('third')).toThrow(/There is no lambdas\/third\.ts/);
  });
});
