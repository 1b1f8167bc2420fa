/**
 * A request for a repair as a queue carries it. Whoever may write to the queue may have written it, and the key in it may have been written to the table by hand: it
 * names a record, and nothing in it is believed. Never holds content.
 */
import { isSource } from './entry';

/** The shape is that of ports/repair-requests.ts. */
interface Request {
  readonly key: { readonly pk: string; readonly sk: string };
  readonly source?: string | undefined;
}

/** In ASCII whatever the key holds: queues refuse some characters that a table takes, and a refused request would hold up the sealer. */
export function repairRequestText({ key: { pk, sk }, source }: Request): string {
  return JSON.stringify({ pk, sk, source }).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** DynamoDB's own limits for key attributes, in bytes. */
const MAX_PK_BYTES = 2_048;
const MAX_SK_BYTES = 1_024;

/** 'unknown': no request of ours. */
export function repairRequestIn(text: string): Request | 'unknown' {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'unknown';
  }
  const { pk, sk, source } = (typeof message === 'object' && message !== null ? message : {}) as Readonly<Record<string, unknown>>;
  if (!isKeyPart(pk, MAX_PK_BYTES) || !isKeyPart(sk, MAX_SK_BYTES) || (source !== undefined && (typeof source !== 'string' || !isSource(source)))) return 'unknown';
  return { key: { pk, sk }, ...(source !== undefined && { source }) };
}

const isKeyPart = (value: unknown, maxBytes: number): value is string => typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= maxBytes && Buffer.from(value).toString() === value; // a lone surrogate is in no table
