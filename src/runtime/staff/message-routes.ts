/** The routes of messages: conversations, one message with its proof, and what a sending system says it sent. */
import { routeMaker, type Route } from './route';
import { conversationAnswer, customerParams, messageAnswer, messageParams, nothing, outboundAnswer, outboundBody, pageOf, pageQuery, proofAnswer, proofQuery, SAMPLES } from './schemas';

const route = routeMaker(nothing);
const { WAMID: messageId, MESSAGE: id, CUSTOMER: customerId, TIME: at } = SAMPLES;
const item = { id, messageId, customerId, phoneNumberId: '106540352242922', kind: 'message', direction: 'inbound', at, receivedAt: at, type: 'text', text: 'Hello', state: { reactions: [] }, statuses: [], edits: [], revokes: [], reactions: [], evidence: [] };

export const messageRoutes: readonly Route[] = [
  route({
    key: 'GET /v1/customers/{id}/messages', level: 'messages', action: 'ReadConversation', operation: 'readConversation', tag: 'Messages',
    summary: 'Read the conversation with a customer', description: 'Original, cleaned text, edits, revokes, statuses and reactions together.',
    params: customerParams, query: pageQuery, answer: conversationAnswer, example: { items: [item] },
    input: ({ params: { id: of }, query }) => ({ customerId: of, ...pageOf(query) }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/customers/{id}/messages/{message}', level: 'messages', action: 'ReadConversation', operation: 'readMessage', tag: 'Messages',
    summary: 'Read a message, with the very bytes that were received',
    params: messageParams, answer: messageAnswer, example: { messages: [{ ...item, raw: 'e30=' }] },
    input: ({ params: { id: of, message } }) => ({ customerId: of, id: message }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/customers/{id}/messages/{message}/proof', level: 'messages', action: 'ProveMessage', operation: 'proveMessage', tag: 'Messages',
    summary: 'Take the proof of a message away', description: 'That it has not changed since it was sealed; not that Meta sent it.',
    params: messageParams, query: proofQuery, answer: proofAnswer, example: { file: '…', origin: 'example.com/whatsapp/1', index: 7, size: 12, doubts: [] }, mayConflict: true,
    input: ({ params: { id: of, message }, query: { phoneNumberId } }) => ({ customerId: of, id: message, ...(phoneNumberId !== undefined && { phoneNumberId }) }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'POST /v1/outbound', level: 'outbound', action: 'RecordOutbound', operation: 'recordOutbound', tag: 'Messages',
    summary: 'Record a message that was sent', description: 'Once for each message id: the same again is `duplicate`; another content under a used id is a conflict, and kept as evidence.',
    body: outboundBody, answer: outboundAnswer, example: { outcome: 'recorded' },
    input: ({ body: { phoneNumberId, wabaId, messageId: wamid, to, sentAt }, bytesOf }) => ({ phoneNumberId, messageId: wamid, to, sentAt, payload: bytesOf('payload'), ...(wabaId !== undefined && { wabaId }) }),
    show: (body) => ({ body }),
  }),
];
