/** Builds and runs the Go programs of this folder. Where Go is not installed the tests that need them are skipped, and say so. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const onPath = spawnSync('go', ['version'], { encoding: 'utf8' });
export const goVersion: string | undefined = onPath.status === 0 ? onPath.stdout.trim() : undefined;

/** `describe`, or a skip whose title states its reason. */
export function describeWithGo(title: string, body: () => void): void {
  if (goVersion !== undefined) return describe(title, body);
  process.stderr.write(`SKIPPED: ${title}: go is not on the PATH\n`);
  describe.skip(`${title} (go is not on the PATH)`, body);
}

let built: string | undefined;
afterAll(() => {
  if (built !== undefined) rmSync(built, { recursive: true, force: true });
});

/** The path of a program, built once per test file. Needs the Go module proxy the first time. */
export function goProgram(name: 'fsck' | 'make-log' | 'vectors'): string {
  if (built === undefined) {
    built = mkdtempSync(join(tmpdir(), 'intact-oracles-'));
    // Without cgo: no C compiler is needed, and the build is the same everywhere.
    execFileSync('go', ['build', '-o', `${built}/`, './...'], { cwd: __dirname, env: { ...process.env, CGO_ENABLED: '0' }, stdio: ['ignore', 'pipe', 'pipe'] });
  }
  return join(built, name);
}

/** Tessera's verdict on the log in `directory`: 0 accepted (size and root in `log`), 1 refused, 2 could not tell. */
export function fsck(directory: string, vkey: string): { readonly exit: number | null; readonly log?: { readonly size: number; readonly root: string }; readonly message: string } {
  const { status, stdout, stderr } = spawnSync(goProgram('fsck'), ['-timeout', '20s', directory, vkey], { encoding: 'utf8' });
  return { exit: status, ...(status === 0 ? { log: JSON.parse(stdout) as { size: number; root: string } } : {}), message: stderr };
}

/** Writes a log with Tessera's POSIX driver out of bundle-encoded entries. */
export function makeLog(directory: string, entries: Buffer, ...flags: readonly string[]): { readonly vkey: string; readonly seconds: number } {
  const out = execFileSync(goProgram('make-log'), [...flags, directory], { input: entries, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 20 });
  return JSON.parse(out.toString()) as { vkey: string; seconds: number };
}
