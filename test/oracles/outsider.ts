/** Runs the verifier in outsider/, which was written from docs/format.md alone. Where Python is missing the tests that need it are skipped, and say so. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const PROGRAM = join(__dirname, 'outsider/verify.py');
const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']);

/** `describe`, or a skip whose title states its reason. */
export function describeWithPython(title: string, body: () => void): void {
  if (python.status === 0) return describe(title, body);
  const reason = python.error === undefined ? 'python3 is older than 3.10' : 'python3 is not on the PATH';
  process.stderr.write(`SKIPPED: ${title}: ${reason}\n`);
  describe.skip(`${title} (${reason})`, body);
}

export interface Verdict {
  /** 0 accepted, 1 refused, 2 could not tell. */
  readonly exit: 0 | 1 | 2;
  readonly findings: readonly (readonly [code: string, object: string, detail: string])[];
  readonly size: number | null;
  readonly root: string | null;
}

type Request = ({ readonly folder: string } | { readonly proof: string }) & { readonly vkey?: string };

/** Its verdict as a person gets it, from a process of its own. */
export function outsiderCommand(...args: readonly string[]): { readonly exit: number | null; readonly lines: readonly string[]; readonly message: string } {
  const { status, stdout, stderr } = spawnSync('python3', [PROGRAM, ...args], { encoding: 'utf8' });
  return { exit: status, lines: stdout.split('\n').slice(0, -1), message: stderr };
}

/** One process for many verdicts, of which each costs a few milliseconds. */
export function outsiderBatch(): { judge(request: Request): Promise<Verdict>; close(): Promise<void> } {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('python3', [PROGRAM, '--batch'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    judge: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error(`the outsider ended at ${JSON.stringify(request)}`);
      return JSON.parse(value) as Verdict;
    },
    close: async () => {
      child.stdin.end();
      await closed;
    },
  };
}
