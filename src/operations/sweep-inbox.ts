/** Brings back to the queue what was left in the inbox: an event of the bucket or a message of the queue may be lost, a delivery may not. */
import type { Clock, Inbox, Meter } from '../ports';

export interface SweepDeps {
  readonly inbox: Inbox;
  readonly meter: Meter;
  readonly now: Clock;
  /** Sends the name of a delivery to the queue again. Throws `PortError`. */
  readonly requeue: (name: string) => Promise<void>;
}

/** Longer than the queue takes with all its retries, so that what is still under way is left alone; to meet one twice does no harm. */
export const LEFT_BEHIND_MS = 15 * 60 * 1000;
/** Of one sweep, so that it ends within its Lambda's time; the next goes on. */
export const MAX_REQUEUED = 1_000;

/** Gauges the age of the oldest delivery (0 when there is none) and re-queues those older than 15 minutes. */
export async function sweepInbox({ inbox, meter, now, requeue }: SweepDeps): Promise<{ readonly waiting: number; readonly requeued: number; readonly oldestSeconds: number }> {
  const nowMs = now().getTime();
  const left: string[] = [];
  let waiting = 0;
  let oldestMs = 0;
  for await (const { name, at } of inbox.list('delivery/')) {
    waiting += 1;
    const ageMs = nowMs - at.getTime();
    oldestMs = Math.max(oldestMs, ageMs);
    if (ageMs > LEFT_BEHIND_MS && left.length < MAX_REQUEUED) left.push(name);
  }
  const oldestSeconds = Math.floor(oldestMs / 1000);
  // Before the queue is asked: if that fails, the gauge is what raises the alarm.
  meter.gauge('InboxOldest', oldestSeconds, 'Seconds');
  for (const name of left) await requeue(name);
  return { waiting, requeued: left.length, oldestSeconds };
}
