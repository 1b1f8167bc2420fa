/** Files that people name on the command line: read with messages that say which file and why not. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LogFormatError } from '../core/log/log-format-error';
import { parseVkey, type VerifierKey } from '../core/log/vkey';
import { Failure } from './failure';
import type { Io } from './io';

/** The bytes of `file` ('-': stdin). Throws Failure `usage` where there is none. */
export async function readBytes(io: Io, file: string): Promise<Buffer> {
  if (file === '-') {
    const chunks: Uint8Array[] = [];
    for await (const chunk of io.stdin) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  try {
    return await readFile(resolve(io.cwd, file));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Failure('usage', code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read: ${message}`, undefined, { cause });
  }
}

/** A key given as itself or as a file that holds it on its first line. What looks like a key is one. Throws Failure `usage`. */
export async function vkeyFrom(io: Io, given: string): Promise<VerifierKey> {
  const isFile = await stat(resolve(io.cwd, given)).then((info) => info.isFile(), () => false);
  const line = (isFile ? (await readBytes(io, given)).toString('utf8').split('\n')[0] ?? '' : given).trim();
  try {
    return parseVkey(line);
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    const what = isFile ? `the first line of ${given}` : `"${given}"`;
    throw new Failure('usage', `${what} is no public key of a log: ${error.message}`, 'a key looks like <origin>+<8 hex digits>+<base64>; npx intact key prints it', { cause: error });
  }
}
