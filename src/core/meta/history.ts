/**
 * Old conversations, which Meta shares in chunks when a number joins from the WhatsApp Business app: each message becomes an event of its own, because each
 * belongs to a person and one of them may have to be erased. They are `field` events, identified by digest: the same wamid may come as a
 * placeholder, as media and live, and that is not a conflict.
 */
import { senderOf, subjectOfItem, type CustomerAliases } from './customers';
import { nameOf, scalarAt, type ChangeContext } from './delivery-context';
import { type FieldEvent, type MetaEvent, type QuarantineEvent } from './events';
import { describe, describeMessage, fieldEvent, memberEvent, name, notAnObject, recordable, refuse, type Item, type Mutable } from './items';
import { isObject, stringIn } from './json-members';
import { isArrayNode, isObjectNode, memberOf, type JsonNode } from './json-slices';
import { MESSAGE_TYPES } from './message-types';

/** Members that the events of a chunk carry themselves; anything beside them is an event of its own. */
const CHUNK_METADATA = ['phase', 'chunk_order', 'progress'];
const THREAD_CONTEXT = ['wa_id', 'user_id', 'parent_user_id', 'username'];

/** One event per message of a chunk; the chunk itself where it holds none: sharing was declined, or there was nothing to share. */
export function chunkEvents(change: ChangeContext, item: Item): readonly MetaEvent[] {
  const chunk = item.node;
  const threads = memberOf(chunk, 'threads');
  if (threads === undefined || !isArrayNode(threads) || threads.children?.length === 0) return [fieldEvent(change, item)];
  const metadata = memberOf(chunk, 'metadata');
  const events: MetaEvent[] = (threads.children ?? []).flatMap((thread, i) => threadEvents(change, item, thread, `${item.path}.threads[${i}]`, metadata));
  for (const member of chunk.children ?? []) {
    const path = `${item.path}.${nameOf(member)}`;
    if (member === threads || (member === metadata && !hasMoreThan(member, CHUNK_METADATA))) continue;
    if (member.key === 'errors' && isArrayNode(member) && !member.shadowed) {
      (member.children ?? []).forEach((node, i) => events.push(fieldEvent(change, { ...item, node, path: `${path}[${i}]`, member: 'errors' })));
    } else events.push(memberEvent(change.entry, change, member, `history.${nameOf(member)}`, path));
  }
  return events;
}

function threadEvents(change: ChangeContext, item: Item, thread: JsonNode, path: string, metadata: JsonNode | undefined): readonly MetaEvent[] {
  const messages = memberOf(thread, 'messages');
  if (messages === undefined || !isArrayNode(messages) || messages.children?.length === 0) return [memberEvent(change.entry, change, thread, 'history.thread', path)];
  const threadId = scalarAt(change.entry.delivery.body, memberOf(thread, 'id'));
  const context = memberOf(thread, 'context')?.value;
  const who: CustomerAliases = { ...senderOf(threadId === undefined ? {} : { from: threadId }), ...(isObject(context) ? subjectOfItem(context) : {}) };
  const events: MetaEvent[] = (messages.children ?? []).map((node, i) => pastMessage(change, { ...item, node, path: `${path}.messages[${i}]` }, who, threadId, metadata));
  for (const member of thread.children ?? []) {
    const isCarried = member === messages || (!member.shadowed && (member.key === 'id' || (member.key === 'context' && !hasMoreThan(member, THREAD_CONTEXT))));
    if (!isCarried) events.push(memberEvent(change.entry, change, member, `history.thread.${nameOf(member)}`, `${path}.${nameOf(member)}`));
  }
  return events;
}

const hasMoreThan = (node: JsonNode, names: readonly string[]): boolean => !isObjectNode(node) || (node.children ?? []).some(({ key, shadowed }) => shadowed || !names.includes(key ?? ''));

function pastMessage(change: ChangeContext, item: Item, who: CustomerAliases, threadId: string | undefined, metadata: JsonNode | undefined): FieldEvent | QuarantineEvent {
  const { node, path, people } = item;
  const message = node.value;
  // Back in its list of old messages, not in a chunk: `history` takes them there too.
  if (!isObject(message)) return refuse(change, { ...item, member: 'messages' }, notAnObject(path, 'message of a thread'));
  const event: Mutable<FieldEvent> = {
    eventKind: 'field',
    ...recordable(change, node, path, 'message'),
    member: 'history.message',
    unknownType: MESSAGE_TYPES[stringIn(message, 'type') ?? ''] === undefined,
  };
  describe(event, change, node, message);
  describeMessage(event, message);
  const { aliases, contact } = people.complete(who, false);
  name(event, change, aliases, contact);
  const [phase, chunkOrder, progress] = CHUNK_METADATA.map((key) => (metadata === undefined ? undefined : scalarAt(change.entry.delivery.body, memberOf(metadata, key))));
  event.history = {
    ...(threadId === undefined ? {} : { threadId }),
    ...(phase === undefined ? {} : { phase }),
    ...(chunkOrder === undefined ? {} : { chunkOrder }),
    ...(progress === undefined ? {} : { progress }),
  };
  return event;
}
