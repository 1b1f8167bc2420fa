/**
 * `npm run bench -- verify`: entries a second of our verification against Tessera's fsck package (the program in test/oracles), each in a process of its own on
 * the same log, which Tessera made; whole processes, from start to exit. Beside it, without an opponent: a full vault of ours, whose entries are parsed and
 * whose segments are compared too. Prints medians and the ratio theirs / ours.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildGo, bundled, median, opaqueEntries, root, versus, withScratch } from './side-by-side';
import { writeVault } from './vault-fixture';

const ENTRIES = Number(process.env['BENCH_ENTRIES'] ?? 200_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 11);
const THREADS = Math.max(0, availableParallelism() - 1);

const seconds = (program: string, args: readonly string[]): number => {
  const start = performance.now();
  execFileSync(program, args, { stdio: 'ignore' });
  return (performance.now() - start) / 1000;
};

async function main(): Promise<void> {
  await withScratch(async (folder) => {
    const { fsck, makeLog } = buildGo(folder);
    await bundled(folder, { 'verify-guest': 'bench/verify-guest.ts', 'bundle-worker': 'src/adapters/files/bundle-worker.ts' });
    const log = join(folder, 'log');
    const { vkey } = JSON.parse(execFileSync(makeLog, ['-batch', '4096', log], { input: opaqueEntries(ENTRIES), stdio: ['pipe', 'pipe', 'ignore'] }).toString()) as { vkey: string };
    const vault = join(folder, 'vault');
    await writeVault(vault, ENTRIES);

    const guest = join(folder, 'verify-guest.cjs');
    const runs = {
      ours: () => seconds(process.execPath, [guest, log, String(THREADS), vkey]),
      theirs: () => seconds(fsck, [log, vkey]),
      alone: () => seconds(process.execPath, [guest, log, '0', vkey]),
      cli: () => seconds(process.execPath, [join(root, 'bin/intact.cjs'), 'verify', log, '--profile', 'tlog-tiles', '--vkey', vkey]),
      vault: () => seconds(process.execPath, [guest, vault, String(THREADS)]),
      vaultAlone: () => seconds(process.execPath, [guest, vault, '0']),
    };
    const times: Record<string, number[]> = {};
    for (let round = 0; round < ROUNDS; round++) for (const [name, run] of Object.entries(runs)) (times[name] ??= []).push(run());
    const of = (name: keyof typeof runs): number => median(times[name] ?? []);
    console.log(`${ENTRIES.toLocaleString('en')} entries of about 600 bytes; ${ROUNDS} rounds, medians; whole processes; ${THREADS + 1} threads where nothing else is said`);
    console.log(versus('verify, tlog-tiles log of Tessera', ENTRIES, of('ours'), of('theirs'), 1));
    console.log(versus('  on one thread', ENTRIES, of('alone'), of('theirs')));
    console.log(versus('  npx intact verify, as a user starts it', ENTRIES, of('cli'), of('theirs')));
    const alone = (name: keyof typeof runs): string => `${Math.round(ENTRIES / of(name)).toLocaleString('en').padStart(9)}/s`;
    console.log(`verify, vault of ours (entries parsed, segments) ours ${alone('vault')}   on one thread ${alone('vaultAlone')}`);
  });
}

void main();
