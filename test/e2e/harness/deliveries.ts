/** Deliveries as Meta writes them, about people and numbers nobody else has: the tests share one cloud, and each must find its own and only its own. */
import { createHash, randomInt, randomUUID } from 'node:crypto';

/** A customer nobody has written about before: the number Meta calls `wa_id`. */
export const newPerson = (): string => `1555${digits(9)}`;

/** A business number of its own, so that whatever is found under it belongs to one test. */
export const newPhoneNumberId = (): string => `9${digits(14)}`;

/** A message id in the form of Meta's. */
export const newMessageId = (): string => `wamid.${Buffer.from(randomUUID()).toString('base64')}`;

/** A word that stands nowhere else in the world: found in a log line, it came from the message that held it. */
export const newMarker = (): string => `marker${randomUUID().replaceAll('-', '')}`;

/** An account of its own; the account's record and subject are made at its first delivery. */
export const newAccount = (): string => `8${digits(14)}`;

/** One text message as the JSON text of it: what stands in `raw` later, byte for byte. `rest` is put before the closing brace. */
export const text = ({ id = newMessageId(), from, body, timestamp = '1790000000', rest = '' }: { readonly id?: string; readonly from: string; readonly body: string; readonly timestamp?: string; readonly rest?: string }): string =>
  `{"from":"${from}","id":"${id}","timestamp":"${timestamp}","type":"text","text":{"body":${JSON.stringify(body)}}${rest}}`;

/** A delivery of these members of a value, written by hand because the bytes matter. */
export const delivery = (phoneNumberId: string, members: string, { account = '102290129340398', field = 'messages' } = {}): string =>
  `{"object":"whatsapp_business_account","entry":[{"id":"${account}","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"${phoneNumberId}"},${members}},"field":"${field}"}]}]}`;

/** A delivery of these messages. */
export const messages = (phoneNumberId: string, ...each: readonly string[]): string => delivery(phoneNumberId, `"messages":[${each.join(',')}]`);

/** `inner` inside `depth` lists. */
export const nested = (depth: number, inner = ''): string => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;

/** The id a delivery of these bytes must get, computed anew. */
export const deliveryIdOf = (body: string | Uint8Array): string => createHash('sha256').update(body).digest().subarray(0, 16).toString('base64url');

/** The whole answer to a delivery of which this became. */
export const answer = (body: string | Uint8Array, counts: Readonly<Partial<Record<'queued' | 'recorded' | 'duplicate' | 'variant' | 'conflict' | 'quarantined', number>>>): object =>
  ({ deliveryId: deliveryIdOf(body), queued: 0, recorded: 0, duplicate: 0, variant: 0, conflict: 0, quarantined: 0, ...counts });

const digits = (n: number): string => Array.from({ length: n }, () => randomInt(10)).join('');
