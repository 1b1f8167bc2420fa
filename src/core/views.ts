/**
 * What is derived from the records for the console: conversations, activity by day, counters, and which records are about a message. No view holds
 * content or a name: what was said is read from the records, which prove it. Every update is a function of one create-only record and is applied once
 * per record, so order, repeats and a rebuild from a scan all end in the same views.
 */
import { viewKeys } from './table-keys';
import { stringOf, type Image, type TableKey } from './image';
import { IMMUTABLE_KINDS } from './kinds';
import { accessEventOf } from './staff/access-record';

export interface ViewUpdate {
  readonly key: TableKey;
  /** The record's key: the same in a stream event, its repeat and a rebuild. */
  readonly eventId: string;
  readonly add?: Readonly<Record<string, number>>;
  readonly set?: Image;
  readonly order?: string;
}

const MESSAGES: ReadonlySet<string> = new Set(['message', 'edit', 'revoke', 'reaction', 'outbound']);
const immutable: ReadonlySet<string> = new Set(IMMUTABLE_KINDS);

/** The updates that a new record causes; none for kinds that change. */
export function viewsOf(record: Image): readonly ViewUpdate[] {
  const pk = stringOf(record, 'pk');
  const sk = stringOf(record, 'sk');
  const kind = stringOf(record, 'kind');
  const receivedAt = stringOf(record, 'receivedAt');
  // The stream also carries what somebody wrote by hand: an item that is none of ours changes no view.
  if (pk === undefined || sk === undefined || kind === undefined || receivedAt === undefined || !immutable.has(kind)) return [];
  const eventId = `${pk}|${sk}`;
  const updates: ViewUpdate[] = [{ key: viewKeys.counter(receivedAt.slice(0, 10), kind), eventId, add: { n: 1 } }];
  const customerId = stringOf(record, 'customerId');
  const phoneNumberId = stringOf(record, 'phoneNumberId');
  if (customerId !== undefined && phoneNumberId !== undefined && (MESSAGES.has(kind) || kind === 'status')) {
    updates.push(conversation(record, { pk, sk }, kind, eventId, customerId, phoneNumberId, receivedAt));
    if (kind !== 'status') {
      updates.push({ key: viewKeys.active(phoneNumberId, receivedAt.slice(0, 10), customerId), eventId, set: { customerId: { S: customerId }, lastAt: { S: receivedAt } }, order: receivedAt, add: { messages: 1 } });
    }
  }
  const original = stringOf(record, 'original');
  if (original !== undefined && MESSAGES.has(kind)) {
    updates.push({ key: viewKeys.about(original, { pk, sk }), eventId, set: { recordPk: { S: pk }, recordSk: { S: sk }, kind: { S: kind } } });
  }
  return updates;
}

/**
 * Where a line of the access log is to be found: once under each customer whom a list, a search or another answer about several showed. Whom it is about itself, an index of the table knows. Only of lines with a
 * valid MAC.
 */
export function showingsOf(record: Image): readonly TableKey[] {
  const event = accessEventOf(record);
  return (event?.shown ?? []).map((customerId) => viewKeys.shown(customerId, `${event?.at}#${event?.id}`));
}

/** The views that go when `record` is erased, with all else of the same customer. How many records there were on a day tells of nobody. */
export const viewsErasedWith = (record: Image): readonly TableKey[] => viewsOf(record).flatMap(({ key }) => (key.pk.startsWith(COUNTERS) ? [] : [key]));
const COUNTERS = viewKeys.counter('', '').pk;
/** For `ViewStore.remove`: behind every order a view is kept under. */
export const LAST_ORDER = '\u{10ffff}';

function conversation(record: Image, key: TableKey, kind: string, eventId: string, customerId: string, phoneNumberId: string, receivedAt: string): ViewUpdate {
  const name = { customerId: { S: customerId }, phoneNumberId: { S: phoneNumberId } };
  const view = viewKeys.conversation(customerId, phoneNumberId);
  // A status tells that somebody read, not that somebody wrote: it counts, and does not bring the conversation to the top.
  if (kind === 'status') return { key: view, eventId, add: { statuses: 1 } };
  const direction = stringOf(record, 'direction') ?? 'inbound';
  const timestamp = stringOf(record, 'timestamp') ?? '';
  return {
    key: view,
    eventId,
    // What a sending system recorded has a count of its own: of some messages there is an echo as well.
    add: { [kind === 'message' ? direction : kind === 'outbound' ? 'sent' : kind]: 1 },
    set: {
      ...name,
      lastAt: { S: timestamp },
      lastReceivedAt: { S: receivedAt },
      lastKind: { S: kind },
      lastDirection: { S: direction },
      lastPk: { S: key.pk },
      lastSk: { S: key.sk },
      ...(stringOf(record, 'type') === undefined ? {} : { lastType: { S: stringOf(record, 'type') ?? '' } }),
    },
    // By the time it was written, not the time it came: a backlog of a week ago is not the newest message.
    order: `${timestamp.slice(0, 12).padStart(12, '0')}#${receivedAt}#${eventId}`,
  };
}
