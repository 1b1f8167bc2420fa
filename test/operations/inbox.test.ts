import { PortError } from '../../src/ports';
import { stringOf } from '../../src/core/image';
import { processInbox } from '../../src/operations/process-inbox';
import { deliveryIdOf } from '../../src/operations/record-delivery';
import { inboxNameOf, MAX_EVENTS_AT_ONCE } from '../../src/operations/receive-delivery';
import { LEFT_BEHIND_MS, MAX_REQUEUED, sweepInbox } from '../../src/operations/sweep-inbox';
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
    world.clock.ms += 2 * LEFT_BEHIND_MS;
    await expect(sweep(world, () => Promise.reject(new PortError('unavailable', 'no queue')))).rejects.toBeInstanceOf(PortError);
    expect(world.meter.gauges.get('InboxOldest')).toBe(1800);
  });

  test('brings back a bounded number at a time', async () => {
    const world = receivingWorld();
    for (let i = 0; i < MAX_REQUEUED + 5; i += 1) await world.inbox.put(`delivery/${i}`, Buffer.from('x'));
    world.clock.ms += 2 * LEFT_BEHIND_MS;
    expect((await sweep(world)).result).toMatchObject({ waiting: MAX_REQUEUED + 5, requeued: MAX_REQUEUED });
  });
});
