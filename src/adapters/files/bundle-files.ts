/**
 * Bundles and their tiles read from a directory and examined, a few at a time, without waiting in between: the work of one thread. Reading is synchronous
 * because a verifier's files come from the page cache or a local disk, and handing each over between threads costs more than reading it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { TILE_WIDTH } from '../../core/log/bundle';
import { tilePath } from '../../core/log/tile-path';
import { examineBundle, type AgreeingBundle } from '../../core/verify/examine-bundle';

/** Full bundles [first, first + count) of the log in `directory`. */
export interface BundleTask {
  readonly directory: string;
  readonly first: number;
  readonly count: number;
  readonly judgeEntries: boolean;
  readonly maxObjectSize: number;
}

/** One result per bundle, in order. Never throws: what cannot be read is undefined, like what disagrees. */
export function examineFiles({ directory, first, count, judgeEntries, maxObjectSize }: BundleTask): (AgreeingBundle | undefined)[] {
  return Array.from({ length: count }, (_, i) => {
    const read = (level: 0 | 'entries', reused: Reused): Buffer | undefined =>
      readWhole(join(directory, tilePath({ level, index: first + i, width: TILE_WIDTH })), maxObjectSize, judgeEntries ? undefined : reused);
    const bundle = read('entries', bundleSpace);
    const tile = bundle === undefined ? undefined : read(0, tileSpace);
    return bundle === undefined || tile === undefined ? undefined : examineBundle(bundle, tile, judgeEntries);
  });
}

/** Memory used again for the next file, where nobody keeps the bytes. */
interface Reused {
  buffer: Buffer;
}
const bundleSpace: Reused = { buffer: Buffer.alloc(0) };
const tileSpace: Reused = { buffer: Buffer.alloc(0) };

function space(size: number, reused: Reused | undefined): Buffer {
  if (reused === undefined) return Buffer.allocUnsafeSlow(size); // of its own, so that it can be given to another thread
  if (reused.buffer.length < size) reused.buffer = Buffer.allocUnsafeSlow(2 * size);
  return reused.buffer.subarray(0, size);
}

function readWhole(path: string, limit: number, reused: Reused | undefined): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a planted pipe must not hold us up
    const info = fstatSync(file);
    if (!info.isFile() || info.size > limit) return undefined;
    const bytes = space(info.size, reused);
    return readSync(file, bytes, 0, info.size, 0) === info.size ? bytes : undefined;
  } catch {
    return undefined; // whoever asked reads it again by itself and says what is wrong
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
