/**
 * The emulator's process: started empty, watched, and killed as a group. It never outlives its starter (emulator.py), and what a killed start left
 * behind is recognised by its command line and cleared by the next one, so there is one path for recovery and for a normal start.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CannotStart, commandLineOf, killGroup, runCommand } from './child-process';
import { emulatorEnvironment } from './environment';
import { projectRoot } from './state-directory';
import type { StateDirectory } from './state-directory';

const script = join(projectRoot, 'local', 'emulator.py');
const readyWithinMs = 60_000;

export interface Emulator {
  readonly pid: number;
  readonly port: number;
  /** `https://127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** The listener without TLS, on which TLS-only policies can be seen to refuse. */
  readonly plainEndpoint: string;
  /** Settles when the emulator ends, asked to or not. */
  readonly ended: Promise<void>;
  /** Kills the emulator and every Lambda it runs; resolves when the port is free. */
  stop(): Promise<void>;
}

/** Who runs here: written before the emulator starts, so that a start killed at any moment can be cleared. */
interface ProcessRecord {
  readonly starter: number;
  readonly starterCommand: string;
  readonly emulator?: number;
}

/**
 * Ends what an earlier start in this directory left running and empties the directory. Resolves with what it did, for the person to read.
 * A live earlier start is asked first (SIGTERM), so that it takes its children down itself.
 */
export async function clearEarlierStart(state: StateDirectory): Promise<string | undefined> {
  const record = readRecord(state);
  let stopped: string | undefined;
  if (record !== undefined) {
    const starter = record.starter !== process.pid && commandLineOf(record.starter) === record.starterCommand ? record.starter : undefined;
    if (starter !== undefined) {
      stopped = `an earlier local cloud of this directory was still running (process ${starter}): stopped`;
      process.kill(starter, 'SIGTERM');
      if (!(await goneWithin(starter, 5_000))) process.kill(starter, 'SIGKILL');
    }
    const { emulator } = record;
    if (emulator !== undefined && commandLineOf(emulator)?.includes(state.cloud) === true) {
      stopped ??= `an earlier start left its emulator running (process ${emulator}): stopped`;
      killGroup(emulator);
      await goneWithin(emulator, 5_000);
    }
  }
  rmSync(state.outputs, { force: true });
  rmSync(state.cloud, { recursive: true, force: true });
  mkdirSync(state.cloud, { recursive: true });
  return stopped;
}

/** Throws CannotStart naming the port when something else listens on it. */
export async function assertPortFree(port: number): Promise<void> {
  if (await isPortFree(port)) return;
  throw new CannotStart(`Port ${port} of 127.0.0.1 is taken by another program.\nChoose another one:  npm start -- --port ${port + 1}`);
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new CannotStart('The system gave no free port on 127.0.0.1.');
  return address.port;
}

/** Starts an empty emulator in a cleared directory and resolves once it answers over TLS with a certificate made now. */
export async function startEmulator(state: StateDirectory, python: string, port: number, signal?: AbortSignal): Promise<Emulator> {
  const log = join(state.cloud, 'emulator.log');
  const plainPort = await freePort();
  const env = emulatorEnvironment(state, port);
  await runCommand('Making the certificate', python, [join(projectRoot, 'local', 'certificate.py'), state.ca, state.caKey], { env, log, ...(signal ? { signal } : {}) });
  writeRecord(state, {});
  const output = openSync(log, 'a');
  const child = spawn(
    python,
    [script, state.cloud, 'ministack.app:app', '-c', 'python:ministack.core.hypercorn_conf', '--workers', '0',
      '--bind', `127.0.0.1:${port}`, '--insecure-bind', `127.0.0.1:${plainPort}`],
    { env, cwd: state.cloud, detached: true, stdio: ['pipe', output, output] },
  );
  const { pid } = child;
  if (pid === undefined) throw new CannotStart(`The emulator could not be started with ${python}.`);
  writeRecord(state, { emulator: pid });
  // Not only when asked: an exception, process.exit and the end of the event loop come through here too. kill -9 does not; emulator.py sees it.
  const kill = (): void => killGroup(pid);
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => process.removeListener('exit', kill));
  const stop = async (): Promise<void> => {
    kill();
    await ended;
  };
  const endpoint = `https://127.0.0.1:${port}`;
  await becomesReady(endpoint, state.ca, ended, log, signal).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { pid, port, endpoint, plainEndpoint: `http://127.0.0.1:${plainPort}`, ended, stop };
}

async function becomesReady(endpoint: string, caFile: string, ended: Promise<void>, log: string, signal?: AbortSignal): Promise<void> {
  let running = true;
  void ended.then(() => { running = false; });
  const ca = readFileSync(caFile);
  const giveUpAt = Date.now() + readyWithinMs;
  while (Date.now() < giveUpAt && signal?.aborted !== true) {
    if (!running) throw new CannotStart(`The emulator ended while starting. Its last lines:\n\n${lastLines(log)}`);
    if (await answers(`${endpoint}/_ministack/health`, ca)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new CannotStart(`The emulator did not answer within ${readyWithinMs / 1000} s. Its last lines:\n\n${lastLines(log)}`);
}

function answers(url: string, ca: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { ca, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false)); // Not listening yet: asked again until the deadline.
  });
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(new CannotStart(`Port ${port} cannot be used: ${error.message}. Choose another one:  npm start -- --port <n>`, { cause: error }));
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function lastLines(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : '(nothing)';
}

function recordFile(state: StateDirectory): string {
  return join(state.cloud, 'processes.json');
}

function writeRecord(state: StateDirectory, processes: { readonly emulator?: number }): void {
  const record: ProcessRecord = { starter: process.pid, starterCommand: commandLineOf(process.pid) ?? '', ...processes };
  writeFileSync(recordFile(state), JSON.stringify(record));
}

/** What was written by an earlier start; a half-written record is none, its emulator dies by itself. */
function readRecord(state: StateDirectory): ProcessRecord | undefined {
  if (!existsSync(recordFile(state))) return undefined;
  try {
    return JSON.parse(readFileSync(recordFile(state), 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}

async function goneWithin(pid: number, ms: number): Promise<boolean> {
  const giveUpAt = Date.now() + ms;
  while (Date.now() < giveUpAt) {
    if (commandLineOf(pid) === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
