/** Examining bundles ahead, on whatever threads, must not change a word of what verification reports. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { examineFiles } from '../../../src/adapters/files/bundle-files';
import type { BundleThreads } from '../../../src/adapters/files/bundle-threads';
import { directoryVault } from '../../../src/adapters/files/directory-vault';
import { decodeEntries, encodeEntries, entryLeafHashes, entryStarts } from '../../../src/core/log/bundle';
import { fullSubtreeRoot } from '../../../src/core/log/merkle';
import { segmentName } from '../../../src/core/verify/vault-name';
import { verifyVault, type VerifyOptions, type VerifyReport, type VerifyState } from '../../../src/operations/verify-vault';
import { BuiltVault, keyPair, makeEntry, sha256 } from '../../operations/built-vault';

let directory: string;
let workerFile: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'intact-bundles-'));
  workerFile = join(directory, '../', `${directory.split('/').at(-1)!}-worker.cjs`);
  buildSync({ entryPoints: [join(__dirname, '../../../src/adapters/files/bundle-worker.ts')], outfile: workerFile, bundle: true, platform: 'node', target: 'node20', format: 'cjs' });
});
afterAll(() => [directory, workerFile].forEach((path) => rmSync(path, { recursive: true })));

const thread: BundleThreads = { count: 1, least: 1, start: () => new Worker(workerFile) };
const none: BundleThreads = { count: 0, start: () => Promise.reject(new Error('never')) };
type Profile = VerifyOptions['profile'];
const judge = (threads: BundleThreads | undefined, profile: Profile, options: Partial<VerifyOptions> = {}): Promise<VerifyReport> =>
  verifyVault(directoryVault(directory, threads === undefined ? {} : { threads }), { profile, keys: [keyPair(1).key], ...options });

/** 13 bundles and a partial one; an entry with a blob and one with a report, segments across the edges of bundles, and some that lost their race. */
async function vault(): Promise<Map<string, Buffer>> {
  const built = new BuiltVault();
  built.sealCount(700);
  await built.publish();
  built.put('report/r1', Buffer.from('a report'));
  built.seal([makeEntry(700, { blob: built.putBlob('a body') }), makeEntry(701, { objects: [{ name: 'report/r1', sha256: sha256(Buffer.from('a report')) }] })]);
  built.sealCount(2000);
  built.sealCount(700);
  await built.publish();
  // They differ from the winner in different bundles, and are of its length: only entries tell them apart.
  for (const place of [0, 300, 600]) {
    const lost = encodeEntries(Array.from({ length: 700 }, (_, i) => makeEntry(i, { salt: i === place ? 'lost' : '' })));
    built.put(segmentName(0, sha256(lost)), lost);
  }
  return new Map(built.objects);
}

function write(objects: ReadonlyMap<string, Buffer>): void {
  rmSync(directory, { recursive: true, force: true });
  for (const [name, bytes] of objects) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), bytes);
  }
}

describe('a vault with bundles examined ahead', () => {
  beforeAll(async () => write(await vault()));

  test.each(['intact', 'tlog-tiles'] as const)('is clean where it is clean (%s), and as much is counted', async (profile) => {
    const plain = await judge(undefined, profile);
    expect(plain).toMatchObject({ ok: true, size: 3402, ...(profile === 'intact' && { segments: 4, orphans: { length: 3 } }) });
    expect(await judge(none, profile)).toEqual(plain);
    expect(await judge(thread, profile)).toEqual(plain);
  });

  test('has every finding that it has without, whatever is damaged and however', async () => {
    const objects = await vault();
    const flip = (bytes: Buffer): Buffer => Buffer.concat([bytes.subarray(0, bytes.length >> 1), Buffer.of(bytes[bytes.length >> 1]! ^ 1), bytes.subarray((bytes.length >> 1) + 1)]);
    const damages: (readonly [string, (bytes: Buffer) => Buffer | undefined])[] = [...objects.keys()].flatMap((name) =>
      [flip, () => undefined, (bytes: Buffer) => bytes.subarray(0, bytes.length - 5)].map((damage) => [name, damage] as const),
    );
    damages.push(
      ['tile/entries/003', (bytes) => encodeEntries(decodeEntries(bytes).reverse())],
      ['tile/entries/004', (bytes) => encodeEntries(decodeEntries(bytes).slice(1))],
      ['tile/entries/005', (bytes) => encodeEntries([...decodeEntries(bytes), Buffer.from('one more')])],
      ['tile/0/006', (bytes) => Buffer.concat([bytes, bytes.subarray(0, 32)])],
      ['tile/entries/007', () => Buffer.alloc(0)],
    );
    const tried = process.env['INTACT_FULL'] === '1' ? damages : damages.filter((_, i) => i % 3 === 0 || i >= damages.length - 5);
    let found = 0;
    for (const [name, damage] of tried) {
      const path = join(directory, name);
      const good = readFileSync(path);
      const bad = damage(good);
      if (bad === undefined) rmSync(path);
      else writeFileSync(path, bad);
      for (const profile of ['intact', 'tlog-tiles'] as const) {
        const plain = await judge(undefined, profile);
        found += plain.findings.length;
        expect([name, profile, await judge(none, profile)]).toEqual([name, profile, plain]);
      }
      writeFileSync(path, good);
    }
    expect(found).toBeGreaterThan(tried.length);
  }, 120_000);

  test('has every finding where bundle and tile were altered together, and where an old partial one was', async () => {
    const objects = await vault();
    const altered = objects.get('tile/entries/004')!;
    const forged = encodeEntries(decodeEntries(altered).map((entry, i) => (i === 9 ? makeEntry(9999) : entry)));
    write(new Map([...objects, ['tile/entries/004', forged], ['tile/0/004', entryLeafHashes(forged, entryStarts(forged))], ['tile/0/006.p/3', Buffer.alloc(96, 7)], ['tile/entries/007.p/1', encodeEntries([Buffer.from('another')])]]));
    for (const profile of ['intact', 'tlog-tiles'] as const) {
      const plain = await judge(undefined, profile);
      expect(new Set(plain.findings.map(({ object }) => object))).toEqual(new Set(['tile/entries/004', ...(profile === 'intact' ? ['tile/0/004'] : []), 'tile/0/006.p/3', 'tile/entries/007.p/1']));
      expect(await judge(none, profile)).toEqual(plain);
      expect(await judge(thread, profile)).toEqual(plain);
    }
    write(objects);
  });

  test('finds what a thread came across: a malformed entry, a missing object, an altered bundle', async () => {
    const built = new BuiltVault();
    built.seal([...Array.from({ length: 300 }, (_, i) => makeEntry(i)), Buffer.from('no entry'), makeEntry(301, { blob: Buffer.from('never put') })]);
    built.sealCount(2000);
    await built.publish();
    const objects = new Map(built.objects);
    objects.set('tile/entries/005', encodeEntries(decodeEntries(objects.get('tile/entries/005')!).map((entry, i) => (i === 7 ? makeEntry(9999) : entry))));
    write(objects);
    const plain = await judge(undefined, 'intact');
    expect(plain.findings.map(({ code, index }) => [code, index])).toEqual(expect.arrayContaining([['entry-malformed', 300], ['object-missing', 301], ['entry-modified', 5 * 256 + 7]]));
    expect(new Set((await judge(thread, 'intact')).findings)).toEqual(new Set(plain.findings));
    write(await vault());
  });

  test('of entries so long that a bundle does not fit where short ones are hashed', async () => {
    const built = new BuiltVault();
    built.seal(Array.from({ length: 520 }, (_, i) => Buffer.alloc(5000 + i, i)));
    await built.publish();
    write(built.objects);
    const task = { directory, first: 0, count: 3, maxObjectSize: 1e9 };
    const expected = [0, 1].map((i) => fullSubtreeRoot(built.objects.get(`tile/0/00${i}`)!));
    expect(examineFiles({ ...task, judgeEntries: false })).toEqual([...expected.map((root) => ({ root })), undefined]);
    expect(examineFiles({ ...task, judgeEntries: true }).map((bundle) => bundle?.root)).toEqual([...expected, undefined]);
    expect(examineFiles({ ...task, judgeEntries: true, maxObjectSize: 1e6 })).toEqual([undefined, undefined, undefined]);
    write(await vault());
  });

  test('is verified all the same where threads cannot start, or die', async () => {
    const plain = await judge(undefined, 'intact');
    expect(await judge({ count: 2, least: 1, start: () => Promise.reject(new Error('no threads here')) }, 'intact')).toEqual(plain);
    expect(await judge({ count: 1, least: 1, start: () => new Worker('process.exit(1)', { eval: true }) }, 'intact')).toEqual(plain);
    expect(await judge({ count: 1, least: 1, start: () => new Worker('throw new Error("broken")', { eval: true }) }, 'intact')).toEqual(plain);
  });

  test('goes on where it was interrupted', async () => {
    let state: VerifyState | undefined;
    const onProgress: VerifyOptions['onProgress'] = (progress) => {
      if (progress.entries !== 5 * 256) return;
      state = JSON.parse(JSON.stringify(progress.state())) as VerifyState;
      throw new Error('interrupted');
    };
    await expect(judge(thread, 'intact', { onProgress })).rejects.toThrow('interrupted');
    expect(await judge(thread, 'intact', { resume: state! })).toEqual(await judge(undefined, 'intact'));
  });
});
