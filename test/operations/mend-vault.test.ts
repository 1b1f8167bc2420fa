/**
 * A damaged vault is mended out of what is left of it: byte for byte the vault it was, or refused with what is lost. Each class of object × each fault × each source; thousands of flips; and what an
 * adversary could try, who can write everything but a signature.
 */
import type { VersionedVault } from '../../src/adapters/memory/versioned-vault';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { decodeEntries, encodeEntries } from '../../src/core/log/bundle';
import { leafHash } from '../../src/core/log/merkle';
import { parseTilePath } from '../../src/core/log/tile-path';
import { signCheckpoint } from '../../src/core/log/checkpoint';
import { classifyName, segmentName } from '../../src/core/verify/vault-name';
import type { EntryRun } from '../../src/operations/healed-object';
import { mendVault, type Mended } from '../../src/operations/mend-vault';
import { vaultTarget } from '../../src/operations/vault-target';
import { versionedVault } from '../../src/adapters/memory/versioned-vault';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { builtVault, found, keyPair, makeEntry, sha256, verify } from './built-vault';
import { bucketOf, contents, drawOf, flipped, isSuperseded, memoryTarget, mendedCopy, PINNED, wholeVault, type Objects } from './mended-world';

const FULL = process.env['INTACT_FULL'] === '1';

test('a healthy vault comes out as it is, whatever sealers that lost a race left beside it', async () => {
  for (const losers of [false, true]) {
    const objects = await wholeVault({ losers });
    expect(found(await verify(objects))).toEqual([]);
    const mended = await mendedCopy(bucketOf(objects).reader);
    expect(mended).toMatchObject({ outcome: 'whole', size: 690, signed: 690, sealed: 690, repaired: [], lost: [], leftOut: [], refused: [], keySource: 'given', verified: { ok: true } });
    expect(contents(mended.objects)).toEqual(contents(objects));
  }
});

test('an empty log, one of one entry and one that ends with a full tile are mended like any other', async () => {
  for (const rounds of [[], [1], [256], [256, 256]]) {
    const objects = rounds.length === 0 ? (await builtVault(0)).objects : await wholeVault({ rounds, rotate: false, snapshot: false });
    const bucket = bucketOf(objects);
    for (const name of objects.keys()) if (name === 'checkpoint' || name.startsWith('tile/')) bucket.byHand.lose(name);
    const mended = await mendedCopy(bucket.reader);
    expect([rounds, mended.outcome, mended.verified?.findings]).toEqual([rounds, 'whole', []]);
    expect(contents(mended.objects)).toEqual(contents(objects));
  }
});

test('partial tiles of earlier sizes are healed where they stand, and not missed where they do not', async () => {
  const objects = await wholeVault({ rounds: [300, 10, 20, 30], superseded: true });
  const earlier = [...objects.keys()].filter((name) => isSuperseded(name, objects));
  expect(earlier.length).toBeGreaterThan(2);
  const bucket = bucketOf(objects);
  const [gone, ...hit] = earlier as [string, ...string[]];
  bucket.byHand.lose(gone);
  for (const name of hit) bucket.byHand.corrupt(name, Buffer.from('x'));
  const mended = await mendedCopy(bucket.reader);
  expect([mended.outcome, mended.verified?.findings, mended.repaired.map(({ object }) => object)]).toEqual(['whole', [], hit]);
  expect(contents(mended.objects)).toEqual(contents(new Map([...objects].filter(([name]) => name !== gone))));
});

// --- Class × fault × source

/** One object of each class, and the other form of what is in it. */
interface Class {
  readonly what: string;
  readonly object: (objects: Objects) => string;
  /** Objects of which it can be made; where these are gone too only versions and replica are left. */
  readonly others: (objects: Objects) => readonly string[];
  /** What it is made of, where there is another form. */
  readonly form?: 'other-form' | 'recomputed';
  /** Without any source: what is lost, or left out. */
  readonly refused: 'lost' | 'left-out' | 'no-keys';
}
const nameLike = (pattern: RegExp) => (objects: Objects): string => {
  const name = [...objects.keys()].find((each) => pattern.test(each));
  if (name === undefined) throw new Error(`the vault has nothing like ${pattern}`);
  return name;
};
const all = (pattern: RegExp) => (objects: Objects): string[] => [...objects.keys()].filter((each) => pattern.test(each));
const CLASSES: readonly Class[] = [
  { what: 'full bundle', object: () => 'tile/entries/000', others: all(/^segment\//), form: 'other-form', refused: 'lost' },
  { what: 'partial bundle', object: nameLike(/^tile\/entries\/.*\.p\//), others: all(/^segment\//), form: 'other-form', refused: 'lost' },
  { what: 'full tile', object: () => 'tile/0/000', others: all(/^segment\/|^tile\/entries\//), form: 'recomputed', refused: 'lost' },
  { what: 'partial tile', object: nameLike(/^tile\/0\/.*\.p\//), others: all(/^segment\/|^tile\/entries\//), form: 'recomputed', refused: 'lost' },
  { what: 'tile above', object: nameLike(/^tile\/1\//), others: all(/^segment\/|^tile\/(entries|0)\//), form: 'recomputed', refused: 'lost' },
  { what: 'segment', object: nameLike(/^segment\/0{17}300\//), others: all(/^tile\/entries\//), form: 'other-form', refused: 'lost' },
  { what: 'blob', object: nameLike(/^blob\//), others: () => [], refused: 'lost' },
  { what: 'report', object: nameLike(/^report\//), others: () => [], refused: 'lost' },
  { what: 'snapshot manifest', object: nameLike(/^snapshot\/.*manifest/), others: () => [], refused: 'left-out' },
  { what: 'snapshot part', object: nameLike(/^snapshot\/.*\/000000-/), others: () => [], refused: 'left-out' },
  { what: 'copy of an older checkpoint', object: () => 'checkpoints/300', others: () => [], refused: 'left-out' },
  { what: 'copy of the checkpoint', object: () => 'checkpoints/340', others: () => ['checkpoint'], form: 'other-form', refused: 'lost' },
  { what: 'checkpoint', object: () => 'checkpoint', others: () => ['checkpoints/340'], form: 'other-form', refused: 'lost' },
  { what: 'log.vkeys', object: () => 'log.vkeys', others: () => [], refused: 'no-keys' },
];

type Byhand = VersionedVault['byHand'];
const garbage = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0x5a));
/** Also what stays of the object behind the fault. */
const FAULTS: readonly { readonly fault: string; readonly keepsOlder: boolean; readonly plant: (byHand: Byhand, name: string, bytes: Buffer) => void }[] = [
  { fault: 'absent', keepsOlder: false, plant: (byHand, name) => byHand.lose(name) },
  { fault: 'flipped', keepsOlder: false, plant: (byHand, name, bytes) => byHand.corrupt(name, Buffer.from(bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte)))) },
  { fault: 'truncated', keepsOlder: false, plant: (byHand, name, bytes) => byHand.corrupt(name, bytes.subarray(0, bytes.length >> 1)) },
  { fault: 'overwritten', keepsOlder: true, plant: (byHand, name, bytes) => byHand.put(name, garbage(bytes)) },
  { fault: 'hidden', keepsOlder: true, plant: (byHand, name) => byHand.hide(name) },
];

type Source = 'older-version' | 'form' | 'replica' | 'none';
const SOURCES: readonly Source[] = ['older-version', 'form', 'replica', 'none'];

describe('every class of object, with every fault, from every source', () => {
  const tally = { repaired: 0, refused: 0 };
  const lines = new Map<string, string[]>();

  test.each(CLASSES)('$what', async ({ what, object, others, form, refused }) => {
    const objects = await wholeVault({ rounds: [40, 260, 13, 20, 7] });
    const name = object(objects);
    for (const { fault, keepsOlder, plant } of FAULTS) {
      for (const source of SOURCES) {
        // Where the fault leaves no older version, or the class has no other form, there is no such source.
        if ((source === 'older-version' && !keepsOlder) || (source === 'form' && form === undefined)) continue;
        const bucket = bucketOf(objects);
        if (source !== 'older-version' && keepsOlder) bucket.byHand.corrupt(name, garbage(objects.get(name) as Buffer)); // what will lie underneath is no help
        plant(bucket.byHand, name, objects.get(name) as Buffer);
        if (source !== 'form') for (const other of others(objects)) if (other !== name) bucket.byHand.corrupt(other, garbage(objects.get(other) as Buffer));
        const replicas = source === 'replica' ? [memoryVaultReader(objects)] : [];
        const at = `${what} ${fault} from ${source}`;
        if (source === 'none') {
          await expectRefused(at, bucket, name, refused);
          tally.refused++;
          continue;
        }
        // With an older version the other forms are gone too in this cell, and can only come from elsewhere: the replica has those, and not the object.
        const elsewhere = source === 'older-version' ? [memoryVaultReader(new Map([...objects].filter(([each]) => others(objects).includes(each))))] : replicas;
        const mended = await mendedCopy(bucket.reader, { replicas: elsewhere });
        expect([at, mended.outcome, mended.lost, mended.verified?.findings]).toEqual([at, 'whole', [], []]);
        expect([at, contents(mended.objects)]).toEqual([at, contents(objects)]);
        const repair = mended.repaired.find((each) => each.object === name);
        expect([at, repair?.fault]).toEqual([at, fault === 'flipped' || fault === 'truncated' ? 'damaged' : fault]);
        tally.repaired++;
        lines.set(what, [...new Set([...(lines.get(what) ?? []), ...(repair?.from ?? [])])]);
      }
    }
  }, 120_000);

  afterAll(() => {
    figure('vault repair, classes of objects × faults × sources', `${CLASSES.length} × ${FAULTS.length} × ${SOURCES.length}: ${tally.repaired} repaired byte for byte, ${tally.refused} without any source refused or left out by name, 0 wrong`);
    for (const [what, from] of lines) figure(`vault repair, ${what}`, `repaired from ${from.sort().join(', ')}`);
  });

  async function expectRefused(at: string, bucket: VersionedVault, name: string, refused: Class['refused']): Promise<void> {
    if (refused === 'no-keys') {
      await expect(mendedCopy(bucket.reader)).rejects.toMatchObject({ code: 'no-keys' });
      return;
    }
    const mended = await mendedCopy(bucket.reader);
    if (refused === 'lost' && (name === 'checkpoint' || name === 'checkpoints/340')) return expectShorter(at, mended);
    if (refused === 'left-out') {
      expect([at, mended.outcome, mended.lost, mended.verified?.findings]).toEqual([at, 'whole', [], []]);
      expect([at, mended.objects.has(name)]).toEqual([at, false]);
    } else {
      expect([at, mended.outcome, mended.objects.size, mended.verified]).toEqual([at, 'nothing', 0, null]);
      expect([at, mended.lost.length > 0]).toEqual([at, true]);
      // Entries are lost where these were the last two forms of them.
      if (/^(tile|segment)\//.test(name)) expect([at, mended.lost.some(({ entries }) => entries.length > 0)]).toEqual([at, true]);
    }
  }

  /** Both notes that state the last size are gone: the log is one signature shorter, which is said, and its entries are kept as what was sealed. */
  function expectShorter(at: string, mended: Mended): void {
    expect([at, mended.signed, mended.sealed]).toEqual([at, 333, 340]);
    expect([at, mended.outcome]).toEqual([at, mended.lost.length > 0 ? 'nothing' : 'whole']);
  }
});

// --- Flips

/** Entries that no copy holds any more, told by the bytes alone: independent of how a mend looks for them. */
function entriesLeft(objects: Objects, original: Objects): { readonly sound: ReadonlySet<number>; readonly size: number } {
  const truth: string[] = [];
  for (const [name, bytes] of original) {
    const tile = parseTilePath(name);
    if (tile?.level === 'entries') decodeEntries(bytes).forEach((entry, i) => (truth[tile.index * 256 + i] = leafHash(entry).toString('hex')));
  }
  const sound = new Set<number>();
  for (const [name, bytes] of objects) {
    const [known, tile] = [classifyName(name), parseTilePath(name)];
    const from = known.kind === 'segment' ? known.from : tile?.level === 'entries' ? tile.index * 256 : undefined;
    if (from === undefined) continue;
    for (let at = 0, i = from; at + 2 <= bytes.length; i++) {
      const end = at + 2 + bytes.readUInt16BE(at);
      if (end > bytes.length) break;
      if (leafHash(bytes.subarray(at + 2, end)).toString('hex') === truth[i]) sound.add(i);
      at = end;
    }
  }
  return { sound, size: truth.length };
}

const indexesOf = (runs: readonly EntryRun[]): number[] => runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));

test(`${FULL ? '10,000' : '300'} flips planted in vaults that have a replica or older versions are repaired, byte for byte`, async () => {
  const total = FULL ? 10_000 : 300;
  const draw = drawOf(FULL ? 11 : 12);
  const vaults = [await wholeVault(), await wholeVault({ publishEvery: 5, rounds: [100, 100, 100, 400, 30] }), await wholeVault({ losers: true, rounds: [1, 2, 3, 260, 5, 9, 250] })];
  let [flips, hit] = [0, 0];
  while (flips < total) {
    const objects = vaults[Math.floor(draw() * vaults.length)] as Objects;
    const bucket = bucketOf(objects);
    const names = [...objects.keys()];
    const bad = new Set<string>();
    for (let n = 1 + Math.floor(draw() * 40); n > 0; n--) {
      const name = names[Math.floor(draw() * names.length)] as string;
      const bytes = (await bucket.reader.get(name)) as Buffer;
      // Half of them beside the rules, in place; half as a version over the one that was there.
      const [there, flip] = [objects.get(name) as Buffer, flipped(bytes, draw)];
      if (flip.equals(there)) continue;
      if (draw() < 0.5) bucket.byHand.corrupt(name, flip);
      else bucket.byHand.put(name, flip);
      bad.add(name);
      flips++;
    }
    // The replica is hit too, elsewhere: what is wrong in one copy is right in another.
    const replica = new Map([...objects].map(([name, bytes]) => [name, bad.has(name) || draw() < 0.9 ? bytes : flipped(bytes, draw)]));
    const mended = await mendedCopy(bucket.reader, { replicas: [memoryVaultReader(replica)] });
    expect([mended.outcome, mended.lost, mended.verified?.findings]).toEqual(['whole', [], []]);
    expect(contents(mended.objects)).toEqual(contents(objects));
    hit += bad.size;
  }
  figure('flips planted in vaults with a replica, repaired', `${flips} in ${hit} objects, all repaired byte for byte, 0 findings afterwards`);
}, 900_000);

describe('flips in a vault that has nothing but itself', () => {
  const tally = { flips: 0, repaired: 0, refused: 0 };
  const flip = async (seed: number, pattern: RegExp, most: number): Promise<{ readonly objects: Objects; readonly bucket: VersionedVault; readonly isLost: (index: number) => boolean; readonly size: number }> => {
    const draw = drawOf(seed);
    const objects = await wholeVault({ publishEvery: seed % 3 === 0 ? 5 : 1, losers: seed % 2 === 0, rotate: false, snapshot: false, rounds: [30, 250, 20, 130] });
    const bucket = bucketOf(objects);
    const names = [...objects.keys()].filter((name) => pattern.test(name));
    for (let i = 1 + Math.floor(draw() * most); i > 0; i--) {
      const name = names[Math.floor(draw() * names.length)] as string;
      bucket.byHand.corrupt(name, flipped((await bucket.reader.get(name)) as Buffer, draw));
      tally.flips++;
    }
    const damaged = new Map<string, Buffer>();
    for (const name of objects.keys()) damaged.set(name, (await bucket.reader.get(name)) as Buffer);
    const { sound, size } = entriesLeft(damaged, objects);
    return { objects, bucket, size, isLost: (index) => !sound.has(index) };
  };
  const lostIn = (mended: Mended): readonly number[] => [...new Set(mended.lost.flatMap(({ entries }) => indexesOf(entries)))].sort((a, b) => a - b);

  test('are repaired wherever a copy of every entry is left', async () => {
    await forEachSeed('vaults with a few flips', 20, async (seed) => {
      const { objects, bucket, size, isLost } = await flip(seed, /^(segment|tile)\//, 20);
      const unsound = Array.from({ length: size }, (_, i) => i).filter(isLost);
      const mended = await mendedCopy(bucket.reader);
      if (unsound.length > 0) {
        // With its hash lost too, nothing proves what lies beside it since the last signature.
        expect([mended.outcome, lostIn(mended)]).toEqual(['nothing', expect.arrayContaining(unsound)]);
        return void tally.refused++;
      }
      expect([mended.outcome, mended.lost, mended.verified?.findings]).toEqual(['whole', [], []]);
      expect(contents(mended.objects)).toEqual(contents(losslessly(objects, mended)));
      tally.repaired++;
    });
  }, 900_000);

  test('where tiles still tell the hashes, lose exactly the entries that no copy holds', async () => {
    await forEachSeed('vaults with many flips in their entries', 6, async (seed) => {
      const { bucket, size, isLost } = await flip(seed, /^(segment|tile\/entries)\//, 300);
      const unsound = Array.from({ length: size }, (_, i) => i).filter(isLost);
      const mended = await mendedCopy(bucket.reader);
      expect([lostIn(mended), mended.outcome]).toEqual([unsound, unsound.length === 0 ? 'whole' : 'nothing']);
      if (unsound.length > 0) tally.refused++;
      else tally.repaired++;
    });
  }, 900_000);

  test('however many there are, what is not told lost is right', async () => {
    await forEachSeed('vaults with very many flips', 6, async (seed) => {
      const { objects, bucket, size, isLost } = await flip(seed, /./, 600);
      const mended = await mendedCopy(bucket.reader, { partial: true }).catch((error: unknown) => error as Error);
      if (mended instanceof Error) return void expect(['no-keys', 'no-checkpoint']).toContain((mended as Error & { code?: string }).code);
      const lost = lostIn(mended);
      for (let i = 0; i < Math.min(size, mended.signed); i++) if (isLost(i)) expect(lost).toContain(i);
      for (const [name, bytes] of mended.objects) if (objects.has(name) && name !== 'checkpoint') expect([name, bytes.equals(objects.get(name) as Buffer)]).toEqual([name, true]);
      const { sound } = entriesLeft(mended.objects, objects);
      const missing = Array.from({ length: mended.size }, (_, i) => i).filter((i) => !sound.has(i));
      if (mended.objects.size > 0) expect(lost).toEqual(expect.arrayContaining(missing));
      tally.refused++;
    });
  }, 900_000);

  afterAll(() => figure('flips in vaults that have nothing but themselves', `${tally.flips} flips: ${tally.repaired} vaults repaired, ${tally.refused} refused with the entries that are lost, 0 wrong`));
});

/** Segments of sealers that lost are of no matter: a damaged one is left out. */
const losslessly = (objects: Objects, { leftOut }: Mended): Objects => new Map([...objects].filter(([name]) => !leftOut.some((each) => each.object === name && each.why === 'orphan-damaged')));

// --- What is left when something is lost

describe('where every copy is damaged', () => {
  const damaged = async (): Promise<{ readonly objects: Objects; readonly bucket: VersionedVault; readonly segment: string }> => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    const segment = nameLike(/^segment\/0{17}313\//)(objects);
    // Entry 320, in both forms; and a blob.
    for (const [name, from] of [[segment, 313], ['tile/entries/001', 256]] as const) {
      const entries = decodeEntries(objects.get(name) as Buffer);
      bucket.byHand.corrupt(name, encodeEntries(entries.map((entry, i) => (from + i === 320 ? flippedEntry(entry) : entry))));
    }
    bucket.byHand.lose(nameLike(/^blob\//)(objects));
    return { objects, bucket, segment };
  };
  const flippedEntry = (entry: Buffer): Buffer => Buffer.from(entry.map((byte, i) => (i === 50 ? byte ^ 1 : byte)));

  test('nothing is written, and every loss is listed with its entries', async () => {
    const { objects, bucket } = await damaged();
    const mended = await mendedCopy(bucket.reader);
    expect(mended).toMatchObject({ outcome: 'nothing', written: 0, size: 690, signed: 690 });
    expect(mended.objects.size).toBe(0);
    expect(mended.lost.map(({ object, entries }) => [object, entries])).toEqual([
      ['tile/entries/001', [{ from: 320, to: 321 }]],
      [nameLike(/^blob\//)(objects), []],
    ]);
  });

  test('what is sound is written on request, verifies but for what was told lost, and is completed when a copy turns up', async () => {
    const { objects, bucket, segment } = await damaged();
    const target = memoryTarget();
    const options = { pinned: PINNED, partial: true, target: { kind: 'copy', to: target, reader: target.reader } } as const;
    const mended = await mendVault(bucket.reader, { ...options, replicas: [] });
    expect(mended.outcome).toBe('partial');
    expect(new Set(mended.verified?.findings.map(({ object }) => object))).toEqual(new Set(['tile/entries/001', 'segment/00000000000000000320/', nameLike(/^blob\//)(objects)]));
    for (const [name, bytes] of target.objects) if (objects.has(name)) expect([name, bytes.equals(objects.get(name) as Buffer)]).toEqual([name, true]);
    // Of the lost segment the sound entries are kept, in segments of their own.
    const kept = [...target.objects.keys()].filter((name) => !objects.has(name));
    expect(kept.map((name) => classifyName(name))).toEqual([expect.objectContaining({ from: 313 }), expect.objectContaining({ from: 321 })]);
    expect(target.objects.has(segment)).toBe(false);
    const later = await mendVault(target.reader, { ...options, replicas: [memoryVaultReader(objects)], target: { kind: 'plan' } });
    expect([later.lost, later.outcome]).toEqual([[], 'nothing']);
    const whole = await mendVault(target.reader, { ...options, replicas: [memoryVaultReader(objects)] });
    expect([whole.lost, whole.outcome, whole.verified?.findings]).toEqual([[], 'whole', []]);
  });

  test('so that the tail of the log leads to no signature, the vault ends, on request, at the last one it leads to; the larger ones are kept', async () => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    for (const name of objects.keys()) if (/^segment\/0{17}6|^tile\/(entries|0)\/002|^tile\/1\//.test(name)) bucket.byHand.lose(name);
    expect(await mendedCopy(bucket.reader)).toMatchObject({ outcome: 'nothing', size: 613, signed: 690, lost: [{ object: 'checkpoints/690', entries: [{ from: 613, to: 690 }] }] });
    const partial = await mendedCopy(bucket.reader, { partial: true });
    expect([partial.outcome, partial.verified?.size, partial.verified?.findings.map(({ code, object }) => `${code} ${object}`)]).toEqual(['partial', 613, ['checkpoint-behind checkpoint']]);
    expect(partial.objects.get('checkpoints/690')).toEqual(objects.get('checkpoint'));
  });

  test('a signature that may have been the last is not passed over in silence', async () => {
    const objects = await wholeVault();
    const last = objects.get('checkpoint') as Buffer;
    for (const [gone, damage] of [['checkpoints/690', 'checkpoint'], ['checkpoint', 'checkpoints/690']] as const) {
      const bucket = bucketOf(objects);
      bucket.byHand.lose(gone);
      bucket.byHand.corrupt(damage, Buffer.from(last.toString().replace(/.{6}\n$/, 'AAAAA=\n'))); // its text can be read, its signature is gone
      const mended = await mendedCopy(bucket.reader);
      expect(mended).toMatchObject({ outcome: 'whole', signed: 613, sealed: 690, lost: [], leftOut: expect.arrayContaining([{ object: 'checkpoints/690', why: 'unsigned-ahead' }]) as unknown });
    }
  });
});

// --- A place to write to

describe('a mended copy', () => {
  test('is no vault before its last two objects are there, and an interrupted one is completed by the next run', async () => {
    const objects = await wholeVault({ rounds: [20, 250, 5] });
    const bucket = bucketOf(objects);
    bucket.byHand.lose('tile/entries/000');
    for (let stopAt = 0; stopAt < objects.size; stopAt += FULL ? 1 : 3) {
      const target = memoryTarget();
      let writes = 0;
      const dying = { ...target, write: async (name: string, bytes: Uint8Array) => (writes++ >= stopAt ? Promise.reject(new Error('killed')) : target.write(name, bytes)) };
      const call = (to: typeof target) => mendVault(bucket.reader, { pinned: PINNED, replicas: [], partial: false, target: { kind: 'copy', to, reader: target.reader } });
      await expect(call(dying)).rejects.toThrow('killed');
      expect(target.objects.has('checkpoint')).toBe(false);
      expect((await verify(target.objects)).ok).toBe(false);
      const mended = await call(target);
      expect([mended.outcome, mended.verified?.findings]).toEqual(['whole', []]);
      expect(contents(target.objects)).toEqual(contents(objects));
    }
  });

  test('gets its keys, and then its checkpoint, when everything before is there', async () => {
    const objects = await wholeVault();
    const target = memoryTarget();
    const there: Record<string, number> = {};
    let underway = 0;
    const slow = {
      ...target,
      write: async (name: string, bytes: Uint8Array) => {
        underway++;
        await new Promise((done) => setTimeout(done, name.length % 7));
        if (name === 'log.vkeys' || name === 'checkpoint') there[name] = target.objects.size + (underway - 1) * 1_000;
        await target.write(name, bytes);
        underway--;
      },
    };
    await mendVault(memoryVaultReader(objects), { pinned: PINNED, replicas: [], partial: false, target: { kind: 'copy', to: slow, reader: target.reader } });
    expect(there).toEqual({ 'log.vkeys': objects.size - 2, checkpoint: objects.size - 1 });
  });

  test('goes to no place where another vault is', async () => {
    const objects = await wholeVault();
    const target = memoryTarget();
    for (const [name, bytes] of await wholeVault({ rounds: [5], rotate: false })) target.objects.set(name, bytes);
    await expect(mendedCopyInto(objects, target)).rejects.toMatchObject({ code: 'target-taken' });
    target.objects.delete('checkpoint');
    await expect(mendedCopyInto(objects, target)).rejects.toMatchObject({ code: 'target-taken' });
  });

  test('in a bucket is locked as that is told to be', async () => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    bucket.byHand.corrupt('tile/entries/000', Buffer.from('x'));
    const other = versionedVault({ mode: 'GOVERNANCE', retentionDays: 3 }, () => new Date('2026-04-01T00:00:00Z'));
    const lockPolicy = { mode: 'GOVERNANCE', retentionDays: 3 } as const;
    const mended = await mendVault(bucket.reader, { pinned: PINNED, replicas: [], partial: false, target: { kind: 'copy', to: vaultTarget(other.vault), reader: other.reader, lockPolicy } });
    expect(mended).toMatchObject({ outcome: 'whole', verified: { findings: [], locks: { wrong: 0, mode: 'GOVERNANCE' } } });
    expect(mended.verified?.locks?.checked).toBeGreaterThan(10);
  });

  const mendedCopyInto = (objects: Objects, target: ReturnType<typeof memoryTarget>): Promise<Mended> =>
    mendVault(memoryVaultReader(objects), { pinned: PINNED, replicas: [], partial: false, target: { kind: 'copy', to: target, reader: target.reader } });
});

describe('in place', () => {
  const inPlace = (bucket: VersionedVault, replicas: readonly Objects[] = []): Promise<Mended> =>
    mendVault(bucket.reader, {
      pinned: PINNED,
      replicas: replicas.map((each) => memoryVaultReader(each)),
      partial: false,
      target: {
        kind: 'in-place',
        to: vaultTarget(bucket.vault),
        replace: async (name, bytes, seen) => {
          const there = await bucket.vault.getMutable(name);
          if (there === 'absent' ? seen !== 'absent' : seen === 'absent' || !there.bytes.equals(seen)) return 'stale';
          return bucket.vault.replaceMutable(name, bytes, there === 'absent' ? 'absent' : there.etag);
        },
      },
    });
  const standing = async (bucket: VersionedVault): Promise<Map<string, Buffer>> => {
    const objects = new Map<string, Buffer>();
    for await (const name of bucket.reader.list('')) objects.set(name, (await bucket.reader.get(name)) as Buffer);
    return objects;
  };

  test('what is absent is put back, locked, and the vault verifies', async () => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    const gone = [...objects.keys()].filter((_, i) => i % 3 === 0);
    for (const name of gone) bucket.byHand.lose(name);
    const mended = await inPlace(bucket, [objects]);
    expect(mended).toMatchObject({ outcome: 'in-place', written: gone.filter((name) => !name.startsWith('snapshot/')).length, refused: [], lost: [] });
    expect(found(await verify(await standing(bucket)))).toEqual([]);
    const again = await inPlace(bucket, [objects]);
    expect([again.written, again.repaired]).toEqual([0, []]);
  });

  test('what a lock forbids to replace is refused by name, and left as it is', async () => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    for (const name of ['tile/entries/000', 'tile/0/001']) bucket.byHand.corrupt(name, Buffer.from('x'));
    bucket.byHand.lose('tile/1/000.p/2');
    const mended = await inPlace(bucket);
    expect(mended.refused).toEqual([
      { object: 'tile/entries/000', fault: 'damaged', why: 'locked' },
      { object: 'tile/0/001', fault: 'damaged', why: 'locked' },
    ]);
    expect([mended.written, (await bucket.reader.get('tile/0/001')).toString()]).toEqual([1, 'x']);
  });

  test('what a delete marker hides can be read again afterwards; the marker stays, and is still found', async () => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    bucket.byHand.hide('tile/entries/000');
    expect(await inPlace(bucket)).toMatchObject({ written: 1, refused: [], repaired: [{ object: 'tile/entries/000', fault: 'hidden' }] });
    expect(await bucket.reader.get('tile/entries/000')).toEqual(objects.get('tile/entries/000'));
  });

  test('checkpoint and log.vkeys are replaced where they are damaged, only if nobody else did meanwhile, and never by an older one', async () => {
    const objects = await wholeVault();
    for (const name of ['checkpoint', 'log.vkeys']) {
      const bucket = bucketOf(objects);
      bucket.byHand.put(name, Buffer.from('x'));
      expect(await inPlace(bucket)).toMatchObject({ written: 1, refused: [] });
      expect(await bucket.reader.get(name)).toEqual(objects.get(name));
    }
    const moving = bucketOf(objects);
    moving.byHand.put('checkpoint', Buffer.from('x'));
    const { reader } = moving;
    const racing = { ...moving, reader: { ...reader, get: async (name: string) => {
      const bytes = await reader.get(name);
      if (name === 'tile/0/000') moving.byHand.put('checkpoint', Buffer.from('newer'));
      return bytes;
    } } };
    expect((await inPlace(racing)).refused).toEqual([{ object: 'checkpoint', fault: 'overwritten', why: 'moved' }]);
    expect((await reader.get('checkpoint')).toString()).toBe('newer');
    // The tail is lost: the signature over it stays.
    const cut = bucketOf(objects);
    for (const name of objects.keys()) if (/^segment\/0{17}6|^tile\/(entries|0)\/002|^tile\/1\//.test(name)) cut.byHand.lose(name);
    await inPlace(cut);
    expect(await cut.reader.get('checkpoint')).toEqual(objects.get('checkpoint'));
  });

  test('a partial tile that the full one replaced, and a snapshot that has expired, are not put back', async () => {
    const objects = new Map(await wholeVault());
    // The publisher went on: entries and tiles of a larger log stand there, the partial forms of this one are gone.
    const larger = await wholeVault({ rounds: [40, 260, 13, 300, 77, 400] });
    const bucket = bucketOf(new Map([...larger, ['checkpoint', objects.get('checkpoint') as Buffer]].filter(([name]) => name !== 'checkpoints/1090') as [string, Buffer][]));
    for (const name of larger.keys()) if (name.startsWith('snapshot/')) bucket.byHand.hide(name);
    const mended = await inPlace(bucket);
    expect(mended.repaired.filter(({ object }) => /^snapshot|002\.p/.test(object))).toEqual([]);
  });
});

// --- Whoever can write everything but a signature

describe('an adversary', () => {
  test('who forged a bundle and its tile, and every copy of them but the segments, is not believed', async () => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    const entries = decodeEntries(objects.get('tile/entries/001') as Buffer).map((entry, i) => (i === 7 ? makeEntry(263, { salt: 'forged' }) : entry));
    const forged = new Map([['tile/entries/001', encodeEntries(entries)], ['tile/0/001', Buffer.concat(entries.map(leafHash))]]);
    for (const [name, bytes] of forged) bucket.byHand.corrupt(name, bytes);
    const replica = new Map([...objects, ...forged]);
    const mended = await mendedCopy(bucket.reader, { replicas: [memoryVaultReader(replica)] });
    expect([mended.outcome, mended.verified?.findings]).toEqual(['whole', []]);
    expect(contents(mended.objects)).toEqual(contents(objects));
  });

  test('who forged all copies of an entry has it refused, not accepted', async () => {
    const objects = await wholeVault({ rotate: false, snapshot: false });
    const bucket = bucketOf(objects);
    const forge = (bytes: Buffer, from: number): Buffer => encodeEntries(decodeEntries(bytes).map((entry, i) => (from + i === 400 ? makeEntry(400, { salt: 'forged' }) : entry)));
    const segment = nameLike(/^segment\/0{17}313\//)(objects);
    bucket.byHand.corrupt('tile/entries/001', forge(objects.get('tile/entries/001') as Buffer, 256));
    const [bundle] = [decodeEntries((await bucket.reader.get('tile/entries/001')) as Buffer)];
    bucket.byHand.corrupt('tile/0/001', Buffer.concat(bundle.map(leafHash)));
    const bytes = forge(objects.get(segment) as Buffer, 313);
    bucket.byHand.lose(segment);
    bucket.byHand.put(segmentName(313, sha256(bytes)), bytes);
    const mended = await mendedCopy(bucket.reader);
    expect(mended.outcome).toBe('nothing');
    expect(mended.lost.length).toBeGreaterThan(0);
  });

  test('who planted segments, blobs, reports and strange names has none of them taken over, or only as what no entry names', async () => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    for (let from = 300; from < 320; from++) {
      const bytes = encodeEntries([makeEntry(from, { salt: 'planted' }), makeEntry(from + 1, { salt: 'planted' })]);
      bucket.byHand.put(segmentName(from, sha256(bytes)), bytes);
    }
    bucket.byHand.put('report/planted', Buffer.from('planted'));
    bucket.byHand.put('../outside', Buffer.from('planted'));
    bucket.byHand.put(`blob/${'0'.repeat(64)}`, Buffer.from('planted'));
    bucket.byHand.corrupt('tile/entries/001', Buffer.from('x'));
    bucket.byHand.corrupt('tile/0/001', Buffer.from('x'));
    const mended = await mendedCopy(bucket.reader);
    expect([mended.outcome, mended.verified?.findings]).toEqual(['whole', []]);
    expect(mended.leftOut).toEqual([
      { object: '../outside', why: 'stranger' },
      { object: `blob/${'0'.repeat(64)}`, why: 'orphan-damaged' },
      { object: 'report/planted', why: 'unnamed' },
    ]);
    for (const [name, bytes] of objects) expect([name, mended.objects.get(name)?.equals(bytes)]).toEqual([name, true]);
  });

  test('who planted a segment behind the signed log gains nothing by what its entries name', async () => {
    const objects = await wholeVault();
    const other = Buffer.from('other');
    const planted = encodeEntries([
      makeEntry(690, { objects: [{ name: 'report/2026-01', sha256: sha256(other) }] }),
      makeEntry(691, { blob: Buffer.from('never put') }),
      makeEntry(692, { objects: [{ name: 'report/./x', sha256: sha256(other) }, { name: 'report/x/', sha256: sha256(other) }, { name: 'report/new', sha256: sha256(other) }] }),
      makeEntry(693, { objects: [{ name: 'report/new', sha256: '0'.repeat(64) }, { name: 'report/altered', sha256: sha256(other) }] }),
    ]);
    const bucket = bucketOf(objects);
    bucket.byHand.put(segmentName(690, sha256(planted)), planted);
    const bombs = [Buffer.alloc(2 * 70_000), Buffer.from([0, 9, 1])].map((bytes) => [segmentName(690, sha256(bytes)), bytes] as const);
    for (const [name, bytes] of bombs) bucket.byHand.put(name, bytes);
    bucket.byHand.put('report/new', other);
    bucket.byHand.put('report/altered', Buffer.from('x'));
    const asked: string[] = [];
    const reader = { ...bucket.reader, get: (name: string) => (asked.push(name), bucket.reader.get(name)) };
    // Who has the replica too cannot have it preferred to what a signed entry says.
    const mended = await mendedCopy(reader, { replicas: [memoryVaultReader(new Map([['report/2026-01', other]]))] });
    expect(mended).toMatchObject({ outcome: 'whole', lost: [], repaired: [], leftOut: [...bombs.map(([object]) => ({ object, why: 'orphan-damaged' })).sort((a, b) => (a.object < b.object ? -1 : 1)), { object: 'report/altered', why: 'unnamed' }], sealed: 694 });
    for (const [name, bytes] of objects) expect([name, mended.objects.get(name)?.equals(bytes)]).toEqual([name, true]);
    expect(mended.objects.get('report/new')).toEqual(other);
    expect(asked.filter((name) => name.includes('/./') || name.endsWith('/'))).toEqual([]);
    // What a signed entry names is lost all the same.
    bucket.byHand.lose('report/2026-01');
    expect(await mendedCopy(bucket.reader)).toMatchObject({ outcome: 'nothing', lost: [{ object: 'report/2026-01' }] });
  });

  test('who laid thousands of segments beside a damaged bundle, or one of empty entries without end, does not keep it from being repaired', async () => {
    const objects = await wholeVault({ rounds: [40, 260], rotate: false, snapshot: false });
    const bucket = bucketOf(objects);
    const lay = (at: number, bytes: Buffer): void => bucket.byHand.put(segmentName(at, sha256(bytes)), bytes);
    lay(0, Buffer.alloc(2 * 70_000));
    for (let i = 0; i < 1_500; i++) lay(i % 39, encodeEntries([makeEntry(i % 39, { salt: `planted-${i}` })]));
    for (const name of ['tile/entries/000', 'tile/0/000']) bucket.byHand.corrupt(name, Buffer.alloc(2 * 70_000));
    let [reading, most] = [0, 0];
    const get = async (name: string): Promise<Buffer | 'absent'> => {
      most = Math.max(most, ++reading);
      await new Promise(setImmediate);
      return bucket.reader.get(name).finally(() => void (reading -= 1));
    };
    const mended = await mendedCopy({ ...bucket.reader, get });
    expect([mended.outcome, mended.lost, mended.repaired.map(({ object }) => object)]).toEqual(['whole', [], ['tile/entries/000', 'tile/0/000']]);
    expect(most).toBeLessThan(300);
    for (const [name, bytes] of objects) expect([name, mended.objects.get(name)?.equals(bytes)]).toEqual([name, true]);
  });

  test('who put a key history of their own over log.vkeys is told apart by the pinned key, and without one by nobody', async () => {
    const objects = await wholeVault({ rotate: false });
    const evil = Buffer.from((await builtVaultOf(66)).get('log.vkeys') as Buffer);
    const bucket = bucketOf(objects);
    bucket.byHand.put('log.vkeys', evil);
    const mended = await mendedCopy(bucket.reader);
    expect([mended.outcome, mended.objects.get('log.vkeys')]).toEqual(['whole', objects.get('log.vkeys')]);
    await expect(mendedCopy(bucket.reader, { pinned: [] })).rejects.toMatchObject({ code: 'ambiguous-keys' });
    // Theirs alone is left: the pinned key tells that it is not the log's.
    const alone = bucketOf(objects);
    alone.byHand.corrupt('log.vkeys', evil);
    expect((await mendedCopy(alone.reader)).objects.get('log.vkeys')).toEqual(objects.get('log.vkeys'));
  });

  test('who holds a key that was pinned nowhere has no checkpoint of theirs taken', async () => {
    const objects = await wholeVault({ rotate: false });
    const bucket = bucketOf(objects);
    const evil = await builtVaultOf(66);
    for (const name of ['checkpoint', 'checkpoints/690']) bucket.byHand.put(name, evil.get('checkpoint') as Buffer);
    const mended = await mendedCopy(bucket.reader);
    expect([mended.outcome, mended.size, mended.verified?.findings]).toEqual(['whole', 690, []]);
    expect(contents(mended.objects)).toEqual(contents(objects));
  });

  test('who holds the log\'s own key and signed another tree is named: nothing is mended', async () => {
    const objects = new Map(await wholeVault({ rotate: false }));
    const { key, sign } = keyPair(1);
    const forged = (size: number): Promise<Buffer> => signCheckpoint({ origin: key.name, size, root: Buffer.alloc(32, 7), extensions: [] }, key, sign);
    const older = bucketOf(objects);
    older.byHand.corrupt('checkpoints/313', await forged(313));
    await expect(mendedCopy(older.reader)).rejects.toMatchObject({ code: 'forked' });
    const newest = bucketOf(objects);
    newest.byHand.corrupt('checkpoint', await forged(690));
    await expect(mendedCopy(newest.reader)).rejects.toMatchObject({ code: 'forked' });
  });

  test('who put junk, or more than memory holds, where the next round and its signature belong, stops nothing and is named', async () => {
    const objects = await wholeVault();
    const [segment, copy] = [segmentName(690, 'd'.repeat(64)), 'checkpoints/700'];
    const planted = new Map(objects).set(segment, Buffer.from('junk')).set(copy, Buffer.alloc(2_000_000));
    const reader = memoryVaultReader(planted);
    const read: number[] = [];
    const counting = { ...reader, get: async (name: string, maxBytes = Infinity) => {
      const bytes = await reader.get(name, maxBytes);
      if (name === copy) read.push(bytes.length);
      return bytes;
    } };
    const mended = await mendedCopy(counting);
    expect(mended).toMatchObject({ outcome: 'whole', signed: 690, lost: [], repaired: [], verified: { findings: [] } });
    expect(mended.leftOut).toEqual([segment, copy].map((object) => ({ object, why: 'unsigned-ahead' })));
    expect(contents(mended.objects)).toEqual(contents(objects));
    expect(read).toEqual([]);
  });

  test('who stole a key that was replaced long ago, and signed a larger log with it, has it called by its name', async () => {
    const objects = await wholeVault();
    const bucket = bucketOf(objects);
    const { key, sign } = keyPair(1);
    bucket.byHand.put('checkpoints/700', await signCheckpoint({ origin: key.name, size: 700, root: Buffer.alloc(32, 7), extensions: [] }, key, sign));
    const pinned = [keyPair(2).key];
    const mended = await mendedCopy(bucket.reader, { pinned });
    expect(mended).toMatchObject({ outcome: 'whole', signed: 690, lost: [], leftOut: [{ object: 'checkpoints/700', why: 'unsigned-ahead' }] });
    expect(contents(mended.objects)).toEqual(contents(objects));
  });

  const builtVaultOf = async (seed: number): Promise<Objects> => {
    const { BuiltVault } = await import('./built-vault');
    const vault = new BuiltVault(keyPair(seed));
    vault.sealCount(690);
    await vault.publish();
    return vault.objects;
  };
});

// --- Facts alone

test('of the facts alone, with segments that lost races beside the others, all else is made again', async () => {
  const objects = await wholeVault({ losers: true });
  const facts = new Map([...objects].filter(([name]) => !name.startsWith('tile/') && name !== 'checkpoint'));
  const mended = await mendedCopy(memoryVaultReader(facts));
  expect([mended.outcome, mended.verified?.findings]).toEqual(['whole', []]);
  expect(contents(mended.objects)).toEqual(contents(objects));
});

test('two segments that are gone side by side are made again under their own names, cut where the log was signed', async () => {
  const objects = await wholeVault();
  const bucket = bucketOf(objects);
  for (const from of ['300', '313']) bucket.byHand.lose(nameLike(new RegExp(`^segment/0{17}${from}/`))(objects));
  const mended = await mendedCopy(bucket.reader);
  expect(mended.repaired.map(({ fault, from }) => [fault, from])).toEqual([['absent', ['other-form']], ['absent', ['other-form']]]);
  expect(contents(mended.objects)).toEqual(contents(objects));
});

test('of a vault that was never rotated, log.vkeys follows from the pinned key', async () => {
  const objects = await wholeVault({ rotate: false });
  const bucket = bucketOf(objects);
  bucket.byHand.lose('log.vkeys');
  const mended = await mendedCopy(bucket.reader);
  expect(mended).toMatchObject({ outcome: 'whole', repaired: [{ object: 'log.vkeys', fault: 'absent', from: ['recomputed'] }] });
  await expect(mendedCopy(bucket.reader, { pinned: [] })).rejects.toMatchObject({ code: 'no-keys' });
});

test('segments behind the checkpoint are kept, and one that is damaged there is named: nobody signed what was in it', async () => {
  const vault = await builtVault(40, 300);
  vault.sealCount(5);
  vault.sealCount(6);
  const objects = new Map([...vault.objects].filter(([name]) => !isSuperseded(name, vault.objects)));
  const kept = await mendedCopy(bucketOf(objects).reader);
  expect(kept).toMatchObject({ outcome: 'whole', signed: 340, sealed: 351, verified: { findings: [] } });
  expect(contents(kept.objects)).toEqual(contents(objects));
  const bucket = bucketOf(objects);
  const behind = nameLike(/^segment\/0{17}340\//)(objects);
  bucket.byHand.corrupt(behind, Buffer.from('x'));
  expect(await mendedCopy(bucket.reader)).toMatchObject({ outcome: 'whole', lost: [], leftOut: [{ object: behind, why: 'unsigned-ahead' }] });
  expect(await mendedCopy(bucket.reader, { replicas: [memoryVaultReader(objects)] })).toMatchObject({ outcome: 'whole', repaired: [{ object: behind, from: ['replica'] }] });
});

test('a plan writes nothing and says the same', async () => {
  const objects = await wholeVault();
  const bucket = bucketOf(objects);
  bucket.byHand.lose('tile/entries/000');
  const plan = await mendVault(bucket.reader, { pinned: PINNED, replicas: [], partial: false, target: { kind: 'plan' } });
  expect(plan).toMatchObject({ outcome: 'nothing', written: 0, lost: [], repaired: [{ object: 'tile/entries/000', fault: 'absent', from: ['other-form'] }], verified: null });
});

test('a store that cannot be listed, and one that cannot be read, are not taken for damaged', async () => {
  const objects = await wholeVault();
  const { list: _list, ...unlisted } = memoryVaultReader(objects);
  await expect(mendedCopy(unlisted)).rejects.toMatchObject({ code: 'cannot-list' });
  const { VaultReadError } = await import('../../src/ports/vault-reader');
  const reader = memoryVaultReader(objects);
  const failing = { ...reader, get: async (name: string) => (name === 'tile/0/001' ? Promise.reject(new VaultReadError('unreachable', 'no answer')) : reader.get(name)) };
  await expect(mendedCopy(failing)).rejects.toMatchObject({ code: 'unreachable' });
  const huge = { ...reader, get: async (name: string): Promise<Buffer | 'absent'> => (name === 'tile/0/001' ? Promise.reject(new VaultReadError('too-large', 'too large')) : reader.get(name)) };
  expect(await mendedCopy(huge)).toMatchObject({ outcome: 'whole', repaired: [{ object: 'tile/0/001', fault: 'damaged', from: ['recomputed'] }] });
});
