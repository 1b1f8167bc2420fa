/**
 * The code of all Lambdas, from two esbuild runs: receive-webhook, whose cold start a caller waits for, has one of its own, because chunks shared with other handlers
 * make it load more, smaller files. ES modules with splitting: what a handler imports only when it needs it stays in files of its own that a cold start does not read
 * (receive-webhook loads half of its bundle, in two thirds of the time). The AWS SDK is bundled from its ES modules, of which only the used part stays.
 * Source maps lie beside the build and are not deployed: reading one costs a cold start more than it is worth.
 */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { build, type Metafile, type Plugin } from 'esbuild';
import { policyTexts } from '../../policies/policy-texts';

/** Where a Lambda's code is; its handler is `index.handler`. */
export type LambdaCode = (name: string) => Code;

/** CommonJS inside a bundle asks for `require`, which ES modules do not have, and for files beside it, which are where the chunk is. */
const REQUIRE = `import{createRequire as intactRequire}from'node:module';const intactHere=import.meta.url,require=intactRequire(intactHere);`;

/** Answered while Meta waits. */
const HOT = 'receive-webhook';

/** Bundles every `<directory>/<name>.ts` to `<outDirectory>/<name>/`. Throws esbuild's error where one does not build. */
export async function bundleLambdas(directory: string, outDirectory: string): Promise<LambdaCode> {
  const names = readdirSync(directory).filter((file) => file.endsWith('.ts')).map((file) => file.replace(/\.ts$/, ''));
  const runs = [names.filter((name) => name === HOT), names.filter((name) => name !== HOT)].filter((run) => run.length > 0);
  const bundled = await Promise.all(runs.map((run, index) => bundleTogether(directory, run, join(outDirectory, `built-${index}`))));
  const filesFor = new Map(bundled.flatMap((run) => [...run]));
  return (name) => {
    const files = filesFor.get(name);
    if (files === undefined) throw new Error(`There is no lambdas/${name}.ts: a Lambda's construct id is its file name`);
    const own = join(outDirectory, name);
    mkdirSync(own, { recursive: true });
    for (const path of files) copyFileSync(path, join(own, basename(path) === `${name}.mjs` ? 'index.mjs' : basename(path)));
    return Code.fromAsset(own);
  };
}

/** Name → the files of its bundle. */
async function bundleTogether(directory: string, names: readonly string[], outdir: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const { metafile } = await build({
    entryPoints: names.map((name) => ({ in: resolve(directory, `${name}.ts`), out: name })),
    outdir,
    absWorkingDir: resolve(directory, '..'),
    metafile: true,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    mainFields: ['module', 'main'],
    alias: { '@aws-sdk/credential-provider-node': resolve(__dirname, '../../src/adapters/aws/environment-credentials.ts') },
    loader: { '.wasm': 'file' },
    plugins: [onlyUsedSdk, policiesInside],
    banner: { js: REQUIRE },
    minify: true,
    sourcemap: 'external',
    legalComments: 'none',
    logLevel: 'warning',
  });
  return new Map(names.map((name) => [name, [...filesOf(metafile, `${name}.mjs`)].map((file) => join(outdir, file))]));
}

/**
 * Lets esbuild see that more of the SDK is unused; what the code does stays the same. A client's schemas name HTTP headers by computed keys, `{ [_hH]: _xa }`, which
 * esbuild keeps because evaluating a key could do something: with the constants' own strings as keys, S3's schemas of a hundred operations that nobody
 * calls go (54 KB). Of its package.json, a client reads the version.
 */
const onlyUsedSdk: Plugin = {
  name: 'only-used-sdk',
  setup(esbuild) {
    esbuild.onLoad({ filter: /@aws-sdk[\\/]client-[\w-]+[\\/]dist-es[\\/]schemas[\\/]schemas_\d+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const constants = new Map([...source.matchAll(/^const (\w+) = ("[^"\\]*");$/gm)].map(([, name = '', text = '']) => [name, text]));
      return { contents: source.replace(/\[(\w+)\]:/g, (key, name: string) => (constants.has(name) ? `${constants.get(name)}:` : key)), loader: 'js' };
    });
    esbuild.onLoad({ filter: /@aws-sdk[\\/]client-[\w-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/**
 * A function that authorizes bears the policies as text, as they are while it is built, and Cedar's WebAssembly as a file of its own beside the chunk that loads it (inlined it would be
 * a third longer and decoded at every start).
 */
const policiesInside: Plugin = {
  name: 'policies-inside',
  setup(esbuild) {
    esbuild.onLoad({ filter: /[\\/]policies[\\/]policy-texts\.ts$/ }, () => ({ contents: `export const policyTexts = ${JSON.stringify(policyTexts)};`, loader: 'js' }));
    esbuild.onLoad({ filter: /cedar-wasm[\\/]nodejs[\\/]cedar_wasm\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replace('`${__dirname}/cedar_wasm_bg.wasm`', "new URL(require('./cedar_wasm_bg.wasm'), intactHere)");
      if (contents === source) throw new Error('cedar-wasm loads its WebAssembly in another way than this bundle knows: see lib/constructs/lambda-bundles.ts');
      return { contents, loader: 'js' };
    });
  },
};

/** The entry and every chunk it can come to need, by file name: all outputs lie in one directory. */
function filesOf({ outputs }: Metafile, entry: string): ReadonlySet<string> {
  const importsOf = new Map(Object.entries(outputs).map(([path, { imports }]) => [basename(path), imports.filter(({ external }) => external !== true).map(({ path: imported }) => basename(imported))]));
  const needed = new Set([entry]);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const file of needed) for (const imported of importsOf.get(file) ?? []) needed.add(imported);
  return needed;
}
