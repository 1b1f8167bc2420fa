/**
 * An interrupted verification on disk, for `verify --resume <file>`: at any moment the file is absent or a whole state, and it is gone once there is a
 * report. It says what it is a verification of, and another one never goes on from it.
 *
 * What was verified before is not read again, so the file is trusted as the report itself is: who can write it can have entries skipped. The digest in it is
 * against damage, not against them.
 */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { RememberedCheckpoint } from '../operations/verify-checkpoints';
import type { VerifyState } from '../operations/verify-vault';
import type { Call } from './command';
import { Failure } from './failure';
import { say } from './io';
import { printable } from './text';
import type { VaultSource } from './world';

/** What a verification is of. Everything that its report depends on beside the vault's objects. */
export interface VerificationOf {
  /** Version of this program: another one may keep other things in a state. */
  readonly program: string;
  readonly source: string;
  readonly profile: 'intact' | 'tlog-tiles';
  /** Pinned keys as vkey lines. */
  readonly keys: readonly string[];
  /** First line of `checkpoint`, as it was read: another log may have come to the same address. */
  readonly origin: string | null;
  readonly remembered: RememberedCheckpoint | null;
}

export interface SavedVerification {
  readonly state: VerifyState;
  /** Entries that were verified, and when that was. */
  readonly entries: number;
  readonly at: string;
}

export interface StateFile {
  /** What to go on from; undefined: nothing yet. Throws Failure `usage`: damaged, not such a file, or of another verification. */
  read(): SavedVerification | undefined;
  /** Saves what `state` makes, unless that was done a moment ago. Never throws: a full disk must not end a verification. */
  save(entries: number, state: () => VerifyState): void;
  /** Whether there is something to go on from. */
  isKept(): boolean;
  /** There is a report now. Says so where the file cannot be removed: it would be gone on from next time. */
  remove(): void;
}

const FORMAT = 'intact/verify-state/v1';
/** How much work a kill costs… */
const EVERY_MS = 2_000;
/** …and where the state has grown large, so that saving it takes its time: so many times as long as that… */
const TIMES_AS_LONG = 20;
/** …but no more than this. */
const AT_MOST_MS = 60_000;

/** Throws Failure `usage` where no such file can be made. */
export function stateFile({ io, world: { now } }: Pick<Call, 'io' | 'world'>, file: string, source: VaultSource, of: VerificationOf): StateFile {
  const path = resolve(io.cwd, file);
  demandPlace(path, file, source, io.cwd);
  let [dueMs, kept, warned] = [-Infinity, false, false];
  return {
    read: () => {
      const text = readIfThere(path, file);
      if (text === undefined) return undefined;
      const saved = parsed(text, file);
      demandSame(saved.of, of, file);
      kept = true;
      return saved;
    },
    save: (entries, state) => {
      const began = now().getTime();
      if (began < dueMs) return;
      try {
        const document: Document = { of, at: now().toISOString(), entries, state: state() };
        replace(path, framed(JSON.stringify(document)));
        kept = true;
      } catch (error) {
        if (!warned) say(io, `intact: ${file} cannot be written, so that an interruption would cost more: ${(error as Error).message}`);
        warned = true;
      }
      const took = now().getTime() - began;
      dueMs = began + took + Math.min(AT_MOST_MS, Math.max(EVERY_MS, took * TIMES_AS_LONG));
    },
    isKept: () => kept,
    remove: () => {
      try {
        rmSync(path, { force: true });
      } catch (error) {
        say(io, `intact: ${file} is of a verification that is done, and cannot be removed: ${(error as Error).message}`);
      }
    },
  };
}

/** Told at once, not after an hour of verifying. */
function demandPlace(path: string, file: string, { kind, reader }: VaultSource, cwd: string): void {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw new Failure('usage', `there is no directory ${dirname(file)} for ${file}`);
  if (kind !== 'directory') return;
  const inside = relative(realpathSync(resolve(cwd, reader.source)), realpathSync(folder));
  if (inside !== '..' && !inside.startsWith(`..${sep}`)) throw new Failure('usage', `${file} lies in the vault that is verified`, 'name a file elsewhere, where only you can write');
}

function readIfThere(path: string, file: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new Failure('usage', `${file} cannot be read: ${message}`, undefined, { cause });
  }
}

type Document = SavedVerification & { readonly of: VerificationOf };

/** Two lines: what this is, with the SHA-256 of the other; and the rest. */
const framed = (body: string): string => `${JSON.stringify({ format: FORMAT, sha256: sha256(body) })}\n${body}\n`;

function parsed(text: string, file: string): Document {
  const [head = '', body = ''] = text.split('\n');
  if (!head.startsWith(`{"format":"${FORMAT}"`)) throw new Failure('usage', `${file} holds no interrupted verification that this version can go on from`, 'it was not touched: name another file, or remove it if you know what it is');
  const document = text === framed(body) ? (JSON.parse(body) as Document) : undefined;
  if (document?.state.v !== 1) throw new Failure('usage', `${file} is damaged`, 'remove it; the verification then begins anew');
  return document;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function demandSame(saved: VerificationOf, of: VerificationOf, file: string): void {
  const differs = (Object.keys(DIFFERENT) as (keyof VerificationOf)[]).find((member) => JSON.stringify(saved[member]) !== JSON.stringify(of[member]));
  if (differs !== undefined) throw new Failure('usage', `${file} is of another verification: ${DIFFERENT[differs](saved)}`, 'finish that one, or name another file; removed, this verification begins anew');
}

const DIFFERENT: Readonly<Record<keyof VerificationOf, (saved: VerificationOf) => string>> = {
  program: ({ program }) => `by version ${program}`,
  source: ({ source }) => `of ${source}`,
  profile: ({ profile }) => `with the profile ${profile}`,
  keys: ({ keys }) => (keys.length === 0 ? "with the vault's own key" : `with the key ${keys.join(', ')}`),
  origin: ({ origin }) => `the log was ${origin === null ? 'without a checkpoint' : printable(origin)} then`,
  remembered: ({ remembered }) => (remembered === null ? 'without a remembered checkpoint' : `${remembered.size} entries were remembered then`),
};

/** A crash before the rename leaves the old state and a file nobody reads; after it the new state, which is on the disk by then. */
function replace(path: string, text: string): void {
  const unfinished = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const descriptor = openSync(unfinished, 'wx', 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
