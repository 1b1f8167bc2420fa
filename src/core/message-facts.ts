/** What the records about one message say of it, as facts that its current state is computed from. The images come from the table: what has another form than ours says nothing. */
import type { ActFact, StatusFact } from './current-state';
import { stringOf, type Image } from './image';
import { secondsOf } from './records';

/** The business number a record of a message belongs to. From the key: a tombstone has no attributes left. */
export const numberOfRecord = (image: Image): string => (stringOf(image, 'sk') ?? '').split(/#(?:message|outbound|status#)/)[0] ?? '';

export const timeOfRecord = (image: Image): number => secondsOf(stringOf(image, 'timestamp'), 0);

/** The facts of a status; none of a record of another kind. */
export function statusIn(image: Image): readonly StatusFact[] {
  const status = stringOf(image, 'status');
  const participant = stringOf(image, 'participant');
  if (stringOf(image, 'kind') !== 'status' || status === undefined) return [];
  return [{ status, at: timeOfRecord(image), ...(participant === undefined ? {} : { participant }) }];
}

/** The facts of an edit, revoke or reaction. */
export function actIn(image: Image): readonly ActFact[] {
  const kind = stringOf(image, 'kind');
  if (kind !== 'edit' && kind !== 'revoke' && kind !== 'reaction') return [];
  const text = stringOf(image, 'textClean') ?? stringOf(image, 'text');
  const by = stringOf(image, 'direction') === 'outbound' ? 'business' : (stringOf(image, 'customerId') ?? '');
  return [{ kind, id: stringOf(image, 'messageId') ?? '', at: timeOfRecord(image), by, ...(text === undefined ? {} : { text }) }];
}
