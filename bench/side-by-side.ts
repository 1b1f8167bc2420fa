/**
 * What measurements against a Go program share: both sides compiled beforehand, the same input, taking turns, so that whatever else the machine does falls on
 * both; medians, and the ratio within one run.
 */
import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { encodeEntries } from '../src/core/log/bundle';

export const root = join(__dirname, '..');

/** Runs `body` with a folder that is gone afterwards. */
export async function withScratch<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'intact-bench-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds the Go programs of test/oracles into `folder`. Needs Go, and its module proxy the first time. */
export function buildGo(folder: string): { readonly fsck: string; readonly makeLog: string } {
  execFileSync('go', ['build', '-o', `${folder}/`, './fsck', './make-log'], { cwd: join(root, 'test/oracles'), env: { ...process.env, CGO_ENABLED: '0' }, stdio: ['ignore', 'inherit', 'inherit'] });
  return { fsck: join(folder, 'fsck'), makeLog: join(folder, 'make-log') };
}

/** One JavaScript file per entry point, as for deployment. */
export async function bundled(folder: string, entryPoints: Readonly<Record<string, string>>): Promise<void> {
  await build({
    entryPoints: Object.fromEntries(Object.entries(entryPoints).map(([name, path]) => [name, join(root, path)])),
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
}

/** `n` incompressible entries of 560 to 639 bytes, bundle-encoded; the same ones every time. */
export function opaqueEntries(n: number): Buffer {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  return encodeEntries(Array.from({ length: n }, (_, i) => noise.update(Buffer.alloc(560 + ((i * 7919) % 80)))));
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** A line of result: entries a second on both sides, and theirs' time over ours (1 and more: we are faster). */
export function versus(what: string, entries: number, oursSeconds: number, theirsSeconds: number, target?: number): string {
  const speed = (seconds: number): string => Math.round(entries / seconds).toLocaleString('en').padStart(9);
  const ratio = theirsSeconds / oursSeconds;
  const verdict = target === undefined ? '' : `   target ≥ ${target.toFixed(1)} ${ratio >= target ? 'reached' : 'MISSED'}`;
  return `${what.padEnd(44)} ours ${speed(oursSeconds)}/s   theirs ${speed(theirsSeconds)}/s   ratio ${ratio.toFixed(2)}${verdict}`;
}
