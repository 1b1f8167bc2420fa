/** Whatever call of taking a snapshot fails, and however: doing it again ends in one that can be used. What a run that died left is an orphan, and every record of a snapshot leads to a whole one. */
import { FAULTS, Killed, type Fault, type OnCall } from '../../src/adapters/memory/process';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { parseManifest, parsePart } from '../../src/core/snapshot';
import { manifestNamedBy } from '../../src/core/snapshot-record';
import { takeSnapshot } from '../../src/operations/take-snapshot';
import { verifyVault } from '../../src/operations/verify-vault';
import { PortError } from '../../src/ports';
import { figure } from '../figures';
import { snapshotWorld, type SnapshotWorld } from '../operations/snapshot-world';
import { forEachSeed } from '../seeds';

/** A container takes a snapshot, and fails as told; the sealer and the publisher go on. Returns how many calls it made, and whether it came to an end. */
async function run({ world, settle }: SnapshotWorld, onCall: OnCall): Promise<{ readonly calls: number; readonly done: boolean }> {
  const process = world.process(onCall);
  world.advance(1_500);
  let done = false;
  try {
    await takeSnapshot(process.ports);
    done = true;
  } catch (error) {
    if (!(error instanceof Killed) && !(error instanceof PortError)) throw error;
  }
  await process.settle();
  await settle();
  return { calls: process.calls.length, done };
}

async function isWell(place: SnapshotWorld): Promise<void> {
  const { world } = place;
  const { objects } = world.vault;
  for await (const image of world.records.scan({ kinds: ['snapshot'] })) {
    const name = manifestNamedBy(image)?.name ?? 'nothing';
    const manifest = parseManifest(name, objects.get(name) ?? Buffer.alloc(0));
    for (const part of manifest.parts) parsePart(part, objects.get(part.name) ?? Buffer.alloc(0));
  }
  const { snapshot, error } = await place.choose('newest');
  expect([snapshot === undefined, error]).toEqual([false, undefined]);
  expect((await place.replay({ snapshot })).states).toEqual((await place.replay()).states);
  expect(world.check()).toEqual([]);
  const report = await verifyVault(memoryVaultReader(objects), { profile: 'intact', keys: [] });
  expect(report.findings).toEqual([]);
  // What no record leads to is there, and named for what it is.
  const named = world.entries().flatMap(({ entry }) => (entry.kind === 'snapshot' ? (entry.objects ?? []).map(({ name }) => name) : []));
  const manifests = [...objects.keys()].filter((name) => name.includes('/manifest-'));
  expect(report.orphans.filter((name) => name.includes('/manifest-'))).toEqual(manifests.filter((name) => !named.includes(name)).sort());
}

const story = async (seed: number): Promise<SnapshotWorld> => {
  const place = await snapshotWorld(seed);
  await place.live(seededDraw(seed), 12);
  return place;
};

let converged = 0;
afterAll(() => figure('taking a snapshot: one fault at one call, of six kinds', `${converged} tried, the next run takes one that restores the same, verify: 0 findings`));

test.each(FAULTS)('comes to a usable snapshot after %s at any one call', async (fault: Fault) => {
  const { calls, done } = await run(await story(1), () => undefined);
  expect([done, calls > 15]).toEqual([true, true]);
  const isFull = process.env['INTACT_FULL'] !== undefined;
  for (let index = 0; index < calls; index++) {
    // By default reads of the log meet one fault each, the calls that write and those around them every one.
    if (!isFull && index < calls - 8 && index % FAULTS.length !== FAULTS.indexOf(fault)) continue;
    const place = await story(1);
    await run(place, (call) => (call.index === index ? fault : undefined));
    expect(await run(place, () => undefined)).toMatchObject({ done: true });
    await isWell(place).catch((cause: unknown) => {
      throw new Error(`call ${index} with ${fault}: ${String(cause)}`, { cause });
    });
    converged += 1;
  }
});

test('comes to one after any number of faults in a row', async () => {
  await forEachSeed('storms of faults while a snapshot is taken', 6, async (seed) => {
    const draw = seededDraw(seed);
    const place = await story(seed);
    for (let attempt = 0; attempt < 6; attempt++) await run(place, () => (draw() < 0.05 ? FAULTS[Math.floor(draw() * FAULTS.length)] : undefined));
    await run(place, () => undefined);
    await isWell(place);
  });
});
