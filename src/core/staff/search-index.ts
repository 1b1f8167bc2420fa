/**
 * The blind index that staff search by: rows of the views table, one for each term of a customer, named by an HMAC of the term. Without the key a row tells that some customers have something in common, and
 * nothing else. A row is a hint: what it points to is read from the records and judged there, so a row that is late, or made by hand, shows nobody anything.
 */
import { isTakenAway } from '../customer-aliases';
import { hashed } from '../dedupe-key';
import { integerOf, keyOf, stringOf, type Image, type TableKey } from '../image';
import { viewKeys } from '../table-keys';
import { termsOfName, termsOfPhone, type Term } from './search-terms';

/** A term that a record got or lost. */
export interface IndexChange {
  readonly key: TableKey;
  /** Greater for what came later in the life of the record. */
  readonly order: string;
  /** What the row holds from now on. */
  readonly row: Image;
  readonly isGone: boolean;
}

/** Every customer is under it: what a list goes through. */
export const EVERYBODY: Term = { type: 'all', value: '' };

export const partitionOf = (dedupeKey: Uint8Array, { type, value }: Term): string => viewKeys.search(hashed(dedupeKey, 'search', [type, value]), '').pk;

/** `record`: where the term stands, if not in the customer's own record. */
export interface IndexRow {
  readonly customerId: string;
  readonly record?: TableKey;
}

/** Undefined: the customer has the term no longer. */
export function rowIn(view: Image): IndexRow | undefined {
  const [customerId, pk, sk] = [stringOf(view, 'customerId'), stringOf(view, 'recordPk'), stringOf(view, 'recordSk')];
  if (customerId === undefined) return undefined;
  return { customerId, ...(pk !== undefined && sk !== undefined && { record: { pk, sk } }) };
}

/**
 * What changes when one record of ours becomes another; absent: there was none. Only what differs changes, and each change bears the revision it came with: whichever events of a record come, in whatever
 * order and how often, of each row the newest event that is about it decides, and that is the last one that changed it.
 */
export function indexChanges(dedupeKey: Uint8Array, before: Image | undefined, after: Image | undefined): readonly IndexChange[] {
  const [had, has] = [termsOf(before), termsOf(after)];
  const image = after ?? before;
  const customerId = stringOf(after, 'customerId') ?? stringOf(before, 'customerId');
  if (image === undefined || customerId === undefined) return [];
  const place = (term: string): TableKey => viewKeys.search(term, isCustomer(keyOf(image)) ? customerId : `${customerId}#${keyOf(image).pk}|${keyOf(image).sk}`);
  const named = (terms: readonly Term[]): ReadonlySet<string> => new Set(terms.map(({ type, value }) => hashed(dedupeKey, 'search', [type, value])));
  const [old, now] = [named(had), named(has)];
  const order = orderOf(image);
  const { pk, sk } = keyOf(image);
  const row: Image = { customerId: { S: customerId }, ...(!isCustomer({ pk, sk }) && { recordPk: { S: pk }, recordSk: { S: sk } }) };
  return [
    ...[...now].filter((term) => !old.has(term)).map((term) => ({ key: place(term), order, row, isGone: false })),
    ...[...old].filter((term) => !now.has(term)).map((term) => ({ key: place(term), order, row: {}, isGone: true })),
  ];
}

/** Whether changes of this record can change the index. */
export const isIndexed = ({ pk }: TableKey): boolean => /^[ca]#/.test(pk);

const isCustomer = ({ pk }: TableKey): boolean => pk.startsWith('c#');

/** After an erasure there is no going back. */
const orderOf = (image: Image): string => (stringOf(image, 'kind') === 'tombstone' ? '~' : String(integerOf(image, 'rev') ?? 0).padStart(12, '0'));

function termsOf(image: Image | undefined): readonly Term[] {
  switch (stringOf(image, 'kind')) {
    case 'customer':
      return termsOfCustomer(image as Image);
    case 'alias':
      return termsOfPhone(numberOf(image as Image) ?? '');
    default:
      return [];
  }
}

function termsOfCustomer(image: Image): readonly Term[] {
  const [name, phone, ownerId] = [stringOf(image, 'profileName'), stringOf(image, 'profilePhone'), stringOf(image, 'ownerId')];
  return [
    EVERYBODY,
    ...(name === undefined ? [] : termsOfName(name)),
    ...(phone === undefined ? [] : termsOfPhone(phone)),
    ...tagsOf(image).map((value): Term => ({ type: 'tag', value })),
    ...(ownerId === undefined ? [] : [{ type: 'owner', value: ownerId } as const]),
  ];
}

function tagsOf(image: Image): readonly string[] {
  const tags = image['tags'];
  return tags !== undefined && 'L' in tags ? tags.L.flatMap((tag) => ('S' in tag ? [tag.S] : [])) : [];
}

/** The number by which WhatsApp, or an address book, knows the holder of this alias now. */
export function numberOf(alias: Image): string | undefined {
  const isNumber = ['wa-id', 'phone'].includes(stringOf(alias, 'aliasType') ?? '') && !isTakenAway(alias);
  return isNumber ? stringOf(alias, 'aliasValue') : undefined;
}
