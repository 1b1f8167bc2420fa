/**
 * What became of a message the business sent: sent, delivered, read, played, failed. Statuses arrive in any order, one may be skipped, and one
 * body may hold one status per member of a group; so each is an event of its own and nothing here compares them.
 */
import * as z from 'zod/mini';
import { stringIn, type Json } from './json-members';
import { shape } from './shape';

/** `deleted` and `warning` are seen, not documented. History writes the same words in upper case. Calls have their own. */
export const STATUSES: readonly string[] = ['sent', 'delivered', 'read', 'played', 'failed', 'deleted', 'warning'];

const maybeText = z.nullish(z.string());

/** Whether a status object has a known form; which word it uses is judged apart, because a new word must not cost a record. */
export const shapeOfStatus = shape(() =>
  z.looseObject({
    recipient_id: maybeText,
    recipient_user_id: maybeText,
    recipient_type: maybeText,
    recipient_participant_id: maybeText,
    recipient_participant_user_id: maybeText,
    biz_opaque_callback_data: maybeText,
    conversation: z.nullish(z.looseObject({})),
    pricing: z.nullish(z.looseObject({})),
    errors: z.nullish(z.array(z.looseObject({}))),
  }),
);

export const STATUS_EXAMPLE = '{"id":"wamid.…","status":"delivered","timestamp":"1750030073","recipient_id":"…"}';

/** Whose status it is where one message went to several people: part of the identity. A phone number first, a BSUID where there is none. */
export const participantOf = (status: Json): string | undefined =>
  stringIn(status, 'recipient_participant_id') ?? stringIn(status, 'recipient_participant_user_id');
