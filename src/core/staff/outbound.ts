/**
 * What a sending system says it sent, as an event like those that Meta's webhook brings: so it is recorded by the same rules, for the same customer, as the statuses that Meta sends of it. That it was sent,
 * and that it was this, is the system's word, not Meta's; the record says whose.
 */
import { createHash } from 'node:crypto';
import { canonicalize } from '../canonical-json';
import type { Stamp } from '../customer-aliases';
import type { Image, TableKey } from '../image';
import { isBsuid, orNobody } from '../meta/customers';
import type { MessageEvent } from '../meta/events';
import { isObject, stringIn } from '../meta/json-members';
import { parseSlices } from '../meta/json-slices';
import { textOfMessage } from '../meta/messages';
import { eventImage, type Content, type Owner } from '../records';
import { operatorAttributes } from './access-record';
import type { Actor } from './actor';

export interface OutboundInput {
  /** Digits: the business number it was sent from. */
  readonly phoneNumberId: string;
  /** The business account; helps where a person is known by several names. */
  readonly wabaId?: string;
  /** The wamid that Meta answered the send with. */
  readonly messageId: string;
  /** To whom: the `wa_id` that Meta answered with, verbatim, or a user id. */
  readonly to: string;
  /** The body of the send, byte for byte: a JSON object. */
  readonly payload: Buffer;
  /** ISO 8601. */
  readonly sentAt: string;
}

/** More is no message: Meta's own limits are far below. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Undefined: the payload is no JSON object. */
export function outboundEvent({ phoneNumberId, wabaId = '', messageId, to, payload, sentAt }: OutboundInput): MessageEvent | undefined {
  const parsed = parseSlices(payload);
  if (!parsed.ok || !isObject(parsed.root.value)) return undefined;
  const object = parsed.root.value;
  const [type, text] = [stringIn(object, 'type'), textOfMessage(object)];
  const customer = orNobody(isBsuid(to) ? (/^..\.ENT\./.test(to) ? { parentBsuid: to } : { bsuid: to }) : { waId: to });
  // Where the value is not the whole truth, a canonical form of it would be the same for different bytes.
  const said = parsed.anomalies.length === 0 ? canonicalize(object) : payload.toString('hex');
  return {
    eventKind: 'message',
    direction: 'outbound',
    path: 'payload',
    field: 'messages',
    wabaId,
    phoneNumberId,
    messageId,
    timestamp: String(Math.floor(Date.parse(sentAt) / 1000)),
    raw: payload,
    object,
    anomalies: parsed.anomalies,
    unknownType: false,
    // What it says and to whom; not when: a system that tells of it a second time may have looked at its clock again.
    digest: createHash('sha256').update(canonicalize([to, said])).digest('hex'),
    ...(type !== undefined && { type }),
    ...(text !== undefined && { text }),
    ...(customer !== undefined && { customer }),
  };
}

/** The record of it, without its MAC. */
export function outboundImage(event: MessageEvent, key: TableKey, owner: Owner, stamp: Stamp, actor: Actor, hash: (tag: 'wamid', parts: readonly string[]) => string, content?: Content & { readonly sha256: Buffer }): Image {
  const { wabaId, ...image } = eventImage(event, key, owner, stamp, hash, content);
  return { ...image, ...(event.wabaId !== '' && wabaId !== undefined && { wabaId }), kind: { S: 'outbound' }, ...operatorAttributes(actor) };
}
