/**
 * The newest checkpoint seen of a log, kept by whoever verifies it: the one defence against a log that is cut or rewritten as a whole by somebody who
 * holds its key. One file per key and source, so that no log is held against another's past.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { fromBase64 } from '../core/log/base64';
import { parseKeyHistory } from '../core/log/log-vkeys';
import { LogFormatError } from '../core/log/log-format-error';
import { formatVkey, type VerifierKey } from '../core/log/vkey';
import type { RememberedCheckpoint } from '../operations/verify-checkpoints';
import type { Call } from './command';
import { Failure } from './failure';
import type { VaultSource } from './world';

export interface CheckpointMemory {
  /** What is remembered, or undefined where nothing is yet. Throws Failure `usage`: an unreadable memory is never an empty one. */
  read(): Promise<RememberedCheckpoint | undefined>;
  write(checkpoint: RememberedCheckpoint): Promise<void>;
}

const shape = z.object({
  origin: z.string(),
  size: z.int().min(0),
  root: z.string().refine((text) => fromBase64(text)?.length === 32, 'is the base64 of 32 bytes'),
});

/** `file`: where; without one a file of our own under the user's state directory. */
export async function checkpointMemory({ io, world }: Call, source: VaultSource, keys: readonly VerifierKey[], file: string | undefined): Promise<CheckpointMemory> {
  const path = file === undefined ? join(world.memoryDirectory, 'checkpoints', `${await nameOf(source, keys)}.json`) : resolve(io.cwd, file);
  return {
    read: async () => {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw new Failure('usage', `the remembered checkpoint ${path} cannot be read: ${error.message}`, undefined, { cause: error });
      });
      return text === undefined ? undefined : parsed(text, path);
    },
    write: async (checkpoint) => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.new`, `${JSON.stringify(checkpoint)}\n`);
      await rename(`${path}.new`, path);
    },
  };
}

function parsed(text: string, path: string): RememberedCheckpoint {
  try {
    const { origin, size, root } = shape.parse(JSON.parse(text));
    return { origin, size, root };
  } catch (cause) {
    throw new Failure('usage', `${path} holds no remembered checkpoint`, 'look at it; remove it only if you know why it is damaged', { cause });
  }
}

/** The key is the pinned one, otherwise the log's own first: a local cloud begun anew is another log at the same address. */
async function nameOf({ reader }: VaultSource, keys: readonly VerifierKey[]): Promise<string> {
  const key = keys[0] ?? (await firstKey(reader));
  return createHash('sha256').update(`${key === undefined ? '' : formatVkey(key)}\n${reader.source}`).digest('hex').slice(0, 32);
}

async function firstKey(reader: VaultSource['reader']): Promise<VerifierKey | undefined> {
  const bytes = await reader.get('log.vkeys');
  if (bytes === 'absent') return undefined;
  try {
    return parseKeyHistory(bytes)[0];
  } catch (error) {
    if (error instanceof LogFormatError) return undefined; // a finding of the verification itself
    throw error;
  }
}
