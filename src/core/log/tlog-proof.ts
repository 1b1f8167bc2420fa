/**
 * Proof files (C2SP tlog-proof, `.tlog-proof`): that an entry is number `index` of a log, verifiable offline with nothing but the entry and
 * the log's key.
 */
import { fromBase64, toBase64 } from './base64';
import { parseCheckpoint, type Checkpoint } from './checkpoint';
import { LogFormatError } from './log-format-error';
import { verifyInclusion } from './merkle';
import { HASH_SIZE } from './sha256';
import { MAX_NOTE_SIZE, verifyNote } from './signed-note';
import type { VerifierKey } from './vkey';

export interface TlogProof {
  /** Opaque and unauthenticated. */
  readonly extra?: Buffer;
  readonly index: number;
  /** Sibling hashes, the leaf's first. */
  readonly path: readonly Buffer[];
  /** The signed checkpoint, byte for byte as the log issued it. */
  readonly checkpoint: Buffer;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
/** No tree of safe size is higher. */
const MAX_PATH = 64;

export function formatTlogProof({ extra, index, path, checkpoint }: TlogProof): Buffer {
  const lines = [HEADER, ...(extra === undefined ? [] : [`extra ${toBase64(extra)}`]), `index ${index}`, ...path.map(toBase64), '', ''];
  return Buffer.concat([Buffer.from(lines.join('\n')), checkpoint]);
}

/** Parses a proof file, verifying nothing; the checkpoint is not looked into. Throws the `proof-…` codes. */
export function parseTlogProof(bytes: Buffer): TlogProof {
  const end = bytes.indexOf('\n\n'); // the first empty line: neither header nor hashes hold one
  if (end < 0 || end === bytes.length - 2) throw new LogFormatError('proof-checkpoint', 'the proof holds no checkpoint');
  const lines = bytes.toString('latin1', 0, end).split('\n');
  if (lines.shift() !== HEADER) throw new LogFormatError('proof-header', `the first line is not ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') === true ? fromBase64(lines.shift()!.slice('extra '.length)) : null;
  if (extra === undefined) throw new LogFormatError('proof-extra', 'the extra data is not base64');
  const indexText = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (indexText === undefined || !Number.isSafeInteger(Number(indexText))) throw new LogFormatError('proof-index', 'the index line is missing or not a decimal number below 2^53');
  if (lines.length > MAX_PATH) throw new LogFormatError('proof-hash', `more than ${MAX_PATH} hashes`);
  const path = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== HASH_SIZE) throw new LogFormatError('proof-hash', 'a line of the path is not the base64 of 32 bytes');
    return hash;
  });
  if (bytes.length - end > MAX_NOTE_SIZE) throw new LogFormatError('proof-checkpoint', `the checkpoint is longer than ${MAX_NOTE_SIZE} bytes`);
  return { ...(extra === null ? {} : { extra }), index: Number(indexText), path, checkpoint: bytes.subarray(end + 2) };
}

/** What a proof shows: the checkpoint it ends in, or the first thing that does not hold. */
export type ProofVerdict =
  | { readonly valid: true; readonly checkpoint: Checkpoint }
  | { readonly valid: false; readonly reason: 'untrusted-key' | 'bad-signature' | 'wrong-origin' | 'not-included' };

/**
 * Whether `proof` shows that the entry with `leaf` (its leaf hash) is in a log that one of `keys` (all of one log: pinned by the user, or
 * their successors) answers for. Throws the `note-…` and `checkpoint-…` codes when the checkpoint cannot be read.
 */
export function verifyTlogProof(proof: TlogProof, leaf: Uint8Array, keys: readonly VerifierKey[]): ProofVerdict {
  const { checkpoint, note } = parseCheckpoint(proof.checkpoint);
  const { signedBy, forged } = verifyNote(note, keys);
  if (forged.length > 0) return { valid: false, reason: 'bad-signature' };
  if (signedBy.length === 0) return { valid: false, reason: 'untrusted-key' };
  if (!signedBy.some((key) => key.name === checkpoint.origin)) return { valid: false, reason: 'wrong-origin' };
  if (!verifyInclusion(proof.path, proof.index, checkpoint.size, leaf, checkpoint.root)) return { valid: false, reason: 'not-included' };
  return { valid: true, checkpoint };
}
