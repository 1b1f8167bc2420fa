/**
 * A tlog-tiles log written to a local directory, durable at every step: an object is in its file whole or not at all, and what is written by a call is on the
 * disk before the call resolves. One writer at a time; readers need no lock.
 */
import { link, mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LogObject } from '../../core/log/tiles';

/** Files on their way to the disk at once: as many as libuv has threads, so that the disk may write them together. */
const CONCURRENCY = 4;

/** An object is there with other bytes than those now to be written: two writers, or a damaged disk. Nothing was changed. */
export class ObjectDiffers extends Error {
  constructor(readonly object: string) {
    super(`${object} is there already, with other bytes`);
    this.name = 'ObjectDiffers';
  }
}

export interface LogDirectory {
  /**
   * Writes all `objects`: full ones create-only (the same bytes again succeed), partial ones whatever was there. Died on the way: some of them are there,
   * whole, and writing all again completes them. Throws `ObjectDiffers`.
   */
  put(objects: readonly LogObject[]): Promise<void>;
  /** Puts the bytes in the place of what had the name, atomically: `checkpoint`, after the objects it speaks of. */
  replace(name: string, bytes: Uint8Array): Promise<void>;
}

/** Writes below `root`, which is made where it is not there. */
export function logDirectory(root: string): LogDirectory {
  const known = new Map<string, Promise<void>>();

  /** Makes a directory; its name is on the disk when this resolves. */
  const made = (path: string): Promise<void> => {
    let making = known.get(path);
    if (making === undefined) known.set(path, (making = make(path)));
    return making;
  };
  const make = async (path: string): Promise<void> => {
    if (path !== root && path.length > root.length) await made(dirname(path));
    if ((await mkdir(path, { recursive: path === root })) !== undefined || path !== root) await syncDirectory(dirname(path));
  };

  const write = async ({ name, bytes, partial }: LogObject): Promise<string> => {
    const path = join(root, name);
    const parent = dirname(path);
    await made(parent).catch(ignoreExisting);
    const unfinished = `${path}.unfinished`;
    await writeSynced(unfinished, bytes);
    if (partial) await rename(unfinished, path);
    else {
      try {
        await link(unfinished, path); // fails where rename would overwrite
      } catch (error) {
        if (!isExisting(error)) throw error;
        if (!(await readFile(path)).equals(bytes)) throw new ObjectDiffers(name);
      }
      await rm(unfinished);
    }
    return parent;
  };

  return {
    async put(objects) {
      const touched = new Set<string>();
      const queue = [...objects];
      const writer = async (): Promise<void> => {
        for (let object = queue.shift(); object !== undefined; object = queue.shift()) touched.add(await write(object));
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, writer));
      // Bytes are on the disk, their names perhaps not: once for each directory, not for each file.
      await Promise.all([...touched].map(syncDirectory));
    },
    async replace(name, bytes) {
      await syncDirectory(await write({ name, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), partial: true }));
    },
  };
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o644);
  await closing(file, async () => {
    await file.writeFile(bytes);
    await file.datasync();
  });
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await closing(directory, () => directory.sync());
}

async function closing(file: FileHandle, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    await file.close();
  }
}

const isExisting = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST';

function ignoreExisting(error: unknown): void {
  if (!isExisting(error)) throw error;
}
