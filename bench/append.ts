/**
 * `npm run bench -- append`: entries a second into a tlog-tiles log in a local directory, against Tessera's POSIX driver: the same entries, batches, checkpoint
 * interval and disk, both waiting until every batch is on it. Prints medians and the ratio theirs / ours.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildGo, bundled, median, opaqueEntries, versus, withScratch } from './side-by-side';

const ENTRIES = Number(process.env['BENCH_ENTRIES'] ?? 200_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const BATCHES = [4096, 1000];
const INTERVAL_MS = 100; // the shortest Tessera allows

interface Made {
  readonly vkey: string;
  readonly seconds: number;
}

async function main(): Promise<void> {
  await withScratch(async (folder) => {
    const { fsck, makeLog } = buildGo(folder);
    await bundled(folder, { 'append-guest': 'bench/append-guest.ts' });
    const entries = opaqueEntries(ENTRIES);
    const log = join(folder, 'log');
    const run = (program: string, args: readonly string[]): number => {
      rmSync(log, { recursive: true, force: true });
      const made = JSON.parse(execFileSync(program, args, { input: entries, stdio: ['pipe', 'pipe', 'ignore'] }).toString()) as Made;
      execFileSync(fsck, [log, made.vkey], { stdio: 'ignore' }); // what was written fast and wrong does not count
      return made.seconds;
    };
    for (const batch of BATCHES) {
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(run(process.execPath, [join(folder, 'append-guest.cjs'), log, String(batch), String(INTERVAL_MS)]));
        theirs.push(run(makeLog, ['-batch', String(batch), '-interval', `${INTERVAL_MS}ms`, log]));
      }
      console.log(versus(`append, ${ENTRIES.toLocaleString('en')} entries, batches of ${batch}`, ENTRIES, median(ours), median(theirs), 1));
    }
  });
}

void main();
