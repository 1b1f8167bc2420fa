/** A thread that helps `verify` to examine a directory. It begins as the process did: the launcher loads its one file, compiled before. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

export const startBundleThread = (): Worker =>
  new Worker(join(__dirname, 'intact.cjs'), { workerData: { module: join(__dirname, '..', 'src', 'adapters', 'files', 'bundle-worker.ts') } });
