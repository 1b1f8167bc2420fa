/** All notes about a customer, newest first, a page at a time: a customer is read with the newest of them alone. */
import { keyOf, type Image } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { invalidCursor, openCursor, sealCursor, type CursorScope } from '../../core/staff/cursor';
import { noteOf } from '../../core/staff/note';
import { done, refused, type StaffResult } from '../../core/staff/refusal';
import { recordKeys } from '../../core/table-keys';
import { isTombstone } from '../../core/tombstone';
import type { RecordStore } from '../../ports';
import { BeingErased, guardedRead, type GuardDeps } from './guarded';
import { ofOurForm } from './of-our-form';

export type NoteDeps = GuardDeps & { readonly records: Pick<RecordStore, 'partition'> };

export interface ShownNote {
  readonly noteId: string;
  readonly at: string;
  readonly by: { readonly operatorId: string; readonly name: string; readonly role: string };
  readonly text: string;
}
export interface NotePage {
  readonly items: readonly ShownNote[];
  /** How many notes of this page are not as we wrote them, and left out; absent: none. */
  readonly unreadable?: number;
  readonly cursor?: string;
}

const NOTES = recordKeys.note('', '').sk;

/** `limit`: from 1. */
export function listNotes(deps: NoteDeps, actor: Actor, { customerId, cursor, limit }: { readonly customerId: string; readonly cursor?: string; readonly limit: number }): Promise<StaffResult<NotePage>> {
  const scope: CursorScope = { operatorId: actor.operatorId, route: 'GET /v1/customers/{id}/notes', filter: [customerId] };
  return guardedRead<NotePage>(
    deps,
    actor,
    { action: 'ReadCustomer', customerId },
    async ({ customer, readable, secret }) => {
      const after = cursor === undefined ? undefined : openCursor(secret, scope, cursor);
      if (after === 'invalid') return refused({ code: 'invalid', errors: [invalidCursor()] });
      const images: Image[] = [];
      for await (const image of deps.records.partition(keyOf(customer).pk, NOTES, { newestFirst: true, limit: limit + 1, ...(after !== undefined && { before: after }) })) images.push(image);
      const page = images.slice(0, limit);
      const items = page.flatMap((image) => {
        const read = readable(image);
        return read === 'unreadable' ? [] : [shownNote(read)];
      });
      const unreadable = page.length - items.length;
      return done({ items, ...(unreadable > 0 && { unreadable }), ...(images.length > limit && { cursor: sealCursor(secret, scope, keyOf(page[limit - 1]!).sk) }) });
    },
    ({ items, unreadable }) => ({ count: items.length, ...(unreadable !== undefined && { unreadable }) }),
  );
}

/** `image`: a genuine record under the key of a note. Throws `BeingErased`, `PortError`. */
export function shownNote(image: Image): ShownNote {
  if (isTombstone(image)) throw new BeingErased();
  const { noteId, at, by, text } = ofOurForm(image, noteOf);
  return { noteId, at, by: { operatorId: by.operatorId, name: by.name, role: by.role }, text };
}
