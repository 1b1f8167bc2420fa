/**
 * What staff looked for, as the access log has it: the kind in clear, the thing itself as an HMAC under the dedupe key. So whoever asks with a number or a name learns who searched for it, and nobody reads numbers
 * and names out of the log. The tag is not the index's: a line leads to no row of it.
 */
import { hashed } from '../dedupe-key';
import { phoneQuery, termsOfPhone, wordsOf, type PhoneQuery, type Term, type Word } from './search-terms';

type Kind = Exclude<Term['type'], 'all'>;

/** What a search or a filter names; of several things, a customer must have all. */
export interface Searched {
  readonly name?: readonly Word[];
  readonly phone?: PhoneQuery;
  readonly tag?: string;
  readonly ownerId?: string;
}

/** A line stays small whatever is typed. */
const MAX_WORDS = 16;

/** `<kind>:<HMAC>`: of a name one for each word, of a number its digits as far as they were given. */
export const searchedFor = (dedupeKey: Uint8Array, { name = [], phone, tag, ownerId }: Searched): readonly string[] => [
  ...[...new Set(name.map(({ text }) => text))].slice(0, MAX_WORDS).map((word) => named(dedupeKey, 'name', word)),
  ...(phone === undefined ? [] : [named(dedupeKey, 'phone', phone.digits)]),
  ...(tag === undefined ? [] : [named(dedupeKey, 'tag', tag)]),
  ...(ownerId === undefined ? [] : [named(dedupeKey, 'owner', ownerId)]),
];

/** What somebody looks for who types `text` into a search. */
export function searchedByText(text: string): Searched {
  const phone = phoneQuery(text);
  return phone === undefined ? { name: wordsOf(text) } : { phone };
}

/** Whether a line is of a search that `text` answers: a number, by its ending too; a name, by beginnings of its words, or any part of a stretch without spaces; a tag or an operator's id as it is. */
export function answersSearch(dedupeKey: Uint8Array, text: string): (searched: readonly string[]) => boolean {
  const digits = phoneQuery(text)?.digits ?? '';
  const could = new Map<Kind, ReadonlySet<string>>([
    ['name', new Set(wordsOf(text).flatMap(partsOf).map((part) => named(dedupeKey, 'name', part)))],
    ['phone', new Set(termsOfPhone(digits).map(({ value }) => named(dedupeKey, 'phone', value)))],
    ['tag', new Set([named(dedupeKey, 'tag', text)])],
    ['owner', new Set([named(dedupeKey, 'owner', text)])],
  ]);
  return (searched) =>
    [...could].some(([kind, known]) => {
      const asked = searched.filter((each) => each.startsWith(`${kind}:`));
      return asked.length > 0 && asked.every((each) => known.has(each));
    });
}

function partsOf({ characters, isUnspaced }: Word): readonly string[] {
  const starts = isUnspaced ? characters.map((_, i) => i) : [0];
  return starts.flatMap((start) => characters.slice(start).map((_, i) => characters.slice(start, start + i + 1).join('')));
}

const named = (dedupeKey: Uint8Array, kind: Kind, value: string): string => `${kind}:${hashed(dedupeKey, 'searched', [kind, value])}`;
