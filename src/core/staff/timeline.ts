/**
 * One message as staff see it: what was said, as written and cleaned, and everything that happened to it since. Made from the records of one message id under one business number that belong to one customer;
 * those of others (who were in the same group, who react) are not given to it, so nobody is seen through somebody else's conversation.
 */
import { currentState } from '../current-state';
import { stringOf, type Attribute, type Image } from '../image';
import { actIn, numberOfRecord, statusIn } from '../message-facts';
import { secondsOf } from '../records';
import { recordKeys } from '../table-keys';

/** What a removed character was, how often, where first: see clean-text.ts. */
export interface Removed {
  readonly codePoint: string;
  readonly why: string;
  readonly count: number;
  readonly first: number;
}

/** Times are ISO 8601 UTC. */
export interface TimelineItem {
  /** What names its records: its message id under the dedupe key. Tells nothing, so it may stand in an address. */
  readonly id: string;
  /** What Meta calls it. It holds a phone number. */
  readonly messageId: string;
  readonly phoneNumberId: string;
  /** Whose record it is: of customers merged into one, each keeps their own. */
  readonly customerId: string;
  /** `outbound`: as the system that sent it recorded it. `status`: nobody has said what was sent. An edit, revoke or reaction stands for itself only where what it is about is not here. */
  readonly kind: 'message' | 'edit' | 'revoke' | 'reaction' | 'outbound' | 'status';
  readonly direction: 'inbound' | 'outbound';
  /** When it was written or sent, by whoever says so; else when it was received. */
  readonly at: string;
  readonly receivedAt: string;
  readonly type?: string;
  readonly groupId?: string;
  readonly originalMessageId?: string;
  /** As it was written. Absent: there is none, or it is over 20 KB and stands in the message's own bytes. */
  readonly text?: string;
  /** Only where cleaning changed something. */
  readonly textClean?: string;
  readonly removed?: readonly Removed[];
  readonly state: TimelineState;
  /** Oldest first, as are the others. */
  readonly statuses: readonly { readonly status: string; readonly at: string; readonly receivedAt: string; readonly participant?: string }[];
  readonly edits: readonly TimelineAct[];
  readonly revokes: readonly TimelineAct[];
  readonly reactions: readonly TimelineAct[];
  /** Other bodies that came under the same identity, and are kept. */
  readonly evidence: readonly { readonly kind: 'variant' | 'conflict'; readonly of: string; readonly receivedAt: string; readonly text?: string }[];
  /** Of its records, how many are not as we wrote them, so that they are left out until they are repaired; absent: none. */
  readonly unreadable?: number;
}

/** Where a message stands of which nothing can be believed before it is repaired. */
export interface UnreadableItem {
  readonly id: string;
  readonly kind: 'unreadable';
  readonly unreadable: number;
}

export interface TimelineState {
  readonly status?: { readonly status: string; readonly at: string };
  readonly failedAt?: string;
  readonly deletedAt?: string;
  readonly edited?: { readonly messageId: string; readonly at: string; readonly text?: string };
  readonly revoked?: { readonly messageId: string; readonly at: string };
  readonly reactions: readonly { readonly by: string; readonly emoji: string; readonly at: string }[];
}

export interface TimelineAct {
  readonly id: string;
  readonly messageId: string;
  readonly by: 'customer' | 'business';
  readonly at: string;
  readonly receivedAt: string;
  readonly text?: string;
  readonly textClean?: string;
}

const CONTENT = ['message', 'edit', 'revoke', 'reaction'];
const ACTS = ['edit', 'revoke', 'reaction'];
const kindOf = (image: Image): string => stringOf(image, 'kind') ?? '';
export const isAct = (image: Image): boolean => ACTS.includes(kindOf(image));

/** The record by which a message is in a timeline: what Meta says was written, else what the sender says, else the first status. Undefined: none of these. */
export function headOf(records: readonly Image[]): Image | undefined {
  const first = [...records].sort((a, b) => (receivedAtOf(a) + stringOf(a, 'sk') < receivedAtOf(b) + stringOf(b, 'sk') ? -1 : 1));
  return first.find((each) => CONTENT.includes(kindOf(each))) ?? first.find((each) => kindOf(each) === 'outbound') ?? first.find((each) => kindOf(each) === 'status');
}

/** `records`: of one message id and business number; `acts`: about it. All genuine, all of one customer; `unreadable`: how many more there are. Undefined: nothing that could be shown. */
export function timelineItem(records: readonly Image[], acts: readonly Image[], unreadable = 0): TimelineItem | undefined {
  const head = headOf(records);
  if (head === undefined) return undefined;
  const statuses = records.filter((each) => kindOf(each) === 'status');
  const state = currentState(statuses.flatMap(statusIn), acts.flatMap(actIn));
  const actsOf = (kind: string): readonly TimelineAct[] => inOrder(acts.filter((each) => kindOf(each) === kind)).map(actOf);
  return {
    id: idOf(head),
    messageId: stringOf(head, 'messageId') ?? '',
    phoneNumberId: numberOfRecord(head),
    customerId: stringOf(head, 'customerId') ?? '',
    kind: kindOf(head) as TimelineItem['kind'],
    direction: kindOf(head) === 'status' || stringOf(head, 'direction') === 'outbound' ? 'outbound' : 'inbound',
    at: timeOf(head),
    receivedAt: receivedAtOf(head),
    ...texts(head, 'type', 'groupId', 'originalMessageId'),
    ...(kindOf(head) === 'status' ? {} : { ...texts(head, 'text', 'textClean'), ...removedIn(head) }),
    state: {
      ...(state.status !== undefined && { status: { status: state.status.status, at: iso(state.status.at) } }),
      ...(state.failedAt !== undefined && { failedAt: iso(state.failedAt) }),
      ...(state.deletedAt !== undefined && { deletedAt: iso(state.deletedAt) }),
      ...(state.edited !== undefined && { edited: { messageId: state.edited.id, at: iso(state.edited.at), ...(state.edited.text !== undefined && { text: state.edited.text }) } }),
      ...(state.revoked !== undefined && { revoked: { messageId: state.revoked.id, at: iso(state.revoked.at) } }),
      reactions: state.reactions.map(({ by, emoji, at }) => ({ by: by === 'business' ? by : 'customer', emoji, at: iso(at) })),
    },
    statuses: inOrder(statuses).map((each) => ({ status: stringOf(each, 'status') ?? '', at: timeOf(each), receivedAt: receivedAtOf(each), ...texts(each, 'participant') })),
    edits: actsOf('edit'),
    revokes: actsOf('revoke'),
    reactions: actsOf('reaction'),
    evidence: inOrder(records.filter((each) => ['variant', 'conflict'].includes(kindOf(each)))).map((each) => ({ kind: kindOf(each) as 'variant' | 'conflict', of: stringOf(each, 'of') ?? '', receivedAt: receivedAtOf(each), ...texts(each, 'text') })),
    ...(unreadable > 0 && { unreadable }),
  };
}

const actOf = (image: Image): TimelineAct => ({
  id: idOf(image),
  messageId: stringOf(image, 'messageId') ?? '',
  by: stringOf(image, 'direction') === 'outbound' ? 'business' : 'customer',
  at: timeOf(image),
  receivedAt: receivedAtOf(image),
  ...texts(image, 'text', 'textClean'),
});

const idOf = (image: Image): string => (stringOf(image, 'pk') ?? '').slice(recordKeys.message('', '').pk.length);
const receivedAtOf = (image: Image): string => stringOf(image, 'receivedAt') ?? '';
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
/** What Meta writes there is anything at all; what is no time is none. */
function timeOf(image: Image): string {
  const seconds = secondsOf(stringOf(image, 'timestamp'), -1);
  return seconds < 0 ? receivedAtOf(image) : iso(seconds);
}
const inOrder = (images: readonly Image[]): readonly Image[] => [...images].sort((a, b) => (timeOf(a) + receivedAtOf(a) < timeOf(b) + receivedAtOf(b) ? -1 : 1));

function texts<N extends string>(image: Image, ...names: readonly N[]): { readonly [name in N]?: string } {
  return Object.fromEntries(names.flatMap((name) => (stringOf(image, name) === undefined ? [] : [[name, stringOf(image, name)]]))) as { readonly [name in N]?: string };
}

function removedIn(image: Image): { readonly removed?: readonly Removed[] } {
  const removed = image['removed'];
  if (removed === undefined || !('L' in removed)) return {};
  const number = (attribute: Attribute | undefined): number => (attribute !== undefined && 'N' in attribute ? Number(attribute.N) : 0);
  return { removed: removed.L.flatMap((each) => ('M' in each ? [{ codePoint: stringOf(each.M, 'codePoint') ?? '', why: stringOf(each.M, 'why') ?? '', count: number(each.M['count']), first: number(each.M['first']) }] : [])) };
}
