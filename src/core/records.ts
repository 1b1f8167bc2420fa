/**
 * From an event to the record that keeps it: key, attributes, and what of it is too big for an item. What is recorded is decided here and nowhere else;
 * docs/data-model.md explains every attribute. Images come out without `mac`.
 * Everything in an event was written by someone else, so every descriptive attribute has a bound; the bytes themselves are always kept whole.
 */
import { cleanText } from './clean-text';
import { keyAttributes, stampAttributes, type Stamp } from './customer-aliases';
import { hashed } from './dedupe-key';
import type { Attribute, Image, TableKey } from './image';
import { identityOf, type FieldEvent, type MessageEvent, type QuarantineEvent, type StatusEvent } from './meta/events';
import { recordKeys } from './table-keys';

export type RecordableEvent = MessageEvent | StatusEvent | FieldEvent;

/** Whose the record is: `subject` always; `customerId` where it is a person's. `unresolved`: why a person was named but is not known. */
export interface Owner {
  readonly subject: string;
  readonly customerId?: string;
  readonly unresolved?: 'alias-unreadable' | 'account-unreadable';
}

/** Bytes up to this stand in the record, longer ones in an object that it names: an item may have 400 KB, and is paid for by the KB at every write. */
export const MAX_INLINE_BYTES = 20 * 1024;
/** Characters of a descriptive attribute; longer ones are cut, the bytes in `raw` are not. */
const MAX_ATTRIBUTE_LENGTH = 512;

/** Bytes kept outside the record: put to the inbox under `name` before the record is written. */
export interface Content {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The key under which an event is recorded once, for ever. */
export function keyOfEvent(dedupeKey: Uint8Array, event: RecordableEvent | QuarantineEvent): TableKey {
  const identity = identityOf(event);
  const [tag, ...parts] = identity;
  if (event.eventKind === 'quarantine') return recordKeys.quarantine(hashed(dedupeKey, 'quarantine', parts));
  if (event.eventKind === 'field') return recordKeys.field(hashed(dedupeKey, 'field', parts));
  const wamid = hashed(dedupeKey, 'wamid', [event.messageId]);
  return tag === 'status' ? recordKeys.status(wamid, event.phoneNumberId, hashed(dedupeKey, 'status', parts)) : recordKeys.message(wamid, event.phoneNumberId);
}

/** The object that keeps `event`'s bytes, its contact's behind them, where they are too long; its name tells nothing and belongs to this record alone. */
export function contentOf(dedupeKey: Uint8Array, key: TableKey, event: RecordableEvent): Content | undefined {
  const contact = event.contactRaw ?? EMPTY;
  if (event.raw.length + contact.length <= MAX_INLINE_BYTES) return undefined;
  return nameContent(dedupeKey, key, Buffer.concat([event.raw, contact]));
}

/** As `contentOf`, for quarantined input: the object holds the delivery to be replayed. */
export function contentOfQuarantine(dedupeKey: Uint8Array, key: TableKey, event: QuarantineEvent): Content | undefined {
  const body = replayOf(event);
  return body.length <= MAX_INLINE_BYTES ? undefined : nameContent(dedupeKey, key, body);
}

/** What is kept of quarantined input: the delivery to replay, which holds the bytes; if it ever did not, the bytes come first. */
const replayOf = (event: QuarantineEvent): Buffer => (event.replayBody.includes(event.raw) ? event.replayBody : event.raw);

function nameContent(dedupeKey: Uint8Array, key: TableKey, bytes: Buffer): Content {
  return { name: `content/${hashed(dedupeKey, 'content', [key.pk, key.sk, bytes])}`, bytes };
}

/** The record of `event`, rev 1. `content`: what `contentOf` gave, with the SHA-256 of its bytes. */
export function eventImage(event: RecordableEvent, key: TableKey, owner: Owner, stamp: Stamp, hash: (tag: 'wamid', parts: readonly string[]) => string, content?: Content & { readonly sha256: Buffer }): Image {
  return {
    ...keyAttributes(key),
    kind: { S: event.eventKind },
    ...ownerAttributes(owner),
    rev: { N: '1' },
    ...stampAttributes(stamp),
    wabaId: { S: event.wabaId },
    ...text('phoneNumberId', event.phoneNumberId),
    ...text('displayPhoneNumber', event.displayPhoneNumber),
    ...text('messageId', event.messageId),
    ...text('timestamp', event.timestamp),
    ...text('type', event.type),
    ...text('groupId', event.groupId),
    ...text('entryTime', event.entryTime),
    // The two that nearly every record would carry are left out: each byte counts towards the write units of a message.
    ...(event.field === 'messages' ? {} : text('field', event.field)),
    ...particulars(event, hash),
    ...bytesAttributes(event, content),
    ...textAttributes(event.text),
    digest: { B: Buffer.from(event.digest, 'hex') },
    ...(event.unknownType ? { unknownType: { BOOL: true } } : {}),
    ...(event.anomalies.length === 0 ? {} : { anomalies: { L: [...new Set(event.anomalies.map(({ code }) => code))].map((code) => ({ S: code })) } }),
  };
}

/** `image`, a record that could not be put under `key`, as the evidence that is put beside it. */
export function evidenceImage(kind: 'variant' | 'conflict', image: Image, key: TableKey, of: string): Image {
  return { ...image, ...keyAttributes(key), kind: { S: kind }, of: { S: of } };
}

/** The record of quarantined input: the reason without any content of it, the bytes, and what stood around them. */
export function quarantineImage(event: QuarantineEvent, key: TableKey, subject: string, stamp: Stamp, content?: Content & { readonly sha256: Buffer }): Image {
  const body = replayOf(event);
  const at = body.indexOf(event.raw);
  const { reason } = event;
  return {
    ...keyAttributes(key),
    kind: { S: 'quarantine' },
    subject: { S: subject },
    rev: { N: '1' },
    ...stampAttributes(stamp),
    reason: { S: reason.code },
    ...text('path', reason.path),
    ...text('message', reason.message),
    ...text('expected', reason.expected),
    ...text('detail', reason.detail),
    ...(reason.offset === undefined ? {} : { offset: { N: String(reason.offset) } }),
    ...text('wabaId', event.wabaId),
    ...text('field', event.field),
    ...text('phoneNumberId', event.phoneNumberId),
    ...text('entryTime', event.entryTime),
    digest: { B: Buffer.from(event.digest, 'hex') },
    ...(content === undefined
      ? {
          raw: { B: event.raw },
          // `before` ‖ raw ‖ `after` is a delivery that holds these bytes alone.
          ...(at > 0 ? { before: { B: body.subarray(0, at) } } : {}),
          ...(at + event.raw.length < body.length ? { after: { B: body.subarray(at + event.raw.length) } } : {}),
        }
      : contentAttributes(content, at, event.raw.length)),
  };
}

/** Whether a quarantined input waits for a schema fix (`open`) or was recorded by a replay (`replayed`). */
export function quarantineStateImage(quarantine: TableKey, state: 'open' | 'replayed', rev: number, subject: string, stamp: Stamp, by?: string): Image {
  const hash = quarantine.pk.slice('q#'.length);
  return {
    ...keyAttributes(recordKeys.quarantineState(hash)),
    kind: { S: 'quarantine-state' },
    subject: { S: subject },
    rev: { N: String(rev) },
    ...stampAttributes(stamp),
    state: { S: state },
    ...text('by', by),
  };
}

/** An account and the random subject its own records are sealed under. */
export function accountImage(wabaId: string, subject: string, stamp: Stamp): Image {
  return { ...keyAttributes(recordKeys.account(wabaId)), kind: { S: 'account' }, subject: { S: subject }, rev: { N: '1' }, ...stampAttributes(stamp), wabaId: { S: wabaId } };
}

/** When an event says it happened, unix seconds; `otherwise` where it does not say. */
export function secondsOf(timestamp: string | undefined, otherwise: number): number {
  return timestamp !== undefined && /^\d{1,11}$/.test(timestamp) ? Number(timestamp) : otherwise;
}

const EMPTY = Buffer.alloc(0);

/** DynamoDB stores UTF-8, which has no half surrogate pairs, and nothing longer than an item. */
const storable = (value: string): string => value.slice(0, MAX_ATTRIBUTE_LENGTH).replace(LONE_SURROGATES, '\ufffd');
const LONE_SURROGATES = /\p{Surrogate}/gu;

function text(name: string, value: string | undefined): Readonly<Record<string, Attribute>> {
  return value === undefined ? {} : { [name]: { S: storable(value) } };
}

const ownerAttributes = (owner: Owner): Image => ({
  subject: { S: owner.subject },
  ...(owner.customerId === undefined ? {} : { customerId: { S: owner.customerId } }),
  ...(owner.unresolved === undefined ? {} : { unresolved: { S: owner.unresolved } }),
});

/** What only some kinds have. */
function particulars(event: RecordableEvent, hash: (tag: 'wamid', parts: readonly string[]) => string): Image {
  switch (event.eventKind) {
    case 'status':
      return { ...text('status', event.status), ...text('participant', event.participant) };
    case 'field':
      return {
        ...text('member', event.member),
        ...text('status', event.status),
        ...text('direction', event.direction),
        ...(event.history === undefined ? {} : { history: { M: Object.assign({}, ...Object.entries(event.history).map(([name, value]) => text(name, value))) as Image } }),
      };
    default:
      return {
        ...(event.direction === 'inbound' ? {} : text('direction', event.direction)),
        ...text('originalMessageId', event.originalMessageId),
        ...(event.originalMessageId === undefined ? {} : { original: { S: hash('wamid', [event.originalMessageId]) } }),
      };
  }
}

function bytesAttributes(event: RecordableEvent, content?: Content & { readonly sha256: Buffer }): Image {
  if (content !== undefined) return contentAttributes(content, 0, event.raw.length);
  return { raw: { B: event.raw }, ...(event.contactRaw === undefined ? {} : { contact: { B: event.contactRaw } }) };
}

function contentAttributes(content: Content & { readonly sha256: Buffer }, rawAt: number, rawBytes: number): Image {
  return {
    contentName: { S: content.name },
    contentSha256: { B: content.sha256 },
    contentBytes: { N: String(content.bytes.length) },
    // Where the event's own bytes stand in it.
    contentRawAt: { N: String(rawAt) },
    contentRawBytes: { N: String(rawBytes) },
  };
}

/** The text as written (half surrogates replaced), and where cleaning changed something also the clean text and what was removed. */
function textAttributes(written: string | undefined): Image {
  // A longer text is whole in `raw`; staff read it from there.
  if (written === undefined || Buffer.byteLength(written) > MAX_INLINE_BYTES) return {};
  const clean = cleanText(written);
  const original: Image = { text: { S: written.replace(LONE_SURROGATES, '\ufffd') } };
  if (clean === 'unchanged') return original;
  const removed = clean.removed.map((each): Attribute => ({
    M: { codePoint: { S: each.codePoint }, why: { S: each.why }, count: { N: String(each.count) }, first: { N: String(each.first) } },
  }));
  return { ...original, textClean: { S: clean.text }, ...(removed.length === 0 ? {} : { removed: { L: removed } }) };
}
