/**
 * Whatever call of sealing and publishing fails, and however: doing it again converges, nothing is sealed twice or lost, and the verifier finds nothing. The
 * story has every kind of step in it: findings, new keys, blobs, several rounds, tiles that become full, partials that are deleted.
 */
import { FAULTS, Killed, type Fault, type OnCall } from '../../src/adapters/memory/process';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { sha256 } from '../../src/core/log/sha256';
import { beat, makeHeart } from '../../src/operations/beat';
import { initializeLog } from '../../src/operations/initialize-log';
import { makePublisher, publishLog } from '../../src/operations/publish-log';
import { makeSealer, sealRecords } from '../../src/operations/seal-records';
import { verifyVault } from '../../src/operations/verify-vault';
import { PortError } from '../../src/ports';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { findingsIn, makeWorld, subjectNamed, type World } from '../world';

/** Full stories take a minute of computing, so by default only a part of the faults meets the long one. */
const isFull = process.env['INTACT_FULL'] !== undefined;

/** One message with a body outside, one too big for an entry, one changed by hand, two people, two spans of time; `fillers` more, so that a tile becomes full. */
async function story(seed: number, fillers = 0): Promise<World> {
  const world = await makeWorld({ seed });
  const body = Buffer.from('content '.repeat(4_000));
  await world.inbox.put('content/x', body);
  await world.write(world.message('first'));
  await world.seal();
  await world.publish();
  for (let i = 0; i < fillers; i++) await world.write(world.message(`filler ${i}`, { text: { S: 'x' } }));
  await world.seal();
  await world.publish();
  await world.write(world.message('big', { raw: { B: Buffer.alloc(60_000) }, contentName: { S: 'content/x' }, contentSha256: { B: sha256(body) }, subject: { S: subjectNamed('bob') } }));
  world.advance(100 * 60_000);
  world.records.byHand.put(world.message('first', { text: { S: 'changed' } }));
  await world.write(world.message('last'));
  return world;
}

/** A container does its work; it fails as told, the next one finishes. Returns how many calls the first one made. */
async function run(world: World, onCall: OnCall, work: (container: World) => Promise<unknown>): Promise<number> {
  const process = world.process(onCall);
  try {
    await work({ ...world, ...process.ports });
  } catch (error) {
    if (!(error instanceof Killed || error instanceof PortError)) throw error;
  }
  await process.settle();
  return process.calls.length;
}

const work = async (container: World): Promise<void> => {
  const sealer = makeSealer(container);
  const publisher = makePublisher(container);
  await beat(makeHeart(container));
  await sealRecords(sealer, container.stream.slice(-6));
  await publishLog(publisher);
};

async function isWell(world: World): Promise<void> {
  expect(world.check()).toEqual([]);
  const report = await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] });
  expect(report.findings).toEqual([]);
  // Whatever died, what is wrong with the change by hand is on record, and once.
  expect(await findingsIn(world)).toEqual(['immutable-modified']);
}

/** With the message before them, the heartbeat and the three events behind them, the first tile becomes full. */
const FILLERS = 252;

const faultAt =
  (index: number, fault: Fault): OnCall =>
  (call) =>
    call.index === index ? fault : undefined;

let converged = 0;
afterAll(() => figure('sealing and publishing: one fault at one call, of six kinds', `${converged} tried, every retry converges, verify: 0 findings`));

describe('sealing and publishing', () => {
  test('run through without a fault', async () => {
    const world = await story(1, FILLERS);
    const calls = await run(world, () => undefined, work);
    expect(calls).toBeGreaterThan(30);
    await run(world, () => undefined, work);
    await isWell(world);
    expect([...world.vault.objects.keys()].filter((name) => name.startsWith('tile/0/000'))).toEqual(['tile/0/000']);
  });

  const convergeAfter = async (fault: Fault, fillers: number, indexes: (calls: number) => readonly number[]): Promise<void> => {
    const calls = await run(await story(2, fillers), () => undefined, work);
    for (const index of indexes(calls)) {
      const world = await story(2, fillers);
      await run(world, faultAt(index, fault), work);
      // Again, as the stream and the next heartbeat do it; three times, because the finding of one run is sealed by the next.
      for (let again = 0; again < 3; again++) await run(world, () => undefined, work);
      try {
        await isWell(world);
      } catch (error) {
        throw new Error(`call ${index} with ${fault}: ${String(error)}`, { cause: error });
      }
    }
    converged += indexes(calls).length;
  };
  const every = (calls: number): number[] => Array.from({ length: calls }, (_, index) => index);
  const lastOnes = (calls: number): number[] => every(calls).slice(isFull ? 0 : -16); // from writing the tiles to deleting partials

  test.each(FAULTS)('converge after %s at any one call', (fault) => convergeAfter(fault, 0, every));
  test.each(isFull ? FAULTS : (['timeout', 'kill-after'] as const))('converge after %s at any one call while a tile becomes full', (fault) => convergeAfter(fault, FILLERS, lastOnes));

  test('converge after any number of faults in a row', async () => {
    await forEachSeed('storms of faults', 12, async (seed) => {
      const draw = seededDraw(seed);
      const world = await story(seed, seed % 4 === 0 ? FILLERS : 0);
      for (let attempt = 0; attempt < 8; attempt++) await run(world, () => (draw() < 0.12 ? FAULTS[Math.floor(draw() * FAULTS.length)] : undefined), work);
      for (let again = 0; again < 3; again++) await run(world, () => undefined, work);
      await isWell(world);
    });
  });
});

describe('initialize-log', () => {
  test.each(FAULTS)('converges after %s at any one call, and keeps what was made', async (fault) => {
    const fresh = async (): Promise<World> => {
      const world = await makeWorld({ seed: 3 });
      for (const map of [world.keys.secrets, world.keys.subjects, world.vault.objects]) map.clear();
      world.log.tables.head = undefined;
      world.log.tables.identity = undefined;
      return world;
    };
    const initialize = (container: World): Promise<unknown> => initializeLog(container, 'example.com/test');
    const calls = await run(await fresh(), () => undefined, initialize);
    expect(calls).toBeGreaterThan(15);
    for (let index = 0; index < calls; index++) {
      const world = await fresh();
      await run(world, faultAt(index, fault), initialize);
      const identity = await initializeLog(world, 'example.com/test');
      expect(await initializeLog(world, 'example.org/other')).toEqual(identity);
      await makeSealerWork(world);
      expect((await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] })).findings).toEqual([]);
    }
  });
});

async function makeSealerWork(world: World): Promise<void> {
  await beat(makeHeart(world));
  expect(await sealRecords(makeSealer(world), world.stream)).toMatchObject({ sealed: 1 });
  expect(await publishLog(makePublisher(world))).toEqual({ outcome: 'published', size: 1 });
}
