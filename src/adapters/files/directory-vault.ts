/**
 * A vault in a local directory, as `pull` writes it. The directory may hold whatever an adversary put there: names that would lead outside are
 * refused, and no file is read past a limit.
 *
 * Files are read at once, not by way of libuv's threads: a local file is there sooner than another thread could hand it over. What makes a large log fast to
 * verify is `threads`.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync, type Dirent } from 'node:fs';
import { join, resolve } from 'node:path';
import { VaultReadError, type VaultReader } from '../../ports/vault-reader';
import { runBundles, type BundleThreads } from './bundle-threads';

/** Far above any object we write (single puts, content of one message); keeps one planted file from filling memory. */
const MAX_OBJECT_SIZE = 1_000_000_000;

export interface DirectoryVaultOptions {
  readonly maxObjectSize?: number;
  /** Examines bundles ahead, on these threads and the caller's; without it the caller reads one after another. */
  readonly threads?: BundleThreads;
}

/** Reads the vault under `directory`. Throws VaultReadError `unreachable` from its methods when the directory is not there. */
export function directoryVault(directory: string, { maxObjectSize = MAX_OBJECT_SIZE, threads }: DirectoryVaultOptions = {}): VaultReader {
  const root = resolve(directory);
  return {
    source: directory,
    get: async (name, maxBytes = Infinity) => read(root, name, Math.min(maxBytes, maxObjectSize)),
    list: (prefix) => listNames(root, prefix),
    ...(threads !== undefined && { bundles: (range) => runBundles({ directory: root, maxObjectSize }, threads, range) }),
  };
}

function read(root: string, name: string, limit: number): Buffer | 'absent' {
  if (!isInside(name)) throw new VaultReadError('denied', `${JSON.stringify(name)} is not a name inside a vault`);
  try {
    const file = openSync(join(root, name), constants.O_RDONLY | constants.O_NONBLOCK); // a planted pipe must not hold us up
    try {
      const info = fstatSync(file);
      if (info.isDirectory()) return 'absent'; // tile/0/x001 is the folder of tile/0/x001/000
      if (!info.isFile()) throw new VaultReadError('denied', `${name} is no regular file`);
      if (info.size > limit) throw new VaultReadError('too-large', `${name} has ${info.size} bytes; at most ${limit} are read`);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof VaultReadError) throw error;
    if (isAbsent(error)) {
      demandDirectory(root); // a missing directory is not an empty vault
      return 'absent';
    }
    throw unreadable(name, error);
  }
}

/** Names in the order of their bytes: entries of a folder are sorted as the whole names are, a folder's with its slash. */
async function* listNames(root: string, prefix: string, folder = ''): AsyncGenerator<string> {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (folder !== '' && isAbsent(error)) return; // removed meanwhile
    throw unreadable(folder === '' ? root : folder, error);
  }
  const names = entries.map((entry) => folder + entry.name + (entry.isDirectory() ? '/' : ''));
  // Ours are ASCII, where the order of bytes is that of strings.
  if (names.every((name) => ASCII.test(name))) names.sort();
  else names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const name of names) {
    if (name.endsWith('/')) {
      if (name.startsWith(prefix) || prefix.startsWith(name)) yield* listNames(root, prefix, name);
    } else if (name.startsWith(prefix)) yield name;
  }
}

const ASCII = /^[\x00-\x7f]*$/;

const isInside = (name: string): boolean =>
  name !== '' && !name.includes('\0') && !name.includes('\\') && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '');

function demandDirectory(root: string): void {
  try {
    if (statSync(root).isDirectory()) return;
  } catch (error) {
    throw unreadable(root, error);
  }
  throw new VaultReadError('unreachable', `${root} is not a directory`);
}

function unreadable(name: string, cause: unknown): VaultReadError {
  const { code } = cause as NodeJS.ErrnoException;
  const denied = code === 'EACCES' || code === 'EPERM';
  return new VaultReadError(denied ? 'denied' : 'unreachable', `${name} could not be read${code === undefined ? '' : ` (${code})`}`, { cause });
}
