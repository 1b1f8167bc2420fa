/** Taking snapshots: what is replayed from one and the entries behind it is what is replayed from all entries, whatever the log holds, and whichever keys come and go. */
import { gunzipSync } from 'node:zlib';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { checkMac, withMac } from '../../src/core/record-mac';
import { runResultIn } from '../../src/core/run-records';
import { parseManifest } from '../../src/core/snapshot';
import { publishedCheckpoint } from '../../src/operations/published-entries';
import { snapshotRows, type TrustedSnapshot } from '../../src/operations/read-snapshot';
import { applyRestore, planRestore } from '../../src/operations/restore-records';
import { sealSnapshot, takeParts, takeSnapshot } from '../../src/operations/take-snapshot';
import type { WrappedKey } from '../../src/ports';
import { figure } from '../figures';
import { naiveRoot } from '../naive-log';
import { forEachSeed } from '../seeds';
import { subjectNamed } from '../world';
import { LIVE_SETTINGS, profile, restoringWorld, textsOf } from './restoring-world';
import { snapshotWorld, type SnapshotWorld } from './snapshot-world';

const objectsOf = ({ world }: SnapshotWorld) => [...world.vault.objects].filter(([name]) => name.startsWith('snapshot/'));
/** Index and entry of every row, read without any code of ours. */
function rowsIn(place: SnapshotWorld): readonly { readonly index: number; readonly entry: string }[] {
  const rows: { index: number; entry: string }[] = [];
  for (const [name, bytes] of objectsOf(place)) {
    if (name.includes('manifest')) continue;
    const plain = gunzipSync(bytes);
    for (let at = 0; at < plain.length; ) {
      const end = at + 8 + plain.readUInt16BE(at + 6);
      rows.push({ index: plain.readUIntBE(at, 6), entry: plain.subarray(at + 8, end).toString() });
      at = end;
    }
  }
  return rows;
}

let compared = 0;
afterAll(() => figure('snapshots at random sizes of random logs, with keys lost, erased and found again', `${compared} replayed to a size or a time, each the same as from all entries`));

describe('a snapshot and the entries behind it', () => {
  test('come to what all entries come to, at any size and time behind it, whatever the log holds and whichever keys come and go', async () => {
    const met = new Set<string>();
    await forEachSeed('logs compacted', 4, async (seed) => {
      const draw = seededDraw(seed);
      const place = await snapshotWorld(seed);
      const among = (from: number, to: number): number => from + Math.floor(draw() * (to - from + 1));
      const compare = async (choice: number, newestAt: string): Promise<void> => {
        const { snapshot } = await place.choose(choice);
        const ats = place.world.entries().map(({ entry }) => entry.at).filter((at) => at >= newestAt);
        for (const point of [{ size: among(choice, place.size()) }, { at: ats[among(0, ats.length - 1)] ?? newestAt }]) {
          const whole = await place.replay(point);
          expect((await place.replay({ ...point, snapshot })).states).toEqual(whole.states);
          expect(whole.states).toEqual(await place.naive(point));
          for (const why of whole.summary.counts.keys()) met.add(why);
          compared += 1;
        }
      };
      await place.live(draw, 60);
      await place.sealUnderAnotherKey();
      for (let round = 0; round < 3; round++) {
        // Some keys are away when it is taken, and back later; others go afterwards.
        const bringBack = place.loseKeys(draw);
        const k = among(1, place.size());
        const { snapshot: name } = await place.snapshot(k, among(1, 6));
        const { newestAt } = parseManifest(name, place.world.vault.objects.get(name) as Buffer);
        if (draw() < 0.5) await place.live(draw, 15); // while they are away
        bringBack();
        await compare(k, newestAt);
        const later = place.loseKeys(draw);
        await compare(k, newestAt);
        later();
        await place.live(draw, 15);
        await compare(k, newestAt);
      }
      const report = await place.snapshot();
      expect(report.rows).toBeLessThan(report.size);
    });
    if (process.env['INTACT_SEED'] === undefined) for (const why of ['mac', 'kind', 'immutable', 'older', 'misplaced', 'removed-by-hand', 'erased', 'key-absent', 'key-corrupt', 'damaged']) expect([...met]).toContain(why);
  }, process.env['INTACT_FULL'] ? 1_800_000 : 120_000);

  test('hold what a person reads in the format: entries as they were logged, each once, without those that can never count', async () => {
    const place = await snapshotWorld(2);
    const { world } = place;
    await world.write(world.message('stays'), world.profile(1, 1, 'first'));
    await place.settle();
    for (let rev = 2; rev <= 4; rev++) {
      await world.records.replace(world.profile(1, rev, `revision ${rev}`), rev - 1);
      await place.settle();
    }
    world.records.byHand.put({ ...world.message('stays'), text: { S: 'forged' } });
    world.records.byHand.remove({ pk: 'm#nothing', sk: 'x' });
    await place.settle();
    const before = world.entries().length;
    await place.snapshot(before);
    const rows = rowsIn(place);
    expect(rows.map(({ entry }) => entry)).toEqual(rows.map(({ index }) => world.entries()[index]!.bytes.toString()));
    // The message, first and newest revision of the profile, and what the sealer found.
    expect(rows.map(({ index }) => index)).toEqual([0, 1, 4, 6, 7]);
    const [manifest] = objectsOf(place).filter(([name]) => name.includes('manifest'));
    expect(JSON.parse(manifest![1].toString())).toMatchObject({ v: 1, kind: 'intact-snapshot', origin: world.identity.origin, size: before, records: 4, rows: 5, closed: 0, root: naiveRoot(world.entries().slice(0, before).map(({ bytes }) => bytes)).toString('base64') });
  });

  test('hold what this program cannot read or open today, for a newer one may, and a key may come back', async () => {
    const place = await snapshotWorld(12);
    const { world } = place;
    world.records.byHand.put(withMac(world.macKey, { ...world.message('of a newer program'), kind: { S: 'of-a-newer-program' } }));
    await world.write(world.message('lost', { subject: { S: subjectNamed('bob') } }), world.message('kept'));
    world.records.byHand.put({ ...world.message('forged'), text: { S: 'forged' } });
    await world.write(withMac({ id: 9, secret: Buffer.alloc(32, 9) }, world.message('of a MAC key that is gone')));
    await place.settle();
    const before = place.size();
    const row = world.keys.subjects.get(subjectNamed('bob')) as WrappedKey;
    world.keys.subjects.delete(subjectNamed('bob'));
    expect(await place.snapshot()).toMatchObject({ size: before, closed: 3 });
    world.keys.subjects.set(subjectNamed('bob'), row);
    expect(rowsIn(place).map(({ index }) => index)).toContain(4);
    expect(rowsIn(place).map(({ index }) => index).slice(0, 3)).toEqual([0, 1, 2]); // not what was forged
    expect(rowsIn(place).map(({ index }) => index)).not.toContain(3);
    const { snapshot } = await place.choose('newest');
    expect((await place.replay({ snapshot })).states).toEqual((await place.replay()).states);
  });

  test('open to nobody whose key was erased, before it was taken or after', async () => {
    const place = await snapshotWorld(3);
    const { world } = place;
    await world.write(...['alice', 'bob', 'carol'].map((name) => world.message(name, { subject: { S: subjectNamed(name) } })));
    await place.settle();
    world.keys.subjects.set(subjectNamed('bob'), 'erased');
    await place.snapshot();
    world.keys.subjects.set(subjectNamed('carol'), 'erased');
    const { snapshot } = await place.choose('newest');
    const { states, summary } = await place.replay({ snapshot });
    expect([...states.values()].filter((state) => state.includes('text of')).map((state) => /text of (\w+)/.exec(state)?.[1])).toEqual(['alice']);
    expect(summary.counts.get('erased')).toBe(2);
    expect(objectsOf(place).some(([name, bytes]) => (name.includes('manifest') ? bytes : gunzipSync(bytes)).includes('text of'))).toBe(false);
  });
});

describe('a snapshot that was taken', () => {
  test('is on record, counted, locked until a day it states, and named by the entry of its record', async () => {
    const place = await snapshotWorld(4);
    const { world, deps } = place;
    await place.live(seededDraw(4), 30);
    const steps = new Set<string>();
    const report = await takeSnapshot({ ...deps, retentionDays: 7 }, { by: 'tester', onProgress: ({ step, done, total }) => done === total && steps.add(step) });
    const size = place.size();
    expect(report).toMatchObject({ size, at: expect.any(String) as string });
    expect([...steps]).toEqual(['counting', 'opening', 'writing']);
    const image = await world.records.get({ pk: 'snapshot', sk: report.at }, { consistent: true });
    if (image === 'absent') throw new Error('it is not on record');
    expect([checkMac([world.macKey], image), runResultIn(image)]).toMatchObject(['valid', { ok: true, findings: 0, records: report.records, size, by: 'tester' }]);
    expect(world.meter.counts.get('SnapshotCompleted')).toBe(1);
    await place.settle();
    const named = world.entries().flatMap(({ entry }) => (entry.kind === 'snapshot' ? (entry.objects ?? []) : []));
    expect(named).toEqual([{ name: report.snapshot, sha256: report.snapshot.slice(-64) }]);
    const manifest = parseManifest(report.snapshot, world.vault.objects.get(report.snapshot) as Buffer);
    expect(Date.parse(manifest.keptUntil as string) - Date.parse(report.at)).toBe(7 * 86_400_000);
    expect([manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0), manifest.parts.length]).toEqual([report.bytes, report.parts]);
    expect(world.check()).toEqual([]);
  });

  test('is named by no entry where somebody wrote its record by hand', async () => {
    const place = await snapshotWorld(5);
    const { world } = place;
    await world.write(world.message('one'));
    const report = await place.snapshot(await place.settle().then(place.size));
    const there = await world.records.get({ pk: 'snapshot', sk: report.at }, { consistent: true });
    if (there === 'absent') throw new Error('it is not on record');
    const name = `snapshot/1/manifest-${'0'.repeat(64)}`;
    world.records.byHand.put({ ...there, sk: { S: 'by hand' }, manifest: { S: name }, manifestSha256: { S: '0'.repeat(64) } });
    await place.settle();
    expect(world.entries().flatMap(({ entry }) => entry.objects ?? []).map((object) => object.name)).toEqual([report.snapshot]);
  });

  test('in shares has each row in one of them, and is read in the order of the log', async () => {
    const place = await snapshotWorld(6);
    await place.live(seededDraw(6), 80);
    const size = place.size();
    const whole = await place.snapshot(size);
    const rows = rowsIn(place).map(({ index }) => index);
    for (const [name] of objectsOf(place)) place.world.vault.objects.delete(name);
    const shared = await place.snapshot(size, 9);
    expect(rowsIn(place).map(({ index }) => index).sort((a, b) => a - b)).toEqual(rows);
    expect([shared.records, shared.rows, shared.closed]).toEqual([whole.records, whole.rows, whole.closed]);
    expect(shared.parts).toBe(9);
    const { snapshot } = await place.choose(size);
    const read: number[] = [];
    for await (const some of snapshotRows(place.world.vault, snapshot as TrustedSnapshot)) read.push(...some.map(({ index }) => index));
    expect(read).toEqual(rows);
  });

  test('is not made of parts of another checkpoint, of too few shares, or of one share twice', async () => {
    const place = await snapshotWorld(7);
    await place.live(seededDraw(7), 20);
    const early = await publishedCheckpoint(place.world.vault);
    const of = (number: number) => takeParts(place.deps, { checkpoint: early, share: { number, of: 2 } });
    const [a, b] = [await of(0), await of(1)];
    await place.live(seededDraw(8), 10);
    const late = await publishedCheckpoint(place.world.vault);
    const at = place.world.now().toISOString();
    for (const [checkpoint, parts] of [[late, [a, b]], [early, [a]], [early, [a, a]], [early, []]] as const) {
      await expect(sealSnapshot(place.deps, checkpoint, parts, { at })).rejects.toMatchObject({ name: 'SnapshotError', code: 'mixed-up' });
    }
    await sealSnapshot(place.deps, early, [b, a], { at });
    await place.settle();
    const { snapshot } = await place.choose(early.size);
    expect((await place.replay({ snapshot })).states).toEqual((await place.replay()).states);
    // The same again is done once; another one under its name is refused.
    await sealSnapshot(place.deps, early, [a, b], { at });
    await expect(sealSnapshot(place.deps, late, [await takeParts(place.deps, { checkpoint: late })], { at })).rejects.toMatchObject({ code: 'mixed-up' });
  });

  test('is cut into parts of at most 8 MB, put one after another, the manifest last', async () => {
    const place = await snapshotWorld(9);
    const { world } = place;
    for (let i = 0; i < 300; i++) await world.write(world.message(`${i}`, { text: { S: 'x'.repeat(45_000) } }));
    await place.settle();
    const sizes: number[] = [];
    const vault = { ...world.vault, createLocked: async (name: string, bytes: Uint8Array) => (sizes.push(bytes.length), world.vault.createLocked(name, bytes)) };
    const report = await takeSnapshot({ ...place.deps, vault });
    const { parts } = parseManifest(report.snapshot, world.vault.objects.get(report.snapshot) as Buffer);
    expect(parts.length).toBe(3);
    expect(parts.every(({ uncompressed }) => uncompressed > 8_000_000 === (uncompressed !== parts.at(-1)?.uncompressed) && uncompressed <= 8 * 1024 * 1024)).toBe(true);
    expect(sizes.slice(0, -1)).toEqual(parts.map(({ bytes }) => bytes));
    await place.settle();
    const { snapshot } = await place.choose('newest');
    expect((await place.replay({ snapshot })).states.size).toBe(301);
  });

  test('of an empty log is none', async () => {
    const place = await snapshotWorld(8);
    await expect(takeSnapshot(place.deps)).rejects.toMatchObject({ name: 'SnapshotError', code: 'empty-log', next: expect.stringMatching(/\S/) as string });
    expect(objectsOf(place)).toEqual([]);
  });
});

test('speed: a snapshot of a log in which a fifth of the records changed four times, and a restore from it against one from the entries alone', async () => {
  const n = process.env['INTACT_FULL'] ? 100_000 : 2_000;
  const place = await restoringWorld(41);
  const { world } = place;
  const profiles = n / 5;
  for (let i = 0; i < n - profiles; i++) await world.write(world.message(`message ${i}`, { subject: { S: subjectNamed(`customer ${i % profiles}`) }, text: { S: 'x'.repeat(300) } }));
  for (let rev = 1; rev <= 5; rev++) for (let i = 0; i < profiles; i++) world.records.byHand.put(profile(place, i, rev, 'x'.repeat(300)));
  await place.settle();
  const before = process.hrtime.bigint();
  const report = await takeSnapshot(world);
  const clocked = Number(process.hrtime.bigint() - before) / 1e9;
  await place.settle();
  const timed = async (table: string, snapshot: 'newest' | 'none') => {
    let gets = 0;
    const { deps } = await place.depsOf(table, ({ port, method }) => (port === 'vault' && method === 'get' ? void (gets += 1) : undefined));
    const began = process.hrtime.bigint();
    const plan = await planRestore(deps, { settings: LIVE_SETTINGS, snapshot });
    const { written } = await applyRestore(deps, plan);
    return { seconds: Number(process.hrtime.bigint() - began) / 1e9, gets, written, plan };
  };
  const [alone, from] = [await timed('alone', 'none'), await timed('from', 'newest')];
  expect(textsOf(place.itemsIn('from'))).toEqual(textsOf(place.itemsIn('alone')));
  expect([from.plan.snapshot?.name, from.written, alone.written]).toEqual([report.snapshot, n + 1, n + 1]);
  const logBytes = world.entries().reduce((sum, { bytes }) => sum + bytes.length, 0);
  const told = [
    `${report.rows} rows in ${report.parts} parts, ${(report.bytes / 1e6).toFixed(1)} MB (entries: ${(logBytes / 1e6).toFixed(1)} MB), taken in ${clocked.toFixed(1)} s`,
    `restored in ${from.seconds.toFixed(1)} s and ${from.gets} reads; from the entries alone in ${alone.seconds.toFixed(1)} s and ${alone.gets} reads`,
  ];
  figure(`snapshot of ${report.records} records, ${report.size} entries, in memory, one core`, told.join('; '));
}, process.env['INTACT_FULL'] ? 1_800_000 : 120_000);
