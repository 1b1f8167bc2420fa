/**
 * One signed body in, every event in it out. Nothing signed is dropped and nothing signed throws: what cannot be an event of its own goes to quarantine
 * with its bytes, its reason and a way back, and its neighbours do not notice.
 *
 * How it is cut: body → entries → changes → the lists its field is known to hold → one event per element. A value without such a list is one event. A member
 * nobody knows is an event of its own; so is a contact that no event speaks of, and a value that a second member of the same name has replaced.
 */
import { ContactBook } from './customers';
import {
  type ChangeContext,
  type Delivery,
  type EntryContext,
  OBJECT,
  idAt,
  isAmbiguous,
  nameOf,
  replayOfChange,
  replayOfEntry,
  replayOfMember,
  scalarAt,
  sliceOf,
} from './delivery-context';
import { digestOfBytes } from './digest';
import { type MetaEvent, type QuarantineEvent } from './events';
import { FIELDS } from './fields';
import { chunkEvents } from './history';
import { fieldEvent, memberEvent, messageEvent, statusEvent, type Item } from './items';
import { type JsonAnomaly, type JsonNode, isArrayNode, isObjectNode, memberOf, parseSlices } from './json-slices';
import { type QuarantineReason } from './quarantine';

export type SplitDelivery =
  | { readonly kind: 'events'; readonly events: readonly MetaEvent[]; /** Of the whole body, by offset. */ readonly anomalies: readonly JsonAnomaly[] }
  /** The body as a whole is kept: there is no event in it that can be told from another. */
  | { readonly kind: 'quarantine'; readonly reason: QuarantineReason };

const ENVELOPE = `{"object":"${OBJECT}","entry":[{"id":"…","changes":[{"field":"messages","value":{}}]}]}`;

/** Splits a body whose signature was found valid; longer than Meta documents (1,000 updates, 3 MB) is kept like any other. Never throws. The events hold views of `rawBody`: do not change it afterwards. */
export function splitDelivery(rawBody: Buffer): SplitDelivery {
  const parsed = parseSlices(rawBody);
  if (!parsed.ok) {
    const { code, offset } = parsed.error;
    return { kind: 'quarantine', reason: { code: 'not-json', path: '', message: `the body is not JSON: ${code} at byte ${offset}`, expected: ENVELOPE, detail: code, offset } };
  }
  const delivery: Delivery = { body: rawBody, anomalies: parsed.anomalies };
  const { root } = parsed;
  const entries = memberOf(root, 'entry');
  const object = memberOf(root, 'object');
  const wrong = (message: string): SplitDelivery => ({ kind: 'quarantine', reason: { code: 'wrong-envelope', path: '', message, expected: ENVELOPE } });
  if (!isObjectNode(root)) return wrong('the body is not a JSON object');
  if (entries === undefined || !isArrayNode(entries)) return wrong('the body has no list "entry"');
  // One of Meta's own examples carries `object` inside the entries and nowhere else.
  if (object === undefined ? !(entries.children ?? []).every(namesObject) || entries.children?.length === 0 : object.value !== OBJECT) {
    return wrong(`"object" is not "${OBJECT}": another product's webhook, or not a webhook`);
  }

  const events: MetaEvent[] = [];
  for (const member of root.children ?? []) {
    if (member === entries) (entries.children ?? []).forEach((node, i) => splitEntry(delivery, node, `entry[${i}]`, events));
    else if (member !== object) events.push(strayMember(delivery, member));
  }
  // Signed, so it is kept, even where there is nothing in it to record.
  if (events.length === 0) return { kind: 'quarantine', reason: { code: 'no-events', path: '', message: 'a delivery in which no entry holds a change with anything in it', expected: ENVELOPE } };
  return { kind: 'events', events, anomalies: parsed.anomalies };
}

const namesObject = (entry: JsonNode): boolean => memberOf(entry, 'object')?.value === OBJECT;

/** A member beside `object` and `entry`, or one that was replaced: of no account, so it can only be kept as it is. */
function strayMember({ body }: Delivery, member: JsonNode): QuarantineEvent {
  const raw = sliceOf(body, member);
  const path = nameOf(member);
  const reason: QuarantineReason = member.shadowed
    ? { code: 'duplicate-key', path, message: 'a later member of the delivery has the same name; the later one was used' }
    : { code: 'wrong-envelope', path, message: 'a member of the delivery that is neither "object" nor "entry"' };
  const inEnvelope = Buffer.concat([Buffer.from(`{"object":"${OBJECT}","entry":[],${JSON.stringify(member.key ?? '')}:`), raw, Buffer.from('}')]);
  const replayBody = path === 'entry' ? Buffer.concat([Buffer.from(`{"object":"${OBJECT}","entry":`), raw, Buffer.from('}')]) : inEnvelope;
  return { eventKind: 'quarantine', reason, path, raw, digest: digestOfBytes(raw), replayBody };
}

function splitEntry(delivery: Delivery, node: JsonNode, path: string, events: MetaEvent[]): void {
  const { body } = delivery;
  const id = idAt(body, memberOf(node, 'id'));
  const changes = memberOf(node, 'changes');
  if (typeof id === 'string' || changes === undefined || !isArrayNode(changes)) {
    const message = !isObjectNode(node) ? 'an entry is not an object' : typeof id === 'string' ? `an entry's "id" is ${id}` : 'an entry has no list "changes"';
    const raw = sliceOf(body, node);
    const reason: QuarantineReason = { code: 'wrong-entry', path, message, expected: '{"id":"…","changes":[{"field":"messages","value":{}}]}' };
    events.push({ eventKind: 'quarantine', reason, path, raw, digest: digestOfBytes(raw), ...(typeof id === 'string' ? {} : { wabaId: id.id }), replayBody: replayOfEntry(raw) });
    return;
  }
  const time = scalarAt(body, memberOf(node, 'time'));
  const entry: EntryContext = { delivery, node, path, wabaId: id.id, ...(time === undefined ? {} : { time }) };
  for (const member of node.children ?? []) {
    if (member === changes) (changes.children ?? []).forEach((change, i) => splitChange(entry, change, `${path}.changes[${i}]`, events));
    else if (member.shadowed) events.push(replacedMember(entry, undefined, member, `${path}.${nameOf(member)}`));
    else if (!ENTRY_MEMBERS.has(member.key ?? '')) events.push(memberEvent(entry, undefined, member, `entry.${nameOf(member)}`, `${path}.${nameOf(member)}`));
  }
}

/** `field` and `object` inside an entry are Meta's own slip (PARTNER_APP_INSTALLED). */
const ENTRY_MEMBERS: ReadonlySet<string> = new Set(['id', 'time', 'changes', 'field', 'object']);

function splitChange(entry: EntryContext, node: JsonNode, path: string, events: MetaEvent[]): void {
  const { body } = entry.delivery;
  const value = memberOf(node, 'value');
  const own = idAt(body, memberOf(node, 'field'));
  const field = own === 'absent' ? idAt(body, memberOf(entry.node, 'field')) : own;
  if (value === undefined || typeof field === 'string') {
    const message = !isObjectNode(node) ? 'a change is not an object' : value === undefined ? 'a change has no "value"' : `a change's "field" is ${String(field)}`;
    const raw = sliceOf(body, node);
    const reason: QuarantineReason = { code: 'wrong-change', path, message, expected: '{"field":"messages","value":{}}' };
    events.push({ eventKind: 'quarantine', reason, path, raw, digest: digestOfBytes(raw), wabaId: entry.wabaId, ...timeOf(entry), replayBody: replayOfChange(entry, raw) });
    return;
  }
  const change = changeContext(entry, field.id, value, `${path}.value`);
  for (const member of node.children ?? []) {
    if (member === value) splitValue(change, events);
    else if (member.shadowed) events.push(replacedMember(entry, undefined, member, `${path}.${nameOf(member)}`));
    else if (member.key !== 'field') events.push(memberEvent(entry, change, member, `change.${nameOf(member)}`, `${path}.${nameOf(member)}`));
  }
}

function changeContext(entry: EntryContext, field: string, value: JsonNode, path: string): ChangeContext {
  const { body } = entry.delivery;
  const metadata = memberOf(value, 'metadata');
  const phoneNumberId = metadata === undefined ? 'absent' : idAt(body, memberOf(metadata, 'phone_number_id'));
  const displayPhoneNumber = metadata === undefined ? undefined : scalarAt(body, memberOf(metadata, 'display_phone_number'));
  return {
    entry,
    field,
    value,
    path,
    ...(metadata === undefined ? {} : { metadata }),
    ...(typeof phoneNumberId === 'string' ? {} : { phoneNumberId: phoneNumberId.id }),
    ...(displayPhoneNumber === undefined ? {} : { displayPhoneNumber }),
    ambiguousPhoneNumberId: metadata !== undefined && entry.delivery.anomalies.length > 0 && (isAmbiguous(metadata, 'phone_number_id') || isAmbiguous(value, 'metadata')),
  };
}

function splitValue(change: ChangeContext, events: MetaEvent[]): void {
  const { entry, value, path } = change;
  const lists = FIELDS[change.field]?.lists;
  const members = isObjectNode(value) ? (value.children ?? []) : [];
  const people = new ContactBook(lists === undefined ? undefined : memberOf(value, 'contacts'));
  const holdsItems = members.some(({ key, children }) => key !== undefined && lists?.[key] !== undefined && children !== undefined && children.length > 0);
  const holdsContactsOnly = people.size > 0 && members.every(isEnvelopeMember);
  if (lists === undefined || !(holdsItems || holdsContactsOnly)) {
    events.push(fieldEvent(change, { node: value, path, member: undefined, people, alone: true, errorsBeside: false }));
    return;
  }
  const errors = memberOf(value, 'errors');
  const errorsBeside = errors !== undefined && errors.children !== undefined && errors.children.length > 0;
  const isAlone = members.filter(({ key }) => key !== undefined && lists[key] !== undefined).reduce((n, { children }) => n + (children?.length ?? 1), 0) === 1;
  for (const member of members) {
    const key = member.key ?? '';
    const kind = lists[key];
    const at = `${path}.${nameOf(member)}`;
    if (member.shadowed) events.push(replacedMember(entry, change, member, at));
    else if (kind !== undefined && isArrayNode(member)) {
      (member.children ?? []).forEach((node, i) => {
        const item: Item = { node, path: `${at}[${i}]`, member: key, people, alone: isAlone, errorsBeside: errorsBeside && key !== 'errors' };
        if (kind === 'status') events.push(statusEvent(change, item));
        else if (kind === 'message' || kind === 'echo') events.push(messageEvent(change, item, kind));
        else if (kind === 'history') events.push(...chunkEvents(change, item));
        else events.push(fieldEvent(change, item));
      });
    } else if (kind !== undefined) events.push(notAList(change, member, at));
    else if (!isEnvelopeMember(member)) events.push(memberEvent(entry, change, member, nameOf(member), at));
  }
  for (const { node, aliases } of people.unclaimed()) events.push(memberEvent(entry, change, node, 'contacts', `${path}.contacts`, aliases));
}

/** `messaging_product`, `contacts` and a plain `metadata` are carried by the events themselves. */
function isEnvelopeMember({ key, value, children }: JsonNode): boolean {
  if (key === 'messaging_product') return typeof value === 'string';
  if (key === 'contacts') return Array.isArray(value);
  return key === 'metadata' && (children ?? []).every((member) => !member.shadowed && (member.key === 'phone_number_id' || member.key === 'display_phone_number'));
}

function replacedMember(entry: EntryContext, change: ChangeContext | undefined, member: JsonNode, path: string): QuarantineEvent {
  const raw = sliceOf(entry.delivery.body, member);
  const reason: QuarantineReason = { code: 'duplicate-key', path, message: 'a later member has the same name; the later one was used' };
  const replayBody = change === undefined ? replayOfEntry(sliceOf(entry.delivery.body, entry.node)) : replayOfMember(change, member.key ?? '', raw, false);
  return { eventKind: 'quarantine', reason, path, raw, digest: digestOfBytes(raw), wabaId: entry.wabaId, ...timeOf(entry), ...numberOf(change), replayBody };
}

function notAList(change: ChangeContext, member: JsonNode, path: string): QuarantineEvent {
  const raw = sliceOf(change.entry.delivery.body, member);
  const reason: QuarantineReason = { code: 'wrong-shape', path, message: `"${nameOf(member)}" is not a list`, expected: '[{}]' };
  const replayBody = replayOfMember(change, member.key ?? '', raw, false);
  return { eventKind: 'quarantine', reason, path, raw, digest: digestOfBytes(raw), wabaId: change.entry.wabaId, ...timeOf(change.entry), ...numberOf(change), replayBody };
}

const timeOf = ({ time }: EntryContext) => (time === undefined ? {} : { entryTime: time });
const numberOf = (change: ChangeContext | undefined) =>
  change === undefined
    ? {}
    : {
        field: change.field,
        ...(change.phoneNumberId === undefined ? {} : { phoneNumberId: change.phoneNumberId }),
        ...(change.displayPhoneNumber === undefined ? {} : { displayPhoneNumber: change.displayPhoneNumber }),
      };
