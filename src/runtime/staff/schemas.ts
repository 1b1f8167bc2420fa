/**
 * What requests of staff may hold and what answers hold, as zod schemas: requests are checked by them, docs/openapi.json is made of them, and tests hold answers to them. Nothing unknown is let in.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { ACTIONS, type Action } from '../../core/staff/actions';
import { ROLES } from '../../core/staff/actor';
import { EXAMPLES, noteSchema, profileChangeSchema, profileSchema, reasonSchema, ruled, tagSchema } from '../../core/staff/profile-rules';
import type { ProfileSettings } from '../../core/staff/profile-settings';
import { fault, textFaults, type Fault } from '../../core/staff/text-rules';

export const MAX_LIMIT = 100;
export const DEFAULT_LIMIT = 25;
const MAX_REV = 1_000_000_000;
const OPERATOR = '6f1ed002-ab50-4f0e-9a9c-3f1f7c1f6a11';
const CUSTOMER = '01JGFJJZ00M9SBEGTTNQ4XQ5GH';
const NOTE = '01JGFJK2N8W3X0YQ5R6S7T8V9A';
const TIME = '2026-01-31T12:00:00.000Z';

const when = (isWrong: (text: string) => boolean, found: Fault, example?: string) => ruled((text: string) => (isWrong(text) ? [found] : []), example);

// Requests: parameters come as texts.

export const nothing = z.strictObject({});

/** Of whatever form: one of another form than ours is nobody's, and that is for the operation to say, and to write down. */
export const customerParams = z.strictObject({ id: z.string().meta({ description: 'The customer: 26 characters, a ULID.', example: CUSTOMER }) });

const WHOLE = /^(0|[1-9][0-9]{0,9})$/;
const limit = z
  .string()
  .superRefine(when((text) => !WHOLE.test(text) || Number(text) < 1 || Number(text) > MAX_LIMIT, fault('whole-number', { min: 1, max: MAX_LIMIT }), String(DEFAULT_LIMIT)))
  .optional()
  .meta({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT, description: 'How many on a page. A page may have fewer and not be the last: that is the one without a cursor.' });
const cursor = z.string().superRefine(when((text) => !/^[A-Za-z0-9_-]{1,4096}$/.test(text), fault('cursor', {}))).optional().meta({ minLength: 1, maxLength: 4_096, pattern: '^[A-Za-z0-9_-]+$', description: 'Where the list goes on, as the page before said it. Good for this operator and this list only.' });
const page = { cursor, limit };

const operatorId = z.string().superRefine(when((text) => !/^[A-Za-z0-9_-]{1,128}$/.test(text), fault('id', {}), OPERATOR)).meta({ pattern: '^[A-Za-z0-9_-]{1,128}$', description: 'A member of staff, by the `sub` of the user pool.', example: OPERATOR });
const customerId = z.string().superRefine(when((text) => !/^[0-9A-HJKMNP-TV-Z]{26}$/.test(text), fault('id', {}), CUSTOMER)).meta({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$', example: CUSTOMER });

/** RFC 3339 in UTC, to the millisecond at most; kept as our own records spell it, so that times compare as texts. */
const TIMES = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/;
const isTime = (text: string): boolean => TIMES.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().slice(0, 19) === text.slice(0, 19);
const time = z
  .string()
  .superRefine(when((text) => !isTime(text), fault('time', {}), TIME))
  .overwrite((text) => (isTime(text) ? new Date(text).toISOString() : text))
  .meta({ format: 'date-time', pattern: TIMES.source, example: TIME });
const stretch = { from: time.meta({ description: 'From then on.' }), to: time.meta({ description: 'Before then.' }) };
/** Not asked where one of the two is no time: then that is what is wrong. */
const inOrder = ruled(({ from, to }: { readonly from: string; readonly to: string }) => (isTime(from) && isTime(to) && from >= to ? [fault('time-order', {})] : []));

export const listQuery = z.strictObject({ ...page, tag: tagSchema.optional(), owner: operatorId.optional() });

const SEARCHED = ['q', 'phone', 'tag', 'owner'] as const;
const line = (max: number) => z.string().superRefine(ruled((text: string) => textFaults(text, max, 'line')));
export const searchQuery = z
  .strictObject({
    ...page,
    q: line(200).optional().meta({ minLength: 1, maxLength: 200, description: 'Words of the name, or beginnings of them; or a number.', example: 'anne obr' }),
    phone: line(40).optional().meta({ minLength: 1, maxLength: 40, description: 'With a + the whole number, without one its last digits, four at least.', example: '6789' }),
    tag: tagSchema.optional(),
    owner: operatorId.optional(),
  })
  .superRefine(ruled((query) => (SEARCHED.filter((name) => query[name] !== undefined).length === 1 ? [] : [fault('exactly-one', { names: SEARCHED.join(', ') })])), { when: ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null } as object);

export const pageQuery = z.strictObject(page);
export const atQuery = z.strictObject({ time });

const oneOf = <T extends string>(values: readonly T[]) => z.string().superRefine(when((text) => !(values as readonly string[]).includes(text), fault('one-of', { choices: values.join(', ') }), values[0])) as unknown as z.ZodType<T, string>;
const actions = Object.keys(ACTIONS) as Action[];
export const accessQuery = z
  .strictObject({
    ...page,
    operator: operatorId.optional(),
    customer: customerId.optional(),
    action: oneOf(actions).optional().meta({ enum: actions }),
    ip: z.string().superRefine(when((text) => isIP(text) === 0, fault('address', {}), '192.0.2.7')).optional().meta({ description: 'The address a request came from.', example: '192.0.2.7' }),
    decision: oneOf(['allow', 'deny'] as const).optional().meta({ enum: ['allow', 'deny'] }),
    ...stretch,
  })
  .superRefine(inOrder);

// Requests: bodies.

const rev = (description: string) => z.number().superRefine(ruled((n: number) => (Number.isInteger(n) && n >= 1 && n <= MAX_REV ? [] : [fault('whole-number', { min: 1, max: MAX_REV })]), '3')).meta({ type: 'integer', minimum: 1, maximum: MAX_REV, description, example: 3 });

export const createBody = (settings: ProfileSettings) => z.strictObject({ profile: profileSchema(settings).meta({ id: 'ProfileInput' }), reason: reasonSchema.optional() }).meta({ id: 'CreateCustomer' });
export const editBody = (settings: ProfileSettings) => z.strictObject({ profile: profileChangeSchema(settings).meta({ id: 'ProfileChange' }), reason: reasonSchema.optional() }).meta({ id: 'EditCustomer' });
export const ownerBody = z.strictObject({ ownerId: operatorId.nullable().meta({ description: 'null: nobody.' }), reason: reasonSchema.optional() }).meta({ id: 'AssignCustomer' });
export const noteBody = z.strictObject({ text: noteSchema }).meta({ id: 'AddNote' });
export const rollbackBody = z.strictObject({ toRev: rev('The version whose profile becomes the present one again.'), reason: reasonSchema }).meta({ id: 'RollbackCustomer' });
export const planBody = z.strictObject({ operatorId, ...stretch, after: customerId.optional().meta({ description: 'Where a plan goes on, as the one before said it.' }) }).superRefine(inOrder).meta({ id: 'PlanRollback' });
export const bulkBody = z
  .strictObject({ operatorId, ...stretch, planId: z.string().superRefine(when((text) => !/^[!-~]{0,8192}$/.test(text), fault('id', {}))).meta({ maxLength: 8_192, pattern: '^[!-~]*$', description: 'Of the plan that was read: if another one would be made by now, nothing is done.' }), reason: reasonSchema })
  .superRefine(inOrder)
  .meta({ id: 'BulkRollback' });

// Answers.

const at = z.string().meta({ format: 'date-time', example: TIME });
const shownRev = z.int().min(1).max(MAX_REV).meta({ description: 'Grows by one with each change.', example: 3 });
const shownCursor = z.string().optional().meta({ description: 'Where the list goes on; absent on the last page.' });
const items = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), cursor: shownCursor });
const by = z.strictObject({ operatorId: z.string(), name: z.string(), role: z.string() }).meta({ id: 'Operator' });
const value = z.union([z.string(), z.number(), z.array(z.string())]);
const fieldChange = z.strictObject({ field: z.string().meta({ description: 'JSON Pointer.', example: '/name' }), before: value.optional(), after: value.optional() }).meta({ id: 'FieldChange', description: 'One field; without `before` it had none, without `after` it has none.' });
const profile = z
  .strictObject({ name: z.string().optional(), phone: z.string().optional(), email: z.string().optional(), tags: z.array(z.string()), ownerId: z.string().optional().meta({ description: 'The operator the customer is assigned to.' }), custom: z.record(z.string(), z.union([z.string(), z.number()])) })
  .meta({ id: 'Profile' });

export const meAnswer = z.strictObject({ operatorId: z.string(), name: z.string(), role: z.enum(ROLES), signedInAt: at, expiresAt: at }).meta({ id: 'Me' });
export const customersAnswer = items(z.strictObject({ customerId, rev: shownRev, profile }).meta({ id: 'FoundCustomer' })).meta({ id: 'Customers' });
export const customerAnswer = z
  .strictObject({ customerId, rev: shownRev, createdAt: at, profile, notes: z.array(z.strictObject({ noteId: z.string(), at, by, text: z.string() }).meta({ id: 'Note' })) })
  .meta({ id: 'Customer' });
export const madeAnswer = z.strictObject({ customerId, rev: shownRev }).meta({ id: 'CustomerRevision' });
export const changedAnswer = z.strictObject({ customerId, rev: shownRev, profile, changes: z.array(fieldChange) }).meta({ id: 'ChangedCustomer' });
export const notedAnswer = z.strictObject({ noteId: z.string(), at }).meta({ id: 'AddedNote' });
export const versionsAnswer = items(
  z
    .strictObject({ rev: shownRev, at, action: z.string(), by: by.optional(), sourceIp: z.string().optional(), requestId: z.string().optional(), reason: z.string().optional(), changes: z.array(fieldChange), profile })
    .meta({ id: 'Version' }),
).meta({ id: 'Versions' });
export const atAnswer = z.strictObject({ rev: shownRev, since: at, profile }).meta({ id: 'ProfileThen' });
export const planAnswer = z
  .strictObject({
    planId: z.string(),
    items: z.array(z.strictObject({ customerId, rev: shownRev, toRev: shownRev, changes: z.array(fieldChange), conflict: z.array(z.string()).optional().meta({ description: 'Fields that others have changed since: those stay.' }) }).meta({ id: 'PlannedRollback' })),
    after: z.string().optional().meta({ description: 'There are more: plan again from here, when this is done.' }),
  })
  .meta({ id: 'RollbackPlan' });
export const bulkAnswer = z
  .strictObject({
    done: z.array(z.strictObject({ customerId, rev: shownRev })),
    stale: z.array(z.strictObject({ customerId, rev: shownRev.optional() })).meta({ description: 'Changed since it was planned, or gone: left as they are.' }),
  })
  .meta({ id: 'BulkRollbackDone' });
export const accessAnswer = z
  .strictObject({
    items: z.array(z.looseObject({ class_uid: z.literal(6003), time: z.int() }).meta({ id: 'ApiActivity', description: 'An event of the class API Activity of OCSF 1.3.0.' })),
    cursor: shownCursor,
    verified: z.int().min(0).meta({ description: 'Records that were looked at and are ours.' }),
    notGenuine: z.array(z.string()).meta({ description: 'Records that were found and are not ours.' }),
  })
  .meta({ id: 'AccessEvents' });

export const fieldErrorShape = z
  .strictObject({ field: z.string().meta({ description: 'JSON Pointer into the body, or the name of a parameter or header.', example: '/profile/name' }), rule: z.string().meta({ example: 'outer-space' }), detail: z.string(), example: z.string().optional() })
  .meta({ id: 'FieldError' });
export const problemShape = z
  .strictObject({
    type: z.string().meta({ example: 'urn:intact:problem:invalid-request' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().optional().meta({ description: 'Of this one answer; name it when you ask us about it.' }),
    errors: z.array(fieldErrorShape).optional().meta({ description: 'Everything that is wrong with the request.' }),
    rev: shownRev.optional(),
    changes: z.array(fieldChange).optional().meta({ description: 'What changed since the state that If-Match named.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

export const SAMPLES = { OPERATOR, CUSTOMER, NOTE, TIME, ...EXAMPLES } as const;
