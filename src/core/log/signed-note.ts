/**
 * Signed notes (C2SP signed-note): a text, a blank line, and lines `— <name> <base64(key id ‖ signature)>`. A parsed note is not yet a verified
 * one: its text means nothing until `verifyNote` has named a key that signed it.
 */
import { isUtf8 } from 'node:buffer';
import { fromBase64, toBase64 } from './base64';
import { LogFormatError } from './log-format-error';
import { formatVkey, isKeyName, SIGNATURE_SIZE, verifySignature, type VerifierKey } from './vkey';

/** Limits against input made to exhaust us; the specification asks for at least 16 signatures. */
export const MAX_NOTE_SIZE = 1_000_000;
const MAX_SIGNATURES = 100;

export interface NoteSignature {
  readonly name: string;
  /** uint32. */
  readonly keyId: number;
  readonly signature: Buffer;
}

export interface SignedNote {
  /** Ends in a newline; what is signed is its UTF-8. */
  readonly text: string;
  /** At least one. */
  readonly signatures: readonly NoteSignature[];
}

/** Asks whoever holds the private key (a KMS, say) for the 64-byte Ed25519 signature over exactly `message`. */
export type Sign = (message: Uint8Array) => Promise<Uint8Array>;

/** Parses a note, verifying nothing. Throws the `note-…` codes. */
export function parseNote(bytes: Uint8Array): SignedNote {
  if (bytes.length > MAX_NOTE_SIZE) throw new LogFormatError('note-too-long', `a note of ${bytes.length} bytes; at most ${MAX_NOTE_SIZE} are read`);
  if (!isUtf8(bytes)) throw new LogFormatError('note-not-utf8', 'a note is UTF-8');
  const note = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw new LogFormatError('note-control-character', 'a note holds no control characters but line ends');
  const split = note.lastIndexOf('\n\n');
  const lines = note.slice(split + 2).split('\n');
  if (split < 0 || lines[0] === '') throw new LogFormatError('note-no-signatures', 'a note ends in a blank line and at least one signature line');
  if (lines.pop() !== '') throw new LogFormatError('note-signature-line', 'the last signature line does not end');
  if (lines.length > MAX_SIGNATURES) throw new LogFormatError('note-too-many-signatures', `${lines.length} signatures; at most ${MAX_SIGNATURES} are read`);
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line: string): NoteSignature {
  const [dash, name, encoded, ...rest] = line.split(' ');
  const material = encoded === undefined ? undefined : fromBase64(encoded);
  if (dash !== '—' || name === undefined || !isKeyName(name) || material === undefined || material.length < 5 || rest.length > 0) {
    throw new LogFormatError('note-signature-line', 'a signature line is: em dash, space, key name, space, base64 of key id and signature');
  }
  return { name, keyId: material.readUInt32BE(0), signature: material.subarray(4) };
}

/** Bytes of a note: `text` (ends in a newline) and its signatures. */
export function formatNote({ text, signatures }: SignedNote): Buffer {
  return Buffer.from(`${text}\n${signatures.map(formatSignatureLine).join('')}`);
}

function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `— ${name} ${toBase64(Buffer.concat([id, signature]))}\n`;
}

/** `text` signed by `key`, whose private half `sign` uses. Throws RangeError when that answers something that is not `key`'s signature. */
export async function signNote(text: string, key: VerifierKey, sign: Sign): Promise<SignedNote> {
  const signature = Buffer.from(await sign(Buffer.from(text)));
  // A signature that does not verify would be published for ever under a locked name.
  if (!verifySignature(key, Buffer.from(text), signature)) throw new RangeError(`the signer does not hold the private key of ${formatVkey(key)}`);
  return { text, signatures: [{ name: key.name, keyId: key.keyId, signature }] };
}

/**
 * Which of `keys` signed `note`, and which of them are claimed as signers by a line that is not their signature. Lines of other keys are
 * ignored, as the specification demands. Trust a note only when `signedBy` is not empty and `forged` is.
 */
export function verifyNote(note: SignedNote, keys: readonly VerifierKey[]): { readonly signedBy: readonly VerifierKey[]; readonly forged: readonly VerifierKey[] } {
  const message = Buffer.from(note.text);
  const signedBy = new Set<VerifierKey>();
  const forged = new Set<VerifierKey>();
  for (const { name, keyId, signature } of note.signatures) {
    for (const key of keys) {
      if (key.name !== name || key.keyId !== keyId) continue;
      const valid = signature.length === SIGNATURE_SIZE && verifySignature(key, message, signature);
      (valid ? signedBy : forged).add(key);
    }
  }
  return { signedBy: [...signedBy], forged: [...forged] };
}
