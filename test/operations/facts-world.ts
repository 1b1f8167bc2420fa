/** Logs whose facts alone are left: what a replica holds of them. */
import { seededDraw, seededSchedule } from '../../src/adapters/memory/schedule';
import { sealRecords } from '../../src/operations/seal-records';
import { makeWorld, type World } from '../world';

/** What is replicated: all that is locked but tiles, and the keys. */
const isFact = (name: string): boolean => /^(segment|blob|snapshot|checkpoints|report)\//.test(name) || name === 'log.vkeys';
export const factsOf = (world: World): Map<string, Buffer> => new Map([...world.vault.objects].filter(([name]) => isFact(name)));

/** A log of several checkpoints, with sealers that raced, so that losers' segments lie beside the winners'. */
export async function lived(seed: number, n = 40): Promise<World> {
  const world = await makeWorld({ seed });
  const draw = seededDraw(seed);
  for (let from = 0; from < n; ) {
    const until = from + 1 + Math.floor(draw() * 12);
    for (; from < until; from++) await world.write(world.message(`${from}`));
    const schedule = seededSchedule(seed + from);
    const turns = async (): Promise<undefined> => schedule.turn().then(() => undefined);
    await schedule.run<unknown>([0, 3].map((skip) => () => sealRecords(world.sealer(world.process(turns)), world.stream.slice(skip))));
    if (draw() < 0.6) await world.publish();
  }
  await world.publish();
  return world;
}

/** With one bit another, in its last byte. */
export const flipped = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[copy.length - 1]! ^= 1;
  return copy;
};
