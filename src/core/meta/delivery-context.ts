/**
 * Where in a delivery the reader is: the account, field and business number that every event below inherits, and the bytes around it, so that
 * what goes to quarantine can be put back into a delivery of its own. Identifiers are read here, once, with the rules for what may become part of a key.
 */
import { type JsonAnomaly, type JsonNode, isObjectNode, memberOf } from './json-slices';

/** The longest identifier that is kept as one; official wamids have at most 78 characters. */
export const MAX_ID_LENGTH = 256;
/** `OBJECT` names the product; the same endpoint may be given other Meta products by mistake. */
export const OBJECT = 'whatsapp_business_account';

export interface Delivery {
  readonly body: Buffer;
  /** By offset, ascending. */
  readonly anomalies: readonly JsonAnomaly[];
}

/** One `entry`: an account's share of the delivery. */
export interface EntryContext {
  readonly delivery: Delivery;
  readonly node: JsonNode;
  readonly path: string;
  readonly wabaId: string;
  readonly time?: string;
}

/** One `change`: a field and its value. */
export interface ChangeContext {
  readonly entry: EntryContext;
  readonly field: string;
  readonly value: JsonNode;
  /** Path of the value. */
  readonly path: string;
  readonly metadata?: JsonNode;
  readonly phoneNumberId?: string;
  readonly displayPhoneNumber?: string;
  /** `phone_number_id` is written twice with different values: which one Meta meant is a guess. */
  readonly ambiguousPhoneNumberId: boolean;
}

export type Id = { readonly id: string } | 'absent' | 'invalid';

/**
 * An identifier, opaque and verbatim; digits that were not quoted count as written. Null and '' are absent. Invalid: another type, too long, or a lone
 * surrogate, which has no bytes of its own: two ids could become one key.
 */
export function idAt(body: Buffer, node: JsonNode | undefined): Id {
  if (node === undefined || node.value === null || node.value === '') return 'absent';
  if (typeof node.value === 'string' && LONE_SURROGATE.test(node.value)) return 'invalid';
  const id = scalarAt(body, node);
  return id === undefined || id.length > MAX_ID_LENGTH ? 'invalid' : { id };
}
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A name that is not an identifier, fit to be stored: a lone surrogate is written as its escape. */
export const storable = (text: string): string => (LONE_SURROGATE.test(text) ? JSON.stringify(text).slice(1, -1) : text);

/** The name of a member, fit to be stored. */
export const nameOf = (member: JsonNode): string => storable(member.key ?? '');

/** A string, or a number as it was written (1e3 and 1000 alike), or undefined. */
export function scalarAt(body: Buffer, node: JsonNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (typeof node.value === 'string') return storable(node.value);
  if (typeof node.value !== 'number') return undefined;
  return Number.isSafeInteger(node.value) ? String(node.value) : body.toString('latin1', node.start, node.end);
}

export const sliceOf = (body: Buffer, node: JsonNode): Buffer => body.subarray(node.start, node.end);

const NONE: readonly JsonAnomaly[] = [];
/** The anomalies inside a node; binary search, because a body may hold as many of both as it has bytes. */
export function anomaliesIn({ anomalies }: Delivery, node: JsonNode): readonly JsonAnomaly[] {
  if (anomalies.length === 0) return NONE;
  const from = firstAtOrAfter(anomalies, node.start);
  const to = firstAtOrAfter(anomalies, node.end);
  return from === to ? NONE : anomalies.slice(from, to);
}

function firstAtOrAfter(anomalies: readonly JsonAnomaly[], offset: number): number {
  let low = 0;
  let high = anomalies.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((anomalies[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether an object writes `key` twice with different outcomes for different readers. */
export function isAmbiguous(node: JsonNode, key: string): boolean {
  if (!isObjectNode(node)) return false;
  const last = memberOf(node, key);
  return last !== undefined && (node.children ?? []).some((child) => child.shadowed && child.key === key && child.value !== last.value);
}

/** A delivery that holds nothing but `raw`, as an element of the list (or as the value) `member` of its change. */
export function replayOfMember({ entry, field, metadata, value }: ChangeContext, member: string, raw: Buffer, asElement: boolean, contact?: JsonNode): Buffer {
  const { body } = entry.delivery;
  const members: Buffer[] = [];
  const product = memberOf(value, 'messaging_product');
  if (product !== undefined && member !== 'messaging_product') members.push(Buffer.from('"messaging_product":'), sliceOf(body, product), COMMA);
  if (metadata !== undefined && member !== 'metadata') members.push(Buffer.from('"metadata":'), sliceOf(body, metadata), COMMA);
  if (contact !== undefined && member !== 'contacts') members.push(Buffer.from('"contacts":['), sliceOf(body, contact), Buffer.from('],'));
  members.push(Buffer.from(`${JSON.stringify(member)}:${asElement ? '[' : ''}`), raw, Buffer.from(asElement ? ']' : ''));
  return replayOfValue(entry, field, Buffer.concat([Buffer.from('{'), ...members, Buffer.from('}')]));
}

/** A delivery whose only change is `value` under the same field. */
export function replayOfValue(entry: EntryContext, field: string, value: Buffer): Buffer {
  return replayOfChange(entry, Buffer.concat([Buffer.from(`{"field":${JSON.stringify(field)},"value":`), value, Buffer.from('}')]));
}

/** A delivery that holds nothing but `change`. */
export function replayOfChange(entry: EntryContext, change: Buffer): Buffer {
  const { body } = entry.delivery;
  const id = memberOf(entry.node, 'id');
  const time = memberOf(entry.node, 'time');
  return replayOfEntry(
    Buffer.concat([
      Buffer.from('{"id":'),
      id === undefined ? Buffer.from('null') : sliceOf(body, id),
      ...(time === undefined ? [] : [Buffer.from(',"time":'), sliceOf(body, time)]),
      Buffer.from(',"changes":['),
      change,
      Buffer.from(']}'),
    ]),
  );
}

/** A delivery that holds nothing but `entry`. */
export const replayOfEntry = (entry: Buffer): Buffer => Buffer.concat([Buffer.from(`{"object":"${OBJECT}","entry":[`), entry, Buffer.from(']}')]);

const COMMA = Buffer.from(',');
