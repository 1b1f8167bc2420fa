/**
 * `npm run mutate`: breaks our own code in one named way at a time, in a scratch copy, and demands that a test notices. A mutant that survives is a
 * missing test; one whose text is no longer found is a stale list; one that does not even load proves nothing. Each of these exits 1.
 * `npm run mutate -- <name part> …` runs those whose name holds one of the parts; `--at-once <n>`: how many at a time (default: the processors there are).
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from './mutants';

const root = join(__dirname, '..');
/** What the tests of a mutant may read. */
const COPIED = ['src', 'lib', 'lambdas', 'bin', 'local', 'test', 'stages', 'policies', 'examples', 'docs', 'scripts', 'redocly.yaml', 'package.json', 'jest.config.cjs', 'layers.mjs', 'tsconfig.json', 'cdk.json'];
/** A mutant may turn a loop endless; a test that hangs has noticed. Generous, because the machine may be slow. */
const MAX_SECONDS = 240;
const REPORT = 'mutant-report.json';

type Verdict = 'killed' | 'survived' | 'stale' | 'broken';

/** `because`: for people; which test failed, or what is wrong with the mutant. */
interface Judged {
  readonly verdict: Verdict;
  readonly because: string;
}

/** What we read of jest's report. */
interface Report {
  readonly success: boolean;
  readonly testResults: readonly { readonly name: string; readonly message: string; readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[] }[];
}

function scratchCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'intact-mutants-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Jest's own report; 'hung' or 'died' where it could not write one. */
async function runTests(folder: string, tests: readonly string[]): Promise<Report | 'hung' | 'died'> {
  const report = join(folder, REPORT);
  rmSync(report, { force: true });
  const jest = ['--rootDir', folder, '--ci', '--silent', '--runInBand', '--forceExit', '--json', '--outputFile', report, '--runTestsByPath', ...tests.map((test) => join(folder, test))];
  const child = spawn(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), ...jest], { cwd: folder, stdio: 'ignore', timeout: MAX_SECONDS * 1000, killSignal: 'SIGKILL' });
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_code, by) => resolve(by)));
  if (existsSync(report)) return JSON.parse(readFileSync(report, 'utf8')) as Report;
  return signal === 'SIGKILL' ? 'hung' : 'died';
}

/** What in the list no longer fits the program. Asked before anything runs, because it takes no time. */
function staleness({ file, find, tests }: Mutant): string | undefined {
  const gone = [file, ...tests].filter((name) => !existsSync(join(root, name)));
  if (gone.length > 0) return `there is no ${gone.join(', ')}`;
  const times = readFileSync(join(root, file), 'utf8').split(find).length - 1;
  return times === 1 ? undefined : `its text occurs ${times} times in ${file}`;
}

async function judge(folder: string, { file, find, replace, tests }: Mutant): Promise<Judged> {
  const path = join(folder, file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(path, original.replace(find, () => replace));
  try {
    const report = await runTests(folder, tests);
    if (report === 'hung') return { verdict: 'killed', because: `the tests did not end within ${MAX_SECONDS} seconds` };
    if (report === 'died') return { verdict: 'killed', because: 'the tests did not survive it' };
    return judged(report);
  } finally {
    writeFileSync(path, original);
  }
}

function judged({ success, testResults }: Report): Judged {
  const failed = testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status === 'failed'));
  if (failed[0] !== undefined) return { verdict: 'killed', because: failed.length === 1 ? failed[0].fullName : `${failed[0].fullName}; and ${failed.length - 1} more` };
  if (success) return { verdict: 'survived', because: 'no test noticed' };
  // A suite that failed before its first test: what it prepares refused the mutant (a synthesis does), or the mutant is no program and nothing was tested.
  const messages = testResults.map(({ message }) => message).join('\n');
  const said = messages.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('●'))[0] ?? '';
  return { verdict: /Syntax ?Error|ReferenceError|Cannot find module/.test(messages) ? 'broken' : 'killed', because: said };
}

/** A mutant is only killed by a test that passes without it. */
async function checkUnbroken(folder: string, suites: readonly string[]): Promise<void> {
  const report = await runTests(folder, suites);
  if (typeof report !== 'string' && report.success) return;
  const failures = typeof report === 'string' ? report : report.testResults.filter(({ message }) => message !== '').map(({ message }) => message).join('\n');
  throw new Error(`the tests fail without any mutant; mend that first:\n${failures}`);
}

function commandLine(): { readonly wanted: readonly string[]; readonly atOnce: number } {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'at-once': { type: 'string' } } });
  const atOnce = Number(values['at-once'] ?? availableParallelism());
  if (!Number.isInteger(atOnce) || atOnce < 1) throw new Error('--at-once takes a number from 1 on');
  return { wanted: positionals, atOnce };
}

async function main(): Promise<void> {
  const { wanted, atOnce } = commandLine();
  const chosen = MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
  if (chosen.length === 0) throw new Error(`no mutant's name holds ${wanted.join(' or ')}`);
  const verdicts: Verdict[] = [];
  const tell = (mutant: Mutant, { verdict, because }: Judged): void => {
    verdicts.push(verdict);
    console.log(`${verdict.padEnd(8)}  ${mutant.name}  (${mutant.file})\n          ${verdict === 'killed' ? 'by: ' : ''}${because}`);
  };
  const pending = chosen.filter((mutant) => {
    const because = staleness(mutant);
    if (because !== undefined) tell(mutant, { verdict: 'stale', because });
    return because === undefined;
  });
  const folders = Array.from({ length: Math.min(atOnce, pending.length) }, scratchCopy);
  const suites = [...new Set(pending.flatMap(({ tests }) => tests))];
  console.log(`${suites.length} test files without a mutant, then ${pending.length} mutants`);
  if (folders[0] !== undefined) await checkUnbroken(folders[0], suites);
  await Promise.all(
    folders.map(async (folder) => {
      for (let mutant = pending.shift(); mutant !== undefined; mutant = pending.shift()) {
        tell(mutant, await judge(folder, mutant));
      }
    }),
  );
  const killed = verdicts.filter((verdict) => verdict === 'killed').length;
  console.log(`\n${killed} of ${verdicts.length} mutants killed`);
  process.exitCode = killed === verdicts.length ? 0 : 1;
}

process.once('SIGINT', () => process.exit(130)); // exit, so that the copies are removed
main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
