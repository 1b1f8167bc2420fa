/**
 * Whatever call of an erasure fails, and however: doing it again ends in the same: nothing of the person in any store, everybody else as they were, one certificate, and neither the verifier nor
 * the sealer nor the audit has anything to say.
 */
import { FAULTS, Killed, type Fault, type OnCall } from '../../src/adapters/memory/process';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { stringOf } from '../../src/core/image';
import { advanceErasures } from '../../src/operations/erasure/advance-erasures';
import { PortError } from '../../src/ports';
import { figure } from '../figures';
import { populated, SECRETS, type ErasingWorld } from '../operations/erasure/erasing-world';
import { forEachSeed, seeds } from '../seeds';
import { findingsIn } from '../world';

const isFull = process.env['INTACT_FULL'] !== undefined;
/** Longer than any wait, so that every run of the schedule finds something to do. */
const BETWEEN_RUNS_MS = 25 * 60_000;
const MAX_RUNS = 12;

/** One run of the schedule; what fails is what the function's caller sees. Returns how many calls it made. */
async function run(it: ErasingWorld, onCall: OnCall = () => undefined): Promise<number> {
  const container = it.container(onCall);
  try {
    await advanceErasures(container.deps);
  } catch (error) {
    if (!(error instanceof Killed || error instanceof PortError)) throw error;
  }
  await container.settle();
  await it.settle();
  it.world.advance(BETWEEN_RUNS_MS);
  return container.calls.length;
}

const isDone = async (it: ErasingWorld): Promise<boolean> => (await it.images('certificate')).length > 0;

async function isWell(it: ErasingWorld, other: string): Promise<void> {
  for (let runs = 0; !(await isDone(it)); runs++) {
    if (runs > MAX_RUNS) throw new Error('the erasure does not come to its end');
    await run(it);
  }
  for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
  expect(await it.customerOf('wamid.other-1')).toBe(other);
  expect((await it.holding('the words of somebody else')).length).toBeGreaterThan(0);
  expect(await findingsIn(it.world)).toEqual([]);
  expect(it.world.check()).toEqual([]);
  expect(await it.verify()).toEqual([]);
  const [certificate, ...more] = await it.images('certificate');
  expect(more).toEqual([]);
  // What the certificate counts is what there is.
  expect(stringOf(certificate, 'recoverableUntil')).toMatch(/^\d{4}-\d\d-\d\d$/);
  expect((certificate!['removed'] as { N: string }).N).toBe(String((await it.images('tombstone')).length));
}

let [converged, stormed] = [0, 0];
afterAll(() => figure('erasure: one fault at one call, of six kinds, at every call of every run; storms of faults', `${converged} faults and ${stormed} storms tried, each ended erased, certified once, 0 findings`));

test('an erasure converges after a fault at any one call of any of its runs', async () => {
  const calls: number[] = [];
  const plain = await populated(1);
  await plain.it.confirmed(plain.eve);
  while (!(await isDone(plain.it))) calls.push(await run(plain.it));
  expect(calls.length).toBeGreaterThan(3);
  await isWell(plain.it, plain.other);
  const [shift = 0] = seeds(1);
  let nth = shift;
  for (const [at, n] of calls.entries()) {
    for (let index = 0; index < n; index++) {
      // Every other call meets one kind of fault, in turn; each of them all when full.
      const faults: readonly Fault[] = isFull ? FAULTS : (index + shift) % 2 === 0 ? [FAULTS[nth++ % FAULTS.length] as Fault] : [];
      for (const fault of faults) {
        const { it, eve, other } = await populated(1);
        await it.confirmed(eve);
        for (let before = 0; before < at; before++) await run(it);
        await run(it, (call) => (call.index === index ? fault : undefined));
        try {
          await isWell(it, other);
        } catch (error) {
          throw new Error(`run ${at}, call ${index} with ${fault}: ${String(error)}`, { cause: error });
        }
        converged++;
      }
    }
  }
}, 1_800_000);

test('an erasure converges after any number of faults in a row, and two schedules at once', async () => {
  await forEachSeed('storms of faults over erasures', 12, async (seed) => {
    const draw = seededDraw(seed);
    const { it, eve, other } = await populated(seed);
    await it.confirmed(eve);
    const storm: OnCall = () => (draw() < 0.06 ? FAULTS[Math.floor(draw() * FAULTS.length)] : undefined);
    for (let attempt = 0; attempt < 10; attempt++) {
      await run(it, storm);
      if (draw() < 0.3) await Promise.all([run(it, storm), run(it, storm)]);
    }
    await isWell(it, other);
    stormed++;
  });
});
