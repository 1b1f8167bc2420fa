/** The key is not taken before the published log holds every removal: a sealer or publisher that stands still keeps an erasure waiting, however long. */
import { stringOf } from '../../../src/core/image';
import { sealMissing } from '../../../src/operations/seal-missing';
import { EVERY_MS, populated, SECRETS } from './erasing-world';

test.each(['sealed', 'published'] as const)('an erasure whose removals are not %s waits, and goes on when they are', async (what) => {
  const { it, eve } = await populated(1);
  await it.confirmed(eve);
  let sealed = it.world.stream.length;
  for (let run = 0; run < 30; run++) {
    expect((await it.advance()).every(({ state }) => state !== 'keyed' && state !== 'done')).toBe(true);
    if (what === 'published') {
      const events = it.world.stream.slice(sealed);
      sealed = it.world.stream.length;
      await it.world.seal(events);
    }
    it.world.advance(EVERY_MS);
  }
  expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: 'sealing' }]);
  if (what === 'published') await it.world.publish();
  else await it.settle();
  expect(await it.untilDone(() => (what === 'published' ? Promise.resolve() : it.settle()), 3)).toMatchObject([{ state: 'done', waiting: 'done' }]);
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
  for (let run = 0; run < 4; run++) {
    await it.advance();
    await settle();
  }
  expect(await it.images('certificate')).toHaveLength(1);
  for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
  expect(await it.verify()).toEqual([]);
  expect(it.world.check({ all: false })).toEqual([]);
});
