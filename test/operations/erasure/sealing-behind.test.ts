/**
 * A sealer or publisher that stands still keeps an erasure waiting, however long: nothing is removed before the published log holds its permission, so that a hold finds all of it there; and no key is taken before the
 * log holds every removal.
 */
import { stringOf } from '../../../src/core/image';
import { sealMissing } from '../../../src/operations/seal-missing';
import { findingsIn } from '../../world';
import { contact, delivery, text } from '../receiving-world';
import { EVE, EVERY_MS, populated, SECRETS, type ErasingWorld } from './erasing-world';

/** Runs of the schedule while the sealer, or the publisher, does nothing. */
async function withoutSealing(it: ErasingWorld, what: 'sealed' | 'published', runs: number): Promise<void> {
  let sealed = it.world.stream.length;
  for (let run = 0; run < runs; run++) {
    expect((await it.advance()).every(({ state }) => state !== 'keyed' && state !== 'done')).toBe(true);
    if (what === 'published') {
      const events = it.world.stream.slice(sealed);
      sealed = it.world.stream.length;
      await it.world.seal(events);
    }
    it.world.advance(EVERY_MS);
  }
  expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: 'sealing' }]);
}

test.each(['sealed', 'published'] as const)('an erasure whose permission is not %s removes nothing, not even a body, and goes on when it is', async (what) => {
  const { it, eve } = await populated(1);
  // A body that no log has yet: were it gone before it was sealed, a hold could not have it back, and the sealer would miss it.
  await it.receiver().receive(delivery({ contacts: [contact(EVE)], messages: [text('wamid.eve-3', `a long letter ${'y'.repeat(30_000)}`, EVE)] }));
  await it.confirmed(eve);
  const bodies = it.world.inbox.objects.size;
  await withoutSealing(it, what, 30);
  expect([await it.images('tombstone'), it.world.inbox.objects.size]).toEqual([[], bodies]);
  await it.settle();
  expect(await it.untilDone()).toMatchObject([{ state: 'done', waiting: 'done' }]);
  for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
  expect(await findingsIn(it.world)).toEqual([]);
});

test.each(['sealed', 'published'] as const)('an erasure whose removals are not %s keeps the key, and goes on when they are', async (what) => {
  const { it, eve } = await populated(1);
  await it.confirmed(eve);
  for (let run = 0; (await it.images('tombstone')).length === 0; run++) {
    expect(run).toBeLessThan(12);
    await it.settle();
    await it.advance();
    it.world.advance(EVERY_MS);
  }
  await withoutSealing(it, what, 20);
  await it.settle();
  expect(await it.untilDone(undefined, 3)).toMatchObject([{ state: 'done', waiting: 'done' }]);
});

test('removals that the stream lost are sealed late from the table, and the erasure goes on', async () => {
  const { it, eve } = await populated(2);
  await it.confirmed(eve);
  let reached = it.world.stream.length;
  /** The sealer without the tombstones: the stream forgot them before it came back. */
  const settle = async (): Promise<void> => {
    const events = it.world.stream.slice(reached);
    reached = it.world.stream.length;
    await it.world.seal(events.filter(({ newImage }) => stringOf(newImage, 'kind') !== 'tombstone'));
    await it.world.publish();
  };
  for (let run = 0; run < 20; run++) {
    await it.advance();
    await settle();
    it.world.advance(EVERY_MS);
  }
  expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: 'sealing' }]);
  for (let day = 0; day < 2; day++) {
    await sealMissing(it.world);
    await settle();
    it.world.advance(26 * 3_600_000);
  }
  // Which records the tombstones stand for no entry says in clear: the next audit, which opens everything, does.
  for (let run = 0; run < 6; run++) {
    await it.advance();
    await settle();
    it.world.advance(EVERY_MS);
  }
  expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: 'doubtful' }]);
  expect((await it.audit()).findings).toBe(0);
  for (let run = 0; run < 4; run++) {
    await it.advance();
    await settle();
  }
  expect(await it.images('certificate')).toHaveLength(1);
  for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
  expect(await it.verify()).toEqual([]);
  expect(it.world.check({ all: false })).toEqual([]);
});
