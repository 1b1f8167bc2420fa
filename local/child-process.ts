/**
 * Child processes of the local cloud. Each command's whole output goes to a log file; a failure shows its last lines and names the file, so that a
 * person sees the cause first and can look for the rest.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { execFileSync } from 'node:child_process';
import { projectRoot } from './state-directory';
import type { Environment } from './environment';

/** A failure a person can act on: printed without a stack trace, exit code 2 ("could not"). */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

export interface CommandOptions {
  readonly env: Environment | NodeJS.ProcessEnv;
  readonly log: string;
  readonly cwd?: string;
  /** Stops the command, children included, when a person interrupts the start. */
  readonly signal?: AbortSignal;
}

const shownLines = 25;

/** Runs a command to its end and returns its stdout. Throws CannotStart with the last lines of its output when it fails. */
export async function runCommand(what: string, command: string, args: readonly string[], options: CommandOptions): Promise<string> {
  mkdirSync(dirname(options.log), { recursive: true });
  const log = createWriteStream(options.log, { flags: 'a' });
  const child = spawn(command, args, { cwd: options.cwd ?? projectRoot, env: options.env as NodeJS.ProcessEnv, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const interrupt = (): void => killGroup(child.pid);
  options.signal?.addEventListener('abort', interrupt);
  process.once('exit', interrupt);
  let stdout = '';
  let all = '';
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString(); all += chunk.toString(); log.write(chunk); });
  child.stderr.on('data', (chunk: Buffer) => { all += chunk.toString(); log.write(chunk); });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => resolve(exit ?? signal ?? 'unknown'));
  }).finally(() => {
    log.end();
    options.signal?.removeEventListener('abort', interrupt);
    process.removeListener('exit', interrupt);
  });
  if (code === 0) return stdout;
  const tail = all.trimEnd().split('\n').slice(-shownLines).join('\n');
  throw new CannotStart(`${what} failed (${code}). Its last lines:\n\n${tail}\n\nThe whole output is in ${options.log}`);
}

/** Kills a process group that one of ours leads; says nothing when it is gone already. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The command line of a live process; undefined when there is none (a zombie counts as none). */
export function commandLineOf(pid: number): string | undefined {
  if (existsSync('/proc/self/cmdline')) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return line === '' ? undefined : line;
    } catch {
      return undefined; // No such process: /proc says so by having no such file.
    }
  }
  try {
    const line = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return line === '' || line.includes('<defunct>') ? undefined : line;
  } catch {
    return undefined; // ps exits 1 when the process does not exist.
  }
}
