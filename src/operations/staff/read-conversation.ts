/**
 * The conversation with one customer, newest first, a page at a time: each message once, with everything that happened to it. What was sent and never recorded shows as the statuses that came of it; an edit,
 * revoke or reaction whose message is not here shows by itself: nothing that was received is left out. A record that is not as we wrote it is told of and not shown; the rest of the conversation is.
 */
import { stringOf, type TableKey } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { invalidCursor, openCursor, sealCursor, type CursorScope } from '../../core/staff/cursor';
import { done, refused, type StaffResult } from '../../core/staff/refusal';
import { headOf, isAct, timelineItem, type TimelineItem, type UnreadableItem } from '../../core/staff/timeline';
import type { IndexedKey } from '../../ports';
import { inParallel } from '../in-parallel';
import { guardedRead, type CustomerRoom } from './guarded';
import { besides, hashInPartition, NONE, ownActs, ownRecords, partitionOfMessage, togetherWith, type MessageDeps, type Own } from './messages-of-customer';

type ConversationItem = TimelineItem | UnreadableItem;

export interface ConversationPage {
  /** A page with fewer than asked for, even with none, is not the last one as long as it has a cursor. */
  readonly items: readonly ConversationItem[];
  readonly cursor?: string;
}

/** Keys of a customer one page looks at: messages and their statuses, but also versions, notes and who read them all. */
export const MAX_KEYS = 2_000;
/** Message ids one page reads. */
const MAX_READ = 300;
const READ_AT_ONCE = 16;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** `limit`: 1 to 100 messages on a page. */
export function readConversation(deps: MessageDeps, actor: Actor, { customerId, cursor, limit }: { readonly customerId: string; readonly cursor?: string; readonly limit: number }): Promise<StaffResult<ConversationPage>> {
  return guardedRead<ConversationPage>(
    deps,
    actor,
    { action: 'ReadConversation', customerId },
    async (room) => {
      const scope: CursorScope = { operatorId: actor.operatorId, route: 'GET /v1/customers/{id}/messages', filter: [customerId] };
      const after = cursor === undefined ? undefined : openCursor(room.secret, scope, cursor);
      if (after === 'invalid') return refused({ code: 'invalid', errors: [invalidCursor()] });
      const customers = await togetherWith(deps, room, actor, 'ReadConversation');
      const { items, last } = await pageOf(deps, room, customers, limit, after);
      return done({ items, ...(last !== undefined && { cursor: sealCursor(room.secret, scope, last) }) });
    },
    ({ items }) => {
      const unreadable = items.reduce((sum, item) => sum + (item.unreadable ?? 0), 0);
      return { count: items.length, ...besides(customerId, items.flatMap((item) => (item.kind === 'unreadable' ? [] : [item]))), ...(unreadable > 0 && { unreadable }) };
    },
  );
}

/** Where a page ended: sorts as the conversation goes, later ones first. */
const placeOf = ({ receivedAt, pk, sk }: IndexedKey): string => JSON.stringify([receivedAt, pk, sk]);

async function pageOf(deps: MessageDeps, room: CustomerRoom, customers: ReadonlySet<string>, limit: number, after: string | undefined): Promise<{ readonly items: readonly ConversationItem[]; readonly last?: string }> {
  const reader = readerOf(deps, room, customers);
  const items: ConversationItem[] = [];
  const { keys, isLast } = await keysOf(deps, customers, after);
  for (let from = 0; from < keys.length; from += READ_AT_ONCE) {
    const batch = keys.slice(from, from + READ_AT_ONCE);
    const found = await inParallel(batch, READ_AT_ONCE, (key) => (isOfMessage(key) ? reader.itemAt(key) : Promise.resolve(undefined)));
    for (const [i, item] of found.entries()) {
      if (item !== undefined) items.push(item);
      const seen = from + i + 1;
      if (items.length === limit) return seen === keys.length && isLast ? { items } : { items, last: placeOf(batch[i]!) };
    }
    const read = from + batch.length;
    if (reader.read() >= MAX_READ && !(read === keys.length && isLast)) return { items, last: placeOf(batch.at(-1)!) };
  }
  return isLast || keys.length === 0 ? { items } : { items, last: placeOf(keys.at(-1)!) };
}

/** Messages, what systems sent, and statuses; not the evidence beside them, which goes with them. */
const isOfMessage = ({ pk, sk }: TableKey): boolean => pk.startsWith(partitionOfMessage('')) && /^[^#]*#(message|outbound|status#[^#]*)$/.test(sk);

interface Keys {
  readonly keys: readonly IndexedKey[];
  readonly isLast: boolean;
}

/** The next keys of all of them, in order. Where one has more than were looked at, the page ends where that one does. */
async function keysOf(deps: MessageDeps, customers: ReadonlySet<string>, after: string | undefined): Promise<Keys> {
  const each = await inParallel([...customers], READ_AT_ONCE, (customerId) => keysOfOne(deps, customerId, after, Math.ceil(MAX_KEYS / customers.size)));
  const end = each.flatMap(({ keys, isLast }) => (isLast ? [] : [keys.at(-1)!.receivedAt])).sort().at(-1) ?? '';
  const keys = each.flatMap((one) => one.keys).filter(({ receivedAt }) => receivedAt >= end);
  return { keys: keys.sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1)), isLast: each.every(({ isLast }) => isLast) };
}

/** At least `atLeast` of them, if there are as many, and all of the last millisecond: the index has those of one in any order, and a page can end between them only once they are sorted. */
async function keysOfOne({ records }: MessageDeps, customerId: string, after: string | undefined, atLeast: number): Promise<Keys> {
  const until = after === undefined ? undefined : new Date(Date.parse((JSON.parse(after) as [string])[0]) + 1).toISOString();
  const keys: IndexedKey[] = [];
  for await (const key of records.ofCustomer(customerId, { newestFirst: true, ...(until !== undefined && { until }) })) {
    // A time that is none was written by hand; the table audit says so.
    if (!TIME.test(key.receivedAt) || (after !== undefined && placeOf(key) >= after)) continue;
    if (keys.length >= atLeast && keys.at(-1)!.receivedAt !== key.receivedAt) return { keys, isLast: false };
    keys.push(key);
  }
  return { keys, isLast: true };
}

/** Reads each message id once for all the keys that lead to it. */
function readerOf(deps: MessageDeps, room: CustomerRoom, customers: ReadonlySet<string>) {
  const partitions = new Map<string, ReturnType<typeof ownRecords>>();
  const own = async (pk: string, number: string): Promise<Own> => {
    const known = partitions.get(pk) ?? ownRecords(deps, room.readable, customers, pk);
    partitions.set(pk, known);
    return (await known).get(number) ?? NONE;
  };
  return {
    read: (): number => partitions.size,
    /** Undefined: the key belongs to a message that is in the conversation by another key. */
    itemAt: async ({ pk, sk }: IndexedKey): Promise<ConversationItem | undefined> => {
      const number = sk.split('#')[0]!;
      const { records, unreadable } = await own(pk, number);
      const head = headOf(records);
      if (head === undefined) {
        const [first] = unreadable.filter(isOfMessage).map((key) => key.sk).sort();
        return first === sk ? { id: hashInPartition(pk), kind: 'unreadable', unreadable: unreadable.length } : undefined;
      }
      if (stringOf(head, 'sk') !== sk) return undefined;
      const original = isAct(head) ? stringOf(head, 'original') : undefined;
      if (original !== undefined) {
        const about = headOf((await own(partitionOfMessage(original), number)).records);
        if (about !== undefined && !isAct(about)) return undefined;
      }
      const acts = await ownActs(deps, room.readable, customers, hashInPartition(pk), number);
      return timelineItem(records, acts.records, unreadable.length + acts.unreadable.length);
    },
  };
}
