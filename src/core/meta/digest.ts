/**
 * What makes two deliveries of one event the same event: a SHA-256 over the part of it that Meta does not vary. A resend with other white space,
 * key order, escapes, a fresh media URL or a price tag added later has the same digest; another body under a used id has not.
 *
 * The projection, declared: of a message without `url` of its media (also inside an edit) and the image, video and thumbnail URLs of its referral; of a
 * status without `pricing` and `conversation`; of both without the prose of `errors[]` (title, message, details, error_data, href), which Meta rewrites and
 * translates. `contacts` stands beside an event, not in it, and never counts; the `contacts` of a message of that type are what it says, and count.
 * Any other event has its digest in its identity, so nothing is left out: two bodies that differ are two records.
 */
import { createHash } from 'node:crypto';
import { canonicalize } from '../canonical-json';
import { isObject, type Json } from './json-members';


/** `raw`: the event's own bytes. `isIJson`: the parser found nothing in them that JSON.parse loses. 64 hex digits. */
export function digestOf(kind: 'message' | 'status' | 'other', object: unknown, raw: Buffer, isIJson: boolean): string {
  const hash = createHash('sha256');
  // Where the value is not the whole truth, a canonical form of it would be the same for different bodies.
  return (isIJson ? hash.update(canonicalize(projection(kind, object)), 'utf8') : hash.update(raw)).digest('hex');
}

/** SHA-256 over the bytes themselves, hex: for what is kept without being understood. */
export const digestOfBytes = (raw: Buffer): string => createHash('sha256').update(raw).digest('hex');

/** The declared part of the event object; the object itself where nothing is left out, as with most texts. */
export function projection(kind: 'message' | 'status' | 'other', object: unknown): unknown {
  if (!isObject(object)) return object;
  if (kind === 'message') return withoutPassing(object);
  if (kind === 'status') return without(withoutProse(object), ['pricing', 'conversation']);
  return object;
}

const MEDIA: readonly string[] = ['image', 'video', 'audio', 'voice', 'document', 'sticker'];
const REFERRAL_MEDIA = ['image_url', 'video_url', 'thumbnail_url'];

function withoutPassing(message: Json): Json {
  let kept = withoutProse(message);
  for (const name of MEDIA) kept = withMember(kept, name, (media) => without(media, ['url']));
  kept = withMember(kept, 'referral', (referral) => without(referral, REFERRAL_MEDIA));
  return withMember(kept, 'edit', (edit) => withMember(edit, 'message', (edited) => MEDIA.reduce((inner, name) => withMember(inner, name, (media) => without(media, ['url'])), edited)));
}

const PROSE = ['title', 'message', 'details', 'error_data', 'href'];

function withoutProse(object: Json): Json {
  const errors = object['errors'];
  if (!Array.isArray(errors)) return object;
  return { ...object, errors: errors.map((error: unknown) => (isObject(error) ? without(error, PROSE) : error)) };
}

function withMember(object: Json, name: string, change: (member: Json) => Json): Json {
  if (!Object.hasOwn(object, name)) return object;
  const member = object[name];
  if (!isObject(member)) return object;
  const changed = change(member);
  return changed === member ? object : { ...object, [name]: changed };
}

function without(object: Json, names: readonly string[]): Json {
  if (!names.some((name) => Object.hasOwn(object, name))) return object;
  const copy: Record<string, unknown> = { ...object };
  for (const name of names) delete copy[name];
  return copy;
}
