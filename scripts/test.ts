/**
 * `npm test`: everything. Lint, types, unit tests, then the end-to-end tests on a local cloud of their own, deployed once and emptied away afterwards.
 * With file names only these files: `npm test -- test/e2e/canaries`. The last line is `N passed, N failed` (`, N skipped` where any were), the exit code 0 only when nothing failed. Nothing needs an AWS account.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CannotStart, commandLineOf } from '../local/child-process';
import { startCloud } from '../local/cloud';
import { freePort } from '../local/emulator';
import { stateDirectory, type StateDirectory } from '../local/state-directory';
import { ensureVirtualEnvironment } from '../local/virtual-environment';
import { conclude, lint, steps, types, unitTests } from './checks';
import { runJest } from './jest-run';
import { isOnPath } from './skips';
import { addTallies, noTally, type Tally } from './tally';

const interrupted = new AbortController();

async function endToEndTests(state: StateDirectory, files: readonly string[]): Promise<Tally> {
  steps.say('\nEnd-to-end tests, on a local cloud of their own (nothing reaches AWS)');
  try {
    const cloud = await startCloud(state, await freePort(), steps, { signal: interrupted.signal });
    try {
      return await runJest(['--runInBand', ...files], { ...toolEnvironment(), ...cloud.environment, INTACT_E2E: state.outputs }, interrupted.signal);
    } finally {
      await cloud.stop();
    }
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    return { ...noTally, failed: 1, problems: [`The local cloud for the end-to-end tests did not start.\n${error.message}`] };
  }
}

/** What oracles in other languages and the size of property runs need of the caller's environment; nothing in it concerns AWS. */
function toolEnvironment(): NodeJS.ProcessEnv {
  const names = ['GOPROXY', 'GOFLAGS', 'GOSUMDB', 'GOTOOLCHAIN', 'GONOSUMDB', 'GOINSECURE', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'SSL_CERT_FILE', 'INTACT_FULL'];
  const kept = Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
  if (!isOnPath('go')) return kept;
  // The caches lie below the real home, which the tests do not see.
  const [GOCACHE = '', GOMODCACHE = ''] = spawnSync('go', ['env', 'GOCACHE', 'GOMODCACHE'], { encoding: 'utf8' }).stdout.trim().split('\n');
  return { ...kept, GOCACHE, GOMODCACHE };
}

/** Directories of test runs that were killed. */
function removeAbandoned(state: StateDirectory): void {
  for (const name of readdirSync(join(state.root, '..'))) {
    const pid = /^test-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && commandLineOf(Number(pid)) === undefined) rmSync(join(state.root, '..', name), { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const begin = Date.now();
  const named = process.argv.slice(2);
  const all = named.length === 0;
  const ends = named.filter((file) => file.includes('e2e'));
  const units = named.filter((file) => !file.includes('e2e'));
  const state = stateDirectory(`test-${process.pid}`);
  const end = (): void => interrupted.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    removeAbandoned(state);
    // Downloaded meanwhile; a failure is met again, and told, by the start of the cloud.
    const downloaded = ensureVirtualEnvironment(state, interrupted.signal).catch(() => undefined);
    if (all) steps.say('Checks');
    const tallies: Tally[] = [];
    if (all) tallies.push(await lint(), await types());
    if (all || units.length > 0) tallies.push(await unitTests(units, interrupted.signal));
    await downloaded;
    if (!interrupted.signal.aborted && (all || ends.length > 0)) tallies.push(await endToEndTests(state, all ? ['test/e2e'] : ends));
    if (interrupted.signal.aborted) tallies.push({ ...noTally, failed: 1, problems: ['interrupted: not everything was run'] });
    process.exitCode = conclude(addTallies(tallies), (Date.now() - begin) / 1000);
  } finally {
    rmSync(state.root, { recursive: true, force: true });
  }
}

void main();
