/**
 * `npm run bench -- webhook`: receive-webhook against a webhook written as the documentation of middy, Powertools and zod shows (opponents/powertools-handler.ts).
 * Both bundled as for deployment, each in processes of its own, in turn, with the network replaced in process. Prints medians and the ratio ours / theirs.
 * Ours remembers for a minute whose a user id is, so it is measured twice: every webhook of one customer, and each of another one. The opponent knows no customers.
 * CPU is measured in two windows of one process: while V8 still compiles much of what it runs, and after that.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleLambdas } from '../lib/constructs/lambda-bundles';
import { Env } from '../src/runtime/env';

interface Measured {
  readonly windows: readonly { readonly cpuUs: number; readonly calls: number }[];
  readonly initMs: number;
  readonly initCpuMs: number;
}

const ROUNDS = Number(process.argv[2] ?? 7);
/** Webhooks of a young container (after the 400 that fill its caches), and of the same one later. */
const WINDOWS = [2_000, 4_000] as const;
const root = join(__dirname, '..');

async function bundles(folder: string): Promise<{ readonly ours: string; readonly theirs: string }> {
  const codeOf = await bundleLambdas(join(root, 'lambdas'), folder);
  codeOf('receive-webhook');
  const theirs = join(folder, 'theirs', 'index.mjs');
  // The settings AWS documents for Node.js Lambdas with esbuild: minified ES module for the runtime, SDK bundled as ours is.
  await build({
    entryPoints: [join(root, 'bench/opponents/powertools-handler.ts')],
    outfile: theirs,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: `import{createRequire}from'node:module';const require=createRequire(import.meta.url);` },
    legalComments: 'none',
    logLevel: 'error',
  });
  return { ours: join(folder, 'receive-webhook', 'index.mjs'), theirs };
}

function measure(bundle: string, mode: 'seen' | 'unseen' | 'introduce', windows: readonly number[], file = ''): Measured {
  const names = Object.fromEntries(Object.values(Env).map((name) => [name, `bench-${name.toLowerCase()}`]));
  const env = {
    PATH: process.env['PATH'],
    ...names,
    [Env.LOCK_MODE]: 'COMPLIANCE',
    [Env.RETENTION_DAYS]: '1',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    POWERTOOLS_METRICS_NAMESPACE: 'Bench',
    IDEMPOTENCY_TABLE: 'idempotency',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    NODE_ENV: 'production',
  };
  const printed = execFileSync(process.execPath, ['--no-warnings', join(__dirname, 'webhook-guest.mjs'), bundle, mode, windows.join(','), file], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(printed.trim().split('\n').at(-1) ?? '{}') as Measured;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const kilobytes = (folder: string): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1024;

function line(what: string, ours: number, theirs: number, target: number): string {
  const ratio = ours / theirs;
  return `${what.padEnd(38)} ours ${ours.toFixed(1).padStart(8)}   theirs ${theirs.toFixed(1).padStart(8)}   ratio ${ratio.toFixed(2)}   target ≤ ${target} ${ratio <= target ? 'reached' : 'MISSED'}`;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'intact-bench-'));
  try {
    const { ours, theirs } = await bundles(folder);
    const known = join(folder, 'customers.json');
    measure(ours, 'introduce', WINDOWS, known);
    const rounds = Array.from({ length: ROUNDS }, () => ({
      seen: measure(ours, 'seen', WINDOWS),
      unseen: measure(ours, 'unseen', WINDOWS, known),
      theirs: measure(theirs, 'seen', WINDOWS),
      oursCold: measure(ours, 'seen', []),
      theirsCold: measure(theirs, 'seen', []),
    }));
    const of = (pick: (round: (typeof rounds)[number]) => number): number => median(rounds.map(pick));
    const cpu = (measured: Measured, window: number): number => measured.windows[window]?.cpuUs ?? NaN;
    const calls = (measured: Measured): number => measured.windows[0]?.calls ?? NaN;
    console.log(`one inbound text of a known customer; ${ROUNDS} rounds of ${WINDOWS.join(' and then ')} webhooks each, medians`);
    for (const [window, when] of [`first ${WINDOWS[0]}`, `next ${WINDOWS[1]}`].entries()) {
      console.log(line(`CPU, µs: seen this minute, ${when}`, of((r) => cpu(r.seen, window)), of((r) => cpu(r.theirs, window)), 0.5));
      console.log(line(`CPU, µs: not seen, ${when}`, of((r) => cpu(r.unseen, window)), of((r) => cpu(r.theirs, window)), 0.5));
    }
    console.log(line('SDK calls: seen this minute', of((r) => calls(r.seen)), of((r) => calls(r.theirs)), 1));
    console.log(line('SDK calls: not seen', of((r) => calls(r.unseen)), of((r) => calls(r.theirs)), 1));
    console.log(line('cold start: initialisation, ms', of((r) => r.oursCold.initMs), of((r) => r.theirsCold.initMs), 0.7));
    console.log(line('cold start: initialisation CPU, ms', of((r) => r.oursCold.initCpuMs), of((r) => r.theirsCold.initCpuMs), 0.7));
    console.log(line('bundle, KB', kilobytes(join(folder, 'receive-webhook')), kilobytes(join(folder, 'theirs')), 0.7));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
