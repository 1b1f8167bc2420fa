/** Which snapshot is used, and which are refused with what, where and what to do: by name where one was asked for, by a note and the whole log where the newest was to be used. */
import { seededDraw } from '../../src/adapters/memory/schedule';
import { stringOf, type Image } from '../../src/core/image';
import { withMac, type MacKey } from '../../src/core/record-mac';
import { formatManifest, formatPart, formatRow, parseManifest, parsePart, type SnapshotError, type SnapshotManifest } from '../../src/core/snapshot';
import { snapshotImage } from '../../src/core/snapshot-record';
import { listSnapshots } from '../../src/operations/read-snapshot';
import { applyRestore, planRestore, type RestoreOptions, type RestorePlan } from '../../src/operations/restore-records';
import { makeSealer, sealRecords } from '../../src/operations/seal-records';
import { takeParts, takeSnapshot } from '../../src/operations/take-snapshot';
import { publishedCheckpoint } from '../../src/operations/published-entries';
import { VaultReadError } from '../../src/ports/vault-reader';
import { figure } from '../figures';
import { subjectNamed } from '../world';
import { sha256 } from './built-vault';
import { LIVE_SETTINGS, live, profile, restoringWorld, textsOf, type RestoringWorld } from './restoring-world';

/** A table that was lived with, a snapshot in the middle of it, and what a restore from the entries alone would give. */
async function snapshotted(seed: number, steps = 40) {
  const place = await restoringWorld(seed);
  const { world } = place;
  const draw = seededDraw(seed);
  await live(place, draw, steps);
  const report = await takeSnapshot(world);
  await place.settle();
  await live(place, draw, steps / 2);
  const manifest = parseManifest(report.snapshot, world.vault.objects.get(report.snapshot) as Buffer);
  const plain = await place.plan('plain', { snapshot: 'none' });
  return { place, world, report, manifest, plain };
}
type Snapshotted = Awaited<ReturnType<typeof snapshotted>>;

const statesOf = ({ work }: RestorePlan): ReadonlyMap<string, string> => textsOf((work.kept.all() ?? []).map(({ image }) => image));
const planOf = async (place: RestoringWorld, options: Partial<RestoreOptions>): Promise<RestorePlan> => place.plan(`copy ${JSON.stringify(options.size ?? options.at ?? '')}`, options);

/** Asked for by its size it is refused with this code; the newest is passed over with a note, and the entries alone give the same. */
async function expectRefused({ place, manifest }: Pick<Snapshotted, 'place' | 'manifest'>, code: string, object: string): Promise<void> {
  const error: unknown = await planOf(place, { snapshot: manifest.size }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'SnapshotError', code, object, message: expect.stringContaining(object) as string, next: expect.stringMatching(/\w{3}/) as string });
  const plan = await planOf(place, {});
  expect([plan.snapshot, plan.snapshotNote]).toMatchObject([undefined, { code, object, detail: (error as Error).message, next: (error as SnapshotError).next }]);
  expect(statesOf(plan)).toEqual(statesOf(await planOf(place, { snapshot: 'none' })));
  expect([...place.tables.keys()]).toEqual(['records']);
}

/** Puts a manifest with other members in place of the good one and has the log vouch for it, as a program with an error in it would. */
async function vouchFor({ place, world, report }: Snapshotted, change: Partial<SnapshotManifest>): Promise<string> {
  const { v: _, kind: __, ...members } = parseManifest(report.snapshot, world.vault.objects.get(report.snapshot) as Buffer);
  const made = formatManifest({ ...members, ...change });
  for (const name of [...world.vault.objects.keys()]) if (name.includes('/manifest-')) world.vault.objects.delete(name);
  world.vault.objects.set(made.name, made.bytes);
  await recordOf({ place, world }, made);
  return made.name;
}
async function recordOf({ place, world }: Pick<Snapshotted, 'place' | 'world'>, made: { readonly name: string; readonly sha256: string }, change: (image: Image) => Image = (image) => image): Promise<void> {
  world.advance(1_000);
  const result = { at: world.now().toISOString(), ok: true, findings: 0, records: 1, seconds: 1, size: 1 };
  world.records.byHand.put(change(withMac(world.macKey, snapshotImage(result, made, world.identity.systemSubject))));
  await place.settle();
}

describe('the snapshot a restore begins from', () => {
  test('is the newest that stands for no more than was asked for', async () => {
    const place = await restoringWorld(1);
    const { world } = place;
    const taken = [];
    for (const words of ['first', 'second', 'third']) {
      await world.write(world.message(words));
      await place.settle();
      world.advance(3_600_000);
      taken.push(await takeSnapshot(world));
      await place.settle();
      world.advance(3_600_000);
    }
    const [first, second, third] = taken;
    const used = async (options: Partial<RestoreOptions>) => (await planOf(place, options)).snapshot?.name;
    expect(await used({})).toBe(third?.snapshot);
    expect(await used({ snapshot: 'newest' })).toBe(third?.snapshot);
    expect(await used({ snapshot: 'none' })).toBeUndefined();
    expect(await used({ snapshot: second!.size })).toBe(second?.snapshot);
    expect(await used({ size: third!.size })).toBe(third?.snapshot);
    expect(await used({ size: third!.size - 1 })).toBe(second?.snapshot);
    expect(await used({ size: first!.size - 1 || 1 })).toBe(first!.size === 1 ? first?.snapshot : undefined);
    expect(await used({ at: second!.at })).toBe(second?.snapshot);
    expect(await used({ at: world.entries()[0]!.entry.at })).toBe(first?.snapshot);
    for (const options of [{ size: second!.size, snapshot: third!.size }, { at: first!.at, snapshot: third!.size }]) await expect(planOf(place, options)).rejects.toMatchObject({ name: 'SnapshotError', code: 'too-new' });
    await expect(planOf(place, { snapshot: 2_000 })).rejects.toMatchObject({ name: 'SnapshotError', code: 'absent', object: 'snapshot/2000/' });
    expect((await listSnapshots(world.vault)).map(({ name }) => name)).toEqual([third, second, first].map((each) => each?.snapshot));
  });

  test('changes nothing of what is restored, kept in memory or read again', async () => {
    const { place, report, plain } = await snapshotted(2, 60);
    for (const options of [{}, { keepBytes: 0 }, { snapshot: report.size }, { snapshot: report.size, size: report.size + 3 }] as const) {
      const { deps } = await place.depsOf(`copy ${JSON.stringify(options)}`);
      const plan = await planRestore(deps, { settings: LIVE_SETTINGS, ...options });
      expect(plan.snapshot).toEqual({ name: report.snapshot, size: report.size, at: report.at });
      expect(plan.snapshotNote).toBeUndefined();
      await applyRestore(deps, plan);
      const there = textsOf(place.itemsIn(deps.target.name));
      const alone = 'size' in options ? await place.plan('alone', { snapshot: 'none', size: options.size }) : plain;
      expect(there).toEqual(statesOf(alone));
      expect([plan.records, plan.losses]).toEqual([alone.records, alone.losses]);
    }
  });

  test('brings the live table back like the entries do', async () => {
    const { place, report } = await snapshotted(3);
    const facts = textsOf(place.factsIn('records'));
    const before = await place.plan('records', { snapshot: 'none' });
    const plan = await place.plan('records');
    expect([plan.snapshot?.size, plan.toWrite, plan.toRemove.length, plan.same]).toEqual([report.size, before.toWrite, before.toRemove.length, before.same]);
    await place.restore('records');
    await place.settle();
    expect((await place.plan('records', { snapshot: 'none' })).toWrite).toBe(0);
    expect(facts.size).toBeGreaterThan(0);
  });

  test('is none where the vault cannot be listed; asked for, it is refused', async () => {
    const { place, report } = await snapshotted(4, 10);
    const { deps } = await place.depsOf('copy');
    const vault = { get: (name: string) => deps.vault.get(name) };
    expect((await planRestore({ ...deps, vault }, { settings: LIVE_SETTINGS })).snapshot).toBeUndefined();
    await expect(planRestore({ ...deps, vault }, { settings: LIVE_SETTINGS, snapshot: report.size })).rejects.toMatchObject({ code: 'absent' });
    await expect(listSnapshots(vault)).rejects.toMatchObject({ code: 'absent' });
  });

  test('that nobody can list or read is not taken for none', async () => {
    const { place } = await snapshotted(5, 10);
    const { deps } = await place.depsOf('copy');
    // eslint-disable-next-line require-yield
    const list = async function* (): AsyncGenerator<string> {
      throw new Error('access denied');
    };
    await expect(planRestore({ ...deps, vault: { ...deps.vault, get: (name: string) => deps.vault.get(name), list } }, { settings: LIVE_SETTINGS })).rejects.toThrow('access denied');
  });

  test('is given up for the whole log where an entry it stands for has lost its blob, for an earlier state may be there', async () => {
    const place = await restoringWorld(6);
    const { world } = place;
    const big = (rev: number): Image => profile(place, 1, rev, `${rev} `.repeat(30_000));
    await world.write(profile(place, 1, 1, 'first'), world.message('other'));
    await place.settle();
    await world.records.replace(profile(place, 1, 2, 'second'), 1);
    await world.records.replace(big(3), 2);
    await place.settle();
    await takeSnapshot(world);
    await place.settle();
    for (const name of [...world.vault.objects.keys()]) if (name.startsWith('blob/')) world.vault.objects.delete(name);
    const plan = await place.plan('copy');
    expect([plan.snapshot, plan.snapshotNote?.code, plan.losses]).toEqual([undefined, 'incomplete', 1]);
    expect([...statesOf(plan).values()].some((text) => text.includes('second'))).toBe(true);
  });
});

describe('a snapshot is refused, with what, where and what to do', () => {
  test('with a part that is gone, cut short, or changed', async () => {
    const told = await snapshotted(10);
    const { objects } = told.world.vault;
    const { name } = told.manifest.parts[0]!;
    const good = objects.get(name) as Buffer;
    objects.delete(name);
    await expectRefused(told, 'absent', name);
    objects.set(name, good.subarray(0, good.length - 1));
    await expectRefused(told, 'truncated', name);
    objects.set(name, Buffer.concat([good, Buffer.from('x')]));
    await expectRefused(told, 'altered', name);
    objects.set(name, good);
    expect((await planOf(told.place, {})).snapshotNote).toBeUndefined();
  });

  test('with a manifest that is cut short or changed', async () => {
    const told = await snapshotted(11);
    const { objects } = told.world.vault;
    const good = objects.get(told.report.snapshot) as Buffer;
    objects.set(told.report.snapshot, good.subarray(0, good.length / 2));
    await expectRefused(told, 'truncated', told.report.snapshot);
    objects.set(told.report.snapshot, Buffer.from(good.toString().replace('"closed":', '"Closed":')));
    await expectRefused(told, 'altered', told.report.snapshot);
    expect((await listSnapshots(told.world.vault)).map((each) => ('error' in each ? each.error.code : 'sound'))).toEqual(['altered']);
  });

  test.each([
    ['older', '"v":1}', '"v":0}', 'older-format'],
    ['newer', '"v":1}', '"v":2}', 'newer-format'],
    ['of no format at all', '"kind":"intact-snapshot"', '"kind":"another thing"', 'foreign'],
  ])('of a format that is %s', async (_, from, to, code) => {
    const told = await snapshotted(12, 20);
    const bytes = Buffer.from((told.world.vault.objects.get(told.report.snapshot) as Buffer).toString().replace(from, to));
    const name = `snapshot/${told.report.size}/manifest-${sha256(bytes)}`;
    told.world.vault.objects.delete(told.report.snapshot);
    told.world.vault.objects.set(name, bytes);
    await recordOf(told, { name, sha256: sha256(bytes) });
    await expectRefused(told, code, name);
  });

  test('of another log', async () => {
    const [told, other] = [await snapshotted(13, 20), await snapshotted(14, 8)];
    const { objects } = told.world.vault;
    objects.delete(told.report.snapshot);
    for (const [name, bytes] of other.world.vault.objects) if (name.startsWith('snapshot/')) objects.set(name, bytes);
    await expectRefused({ ...told, manifest: other.manifest }, 'foreign', other.report.snapshot);
  });

  test('whose tree is not the one the log grew from', async () => {
    const told = await snapshotted(15, 20);
    const other = await snapshotted(16, 20);
    const { size, root, edge } = other.manifest;
    // The same number of entries, as another log had them.
    const name = await vouchFor(told, size === told.report.size ? { root, edge } : { root: Buffer.alloc(32, 7).toString('base64'), edge: [Buffer.alloc(32, 7).toString('base64')], size: 1, parts: [], rows: 0, records: 0, closed: 0 });
    const renamed = { ...told, manifest: { ...told.manifest, size: Number(name.split('/')[1]) } };
    await expectRefused(renamed, 'mixed-up', name);
  });

  test('with parts that overlap or lie to the manifest about what they hold', async () => {
    const told = await snapshotted(17, 30);
    const { objects } = told.world.vault;
    const { size } = told.report;
    const [part] = told.manifest.parts;
    const rows = parsePart(part!, objects.get(part!.name) as Buffer).map(formatRow);
    expect(rows.length).toBeLessThan(size);
    const halves = [rows.slice(0, 5), rows.slice(4)].map((half, number) => formatPart(size, number, half));
    for (const half of halves) objects.set(half.part.name, half.bytes);
    const name = await vouchFor(told, { parts: halves.map((half) => half.part), rows: rows.length + 1 });
    await expectRefused(told, 'mixed-up', name);
    await vouchFor({ ...told, report: { ...told.report, snapshot: name } }, { parts: [{ ...part!, rows: part!.rows - 1 }], rows: part!.rows - 1, records: 0, closed: 0 });
    await expectRefused(told, 'mixed-up', part!.name);
  });
});

describe('a snapshot the log does not vouch for is not used, whatever it holds', () => {
  /** Parts and manifest as they would be, and nobody's record of them. */
  const unsealed = async (seed: number): Promise<Snapshotted & { readonly made: ReturnType<typeof formatManifest> }> => {
    const told = await snapshotted(seed, 20);
    const checkpoint = await publishedCheckpoint(told.world.vault);
    const { share: _, ...parts } = await takeParts(told.world, { checkpoint });
    const made = formatManifest({ ...parts, at: told.world.now().toISOString() });
    told.world.vault.objects.set(made.name, made.bytes);
    return { ...told, made };
  };
  const expectIgnored = async ({ place, made, report, plain }: Awaited<ReturnType<typeof unsealed>>): Promise<void> => {
    await expect(place.plan('copy', { snapshot: Number(made.name.split('/')[1]) })).rejects.toMatchObject({ name: 'SnapshotError', code: 'unsealed', object: made.name });
    const plan = await place.plan('copy');
    expect([plan.snapshot?.name, plan.snapshotNote]).toEqual([report.snapshot, undefined]); // the one before it
    expect([...statesOf(plain).keys()].filter((key) => !statesOf(plan).has(key))).toEqual([]);
  };

  test('without a record: its run died, or somebody put it there', async () => {
    await expectIgnored(await unsealed(20));
  });

  test.each<[string, (image: Image) => Image]>([
    ['whose MAC is wrong', (image) => ({ ...image, manifest: { S: stringOf(image, 'manifest') as string }, records: { N: '7' } })],
    ['without a MAC', ({ mac: _, ...image }) => image],
    ['under a subject that is not its own', (image) => ({ ...image, subject: { S: subjectNamed('somebody') } })],
    ['of another place', (image) => ({ ...image, sk: { S: 'elsewhere' } })],
  ])('with a record %s', async (_, change) => {
    const told = await unsealed(21);
    await recordOf(told, told.made, change);
    await expectIgnored(told);
  });

  test('with a record that some sealer took for ours, under a key that is not', async () => {
    const told = await unsealed(24);
    const { world } = told;
    const forger: MacKey = { id: 1, secret: Buffer.alloc(32, 7) };
    const result = { at: world.now().toISOString(), ok: true, findings: 0, records: 1, seconds: 1, size: 1 };
    world.records.byHand.put(withMac(forger, snapshotImage(result, told.made, world.identity.systemSubject)));
    await sealRecords({ ...makeSealer(world), macKeys: async () => [forger] }, world.stream.slice(-1));
    await told.place.settle();
    expect(world.entries().some(({ entry }) => entry.objects?.[0]?.name === told.made.name)).toBe(true);
    await expectIgnored(told);
  });

  test('with a record of ours of another manifest', async () => {
    const told = await unsealed(22);
    await recordOf(told, { name: told.report.snapshot, sha256: told.report.snapshot.slice(-64) });
    await expectIgnored(told);
  });

  test('and where so many lie before it that no accident left them, the entries alone are read, and it is said why', async () => {
    const { place, world, report, plain } = await snapshotted(25, 20);
    const checkpoint = await publishedCheckpoint(world.vault);
    const { share: _, ...parts } = await takeParts(world, { checkpoint });
    const plant = (n: number): void => {
      const made = formatManifest({ ...parts, at: new Date(Date.UTC(2026, 0, 1) + n).toISOString() });
      world.vault.objects.set(made.name, made.bytes);
    };
    for (let n = 0; n < 9; n++) plant(n);
    expect(await place.plan('copy')).toMatchObject({ snapshot: { name: report.snapshot }, snapshotNote: undefined });
    plant(9);
    const plan = await place.plan('copy');
    expect([plan.snapshot, plan.snapshotNote?.code]).toEqual([undefined, 'unsealed']);
    expect([...statesOf(plain).keys()].filter((key) => !statesOf(plan).has(key))).toEqual([]);
  });

  test('nor does a damaged one that was put beside a good one of its size stand in for that', async () => {
    const { place, world, report, manifest } = await snapshotted(27, 20);
    for (const hash of ['0', 'f']) world.vault.objects.set(`snapshot/${manifest.size}/manifest-${hash.repeat(64)}`, Buffer.from('x'));
    expect(await place.plan('copy')).toMatchObject({ snapshot: { name: report.snapshot }, snapshotNote: undefined });
    expect((await place.plan('copy', { snapshot: manifest.size })).snapshot?.name).toBe(report.snapshot);
    world.vault.objects.delete(report.snapshot);
    expect((await place.plan('copy')).snapshotNote).toMatchObject({ code: 'truncated' });
    await expect(place.plan('copy', { snapshot: manifest.size })).rejects.toMatchObject({ code: 'truncated' });
  });

  test('though it is too large to be read: one object stops no restore', async () => {
    const { place, world, plain } = await snapshotted(26, 20);
    const name = `snapshot/${(await publishedCheckpoint(world.vault)).size}/manifest-${'0'.repeat(64)}`;
    world.vault.objects.set(name, Buffer.from('x'));
    const { get } = world.vault;
    world.vault.get = async (each) => (each === name ? Promise.reject(new VaultReadError('too-large', 'of a gigabyte')) : get(each));
    const plan = await place.plan('copy');
    expect([plan.snapshot, plan.snapshotNote]).toMatchObject([undefined, { code: 'foreign', object: name }]);
    expect(statesOf(plan)).toEqual(statesOf(plain));
    // What could not be read is another matter.
    world.vault.get = async (each) => (each === name ? Promise.reject(new VaultReadError('unreachable', 'no answer')) : get(each));
    await expect(place.plan('copy')).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('until its record is published; then it is', async () => {
    const told = await unsealed(23);
    await recordOf(told, told.made);
    expect((await told.place.plan('copy')).snapshot?.name).toBe(told.made.name);
  });
});

test('every byte of a small snapshot changed: it is named, and what is restored is the same', async () => {
  const told = await snapshotted(30, 6);
  const { place, world, plain } = told;
  const step = process.env['INTACT_FULL'] ? 1 : 9;
  let flips = 0;
  for (const [name, good] of [...world.vault.objects].filter(([each]) => each.startsWith('snapshot/'))) {
    for (let at = flips % step; at < good.length; at += step) {
      const bad = Buffer.from(good);
      bad[at]! ^= 1 << at % 8;
      world.vault.objects.set(name, bad);
      const plan = await place.plan('copy');
      expect([at, plan.snapshotNote?.object, plan.snapshot]).toEqual([at, name, undefined]);
      if (flips % 10 === 0) expect(statesOf(plan)).toEqual(statesOf(plain));
      flips += 1;
    }
    world.vault.objects.set(name, good);
  }
  expect(flips).toBeGreaterThan(100);
  figure('bytes of a small snapshot changed one at a time, then restored from the newest', `${flips} changed, ${flips} named and done without`);
}, process.env['INTACT_FULL'] ? 1_800_000 : 60_000);
