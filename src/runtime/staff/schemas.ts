/**
 * What requests of staff may hold and what answers hold, as zod schemas: requests are checked by them, docs/openapi.json is made of them, and tests hold answers to them. Nothing unknown is let in.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { ERASURE_STATES } from '../../core/erasure';
import { ACCESS_ACTIONS } from '../../core/staff/access-record';
import { ROLES } from '../../core/staff/actor';
import { ALIAS_TYPES, MAX_ALIAS_LENGTH } from '../../core/customer-aliases';
import { STAYED_WHYS } from '../../core/staff/identity';
import { EXAMPLES, noteSchema, profileChangeSchema, profileSchema, reasonSchema, ruled, tagSchema } from '../../core/staff/profile-rules';
import type { ProfileSettings } from '../../core/staff/profile-settings';
import { fault, textFaults, type Fault } from '../../core/staff/text-rules';
import { countFaults } from '../../core/staff/value-rules';

const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 25;
const MAX_REV = 1_000_000_000;
const OPERATOR = '6f1ed002-ab50-4f0e-9a9c-3f1f7c1f6a11';
const CUSTOMER = '01JGFJJZ00M9SBEGTTNQ4XQ5GH';
const NOTE = '01JGFJK2N8W3X0YQ5R6S7T8V9A';
const WAMID = 'wamid.HBgMNDkxNTEyMzQ1Njc4ORUCABIYFDNBNzU0QTM4RDdGQkQ4OTQ1MEIzAA==';
const MESSAGE = 'oDzhFvVYxT0L8gXq0m3nO8Z4p2r1uWb9KcE5sJhQ7dA';
const ERASURE = '01JGFJM0A1B2C3D4E5F6G7H8J9';
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
/** A page as operations take it. */
export const pageOf = (asked: { readonly cursor?: string | undefined; readonly limit?: string | undefined }) => ({ ...(asked.cursor !== undefined && { cursor: asked.cursor }), limit: asked.limit === undefined ? DEFAULT_LIMIT : Number(asked.limit) });

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
const stretch = { from: time.meta({ description: 'From then on.', example: '2026-01-01T00:00:00.000Z' }), to: time.meta({ description: 'Before then.', example: TIME }) };
/** Not asked where one of the two is no time: then that is what is wrong. */
const inOrder = ruled(({ from, to }: { readonly from: string; readonly to: string }) => (isTime(from) && isTime(to) && from >= to ? [fault('time-order', {})] : []));

export const listQuery = z.strictObject({ ...page, tag: tagSchema.optional(), owner: operatorId.optional() });

const SEARCHED = ['q', 'phone', 'tag', 'owner'] as const;
const line = (max: number) => z.string().superRefine(ruled((text: string) => textFaults(text, max, 'line')));
export const searchQuery = z
  .strictObject({
    ...page,
    q: line(200).optional().meta({ minLength: 1, maxLength: 200, description: 'Words of the name, or beginnings of them; or a number.', example: 'anne bri' }),
    phone: line(40).optional().meta({ minLength: 1, maxLength: 40, description: 'With a + the whole number, without one its last digits, four at least.', example: '6789' }),
    tag: tagSchema.optional(),
    owner: operatorId.optional(),
  })
  .superRefine(ruled((query) => (SEARCHED.filter((name) => query[name] !== undefined).length === 1 ? [] : [fault('exactly-one', { names: SEARCHED.join(', ') })])), { when: ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null } as object);

export const pageQuery = z.strictObject(page);
export const atQuery = z.strictObject({ time });
const revText = (description: string) => z.string().superRefine(when((text) => !WHOLE.test(text) || Number(text) < 1 || Number(text) > MAX_REV, fault('whole-number', { min: 1, max: MAX_REV }), '1')).meta({ type: 'integer', minimum: 1, maximum: MAX_REV, description, example: 1 });
export const diffQuery = z.strictObject({ from: revText('A revision of the customer.'), to: revText('Another one, later or earlier; the present one without it.').optional() });

const oneOf = <T extends string>(values: readonly T[]) => z.string().superRefine(when((text) => !(values as readonly string[]).includes(text), fault('one-of', { choices: values.join(', ') }), values[0])) as unknown as z.ZodType<T, string>;
export const accessQuery = z
  .strictObject({
    ...page,
    operator: operatorId.optional(),
    customer: customerId.optional().meta({ description: 'What was done to them, and which lists and searches showed them.' }),
    searched: line(200).optional().meta({ minLength: 1, maxLength: 200, description: 'A whole number, a name, a tag or an operator’s id: searches that would have found it, by its ending or its beginnings too.', example: '+4915123456789' }),
    action: oneOf(ACCESS_ACTIONS).optional().meta({ enum: [...ACCESS_ACTIONS] }),
    ip: z.string().superRefine(when((text) => isIP(text) === 0, fault('address', {}), '192.0.2.7')).optional().meta({ description: 'The address a request came from.', example: '192.0.2.7' }),
    decision: oneOf(['allow', 'deny'] as const).optional().meta({ enum: ['allow', 'deny'] }),
    ...stretch,
  })
  .superRefine(inOrder);

/** Meta's own id holds a phone number, and may hold a slash: neither is for an address. */
export const messageParams = customerParams.extend({ message: z.string().meta({ description: 'The message: `id` of the conversation.', example: MESSAGE }) });
const digits = z.string().superRefine(when((text) => !/^[0-9]{1,20}$/.test(text), fault('id', {}), '106540352242922')).meta({ pattern: '^[0-9]{1,20}$', example: '106540352242922' });
export const proofQuery = z.strictObject({ phoneNumberId: digits.optional().meta({ description: 'The business number, where several have a message of this id.' }) });

// Requests: bodies.

const rev = (description: string) => z.number().superRefine(ruled((n: number) => (Number.isInteger(n) && n >= 1 && n <= MAX_REV ? [] : [fault('whole-number', { min: 1, max: MAX_REV })]), '3')).meta({ type: 'integer', minimum: 1, maximum: MAX_REV, description, example: 3 });

export const createBody = (settings: ProfileSettings) => z.strictObject({ profile: profileSchema(settings).meta({ id: 'ProfileInput' }), reason: reasonSchema.optional() }).meta({ id: 'CreateCustomer' });
export const editBody = (settings: ProfileSettings) => z.strictObject({ profile: profileChangeSchema(settings).meta({ id: 'ProfileChange' }), reason: reasonSchema.optional() }).meta({ id: 'EditCustomer' });
export const ownerBody = z.strictObject({ ownerId: operatorId.nullable().meta({ description: 'null: nobody.' }), reason: reasonSchema.optional() }).meta({ id: 'AssignCustomer' });
const aliasFields = { type: oneOf(ALIAS_TYPES).meta({ enum: ALIAS_TYPES, description: '`bsuid`: a business-scoped user id; `wa-id`: a number, its digits alone.' }), value: z.string().superRefine(when((text) => text === '' || text.length > MAX_ALIAS_LENGTH, fault('alias', {}), '4915123456789')).meta({ minLength: 1, maxLength: MAX_ALIAS_LENGTH, example: '4915123456789' }) };
export const linkBody = z.strictObject({ ...aliasFields, from: customerId.optional().meta({ description: 'The customer it is taken from.' }), reason: reasonSchema }).meta({ id: 'LinkAlias' });
export const unlinkBody = z.strictObject({ ...aliasFields, reason: reasonSchema }).meta({ id: 'UnlinkAlias' });
export const mergeBody = z.strictObject({ other: customerId.meta({ description: 'Who is merged into the customer.' }), reason: reasonSchema }).meta({ id: 'MergeCustomers' });
export const undoBody = z.strictObject({ reason: reasonSchema }).meta({ id: 'UnmergeCustomers' });
export const mergeParams = z.strictObject({ ...customerParams.shape, other: z.string().meta({ description: 'The customer who was merged into this one.', example: CUSTOMER }) });
export const noteBody = z.strictObject({ text: noteSchema }).meta({ id: 'AddNote' });
export const rollbackBody = z.strictObject({ toRev: rev('The version whose profile becomes the present one again.'), reason: reasonSchema }).meta({ id: 'RollbackCustomer' });
export const planBody = z.strictObject({ operatorId, ...stretch, after: customerId.optional().meta({ description: 'Where a plan goes on, as the one before said it.' }) }).superRefine(inOrder).meta({ id: 'PlanRollback' });
export const bulkBody = z
  .strictObject({ operatorId, ...stretch, planId: z.string().superRefine(when((text) => !/^[!-~]{0,8192}$/.test(text), fault('id', {}))).meta({ maxLength: 8_192, pattern: '^[!-~]*$', description: 'Of the plan that was read: if another one would be made by now, nothing is done.' }), reason: reasonSchema })
  .superRefine(inOrder)
  .meta({ id: 'BulkRollback' });

export const outboundBody = z
  .strictObject({
    phoneNumberId: digits.meta({ description: 'The business number it was sent from.' }),
    wabaId: digits.optional().meta({ description: 'The business account.' }),
    messageId: z.string().superRefine(when((text) => !/^[!-~]{1,256}$/.test(text), fault('message-id', {}), WAMID)).meta({ pattern: '^[!-~]{1,256}$', description: 'What Meta answered the send with.', example: WAMID }),
    to: z.string().superRefine(when((text) => !/^[!-~]{1,256}$/.test(text), fault('id', {}), '4915123456789')).meta({ pattern: '^[!-~]{1,256}$', description: 'The `wa_id` that Meta answered with, or a user id.', example: '4915123456789' }),
    sentAt: time,
    payload: z.record(z.string(), z.unknown()).meta({ description: 'The body of the send; kept byte for byte.', example: { type: 'text', text: { body: 'Hello' } } }),
  })
  .meta({ id: 'RecordOutbound' });

/** As `intact quarantine list` names it. */
const quarantined = z.string().superRefine(when((text) => !/^[A-Za-z0-9_-]{43}$/.test(text), fault('id', {}))).meta({ pattern: '^[A-Za-z0-9_-]{43}$', example: MESSAGE });
const MAX_INPUTS = 20;
export const erasureParams = customerParams.extend({ requestId: z.string().meta({ description: 'The erasure, as it was answered when it was asked for.', example: ERASURE }) });
export const holdBody = z.strictObject({ reason: reasonSchema }).meta({ id: 'PlaceHold' });
export const releaseBody = z.strictObject({ reason: reasonSchema }).meta({ id: 'ReleaseHold' });
export const askErasureBody = z
  .strictObject({ reason: reasonSchema, inputs: z.array(quarantined).superRefine(ruled((inputs: readonly string[]) => countFaults(MAX_INPUTS, inputs))).optional().meta({ maxItems: MAX_INPUTS, description: 'Quarantined input that is theirs and goes with them.' }) })
  .meta({ id: 'AskErasure' });

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
const unreadable = z.int().min(1).optional();
export const customersAnswer = items(z.strictObject({ customerId, rev: shownRev, profile }).meta({ id: 'FoundCustomer' }))
  .extend({ unreadable: unreadable.meta({ description: 'How many customers may belong here and are left out, because their records are not as we wrote them; they are being repaired. Absent: none.' }) })
  .meta({ id: 'Customers' });
const aliasId = z.string().meta({ description: 'A name, by its hash: the same name has the same wherever it is told.', example: MESSAGE });
const identity = {
  aliases: z.array(z.strictObject({ aliasId, type: z.enum(ALIAS_TYPES), value: z.string(), since: at }).meta({ id: 'Alias' })).meta({ description: 'The names whose messages come to the customer.' }),
  mergedInto: z.string().optional().meta({ description: 'Into whom the customer was merged: what comes now is there.' }),
  merged: z.array(z.string()).meta({ description: 'Who was merged into the customer: their conversations are shown with this one.' }),
  maybeSame: z.array(z.string()).meta({ description: 'Who may be the same person, as messages that name both say.' }),
  namesCut: z.literal(true).optional().meta({ description: 'Names changed so often that not all of it is read: some of `aliases` and `maybeSame` are missing. Absent: these are all.' }),
};
export const linkedAnswer = z.strictObject({ customerId, rev: shownRev, aliasId }).meta({ id: 'LinkedAlias' });
const pair = { customerId, rev: shownRev, other: z.strictObject({ customerId, rev: shownRev }) };
export const mergedAnswer = z.strictObject({ ...pair, moved: z.int().min(0).meta({ description: 'Names that came over.' }) }).meta({ id: 'MergedCustomers' });
export const unmergedAnswer = z
  .strictObject({ ...pair, returned: z.int().min(0).meta({ description: 'Names that went back.' }), stayed: z.array(z.strictObject({ aliasId, type: z.enum(ALIAS_TYPES), why: z.enum(STAYED_WHYS) })).meta({ description: 'Names that changed since and did not go back, and those that came since, together with one that did.' }) })
  .meta({ id: 'UnmergedCustomers' });
const note = z.strictObject({ noteId: z.string(), at, by, text: z.string() }).meta({ id: 'Note' });
export const notesAnswer = items(note).extend({ unreadable: unreadable.meta({ description: 'How many are left out, because they are not as we wrote them; they are being repaired. Absent: none.' }) }).meta({ id: 'Notes' });
export const customerAnswer = z
  .strictObject({ customerId, rev: shownRev, createdAt: at, profile, ...identity, notes: z.array(note) })
  .meta({ id: 'Customer' });
export const madeAnswer = z.strictObject({ customerId, rev: shownRev }).meta({ id: 'CustomerRevision' });
export const changedAnswer = z.strictObject({ customerId, rev: shownRev, profile, changes: z.array(fieldChange) }).meta({ id: 'ChangedCustomer' });
export const notedAnswer = z.strictObject({ noteId: z.string(), at }).meta({ id: 'AddedNote' });
export const versionsAnswer = items(
  z
    .strictObject({ rev: shownRev, at, action: z.string(), by: by.optional(), sourceIp: z.string().optional(), requestId: z.string().optional(), reason: z.string().optional(), changes: z.array(fieldChange), profile })
    .meta({ id: 'Version' }),
).meta({ id: 'Versions' });
const end = z.strictObject({ rev: shownRev, at }).meta({ id: 'VersionEnd' });
export const diffAnswer = z.strictObject({ from: end, to: end, changes: z.array(fieldChange).meta({ description: 'What leads from the one to the other.' }) }).meta({ id: 'VersionDifference' });
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

const messageKey = z.string().meta({ description: 'What we call it, also in addresses.', example: MESSAGE });
const act = z.strictObject({ id: messageKey, messageId: z.string(), by: z.enum(['customer', 'business']), at, receivedAt: at, text: z.string().optional(), textClean: z.string().optional() }).meta({ id: 'TimelineAct', description: 'An edit, a revoke or a reaction.' });
const timelineItem = z.strictObject({
  id: messageKey,
  messageId: z.string().meta({ description: 'What Meta calls it.', example: WAMID }),
  customerId: customerId.meta({ description: 'Whose record it is: of customers merged into one, each keeps their own.' }),
  phoneNumberId: z.string(),
  kind: z.enum(['message', 'edit', 'revoke', 'reaction', 'outbound', 'status']).meta({ description: '`outbound`: as the sending system recorded it. `status`: nobody has said what was sent.' }),
  direction: z.enum(['inbound', 'outbound']),
  at,
  receivedAt: at,
  type: z.string().optional(),
  groupId: z.string().optional(),
  originalMessageId: z.string().optional(),
  text: z.string().optional().meta({ description: 'As it was written.' }),
  textClean: z.string().optional().meta({ description: 'Only where cleaning changed something.' }),
  removed: z.array(z.strictObject({ codePoint: z.string(), why: z.string(), count: z.int(), first: z.int() })).optional(),
  state: z
    .strictObject({
      status: z.strictObject({ status: z.string(), at }).optional(),
      failedAt: at.optional(),
      deletedAt: at.optional(),
      edited: z.strictObject({ messageId: z.string(), at, text: z.string().optional() }).optional(),
      revoked: z.strictObject({ messageId: z.string(), at }).optional(),
      reactions: z.array(z.strictObject({ by: z.string(), emoji: z.string(), at })),
    })
    .meta({ id: 'TimelineState', description: 'What all of it has come to.' }),
  statuses: z.array(z.strictObject({ status: z.string(), at, receivedAt: at, participant: z.string().optional() })),
  edits: z.array(act),
  revokes: z.array(act),
  reactions: z.array(act),
  evidence: z.array(z.strictObject({ kind: z.enum(['variant', 'conflict']), of: z.string(), receivedAt: at, text: z.string().optional() })).meta({ description: 'Other bodies that came under the same id.' }),
});
const unreadableItem = z.strictObject({ id: messageKey, kind: z.literal('unreadable'), unreadable: z.int().min(1) }).meta({ id: 'UnreadableItem', description: 'Where a message stands whose records are not as we wrote them; they are being repaired.' });
export const conversationAnswer = items(
  z.union([timelineItem.extend({ unreadable: unreadable.meta({ description: 'How many of its records are left out, because they are not as we wrote them; they are being repaired.' }) }).meta({ id: 'TimelineItem' }), unreadableItem]),
).meta({ id: 'Conversation' });
export const messageAnswer = z
  .strictObject({ messages: z.array(timelineItem.extend({ raw: z.string().optional().meta({ description: 'Base64 of the very bytes.' }), rawMissing: z.enum(['gone', 'changed']).optional() }).meta({ id: 'Message' })) })
  .meta({ id: 'Messages', description: 'One for each business number that has it.' });
export const proofAnswer = z
  .strictObject({
    file: z.string().meta({ description: 'The text of the proof file: `npx intact proof verify <file>` checks it without us.' }),
    origin: z.string(),
    index: z.int().min(0),
    size: z.int().min(1),
    doubts: z.array(z.enum(['record-changed', 'mac-invalid'])),
    bodyOutside: z.strictObject({ sha256: z.string() }).optional(),
  })
  .meta({ id: 'MessageProof' });
export const outboundAnswer = z.strictObject({ outcome: z.enum(['recorded', 'duplicate']) }).meta({ id: 'RecordedOutbound' });

const erasureId = z.string().meta({ example: ERASURE });
export const holdAnswer = z
  .strictObject({ held: z.boolean(), by: z.string().optional().meta({ description: 'Who placed it, or ended the last one; absent: nobody ever placed one.' }), at: at.optional(), reason: z.string().optional().meta({ description: 'Of a hold that stands; erased with the customer.' }) })
  .meta({ id: 'Hold' });
export const placedAnswer = z.strictObject({ held: z.literal(true), at }).meta({ id: 'PlacedHold' });
export const releasedAnswer = z.strictObject({ held: z.literal(false), at, erasure: erasureId.optional().meta({ description: 'The erasure that goes on now.' }) }).meta({ id: 'ReleasedHold' });
export const askedAnswer = z.strictObject({ requestId: erasureId, state: z.literal('asked') }).meta({ id: 'AskedErasure' });
export const confirmedAnswer = z.strictObject({ requestId: erasureId, state: z.literal('confirmed') }).meta({ id: 'ConfirmedErasure' });
export const withdrawnAnswer = z.strictObject({ requestId: erasureId, state: z.literal('withdrawn') }).meta({ id: 'WithdrawnErasure' });
export const erasureAnswer = z
  .strictObject({
    requestId: erasureId,
    state: z.enum(ERASURE_STATES),
    customers: z.array(customerId).meta({ description: 'Those who go: the customer, and all who are merged with them.' }),
    inputs: z.array(z.string()).meta({ description: 'Quarantined input that goes with them.' }),
    reason: z.string().optional().meta({ description: 'Why it was asked for; read it before you confirm. Erased with the customer.' }),
    askedBy: z.string(),
    askedAt: at,
    confirmedBy: z.string().optional(),
    confirmedAt: at.optional(),
    frozenAt: at.optional(),
    recordedAt: at.optional(),
    keyedAt: at.optional(),
    doneAt: at.optional(),
    removed: z.int().min(0).meta({ description: 'Records of theirs that are gone.' }),
    held: z.boolean().meta({ description: 'It stands still until the hold is released.' }),
    recoverableUntil: z.string().optional().meta({ format: 'date', description: 'Of one that is done: the first day on which no backup holds the key any more.' }),
  })
  .meta({ id: 'Erasure' });

const fieldErrorShape = z
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

export const SAMPLES = { WAMID, MESSAGE, ERASURE, OPERATOR, CUSTOMER, NOTE, TIME, ...EXAMPLES } as const;
