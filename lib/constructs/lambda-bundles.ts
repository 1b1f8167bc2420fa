/**
 * The code of all Lambdas, from one esbuild run. ES modules with splitting: what a handler imports only when it needs it stays in files of its own that a cold start does not read
 * (receive-webhook loads half of its bundle, in two thirds of the time). The AWS SDK is bundled from its ES modules, of which only the used part stays.
 * Source maps lie beside the build and are not deployed: reading one costs a cold start more than it is worth.
 */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { build, type Metafile } from 'esbuild';

/** Where a Lambda's code is; its handler is `index.handler`. */
export type LambdaCode = (name: string) => Code;

/** CommonJS inside a bundle asks for `require`, which ES modules do not have. */
const REQUIRE = `import{createRequire as intactRequire}from'node:module';const require=intactRequire(import.meta.url);`;

/** Bundles every `<directory>/<name>.ts` to `<outDirectory>/<name>/`. Throws esbuild's error where one does not build. */
export async function bundleLambdas(directory: string, outDirectory: string): Promise<LambdaCode> {
  const names = readdirSync(directory).filter((file) => file.endsWith('.ts')).map((file) => file.replace(/\.ts$/, ''));
  const built = join(outDirectory, 'built');
  const { metafile } = await build({
    entryPoints: names.map((name) => ({ in: resolve(directory, `${name}.ts`), out: name })),
    outdir: built,
    absWorkingDir: resolve(directory, '..'),
    metafile: true,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE },
    minify: true,
    sourcemap: 'external',
    legalComments: 'none',
    logLevel: 'warning',
  });
  return (name) => {
    if (!names.includes(name)) throw new Error(`There is no lambdas/${name}.ts: a Lambda's construct id is its file name`);
    const own = join(outDirectory, name);
    mkdirSync(own, { recursive: true });
    for (const file of filesOf(metafile, `${name}.mjs`)) copyFileSync(join(built, file), join(own, file === `${name}.mjs` ? 'index.mjs' : file));
    return Code.fromAsset(own);
  };
}

/** The entry and every chunk it can come to need, by file name: all outputs lie in one directory. */
function filesOf({ outputs }: Metafile, entry: string): ReadonlySet<string> {
  const importsOf = new Map(Object.entries(outputs).map(([path, { imports }]) => [basename(path), imports.filter(({ external }) => external !== true).map(({ path: imported }) => basename(imported))]));
  const needed = new Set([entry]);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const file of needed) for (const imported of importsOf.get(file) ?? []) needed.add(imported);
  return needed;
}
