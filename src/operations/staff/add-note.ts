/** Adds a note to a customer. Notes are never changed: who erred adds another one. */
import { ulid } from 'ulid';
import { stringOf } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { noteImage, noteOf } from '../../core/staff/note';
import { revOf } from '../../core/staff/profile';
import { checkNote, isRefused } from '../../core/staff/profile-rules';
import type { StaffResult } from '../../core/staff/refusal';
import { recordKeys } from '../../core/table-keys';
import { cannot } from './cannot';
import { guardedChange, type GuardDeps, type Plan } from './guarded';

export interface AddNote {
  readonly customerId: string;
  readonly text: string;
  /** A ULID to make the note under: the same for every attempt of one request. */
  readonly id?: string | undefined;
}
export interface AddedNote {
  readonly noteId: string;
  /** ISO 8601 UTC. */
  readonly at: string;
}

export async function addNote(deps: GuardDeps, actor: Actor, { customerId, text, id }: AddNote): Promise<StaffResult<AddedNote>> {
  const noteId = id ?? ulid(deps.now().getTime(), () => (deps.random(1)[0] ?? 0) / 256);
  return guardedChange(deps, actor, { action: 'AddNote', customerId, resourceId: noteId }, async ({ at, customer, genuine }): Promise<Plan<AddedNote>> => {
    const checked = checkNote(text, 'en', '/text');
    if (isRefused(checked)) return { outcome: 'refused', refusal: { code: 'invalid', errors: checked } };
    const key = recordKeys.note(customerId, noteId);
    const there = id === undefined ? 'absent' : await deps.records.get(key, { consistent: true });
    if (there !== 'absent') {
      // By an earlier attempt of this request, or not ours.
      const note = noteOf(genuine(there));
      if (note.by.operatorId !== actor.operatorId) return cannot('note-exists', {});
      return { outcome: 'change', writes: [], value: { noteId, at: note.at } };
    }
    const image = noteImage({ customerId, subject: stringOf(customer, 'subject') ?? '' }, { noteId, at, text: checked as string }, actor);
    return {
      outcome: 'change',
      // Unchanged since it was decided that the actor may: no note for a customer who is given away or erased meanwhile.
      writes: [
        { op: 'check-rev', key: recordKeys.customer(customerId), ifRev: revOf(customer) },
        { op: 'create', image },
      ],
      value: { noteId, at },
      count: 1,
    };
  });
}
