/**
 * The Python virtual environment that holds the emulator, made on first use from the pinned, hashed local/requirements.txt. It is built aside and renamed
 * into place when whole: a start killed half way leaves nothing that looks finished. pip runs in the user's own environment, so mirrors, proxies and
 * find-links keep working; nothing of AWS is asked.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CannotStart, commandLineOf, runCommand } from './child-process';
import { projectRoot } from './state-directory';
import type { StateDirectory } from './state-directory';

const requirements = join(projectRoot, 'local', 'requirements.txt');
const candidates = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'] as const;
const oldestMinor = 10;

/** True when the next start has to download; lets the caller say so first. */
export function needsDownload(state: StateDirectory): boolean {
  return !isWhole(state.venv);
}

/**
 * The environment's python, making the environment first when it is missing, half made, or from other requirements.
 * @throws CannotStart when no Python ≥ 3.10 with `venv` is found, or pip fails
 */
export async function ensureVirtualEnvironment(state: StateDirectory, signal?: AbortSignal): Promise<string> {
  removeAbandoned(state.venv);
  if (!isWhole(state.venv)) await build(state, findPython(), signal);
  return pythonIn(state.venv);
}

/**
 * The first Python on the PATH that is new enough and can make environments.
 * @throws CannotStart saying what to install
 */
export function findPython(env: NodeJS.ProcessEnv = process.env): string {
  let seen: string | undefined;
  for (const name of candidates) {
    const probe = spawnSync(name, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { env, encoding: 'utf8' });
    if (probe.status !== 0) continue;
    const version = probe.stdout.trim();
    const [major, minor] = version.split('.').map(Number);
    if (major !== 3 || (minor ?? 0) < oldestMinor) {
      seen ??= `${name} is Python ${version}`;
      continue;
    }
    if (spawnSync(name, ['-c', 'import venv, ensurepip'], { env }).status === 0) return name;
    seen = `${name} is Python ${version}, but its venv module is missing`;
  }
  throw new CannotStart(
    `The local cloud needs Python 3.${oldestMinor} or newer with its venv module; ${seen ?? 'no python3 is on the PATH'}.\n` +
      'Install it and start again:\n' +
      '  Debian, Ubuntu   sudo apt install python3 python3-venv\n' +
      '  Fedora           sudo dnf install python3\n' +
      '  macOS            brew install python@3.13',
  );
}

function pythonIn(venv: string): string {
  return join(venv, 'bin', 'python');
}

function markerIn(venv: string): string {
  return join(venv, 'intact-requirements.sha256');
}

function requirementsHash(): string {
  return createHash('sha256').update(readFileSync(requirements)).digest('hex');
}

/** Whole: the marker names these requirements, and the base interpreter the environment points to is still there. */
function isWhole(venv: string): boolean {
  const marker = markerIn(venv);
  if (!existsSync(marker) || readFileSync(marker, 'utf8') !== requirementsHash()) return false;
  return spawnSync(pythonIn(venv), ['-c', 'import ministack.core.tls, hypercorn, cryptography']).status === 0;
}

async function build(state: StateDirectory, python: string, signal?: AbortSignal): Promise<void> {
  const aside = `${state.venv}-${process.pid}`;
  const log = join(state.root, 'python-packages.log');
  const options = { env: process.env, log, ...(signal === undefined ? {} : { signal }) };
  rmSync(aside, { recursive: true, force: true });
  rmSync(log, { force: true });
  await runCommand('Making the Python virtual environment', python, ['-m', 'venv', aside], options);
  // Nothing is compiled ahead: the emulator imports a tenth of what is installed, and python compiles that on its first import.
  const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--no-compile', '--require-hashes', '-r', requirements];
  await runCommand('Downloading the local cloud', pythonIn(aside), install, options);
  writeFileSync(markerIn(aside), requirementsHash());
  rmSync(state.venv, { recursive: true, force: true });
  // The commit point: killed before it, the next start builds anew; after it, the environment is whole. Nothing in it is called by its
  // absolute path (`python -m` only), so moving it is safe. Lost a race against another start: theirs is as good.
  try {
    renameSync(aside, state.venv);
  } catch (error) {
    if (!isWhole(state.venv)) throw error;
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Removes what killed starts left aside. */
function removeAbandoned(venv: string): void {
  const prefix = `${basename(venv)}-`;
  for (const name of readdirSync(dirname(venv))) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length));
    if (Number.isInteger(pid) && commandLineOf(pid) !== undefined) continue;
    try {
      rmSync(join(dirname(venv), name), { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      // Its pip outlived the start that was killed and still writes there: left to the next start, nothing reads it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    }
  }
}
