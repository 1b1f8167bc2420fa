/** The parts `npm test` and `npm run check` share: the checks of the whole tree, the unit tests, and how a run ends. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CannotStart } from '../local/child-process';
import { projectRoot } from '../local/state-directory';
import { printedSteps } from '../local/steps';
import { runJest } from './jest-run';
import { closingLine, noTally, type Tally } from './tally';

export const steps = printedSteps((text) => process.stdout.write(text));

/** Every test that needs no cloud; jest runs as many files at once as there are cores. With `files` only these. */
export async function unitTests(files: readonly string[] = [], signal?: AbortSignal): Promise<Tally> {
  steps.say('\nUnit tests');
  const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  return runJest([...files, '--testPathIgnorePatterns=/node_modules/', '--testPathIgnorePatterns=/test/e2e/'], env, signal);
}

/** One check of the whole tree; its output is shown only when it fails. */
export async function check(label: string, command: readonly string[]): Promise<Tally> {
  let output = '';
  try {
    await steps.step(label, async () => {
      const child = spawn(process.execPath, command, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
      child.stderr.on('data', (chunk: Buffer) => { output += chunk.toString(); });
      const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
      if (code !== 0) throw new CannotStart(`${label} failed`);
    });
    return { ...noTally, passed: 1 };
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    process.stdout.write(`${output}\n`);
    return { ...noTally, failed: 1, problems: [`${label} found problems; see above`] };
  }
}

export const lint = (): Promise<Tally> => check('Lint', [join('node_modules', 'eslint', 'bin', 'eslint.js'), '.']);
export const types = (): Promise<Tally> => check('Types', [join('node_modules', 'typescript', 'bin', 'tsc'), '--noEmit']);

/** Prints skips, problems and the closing line; returns the exit code. */
export function conclude(tally: Tally, seconds: number): number {
  if (tally.figures.length > 0) steps.say(`\nFigures:\n${[...tally.figures].sort().map((figure) => `  ${figure}`).join('\n')}`);
  if (tally.skips.length > 0) steps.say(`\nSkipped:\n${tally.skips.map((skip) => `  ${skip}`).join('\n')}`);
  if (tally.problems.length > 0) steps.say(`\nProblems:\n${tally.problems.map((problem) => `  ${problem}`).join('\n')}`);
  steps.say(`\n${seconds.toFixed(0)} s`);
  steps.say(closingLine(tally));
  return tally.failed === 0 ? 0 : 1;
}
