/** One message of one customer, whole: as in the conversation, and with the very bytes that were received or recorded. */
import type { Image } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { done, refused, type StaffResult } from '../../core/staff/refusal';
import { headOf, timelineItem, type TimelineItem } from '../../core/staff/timeline';
import type { Inbox } from '../../ports';
import { rawOf } from '../read-records';
import { guardedRead } from './guarded';
import { besides, isHashedId, ownActs, ownRecords, partitionOfMessage, togetherWith, type MessageDeps } from './messages-of-customer';

export interface ShownMessage extends TimelineItem {
  /** Base64 of the bytes. */
  readonly raw?: string;
  /** Why there are none: their object is gone, or is not what the record vouches for. */
  readonly rawMissing?: 'gone' | 'changed';
}

/** One for each business number that has it. */
export interface ShownMessages {
  readonly messages: readonly ShownMessage[];
}

/** `id`: as the conversation has it. */
export function readMessage(deps: MessageDeps & { readonly inbox: Pick<Inbox, 'get'> }, actor: Actor, { customerId, id }: { readonly customerId: string; readonly id: string }): Promise<StaffResult<ShownMessages>> {
  return guardedRead<ShownMessages>(
    deps,
    actor,
    { action: 'ReadConversation', customerId, ...(isHashedId(id) && { resourceId: id }) },
    async (room) => {
      if (!isHashedId(id)) return refused({ code: 'not-found' });
      const messages: ShownMessage[] = [];
      const customers = await togetherWith(deps, room, actor, 'ReadConversation');
      for (const [phoneNumberId, { records }] of await ownRecords(deps, room.genuine, customers, partitionOfMessage(id))) {
        const item = timelineItem(records, (await ownActs(deps, room.genuine, customers, id, phoneNumberId)).records);
        if (item !== undefined) messages.push({ ...item, ...(await rawIn(deps.inbox, headOf(records))) });
      }
      return messages.length === 0 ? refused({ code: 'not-found' }) : done({ messages });
    },
    ({ messages }) => ({ count: messages.length, ...besides(customerId, messages) }),
  );
}

async function rawIn(inbox: Pick<Inbox, 'get'>, head: Image | undefined): Promise<Pick<ShownMessage, 'raw' | 'rawMissing'>> {
  const raw = head && (await rawOf(inbox, head));
  if (raw === undefined) return {};
  return typeof raw === 'string' ? { rawMissing: raw } : { raw: raw.toString('base64') };
}
