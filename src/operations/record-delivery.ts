/**
 * Records every event of one body whose signature was found valid, whoever hands it over: the webhook, the inbox, a replay. One path, so that an event
 * is judged the same whenever it comes.
 */
import { createHash } from 'node:crypto';
import { digestOfBytes } from '../core/meta/digest';
import type { MetaEvent } from '../core/meta/events';
import { splitDelivery } from '../core/meta/split-delivery';
import { PortError } from '../ports';
import { inParallel } from './in-parallel';
import { recordEvent, type EventOutcome } from './record-event';
import { startRun, type RecordingDeps } from './recording-run';

/** Events by outcome; their sum is the number of events in the delivery. */
export type Counts = Readonly<Record<EventOutcome, number>>;

/**
 * Events recorded at the same time. An event is two round trips of a few milliseconds: with 16 in flight, 50 events take about 50 ms; more would only
 * queue for the one processor of a Lambda and the 50 sockets of its HTTP agent.
 */
export const CONCURRENCY = 16;

/** base64url of the first 16 bytes of SHA-256(body): what a person quotes, the same for every resend of the same bytes. */
export const deliveryIdOf = (rawBody: Buffer): string => createHash('sha256').update(rawBody).digest().subarray(0, 16).toString('base64url');

/** The events of a body; one that cannot be split is one event of quarantine. Never throws. */
export function eventsOf(rawBody: Buffer): readonly MetaEvent[] {
  const split = splitDelivery(rawBody);
  if (split.kind === 'events') return split.events;
  return [{ eventKind: 'quarantine', reason: split.reason, path: '', raw: rawBody, digest: digestOfBytes(rawBody), replayBody: rawBody }];
}

/**
 * Records `events`, each by itself: one that fails does not keep its neighbours from being recorded. Resolves when all are durable.
 * Throws the first failure after all were tried; recording the delivery again converges.
 */
export async function recordDelivery(deps: RecordingDeps, delivery: { readonly deliveryId: string; readonly receivedAt: Date }, events: readonly MetaEvent[]): Promise<Counts> {
  const run = await startRun(deps, delivery);
  const counts: Record<EventOutcome, number> = { recorded: 0, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 };
  const failures: unknown[] = [];
  await inParallel(events, CONCURRENCY, async (event) => {
    try {
      counts[await recordEvent(run, event)] += 1;
    } catch (error) {
      // Every neighbour is tried first; then the whole delivery fails with it.
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failureOf(failures, events.length);
  return counts;
}

/** What is not a port's error is a defect of ours, or the end of the process: it must not look like the weather. */
function failureOf(failures: readonly unknown[], events: number): unknown {
  const defect = failures.find((failure) => !(failure instanceof PortError));
  if (defect !== undefined) return defect;
  const first = failures.find((failure) => (failure as PortError).code !== 'unavailable') ?? failures[0];
  const { code, message } = first as PortError;
  return new PortError(code, `${failures.length} of ${events} events of a delivery could not be recorded, first: ${message}`, { cause: first });
}
