/** What the stream lost is sealed, once, and only when no stream can bring it any more; one gap says so. */
import { makeSealer, sealRecords } from '../../src/operations/seal-records';
import { MAX_ROUND_BYTES, boundedRounds, sealMissing, type SealMissingDeps } from '../../src/operations/seal-missing';
import { FAULTS, Killed } from '../../src/adapters/memory/process';
import { seededSchedule } from '../../src/adapters/memory/schedule';
import { PortError } from '../../src/ports';
import { forEachSeed } from '../seeds';
import { findingsIn, makeWorld, type World } from '../world';

const HOUR = 3_600_000;
/** Two messages sealed, then `lost` ones that the stream forgot before any sealer saw them. */
async function withLost(lost: number, seed = 1): Promise<World> {
  const world = await makeWorld({ seed });
  await world.write(world.message('sealed 1'), world.message('sealed 2'));
  await world.seal();
  for (let i = 0; i < lost; i++) await world.write(world.message(`lost ${i}`));
  return world;
}
const run = (deps: SealMissingDeps) => sealMissing(deps);
const lateOnes = (world: World): readonly string[] => world.entries().map(({ entry }) => entry.src).filter((src) => src.startsWith('late:'));
const gapsIn = async (world: World): Promise<number> => {
  let gaps = 0;
  for await (const _ of world.records.scan({ kinds: ['gap'] })) gaps++;
  return gaps;
};
const wellBut = (world: World): readonly string[] => world.check({ published: false, all: false });

describe('sealing what is missing', () => {
  test('does nothing while nothing is missing', async () => {
    const world = await withLost(0);
    for (let hour = 0; hour < 40; hour += 10) {
      expect(await run(world)).toEqual({ waiting: 0, sealed: 0 });
      world.advance(10 * HOUR);
    }
    expect(lateOnes(world)).toEqual([]);
    expect(await gapsIn(world)).toBe(0);
  });

  test('waits 25 hours from the first sighting, then seals each state once and writes one gap', async () => {
    const world = await withLost(3);
    expect(await run(world)).toEqual({ waiting: 3, sealed: 0 });
    world.advance(25 * HOUR - 60_000);
    expect(await run(world)).toEqual({ waiting: 3, sealed: 0 });
    world.advance(60_000);
    expect(await run(world)).toMatchObject({ sealed: 3 });
    expect(lateOnes(world)).toHaveLength(3);
    expect(await gapsIn(world)).toBe(1);
    expect(world.meter.counts.get('GapsSealed')).toBe(1);
    expect(wellBut(world)).toEqual([]);
    for (let i = 0; i < 4; i++) {
      await sealRecords(makeSealer(world), world.stream.slice(5)); // the gap record
      world.advance(13 * HOUR);
      expect(await run(world)).toMatchObject({ sealed: 0 });
    }
    expect(lateOnes(world)).toHaveLength(3);
    expect([...world.log.tables.unsealed]).toEqual([]);
    expect(await findingsIn(world)).toEqual([]);
  });

  test('the late entry holds the record, opens with its key and names its state', async () => {
    const world = await withLost(1);
    await run(world);
    world.advance(26 * HOUR);
    await run(world);
    const late = world.entries().find(({ entry }) => entry.src.startsWith('late:'));
    const image = world.stream[2]?.newImage;
    expect(late?.entry).toMatchObject({ op: 'put', kind: 'message', rev: 1, at: world.now().toISOString() });
    expect(JSON.parse((world.open(late?.entry as never) as Buffer).subarray(32).toString())).toEqual(JSON.parse(JSON.stringify(image)));
  });

  test('leaves alone what the stream brings after all', async () => {
    const world = await withLost(2);
    await run(world);
    world.advance(20 * HOUR);
    await world.seal();
    world.advance(6 * HOUR);
    expect(await run(world)).toEqual({ waiting: 0, sealed: 0 });
    expect(world.check({ published: false })).toEqual([]);
    expect(lateOnes(world)).toEqual([]);
  });

  test('leaves alone a state that a later change replaced, and judges what it seals', async () => {
    const world = await makeWorld({ seed: 3 });
    await world.records.create(world.message('c', { kind: { S: 'customer' } }));
    await run(world);
    world.advance(24 * HOUR);
    await world.records.replace(world.message('c', { kind: { S: 'customer' }, rev: { N: '2' } }), 1);
    world.records.byHand.put({ ...world.message('forged'), mac: { S: 'x' } });
    world.advance(2 * HOUR);
    expect(await run(world)).toEqual({ waiting: 2, sealed: 0 });
    expect(world.log.tables.unsealed.size).toBe(2);
    world.advance(26 * HOUR);
    expect(await run(world)).toMatchObject({ sealed: 2 });
    expect(await findingsIn(world)).toEqual(['mac-invalid']); // rev 2 without rev 1 is what a gap looks like, not a finding
  });

  test('does not seal again, day after day, what was sealed raw', async () => {
    const world = await makeWorld({ seed: 4 });
    world.records.byHand.put(world.message('x', { subject: { NULL: true } }));
    await world.seal();
    await world.seal();
    for (let i = 0; i < 5; i++) {
      expect(await run(world)).toEqual({ waiting: 0, sealed: 0 });
      world.advance(26 * HOUR);
    }
  });

  test('keeps watching a state that grows older than the window while it waits', async () => {
    const world = await withLost(1);
    world.advance(2.9 * 24 * HOUR);
    await run(world);
    world.advance(26 * HOUR);
    expect(await run(world)).toMatchObject({ sealed: 1 });
  });

  test('seals nothing twice when two runs and a sealer work at once', async () => {
    await forEachSeed('simultaneous runs', 10, async (seed) => {
      const world = await withLost(3, seed);
      await run(world);
      world.advance(26 * HOUR);
      await world.write(world.message('fresh'));
      const schedule = seededSchedule(seed);
      const turns = async (): Promise<undefined> => schedule.turn().then(() => undefined);
      const runIn = () => run(world.process(turns).ports);
      const results = await schedule.run<unknown>([runIn, runIn, () => sealRecords(world.sealer(world.process(turns)), world.stream.slice(5))]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
      expect(lateOnes(world)).toHaveLength(3);
      expect(wellBut(world)).toEqual([]);
    });
  });

  test.each(FAULTS)('converges after %s at any one call', async (fault) => {
    const ready = async (): Promise<World> => {
      const world = await withLost(2, 5);
      await run(world);
      world.advance(26 * HOUR);
      return world;
    };
    const attempt = async (world: World, at: number): Promise<number> => {
      const process = world.process(({ index }) => (index === at ? fault : undefined));
      await run(process.ports).catch((error: unknown) => {
        if (!(error instanceof Killed || error instanceof PortError)) throw error;
      });
      await process.settle();
      return process.calls.length;
    };
    const calls = await attempt(await ready(), -1);
    expect(calls).toBeGreaterThan(15);
    for (let at = 0; at < calls; at++) {
      const world = await ready();
      await attempt(world, at);
      await run(world);
      expect(lateOnes(world)).toHaveLength(2);
      expect(await gapsIn(world)).toBe(1);
      expect(wellBut(world)).toEqual([]);
    }
  });
});

test('late rounds are bounded by bytes as well, because one put has to carry them', () => {
  const big = MAX_ROUND_BYTES / 2;
  expect(boundedRounds([big, big, 1, big, MAX_ROUND_BYTES * 2, 1].map((bytes) => ({ bytes }))).map((round) => round.map(({ bytes }) => bytes))).toEqual([[big, big], [1, big], [MAX_ROUND_BYTES * 2], [1]]);
  expect(boundedRounds(Array.from({ length: 10_001 }, () => ({ bytes: 1 }))).map((round) => round.length)).toEqual([5_000, 5_000, 1]);
  expect(boundedRounds([])).toEqual([]);
});
