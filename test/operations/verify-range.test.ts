/** Ranges against one run: of a sound vault the same report, of a damaged one the same findings, whatever is damaged and wherever the ranges begin. */
import { seededDraw } from '../../src/adapters/memory/schedule';
import { versionedVault } from '../../src/adapters/memory/versioned-vault';
import { TILE_WIDTH } from '../../src/core/log/bundle';
import { concludeRanges, joinBroken, planRanges, verifyLocksOf, verifyRange, withLocks, type ListedVault, type RangeResult, type VerifyRange } from '../../src/operations/verify-range';
import { verifyVault, type VerifyOptions, type VerifyReport } from '../../src/operations/verify-vault';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { BuiltVault, builtVault, keyPair, makeEntry, readerOf, sha256 } from './built-vault';

const keys = [keyPair(1).key];
type Remembered = NonNullable<VerifyOptions['remembered']>;

/** As the state machine goes about it: all ranges, and again what has to be joined. `each`, `overlap`: entries. */
async function inRanges(vault: ListedVault, each: number, { remembered, overlap = 512 }: { readonly remembered?: Remembered; readonly overlap?: number } = {}) {
  const options = { keys, ...(remembered && { remembered }) };
  const planned = await planRanges(vault, keys, each);
  if (planned === 'one') return { report: await verifyVault(vault, { profile: 'intact', ...options }), ranges: 1, again: 0 };
  const done = new Map<string, RangeResult>();
  const nameOf = ({ from, to }: VerifyRange): string => `${from}-${to}`;
  for (let plan = planned, again = 0; ; again++) {
    for (const range of plan.ranges) {
      // As it is handed on.
      if (!done.has(nameOf(range))) done.set(nameOf(range), JSON.parse(JSON.stringify(await verifyRange(vault, options, plan, range, overlap))) as RangeResult);
    }
    const results = plan.ranges.map((range) => done.get(nameOf(range))!);
    const joined = joinBroken(plan, results);
    if (joined.every((range) => done.has(nameOf(range)))) return { report: await concludeRanges(vault, options, results.slice(0, joined.length)), ranges: joined.length, again };
    plan = { ...plan, ranges: joined };
  }
}

const told = ({ findings }: VerifyReport): string[] => findings.map((found) => JSON.stringify(found)).sort();

/** About `entries` of them, in rounds of all lengths, with losers of races, blobs, reports, a snapshot, two keys, and segments ahead of the checkpoint. */
async function variedVault(draw: () => number, entries: number): Promise<BuiltVault> {
  const vault = new BuiltVault();
  const between = (from: number, to: number): number => from + Math.floor(draw() * (to - from));
  const round = (n: number): Buffer[] =>
    Array.from({ length: n }, (_, k) => {
      const i = vault.entries.length + k;
      if (draw() < 0.01) return makeEntry(i, { blob: vault.putBlob(`body ${i}`) });
      if (draw() >= 0.005) return makeEntry(i);
      vault.put(`report/r${i}`, Buffer.from(`report ${i}`));
      return makeEntry(i, { objects: [{ name: `report/r${i}`, sha256: sha256(Buffer.from(`report ${i}`)) }] });
    });
  let [rotated, snapped] = [false, false];
  while (vault.entries.length < entries) {
    const n = draw() < 0.1 ? between(100, 700) : between(1, 60);
    if (draw() < 0.15) vault.put(...loser(vault, between(1, 60)));
    vault.seal(round(n));
    if (draw() < 0.6) await vault.publish();
    if (!rotated && vault.entries.length > entries / 3) {
      rotated = true;
      await vault.rotate(keyPair(2));
    }
    if (!snapped && vault.entries.length > entries / 2) {
      snapped = true;
      const { manifest } = vault.putSnapshot();
      vault.seal([makeEntry(vault.entries.length, { objects: [manifest] })]);
    }
  }
  await vault.publish();
  if (draw() < 0.5) vault.seal(round(between(1, 30)));
  return vault;
}

/** A segment that begins where the next round will, and lost the race. */
function loser(vault: BuiltVault, n: number): [string, Buffer] {
  const other = new BuiltVault();
  const name = other.seal(Array.from({ length: n }, (_, k) => makeEntry(vault.entries.length + k, { salt: 'loser' })));
  return [name.replace(/\d{20}/, String(vault.entries.length).padStart(20, '0')), other.objects.get(name)!];
}

/** Names of the segments that begin in [from, to). */
const segmentsIn = (objects: ReadonlyMap<string, Buffer>, from: number, to: number): string[] => [...objects.keys()].filter((name) => name.startsWith('segment/') && Number(name.slice(8, 28)) >= from && Number(name.slice(8, 28)) < to);

/** The only segment there is at `from` so far. */
const segmentsLosing = (vault: BuiltVault, from: number): string => segmentsIn(vault.objects, from, from + 1)[0]!;

const rangesOf = (entries: number): number[] => [TILE_WIDTH, 2 * TILE_WIDTH, Math.ceil(entries / 3 / TILE_WIDTH) * TILE_WIDTH];

test('of a sound vault ranges of any length come to the report that one run comes to', async () => {
  await forEachSeed('ranges of a sound vault', 3, async (seed) => {
    const draw = seededDraw(seed);
    const vault = await variedVault(draw, 1_500 + Math.floor(draw() * 1_500));
    const reader = readerOf(vault.objects);
    const one = await verifyVault(reader, { profile: 'intact', keys });
    expect(one).toMatchObject({ ok: true, size: expect.any(Number) as number });
    for (const each of rangesOf(vault.entries.length)) {
      // What lies around a range's beginning is found in as little as three of the longest rounds.
      const { report, ranges, again } = await inRanges(reader, each, { overlap: 3 * 700 });
      expect(ranges).toBeGreaterThan(1);
      expect(again).toBe(0);
      expect({ ...report, orphans: [...report.orphans].sort() }).toEqual({ ...one, orphans: [...one.orphans].sort() });
    }
  });
});

test('a log of more than a tile of tiles goes in ranges too, and of each only its own part is read', async () => {
  const vault = new BuiltVault();
  for (let i = 0; i < 70; i++) vault.sealCount(1_000);
  await vault.publish();
  const whole = readerOf(vault.objects);
  const reads: string[] = [];
  const reader: ListedVault = { ...whole, get: async (name) => (reads.push(name), whole.get(name)) };
  const planned = await planRanges(reader, keys, 20_000);
  if (planned === 'one') throw new Error('seventy thousand entries are more than one range');
  const results: RangeResult[] = [];
  for (const range of planned.ranges) {
    reads.length = 0;
    results.push(await verifyRange(reader, { keys }, planned, range, 3_072));
    const bundles = new Set(reads.filter((name) => name.startsWith('tile/entries/')));
    expect(bundles.size).toBeLessThanOrEqual((range.to - range.from) / TILE_WIDTH + 16); // read ahead
    expect(new Set(reads.filter((name) => name.startsWith('segment/'))).size).toBeLessThanOrEqual((range.to - range.from + 3_072) / 1_000 + 2);
  }
  expect(joinBroken(planned, results)).toEqual(planned.ranges);
  expect(await concludeRanges(reader, { keys }, results)).toEqual(await verifyVault(whole, { profile: 'intact', keys }));
});

/** What may happen to an object. */
const DAMAGES: readonly ((vault: Map<string, Buffer>, name: string, draw: () => number) => void)[] = [
  (vault, name, draw) => {
    const bytes = Buffer.from(vault.get(name)!);
    if (bytes.length > 0) bytes[Math.floor(draw() * bytes.length)]! ^= 1 + Math.floor(draw() * 255);
    vault.set(name, bytes);
  },
  (vault, name) => void vault.delete(name),
  (vault, name, draw) => void vault.set(name, vault.get(name)!.subarray(0, Math.floor(draw() * vault.get(name)!.length))),
  (vault, name, draw) => void vault.set(name, vault.get([...vault.keys()][Math.floor(draw() * vault.size)]!)!),
];

test('of a damaged vault ranges find what one run finds, and nothing else', async () => {
  let [tried, joined, faults] = [0, 0, 0];
  await forEachSeed('ranges of a damaged vault', 25, async (seed) => {
    const draw = seededDraw(seed);
    const built = await variedVault(draw, 800 + Math.floor(draw() * 1_200));
    const objects = new Map(built.objects);
    const kind = ['tile/entries/', 'tile/', 'segment/', 'checkpoints/', 'blob/', ''][Math.floor(draw() * 6)]!;
    const n = 1 + Math.floor(draw() ** 3 * 40);
    for (let i = 0; i < n; i++) {
      const names = [...objects.keys()].filter((name) => name.startsWith(draw() < 0.8 ? kind : ''));
      const name = names[Math.floor(draw() * names.length)];
      if (name !== undefined) DAMAGES[Math.floor(draw() * DAMAGES.length)]!(objects, name, draw);
    }
    const size = built.entries.length;
    if (draw() < 0.3) {
      // A stretch without segments, longer than what is looked at before a range; sometimes without bundles too.
      const [from, length] = [Math.floor(draw() * size), Math.floor(draw() * 1_000)];
      for (const name of segmentsIn(objects, from, from + length)) objects.delete(name);
      if (draw() < 0.5) for (let bundle = Math.floor(from / TILE_WIDTH); bundle * TILE_WIDTH < from + length; bundle++) for (const level of ['entries', '0']) objects.delete(`tile/${level}/${String(bundle).padStart(3, '0')}`);
    }
    const reader = readerOf(objects);
    const remembered = draw() < 0.5 ? { origin: keys[0]!.name, size: Math.floor(draw() * size), root: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' } : undefined;
    const one = await verifyVault(reader, { profile: 'intact', keys, ...(remembered && { remembered }) });
    const each = rangesOf(size)[Math.floor(draw() * 3)]!;
    const { report, again } = await inRanges(reader, each, { overlap: TILE_WIDTH * (1 + Math.floor(draw() * 8)), ...(remembered && { remembered }) });
    expect(told(report)).toEqual(told(one));
    expect(report).toMatchObject({ ok: one.ok, size: one.size, root: one.root, memory: one.memory });
    tried += 1;
    joined += again > 0 ? 1 : 0;
    faults += one.findings.length;
  });
  figure('verification in ranges, of damaged vaults', `${tried} vaults, ${faults.toLocaleString('en')} findings, the same as of one run; ${joined} had ranges joined again`);
});

test('locks looked at in shares are all looked at, once, and come to what one scan comes to', async () => {
  await forEachSeed('locks in shares', 5, async (seed) => {
    const draw = seededDraw(seed);
    const built = await variedVault(draw, 600);
    let now = new Date('2026-03-01T00:00:00Z');
    const { vault, reader, byHand } = versionedVault({ mode: 'COMPLIANCE', retentionDays: 10 }, () => now);
    for (const [name, bytes] of built.objects) {
      if (/^(segment|blob|snapshot|checkpoints|report)\//.test(name) || (name.startsWith('tile/') && !name.includes('.p/'))) await vault.createLocked(name, bytes);
      else byHand.put(name, bytes, 'none');
    }
    now = new Date('2026-03-02T00:00:00Z');
    const locked = [...built.objects.keys()].filter((name) => /^(segment|blob|checkpoints)\//.test(name));
    for (const name of locked.filter(() => draw() < 0.03)) {
      const what = draw();
      if (what < 0.3) byHand.relock(name, 'none');
      else if (what < 0.6) byHand.relock(name, { mode: draw() < 0.5 ? 'GOVERNANCE' : 'COMPLIANCE', retainUntil: new Date(now.getTime() + draw() * 20 * 86_400_000) });
      else if (what < 0.8) byHand.hide(name);
      else byHand.put(name, built.objects.get(name)!);
    }
    const lockPolicy = { mode: 'COMPLIANCE', retentionDays: 10 } as const;
    const one = await verifyVault(reader, { profile: 'intact', keys, lockPolicy });
    const { locks: _, ...unlocked } = reader;
    const of = 1 + Math.floor(draw() * 5);
    const shares = await Promise.all(Array.from({ length: of }, (_each, number) => verifyLocksOf(reader.locks, lockPolicy, { number, of })));
    const report = withLocks((await inRanges(unlocked, TILE_WIDTH)).report, shares);
    expect(report.locks).toEqual(one.locks);
    expect([report.ok, report.unchecked]).toEqual([one.ok, one.unchecked]);
    expect(told(report)).toEqual(told(one));
  });
});

describe('what was foretold and is not so is done again as one, and then found as one run finds it:', () => {
  const both = async (objects: ReadonlyMap<string, Buffer>, each: number, overlap: number) => {
    const reader = readerOf(objects);
    const one = await verifyVault(reader, { profile: 'intact', keys });
    const { report, again } = await inRanges(reader, each, { overlap });
    expect(told(report)).toEqual(told(one));
    expect([...report.orphans].sort()).toEqual([...one.orphans].sort());
    return { again, one };
  };
  const rounds = async (...of: readonly number[]): Promise<BuiltVault> => {
    const vault = new BuiltVault();
    for (const n of of) vault.sealCount(n);
    await vault.publish();
    return vault;
  };

  test('a hole in the segments that begins long before a range', async () => {
    const vault = await rounds(...Array.from({ length: 30 }, () => 50));
    for (const name of segmentsIn(vault.objects, 300, 1_200)) vault.objects.delete(name);
    const { again, one } = await both(vault.objects, 2 * TILE_WIDTH, TILE_WIDTH);
    expect([again > 0, one.findings.map(({ code, index }) => [code, index])]).toEqual([true, [['segment-missing', 300]]]);
  });

  test('a hole from the first entry on, which a damaged segment explains', async () => {
    const vault = await rounds(...Array.from({ length: 30 }, () => 50));
    for (const name of segmentsIn(vault.objects, 50, 1_200)) vault.objects.delete(name);
    vault.objects.get(segmentsIn(vault.objects, 0, 1)[0]!)![100]! ^= 1;
    const { again, one } = await both(vault.objects, 2 * TILE_WIDTH, TILE_WIDTH);
    expect([again > 0, one.findings.map(({ code }) => code)]).toEqual([true, ['segment-altered']]);
  });

  test('a loser of a race that is longer than what is looked at before a range', async () => {
    const vault = await rounds(100, 100, 100, 100, 100);
    const long = new BuiltVault();
    const bytes = long.objects.get(long.seal(Array.from({ length: 500 }, (_, i) => makeEntry(100 + i, { salt: 'loser' }))))!;
    const name = `segment/${'100'.padStart(20, '0')}/${sha256(bytes)}`;
    vault.put(name, bytes);
    for (let i = 0; i < 5; i++) vault.sealCount(100);
    await vault.publish();
    const { again, one } = await both(vault.objects, 2 * TILE_WIDTH, TILE_WIDTH);
    expect([again > 0, one.orphans, one.ok]).toEqual([true, [name], true]);
  });

  test('a bundle of which nothing is left, under a tile that is damaged too', async () => {
    const vault = new BuiltVault();
    for (let i = 0; i < 70; i++) vault.sealCount(1_000);
    await vault.publish();
    for (const name of ['tile/entries/010', 'tile/0/010', ...segmentsIn(vault.objects, 1_000, 4_000)]) vault.objects.delete(name);
    vault.objects.get('tile/1/000')![10 * 32]! ^= 1;
    const { again, one } = await both(vault.objects, 268 * TILE_WIDTH, 10 * TILE_WIDTH);
    expect(again).toBe(1);
    expect(one.ok).toBe(false);
  });

  test('checkpoints of another tree, signed with the log\'s own key, beyond ones that are sound', async () => {
    const vault = await builtVault(...Array.from({ length: 15 }, () => 100));
    const forked = new BuiltVault();
    for (let i = 0; i < 12; i++) forked.seal(Array.from({ length: 100 }, (_, k) => makeEntry(100 * i + k, { salt: i === 11 ? 'fork' : '' })));
    await forked.publish();
    vault.put('checkpoints/1200', forked.objects.get('checkpoints/1200')!);
    const { one } = await both(vault.objects, 2 * TILE_WIDTH, 2 * TILE_WIDTH);
    expect(one.findings).toMatchObject([{ code: 'root-mismatch', object: 'checkpoints/1200', detail: expect.stringContaining('up to size 1500') as string }]);
    // Those after the fork gone, what was sound last lies in an earlier range.
    for (const size of [1_100, 1_300, 1_400, 1_500]) vault.objects.delete(`checkpoints/${size}`);
    const { one: later } = await both(vault.objects, 2 * TILE_WIDTH, 2 * TILE_WIDTH);
    expect(later.findings.find(({ code }) => code === 'root-mismatch')).toMatchObject({ detail: expect.stringContaining('up to size 1000') as string });
  });
});

test('damage that is over long before a range costs nothing twice', async () => {
  const vault = new BuiltVault();
  vault.sealCount(100);
  vault.put(...loser(vault, 20));
  const altered = segmentsLosing(vault, 100);
  vault.objects.get(altered)![50]! ^= 1;
  for (let i = 0; i < 20; i++) vault.sealCount(70);
  await vault.publish();
  const { report, again } = await inRanges(readerOf(vault.objects), 2 * TILE_WIDTH, { overlap: TILE_WIDTH });
  expect([again, report.findings.map(({ code, object }) => [code, object])]).toEqual([0, [['segment-altered', altered]]]);
});
