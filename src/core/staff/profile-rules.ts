/**
 * The business rules of what staff keep of a customer, in one place for functions and browsers: nothing here imports from node. Every problem of an input is found at once and told with its field, its
 * rule, what was wrong and what would be right. What is accepted comes back in Unicode normal form C and is accepted again unchanged.
 */
import { z } from 'zod';
import { fieldError, type Language } from './messages/catalogue';
import type { ValueType } from './messages/rules';
import { emailFaults, phoneFaults } from './address-rules';
import { isFieldName, type CustomField, type ProfileSettings } from './profile-settings';
import type { FieldError } from './refusal';
import { fault, nameFaults, textFaults, type Fault } from './text-rules';
import { countFaults, customFaults, repeated } from './value-rules';

const LIMITS = { name: 200, email: 254, tags: 20, tag: 40, note: 4_000, reason: 500 } as const;
/** What would be right, the same in every language. */
export const EXAMPLES = { name: "Anne-Marie O'Brien", phone: '+4915123456789', email: 'anne@example.com', tags: 'wholesale', note: 'Asked to be called back on Monday.', reason: 'The customer called and corrected the name.', date: '2026-01-31' } as const;

/** What staff may say of a customer; whom the customer is assigned to is an action of its own. */
export interface ProfileInput {
  readonly name?: string;
  readonly phone?: string;
  readonly email?: string;
  readonly tags: readonly string[];
  readonly custom: Readonly<Record<string, string | number>>;
}

/** What is to change; what is not named stays. null removes. `custom` is merged member by member. */
export interface ProfileChange {
  readonly name?: string | null;
  readonly phone?: string | null;
  readonly email?: string | null;
  readonly tags?: readonly string[] | null;
  readonly custom?: Readonly<Record<string, string | number | null>> | null;
}

interface Context {
  addIssue(issue: { readonly code: 'custom'; readonly path?: PropertyKey[]; readonly message: string; readonly params: { readonly fault: Fault; readonly example: string | undefined } }): void;
}

function report(context: Context, found: Fault, example?: string, path: PropertyKey[] = []): void {
  context.addIssue({ code: 'custom', path, message: found.rule, params: { fault: found, example } });
}

/** Adds what is wrong with a value to zod's own issues, in our terms. */
export const ruled = <T>(faults: (value: T) => readonly Fault[], example?: string) => (value: T, context: Context): void => {
  for (const found of faults(value)) report(context, found, example);
};

const nfc = (text: string): string => text.normalize('NFC');
const line = (max: number, example: string) => z.string().superRefine(ruled((text) => textFaults(text, max, 'line'), example)).overwrite(nfc).meta({ minLength: 1, maxLength: max, example });

const nameSchema = ({ namePunctuation }: Pick<ProfileSettings, 'namePunctuation'>) =>
  z.string().superRefine(ruled((text) => nameFaults(text, LIMITS.name, namePunctuation), EXAMPLES.name)).overwrite(nfc).meta({ minLength: 1, maxLength: LIMITS.name, description: 'Letters of any script, spaces and the punctuation that the stage allows; kept in Unicode normal form C.', example: EXAMPLES.name });
const phoneSchema = z.string().superRefine(ruled(phoneFaults, EXAMPLES.phone)).meta({ pattern: '^\\+[1-9][0-9]{6,14}$', description: 'E.164.', example: EXAMPLES.phone });
const emailSchema = z.string().superRefine(ruled((text) => emailFaults(text, LIMITS.email), EXAMPLES.email)).overwrite(nfc).meta({ minLength: 3, maxLength: LIMITS.email, example: EXAMPLES.email });
export const tagSchema = line(LIMITS.tag, EXAMPLES.tags);
export const noteSchema = z.string().superRefine(ruled((text) => textFaults(text, LIMITS.note, 'lines'), EXAMPLES.note)).overwrite(nfc).meta({ minLength: 1, maxLength: LIMITS.note, description: 'Line feeds and tabs are kept.', example: EXAMPLES.note });
export const reasonSchema = line(LIMITS.reason, EXAMPLES.reason).meta({ description: 'Why; kept with the change.' });

/** Zod passes over what is asked of a whole whose parts are wrong; then half of the problems would be told, and the rest after they were corrected. */
const evenIfPartsAreWrong = { when: ({ value }: { readonly value: unknown }): boolean => Array.isArray(value) };

const tagsSchema = z
  .array(tagSchema)
  .superRefine((tags, context) => {
    for (const found of countFaults(LIMITS.tags, tags)) report(context, found);
    for (const { at, first } of repeated(tags)) report(context, fault('duplicate', { first }), undefined, [at]);
  }, evenIfPartsAreWrong as object)
  .meta({ maxItems: LIMITS.tags, uniqueItems: true });

const VALUE = [{ type: 'string' as const }, { type: 'number' as const }];
const CUSTOM = 'The fields that the stage defines.';

type Values<V> = Readonly<Record<string, V>>;
/** Judged one by one, since each field has a type of its own; so the values are of any type to zod. */
const customValues = (settings: ProfileSettings, removable: boolean) =>
  z
    .record(z.string(), z.unknown())
    .superRefine((values, context) => {
      for (const [name, value] of Object.entries(values)) for (const [found, example] of judged(settings, removable, name, value)) report(context, found, example, [name]);
    })
    .overwrite(normalized);
const customSchema = (settings: ProfileSettings) =>
  customValues(settings, false).meta({ additionalProperties: { anyOf: VALUE }, description: CUSTOM }) as unknown as z.ZodType<Values<string | number>, Values<string | number>>;
const customChangeSchema = (settings: ProfileSettings) =>
  customValues(settings, true).meta({ additionalProperties: { anyOf: [...VALUE, { type: 'null' }] }, description: `${CUSTOM} What is not named stays; null removes.` }) as unknown as z.ZodType<Values<string | number | null>, Values<string | number | null>>;

function judged({ customFields }: ProfileSettings, removable: boolean, name: string, value: unknown): readonly (readonly [Fault, string | undefined])[] {
  const field = Object.hasOwn(customFields, name) ? customFields[name] : undefined;
  // What the settings no longer know can still be removed.
  if (removable && value === null && isFieldName(name)) return [];
  if (field === undefined) return [[fault('unknown-field', {}), undefined]];
  return customFaults(field, value).map((found) => [found, exampleOf(field)]);
}

function exampleOf(field: CustomField): string | undefined {
  if (field.type === 'choice') return field.choices[0];
  if (field.type === 'date') return field.max ?? field.min ?? EXAMPLES.date;
  return field.type === 'number' ? String(field.min) : undefined;
}

/** -0 is kept as 0: no store of ours knows the difference. */
const normalized = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? nfc(value) : value === 0 ? 0 : value]));

/** What may be created. `settings`: of the stage. */
export const profileSchema = (settings: ProfileSettings) =>
  z.strictObject({ name: nameSchema(settings).optional(), phone: phoneSchema.optional(), email: emailSchema.optional(), tags: tagsSchema.default([]), custom: customSchema(settings).default({}) });

/** What may be asked to change. */
export const profileChangeSchema = (settings: ProfileSettings) =>
  z
    .strictObject({ name: nameSchema(settings).nullable().optional(), phone: phoneSchema.nullable().optional(), email: emailSchema.nullable().optional(), tags: tagsSchema.nullable().optional(), custom: customChangeSchema(settings).nullable().optional() })
    .superRefine(ruled((change) => (Object.keys(change).length === 0 ? [fault('nothing-to-change', {})] : [])))
    .meta({ minProperties: 1 });

/** Made once for each settings: making one costs more than a thousand uses. */
const made = new WeakMap<ProfileSettings, { readonly profile: ReturnType<typeof profileSchema>; readonly change: ReturnType<typeof profileChangeSchema> }>();
function schemasOf(settings: ProfileSettings) {
  const known = made.get(settings) ?? { profile: profileSchema(settings), change: profileChangeSchema(settings) };
  made.set(settings, known);
  return known;
}

/** The profile in `input`, or everything that is wrong with it, in `language`; fields as JSON Pointers below `at`. */
export const checkProfile = (settings: ProfileSettings, input: unknown, language: Language = 'en', at = ''): ProfileInput | readonly FieldError[] => checked(schemasOf(settings).profile, input, language, at) as ProfileInput | readonly FieldError[];
/** The same of a change. */
export const checkChange = (settings: ProfileSettings, input: unknown, language: Language = 'en', at = ''): ProfileChange | readonly FieldError[] => checked(schemasOf(settings).change, input, language, at) as ProfileChange | readonly FieldError[];
/** The text of a note, or what is wrong with it. */
export const checkNote = (input: unknown, language: Language = 'en', at = ''): string | readonly FieldError[] => checked(noteSchema, input, language, at);
export const checkReason = (input: unknown, language: Language = 'en', at = ''): string | readonly FieldError[] => checked(reasonSchema, input, language, at);
export const isRefused = (result: unknown): result is readonly FieldError[] => Array.isArray(result);

function checked<S extends z.ZodType>(schema: S, input: unknown, language: Language, at: string): z.infer<S> | readonly FieldError[] {
  const parsed = schema.safeParse(input, WITH_INPUT);
  return parsed.success ? parsed.data : fieldErrors(parsed.error.issues, language, (path) => at + pointerTo(path));
}

/** So that a member that is missing can be told from one of another type. */
export const WITH_INPUT = { reportInput: true } as const;

/** JSON Pointer (RFC 6901). */
export const pointerTo = (path: readonly PropertyKey[]): string => path.map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');

/** Zod's issues as errors of ours. `field` names the place of a path. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], language: Language, field: (path: readonly PropertyKey[]) => string): readonly FieldError[] {
  return issues.flatMap((issue): FieldError[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => fieldError(language, field([...issue.path, key]), 'unknown-field', {}));
    const { fault: found, example } = (issue.code === 'custom' ? issue.params : undefined) as { fault?: Fault; example?: string } ?? {};
    if (found !== undefined) return [fieldError(language, field(issue.path), found.rule, found.parameters as never, example)];
    if (issue.code === 'invalid_type' && issue.input === undefined) return [fieldError(language, field(issue.path), 'required', {})];
    return [fieldError(language, field(issue.path), 'wrong-type', { expected: issue.code === 'invalid_type' ? TYPES[issue.expected] ?? 'text' : 'text' })];
  });
}
const TYPES: Readonly<Record<string, ValueType>> = { string: 'text', number: 'number', array: 'list', object: 'object', record: 'object' };
