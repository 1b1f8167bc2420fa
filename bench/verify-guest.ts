/**
 * Our side of `npm run bench -- verify`: what `intact verify <directory>` runs, compiled beforehand, with threads as the CLI has them.
 *
 *     verify-guest <directory> <threads beside the main one> [vkey of a foreign log]      exits 0 only when there is no finding
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { directoryVault } from '../src/adapters/files/directory-vault';
import { parseVkey } from '../src/core/log/vkey';
import { verifyVault } from '../src/operations/verify-vault';

async function main([directory, threads, vkey]: readonly string[]): Promise<void> {
  const reader = directoryVault(directory!, { threads: { count: Number(threads), start: () => new Worker(join(__dirname, 'bundle-worker.cjs')) } });
  const start = performance.now();
  const { ok, size, findings } = await verifyVault(reader, vkey === undefined ? { profile: 'intact', keys: [] } : { profile: 'tlog-tiles', keys: [parseVkey(vkey)] });
  process.stdout.write(`${JSON.stringify({ ok, size, findings: findings.slice(0, 3), seconds: (performance.now() - start) / 1000 })}\n`, () => process.exit(ok ? 0 : 1));
}

void main(process.argv.slice(2));
