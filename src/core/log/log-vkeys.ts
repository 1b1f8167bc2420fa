/**
 * `log.vkeys`, the history of a log's verifier keys, oldest first. Who has ever pinned one of them follows the chain to the newest.
 *
 * Byte form (UTF-8, every line ends in one newline, nothing else in the file):
 *
 *     <vkey 1>
 *     <vkey 2>
 *     <empty line>
 *     — <name> <base64(key id of key 1 ‖ Ed25519 signature by key 1)>
 *     <vkey 3>
 *     <empty line>
 *     — <name> <base64(key id of key 2 ‖ Ed25519 signature by key 2)>
 *
 * The first line is the first key. Each later key is one C2SP signed note whose text is the line of the new key alone (the signature is over
 * `<vkey n>` and its newline) with exactly one signature, by the key before it. All keys bear the same name, the log's origin; none occurs
 * twice. Appending a rotation changes no byte that was there before.
 */
import { isUtf8 } from 'node:buffer';
import { LogFormatError } from './log-format-error';
import { formatNote, MAX_NOTE_SIZE, parseNote, signNote, verifyNote, type Sign } from './signed-note';
import { formatVkey, parseVkey, sameKey, type VerifierKey } from './vkey';

/** One rotation a day for a year; a longer file is not one of ours. */
const MAX_KEYS = 366;

/** The file of a log with one key. */
export const formatFirstKey = (key: VerifierKey): Buffer => Buffer.from(`${formatVkey(key)}\n`);

/** `file` with `next` added, vouched for by the newest key in it, whose private half `sign` uses. Throws what `parseKeyHistory` throws. */
export async function appendKey(file: Uint8Array, next: VerifierKey, sign: Sign): Promise<Buffer> {
  const newest = parseKeyHistory(file).at(-1)!;
  const appended = Buffer.concat([file, formatNote(await signNote(`${formatVkey(next)}\n`, newest, sign))]);
  parseKeyHistory(appended); // a name that differs or a key used before is refused here, before it is written
  return appended;
}

/**
 * The keys, oldest first, at least one; every rotation verified. Throws `keys-empty`, `keys-line`, `keys-rotation`, or a code of the key or
 * note at fault.
 */
export function parseKeyHistory(file: Uint8Array): VerifierKey[] {
  if (file.length > MAX_NOTE_SIZE) throw new LogFormatError('note-too-long', `a key file of ${file.length} bytes; at most ${MAX_NOTE_SIZE} are read`);
  // A name decoded with replacement characters would be another name than the one in the file.
  if (!isUtf8(file)) throw new LogFormatError('keys-line', 'the key file is not UTF-8');
  const text = Buffer.from(file).toString('latin1'); // only to find line ends; every line is parsed from its bytes
  if (text.length === 0) throw new LogFormatError('keys-empty', 'the key file is empty');
  const lines = text.split('\n').map((line) => Buffer.from(line, 'latin1'));
  if (lines.pop()!.length > 0) throw new LogFormatError('keys-line', 'the last line does not end');
  if (lines.length % 3 !== 1) throw new LogFormatError('keys-line', `${lines.length} lines; one for the first key and three for each later one are expected`);
  if (lines.length > 3 * MAX_KEYS) throw new LogFormatError('keys-line', `more than ${MAX_KEYS} keys`);
  const keys = [parseVkey(lines[0]!.toString('utf8'))];
  for (let i = 1; i < lines.length; i += 3) keys.push(parseRotation(joinLines(lines.slice(i, i + 3)), keys));
  return keys;
}

const joinLines = (lines: readonly Buffer[]): Buffer => Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));

function parseRotation(bytes: Buffer, before: readonly VerifierKey[]): VerifierKey {
  const previous = before.at(-1)!;
  const note = parseNote(bytes);
  const key = parseVkey(note.text.slice(0, -1));
  if (key.name !== previous.name) throw new LogFormatError('keys-line', `key ${before.length + 1} is named ${key.name}, the ones before it ${previous.name}`);
  if (before.some((earlier) => sameKey(earlier, key))) throw new LogFormatError('keys-line', `key ${before.length + 1} occurs twice`);
  const { signedBy, forged } = verifyNote(note, [previous]);
  if (note.signatures.length !== 1 || signedBy.length !== 1 || forged.length > 0) {
    throw new LogFormatError('keys-rotation', `key ${before.length + 1} is not vouched for by the key before it`);
  }
  return key;
}
