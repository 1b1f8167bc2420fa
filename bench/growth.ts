/**
 * `npm run bench -- growth`: what reading a whole log takes as it grows from ten thousand to ten million entries: objects asked for, time, memory. The vault is made up as it is read, so
 * that no disk has to hold it: every entry follows from its index. Each size runs in a process of its own. What a function may take (memory, 15 minutes) divided by these figures is
 * how many entries one run manages; beyond that the work is done in ranges and shares.
 *
 *     growth                      all of it, side by side
 *     growth verify|replay <n>    one size; prints a line of JSON
 */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { join } from 'node:path';
import { canonicalImage } from '../src/core/canonical-image';
import { encodeEntry } from '../src/core/entry';
import { encodeEntries, entryLeafHashes, entryStarts, TILE_WIDTH } from '../src/core/log/bundle';
import { signCheckpoint } from '../src/core/log/checkpoint';
import { formatFirstKey } from '../src/core/log/log-vkeys';
import { fullSubtreeRoot, rootOfEdge } from '../src/core/log/merkle';
import { sha256, sha256Hex } from '../src/core/log/sha256';
import { parseTilePath, tilePath } from '../src/core/log/tile-path';
import { levelCount, partialWidth, rightEdgeOf } from '../src/core/log/tiles';
import { verifierKey } from '../src/core/log/vkey';
import { withMac, type MacKey } from '../src/core/record-mac';
import { sealPut } from '../src/core/sealed-change';
import { subjectKey } from '../src/core/subject-key';
import { checkpointCopyName, segmentName } from '../src/core/verify/vault-name';
import { publishedCheckpoint } from '../src/operations/published-entries';
import { replayLog } from '../src/operations/replay-log';
import { verifyVault } from '../src/operations/verify-vault';
import type { VaultReader } from '../src/ports/vault-reader';

type Work = 'verify' | 'replay';
/** Records are opened some ten times slower than entries are verified; ten million of them say no more than one. */
const SIZES: Readonly<Record<Work, readonly number[]>> = { verify: [10_000, 100_000, 1_000_000, 10_000_000], replay: [10_000, 100_000, 1_000_000] };
/** Entries of a sealing round: a quiet company's rounds are smaller, a busy one's larger. */
const ROUND = 100;
const MAC: MacKey = { id: 1, secret: Buffer.alloc(32, 7) };
const KEYS = Array.from({ length: 50 }, (_, i) => subjectKey(`subject-of-growth-${String(i).padStart(4, '0')}`, 1, sha256(Buffer.from(`key ${i}`))));
const timeOf = (i: number): string => new Date(Date.UTC(2026, 0, 1) + i * 1_000).toISOString();
const hexOf = (i: number): string => i.toString(16).padStart(32, '0');

/** An entry of the right form about 600 bytes long that nobody has to open. */
const CIPHERTEXT = 'A'.repeat(223);
const formOnly = (i: number): Buffer => {
  const hash = `${String(i).padStart(42, '0')}A`;
  return encodeEntry({ v: 1, op: 'put', kind: 'message', id: hash, rev: 1, at: timeOf(i), subject: 'subject-of-growth', src: hexOf(i), commit: hash, image: `eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMSJ9..AAAAAAAAAAAAAAAA.${CIPHERTEXT}A.AAAAAAAAAAAAAAAAAAAAAA` });
};

/** A record as a webhook leaves it, really sealed. */
const real = (i: number): Buffer => {
  const key = { pk: `m#${sha256(Buffer.from(`growth ${i}`)).toString('base64url')}`, sk: '106540352242922#message' };
  const of = KEYS[i % KEYS.length]!;
  const image = withMac(MAC, { pk: { S: key.pk }, sk: { S: key.sk }, kind: { S: 'message' }, rev: { N: '1' }, subject: { S: of.subject }, receivedAt: { S: timeOf(i) }, text: { S: 'Does it come in another colour?' } });
  const random = (n: number): Buffer => sha256(Buffer.from(`random ${n} of ${i}`)).subarray(0, n);
  return sealPut({ kind: 'message', key, rev: 1, at: timeOf(i), src: hexOf(i) }, of, canonicalImage(image), random).entry;
};

interface Grown extends VaultReader {
  readonly gets: () => number;
}

/** Hashes are worked out once, entries each time they are read. */
async function grown(size: number, entry: (i: number) => Buffer): Promise<Grown> {
  const run = (from: number, to: number): Buffer => encodeEntries(Array.from({ length: to - from }, (_, i) => entry(from + i)));
  const levels: Buffer[] = Array.from({ length: levelCount(size) }, (_, level) => Buffer.alloc(32 * Math.floor(size / TILE_WIDTH ** level)));
  for (let from = 0; from < size; from += TILE_WIDTH) {
    const bundle = run(from, Math.min(size, from + TILE_WIDTH));
    entryLeafHashes(bundle, entryStarts(bundle)).copy(levels[0]!, from * 32);
  }
  for (let level = 1; level < levels.length; level++) {
    for (let i = 0; i < levels[level]!.length / 32; i++) fullSubtreeRoot(levels[level - 1]!.subarray(i * TILE_WIDTH * 32, (i + 1) * TILE_WIDTH * 32)).copy(levels[level]!, i * 32);
  }
  const edgeTiles = levels.map((hashes, level) => hashes.subarray(hashes.length - partialWidth(size, level) * 32));
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)]), format: 'der', type: 'pkcs8' });
  const vkey = verifierKey('example.org/growth', Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url'));
  const note = Buffer.from(await signCheckpoint({ origin: vkey.name, size, root: rootOfEdge(rightEdgeOf({ size, tiles: edgeTiles }).edge), extensions: [] }, vkey, async (text) => sign(null, text, privateKey)));
  const fixed = new Map<string, Buffer>([['checkpoint', note], [checkpointCopyName(size), note], ['log.vkeys', Buffer.from(formatFirstKey(vkey))]]);
  const segments = new Map<string, number>();
  for (let from = 0; from < size; from += ROUND) segments.set(segmentName(from, sha256Hex(run(from, Math.min(size, from + ROUND)))), from);
  let gets = 0;
  const get = (name: string): Buffer | 'absent' => {
    const there = fixed.get(name);
    if (there !== undefined) return there;
    const from = segments.get(name);
    if (from !== undefined) return run(from, Math.min(size, from + ROUND));
    const tile = parseTilePath(name);
    if (tile === undefined) return 'absent';
    const first = tile.index * TILE_WIDTH;
    const hashes = tile.level === 'entries' ? size : (levels[tile.level]?.length ?? 0) / 32;
    if (hashes < first + tile.width || (tile.width < TILE_WIDTH && hashes !== first + tile.width)) return 'absent';
    return tile.level === 'entries' ? run(first, first + tile.width) : levels[tile.level]!.subarray(first * 32, (first + tile.width) * 32);
  };
  function* names(): Generator<string> {
    yield* [...fixed.keys(), ...segments.keys()];
    for (const level of ['entries', ...levels.keys()] as const) {
      const hashes = level === 'entries' ? size : levels[level]!.length / 32;
      for (let first = 0; first < hashes; first += TILE_WIDTH) yield tilePath({ level, index: first / TILE_WIDTH, width: Math.min(TILE_WIDTH, hashes - first) });
    }
  }
  return {
    source: 'growth',
    get: async (name) => {
      gets++;
      return get(name);
    },
    list: async function* (prefix) {
      for (const name of [...names()].filter((each) => each.startsWith(prefix)).sort()) yield name;
    },
    gets: () => gets,
  };
}

interface Measured {
  readonly gets: number;
  readonly cpuSeconds: number;
  readonly megabytes: number;
}

/** One size, in this process. What making the vault up costs is measured beforehand and taken off. */
async function measure(work: Work, size: number): Promise<Measured> {
  const entry = work === 'verify' ? formOnly : real;
  const vault = await grown(size, entry);
  globalThis.gc?.();
  const [base, makingUp] = [process.memoryUsage().rss, cpuOf(() => void Array.from({ length: 5_000 }, (_, i) => entry(i))) / 5_000];
  let peak = base;
  const look = (): void => void (peak = Math.max(peak, process.memoryUsage().rss));
  const before = process.cpuUsage();
  if (work === 'verify') {
    const report = await verifyVault(vault, { profile: 'intact', keys: [], onProgress: look });
    if (!report.ok || report.size !== size) throw new Error(`the made-up vault has findings: ${JSON.stringify(report.findings.slice(0, 3))}`);
  } else {
    const keys = new Map(KEYS.map((key) => [key.subject, key]));
    let records = 0;
    const deps = { vault, subjectKeys: { existing: async (subject: string) => keys.get(subject) ?? ('absent' as const) }, macKeys: [MAC] };
    await replayLog(deps, { checkpoint: await publishedCheckpoint(vault), onProgress: look }, async () => void records++);
    if (records !== size) throw new Error(`${records} records came out of ${size} entries`);
  }
  const { user, system } = process.cpuUsage(before);
  return { gets: vault.gets(), cpuSeconds: (user + system) / 1e6 - 2 * size * makingUp, megabytes: (peak - base) / 1e6 };
}

function cpuOf(run: () => void): number {
  run();
  const before = process.cpuUsage();
  run();
  return process.cpuUsage(before).user / 1e6;
}

const NAMES: Readonly<Record<Work, string>> = { verify: 'verification', replay: 'audit, snapshot, restore' };

function main(): void {
  console.log(`rounds of ${ROUND} entries; CPU without what it takes to make the vault up; memory is what the process grew by`);
  for (const work of ['verify', 'replay'] as const) {
    const each = SIZES[work].map((size) => {
      const printed = execFileSync(process.execPath, ['--expose-gc', '--max-old-space-size=8000', join(__dirname, '../node_modules/tsx/dist/cli.mjs'), __filename, work, String(size)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
      return { size, ...(JSON.parse(printed) as Measured) };
    });
    for (const { size, gets, cpuSeconds, megabytes } of each) {
      console.log(`${NAMES[work].padEnd(26)}${size.toLocaleString('en').padStart(12)} entries   ${((1_000 * gets) / size).toFixed(1).padStart(7)} GETs per 1,000   ${((1e6 * cpuSeconds) / size).toFixed(1).padStart(7)} µs CPU an entry   ${megabytes.toFixed(0).padStart(6)} MB`);
    }
    const [first, last] = [each[0]!, each.at(-1)!];
    const ratio = last.gets / last.size / (first.gets / first.size);
    console.log(`  growth of requests per entry, ${first.size.toLocaleString('en')} to ${last.size.toLocaleString('en')}: ${ratio.toFixed(3)}   target ≤ 1.1 ${ratio <= 1.1 ? 'reached' : 'MISSED'}`);
  }
}

const [work, size] = process.argv.slice(2);
if (work === 'verify' || work === 'replay') void measure(work, Number(size)).then((measured) => console.log(JSON.stringify(measured)));
else main();
