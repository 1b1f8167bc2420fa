/** Records a delivery that was too big to be recorded at once. Idempotent: the queue may hand it over any number of times, at the same moment too. */
import { deliveryIdOf, eventsOf, recordDelivery, type Counts } from './record-delivery';
import { inboxNameOf } from './receive-delivery';
import type { RecordingDeps } from './recording-run';

/**
 * `gone`: recorded before. `foreign`: nobody who checked a signature put it there; it stays, nothing of it is recorded, and it ages into the
 * alarm on the oldest delivery.
 */
export type InboxOutcome = { readonly outcome: 'gone' | 'foreign' } | ({ readonly outcome: 'processed'; readonly deliveryId: string } & Counts);

/** `name`: of an inbox object. Throws `PortError`: the object stays, and the queue or the sweeper brings it again. */
export async function processInbox(deps: RecordingDeps, name: string): Promise<InboxOutcome> {
  const [rawBody, receivedAt] = await Promise.all([deps.inbox.get(name), putAt(deps, name)]);
  if (rawBody === 'absent' || receivedAt === undefined) return { outcome: 'gone' };
  if (inboxNameOf(await deps.keys.dedupeKey(), rawBody) !== name) {
    deps.meter.count('SignaturesRefused');
    return { outcome: 'foreign' };
  }
  const deliveryId = deliveryIdOf(rawBody);
  const counts = await recordDelivery(deps, { deliveryId, receivedAt }, eventsOf(rawBody));
  // Only now: all of it is durable elsewhere. Dying before this line records it once more, as duplicates.
  await deps.inbox.remove(name);
  return { outcome: 'processed', deliveryId, ...counts };
}

/** When the POST was answered: the object's own time. */
async function putAt(deps: RecordingDeps, name: string): Promise<Date | undefined> {
  for await (const object of deps.inbox.list(name)) if (object.name === name) return object.at;
  return undefined;
}
