/**
 * What may be wrong with bytes that claim to be part of a log. Everything parsed here may have been written by an adversary: each parser
 * throws this error, with a code of this closed list, or returns; nothing else.
 */
export type LogFormatErrorCode =
  | 'bundle-truncated' // an entry's length reaches past the end
  | 'bundle-too-many' // more entries than a segment has
  | 'entry-too-long' // over 65,535 bytes
  | 'tile-path'
  | 'note-too-long'
  | 'note-not-utf8'
  | 'note-control-character'
  | 'note-no-signatures' // no blank line, or nothing after it
  | 'note-signature-line'
  | 'note-too-many-signatures'
  | 'vkey-form'
  | 'vkey-name'
  | 'vkey-key-id' // the id is not the hash of name and key
  | 'vkey-algorithm' // not Ed25519 (0x01)
  | 'checkpoint-lines' // fewer than three, or more where none may be
  | 'checkpoint-origin'
  | 'checkpoint-size'
  | 'checkpoint-root'
  | 'keys-empty'
  | 'keys-line' // a line of log.vkeys that is neither key nor rotation note
  | 'keys-rotation' // a rotation note that the previous key did not sign
  | 'proof-header'
  | 'proof-extra'
  | 'proof-index'
  | 'proof-hash'
  | 'proof-checkpoint'; // the checkpoint is missing

/** Thrown by the parsers of src/core/log. `message` is for people and holds nothing of the content but its place. */
export class LogFormatError extends Error {
  constructor(
    readonly code: LogFormatErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'LogFormatError';
  }
}

/** What `parse` makes of bytes that somebody else may have written; undefined where they are not of the format. */
export function unlessMalformed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof LogFormatError) return undefined;
    throw error;
  }
}
