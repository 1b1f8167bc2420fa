/** Drills of a part of the records: shares find together what one drill finds, whatever was done by hand, and what is done in parts leaves one record of all of them. */
import { memoryWorkings } from '../../src/adapters/memory/workings';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { keyOf, type Image } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { runResultIn } from '../../src/core/run-records';
import { drillInParts, type DrillTurn } from '../../src/operations/drill-in-parts';
import { restoreFromVault, type DrillReport } from '../../src/operations/run-drill';
import { inParts, type InPartsDeps } from '../../src/operations/run-in-parts';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { subjectNamed } from '../world';
import { populated } from './audited-world';
import { drilledWorld, drillRecords, type Drilled } from './drilled-world';
import { runMachine } from './machine';

const lastsAtMostMs = 15 * 60_000;
const named = (reports: readonly DrillReport[]): string[] => reports.flatMap(({ found }) => found.map((each) => ('key' in each ? `${each.kind} ${each.key.pk}` : each.kind))).sort();

/** What is done to records past the rules, each so that the sealer saw it. */
const damage = async ({ world, settle }: Drilled, images: readonly Image[], draw: () => number): Promise<void> => {
  const { byHand } = world.records;
  const another = () => ({ subject: { S: subjectNamed(`customer ${Math.floor(draw() * 7)}`) } });
  for (const image of images) {
    const what = draw();
    if (what < 0.06) byHand.put({ ...image, text: { S: 'another' } });
    else if (what < 0.12) byHand.remove(keyOf(image));
    else if (what < 0.18) byHand.put({ ...image, ...another() });
    else if (what < 0.26) {
      // Recorded anew under somebody else, and sometimes put back.
      byHand.remove(keyOf(image));
      byHand.put(withMac(world.macKey, { ...image, ...another() }));
      await settle();
      if (draw() < 0.5) byHand.put(image);
    } else if (what < 0.3) byHand.put({ ...world.message(`planted ${draw()}`), ...another(), mac: { S: 'none' } });
    if (draw() < 0.2) await settle();
  }
  await settle();
};

test('the shares find together what one drill finds, whatever was done by hand and whomever a record then pretends to be of', async () => {
  let found = 0;
  await forEachSeed('damaged tables drilled in shares', 12, async (seed) => {
    const drilled = await drilledWorld(seed);
    const draw = seededDraw(seed);
    await damage(drilled, await populated(drilled, 60), draw);
    const whole = await drilled.drill();
    await drilled.settle();
    const of = 2 + Math.floor(draw() * 4);
    const shares: DrillReport[] = [];
    for (let number = 0; number < of; number++) {
      drilled.world.advance(1);
      shares.push(await drilled.drill({ share: { number, of } }));
    }
    // The shares also restored the record of the drill before.
    expect([named(shares), shares.reduce((sum, { records }) => sum + records, 0) >= whole.records]).toEqual([named([whole]), true]);
    found += whole.differences;
  });
  figure('differences that drills found, in shares as in one', `${found}`);
  expect(found).toBeGreaterThan(0);
}, process.env['INTACT_FULL'] ? 1_800_000 : 60_000);

describe('a drill in parts', () => {
  const turn = (wholeUpTo: number): DrillTurn => ({ share: () => ({ number: 0, of: 1 }), from: () => 'vault', lastsAtMostMs, wholeUpTo });
  const parting = ({ world }: Drilled): InPartsDeps => ({ workings: memoryWorkings(), macKeys: async () => [world.macKey], now: world.now });

  test('of a small log is one drill, as ever', async () => {
    const drilled = await drilledWorld(1);
    await populated(drilled, 30);
    expect(await runMachine(parting(drilled), drillInParts(drilled.drillDeps, turn(30)))).toMatchObject({ steps: ['begin'], fields: { ok: true, records: 30 } });
    expect(await drillRecords(drilled)).toHaveLength(1);
  });

  test('restores each record in exactly one of them, names what differs, leaves one record and no scratch table', async () => {
    const drilled = await drilledWorld(2);
    const images = await populated(drilled, 80);
    drilled.world.records.byHand.put({ ...images[3]!, text: { S: 'another' } });
    drilled.world.records.byHand.remove(keyOf(images[7]!));
    const { steps, fields } = await runMachine(parting(drilled), drillInParts(drilled.drillDeps, turn(30)));
    expect(steps).toEqual(['begin', '0', '1', '2', 'merge']);
    expect(fields).toMatchObject({ ok: false, differences: 2, records: 80, size: 80, behind: 0, from: 'vault' });
    const [record, ...others] = await drillRecords(drilled);
    expect(others).toEqual([]);
    expect(runResultIn(record!)).toMatchObject({ at: fields?.drill, ok: false, findings: 2, records: 80 });
    expect([...drilled.tables.keys()]).toEqual(['records']);
    expect(drilled.world.meter.counts.get('DrillCompleted')).toBe(1);
  });

  test('opens no more than its own entries in each', async () => {
    const drilled = await drilledWorld(3);
    await populated(drilled, 90);
    const opened: string[] = [];
    const keys = { ...drilled.world.keys, get: (subject: string) => (opened.push(subject), drilled.world.keys.get(subject)) };
    const restore = restoreFromVault({ ...drilled.drillDeps, keys });
    const asked: string[][] = [];
    for (const part of ['0', '1', '2']) {
      opened.length = 0;
      const deps = { ...drilled.drillDeps, restore };
      const work = drillInParts(deps, turn(40));
      const { output } = await inParts({ ...parting(drilled), workings: memoryWorkings() }, work, { step: 'begin' });
      expect(output.done).toBe(false);
      await work.part({ share: { number: 0, of: 1 }, from: 'vault', into: 3 }, part, 'run');
      asked.push([...new Set(opened)]);
    }
    expect(asked.every((subjects) => subjects.length > 0)).toBe(true);
    expect(new Set(asked.flat()).size).toBe(asked.flat().length);
  });

  test('is not said to have been held while a part found the scratch table taken', async () => {
    const drilled = await drilledWorld(4);
    await populated(drilled, 40);
    const deps = parting(drilled);
    const undroppable = { ...drilled.drillDeps, scratch: { ...drilled.drillDeps.scratch, discard: async () => Promise.reject(new Error('still there')) } };
    const work = drillInParts(undroppable, turn(20));
    const { output } = await inParts(deps, work, { step: 'begin' });
    if (output.done) throw new Error('forty entries are two parts');
    const { run, round } = output;
    await expect(inParts(deps, work, { step: 'part', run, round, part: '0' })).rejects.toThrow('still there');
    await expect(inParts(deps, work, { step: 'part', run, round, part: '0' })).rejects.toMatchObject({ code: 'busy' });
    await expect(inParts(deps, work, { step: 'merge', run, round })).rejects.toMatchObject({ code: 'absent' });
    expect(await drillRecords(drilled)).toEqual([]);
    // Its time is over: the next drill drops it.
    drilled.world.advance(lastsAtMostMs + 1);
    expect(await drilled.drill()).toMatchObject({ ok: true });
    expect([...drilled.tables.keys()]).toEqual(['records']);
  });
});
