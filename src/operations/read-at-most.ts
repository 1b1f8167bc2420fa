/**
 * Reads objects that anybody who can put objects may have made as large as S3 takes them, or unreadable: what has more bytes than any of ours by that name is read, and is wrong; it must neither fill
 * memory nor end what is being done about everything else.
 */
import { MAX_ENTRY_SIZE } from '../core/log/bundle';
import { HASH_SIZE } from '../core/log/sha256';
import { MAX_NOTE_SIZE } from '../core/log/signed-note';
import { classifyName } from '../core/verify/vault-name';
import { PortError } from '../ports';
import { VaultReadError } from '../ports/vault-reader';

/** A sealing round is what the stream hands over at once, 6 MB at most, or as much found by `seal-missing`; sealed it is less than twice that. */
export const LARGEST_SEGMENT_BYTES = 32 * 1024 * 1024;

/** More than this no object of that name has. What entries name is of any size. */
export function mostBytes(name: string): number {
  const known = classifyName(name);
  if (known.kind === 'tile') return known.tile.width * (known.tile.level === 'entries' ? 2 + MAX_ENTRY_SIZE : HASH_SIZE);
  if (known.kind === 'segment') return LARGEST_SEGMENT_BYTES;
  return known.kind === 'checkpoint' || known.kind === 'keys' || known.kind === 'checkpoint-copy' ? MAX_NOTE_SIZE : Infinity;
}

/** `too-large` also of what the store itself calls damaged or archived: it answered, and not with an object of ours. Throws what else reading throws. */
export async function readAtMost(source: { get(name: string, maxBytes?: number): Promise<Buffer | 'absent'> }, name: string, maxBytes = mostBytes(name)): Promise<Buffer | 'absent' | 'too-large'> {
  return unlessTooLarge(source.get(name, maxBytes), maxBytes);
}

/** "Could not read" is no damage and is thrown; that there is more than any of ours has is read, and wrong. */
export async function unlessTooLarge(reading: Promise<Buffer | 'absent'>, maxBytes = Infinity): Promise<Buffer | 'absent' | 'too-large'> {
  try {
    const bytes = await reading;
    return bytes !== 'absent' && bytes.length > maxBytes ? 'too-large' : bytes;
  } catch (error) {
    if ((error instanceof VaultReadError && error.code === 'too-large') || (error instanceof PortError && error.code === 'corrupt')) return 'too-large';
    throw error;
  }
}
