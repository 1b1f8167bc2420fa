/**
 * Bundles and their tiles read from a directory and examined, a few at a time, without waiting in between: the work of one thread. Reading is synchronous
 * because a verifier's files come from the page cache or a local disk, and handing each over between threads costs more than reading it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { TILE_WIDTH } from '../../core/log/bundle';
import { HASH_SIZE } from '../../core/log/sha256';
import { hashingSpace } from '../../core/log/sha256-lanes';
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
    const path = (level: 0 | 'entries'): string => `${directory}/${tilePath({ level, index: first + i, width: TILE_WIDTH })}`;
    const read = (file: string, space: Buffer): Buffer | undefined => (judgeEntries ? undefined : readInto(file, space)) ?? readOwn(file, maxObjectSize);
    const bundle = read(path('entries'), (bundleSpace ??= hashingSpace()));
    const tile = bundle && read(path(0), tileSpace);
    return bundle && tile && examineBundle(bundle, tile, judgeEntries);
  });
}

// Memory used again for the next file where nobody keeps the bytes.
let bundleSpace: Buffer | undefined;
const tileSpace = Buffer.allocUnsafeSlow(TILE_WIDTH * HASH_SIZE + 1);

/** The file in memory of its own, so that it can be given to another thread. */
const readOwn = (path: string, limit: number): Buffer | undefined =>
  withFile(path, (file) => {
    const info = fstatSync(file);
    if (!info.isFile() || info.size > limit) return undefined;
    const bytes = Buffer.allocUnsafeSlow(info.size);
    return readSync(file, bytes, 0, info.size, 0) === info.size ? bytes : undefined;
  });

/** The file in `space`, if there is room to spare: then it ended there. */
const readInto = (path: string, space: Buffer): Buffer | undefined =>
  withFile(path, (file) => {
    const size = readSync(file, space, 0, space.length, 0);
    return size < space.length ? space.subarray(0, size) : undefined;
  });

function withFile(path: string, read: (file: number) => Buffer | undefined): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a planted pipe must not hold us up
    return read(file);
  } catch {
    return undefined; // whoever asked reads it again by itself and says what is wrong
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
