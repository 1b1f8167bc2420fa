/** A directory on this machine as the place a pull goes to: each file whole or not there at all, however the process ends. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PullTarget } from '../operations/pull-vault';
import { Failure } from './failure';

/** Begins with a dot, so no vault name can be one. */
const UNFINISHED = '.unfinished';

/** The directory, made where it is not there. Throws Failure `usage` when it holds something that is no earlier pull. */
export async function pullDirectory(path: string): Promise<PullTarget> {
  await made(path);
  const names = await readdir(path);
  // log.vkeys is the first file of a pull and the checkpoint its last.
  if (names.length > 0 && !names.some((name) => name === 'log.vkeys' || name === 'checkpoint' || name === UNFINISHED)) {
    throw new Failure('usage', `${path} is not empty and holds no pulled log`, 'choose an empty directory, or a new one');
  }
  await rm(join(path, UNFINISHED), { recursive: true, force: true });
  await mkdir(join(path, UNFINISHED));
  const directories = new Map<string, Promise<unknown>>();
  let next = 0;
  return {
    read: async (name) => {
      try {
        return await readFile(join(path, name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
        throw error;
      }
    },
    write: async (name, bytes) => {
      const file = join(path, name);
      const parent = dirname(file);
      let ready = directories.get(parent);
      if (ready === undefined) directories.set(parent, (ready = mkdir(parent, { recursive: true })));
      await ready;
      const unfinished = join(path, UNFINISHED, String(next++));
      const handle = await open(unfinished, 'wx');
      try {
        await handle.writeFile(bytes);
        // The checkpoint must not reach the disk before what it speaks of; the others are re-read by their hash or by verification.
        if (name === 'checkpoint') await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, file);
      if (name === 'checkpoint') await rm(join(path, UNFINISHED), { recursive: true, force: true });
    },
  };
}

async function made(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new Failure('usage', `${path} cannot be a directory to pull to: ${(cause as Error).message}`, undefined, { cause });
  }
}
