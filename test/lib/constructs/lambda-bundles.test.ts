import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { bundleLambdas } from '../../../lib/constructs/lambda-bundles';

const work = mkdtempSync(join(tmpdir(), 'intact-bundles-'));
const lambdas = join(work, 'lambdas');
const out = join(work, 'out');
const file = (name: string, text: string): void => writeFileSync(join(lambdas, name), text);

beforeAll(async () => {
  mkdirSync(join(lambdas, 'shared'), { recursive: true });
  file('shared/both.ts', `export const both = 'both'.repeat(500);`);
  file('shared/heavy.ts', `export const heavy = 'only of first';`);
  file('shared/old.cjs', `const { sep } = require('node:path'); module.exports = { sep };`);
  file('first.ts', `import { both } from './shared/both'; export const handler = async () => [both.length, (await import('./shared/heavy')).heavy];`);
  file('second.ts', `import { both } from './shared/both'; import { sep } from './shared/old.cjs'; export const handler = async () => [both.length, sep];`);
  const code = await bundleLambdas(lambdas, out);
  code('first');
  code('second');
});
afterAll(() => rmSync(work, { recursive: true }));

const answer = (name: string): unknown =>
  JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', `const { handler } = await import(${JSON.stringify(join(out, name, 'index.mjs'))}); console.log(JSON.stringify(await handler()))`], { encoding: 'utf8' }));

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

  it('of a Lambda that has no file is refused with the file that is missing', async () => {
    const code = await bundleLambdas(lambdas, out);
    expect(() => code('third')).toThrow(/There is no lambdas\/third\.ts/);
  });
});
