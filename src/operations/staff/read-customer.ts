/** One customer as staff see them: the profile, the names they write under, with whom they are merged, and the notes, newest first. */
import { keyOf, stringOf } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { noteOf, type Note } from '../../core/staff/note';
import { revOf, type Profile } from '../../core/staff/profile';
import { done, type StaffResult } from '../../core/staff/refusal';
import { PortError, type RecordStore } from '../../ports';
import { isTombstone } from '../../core/tombstone';
import { BeingErased, guardedRead, type GuardDeps } from './guarded';
import { identityOf, type ShownIdentity } from './identity-of';
import { profileIn } from './read-versions';

/** More than anybody reads about one person; the older ones are in the records. */
export const MAX_NOTES = 200;

export interface ShownNote {
  readonly noteId: string;
  readonly at: string;
  readonly by: { readonly operatorId: string; readonly name: string; readonly role: string };
  readonly text: string;
}
export interface ShownCustomer extends ShownIdentity {
  readonly customerId: string;
  readonly rev: number;
  readonly createdAt: string;
  readonly profile: Profile;
  /** The newest `MAX_NOTES`. */
  readonly notes: readonly ShownNote[];
}

export function readCustomer(deps: GuardDeps & { readonly records: Pick<RecordStore, 'partition'> }, actor: Actor, { customerId }: { readonly customerId: string }): Promise<StaffResult<ShownCustomer>> {
  return guardedRead(
    deps,
    actor,
    { action: 'ReadCustomer', customerId },
    async (room) => {
      const { customer, genuine } = room;
      const notes: ShownNote[] = [];
      for await (const image of deps.records.partition(keyOf(customer).pk, 'note#', { newestFirst: true, limit: MAX_NOTES })) notes.push(shown(noteIn(genuine(image))));
      return done({ customerId, rev: revOf(customer), createdAt: stringOf(customer, 'createdAt') ?? '', profile: profileIn(customer), ...(await identityOf(deps, actor, room)), notes });
    },
    ({ notes }) => ({ count: 1 + notes.length }),
  );
}

const shown = ({ noteId, at, by: { operatorId, name, role }, text }: Note): ShownNote => ({ noteId, at, by: { operatorId, name, role }, text });

function noteIn(image: Parameters<typeof noteOf>[0]): Note {
  if (isTombstone(image)) throw new BeingErased();
  try {
    return noteOf(image);
  } catch (cause) {
    throw new PortError('corrupt', `record ${keyOf(image).pk} / ${keyOf(image).sk} has a form that nothing of ours writes`, { cause });
  }
}
