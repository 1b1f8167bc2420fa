/**
 * What a stage decides about profiles: which punctuation a name may have, and which fields of its own a company keeps of a customer. Set in `stages/<stage>.json`, handed to the functions that check
 * profiles, and to a console as it is.
 */
import { z } from 'zod';

const MAX_FIELDS = 20;
const MAX_CHOICES = 50;
const MAX_TEXT = 500;
/** Beyond this a number is not kept to its last digit. */
const MAX_NUMBER = 999_999_999_999_999;
/** All of it has to fit into a function's environment, of which there are 4 KB. */
const MAX_JSON_BYTES = 2_048;

const FIELD_NAME = /^[a-z][A-Za-z0-9]{0,39}$/;
const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

const day = z.string().regex(DAY, 'must be a day such as "2026-01-31"');
const bound = z.number('must be a number').min(-MAX_NUMBER, `must be at least -${MAX_NUMBER}`).max(MAX_NUMBER, `must be at most ${MAX_NUMBER}`);

const customField = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('text'), maxLength: z.int(`must be a whole number from 1 to ${MAX_TEXT}`).min(1, 'must be at least 1').max(MAX_TEXT, `must be at most ${MAX_TEXT}`) }),
      z.strictObject({ type: z.literal('number'), min: bound, max: bound }),
      z.strictObject({ type: z.literal('date'), min: day.optional(), max: day.optional() }),
      z.strictObject({ type: z.literal('choice'), choices: z.array(z.string().regex(/^[^\p{C}\p{Z}]([^\p{C}]{0,58}[^\p{C}\p{Z}])?$/u, 'must be 1 to 60 characters')).min(1, 'must name at least one choice').max(MAX_CHOICES, `may name at most ${MAX_CHOICES} choices`) }),
    ],
    'must be {"type": "text", "maxLength"}, {"type": "number", "min", "max"}, {"type": "date", "min"?, "max"?} or {"type": "choice", "choices"}',
  )
  .superRefine((field, { addIssue }) => {
    if ((field.type === 'number' || field.type === 'date') && field.min !== undefined && field.max !== undefined && field.min > field.max) addIssue({ code: 'custom', path: ['max'], message: 'must not be less than min' });
    if (field.type === 'choice' && new Set(field.choices).size < field.choices.length) addIssue({ code: 'custom', path: ['choices'], message: 'names a choice twice' });
    if (field.type === 'choice' && field.choices.some((choice) => choice !== choice.normalize('NFC'))) addIssue({ code: 'custom', path: ['choices'], message: 'must be in Unicode normal form C' });
  });

export const profileSettings = z
  .strictObject(
    {
      /** Every character counts for itself; letters, digits and white space are no punctuation. */
      namePunctuation: z.string().regex(/^[\p{P}\p{S}]{0,40}$/u, 'must be up to 40 characters of punctuation, such as ".\'’-·"'),
      customFields: z.record(z.string(), customField).superRefine((fields, { addIssue }) => {
        for (const name of Object.keys(fields)) if (!FIELD_NAME.test(name)) addIssue({ code: 'custom', path: [name], message: 'must be called by up to 40 letters and digits, a small letter first' });
      }),
    },
    'must be given: {"namePunctuation": "<characters>", "customFields": {<name>: {"type": …}}}',
  )
  .superRefine((settings, { addIssue }) => {
    if (Object.keys(settings.customFields).length > MAX_FIELDS) addIssue({ code: 'custom', path: ['customFields'], message: `may name at most ${MAX_FIELDS} fields` });
    if (new TextEncoder().encode(JSON.stringify(settings)).length > MAX_JSON_BYTES) addIssue({ code: 'custom', message: `must fit into ${MAX_JSON_BYTES} bytes of JSON` });
  });

export type ProfileSettings = z.infer<typeof profileSettings>;
export type CustomField = z.infer<typeof customField>;

/** What the stages of this repository begin with. Names of people hold, beside letters (ʼ and ʻ are letters): the dots of initials, of Catalan, Chinese, Japanese and Tibetan, apostrophes, hyphens, and the maqaf, geresh and gershayim of Hebrew. */
export const PLAIN_PROFILES: ProfileSettings = { namePunctuation: ".'’-·・་\u05be\u05f3\u05f4", customFields: {} };

/** Whether something may be called so. */
export const isFieldName = (name: string): boolean => FIELD_NAME.test(name);
