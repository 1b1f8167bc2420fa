/**
 * Checkpoints (C2SP tlog-checkpoint): origin, size and root of a log as a signed note. Whatever is parsed is attacker-controlled until
 * `verifyNote` has named a trusted key.
 */
import { fromBase64, toBase64 } from './base64';
import { LogFormatError } from './log-format-error';
import { HASH_SIZE } from './sha256';
import { formatNote, parseNote, signNote, type Sign, type SignedNote } from './signed-note';
import type { VerifierKey } from './vkey';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Buffer;
  /** Further lines, opaque; ours have none. */
  readonly extensions: readonly string[];
}

export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly note: SignedNote;
}

/** The note text of `checkpoint`, ending in a newline. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), toBase64(root), ...extensions, ''].join('\n');
}

/** Parses the note text of a checkpoint. Throws `checkpoint-lines`, `checkpoint-origin`, `checkpoint-size`, `checkpoint-root`. */
export function parseCheckpointText(text: string): Checkpoint {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length < 3) throw new LogFormatError('checkpoint-lines', 'a checkpoint has three lines: origin, size and root');
  const [origin, sizeText, rootText, ...extensions] = lines as [string, string, string, ...string[]];
  if (origin === '') throw new LogFormatError('checkpoint-origin', 'the origin is empty');
  if (extensions.includes('')) throw new LogFormatError('checkpoint-lines', 'a checkpoint holds no empty lines');
  const size = /^(0|[1-9]\d{0,15})$/.test(sizeText) ? Number(sizeText) : NaN;
  if (!Number.isSafeInteger(size)) throw new LogFormatError('checkpoint-size', 'the size is not a decimal number below 2^53 without leading zeroes');
  const root = fromBase64(rootText);
  if (root?.length !== HASH_SIZE) throw new LogFormatError('checkpoint-root', 'the root is not the base64 of 32 bytes');
  return { origin, size, root, extensions };
}

/** Parses a signed checkpoint, verifying nothing. Throws the `note-…` and `checkpoint-…` codes. */
export function parseCheckpoint(bytes: Uint8Array): SignedCheckpoint {
  const note = parseNote(bytes);
  return { checkpoint: parseCheckpointText(note.text), note };
}

/** The same for a checkpoint of ours, which has no extension lines: nobody would know what they mean. Throws `checkpoint-lines` on any. */
export function parseOwnCheckpoint(bytes: Uint8Array): SignedCheckpoint {
  const signed = parseCheckpoint(bytes);
  if (signed.checkpoint.extensions.length > 0) throw new LogFormatError('checkpoint-lines', 'a checkpoint of this log has three lines and no extension');
  return signed;
}

/** The bytes of `checkpoint` signed by `key`, which bears the log's origin as its name. */
export async function signCheckpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Sign): Promise<Buffer> {
  return formatNote(await signNote(formatCheckpoint(checkpoint), key, sign));
}
