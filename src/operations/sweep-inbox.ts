/**
 * Brings back to the queue what was left in the inbox: an event of the bucket or a message of the queue may be lost, a delivery may not. Keeps no state: a
 * delivery has its turns at ages that follow from its name, each twice the one before, so that a queue nobody reads fills slowly, however often this runs.
 */
import { createHash } from 'node:crypto';
import type { Clock, Inbox, Meter } from '../ports';

export interface SweepDeps {
  readonly inbox: Pick<Inbox, 'list'>;
  readonly meter: Meter;
  readonly now: Clock;
  /** Sends the name of a delivery to the queue again. Throws `PortError`. */
  readonly requeue: (name: string) => Promise<void>;
}

/** The first turn. Longer than the queue takes with all its retries, so that what is still under way is left alone; to meet one twice does no harm. */
export const LEFT_BEHIND_MS = 15 * 60 * 1000;
/** From then on this long from turn to turn: what failed for half a day waits for a repair, and that long at most after it. */
export const LONGEST_PAUSE_MS = 16 * LEFT_BEHIND_MS;
/**
 * A turn is open for one sweep to come by: sweeps are 5 minutes apart, and begin up to a minute late. Two that overlap, or one that is tried again after it
 * failed, meet the same turns: a delivery queued twice is recorded once.
 */
export const TURN_MS = 6 * 60 * 1000;
/** Of one sweep, so that it ends within its Lambda's time. */
export const MAX_REQUEUED = 1_000;

/** Gauges the age of the oldest delivery (0 when there is none) and re-queues those whose turn it is. */
export async function sweepInbox({ inbox, meter, now, requeue }: SweepDeps): Promise<{ readonly waiting: number; readonly requeued: number; readonly oldestSeconds: number }> {
  const nowMs = now().getTime();
  const due: string[] = [];
  let waiting = 0;
  let oldestMs = 0;
  for await (const { name, at } of inbox.list('delivery/')) {
    waiting += 1;
    const ageMs = nowMs - at.getTime();
    oldestMs = Math.max(oldestMs, ageMs);
    if (ageMs > LEFT_BEHIND_MS && ageMs - latestTurn(name, ageMs) < TURN_MS) due.push(name);
  }
  const oldestSeconds = Math.floor(oldestMs / 1000);
  // Before the queue is asked: if that fails, the gauge is what raises the alarm.
  meter.gauge('InboxOldest', oldestSeconds, 'Seconds');
  const drawn = due.length <= MAX_REQUEUED ? due : draw(due, MAX_REQUEUED, nowMs);
  for (const name of drawn) await requeue(name);
  return { waiting, requeued: drawn.length, oldestSeconds };
}

/**
 * Age at the latest turn of a delivery of at least `LEFT_BEHIND_MS`: the first at that age, one between half an hour and an hour, one between one and two, one
 * between two and four, then one every `LONGEST_PAUSE_MS`. Where between is the name's own, so that deliveries left at one moment come back one after the other:
 * 9 turns in the first day, 6 in each later one.
 */
function latestTurn(name: string, ageMs: number): number {
  const place = fraction(name);
  let turn = LEFT_BEHIND_MS;
  for (let span = 2 * LEFT_BEHIND_MS; span <= LONGEST_PAUSE_MS; span *= 2) {
    const next = span * (1 + place);
    if (next > ageMs) return turn;
    turn = next;
  }
  return turn + Math.floor((ageMs - turn) / LONGEST_PAUSE_MS) * LONGEST_PAUSE_MS;
}

/** `n` of `names`, others at every sweep: whoever is not drawn has the same chance at the next turn, wherever the name stands in the listing. */
function draw(names: readonly string[], n: number, sweep: number): string[] {
  const lots = names.map((name) => ({ name, lot: fraction(`${sweep} ${name}`) }));
  return lots.sort((a, b) => a.lot - b.lot).slice(0, n).map(({ name }) => name);
}

/** From `text`, evenly spread over [0, 1). Hashed also where the text is a hash: anybody who may put to the bucket chooses names. */
const fraction = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
