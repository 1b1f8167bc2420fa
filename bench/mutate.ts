/**
 * `npm run mutate`: breaks our own code in one named way at a time, in a scratch copy, and demands that a test notices. A mutant that survives is a
 * missing test; a mutant whose text is no longer found is a stale list. Either exits 1. `npm run mutate -- <name part>` runs some of them.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MUTANTS, type Mutant } from './mutants';

const root = join(__dirname, '..');
/** What the tests of a mutant may read. */
const COPIED = ['src', 'lib', 'lambdas', 'bin', 'local', 'test', 'stages', 'examples', 'docs', 'package.json', 'jest.config.cjs', 'layers.mjs', 'tsconfig.json', 'cdk.json'];
/** A mutant may turn a loop endless; a test that hangs has noticed. Generous, because the machine may be slow. */
const MAX_SECONDS = 240;

type Verdict = 'killed' | 'survived' | 'stale';

function scratchCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'intact-mutants-'));
  for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function testsPass(folder: string, tests: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), '--rootDir', folder, '--ci', '--silent', '--runInBand', '--bail', ...tests], {
    cwd: folder,
    stdio: 'ignore',
    timeout: MAX_SECONDS * 1000,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code === 0)));
}

async function judge(folder: string, mutant: Mutant): Promise<Verdict> {
  const path = join(folder, mutant.file);
  const original = readFileSync(path, 'utf8');
  if (original.split(mutant.find).length !== 2) return 'stale';
  writeFileSync(path, original.replace(mutant.find, () => mutant.replace));
  try {
    return (await testsPass(folder, mutant.tests)) ? 'survived' : 'killed';
  } finally {
    writeFileSync(path, original);
  }
}

async function main(): Promise<void> {
  const wanted = process.argv[2];
  const queue = MUTANTS.filter(({ name }) => wanted === undefined || name.includes(wanted));
  const suites = [...new Set(queue.flatMap(({ tests }) => tests))];
  const folders = Array.from({ length: Math.min(availableParallelism(), queue.length) }, scratchCopy);
  try {
    // A mutant is only killed by a test that passes without it.
    if (folders[0] === undefined || !(await testsPass(folders[0], suites))) throw new Error('the tests fail without any mutant (or no mutant matches); mend that first');
    const verdicts: Verdict[] = [];
    const pending = [...queue];
    await Promise.all(
      folders.map(async (folder) => {
        for (let mutant = pending.shift(); mutant !== undefined; mutant = pending.shift()) {
          const verdict = await judge(folder, mutant);
          verdicts.push(verdict);
          console.log(`${verdict.padEnd(8)}  ${mutant.name}  (${mutant.file})`);
        }
      }),
    );
    const killed = verdicts.filter((verdict) => verdict === 'killed').length;
    console.log(`\n${killed} of ${verdicts.length} mutants killed`);
    process.exitCode = killed === verdicts.length ? 0 : 1;
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

void main();
