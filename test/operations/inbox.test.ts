import { memoryMeter } from '../../src/adapters/memory/meter';
import { seededRandom } from '../../src/adapters/memory/schedule';
import { PortError } from '../../src/ports';
import { stringOf } from '../../src/core/image';
import { processInbox } from '../../src/operations/process-inbox';
import { deliveryIdOf } from '../../src/operations/record-delivery';
import { inboxNameOf, MAX_EVENTS_AT_ONCE } from '../../src/operations/receive-delivery';
import { LEFT_BEHIND_MS, LONGEST_PAUSE_MS, MAX_REQUEUED, sweepInbox, TURN_MS } from '../../src/operations/sweep-inbox';
import { contact, delivery, receivingWorld, text, type ReceivingWorld } from './receiving-world';

const SHEENA = { waId: '16505551234' };
const COUNT = MAX_EVENTS_AT_ONCE + 10;
const big = delivery({ contacts: [contact(SHEENA)], messages: [...Array.from({ length: COUNT }, (_, i) => text(`wamid.${i}`, 'x', SHEENA)), { type: 'text' }] });

async function withDelivery(): Promise<{ readonly world: ReceivingWorld; readonly name: string }> {
  const world = receivingWorld();
  await world.process().receive(big);
  return { world, name: [...world.inbox.objects.keys()][0]! };
}

describe('a delivery in the inbox', () => {
  test('is recorded as of the time it was posted, and then removed', async () => {
    const { world, name } = await withDelivery();
    const postedAt = world.now().toISOString();
    world.clock.ms += 3_600_000;
    expect(await processInbox(world.process().deps, name)).toEqual({
      outcome: 'processed',
      deliveryId: deliveryIdOf(Buffer.from(big)),
      recorded: COUNT,
      duplicate: 0,
      variant: 0,
      conflict: 0,
      quarantined: 1,
    });
    expect(new Set((await world.scan()).map((image) => stringOf(image, 'receivedAt')))).toEqual(new Set([postedAt]));
    expect(world.inbox.objects.size).toBe(0);
    expect(await processInbox(world.process().deps, name)).toEqual({ outcome: 'gone' });
  });

  test('brought twice at the same moment it is recorded once', async () => {
    const { world, name } = await withDelivery();
    await Promise.all([processInbox(world.process().deps, name), processInbox(world.process().deps, name)]);
    expect((await world.scan('message')).length).toBe(COUNT);
  });

  test('stays when an event of it could not be recorded', async () => {
    const { world, name } = await withDelivery();
    let creates = 0;
    const { deps } = world.process(({ method }) => (method === 'create' && (creates += 1) === 5 ? 'error-before' : undefined));
    await expect(processInbox(deps, name)).rejects.toBeInstanceOf(PortError);
    expect(world.inbox.objects.size).toBe(1);
  });

  test('that somebody put there by hand is not recorded, whatever name he gives it, and stays to be noticed', async () => {
    const { world } = await withDelivery();
    world.inbox.objects.clear();
    const forged = Buffer.from(big.replaceAll('"x"', '"forged"'));
    for (const name of [inboxNameOf(Buffer.alloc(32), forged), `delivery/${'0'.repeat(64)}`, inboxNameOf(world.dedupe, Buffer.from(big))]) {
      await world.inbox.put(name, forged);
      expect(await processInbox(world.process().deps, name)).toEqual({ outcome: 'foreign' });
    }
    expect(world.records.stream).toEqual([]);
    expect(world.inbox.objects.size).toBe(3);
    expect(world.meter.counts.get('SignaturesRefused')).toBe(3);
  });
});

describe('the sweep', () => {
  const sweep = async (world: ReceivingWorld, requeue?: (name: string) => Promise<void>) => {
    const queued: string[] = [];
    const result = await sweepInbox({ inbox: world.inbox, meter: world.meter, now: world.now, requeue: requeue ?? (async (name) => void queued.push(name)) });
    return { result, queued };
  };

  test('brings back what is older than 15 minutes, and nothing younger', async () => {
    const { world, name } = await withDelivery();
    world.clock.ms += LEFT_BEHIND_MS;
    expect(await sweep(world)).toEqual({ result: { waiting: 1, requeued: 0, oldestSeconds: 900 }, queued: [] });
    world.clock.ms += 1;
    expect((await sweep(world)).queued).toEqual([name]);
  });

  test('says how old the oldest is, 0 when there is none, and does not count content', async () => {
    const world = receivingWorld();
    await world.inbox.put('content/x', Buffer.from('x'));
    world.clock.ms += 1e6;
    await sweep(world);
    expect(world.meter.gauges.get('InboxOldest')).toBe(0);
  });

  test('says so even when the queue does not answer', async () => {
    const { world } = await withDelivery();
    world.clock.ms += LEFT_BEHIND_MS + 1_000;
    await expect(sweep(world, () => Promise.reject(new PortError('unavailable', 'no queue')))).rejects.toBeInstanceOf(PortError);
    expect(world.meter.gauges.get('InboxOldest')).toBe(901);
  });

  test('brings back a bounded number at a time, others each time', async () => {
    const world = receivingWorld();
    for (let i = 0; i < MAX_REQUEUED + 5; i += 1) await world.inbox.put(`delivery/${i}`, Buffer.from('x'));
    world.clock.ms += LEFT_BEHIND_MS + 1;
    const [first, second] = [await sweep(world), (world.clock.ms += 1, await sweep(world))];
    expect(first.result).toMatchObject({ waiting: MAX_REQUEUED + 5, requeued: MAX_REQUEUED });
    expect(new Set(first.queued).size).toBe(MAX_REQUEUED);
    expect(new Set(second.queued)).not.toEqual(new Set(first.queued));
  });

  test('two that overlap bring a delivery twice, and it is recorded once', async () => {
    const { world } = await withDelivery();
    world.clock.ms += LEFT_BEHIND_MS + 1;
    const queued = (await Promise.all([sweep(world), sweep(world)])).flatMap((each) => each.queued);
    expect(queued).toHaveLength(2);
    await Promise.all(queued.map((name) => processInbox(world.process().deps, name)));
    expect((await world.scan('message')).length).toBe(COUNT);
    expect(world.inbox.objects.size).toBe(0);
    expect((await sweep(world)).queued).toEqual([]);
  });
});

describe('sweeps over a queue that nobody reads', () => {
  const PERIOD_MS = 5 * 60_000;
  const HOUR_MS = 3_600_000;
  /** Sweeps every 5 minutes, each up to a minute late, over `n` deliveries that all were left within `spreadMs`. Yields what each sweep queued, and when. */
  async function* sweeps(n: number, spreadMs: number, untilMs: number) {
    const random = seededRandom(n);
    const late = (): number => (random(4).readUInt32BE() / 2 ** 32) * 60_000;
    const left = Array.from({ length: n }, (_, i) => ({ name: inboxNameOf(Buffer.alloc(32), Buffer.from(String(i))), at: new Date((i / n) * spreadMs), bytes: 1 })).sort((a, b) => (a.name < b.name ? -1 : 1));
    const inbox = { list: async function* () { yield* left; } };
    for (let startMs = 0; startMs <= untilMs; startMs += PERIOD_MS) {
      const nowMs = startMs + late();
      const queued: string[] = [];
      await sweepInbox({ inbox, meter: memoryMeter(), now: () => new Date(nowMs), requeue: async (name) => void queued.push(name) });
      yield { nowMs, queued };
    }
  }

  test.each([['at one moment', 0], ['in the course of an hour', HOUR_MS]])('of 5,000 deliveries left %s each has come back after 24 sweeps, wherever its name stands', async (_when, spreadMs) => {
    const back = new Set<string>();
    for await (const { queued } of sweeps(5_000, spreadMs, spreadMs + 24 * PERIOD_MS)) {
      expect(queued.length).toBeLessThanOrEqual(MAX_REQUEUED);
      queued.forEach((name) => back.add(name));
    }
    expect(back.size).toBe(5_000);
  });

  test('no delivery comes back more than 18 times on its first day and 12 on a later one, at a growing distance, and none is forgotten', async () => {
    const times = new Map<string, number[]>();
    for await (const { nowMs, queued } of sweeps(300, 0, 72 * HOUR_MS)) for (const name of queued) times.set(name, [...(times.get(name) ?? []), nowMs]);
    expect(times.size).toBe(300);
    for (const at of times.values()) {
      const onDay = (day: number): number => at.filter((ms) => Math.floor(ms / (24 * HOUR_MS)) === day).length;
      expect(onDay(0)).toBeLessThanOrEqual(18);
      expect(Math.max(onDay(1), onDay(2))).toBeLessThanOrEqual(12);
      expect(Math.min(onDay(1), onDay(2))).toBeGreaterThanOrEqual(5);
      // Two sweeps may meet one turn; between turns it is quiet for longer and longer, and never for longer than the longest pause.
      const pauses = at.slice(1).map((ms, i) => ms - (at[i] as number)).filter((pause) => pause > TURN_MS);
      for (const [i, pause] of pauses.entries()) if (i > 0) expect(pause).toBeGreaterThan((pauses[i - 1] as number) - 2 * TURN_MS);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(LONGEST_PAUSE_MS + 2 * TURN_MS);
    }
  });

  test('whatever sweeps were missed before, each delivery comes back within the longest pause', async () => {
    const since = new Set<string>();
    for await (const { nowMs, queued } of sweeps(300, 0, 40 * HOUR_MS)) if (nowMs > 30 * HOUR_MS && nowMs <= 30 * HOUR_MS + LONGEST_PAUSE_MS + TURN_MS) queued.forEach((name) => since.add(name));
    expect(since.size).toBe(300);
  });
});
