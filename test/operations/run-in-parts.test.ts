/** Runs in parts: each task comes to what one run comes to, a step done twice is done once, and nothing is believed that no part of the run wrote. */
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { memoryWorkings } from '../../src/adapters/memory/workings';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { formatHandOver } from '../../src/core/hand-over';
import { checkMac } from '../../src/core/record-mac';
import { runResultIn } from '../../src/core/run-records';
import { auditInParts } from '../../src/operations/audit-in-parts';
import { inParts, InPartsError, type InPartsDeps, type PartedWork, type StepOutput } from '../../src/operations/run-in-parts';
import { snapshotInParts } from '../../src/operations/snapshot-in-parts';
import { verifyInParts } from '../../src/operations/verify-in-parts';
import { makeWatch } from '../../src/operations/verify-on-schedule';
import type { World } from '../world';
import { auditedWorld, auditFindings, populated } from './audited-world';
import { runMachine } from './machine';
import { snapshotWorld } from './snapshot-world';
import { makeWorld } from '../world';
import { seededDraw } from '../../src/adapters/memory/schedule';

const parting = (world: World) => {
  const workings = memoryWorkings();
  const deps: InPartsDeps = { workings, macKeys: async () => [world.macKey], now: world.now };
  return { workings, deps };
};
async function ofKind({ records }: World, kind: string): Promise<Image[]> {
  const found: Image[] = [];
  for await (const image of records.scan({ kinds: [kind] })) found.push(image);
  return found;
}

describe('the steps', () => {
  /** Adds up numbers, three at a time; a sum that is odd is done again as one part. */
  const adding = (numbers: readonly number[]): PartedWork<{ readonly numbers: readonly number[] }, number, { readonly sum: number }> => ({
    task: 'adding',
    begin: async () => (numbers.length <= 1 ? { done: true, fields: { sum: numbers[0] ?? 0 } } : { done: false, plan: { numbers }, parts: ['a', 'b'], todo: ['a', 'b'] }),
    part: async (plan, part) => {
      const half = Math.ceil(plan.numbers.length / 2);
      const mine = part === 'all' ? plan.numbers : part === 'a' ? plan.numbers.slice(0, half) : plan.numbers.slice(half);
      const sum = mine.reduce((total, n) => total + n, 0);
      return { result: sum, fields: { sum } };
    },
    merge: async (plan, results) => {
      const sum = [...results.values()].reduce((total, n) => total + n, 0);
      return sum % 2 === 0 || results.has('all') ? { done: true, fields: { sum } } : { done: false, plan, parts: ['all'], todo: ['all'] };
    },
  });
  const deps = (): InPartsDeps & { readonly workings: ReturnType<typeof memoryWorkings> } => ({ workings: memoryWorkings(), macKeys: async () => [{ id: 1, secret: Buffer.alloc(32, 1) }], now: () => new Date('2026-01-01T00:00:00Z') });

  test.each([
    [[7], ['begin'], 7],
    [[1, 2, 3], ['begin', 'a', 'b', 'merge'], 6],
    [[1, 2, 4], ['begin', 'a', 'b', 'merge', 'all', 'merge'], 7],
  ])('of %j are %j', async (numbers, steps, sum) => {
    for (const times of [1, 2]) expect(await runMachine(deps(), adding(numbers), { times })).toEqual({ steps, fields: { sum } });
  });

  const begun = async (world: ReturnType<typeof deps>) => {
    const { output } = await inParts(world, adding([1, 2, 3]), { step: 'begin' });
    if (output.done) throw new Error('three numbers go in parts');
    const { run, round } = output as Extract<StepOutput, { done: false }>;
    return { run, round };
  };

  test('cannot be put together while a part is missing', async () => {
    const world = deps();
    const turn = await begun(world);
    await inParts(world, adding([]), { step: 'part', part: 'a', ...turn });
    await expect(inParts(world, adding([]), { step: 'merge', ...turn })).rejects.toMatchObject({ code: 'absent', message: expect.stringContaining('part-b') as string });
    await expect(inParts(world, adding([]), { step: 'part', part: 'a', ...turn, round: 1 })).rejects.toBeInstanceOf(InPartsError);
  });

  test.each<[string, (world: ReturnType<typeof deps>, path: string, run: string) => void]>([
    ['changed by one digit', ({ workings }, path) => void workings.objects.set(path, Buffer.from(workings.objects.get(path)!.toString().replace(/\d+$/, '4')))],
    ['without its MAC', ({ workings }, path) => void workings.objects.set(path, Buffer.from('3'))],
    ['empty', ({ workings }, path) => void workings.objects.set(path, Buffer.alloc(0))],
    ["another part's", ({ workings }, path) => void workings.objects.set(path, workings.objects.get(path.replace('part-a', 'part-b'))!)],
    ['under another key', ({ workings }, path, run) => void workings.objects.set(path, formatHandOver({ id: 1, secret: Buffer.alloc(32, 2) }, { task: 'adding', run, name: 'part-a' }, 3))],
    ["another run's", ({ workings }, path) => void workings.objects.set(path, formatHandOver({ id: 1, secret: Buffer.alloc(32, 1) }, { task: 'adding', run: '2025-12-31T00:00:00.000Z', name: 'part-a' }, 3))],
    ["another task's", ({ workings }, path, run) => void workings.objects.set(path, formatHandOver({ id: 1, secret: Buffer.alloc(32, 1) }, { task: 'audit-table', run, name: 'part-a' }, 3))],
  ])('believe no result that is %s', async (_, change) => {
    const world = deps();
    const turn = await begun(world);
    for (const part of ['a', 'b']) await inParts(world, adding([]), { step: 'part', part, ...turn });
    change(world, `adding/${turn.run}/part-a.json`, turn.run);
    await expect(inParts(world, adding([]), { step: 'merge', ...turn })).rejects.toMatchObject({ code: 'forged', message: expect.stringContaining('part-a') as string });
  });

  test('come to an end, whatever a merge asks for', async () => {
    const never: PartedWork<null, number, object> = { task: 'never', begin: async () => ({ done: false, plan: null, parts: [], todo: [] }), part: async () => ({ result: 0, fields: {} }), merge: async () => ({ done: false, plan: null, parts: [], todo: [] }) };
    await expect(runMachine(deps(), never)).rejects.toMatchObject({ code: 'unending' });
  });
});

describe('an audit in finer shares', () => {
  const share = { number: 1, of: 2 };

  test('of a small log is one audit, as ever', async () => {
    const audited = await auditedWorld(1);
    await populated(audited, 30);
    const { deps } = parting(audited.world);
    expect(await runMachine(deps, auditInParts(audited.deps, { share: () => share, wholeUpTo: 15 }))).toMatchObject({ steps: ['begin'], fields: { ok: true, share: 1, size: 30 } });
    expect(await ofKind(audited.world, 'audit')).toHaveLength(1);
  });

  test('finds what one audit of the share finds, asks for the same repairs, and leaves one record of all of them', async () => {
    const world = async () => {
      const audited = await auditedWorld(2);
      const images = await populated(audited, 80);
      for (const [i, image] of images.entries()) {
        if (i % 6 === 1) audited.world.records.byHand.put({ ...image, text: { S: 'another' } });
        if (i % 6 === 4) audited.world.records.byHand.remove(keyOf(image));
      }
      return audited;
    };
    const [one, parts] = [await world(), await world()];
    const report = await one.audit({ share });
    expect(report.findings).toBeGreaterThan(4);
    const { deps } = parting(parts.world);
    const { steps, fields } = await runMachine(deps, auditInParts(parts.deps, { share: () => share, wholeUpTo: 14 }), { times: 2 });
    expect(steps).toEqual(['begin', '0', '1', '2', 'merge']);
    expect(fields).toMatchObject({ ok: false, findings: report.findings, records: report.records, size: report.size, share: 1 });
    expect(await auditFindings(parts)).toEqual(await auditFindings(one));
    const asked = (audited: typeof one): string[] => [...new Set(audited.asked.map((key) => JSON.stringify(key)))].sort();
    expect(asked(parts)).toEqual(asked(one));
    const [record, ...others] = await ofKind(parts.world, 'audit');
    expect(others).toEqual([]);
    expect(checkMac([parts.world.macKey], record!)).toBe('valid');
    expect(runResultIn(record!)).toMatchObject({ at: fields?.audit, ok: false, findings: report.findings, target: 'share 2/2' });
    await parts.settle();
    expect(parts.world.check()).toEqual([]);
  });

  test('leaves none while a share could not be audited', async () => {
    const audited = await auditedWorld(3);
    await populated(audited, 40);
    const { deps } = parting(audited.world);
    const work = auditInParts({ ...audited.deps, table: { ...audited.deps.table, scan: () => audited.world.records.scan() } }, { share: () => ({ number: 0, of: 1 }), wholeUpTo: 20 });
    const { output } = await inParts(deps, work, { step: 'begin' });
    if (output.done) throw new Error('forty entries are two parts');
    const { run, round } = output;
    await inParts(deps, work, { step: 'part', run, round, part: '0' });
    await expect(inParts(deps, work, { step: 'merge', run, round })).rejects.toMatchObject({ code: 'absent' });
    expect(await ofKind(audited.world, 'audit')).toEqual([]);
    expect(audited.world.meter.counts.get('AuditCompleted')).toBeUndefined();
  });
});

describe('a snapshot in shares', () => {
  test('is one that replays to what the log does, vouched for like any other, also when every step was done twice', async () => {
    const compacted = await snapshotWorld(4);
    await compacted.live(seededDraw(4), 60);
    const size = compacted.size();
    const { deps } = parting(compacted.world);
    const { steps, fields } = await runMachine(deps, snapshotInParts(compacted.deps, { wholeUpTo: Math.ceil(size / 3) }), { times: 2, after: () => compacted.settle() });
    expect(steps).toEqual(['begin', '0', '1', '2', 'merge']);
    expect(fields).toMatchObject({ size });
    await compacted.settle();
    const { snapshot } = await compacted.choose('newest');
    expect(snapshot?.manifest.size).toBe(size);
    expect(await ofKind(compacted.world, 'snapshot')).toHaveLength(1);
    expect((await compacted.replay({ snapshot })).states).toEqual((await compacted.replay()).states);
  });

  test('of a small log is taken at once', async () => {
    const compacted = await snapshotWorld(5);
    await compacted.live(seededDraw(5), 10);
    const { deps } = parting(compacted.world);
    expect((await runMachine(deps, snapshotInParts(compacted.deps, { wholeUpTo: 10_000 }))).steps).toEqual(['begin']);
    expect(await ofKind(compacted.world, 'snapshot')).toHaveLength(1);
  });
});

describe('a verification in ranges', () => {
  async function watched(seed: number, entries: number) {
    const world = await makeWorld({ seed });
    for (let n = 0; n < entries; n += 100) {
      await world.write(...Array.from({ length: 100 }, (_, i) => world.message(`message ${n + i}`)));
      await world.seal();
      await world.publish();
    }
    const objects = new Map<string, Buffer>();
    for await (const name of world.vault.list('')) objects.set(name, (await world.vault.get(name)) as Buffer);
    const watch = { ...makeWatch({ ...world, vault: memoryVaultReader(objects), lockPolicy: { mode: 'GOVERNANCE', retentionDays: 1 } }), log: world.log };
    return { world, objects, watch, deps: parting(world).deps };
  }

  test('leaves one record of all of it, findings included, and remembers what it proved', async () => {
    const { world, objects, watch, deps } = await watched(6, 700);
    const work = verifyInParts(watch, { wholeUpTo: 256 });
    const clean = await runMachine(deps, work, { times: 2 });
    expect(clean).toMatchObject({ steps: ['begin', 'range-0-256', 'range-256-512', 'merge'], fields: { ok: true, findings: 0, entries: 700 } });
    const [record, ...others] = await ofKind(world, 'verification');
    expect(others).toEqual([]);
    expect(record).toMatchObject({ ok: { BOOL: true }, size: { N: '700' }, provenSize: { N: '700' } });
    world.advance(60_000);
    const name = [...objects.keys()].find((each) => each.startsWith('tile/entries/001'))!;
    objects.get(name)![objects.get(name)!.length - 1]! ^= 1;
    expect((await runMachine(deps, work)).fields).toMatchObject({ ok: false });
    expect((await ofKind(world, 'finding')).map((found) => stringOf(found, 'object'))).toContain(name);
    expect(await ofKind(world, 'verification')).toHaveLength(2);
  });

  test('joins ranges between which the way up to the root is broken, and finds what is broken', async () => {
    const { world, objects, watch, deps } = await watched(7, 1_100);
    const edge = 'tile/1/000.p/4';
    objects.get(edge)![3]! ^= 1;
    const { steps, fields } = await runMachine(deps, verifyInParts(watch, { wholeUpTo: 256 }));
    expect(steps).toEqual(['begin', 'range-0-256', 'range-256-512', 'range-512-768', 'range-768-1024', 'merge', 'range-0-1024', 'merge']);
    expect(fields).toMatchObject({ ok: false, entries: 1_100 });
    expect((await ofKind(world, 'finding')).map((found) => stringOf(found, 'object'))).toContain(edge);
  });

  test('is one run where the checkpoint does not stand: that has to be said', async () => {
    const { world, objects, watch, deps } = await watched(8, 700);
    objects.delete('log.vkeys');
    expect((await runMachine(deps, verifyInParts(watch, { wholeUpTo: 256 }))).steps).toEqual(['begin']);
    expect((await ofKind(world, 'finding')).map((found) => stringOf(found, 'code'))).toContain('keys-missing');
  });
});
