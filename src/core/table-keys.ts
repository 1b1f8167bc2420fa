/**
 * Every key of every table, made in one place; docs/data-model.md lists them with their access patterns.
 * Nothing in a records key is personal data: identities that hold a wamid, a phone number or a BSUID go in as HMAC(dedupe key, …), so a
 * tombstone under the same key still recognises a late resend and tells nothing. `hashed` arguments are that HMAC, base64url (43 characters).
 */
import type { TableKey } from './image';

/** Names of the tables' key attributes and of the index; used by lib to define the tables and by the adapters to query them. */
export const KeySchema = {
  pk: 'pk',
  sk: 'sk',
  ttl: 'expiresAt',
  /** Sparse keys-only index on records: everything of one customer in the order it was received. */
  byCustomer: { name: 'byCustomer', pk: 'customerId', sk: 'receivedAt' },
  /** Sparse keys-only index on records: everything one operator did, in the order they did it. */
  byOperator: { name: 'byOperator', pk: 'operatorId', sk: 'receivedAt' },
} as const;

/** The records table. All records of one wamid share a partition, so one Query answers `get <message id>`. */
export const recordKeys = {
  /** message, edit, revoke, reaction: identity (phone_number_id, wamid). */
  message: (hashedWamid: string, phoneNumberId: string): TableKey => ({ pk: `m#${hashedWamid}`, sk: `${phoneNumberId}#message` }),
  /** status: identity (phone_number_id, wamid, status, timestamp, participant). */
  status: (hashedWamid: string, phoneNumberId: string, hashedRest: string): TableKey => ({ pk: `m#${hashedWamid}`, sk: `${phoneNumberId}#status#${hashedRest}` }),
  /** Any other field: identity (WABA id, field, digest, entry.time). */
  field: (hashedIdentity: string): TableKey => ({ pk: `f#${hashedIdentity}`, sk: 'field' }),
  /** A richer or conflicting body of the record under `key`; `hashedBody` over its canonical whole. */
  variant: (key: TableKey, hashedBody: string): TableKey => ({ pk: key.pk, sk: `${key.sk}#variant#${hashedBody}` }),
  conflict: (key: TableKey, hashedBody: string): TableKey => ({ pk: key.pk, sk: `${key.sk}#conflict#${hashedBody}` }),
  /** Quarantined input: `hashedBytes` over the kept bytes and their account, so a resend finds its twin. */
  quarantine: (hashedBytes: string): TableKey => ({ pk: `q#${hashedBytes}`, sk: 'quarantine' }),
  quarantineState: (hashedBytes: string): TableKey => ({ pk: `q#${hashedBytes}`, sk: 'state' }),
  account: (wabaId: string): TableKey => ({ pk: `w#${wabaId}`, sk: 'account' }),
  customer: (customerId: string): TableKey => ({ pk: `c#${customerId}`, sk: 'profile' }),
  alias: (hashedAlias: string): TableKey => ({ pk: `a#${hashedAlias}`, sk: 'alias' }),
  /** One immutable state of the profile, by the revision of the customer that it made. */
  version: (customerId: string, rev: number): TableKey => ({ pk: `c#${customerId}`, sk: `version#${String(rev).padStart(10, '0')}` }),
  /** `noteId`: sorts by time. */
  note: (customerId: string, noteId: string): TableKey => ({ pk: `c#${customerId}`, sk: `note#${noteId}` }),
  /** `at`: ISO 8601 UTC with milliseconds; `id` tells apart what happened in the same one. One partition a day. */
  access: (at: string, id: string): TableKey => ({ pk: `access#${at.slice(0, 10)}`, sk: `${at}#${id}` }),
  /** What a sending system says it sent, beside the statuses of the same wamid. */
  outbound: (hashedWamid: string, phoneNumberId: string): TableKey => ({ pk: `m#${hashedWamid}`, sk: `${phoneNumberId}#outbound` }),
  /** Holds have a partition of their own: rights know partitions, and who writes profiles must not be able to end a hold. */
  hold: (customerId: string): TableKey => ({ pk: `hold#${customerId}`, sk: 'hold' }),
  reason: (customerId: string, reasonId: string): TableKey => ({ pk: `hold#${customerId}`, sk: `reason#${reasonId}` }),
  /** One for each customer anybody ever asked to be erased; Query: all of them. */
  erasureRequest: (customerId: string): TableKey => ({ pk: 'erasure-request', sk: customerId }),
  erasure: (erasureId: string): TableKey => ({ pk: `erasure#${erasureId}`, sk: 'erasure' }),
  certificate: (erasureId: string): TableKey => ({ pk: `erasure#${erasureId}`, sk: 'certificate' }),
  link: (customerId: string, linkId: string): TableKey => ({ pk: `c#${customerId}`, sk: `link#${linkId}` }),
  /** Created once per stream event and code, so that neither a crash nor a retry loses or doubles it. */
  finding: (eventId: string, code: string): TableKey => ({ pk: `finding#${eventId}`, sk: code }),
  verification: (id: string): TableKey => ({ pk: 'verification', sk: id }),
  audit: (id: string): TableKey => ({ pk: 'audit', sk: id }),
  drill: (id: string): TableKey => ({ pk: 'drill', sk: id }),
  snapshot: (id: string): TableKey => ({ pk: 'snapshot', sk: id }),
  reconciliation: (id: string): TableKey => ({ pk: 'reconciliation', sk: id }),
  restore: (id: string): TableKey => ({ pk: 'restore', sk: id }),
  /** All repairs of one record share a partition; `from`, `to`: hashes of its state before and after, `absent` for none. */
  repair: (hashedPlace: string, from: string, to: string, at: string): TableKey => ({ pk: `repair#${hashedPlace}`, sk: `${from}#${to}#${at}` }),
  heartbeat: (minute: string): TableKey => ({ pk: `heartbeat#${minute.slice(0, 10)}`, sk: minute }),
  gap: (id: string): TableKey => ({ pk: 'gap', sk: id }),
} as const;

const padded = (index: number): string => String(index).padStart(20, '0');

/** The log table. */
export const logKeys = {
  head: { pk: 'head', sk: 'head' } as TableKey,
  /** {origin, systemSubject}: made once by initialize-log. */
  identity: { pk: 'identity', sk: 'identity' } as TableKey,
  round: (from: number): TableKey => ({ pk: 'round', sk: padded(from) }),
  /** Stream events sealed, under their own creation minute (whole minutes since the epoch), one item per round; TTL 3 days. */
  sealedIds: (minute: number, roundFrom: number): TableKey => ({ pk: `ids#${minute}`, sk: padded(roundFrom) }),
  /** A state seen unsealed by seal-missing; kept until it is sealed. */
  unsealed: (hashedState: string): TableKey => ({ pk: 'unsealed', sk: hashedState }),
} as const;

/** The keys table: wrapped customer keys by subject, and the wrapped system secrets. */
export const keyKeys = {
  subject: (subject: string): TableKey => ({ pk: `s#${subject}`, sk: 'key' }),
  /** Whether a legal hold stands in the way of taking that key; rights know partitions, so it has its own. */
  hold: (subject: string): TableKey => ({ pk: `hold#${subject}`, sk: 'hold' }),
  secret: (name: 'kek' | 'mac' | 'dedupe'): TableKey => ({ pk: `secret#${name}`, sk: '1' }),
} as const;

/** The views table. */
export const viewKeys = {
  /** One customer's conversation with one business number; Query: all conversations of a customer. */
  conversation: (customerId: string, phoneNumberId: string): TableKey => ({ pk: `c#${customerId}`, sk: phoneNumberId }),
  /** Whom a business number exchanged messages with on a day (UTC); Query: the conversations of that day. */
  active: (phoneNumberId: string, day: string, customerId: string): TableKey => ({ pk: `d#${phoneNumberId}#${day}`, sk: customerId }),
  /** How many records of each kind were received on a day. */
  counter: (day: string, kind: string): TableKey => ({ pk: `n#${day}`, sk: kind }),
  /** Edits, revokes and reactions about a message; `hashedWamid` of the message they are about. */
  about: (hashedWamid: string, record: TableKey): TableKey => ({ pk: `a#${hashedWamid}`, sk: `${record.pk}|${record.sk}` }),
  /** One Idempotency-Key of one operator and route, all three in the hash; expires. */
  idempotency: (hashedClaim: string): TableKey => ({ pk: `i#${hashedClaim}`, sk: 'claim' }),
  /** How much one operator asked lately; expires. */
  limit: (operatorId: string): TableKey => ({ pk: `r#${operatorId}`, sk: 'limit' }),
  /** One term that a customer can be found by. Query: all customers who have it, by id, which sorts by when they were first met. `holder`: a customerId, and what has the term if not the customer's own record. */
  search: (hashedTerm: string, holder: string): TableKey => ({ pk: `s#${hashedTerm}`, sk: holder }),
  /** An answer about several that showed a customer. Query: all of them, by time. `line`: the sort key of its access record. */
  shown: (customerId: string, line: string): TableKey => ({ pk: `w#${customerId}`, sk: line }),
} as const;
