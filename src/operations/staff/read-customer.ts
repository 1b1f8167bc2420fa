/** One customer as staff see them: the profile, the names they write under, with whom they are merged, and the notes, newest first. */
import { keyOf, stringOf } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { revOf, type Profile } from '../../core/staff/profile';
import { done, type StaffResult } from '../../core/staff/refusal';
import { guardedRead } from './guarded';
import { identityOf, type ShownIdentity } from './identity-of';
import { shownNote, type NoteDeps, type ShownNote } from './list-notes';
import { profileIn } from './read-versions';

/** More than anybody reads about one person at once; all of them are in pages (list-notes.ts). */
const MAX_NOTES = 200;

export interface ShownCustomer extends ShownIdentity {
  readonly customerId: string;
  readonly rev: number;
  readonly createdAt: string;
  readonly profile: Profile;
  /** The newest `MAX_NOTES`. */
  readonly notes: readonly ShownNote[];
}

export function readCustomer(deps: NoteDeps, actor: Actor, { customerId }: { readonly customerId: string }): Promise<StaffResult<ShownCustomer>> {
  return guardedRead(
    deps,
    actor,
    { action: 'ReadCustomer', customerId },
    async (room) => {
      const { customer, genuine } = room;
      const notes: ShownNote[] = [];
      for await (const image of deps.records.partition(keyOf(customer).pk, 'note#', { newestFirst: true, limit: MAX_NOTES })) notes.push(shownNote(genuine(image)));
      return done({ customerId, rev: revOf(customer), createdAt: stringOf(customer, 'createdAt') ?? '', profile: profileIn(customer), ...(await identityOf(deps, actor, room)), notes });
    },
    ({ notes }) => ({ count: 1 + notes.length }),
  );
}
