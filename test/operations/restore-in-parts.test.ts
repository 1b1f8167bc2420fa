/** A restore in parts: comes to what one restore comes to, goes on where it stopped, never says of half a table that it is whole, and reaches no other. */
import { memoryProcess } from '../../src/adapters/memory/process';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { memoryWorkings } from '../../src/adapters/memory/workings';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { checkMac, withMac } from '../../src/core/record-mac';
import { labelIn, runIn } from '../../src/core/restore-label';
import { executionName, restoreRequestIn, type RestoreRequest } from '../../src/core/restore-request';
import { runResultIn } from '../../src/core/run-records';
import { RESTORE_TASK, restoreInParts, type RestoreInPartsDeps, type RestoreInPartsReport } from '../../src/operations/restore-in-parts';
import { applyRestore, planRestore, restoreKeys, type RestoreNote } from '../../src/operations/restore-records';
import { factsSource, wholeSource } from '../../src/operations/restore-share';
import { inParts, progressOf, reportOf, type InPartsDeps, type Step, type StepOutput } from '../../src/operations/run-in-parts';
import { forEachSeed } from '../seeds';
import { subjectNamed } from '../world';
import { EVERY_MS, populated as erasing, type ErasingWorld } from './erasure/erasing-world';
import { factsOf } from './facts-world';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { live, LIVE_SETTINGS, restoringWorld, textsOf, type RestoringWorld } from './restoring-world';
import { itemsOf, memoryRestoreTarget, type MemoryTables } from '../../src/adapters/memory/restore-target';

const TO = 'records-restored-one';

interface Place {
  readonly deps: RestoreInPartsDeps;
  readonly parting: InPartsDeps;
  readonly workings: ReturnType<typeof memoryWorkings>;
}

function placeOf(world: RestoringWorld['world'] | ErasingWorld['world'], open: (name: string) => ReturnType<typeof memoryRestoreTarget>): Place {
  const workings = memoryWorkings();
  return {
    workings,
    parting: { workings, macKeys: async () => [world.macKey], now: world.now },
    deps: { ...world, sleep: world.sleep, live: open('records'), siblings: [open('log')], prefix: 'records-restored-', tableAt: open, sources: { vault: wholeSource(world.vault), replica: factsSource(memoryVaultReader(factsOf(world))) } },
  };
}

const request = (point: RestoreRequest['point'], more: Partial<RestoreRequest> = {}): RestoreRequest => ({ to: TO, point, from: 'vault', by: 'tester', ...more });

interface Ended {
  readonly steps: readonly string[];
  readonly failed: readonly string[];
  readonly report: RestoreInPartsReport | undefined;
}

/** The machine as lib/constructs/whole-vault.ts has it for this task: each step tried three times, and a part that fails leaves the others what they are. */
async function restored({ deps, parting }: Place, asked: unknown, { wholeUpTo = 40, around = (step: () => Promise<StepOutput>, _name: string) => step() } = {}): Promise<Ended> {
  const [steps, failed]: [string[], string[]] = [[], []];
  const call = async (step: Step, name: string): Promise<StepOutput> => {
    steps.push(name);
    for (let attempt = 1; ; attempt++) {
      try {
        return await around(async () => (await inParts(parting, restoreInParts(deps, { wholeUpTo }), step)).output, name);
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  };
  let [output, run] = [await call({ step: 'begin', asked: JSON.parse(JSON.stringify(asked)) as unknown }, 'begin'), ''];
  while (!output.done) {
    const { parts, ...turn } = output;
    run = turn.run;
    for (const part of parts) await call({ step: 'part', part, run, round: turn.round }, part).catch(() => failed.push(part));
    output = await call({ step: 'merge', run, round: turn.round }, 'merge');
  }
  return { steps, failed, report: (await reportOf(parting, RESTORE_TASK, run)) as RestoreInPartsReport };
}

const labelOf = ({ tables }: Pick<RestoringWorld, 'tables'>, name = TO) => labelIn(tables.get(name)?.settings.tags ?? []);
/** Of more entries than are named, which ones are is chance. */
const byWhy = (notes: readonly RestoreNote[]): readonly RestoreNote[] => notes.map((note) => ({ ...note, entries: note.count > 10 ? [] : [...note.entries].sort((a, b) => a - b) })).sort((a, b) => (`${a.why} ${a.meaning}` < `${b.why} ${b.meaning}` ? -1 : 1));
const restoreRecords = ({ itemsIn }: RestoringWorld): readonly Image[] => itemsIn('records').filter((image) => stringOf(image, 'kind') === 'restore');

async function lived(seed: number, steps = 120): Promise<{ readonly place: RestoringWorld; readonly in_: Place; readonly size: number }> {
  const place = await restoringWorld(seed);
  await live(place, seededDraw(seed), steps);
  await place.settle();
  const head = await place.world.log.readHead();
  if (head === 'absent') throw new Error('a life has entries');
  return { place, in_: placeOf(place.world, place.open), size: head.size };
}

test('makes, in any number of shares, from the vault or its replica, the very table one restore makes, and reports what that reports', async () => {
  await forEachSeed('tables restored in parts', 6, async (seed) => {
    const { place, in_, size } = await lived(seed);
    const draw = seededDraw(seed);
    const point = draw() < 0.5 ? { size: Math.ceil(size * (0.3 + 0.7 * draw())) } : { at: place.world.now().toISOString() };
    const wholeUpTo = Math.ceil(size / (1 + Math.floor(draw() * 6)));
    // Content that was lost comes back with either.
    const lost = [...place.world.inbox.objects.keys()].filter((name) => name.startsWith('content/') && draw() < 0.5);
    const lose = () => lost.forEach((name) => place.world.inbox.objects.delete(name));
    if (draw() < 0.5) place.world.keys.subjects.delete(subjectNamed('customer 2'));
    lose();
    const one = await place.restore('records-restored-direct', point);
    lose();
    const { steps, report } = await restored(in_, request(point, { from: draw() < 0.5 ? 'vault' : 'replica' }), { wholeUpTo });
    const parts = Math.ceil(('size' in point ? point.size : size) / wholeUpTo);
    expect(steps).toEqual(['begin', ...Array.from({ length: parts }, (_, i) => `${i}-of-${parts}`), 'merge']);
    expect(textsOf(place.itemsIn(TO))).toEqual(textsOf(place.itemsIn('records-restored-direct')));
    const { work: _, notes, target, snapshot: _s, snapshotNote: _n, ...plan } = one.plan;
    expect(report?.plan).toMatchObject(JSON.parse(JSON.stringify({ ...plan, target: target.replace('direct', 'one') })) as object);
    expect(byWhy(report?.plan.notes ?? [])).toEqual(byWhy(notes));
    expect(report?.result).toMatchObject({ written: one.result.written, removed: 0, contents: one.result.contents, left: [], settings: [] });
    const { tags, ...settings } = place.tables.get(TO)!.settings;
    const { tags: _tags, ...like } = place.tables.get('records-restored-direct')!.settings;
    expect(settings).toEqual(like);
    expect([labelOf(place), runIn(tags)?.ended, tags.includes('intact:stage=test')]).toEqual([labelOf(place, 'records-restored-direct'), true, true]);
  });
}, 60_000);

test('of a place that was recorded under two people keeps what was there first, though each share knows one of them', async () => {
  await forEachSeed('places with two pasts, in parts', 6, async (seed) => {
    const place = await restoringWorld(seed);
    const { world } = place;
    const first = world.message('resent', { subject: { S: subjectNamed(`first ${seed}`) } });
    await world.write(first, ...Array.from({ length: 20 }, (_, i) => withMac(world.macKey, { ...world.message(`other ${i}`), subject: { S: subjectNamed(`customer ${i % 5}`) } })));
    await place.settle();
    world.records.byHand.remove(keyOf(first));
    await world.write(withMac(world.macKey, { ...first, subject: { S: subjectNamed('second') } }));
    await place.settle();
    const { size } = (await world.log.readHead()) as { readonly size: number };
    const one = await place.restore('records-restored-direct', { size });
    const { report } = await restored(placeOf(world, place.open), request({ size }), { wholeUpTo: 6 });
    expect(textsOf(place.itemsIn(TO))).toEqual(textsOf(place.itemsIn('records-restored-direct')));
    expect(report?.plan.records).toBe(one.plan.records);
  });
});

test('leaves a record of who restored what to where, sealed like every other', async () => {
  const { place, in_, size } = await lived(31, 60);
  const { report } = await restored(in_, request({ size }));
  const [record, ...others] = restoreRecords(place);
  expect(others).toEqual([]);
  expect(checkMac([place.world.macKey], record!)).toBe('valid');
  expect(runResultIn(record!)).toMatchObject({ ok: true, findings: 0, by: 'tester', target: TO, size, records: report?.result.written });
  await place.settle();
  expect(place.world.check()).toEqual([]);
});

test('is done although the live table is gone, with the settings the deployment gives such a table', async () => {
  const { place, in_, size } = await lived(32, 60);
  place.tables.set('log', { settings: { ...LIVE_SETTINGS, stream: 'NEW_IMAGE', expires: 'expiresAt', indexes: [] }, items: { get: () => 'absent', put: () => undefined, remove: () => undefined, all: () => [] } });
  const one = await place.restore('records-restored-direct', { size });
  place.tables.delete('records');
  const { report } = await restored(in_, request({ size }));
  expect([report?.plan.records, report?.result.record]).toEqual([one.plan.records, undefined]);
  expect(place.tables.get(TO)?.settings).toMatchObject({ stream: 'NEW_AND_OLD_IMAGES', expires: null, deletionProtection: true });
});

describe('a restore in parts that is interrupted', () => {
  test('at any call of any step, before or after its effect, is finished by the step done again; until then the table says that it is not whole', async () => {
    await forEachSeed('restores in parts that die', 4, async (seed) => {
      const { place, in_, size } = await lived(seed, 60);
      const draw = seededDraw(seed);
      const one = await place.restore('records-restored-direct', { size });
      let deaths = 0;
      const { report, failed } = await restored(in_, request({ size }), {
        wholeUpTo: Math.ceil(size / 3),
        around: async (step, name) => {
          // Twice at most: the machine tries three times.
          if (deaths % 3 < 2 && draw() < 0.8) {
            deaths += 1;
            const at = Math.floor(draw() * 12);
            const process = memoryProcess({ target: place.open(TO), records: in_.deps.records, inbox: in_.deps.inbox, workings: in_.workings }, ({ index }) => (index === at ? (draw() < 0.5 ? 'kill-before' : 'kill-after') : undefined));
            const dying = { ...in_, deps: { ...in_.deps, records: process.ports.records, inbox: process.ports.inbox, tableAt: () => process.ports.target }, parting: { ...in_.parting, workings: process.ports.workings } };
            const [kind, part] = [name === 'begin' || name === 'merge' ? name : 'part', name];
            const run = runIn(place.tables.get(TO)?.settings.tags ?? [])?.run ?? '';
            const again: Step = kind === 'begin' ? { step: 'begin', asked: request({ size }) } : kind === 'merge' ? { step: 'merge', run, round: 0 } : { step: 'part', part, run, round: 0 };
            await inParts(dying.parting, restoreInParts(dying.deps, { wholeUpTo: Math.ceil(size / 3) }), again).catch(() => undefined);
            if (name !== 'merge' && place.tables.has(TO)) expect(labelOf(place)).toMatchObject({ incomplete: true });
          } else deaths += 1;
          return step();
        },
      });
      expect(failed).toEqual([]);
      expect(textsOf(place.itemsIn(TO))).toEqual(textsOf(place.itemsIn('records-restored-direct')));
      expect([labelOf(place), report?.plan.records]).toEqual([{ origin: place.world.identity.origin, point: { size }, part: false, incomplete: false }, one.plan.records]);
      expect(restoreRecords(place)).toHaveLength(1);
    });
  }, 60_000);

  test('by a share that fails says which, stays labelled, and asked again does that one alone', async () => {
    const { place, in_, size } = await lived(11);
    const wholeUpTo = Math.ceil(size / 4);
    const failing = async (step: () => Promise<StepOutput>, name: string): Promise<StepOutput> => {
      if (name === '2-of-4') throw new Error('out of memory');
      return step();
    };
    const first = await restored(in_, request({ size }), { wholeUpTo, around: failing });
    expect([first.failed, first.report?.shares]).toEqual([['2-of-4'], { of: 4, missing: ['2-of-4'] }]);
    expect(labelOf(place)).toMatchObject({ incomplete: true, part: false });
    expect(restoreRecords(place)).toEqual([]);
    const { run } = runIn(place.tables.get(TO)!.settings.tags)!;
    expect(await progressOf(in_.parting, RESTORE_TASK, run)).toEqual({ done: 3, of: 4 });
    place.world.advance(60_000);
    const second = await restored(in_, request({ size }), { wholeUpTo });
    expect([second.steps, second.report?.shares, labelOf(place)]).toEqual([['begin', '2-of-4', 'merge'], { of: 4, missing: [] }, expect.objectContaining({ incomplete: false })]);
    await place.restore('records-restored-direct', { size });
    expect(textsOf(place.itemsIn(TO))).toEqual(textsOf(place.itemsIn('records-restored-direct')));
  });

  test('goes on although its workings have expired, are not its own, or the number of shares is another one now', async () => {
    for (const [spoil, into] of [[(in_: Place) => in_.workings.objects.clear(), 3], [(in_: Place) => [...in_.workings.objects.keys()].forEach((name) => in_.workings.objects.set(name, Buffer.from('forged\n{}'))), 3], [() => undefined, 2]] as const) {
      const { place, in_, size } = await lived(12, 60);
      await restored(in_, request({ size }), { wholeUpTo: Math.ceil(size / 3), around: async (step, name) => (name === '0-of-3' ? Promise.reject(new Error('no')) : step()) });
      spoil(in_);
      place.world.advance(1);
      const { steps, report } = await restored(in_, request({ size }), { wholeUpTo: Math.ceil(size / into) });
      expect(steps).toEqual(['begin', ...Array.from({ length: into }, (_, i) => `${i}-of-${into}`), 'merge']);
      expect(report?.plan.records).toBe(place.itemsIn(TO).length);
    }
  });

  test('is not taken for done once its table was dropped: shares that are there are of the table that is gone', async () => {
    const { place, in_, size } = await lived(13, 60);
    const wholeUpTo = Math.ceil(size / 3);
    await restored(in_, request({ size }), { wholeUpTo, around: async (step, name) => (name === '0-of-3' ? Promise.reject(new Error('no')) : step()) });
    place.tables.delete(TO);
    place.world.advance(1);
    expect((await restored(in_, request({ size }), { wholeUpTo })).steps).toEqual(['begin', '0-of-3', '1-of-3', '2-of-3', 'merge']);
    // While a run is under way, too: no step of it makes the table anew, or fills another's.
    const work = restoreInParts(in_.deps, { wholeUpTo });
    const { output } = await inParts(in_.parting, work, { step: 'begin', asked: request({ size }) });
    if (output.done) throw new Error('it goes in parts');
    const step: Step = { step: 'part', part: '0-of-3', run: output.run, round: 0 };
    place.tables.delete(TO);
    await expect(inParts(in_.parting, work, step)).rejects.toMatchObject({ code: 'foreign-label' });
    expect(place.tables.has(TO)).toBe(false);
    await place.restore(TO, { size });
    await expect(inParts(in_.parting, work, step)).rejects.toMatchObject({ code: 'foreign-label' });
    await expect(inParts(in_.parting, work, { step: 'merge', run: output.run, round: 0 })).rejects.toMatchObject({ code: 'foreign-label' });
  });

  test('is filled by no share that comes when it is whole, such as of the same restore from the replica', async () => {
    const { place, in_, size } = await lived(15, 60);
    const wholeUpTo = Math.ceil(size / 3);
    await restored(in_, request({ size }), { wholeUpTo });
    const { run } = runIn(place.tables.get(TO)!.settings.tags)!;
    for (const image of place.itemsIn(TO).slice(0, 9)) place.tables.get(TO)!.items.remove(keyOf(image));
    const left = textsOf(place.itemsIn(TO));
    for (const part of ['0-of-3', '1-of-3', '2-of-3']) await expect(inParts(in_.parting, restoreInParts(in_.deps, { wholeUpTo }), { step: 'part', part, run, round: 0 })).rejects.toMatchObject({ code: 'foreign-label' });
    expect(textsOf(place.itemsIn(TO))).toEqual(left);
  });

  test('can be finished by one restore of the same point, and one restore by it', async () => {
    const { place, in_, size } = await lived(14, 60);
    const wholeUpTo = Math.ceil(size / 3);
    await restored(in_, request({ size }), { wholeUpTo, around: async (step, name) => (name === '1-of-3' ? Promise.reject(new Error('no')) : step()) });
    expect((await place.restore(TO)).plan).toMatchObject({ resumes: true, size });
    const whole = textsOf(place.itemsIn(TO));
    expect(labelOf(place)).toMatchObject({ incomplete: false });
    // Somebody took things away, and a restore that was to bring them back died: what an earlier run left is of no use.
    for (const image of place.itemsIn(TO).slice(0, 9)) place.tables.get(TO)!.items.remove(keyOf(image));
    place.world.advance(1);
    const done = await restored(in_, request({ size }), { wholeUpTo });
    expect([done.steps, done.report?.result.written]).toEqual([['begin', '0-of-3', '1-of-3', '2-of-3', 'merge'], 9]);
    expect(textsOf(place.itemsIn(TO))).toEqual(whole);
  });
});

describe('a restore in parts is refused', () => {
  test.each<[string, (size: number) => unknown, string]>([
    ['into the live table', (size) => request({ size }, { to: 'records' }), 'not-a-copy'],
    ["into the drill's table", (size) => request({ size }, { to: 'records-drill-scratch' }), 'not-a-copy'],
    ['into a table named after nothing', (size) => request({ size }, { to: 'records-restored-' }), 'not-a-copy'],
    ['without a request', () => undefined, 'not-a-copy'],
    ['with more than a request', (size) => ({ ...request({ size }), settings: {} }), 'not-a-copy'],
    ['at a size past the head', (size) => request({ size: size + 1 }), 'past-end'],
    ['at a time to come', () => request({ at: '2999-01-01T00:00:00.000Z' }), 'in-future'],
    ['at a time before the first record', () => request({ at: '2001-01-01T00:00:00.000Z' }), 'before-first'],
    ['into a table of another point', (size) => request({ size }, { to: 'records-restored-other' }), 'foreign-label'],
    ['into a table that holds records', (size) => request({ size }, { to: 'records-restored-full' }), 'not-empty'],
  ])('%s, and nothing is written', async (_, asked, code) => {
    const { place, in_, size } = await lived(21, 40);
    await place.restore('records-restored-other', { size: size - 1 });
    await place.open('records-restored-full').create({ ...LIVE_SETTINGS, tags: [] });
    await place.open('records-restored-full').write(place.itemsIn('records').slice(0, 1));
    const before = JSON.stringify([...place.tables].map(([name, { settings, items }]) => [name, settings, items.all().length]));
    await expect(inParts(in_.parting, restoreInParts(in_.deps, { wholeUpTo: 40 }), { step: 'begin', asked: asked(size) })).rejects.toMatchObject({ code });
    expect(JSON.stringify([...place.tables].map(([name, { settings, items }]) => [name, settings, items.all().length]))).toBe(before);
  });

  test('from a replica where there is none', async () => {
    const { in_, size } = await lived(22, 40);
    const deps = { ...in_.deps, sources: { vault: in_.deps.sources.vault } };
    await expect(inParts(in_.parting, restoreInParts(deps, { wholeUpTo: 40 }), { step: 'begin', asked: request({ size }, { from: 'replica' }) })).rejects.toMatchObject({ code: 'no-replica' });
  });
});

test('who is erased while shares are restored is not in a table that is said to be whole', async () => {
  const { it, eve } = await erasing(5);
  const tables: MemoryTables = new Map([['records', { settings: LIVE_SETTINGS, items: itemsOf(it.world.records) }]]);
  const in_ = placeOf(it.world, (name) => memoryRestoreTarget(tables, name));
  const { size } = (await it.world.log.readHead()) as { readonly size: number };
  const ofEve = (): readonly Image[] => (tables.get(TO)?.items.all() ?? []).filter((image) => JSON.stringify(image).includes('the words of eve'));
  let seen = 0;
  const { report } = await restored(in_, request({ size }), {
    wholeUpTo: Math.ceil(size / 2),
    around: async (step, name) => {
      if (name === 'merge') {
        seen = ofEve().length;
        await it.confirmed(eve);
        await it.untilDone(() => it.world.advance(EVERY_MS));
        await it.settle();
      }
      return step();
    },
  });
  expect(seen).toBeGreaterThan(0);
  expect([ofEve(), report?.shares.missing, labelIn(tables.get(TO)!.settings.tags)]).toEqual([[], [], expect.objectContaining({ incomplete: false })]);
}, 60_000);

test('what was removed under a key that is still there comes back with an earlier point, in however few shares', async () => {
  const { it, eve } = await erasing(6);
  const tables: MemoryTables = new Map([['records', { settings: LIVE_SETTINGS, items: itemsOf(it.world.records) }]]);
  const open = (name: string) => memoryRestoreTarget(tables, name);
  const { size } = (await it.world.log.readHead()) as { readonly size: number };
  await it.confirmed(eve);
  for (let run = 0; !(await it.advance()).every(({ removed, waiting }) => removed === 0 && waiting === 'time') || (await it.images('tombstone')).length === 0; run++) {
    expect(run).toBeLessThan(30);
    await it.settle();
    it.world.advance(EVERY_MS);
  }
  const { vault, inbox, now } = it.world;
  const direct = { ...(await restoreKeys(it.world)), vault, inbox, now, target: open('records-restored-direct') };
  await applyRestore(direct, await planRestore(direct, { settings: LIVE_SETTINGS, size }));
  const whole = textsOf(tables.get('records-restored-direct')!.items.all());
  expect(JSON.stringify([...whole])).toContain('the words of eve');
  for (const into of [1, 2, 5]) {
    const name = `records-restored-in-${into}`;
    const { report } = await restored(placeOf(it.world, open), request({ size }, { to: name }), { wholeUpTo: Math.ceil(size / into) });
    expect([into, textsOf(tables.get(name)!.items.all())]).toEqual([into, whole]);
    expect(report?.plan.records).toBe(whole.size);
  }
}, 60_000);

test('is called the same whoever asks for it, and otherwise than any other', () => {
  const asked = request({ size: 5 });
  const others = [request({ size: 6 }), request({ at: '2026-01-01T00:00:00.000Z' }), request({ size: 5 }, { to: 'records-restored-two' }), request({ size: 5 }, { from: 'replica' })];
  expect(executionName(asked, 1)).toBe(executionName({ ...asked, by: 'another' } as RestoreRequest, 1));
  expect(new Set([...[asked, ...others].map((each) => executionName(each, 1)), executionName(asked, 2)]).size).toBe(others.length + 2);
  // What Step Functions takes as a name.
  expect(executionName(asked, 999)).toMatch(/^[0-9a-f]{32}-999$/);
});

test.each([undefined, null, 'records', {}, request({ size: 0 }), request({ size: 1.5 }), request({ at: '2026-01-01' }), { ...request({ size: 1 }), from: 's3://elsewhere' }, { ...request({ size: 1 }), point: { size: 1, at: '2026-01-01T00:00:00.000Z' } }, request({ size: 1 }, { by: '' }), request({ size: 1 }, { to: 'a/b' })])('%j is no request', (asked) => {
  expect(restoreRequestIn(asked)).toBe('unknown');
});
