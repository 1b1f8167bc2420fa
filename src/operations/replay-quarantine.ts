/**
 * Tries quarantined input again, after a schema was corrected, on the way every delivery goes. The record of the quarantine stays: what was not understood
 * at first is part of what happened.
 */
import { bytesOf, integerOf, stringOf, type Image } from '../core/image';
import { keyOfEvent, quarantineStateImage } from '../core/records';
import { recordKeys } from '../core/table-keys';
import { eventsOf, recordDelivery, type Counts } from './record-delivery';
import { contentOfRecord, receivedAtOf } from './read-records';
import { holds, loadKeys, newStamp, sealed, startRun, type RecordingDeps } from './recording-run';

/**
 * `replayed`: all of it is recorded now (parts of it perhaps in quarantine for another reason). `still-bad`: it fails as before and stays open.
 * `done-before`: replayed already. `not-genuine`: the record, its state or its bytes are not what we wrote; nothing was recorded from it.
 */
export type ReplayOutcome =
  | { readonly outcome: 'absent' | 'done-before' | 'not-genuine' | 'gone' | 'still-bad' }
  | ({ readonly outcome: 'replayed' } & Counts);

/** `id`: as `listQuarantine` names it. `by`: who asked for it, for the record. Throws `PortError`: ask again. */
export async function replayQuarantine(deps: RecordingDeps, { id, by }: { readonly id: string; readonly by: string }): Promise<ReplayOutcome> {
  const [record, state] = await Promise.all([
    deps.records.get(recordKeys.quarantine(id), { consistent: true }),
    deps.records.get(recordKeys.quarantineState(id), { consistent: true }),
  ]);
  if (record === 'absent' || stringOf(record, 'kind') === 'tombstone') return { outcome: 'absent' };
  const keys = await loadKeys(deps);
  // The signature was checked when it came; since then only the MAC vouches for these bytes.
  if (state === 'absent' || !holds({ deps, keys }, record) || !holds({ deps, keys }, state)) return { outcome: 'not-genuine' };
  if (stringOf(state, 'state') === 'replayed') return { outcome: 'done-before' };
  const body = await bodyToReplay(deps, record);
  if (body === 'gone') return { outcome: 'gone' };
  if (body === 'changed') return { outcome: 'not-genuine' };

  const events = eventsOf(body);
  if (events.some((event) => event.eventKind === 'quarantine' && keyOfEvent(keys.dedupe, event).pk === recordKeys.quarantine(id).pk)) return { outcome: 'still-bad' };
  const delivery = { deliveryId: stringOf(record, 'deliveryId') ?? '', receivedAt: new Date(receivedAtOf(record)) };
  const counts = await recordDelivery(deps, delivery, events);
  // Dying before this line leaves it open; the next replay finds duplicates and closes it.
  const run = await startRun(deps, { ...delivery, receivedAt: deps.now() });
  const rev = (integerOf(state, 'rev') ?? 0) + 1;
  await deps.records.replace(sealed(run, quarantineStateImage(recordKeys.quarantine(id), 'replayed', rev, stringOf(record, 'subject') ?? '', newStamp(run), by)), rev - 1);
  return { outcome: 'replayed', ...counts };
}

async function bodyToReplay(deps: RecordingDeps, record: Image): Promise<Buffer | 'gone' | 'changed'> {
  const content = await contentOfRecord(deps.inbox, record);
  const part = (name: string): Uint8Array => bytesOf(record, name) ?? new Uint8Array();
  return content ?? Buffer.concat([part('before'), part('raw'), part('after')]);
}
