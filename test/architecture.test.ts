/** The layout of the design, checked by reading every file: imports go one way, and each concept lives in exactly one file. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { LAYERS } from '../layers.mjs';

type Layer = (typeof LAYERS)[number];
const root = join(__dirname, '..');

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return files(path);
    return /\.ts$/.test(name) ? [path] : [];
  });
}

const specifiers = (source: string): string[] =>
  [...source.matchAll(/(?:from\s+|import\s*\(\s*|import\s+|require\(\s*)['"]([^'"]+)['"]/g)].map((match) => match[1] ?? '');

function violations(layer: Layer, path: string, source: string): string[] {
  return specifiers(source).flatMap((specifier) =>
    layer.forbidden.filter(({ pattern }) => new RegExp(pattern).test(specifier)).map(({ why }) => `${relative(root, path)} imports ${specifier}: ${why}`),
  );
}

describe('imports go one way', () => {
  for (const layer of LAYERS) {
    it(`from ${layer.from}`, () => {
      const all = files(join(root, layer.from));
      expect(all.length).toBeGreaterThan(0);
      expect(all.flatMap((path) => violations(layer, path, readFileSync(path, 'utf8')))).toEqual([]);
    });
  }

  it('and the check notices an import that goes the wrong way', () => {
    const core = LAYERS.find(({ from }) => from === 'src/core');
    expect(core && violations(core, 'src/core/x.ts', `import { a } from '../operations/seal-records';`)).toHaveLength(1);
    expect(core && violations(core, 'src/core/log/x.ts', `import { S3Client } from '@aws-sdk/client-s3';`)).toHaveLength(1);
    expect(core && violations(core, 'src/core/x.ts', `import { a } from './log/merkle';`)).toHaveLength(0);
  });
});

describe('nothing in src knows the local cloud', () => {
  it('by name or by address', () => {
    // web-vault.ts allows plain http to the machine itself, whoever serves there: a property of the transport, not of our local cloud.
    const offenders = files(join(root, 'src'))
      .filter((path) => !relative(root, path).startsWith(join('src', 'cli')) && !path.endsWith('web-vault.ts'))
      .filter((path) => /ministack|AWS_ENDPOINT_URL|127\.0\.0\.1|localhost/i.test(readFileSync(path, 'utf8')));
    expect(offenders.map((path) => relative(root, path))).toEqual([]);
  });
});

describe('who may do what is decided in one place', () => {
  const CEDAR = /@cedar-policy\//;

  it('which alone imports Cedar', () => {
    const all = ['src', 'lib', 'lambdas', 'local', 'bin', 'scripts', 'bench', 'policies'].flatMap((folder) => files(join(root, folder)));
    expect(all.filter((path) => specifiers(readFileSync(path, 'utf8')).some((specifier) => CEDAR.test(specifier))).map((path) => relative(root, path))).toEqual(['src/operations/staff/authorize.ts']);
  });

  it('and every operation that a function of staff is wired to goes through `guarded`', () => {
    const staff = (name: string): readonly string[] => specifiers(readFileSync(join(root, 'src/operations/staff', `${name}.ts`), 'utf8')).flatMap((specifier) => /^\.\/([a-z-]+)$/.exec(specifier)?.[1] ?? []);
    const leadsToGuard = (name: string): boolean => name === 'guarded' || staff(name).some(leadsToGuard);
    const wired = specifiers(readFileSync(join(root, 'src/runtime/wiring/staffing.ts'), 'utf8')).flatMap((specifier) => /operations\/staff\/(?!authorize$)(.*)$/.exec(specifier)?.[1] ?? []);
    expect(wired.length).toBeGreaterThan(5);
    expect(wired.filter((name) => !leadsToGuard(name))).toEqual([]);
  });
});

describe('handlers are wiring', () => {
  it('each at most 40 lines', () => {
    const long = files(join(root, 'lambdas')).filter((path) => readFileSync(path, 'utf8').trimEnd().split('\n').length > 40);
    expect(long.map((path) => relative(root, path))).toEqual([]);
  });
});

describe('file names', () => {
  const ours = ['src', 'lib', 'lambdas', 'local', 'bin', 'bench'].flatMap((folder) => files(join(root, folder)));
  it('are kebab-case nouns and verbs, never utils, helpers, common, manager or service', () => {
    const bad = ours.map((path) => relative(root, path)).filter((path) => !/^[a-z0-9/.-]+$/.test(path) || /(^|[/-])(utils?|helpers?|common|manager|service)\.ts$/.test(path));
    expect(bad).toEqual([]);
  });
  it('no file is empty of an opening comment', () => {
    const bad = ours.filter((path) => !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(readFileSync(path, 'utf8')));
    expect(bad.map((path) => relative(root, path))).toEqual([]);
  });
});
