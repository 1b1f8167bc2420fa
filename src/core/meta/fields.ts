/**
 * The webhook fields: which hold lists of items that are events of their own, and which are one event as a whole. A field that is not listed
 * is kept as a whole and counted. Fields are checked loosely: their identity is their digest, so whatever has the right kind of value can be kept.
 */
import * as z from 'zod/mini';
import { type ShapeProblem } from './quarantine';
import { shape, type Shape } from './shape';
import { wordTable } from './word-table';

/**
 * What one element of a list is: `message`, `status`: live, identity by wamid. `echo`: a message the business sent from another device.
 * `history`: a chunk of old conversations. `past`: one old message, outside its chunk. `item`: anything else. The last three have their identity by digest.
 */
export type ItemKind = 'message' | 'status' | 'echo' | 'history' | 'past' | 'item';

interface FieldSpec {
  /** List members of the value. Without them the value is one event. */
  readonly lists?: Readonly<Record<string, ItemKind>>;
  /** What the value, or each item of kind `item`, must look like. */
  readonly shape?: Shape;
}

const maybeText = z.nullish(z.string());
/** An id or a time that is a number in one of Meta's examples and a string in another. */
const scalar = z.nullish(z.union([z.string(), z.number()]));
const anyObject = shape(() => z.looseObject({}));
const accountEvent = shape(() => z.looseObject({ event: maybeText }));
const template = shape(() => z.looseObject({ event: maybeText, message_template_id: scalar, message_template_name: maybeText, message_template_language: maybeText, reason: maybeText }));
const phoneNumber = shape(() => z.looseObject({ display_phone_number: scalar, event: maybeText, decision: maybeText, current_limit: maybeText }));
const group = shape(() => z.looseObject({ group_id: scalar, type: maybeText, timestamp: scalar, request_id: maybeText, errors: z.nullish(z.array(z.looseObject({}))) }));
const call = shape(() => z.looseObject({ id: maybeText, event: maybeText, status: maybeText, from: scalar, to: scalar, timestamp: scalar }));
const preference = shape(() => z.looseObject({ wa_id: maybeText, user_id: maybeText, category: maybeText, value: maybeText, detail: maybeText, timestamp: scalar }));
const contactSync = shape(() => z.looseObject({ type: maybeText, action: maybeText, contact: z.nullish(z.looseObject({})) }));
const changedUserId = shape(() => z.looseObject({ wa_id: maybeText, user_id: z.nullish(z.union([z.string(), z.looseObject({ previous: maybeText, current: maybeText })])), timestamp: scalar }));
const automatic = shape(() => z.looseObject({ id: maybeText, event_name: maybeText, timestamp: scalar }));

const messaging: FieldSpec = { lists: wordTable<ItemKind>({ messages: 'message', statuses: 'status', errors: 'item', user_actions: 'item' }) };
const echoes: FieldSpec = { lists: wordTable<ItemKind>({ message_echoes: 'echo', messages: 'echo', statuses: 'status', errors: 'item' }) };
const groups: FieldSpec = { lists: wordTable<ItemKind>({ groups: 'item', errors: 'item' }), shape: group };
const whole = (form: Shape = anyObject): FieldSpec => ({ shape: form });

export const FIELDS: Readonly<Record<string, FieldSpec>> = wordTable<FieldSpec>({
  account_alerts: whole(),
  account_review_update: whole(shape(() => z.looseObject({ decision: maybeText }))),
  account_settings_update: whole(),
  account_update: whole(accountEvent),
  automatic_events: { lists: wordTable<ItemKind>({ automatic_events: 'item', errors: 'item' }), shape: automatic },
  business_capability_update: whole(),
  business_status_update: whole(accountEvent),
  business_username_update: whole(),
  calls: { lists: wordTable<ItemKind>({ calls: 'item', statuses: 'item', errors: 'item' }), shape: call },
  flows: whole(accountEvent),
  group_lifecycle_update: groups,
  group_participant_update: groups,
  group_participants_update: groups,
  group_settings_update: groups,
  group_status_update: groups,
  history: { lists: wordTable<ItemKind>({ history: 'history', messages: 'past', message_echoes: 'past', statuses: 'item', errors: 'item' }) },
  message_echoes: echoes,
  message_template_components_update: whole(template),
  message_template_quality_update: whole(template),
  message_template_status_update: whole(template),
  messages: messaging,
  messaging_handovers: whole(),
  partner_solutions: whole(accountEvent),
  payment_configuration_update: whole(),
  phone_number_name_update: whole(phoneNumber),
  phone_number_quality_update: whole(phoneNumber),
  security: whole(accountEvent),
  smb_app_state_sync: { lists: wordTable<ItemKind>({ state_sync: 'item', errors: 'item' }), shape: contactSync },
  smb_message_echoes: echoes,
  standby: messaging,
  template_category_update: whole(template),
  template_correct_category_detection: whole(template),
  tracking_events: whole(),
  user_id_update: { lists: wordTable<ItemKind>({ user_id_update: 'item', errors: 'item' }), shape: changedUserId },
  user_preferences: { lists: wordTable<ItemKind>({ user_preferences: 'item', errors: 'item' }), shape: preference },
});

const error = shape(() => z.looseObject({ code: scalar, title: maybeText, message: maybeText, href: maybeText }));

/** Whether a whole value, or one item of the list `member`, has the known form of its field. */
export function problemOfField(field: string, member: string | undefined, value: unknown): ShapeProblem | undefined {
  const spec = FIELDS[field];
  if (spec === undefined) return undefined;
  return (member === 'errors' ? error : (spec.shape ?? anyObject))(value);
}
