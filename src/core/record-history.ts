/**
 * What a record genuinely is, told from what the log holds of it. The log seals every change, whoever made it; which of them count is decided here, once, for restore,
 * audit and repair: a state counts that only this system can have written (its MAC), in its place, and that is not older than what counted before.
 */
import { canonicalImage } from './canonical-image';
import { integerOf, keyOf, stringOf, type Image } from './image';
import { isImmutableKind, isKind } from './kinds';
import { sha256 } from './log/sha256';
import { checkMac, type MacKey } from './record-mac';
import { isTombstone } from './tombstone';

/**
 * Why a sealed state does not count. `mac`: not written by this system. `mac-unknown-key`: it says that it was written with a MAC key that is not among those there are, so nobody can tell: the key is lost, or it is made up. `kind`: outside the closed list. `immutable`: overwrites a record that is never modified.
 * `subject`: takes a record out of its subject's erasure. `kind-changed`. `older`: a revision that has been passed, or another state of the same one.
 */
export type Rejection = 'mac' | 'mac-unknown-key' | 'kind' | 'immutable' | 'subject' | 'kind-changed' | 'older';

/** `accepted`: the record's new state. `same`: the very state it has. */
export type Succession = 'accepted' | 'same' | Rejection;

/** Judges `image`, a sealed state of a record whose last state that counted is `before`. `image` has a key; nothing else in it is trusted. */
export function succession(before: Image | undefined, image: Image, macKeys: readonly MacKey[]): Succession {
  const mac = checkMac(macKeys, image);
  if (mac !== 'valid') return mac === 'unknown-key' ? 'mac-unknown-key' : 'mac';
  const kind = stringOf(image, 'kind') ?? '';
  if (!isKind(kind)) return 'kind';
  if (before === undefined) return 'accepted';
  if (isSameImage(before, image)) return 'same';
  // The sealer puts a tombstone under its own subject only with its erasure; any other lies where it does not count.
  if (isTombstone(image) && !isTombstone(before)) return 'accepted';
  if (stringOf(before, 'kind') !== kind) return 'kind-changed';
  if (isImmutableKind(kind)) return 'immutable';
  if (stringOf(before, 'subject') !== stringOf(image, 'subject')) return 'subject';
  // Not "the next one": the stream may have lost a revision, which is a gap and not a reason to go back before it.
  return (integerOf(image, 'rev') ?? 0) > (integerOf(before, 'rev') ?? 0) ? 'accepted' : 'older';
}

/**
 * Whether `live` is a genuine record standing where the log has its tombstone: it came back from a backup. It is no evidence of anything, and the log must not hold it again under a key that nobody erases.
 */
export const isErasedState = (genuine: Image | undefined, live: Image | undefined, macKeys: readonly MacKey[]): boolean => live !== undefined && isTombstone(genuine) && !isTombstone(live) && checkMac(macKeys, live) === 'valid';

/** Whether two items hold exactly the same. One without a canonical form is the same as nothing. */
export function isSameImage(a: Image, b: Image): boolean {
  try {
    return canonicalImage(a).equals(canonicalImage(b));
  } catch {
    return false;
  }
}

/** One string for one record. */
export function placeOf(image: Image): string {
  const { pk, sk } = keyOf(image);
  return JSON.stringify([pk, sk]);
}

/** 16 bytes of its hash, for where one is kept for every record. */
export const shortPlace = (place: string): string => sha256(Buffer.from(place, 'utf8')).toString('latin1', 0, 16);
