/** One jest run as `npm test` and `npm run check` need it: streamed by file, counted, its skips judged. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../local/state-directory';
import { judgeSkip } from './skips';
import { noTally, type Tally } from './tally';

/** What seconds-reporter.cjs writes. */
interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly files: readonly { readonly name: string; readonly failed: boolean; readonly tests: readonly { readonly fullName: string; readonly status: string }[] }[];
}

/** Runs jest with `args` in `env`. A file that could not be loaded counts as one failure, as does a jest that ended without a result. */
export async function runJest(args: readonly string[], env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Tally> {
  const directory = mkdtempSync(join(tmpdir(), 'intact-jest-'));
  const resultFile = join(directory, 'result.json');
  const figuresFile = join(directory, 'figures');
  try {
    const jest = join(projectRoot, 'node_modules', 'jest', 'bin', 'jest.js');
    const reporter = join(projectRoot, 'scripts', 'seconds-reporter.cjs');
    const child = spawn(process.execPath, [jest, ...args, `--reporters=${reporter}`], { cwd: projectRoot, env: { ...env, INTACT_JEST_RESULT: resultFile, INTACT_FIGURES: figuresFile }, stdio: ['ignore', 'inherit', 'inherit'] });
    signal?.addEventListener('abort', () => child.kill());
    await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    const figures = existsSync(figuresFile) ? readFileSync(figuresFile, 'utf8').trimEnd().split('\n') : [];
    return { ...tallyOf(resultFile), figures };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function tallyOf(resultFile: string): Omit<Tally, 'figures'> {
  let result: JestResult;
  try {
    result = JSON.parse(readFileSync(resultFile, 'utf8')) as JestResult;
  } catch {
    return { ...noTally, failed: 1, problems: ['jest ended without a result; see its output above'] };
  }
  const unloadable = result.files.filter(({ failed, tests }) => failed && !tests.some(({ status }) => status === 'failed'));
  const skips = result.files.flatMap(({ tests }) => tests)
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    .map(({ fullName }) => judgeSkip(fullName));
  const unjustified = skips.filter(({ justified }) => !justified);
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + unloadable.length + unjustified.length,
    skipped: skips.length - unjustified.length,
    problems: [...unloadable.map(({ name }) => `${name} could not be run`), ...unjustified.map(({ reason }) => reason)],
    skips: skips.filter(({ justified }) => justified).map(({ reason }) => reason),
  };
}
