/**
 * One element of a list in a change's value, made an event: judged (identity first, then the form of its type), named, digested. What breaks the
 * identity or the form of a known type becomes quarantine; what is merely unknown becomes a record that says so.
 */
import { addresseeOf, orNobody, recipientOf, senderOf, subjectOfItem, type ContactBook, type CustomerAliases } from './customers';
import { anomaliesIn, idAt, isAmbiguous, MAX_ID_LENGTH, replayOfMember, replayOfValue, scalarAt, sliceOf, storable, type ChangeContext, type EntryContext } from './delivery-context';
import { digestOf, digestOfBytes } from './digest';
import { type FieldEvent, type MessageEvent, type QuarantineEvent, type StatusEvent } from './events';
import { FIELDS, problemOfField } from './fields';
import { changeInMessage, changeInUserIdUpdate } from './identity-changes';
import { isObjectNode, memberOf, type JsonNode } from './json-slices';
import { isObject, stringIn, type Json } from './json-members';
import { shapeOfMessage, textOfMessage } from './messages';
import { type QuarantineCode, type QuarantineReason } from './quarantine';
import { participantOf, shapeOfStatus, STATUSES, STATUS_EXAMPLE } from './statuses';
import { wordTable } from './word-table';

export interface Item {
  readonly node: JsonNode;
  readonly path: string;
  /** The list it stands in; undefined for a whole value. */
  readonly member: string | undefined;
  readonly people: ContactBook;
  /** Nothing else in this value can be what a lone contact is about. */
  readonly alone: boolean;
  /** The value carries `errors` beside this item. */
  readonly errorsBeside: boolean;
}
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const EVENT_KINDS = wordTable<'edit' | 'revoke' | 'reaction'>({ edit: 'edit', revoke: 'revoke', reaction: 'reaction' });

/** A live message, or the echo of one the business sent from another device. */
export function messageEvent(change: ChangeContext, item: Item, kind: 'message' | 'echo'): MessageEvent | QuarantineEvent {
  const { node, path, people, alone } = item;
  const message = node.value;
  const ids = identityOfItem(change, item, 'message');
  if ('code' in ids || !isObject(message)) return refuse(change, item, 'code' in ids ? ids : notAnObject(path, 'message'));
  const shape = shapeOfMessage(message, item.errorsBeside);
  if ('problem' in shape) {
    const { problem, expected } = shape;
    return refuse(change, item, { code: 'wrong-shape', path: path + problem.path, message: `a message of type ${stringIn(message, 'type') ?? ''} does not fit: ${problem.message}`, expected });
  }
  const type = stringIn(message, 'type');
  const text = textOfMessage(message);
  const identityChange = changeInMessage(message);
  const own = kind === 'echo' ? addresseeOf(message) : namesBehind(senderOf(message), identityChange);
  const { aliases, contact } = people.complete(own, alone);
  const event: Mutable<MessageEvent> = {
    eventKind: (type === undefined ? undefined : EVENT_KINDS[type]) ?? 'message',
    ...recordable(change, node, path, 'message'),
    phoneNumberId: ids.phoneNumberId,
    messageId: ids.id,
    timestamp: ids.timestamp,
    direction: kind === 'echo' ? 'outbound' : 'inbound',
    unknownType: !shape.known || FIELDS[change.field] === undefined,
  };
  if (type !== undefined) event.type = type;
  if (text !== undefined) event.text = text;
  name(event, change, aliases, contact);
  const groupId = stringIn(message, 'group_id');
  if (groupId !== undefined) event.groupId = groupId;
  const original = originalOf(message, type);
  if (original !== undefined) event.originalMessageId = original;
  if (identityChange !== undefined) event.identityChange = identityChange;
  return event;
}

/** One status of one message for one recipient. */
export function statusEvent(change: ChangeContext, item: Item): StatusEvent | QuarantineEvent {
  const { node, path, people, alone } = item;
  const object = node.value;
  const ids = identityOfItem(change, item, 'status');
  if ('code' in ids || !isObject(object)) return refuse(change, item, 'code' in ids ? ids : notAnObject(path, 'status'));
  const { body } = change.entry.delivery;
  const status = idAt(body, memberOf(node, 'status'));
  if (typeof status === 'string') return refuse(change, item, reasonFor(status === 'absent' ? 'no-status' : 'invalid-id', `${path}.status`, `a status does not say which: "status" is ${status}`, STATUS_EXAMPLE));
  const participant = participantOf(object);
  if (participant !== undefined && (participant.length > MAX_ID_LENGTH || storable(participant) !== participant)) {
    return refuse(change, item, reasonFor('invalid-id', `${path}.recipient_participant_id`, "a status's participant is invalid", STATUS_EXAMPLE));
  }
  const problem = shapeOfStatus(object);
  if (problem !== undefined) return refuse(change, item, reasonFor('wrong-shape', path + problem.path, `a status does not fit: ${problem.message}`, STATUS_EXAMPLE));
  const { aliases, contact } = people.complete(recipientOf(object), alone);
  const event: Mutable<StatusEvent> = {
    eventKind: 'status',
    ...recordable(change, node, path, 'status'),
    phoneNumberId: ids.phoneNumberId,
    messageId: ids.id,
    timestamp: ids.timestamp,
    status: status.id,
    type: 'status',
    unknownType: !STATUSES.includes(status.id) || FIELDS[change.field] === undefined,
  };
  name(event, change, aliases, contact);
  if (participant !== undefined) event.participant = participant;
  const groupId = object['recipient_type'] === 'group' ? stringIn(object, 'recipient_id') : stringIn(object, 'group_id');
  if (groupId !== undefined) event.groupId = groupId;
  return event;
}

/** A whole value, or an item without an identity of its own: identified by its digest, so nothing but its form can be wrong with it. */
export function fieldEvent(change: ChangeContext, item: Item): FieldEvent | QuarantineEvent {
  const { node, path, member, people, alone } = item;
  const problem = problemOfField(change.field, member, node.value);
  if (problem !== undefined) {
    return refuse(change, item, reasonFor('wrong-shape', path + problem.path, `${member ?? 'the value'} of field ${change.field} does not fit: ${problem.message}`, '{}'));
  }
  const object = isObject(node.value) ? node.value : {};
  const isMessage = FIELDS[change.field]?.lists?.[member ?? ''] === 'past';
  const event: Mutable<FieldEvent> = {
    eventKind: 'field',
    ...recordable(change, node, path, isMessage ? 'message' : 'other'),
    // A field of lists whose value holds none of them says something new.
    unknownType: FIELDS[change.field] === undefined || (member === undefined && FIELDS[change.field]?.lists !== undefined),
  };
  describe(event, change, node, object);
  const identityChange = member === 'user_id_update' ? changeInUserIdUpdate(object) : undefined;
  if (member !== undefined) event.member = member;
  const own = member === undefined ? {} : isMessage ? (stringIn(object, 'to') === undefined ? senderOf(object) : addresseeOf(object)) : subjectOfItem(object);
  const { aliases, contact } = people.complete(namesBehind(own, identityChange), alone);
  name(event, change, aliases, contact);
  if (isMessage) describeMessage(event, object);
  if (identityChange !== undefined) event.identityChange = identityChange;
  return event;
}

/** A member that nobody knows, or a contact that no event speaks of. `change` is undefined beside the changes of an entry. */
export function memberEvent(entry: EntryContext, change: ChangeContext | undefined, node: JsonNode, member: string, path: string, aliases?: CustomerAliases): FieldEvent {
  const context: ChangeContext = change ?? { entry, field: '(entry)', value: entry.node, path: entry.path, ambiguousPhoneNumberId: false };
  const event: Mutable<FieldEvent> = { eventKind: 'field', ...recordable(context, node, path, 'other'), member, unknownType: aliases === undefined };
  const customer = aliases === undefined ? undefined : orNobody(aliases);
  if (customer !== undefined) event.customer = customer;
  return event;
}

/** What every recordable event carries. `kind` chooses the projection of the digest. */
export function recordable(change: ChangeContext, node: JsonNode, path: string, kind: 'message' | 'status' | 'other') {
  const { entry } = change;
  const raw = sliceOf(entry.delivery.body, node);
  const anomalies = anomaliesIn(entry.delivery, node);
  return {
    path,
    raw,
    digest: digestOf(kind, node.value, raw, anomalies.length === 0),
    wabaId: entry.wabaId,
    field: change.field,
    object: node.value,
    anomalies,
    ...placeOf(change),
  };
}

function placeOf({ entry, phoneNumberId, displayPhoneNumber }: ChangeContext): { phoneNumberId?: string; displayPhoneNumber?: string; entryTime?: string } {
  const place: { phoneNumberId?: string; displayPhoneNumber?: string; entryTime?: string } = {};
  if (phoneNumberId !== undefined) place.phoneNumberId = phoneNumberId;
  if (displayPhoneNumber !== undefined) place.displayPhoneNumber = displayPhoneNumber;
  if (entry.time !== undefined) place.entryTime = entry.time;
  return place;
}

/** Says whose event it is, where it names anybody. */
export function name(event: { customer?: CustomerAliases; contactRaw?: Buffer }, change: ChangeContext, aliases: CustomerAliases, contact: JsonNode | undefined): void {
  const customer = orNobody(aliases);
  if (customer !== undefined) event.customer = customer;
  if (contact !== undefined) event.contactRaw = sliceOf(change.entry.delivery.body, contact);
}

/** A change of identity that names nobody as its sender is about the person it renames. */
function namesBehind(own: CustomerAliases, change: MessageEvent['identityChange']): CustomerAliases {
  if (change === undefined || orNobody(own) !== undefined) return own;
  const bsuid = change.oldBsuid ?? change.newBsuid;
  const waId = change.oldWaId ?? (bsuid === undefined ? change.newWaId : undefined);
  return { ...(bsuid === undefined ? {} : { bsuid }), ...(waId === undefined ? {} : { waId }) };
}

/** What an item says of itself, under the names Meta uses across fields. */
export function describe(event: Mutable<FieldEvent>, change: ChangeContext, node: JsonNode, object: Json): void {
  const { body } = change.entry.delivery;
  const type = stringIn(object, 'type') ?? stringIn(object, 'event') ?? stringIn(object, 'event_name') ?? stringIn(object, 'decision') ?? stringIn(object, 'value');
  const id = idAt(body, memberOf(node, 'id'));
  const status = stringIn(object, 'status');
  const groupId = stringIn(object, 'group_id');
  const timestamp = scalarAt(body, memberOf(node, 'timestamp'));
  if (type !== undefined) event.type = type;
  // In account fields `id` names other things than messages.
  if (typeof id !== 'string' && FIELDS[change.field]?.lists !== undefined) event.messageId = id.id;
  if (status !== undefined) event.status = status;
  if (groupId !== undefined) event.groupId = groupId;
  if (timestamp !== undefined && timestamp !== '') event.timestamp = timestamp;
}

/** What an old message says of itself: direction, words, and what became of it. */
export function describeMessage(event: Mutable<FieldEvent>, message: Json): void {
  const context = message['history_context'];
  event.direction = stringIn(message, 'to') !== undefined || (isObject(context) && context['from_me'] === true) ? 'outbound' : 'inbound';
  const text = textOfMessage(message);
  const status = isObject(context) ? stringIn(context, 'status') : undefined;
  if (text !== undefined) event.text = text;
  if (status !== undefined) event.status = status;
}

function originalOf(message: Json, type: string | undefined): string | undefined {
  const body = type === undefined ? undefined : message[type];
  if (!isObject(body)) return undefined;
  return type === 'reaction' ? stringIn(body, 'message_id') : type === 'edit' || type === 'revoke' ? stringIn(body, 'original_message_id') : undefined;
}

/** The members that make up the identity of a message or status; written twice with different values, they are a guess. */
const IDENTITY_MEMBERS = ['id', 'status', 'timestamp', 'type', 'recipient_participant_id', 'recipient_participant_user_id'];

type ItemIds = { readonly phoneNumberId: string; readonly id: string; readonly timestamp: string };

function identityOfItem(change: ChangeContext, { node, path }: Item, what: 'message' | 'status'): ItemIds | QuarantineReason {
  const { body } = change.entry.delivery;
  const example = what === 'status' ? STATUS_EXAMPLE : '{"id":"wamid.…","from":"…","timestamp":"1750090702","type":"text","text":{"body":"Hello"}}';
  if (!isObjectNode(node)) return notAnObject(path, what);
  if (change.ambiguousPhoneNumberId) return reasonFor('ambiguous-identity', `${change.path}.metadata.phone_number_id`, 'the business number is written twice, differently', example);
  if (anomaliesIn(change.entry.delivery, node).some(({ code }) => code === 'duplicate-key')) {
    const twice = IDENTITY_MEMBERS.find((key) => isAmbiguous(node, key));
    if (twice !== undefined) return reasonFor('ambiguous-identity', `${path}.${twice}`, `a ${what} has "${twice}" twice, differently`, example);
  }
  const id = idAt(body, memberOf(node, 'id'));
  if (typeof id === 'string') return reasonFor(id === 'absent' ? 'no-id' : 'invalid-id', `${path}.id`, `a ${what}'s "id" is ${id}`, example);
  if (change.phoneNumberId === undefined) {
    return reasonFor('no-phone-number-id', `${change.path}.metadata.phone_number_id`, `a ${what} does not say which business number it belongs to`, '{"metadata":{"phone_number_id":"106540352242922"}}');
  }
  const timestamp = idAt(body, memberOf(node, 'timestamp'));
  if (typeof timestamp === 'string') return reasonFor(timestamp === 'absent' ? 'no-timestamp' : 'invalid-id', `${path}.timestamp`, `a ${what}'s "timestamp" is ${timestamp}`, example);
  return { phoneNumberId: change.phoneNumberId, id: id.id, timestamp: timestamp.id };
}

const reasonFor = (code: QuarantineCode, path: string, message: string, expected: string): QuarantineReason => ({ code, path, message, expected });
export const notAnObject = (path: string, what: string): QuarantineReason => reasonFor('wrong-shape', path, `a ${what} is not an object`, '{}');

/** Puts an item to quarantine with its bytes and the way back. */
export function refuse(change: ChangeContext, { node, path, member, people }: Item, reason: QuarantineReason): QuarantineEvent {
  const raw = sliceOf(change.entry.delivery.body, node);
  const object = isObject(node.value) ? node.value : {};
  const { contact } = people.complete(member === 'statuses' ? recipientOf(object) : senderOf(object), false);
  const replayBody = member === undefined ? replayOfValue(change.entry, change.field, raw) : replayOfMember(change, member, raw, true, contact);
  return { eventKind: 'quarantine', reason, path, raw, digest: digestOfBytes(raw), wabaId: change.entry.wabaId, field: change.field, ...placeOf(change), replayBody };
}
