/** The thread that examines bundles: takes tasks, answers each with its results. Bytes are moved to the asker, not copied. */
import { parentPort, type TransferListItem } from 'node:worker_threads';
import { examineFiles, type BundleTask } from './bundle-files';

/** A result as it crosses threads: views instead of Buffers. */
export interface CrossingBundle {
  readonly root: Uint8Array;
  readonly judged?: { readonly bundle: Uint8Array; readonly tile: Uint8Array; readonly remarkable: readonly number[] };
}

export interface TaskAnswer {
  readonly first: number;
  readonly results: readonly (CrossingBundle | undefined)[];
}

parentPort?.on('message', (task: BundleTask) => {
  const results = examineFiles(task);
  const moved: TransferListItem[] = results.flatMap((result) => (result?.judged === undefined ? [] : [result.judged.bundle.buffer as ArrayBuffer, result.judged.tile.buffer as ArrayBuffer]));
  parentPort?.postMessage({ first: task.first, results } satisfies TaskAnswer, moved);
});
