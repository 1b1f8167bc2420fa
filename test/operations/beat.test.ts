/** The heartbeat: one record a quarter of an hour, however often it is asked for, and what it drives. */
import { keyOf } from '../../src/core/image';
import { recordKeys } from '../../src/core/table-keys';
import { findingsIn, makeWorld } from '../world';

describe('the heartbeat', () => {
  test('is one record a quarter of an hour', async () => {
    const world = await makeWorld({ seed: 1, startMs: Date.parse('2026-02-03T04:14:59.999Z') });
    expect(await world.beat()).toBe('created');
    expect(await world.beat()).toBe('exists');
    world.advance(1);
    expect(await world.beat()).toBe('created');
    world.advance(15 * 60_000 - 1);
    expect(await world.beat()).toBe('exists');
    expect(world.stream.map((event) => event.key)).toEqual([recordKeys.heartbeat('2026-02-03T04:00Z'), recordKeys.heartbeat('2026-02-03T04:15Z')]);
  });

  test('is a lawful record of the log itself, and moves a quiet log', async () => {
    const world = await makeWorld({ seed: 2 });
    await world.beat();
    await world.seal();
    expect(await world.publish()).toEqual({ outcome: 'published', size: 1 });
    expect(world.entries()[0]?.entry).toMatchObject({ kind: 'heartbeat', subject: world.identity.systemSubject });
    expect(await findingsIn(world)).toEqual([]);
    expect(world.check()).toEqual([]);
    expect(keyOf(world.stream[0]?.newImage as never)).toEqual(world.stream[0]?.key);
  });
});
