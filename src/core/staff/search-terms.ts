/**
 * What a customer can be found by, and when a query finds one. Names are compared without regard to case, width and accents; a word of the query is the beginning of a word of the name, and in scripts that
 * are written without spaces any part of it. Every query has at least one term that each customer it finds has too: so the index can hold terms, and the record decides.
 */

/** `name`: the beginning of a word, or one or two characters in a row. `phone`: the last digits. `all`: every customer has it. */
export interface Term {
  readonly type: 'name' | 'phone' | 'tag' | 'owner' | 'all';
  readonly value: string;
}

/** In code points. Shorter beginnings would be half the table, longer ones tell hardly more. */
const BEGINNING = { least: 2, most: 12 } as const;
/** Four digits are what people read out of a number to find it. E.164 has at most 15; a few more are somebody's own. */
const DIGITS = { least: 4, most: 20 } as const;

// Hangul has spaces, but Koreans look for a given name that stands behind its surname.
const UNSPACED = `[${['Han', 'Hiragana', 'Katakana', 'Bopomofo', 'Hangul', 'Thai', 'Lao', 'Khmer', 'Myanmar', 'Tibetan'].map((script) => `\\p{scx=${script}}`).join('')}]`;
const WORDS = new RegExp(`(?:(?=[\\p{L}\\p{M}\\p{N}])${UNSPACED})+|(?!${UNSPACED})[\\p{L}\\p{N}](?:(?!${UNSPACED})[\\p{L}\\p{M}\\p{N}])*`, 'gu');
const IS_UNSPACED = new RegExp(`^${UNSPACED}`, 'u');
/** Accents of alphabets; the marks of other scripts are part of their letters. */
const ACCENTS = /[\u0300-\u036f]/g;

/**
 * The form in which names are compared. By way of upper case, because it has one form of what lower case has several of (ß and ss, ſ and s, ı and i), and to that by way of lower case, because ẞ has no other; a sigma at
 * the end of a word is a sigma. Applied twice it changes nothing.
 */
export function comparable(name: string): string {
  const folded = name.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().replace(/\u03c2/g, '\u03c3');
  return folded.normalize('NFKD').replace(ACCENTS, '').normalize('NFKC');
}

/** A word, or a stretch of characters that stand without spaces. */
export interface Word {
  readonly text: string;
  readonly characters: readonly string[];
  readonly isUnspaced: boolean;
}

export const wordsOf = (text: string): readonly Word[] =>
  (comparable(text).match(WORDS) ?? []).map((word) => ({ text: word, characters: [...word], isUnspaced: IS_UNSPACED.test(word) }));

/** Whether every word of the query is in the name. */
export function nameAnswers(name: string, query: readonly Word[]): boolean {
  const words = wordsOf(name);
  return query.every((asked) => words.some((word) => word.isUnspaced === asked.isUnspaced && (asked.isUnspaced ? word.text.includes(asked.text) : word.text.startsWith(asked.text))));
}

/** Under what a name is found. */
export function termsOfName(name: string): readonly Term[] {
  const values = wordsOf(name).flatMap(({ characters, isUnspaced }) =>
    isUnspaced
      ? characters.flatMap((character, i) => [character, ...characters.slice(i + 1, i + 2).map((next) => character + next)])
      : characters.slice(BEGINNING.least - 1, BEGINNING.most).map((_, i) => characters.slice(0, BEGINNING.least + i).join('')),
  );
  return [...new Set(values)].map((value) => ({ type: 'name', value }));
}

/** One term that every name has which answers the query: that of its longest word, which tells most. Undefined: no word is long enough. */
export function termOfQuery(query: readonly Word[]): Term | undefined {
  const usable = query.filter(({ characters, isUnspaced }) => isUnspaced || characters.length >= BEGINNING.least);
  const longest = usable.reduce<Word | undefined>((most, word) => (most === undefined || word.characters.length > most.characters.length ? word : most), undefined);
  return longest && { type: 'name', value: longest.characters.slice(0, longest.isUnspaced ? 2 : BEGINNING.most).join('') };
}

/** A number as it was typed. `isWhole`: it began with a plus, so nothing may stand before it. */
export interface PhoneQuery {
  readonly digits: string;
  readonly isWhole: boolean;
}

const PHONE = /^\+?[\d\s().\-/]+$/;

/** Undefined: that is no part of a number that could be looked for. */
export function phoneQuery(text: string): PhoneQuery | undefined {
  const typed = text.normalize('NFKC').trim();
  const digits = digitsIn(typed);
  return digits === undefined ? undefined : { digits, isWhole: typed.startsWith('+') };
}

function digitsIn(number: string): string | undefined {
  if (!PHONE.test(number)) return undefined;
  const digits = number.replace(/\D/g, '');
  return digits.length < DIGITS.least || digits.length > DIGITS.most ? undefined : digits;
}

export function phoneAnswers(number: string, { digits, isWhole }: PhoneQuery): boolean {
  const has = digitsIn(number);
  return has !== undefined && (isWhole ? has === digits : has.endsWith(digits));
}

export const termsOfPhone = (number: string): readonly Term[] => {
  const digits = digitsIn(number) ?? '';
  return Array.from({ length: Math.max(0, digits.length - DIGITS.least + 1) }, (_, from) => ({ type: 'phone' as const, value: digits.slice(from) }));
};

export const termOfPhone = ({ digits }: PhoneQuery): Term => ({ type: 'phone', value: digits });
