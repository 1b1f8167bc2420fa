/**
 * What one delivery says, one event at a time: the form in which everything Meta sends goes on to be recorded. Each event carries its own bytes, the names of
 * the person it is about, and what makes it the same event when Meta sends it again.
 */
import type { CustomerAliases } from './customers';
import type { IdentityChange } from './identity-changes';
import type { JsonAnomaly } from './json-slices';
import type { QuarantineReason } from './quarantine';

/** Where an event stood and what it was written as. */
interface Placed {
  /** From the body down: `entry[0].changes[0].value.messages[2]`. */
  readonly path: string;
  /** The event's own bytes: a view of the body, valid as long as the body is not changed. */
  readonly raw: Buffer;
  /** Hex SHA-256 over the declared projection (digest.ts), or over `raw` for quarantine and where the event is not I-JSON. */
  readonly digest: string;
  /** Business number the event belongs to, and as it was displayed. */
  readonly phoneNumberId?: string;
  readonly displayPhoneNumber?: string;
  /** `entry.time` verbatim: seconds, when Meta sent the notification. */
  readonly entryTime?: string;
}

interface Recordable extends Placed {
  readonly wabaId: string;
  readonly field: string;
  /** The parsed event object; not the whole truth where `anomalies` is not empty. */
  readonly object: unknown;
  /** What JSON.parse would have lost inside `raw`; offsets count from the start of the body. */
  readonly anomalies: readonly JsonAnomaly[];
  /** Field, type, status or member that this version does not know: kept as it came, counted. */
  readonly unknownType: boolean;
  /** Message type, or the kind of thing an item of another field says it is. */
  readonly type?: string;
  /** What a person would read, as the sender wrote it: not cleaned. */
  readonly text?: string;
  /** The person on the other side; absent where the event is about the account or names nobody. */
  readonly customer?: CustomerAliases;
  /** Bytes of the `contacts[]` element that speaks of that person. */
  readonly contactRaw?: Buffer;
}

export interface MessageEvent extends Recordable {
  readonly eventKind: 'message' | 'edit' | 'revoke' | 'reaction';
  readonly phoneNumberId: string;
  readonly messageId: string;
  /** Verbatim, unix seconds as a rule. */
  readonly timestamp: string;
  /** `outbound`: an echo of what the business wrote on another device. */
  readonly direction: 'inbound' | 'outbound';
  readonly groupId?: string;
  /** The message that an edit, revoke or reaction is about. */
  readonly originalMessageId?: string;
  readonly identityChange?: IdentityChange;
}

export interface StatusEvent extends Recordable {
  readonly eventKind: 'status';
  readonly phoneNumberId: string;
  readonly messageId: string;
  readonly timestamp: string;
  readonly status: string;
  /** Whose status it is where one message went to several people. */
  readonly participant?: string;
  readonly groupId?: string;
}

export interface FieldEvent extends Recordable {
  readonly eventKind: 'field';
  /** The member of the value this is an item of; absent where the whole value is the event. */
  readonly member?: string;
  /** The message, call or automatic event it concerns, where it names one. */
  readonly messageId?: string;
  readonly timestamp?: string;
  readonly status?: string;
  readonly groupId?: string;
  readonly direction?: 'inbound' | 'outbound';
  readonly identityChange?: IdentityChange;
  /** Old conversations, shared when a number joins: which thread and which chunk. */
  readonly history?: { readonly threadId?: string; readonly phase?: string; readonly chunkOrder?: string; readonly progress?: string };
}

export interface QuarantineEvent extends Placed {
  readonly eventKind: 'quarantine';
  readonly reason: QuarantineReason;
  readonly wabaId?: string;
  readonly field?: string;
  /** A delivery that holds these bytes alone, in their place: hand it to the same operation to try again. */
  readonly replayBody: Buffer;
}

export type MetaEvent = MessageEvent | StatusEvent | FieldEvent | QuarantineEvent;

/**
 * What makes two events one, as a tagged list of strings; equal lists, same event, for ever. Parts are never empty by accident: an absent one is ''.
 * Messages of every kind share one space, for wamids do. Everything without an id of its own is identified by account, field, digest and `entry.time`;
 * business number and member are added so that the same words about two numbers stay two records.
 * Old conversations (`history`) are among these on purpose: the same wamid arrives as a placeholder, as media and perhaps live, each with another body,
 * and none of that is a conflict.
 */
export function identityOf(event: MetaEvent): readonly [tag: 'message' | 'status' | 'field' | 'quarantine', ...parts: string[]] {
  switch (event.eventKind) {
    case 'message':
    case 'edit':
    case 'revoke':
    case 'reaction':
      return ['message', event.phoneNumberId, event.messageId];
    case 'status':
      return ['status', event.phoneNumberId, event.messageId, event.status, event.timestamp, event.participant ?? ''];
    case 'field':
      return ['field', event.wabaId, event.field, event.digest, event.entryTime ?? '', event.phoneNumberId ?? '', event.member ?? ''];
    case 'quarantine':
      return ['quarantine', event.wabaId ?? '', event.field ?? '', event.digest, event.entryTime ?? '', event.phoneNumberId ?? ''];
  }
}
