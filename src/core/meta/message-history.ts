/**
 * Meta's own list of what it delivered for a business phone number: `GET /{phone-number-id}/message_history`. It holds message ids and what became of their webhooks, never content; which is why it can be
 * asked by who may not read messages. As everything from Meta it may grow members and values without notice, so only what is used is asked for, and an answer without that is no answer.
 *
 * Source: developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/whatsapp-business-account-message-history-api (v23.0), and
 * business-messaging-api_v23.0.yaml of github.com/facebook/openapi: `{data: [{id, message_id, events?: {data: [{id, delivery_status, webhook_update_state?, timestamp, …}]}}], paging?: {cursors?: {before, after},
 * next?}}`; `limit` is 25 unless said, 100 at most; `timestamp` is unix seconds. An error is `{error: {message, type, code, error_subcode?, is_transient?}}`. Neither the order of the messages nor how
 * far back the list goes is stated, so nothing relies on either.
 */
import { z } from 'zod';

/** The fields to ask for: without them Meta answers with ids alone. */
export const HISTORY_FIELDS = 'id,message_id,events{delivery_status,webhook_update_state,timestamp}';
/** The most Meta gives. */
export const HISTORY_PAGE = 100;

export interface HistoryEvent {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** PENDING, DELIVERED, FAILED, RETRYING; '' where Meta does not say; another word from a newer Meta. */
  readonly webhook: string;
}
export interface HistoryMessage {
  /** The wamid: personal data, as it holds a phone number. */
  readonly messageId: string;
  readonly events: readonly HistoryEvent[];
}
export interface HistoryPage {
  readonly messages: readonly HistoryMessage[];
  /** Cursor of the next page; absent on the last one. */
  readonly after?: string;
}

/** Far more than was asked for is no answer to what was asked. */
const MAX_MESSAGES = 10 * HISTORY_PAGE;
const MAX_EVENTS = 1_000;
/** Opaque, up to 256 in anything seen. */
const messageId = z.string().min(1).max(1_024);
const seconds = z.union([z.int(), z.string().regex(/^\d{1,11}$/).transform(Number)]).refine((s) => s >= 0 && s < 1e11);
const event = z.looseObject({ timestamp: seconds, webhook_update_state: z.string().max(64).nullish() });
const message = z.looseObject({ message_id: messageId, events: z.looseObject({ data: z.array(event).max(MAX_EVENTS) }).nullish() });
const cursor = z.string().min(1).max(4_096);
const page = z.looseObject({
  data: z.array(message).max(MAX_MESSAGES),
  paging: z.looseObject({ cursors: z.looseObject({ after: cursor.nullish() }).nullish(), next: z.string().nullish() }).nullish(),
});

/**
 * 'malformed': not what Meta documents; nothing is known then. There is more where `next` says so, and, as Meta's own words speak of the cursors alone, after every page that holds something: asking once too often
 * gives an empty page, stopping once too early a list that looks complete. `next` itself is an address, and nobody follows those with a token in hand. Never throws.
 */
export function parseHistoryPage(text: string): HistoryPage | 'malformed' {
  const parsed = page.safeParse(jsonIn(text));
  if (!parsed.success) return 'malformed';
  const { data, paging } = parsed.data;
  const messages = data.map(({ message_id, events }) => ({
    messageId: message_id,
    events: (events?.data ?? []).map(({ timestamp, webhook_update_state }) => ({ atMs: timestamp * 1_000, webhook: webhook_update_state ?? '' })),
  }));
  const isMoreSaid = (paging?.next ?? '') !== '';
  const after = paging?.cursors?.after ?? '';
  if (after === '') return isMoreSaid ? 'malformed' : { messages };
  return isMoreSaid || messages.length > 0 ? { messages, after } : { messages };
}

/** What an error answer says of itself. */
export interface GraphError {
  readonly code?: number;
  readonly transient: boolean;
}

/** Rate limits come with status 400 and one of these: 4 app, 17 user, 32 page, 613 custom, 80007 WhatsApp account, 130429 throughput; 1 and 2 are "try again later". Source: Meta's Graph and Cloud API error codes. */
const PASSING = new Set([1, 2, 4, 17, 32, 613, 80007, 130429]);
const graphError = z.looseObject({ error: z.looseObject({ code: z.int().optional(), is_transient: z.boolean().optional() }) });

/** Its words are not repeated: they may quote the request. Never throws. */
export function parseGraphError(text: string): GraphError {
  const parsed = graphError.safeParse(jsonIn(text));
  if (!parsed.success) return { transient: false };
  const { code, is_transient } = parsed.data.error;
  return { ...(code !== undefined && { code }), transient: is_transient === true || (code !== undefined && PASSING.has(code)) };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How long Meta goes on trying to deliver a webhook, the longer of what it says in two places ("up to 7 days", "36 hours"). */
export const META_TRIES_MS = 7 * 86_400_000;
const STILL_TRYING = new Set(['PENDING', 'RETRYING']);

/** [since, until), milliseconds. */
export interface Span {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Whether there must be a record of this message by now: `due`, with the webhook's state; `pending`: Meta is still trying; `outside`: neither of the two times at which it is looked at. Each event is looked at
 * twice: when it happened, and again when Meta has certainly given up, so that what was on its way the first time is not forgotten. Windows that join each other leave out no event. Nothing
 * from before `fromMs` counts: we were not there to receive it.
 */
export function standingOf({ events }: HistoryMessage, { sinceMs, untilMs }: Span, fromMs: number): { readonly is: 'outside' } | { readonly is: 'pending' } | { readonly is: 'due'; readonly webhook: string } {
  const within = (shift: number) => events.filter(({ atMs }) => atMs >= fromMs && atMs >= sinceMs - shift && atMs < untilMs - shift);
  const now = within(0);
  const due = now.find(({ webhook }) => !STILL_TRYING.has(webhook)) ?? within(META_TRIES_MS)[0];
  if (due !== undefined) return { is: 'due', webhook: due.webhook };
  return now.length > 0 ? { is: 'pending' } : { is: 'outside' };
}
