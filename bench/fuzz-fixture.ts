/**
 * What the fuzzer finds: customers with messages, notes and versions, one of them asked to be erased, made through the API itself; and the OpenAPI document with their ids as its examples, since an id that
 * the fuzzer makes up is nobody's.
 */
import { randomInt } from 'node:crypto';
import type { Ask, StaffAnswer } from '../local/staff-request';
import type { Role } from '../src/core/staff/actor';
import { SAMPLES } from '../src/runtime/staff/schemas';

export interface FixtureMakers {
  /** Requests in the name of the operator of a role. */
  as(role: Role): Promise<Ask>;
  /** One delivery of Meta's, as the webhook takes it. */
  receive(body: Buffer): Promise<void>;
}

interface Fixture {
  readonly customer: string;
  readonly other: string;
  /** An erasure of this one was asked for, and nobody has confirmed it. */
  readonly erasing: string;
  readonly erasure: string;
  readonly message: string;
  readonly operator: string;
  /** The customer's, as If-Match has it. */
  readonly etag: string;
}

const NUMBER = '106540352242922';
const PATIENCE_MS = 90_000;

/** Customers of a new person. Those that `operatorId` may read are theirs; `asks` is the officer who asks for the erasure. */
export async function makeFixture({ as, receive }: FixtureMakers, operatorId: string | undefined, asks: Role): Promise<Fixture> {
  const [support, admin, officer] = [await as('support'), await as('admin'), await as(asks)];
  const waId = `4915${String(randomInt(1e10)).padStart(10, '0')}`;
  await receive(conversationOf(waId));
  const found = await until(() => support(`GET /v1/customers/search?phone=%2B${waId}`), ({ json }) => (json['items'] as unknown[]).length > 0);
  const customer = idIn((found.json['items'] as readonly object[])[0], 'customerId');
  const path = `/v1/customers/${customer}`;
  const edited = await well(support(`PATCH ${path}`, { headers: { 'if-match': etagOf(await well(support(`GET ${path}`))) }, body: { profile: { name: SAMPLES.name, email: SAMPLES.email, tags: [SAMPLES.tags] } } }));
  const operator = operatorId ?? idIn((await well(support('GET /v1/me'))).json, 'operatorId');
  await well(admin(`PUT ${path}/owner`, { headers: { 'if-match': etagOf(edited) }, body: { ownerId: operator } }));
  await well(support(`POST ${path}/notes`, { body: { text: SAMPLES.note } }));
  await well(support('POST /v1/outbound', { body: { phoneNumberId: NUMBER, messageId: `wamid.sent.${waId}`, to: waId, sentAt: SAMPLES.TIME, payload: { type: 'text', text: { body: 'Hello' } } } }));
  const made = async (): Promise<string> => idIn((await well(support('POST /v1/customers', { body: { profile: { name: SAMPLES.name } } }))).json, 'customerId');
  const [other, erasing] = [await made(), await made()];
  const erasure = idIn((await well(officer(`POST /v1/customers/${erasing}/erasure`, { body: { reason: SAMPLES.reason } }))).json, 'requestId');
  const { json } = await until(() => support(`GET ${path}/messages`), (told) => (told.json['items'] as unknown[]).length > 1);
  const message = idIn((json['items'] as readonly { readonly kind: string }[]).find(({ kind }) => kind === 'message'), 'id');
  // Not before it is in a checkpoint.
  await until(() => support(`GET ${path}/messages/${message}/proof`), () => true, [409]);
  return { customer, other, erasing, erasure, message, operator, etag: etagOf(await well(support(`GET ${path}`))) };
}

/** The document, with what there is in place of its examples. */
export function documentOf(text: string, { customer, other, erasing, erasure, message, operator, etag }: Fixture): string {
  const document = JSON.parse(text) as { readonly paths: Readonly<Record<string, unknown>>; readonly components: unknown };
  const put = (part: unknown, id: string): unknown =>
    JSON.parse([[SAMPLES.CUSTOMER, id], [SAMPLES.ERASURE, erasure], [SAMPLES.MESSAGE, message], [SAMPLES.OPERATOR, operator], [JSON.stringify('"3"'), JSON.stringify(etag)]].reduce((json, [from = '', to = '']) => json.replaceAll(from, to), JSON.stringify(part)));
  const paths = Object.fromEntries(Object.entries(document.paths).map(([path, item]) => [path, put(item, /\/(erasure|hold)/.test(path) ? erasing : customer)]));
  return JSON.stringify({ ...document, paths, components: put(document.components, other) });
}

/** What a customer wrote, corrected and liked, and how far our answer came. */
function conversationOf(waId: string): Buffer {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const said = (id: string, more: object): object => ({ from: waId, id: `wamid.${id}.${waId}`, timestamp, ...more });
  const messages = [
    said('text', { type: 'text', text: { body: 'Is the \u202eblue one there?' } }),
    said('edit', { type: 'edit', edit: { original_message_id: `wamid.text.${waId}`, message: { type: 'text', text: { body: 'Is the green one there?' } } } }),
    said('reaction', { type: 'reaction', reaction: { message_id: `wamid.sent.${waId}`, emoji: '👍' } }),
  ];
  const value = { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550783881', phone_number_id: NUMBER }, contacts: [{ profile: { name: 'Anne' }, wa_id: waId }] };
  const statuses = [{ id: `wamid.sent.${waId}`, status: 'delivered', timestamp, recipient_id: waId }];
  return Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes: [{ field: 'messages', value: { ...value, messages } }, { field: 'messages', value: { ...value, statuses } }] }] }));
}

async function well(answer: Promise<StaffAnswer>): Promise<StaffAnswer> {
  const told = await answer;
  if (told.status >= 300) throw new Error(`what is to be fuzzed could not be made: ${told.status} ${told.text}`);
  return told;
}

/** Asks again while the views follow; and where the status is one of `early`. */
async function until(ask: () => Promise<StaffAnswer>, isThere: (told: StaffAnswer) => boolean, early: readonly number[] = []): Promise<StaffAnswer> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const told = await ask();
    if (!early.includes(told.status) && isThere(await well(Promise.resolve(told)))) return told;
    if (Date.now() > end) throw new Error(`what is to be fuzzed did not come: ${told.status} ${told.text}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const etagOf = ({ headers }: StaffAnswer): string => headers.get('etag') ?? '';

function idIn(value: object | undefined, name: string): string {
  const id: unknown = value === undefined ? undefined : Object.entries(value).find(([key]) => key === name)?.[1];
  if (typeof id !== 'string') throw new Error(`there is no ${name} in ${JSON.stringify(value)}`);
  return id;
}
