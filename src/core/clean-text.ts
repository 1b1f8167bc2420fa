/**
 * The readable form of a text somebody else wrote: what staff see and search. The original bytes are kept beside it, so cleaning may remove, but it
 * says what it removed. The adversary is the sender: bidirectional overrides make a text read as another one, control characters break
 * terminals, logs and CSV files, a lone surrogate cannot be stored as UTF-8.
 */

/** One kind of character that was removed, in the order of first appearance. */
export interface RemovedCharacter {
  /** `U+202E`: at least four upper-case hex digits. */
  readonly codePoint: string;
  /** `control`: C0, DEL or C1 but \n and \t. `bidi-override`: U+202A–202E and U+2066–2069. `lone-surrogate`: half of a pair. */
  readonly why: 'control' | 'bidi-override' | 'lone-surrogate';
  readonly count: number;
  /** Where it stood first, in UTF-16 code units of the original text. */
  readonly first: number;
}

export interface CleanedText {
  readonly text: string;
  /** Empty where only the normal form changed. */
  readonly removed: readonly RemovedCharacter[];
}

// Marks (U+200E, U+200F, U+061C) stay: Arabic and Hebrew need them and they reorder nothing but their neighbours. Joiners stay: emoji are made of them.
const UNWANTED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;
const UNWANTED_ONE = new RegExp(`^(?:${UNWANTED.source})$`, 'u');
/** All ASCII and nothing to remove: already in NFC, the most common text by far. */
const PLAIN = /^[\t\n\x20-\x7e]*$/;

/**
 * NFC without control characters (but \n, \t), bidirectional overrides and lone surrogates; 'unchanged' where `text` is that already. Never throws,
 * never shortens for length, never touches an emoji sequence; cleaning a cleaned text is 'unchanged'.
 */
export function cleanText(text: string): CleanedText | 'unchanged' {
  if (PLAIN.test(text)) return 'unchanged';
  const removed = new Map<string, { codePoint: string; why: RemovedCharacter['why']; count: number; first: number }>();
  const kept = text.replace(UNWANTED, (character, offset: number) => {
    const known = removed.get(character);
    if (known !== undefined) known.count += 1;
    else removed.set(character, { codePoint: nameOf(character), why: reasonFor(character), count: 1, first: offset });
    return '';
  });
  // Normalised after the removal: a removed character may have stood between a letter and its accent. Nothing removable can come out of NFC.
  const clean = kept.normalize('NFC');
  return clean === text ? 'unchanged' : { text: clean, removed: [...removed.values()] };
}

/** Why `character` (one code point, or half of a surrogate pair) is removed; undefined: it stays. What staff write is refused for what is removed here (staff/profile-rules.ts). */
export const whyUnwanted = (character: string): RemovedCharacter['why'] | undefined => (UNWANTED_ONE.test(character) ? reasonFor(character) : undefined);

/** `U+202E` of a character of one code point. */
export const nameOf = (character: string): string => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

function reasonFor(character: string): RemovedCharacter['why'] {
  const unit = character.charCodeAt(0);
  if (unit >= 0xd800 && unit <= 0xdfff) return 'lone-surrogate';
  return unit >= 0x2000 ? 'bidi-override' : 'control';
}
