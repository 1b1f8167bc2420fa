/**
 * What staff keep about a customer, as attributes of the customer's record, and the steps between two states of it: what changed, one field at a time, and what a state becomes when
 * a change is made or undone. A field is named by its JSON Pointer, so that a custom field can be called anything.
 */
import { isDeepStrictEqual } from 'node:util';
import { integerOf, stringOf, type Attribute, type Image } from '../image';
import type { ProfileChange, ProfileInput } from './profile-rules';
import type { ProfileSettings } from './profile-settings';
import type { FieldChange, FieldValue } from './refusal';
import { customFaults } from './value-rules';

export interface Profile {
  readonly name?: string;
  /** E.164. */
  readonly phone?: string;
  readonly email?: string;
  /** Sorted by UTF-16 code unit, each once. */
  readonly tags: readonly string[];
  /** The operator the customer is assigned to. */
  readonly ownerId?: string;
  /** By the names that the stage's settings define. */
  readonly custom: Readonly<Record<string, string | number>>;
}

/** What every customer has before anybody wrote something down about them. */
export const EMPTY_PROFILE: Profile = { tags: [], custom: {} };

const TEXTS = ['name', 'phone', 'email', 'ownerId'] as const;
const ATTRIBUTE_OF = { name: 'profileName', phone: 'profilePhone', email: 'profileEmail', ownerId: 'ownerId' } as const satisfies Record<(typeof TEXTS)[number], string>;
const ATTRIBUTES = [...Object.values(ATTRIBUTE_OF), 'tags', 'custom'] as const;

/** The profile attributes of a customer's record; of one that has none of them, as receiving makes it, the empty profile. Throws where an attribute has a form that none of ours has. */
export function profileOf(record: Image): Profile {
  const texts = TEXTS.flatMap((field) => {
    const attribute = record[ATTRIBUTE_OF[field]];
    if (attribute === undefined) return [];
    return [[field, textIn(attribute, field)] as const];
  });
  const { tags = { L: [] }, custom = { M: {} } } = record;
  if (!('L' in tags) || !('M' in custom)) throw new Error('tags or custom of a profile have another form than ours');
  return {
    ...Object.fromEntries(texts),
    tags: tags.L.map((tag) => textIn(tag, 'tags')),
    custom: Object.fromEntries(Object.entries(custom.M).map(([name, value]) => [name, 'N' in value ? numberIn(value.N) : textIn(value, 'custom')])),
  };
}

/** The attributes that hold `profile`; none for what it has not. Throws on a number that a table would spell otherwise: its MAC would not fit any more. */
export function profileAttributes(profile: Profile): Image {
  const texts = TEXTS.flatMap((field) => (profile[field] === undefined ? [] : [[ATTRIBUTE_OF[field], { S: profile[field] }] as const]));
  const custom = Object.entries(profile.custom);
  return {
    ...Object.fromEntries(texts),
    ...(profile.tags.length > 0 && { tags: { L: profile.tags.map((tag) => ({ S: tag })) } }),
    ...(custom.length > 0 && { custom: { M: Object.fromEntries(custom.map(([name, value]) => [name, typeof value === 'number' ? { N: decimal(value) } : { S: value }])) } }),
  };
}

/** `record` with `profile` in place of the one it has; whatever else it holds stays. */
export function withProfile(record: Image, profile: Profile): Image {
  const others = Object.entries(record).filter(([name]) => !(ATTRIBUTES as readonly string[]).includes(name));
  return { ...Object.fromEntries(others), ...profileAttributes(profile) };
}

/** `input` as it is stored: tags sorted and once each. */
export function profileFrom(input: ProfileInput): Profile {
  return editedBy(EMPTY_PROFILE, input);
}

/** What `profile` becomes by `edit`: what is not named stays, and so does the owner; null removes; custom fields are merged one by one. */
export function editedBy(profile: Profile, edit: ProfileChange): Profile {
  const { name, phone, email, ownerId } = { ...profile, ...defined({ name: edit.name, phone: edit.phone, email: edit.email }) };
  const custom = edit.custom === null ? {} : { ...profile.custom, ...edit.custom };
  return {
    ...present({ name, phone, email, ownerId }),
    tags: edit.tags === undefined ? profile.tags : [...new Set(edit.tags ?? [])].sort(),
    custom: Object.fromEntries(Object.entries(custom).filter((member): member is [string, string | number] => member[1] !== null)),
  };
}

/** `profile` with another owner, or none. */
export function assignedTo({ ownerId: _, ...profile }: Profile, ownerId: string | null): Profile {
  return ownerId === null ? profile : { ...profile, ownerId };
}

/**
 * `former` as it may come back in the place of `present`: a custom field whose value today's settings do not accept, or no longer know, does not. What is kept of it may stay or go; no way back makes a field hold
 * again what nobody may write into it.
 */
export function restorable({ customFields }: Pick<ProfileSettings, 'customFields'>, former: Profile, present: Profile): Profile {
  const mayReturn = (name: string, value: string | number): boolean => {
    const field = Object.hasOwn(customFields, name) ? customFields[name] : undefined;
    return field !== undefined && customFaults(field, value).length === 0;
  };
  const custom = Object.entries(former.custom).flatMap(([name, value]) => {
    if (mayReturn(name, value)) return [[name, value] as const];
    const kept = Object.hasOwn(present.custom, name) ? present.custom[name] : undefined;
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return { ...former, custom: Object.fromEntries(custom) };
}

/** What leads from `before` to `after`, in the order of the fields' names; empty where they are the same. */
export function changesBetween(before: Profile, after: Profile): readonly FieldChange[] {
  const [from, to] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...from.keys(), ...to.keys()])]
    .sort()
    .filter((field) => !isDeepStrictEqual(from.get(field), to.get(field)))
    .map((field) => changeOf(field, from.get(field), to.get(field)));
}

/** `profile` after `changes`, whatever it had before in those fields. Unknown fields are an error of the program. */
export function applyChange(profile: Profile, changes: readonly FieldChange[]): Profile {
  const fields = new Map(fieldsOf(profile));
  for (const { field, after } of changes) {
    if (after === undefined) fields.delete(field);
    else fields.set(field, after);
  }
  return profileOfFields(fields);
}

/** The same way back. */
export const inverse = (changes: readonly FieldChange[]): readonly FieldChange[] => changes.map(({ field, before, after }) => changeOf(field, after, before));

export const isSameProfile = (a: Profile, b: Profile): boolean => changesBetween(a, b).length === 0;

/** Changes as an attribute of a record. */
export const changesAttribute = (changes: readonly FieldChange[]): Attribute => ({
  L: changes.map(({ field, before, after }) => ({
    M: { field: { S: field }, ...(before !== undefined && { before: valueAttribute(before) }), ...(after !== undefined && { after: valueAttribute(after) }) },
  })),
});

/** Throws where the attribute is not one of ours. */
export function changesIn(attribute: Attribute | undefined): readonly FieldChange[] {
  if (attribute === undefined || !('L' in attribute)) throw new Error('the changes of a version are a list');
  return attribute.L.map((each) => {
    if (!('M' in each)) throw new Error('a change of a field is a map');
    const field = stringOf(each.M, 'field');
    if (field === undefined) throw new Error('a change names its field');
    const { before, after } = each.M;
    return changeOf(field, before && valueIn(before), after && valueIn(after));
  });
}

/** Whether a table keeps the number as we spell it: finite, without an exponent. */
export const isStorableNumber = (value: number): boolean => Number.isFinite(value) && (value === 0 || Math.abs(value) >= 1e-6) && Math.abs(value) <= Number.MAX_SAFE_INTEGER;

function decimal(value: number): string {
  if (!isStorableNumber(value)) throw new Error('a number of a custom field is from 1e-6 to 2^53 - 1, or 0, or the negative of such a one');
  return String(value);
}

const valueAttribute = (value: FieldValue): Attribute => (typeof value === 'string' ? { S: value } : typeof value === 'number' ? { N: decimal(value) } : { L: value.map((each) => ({ S: each })) });

function valueIn(attribute: Attribute): FieldValue {
  if ('L' in attribute) return attribute.L.map((each) => textIn(each, 'tags'));
  return 'N' in attribute ? numberIn(attribute.N) : textIn(attribute, 'value');
}

function textIn(attribute: Attribute, field: string): string {
  if ('S' in attribute) return attribute.S;
  throw new Error(`${field} of a profile has another form than ours`);
}

function numberIn(text: string): number {
  const value = Number(text);
  if (!isStorableNumber(value)) throw new Error('a number of a profile has another form than ours');
  return value;
}

const changeOf = (field: string, before: FieldValue | undefined, after: FieldValue | undefined): FieldChange => ({ field, ...(before !== undefined && { before }), ...(after !== undefined && { after }) });

/** No tags are no field: nothing was there before the first one. */
function fieldsOf({ tags, custom, ...texts }: Profile): ReadonlyMap<string, FieldValue> {
  return new Map<string, FieldValue>([
    ...Object.entries(present(texts)).map(([name, value]) => [`/${name}`, value] as const),
    ...(tags.length > 0 ? [['/tags', tags] as const] : []),
    ...Object.entries(custom).map(([name, value]) => [customField(name), value] as const),
  ]);
}

const CUSTOM = '/custom/';
/** RFC 6901. */
const customField = (name: string): string => `${CUSTOM}${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
const customName = (field: string): string => field.slice(CUSTOM.length).replaceAll('~1', '/').replaceAll('~0', '~');

function profileOfFields(fields: ReadonlyMap<string, FieldValue>): Profile {
  const texts: Record<string, string> = {};
  const custom: [string, string | number][] = [];
  let tags: readonly string[] = [];
  for (const [field, value] of fields) {
    const name = TEXTS.find((each) => field === `/${each}`);
    if (name !== undefined && typeof value === 'string') texts[name] = value;
    else if (field === '/tags' && typeof value === 'object') tags = value;
    else if (field.startsWith(CUSTOM) && typeof value !== 'object') custom.push([customName(field), value]);
    else throw new Error('a change names a field that no profile has');
  }
  // fromEntries defines own properties, so a custom field called __proto__ is one like any other.
  return { ...texts, tags, custom: Object.fromEntries(custom) };
}

const defined = <T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
const present = <T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null)) as { [K in keyof T]?: NonNullable<T[K]> };

/** The revision an image states; our own writers always state one. */
export function revOf(image: Image): number {
  const rev = integerOf(image, 'rev');
  if (rev === undefined) throw new Error('a record of ours has a rev');
  return rev;
}
