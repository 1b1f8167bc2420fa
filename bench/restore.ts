/**
 * `npm run bench -- restore`: the records of a vault restored into a file, against restic (Debian package `restic`; `RESTIC` names another program) restoring the same bytes from a
 * repository on the same disk. Ours checks every entry against the signed root, opens every record under its person's key, checks its MAC and can leave out any of them. restic is
 * measured twice: with a file for each record, which is what can be restored one by one, and with all records in one file, which is all or nothing. Whole processes, in turn.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeRecordsVault } from './restore-fixture';
import { bundled, median, versus, withScratch } from './side-by-side';

const RECORDS = Number(process.env['BENCH_RECORDS'] ?? 50_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const RESTIC = process.env['RESTIC'] ?? 'restic';
const FILES_A_FOLDER = 1_000;

function timed(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}

const digestOfLines = (path: string): string => createHash('sha256').update(readFileSync(path, 'latin1').split('\n').sort().join('\n')).digest('hex');

async function main(): Promise<void> {
  if (spawnSync(RESTIC, ['version']).status !== 0) {
    console.error(`there is no ${RESTIC}: install the Debian package restic, or name the program in RESTIC`);
    process.exitCode = 2;
    return;
  }
  await withScratch(async (folder) => {
    const path = (name: string): string => join(folder, name);
    const restic = (...args: readonly string[]): void => void execFileSync(RESTIC, ['--quiet', '--no-cache', ...args], { env: { ...process.env, RESTIC_PASSWORD: 'bench' }, stdio: 'ignore', cwd: folder });
    await bundled(folder, { 'restore-guest': 'bench/restore-guest.ts' });
    mkdirSync(path('one'));
    await writeRecordsVault(path('vault'), path('keys.json'), RECORDS, (image, i) => {
      const of = path(`each/${Math.floor(i / FILES_A_FOLDER)}`);
      if (i % FILES_A_FOLDER === 0) mkdirSync(of, { recursive: true });
      writeFileSync(join(of, String(i)), image);
      appendFileSync(path('one/records'), Buffer.concat([image, Buffer.from('\n')]));
    });
    for (const what of ['each', 'one']) {
      restic('-r', `${what}.repo`, 'init');
      restic('-r', `${what}.repo`, 'backup', what);
    }
    const runs = {
      ours: () => {
        rmSync(path('restored'), { force: true });
        return timed(() => void execFileSync(process.execPath, [path('restore-guest.cjs'), path('vault'), path('keys.json'), path('restored')], { stdio: 'ignore' }));
      },
      each: () => resticRestores('each'),
      one: () => resticRestores('one'),
    };
    const resticRestores = (what: string): number => {
      rmSync(path('out'), { recursive: true, force: true });
      return timed(() => restic('-r', `${what}.repo`, 'restore', 'latest', '--target', 'out'));
    };
    const times: Record<string, number[]> = {};
    for (let round = 0; round < ROUNDS; round++) for (const [name, run] of Object.entries(runs)) (times[name] ??= []).push(run());
    if (digestOfLines(path('restored')) !== digestOfLines(path('one/records'))) throw new Error('what was restored are other bytes than what was recorded');
    const of = (name: keyof typeof runs): number => median(times[name] ?? []);
    console.log(`${RECORDS.toLocaleString('en')} records of about 850 bytes, the same bytes restored by both; ${ROUNDS} rounds, medians; whole processes`);
    console.log(versus('restore, restic with a file for each record', RECORDS, of('ours'), of('each'), 1));
    console.log(versus('restore, restic with all of them in one file', RECORDS, of('ours'), of('one'), 1));
  });
}

void main();
