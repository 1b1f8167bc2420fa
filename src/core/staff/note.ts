/** What a member of staff noted about a customer: create-only, under the customer's own subject, so that an erasure takes it along. */
import { holderAttributes, keyAttributes, type CustomerRef } from '../customer-aliases';
import { stringOf, type Image } from '../image';
import { recordKeys } from '../table-keys';
import { operatorAttributes, operatorIn, type AccessActor } from './access-record';

export interface Note {
  /** A ULID: sorts by time. */
  readonly noteId: string;
  readonly at: string;
  readonly by: Omit<AccessActor, 'userAgent'>;
  readonly text: string;
}

/** Without its MAC. */
export function noteImage(customer: CustomerRef, { noteId, at, text }: Omit<Note, 'by'>, actor: AccessActor): Image {
  return {
    ...keyAttributes(recordKeys.note(customer.customerId, noteId)),
    kind: { S: 'note' },
    rev: { N: '1' },
    ...holderAttributes(customer),
    receivedAt: { S: at },
    ...operatorAttributes(actor),
    note: { S: text },
  };
}

/** Throws where the record has another form than ours; whether it may be believed, its MAC says. */
export function noteOf(image: Image): Note {
  const noteId = /^note#([0-9A-Z]{26})$/.exec(stringOf(image, 'sk') ?? '')?.[1];
  const [at, text] = [stringOf(image, 'receivedAt'), stringOf(image, 'note')];
  const by = operatorIn(image);
  if (stringOf(image, 'kind') !== 'note' || noteId === undefined || at === undefined || text === undefined || by === undefined) throw new Error('a note has an id, a time, an operator and a text');
  return { noteId, at, by, text };
}
