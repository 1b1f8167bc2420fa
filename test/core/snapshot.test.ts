/** The format of snapshots: every object of one that is not exactly as it was written is refused with a code of the closed list, and nothing else is thrown whatever the bytes. */
import * as fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { canonicalize } from '../../src/core/canonical-json';
import { EMPTY_EDGE, appendLeaves, leafHash, rootOfEdge } from '../../src/core/log/merkle';
import { formatManifest, formatPart, formatRow, MAX_PART_BYTES, parseManifest, parsePart, SnapshotError, type SnapshotManifest, type SnapshotPart } from '../../src/core/snapshot';
import { classifyName } from '../../src/core/verify/vault-name';
import { sha256 } from '../operations/built-vault';

const RUNS = process.env['INTACT_FULL'] ? 10_000 : 500;
const SIZE = 11;
const entries = Array.from({ length: SIZE }, (_, i) => Buffer.from(`entry ${i}`));
const { edge } = appendLeaves(EMPTY_EDGE, Buffer.concat(entries.map(leafHash)));
const rowsOf = (...indexes: readonly number[]): Buffer[] => indexes.map((index) => formatRow({ index, bytes: entries[index]! }));
const PARTS = [formatPart(SIZE, 0, rowsOf(0, 1, 5)), formatPart(SIZE, 1, rowsOf(2, 9))];
const base64 = (bytes: Buffer): string => bytes.toString('base64');
const GOOD: Omit<SnapshotManifest, 'v' | 'kind'> = {
  origin: 'example.org/intact/test',
  size: SIZE,
  root: base64(rootOfEdge(edge)),
  edge: edge.map(base64),
  newestAt: '2026-02-03T04:05:06.000Z',
  at: '2026-02-03T05:00:00.000Z',
  keptUntil: '2026-03-03T05:00:00.000Z',
  records: 4,
  rows: 5,
  closed: 1,
  parts: PARTS.map(({ part }) => part),
};

/** The code, of a `SnapshotError` that says which object, what is wrong and what to do; any other error fails the test. */
function refusal(parse: () => unknown, object: string): string {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    expect([error.object, error.message.startsWith(`${object}: `), error.next.length > 20]).toEqual([object, true, true]);
    return error.code;
  }
  return 'accepted';
}
/** Written with other members than a good one has, under the name that its bytes have. */
function manifestWith(change: Readonly<Record<string, unknown>>, text = (json: unknown): string => canonicalize(json)): { readonly name: string; readonly bytes: Buffer } {
  const members = Object.entries({ ...JSON.parse(formatManifest(GOOD).bytes.toString()), ...change }).filter(([, value]) => value !== undefined);
  const bytes = Buffer.from(text(Object.fromEntries(members)));
  return { name: `snapshot/${SIZE}/manifest-${sha256(bytes)}`, bytes };
}
const codeOf = ({ name, bytes }: { readonly name: string; readonly bytes: Buffer }): string => refusal(() => parseManifest(name, bytes), name);
const partWith = (change: Partial<SnapshotPart>): Readonly<Record<string, unknown>> => ({ parts: [{ ...GOOD.parts[0], ...change }, GOOD.parts[1]] });

describe('the manifest of a snapshot', () => {
  const { name, bytes } = formatManifest(GOOD);

  test('is read as it was written, under a name that says its size and hash', () => {
    expect(parseManifest(name, bytes)).toEqual({ v: 1, kind: 'intact-snapshot', ...GOOD });
    expect(classifyName(name)).toEqual({ kind: 'snapshot-manifest', size: SIZE, sha256: sha256(bytes) });
    const { keptUntil: _, ...without } = GOOD;
    const bare = formatManifest(without);
    expect(parseManifest(bare.name, bare.bytes).keptUntil).toBeUndefined();
  });

  test('with any one byte changed, or cut anywhere, is refused', () => {
    for (let at = 0; at < bytes.length; at++) {
      const bad = Buffer.from(bytes);
      bad[at]! ^= 1 << at % 8;
      expect(['altered', 'truncated']).toContain(refusal(() => parseManifest(name, bad), name));
      expect([at, refusal(() => parseManifest(name, bytes.subarray(0, at)), name)]).toEqual([at, 'truncated']);
    }
  });

  test.each([
    ['older', { v: 0 }, 'older-format'],
    ['newer', { v: 2 }, 'newer-format'],
    ['newer, with members we do not know', { v: 7, shards: [] }, 'newer-format'],
    ['without a version', { v: undefined }, 'foreign'],
    ['of a version that is no number', { v: '1' }, 'foreign'],
    ['of something else', { kind: 'restic' }, 'foreign'],
    ['with a member too many', { extra: 1 }, 'foreign'],
    ['without its origin', { origin: undefined }, 'foreign'],
    ['without parts', { parts: undefined }, 'foreign'],
    ['with a size that is none', { size: 1.5 }, 'foreign'],
    ['with a time that is none', { at: '2026-02-30T00:00:00.000Z' }, 'foreign'],
    ['with a root of 31 bytes', { root: base64(Buffer.alloc(31)) }, 'foreign'],
    ['with an edge that is no list', { edge: 'x' }, 'foreign'],
    ['with a part that is none', { parts: [null] }, 'foreign'],
    ['with a part too large', partWith({ uncompressed: MAX_PART_BYTES + 1 }), 'foreign'],
    ['of another size than its name', { size: SIZE + 1 }, 'mixed-up'],
    ['with another root', { root: base64(Buffer.alloc(32)) }, 'mixed-up'],
    ['with an edge too short', { edge: GOOD.edge.slice(1) }, 'mixed-up'],
    ['with a part of another snapshot', partWith({ name: GOOD.parts[0]!.name.replace(/^snapshot\/11/, 'snapshot/12') }), 'mixed-up'],
    ['with a part that is a blob', partWith({ name: `blob/${GOOD.parts[0]!.sha256}` }), 'mixed-up'],
    ['with a part of another hash', partWith({ sha256: 'a'.repeat(64) }), 'mixed-up'],
    ['with one part twice', { parts: [GOOD.parts[0], GOOD.parts[0]] }, 'mixed-up'],
    ['with a part of more rows than entries', partWith({ rows: 99 }), 'mixed-up'],
    ['with a part that ends before it begins', partWith({ first: 5, last: 0 }), 'mixed-up'],
    ['with a part beyond its size', partWith({ last: SIZE }), 'mixed-up'],
    ['with an empty part', partWith({ rows: 0 }), 'mixed-up'],
    ['with rows that do not add up', { rows: 6 }, 'mixed-up'],
    ['with a part left out', { parts: GOOD.parts.slice(1) }, 'mixed-up'],
    ['with more records than rows', { records: 6 }, 'mixed-up'],
    ['with more closed than rows', { closed: 6 }, 'mixed-up'],
  ])('%s is refused', (_, change, code) => {
    expect(codeOf(manifestWith(change))).toBe(code);
  });

  test('in any other spelling is refused', () => {
    for (const text of [(json: unknown) => JSON.stringify(json, null, 1), (json: unknown) => `${canonicalize(json)}\n`, (json: unknown) => canonicalize(json).replace('intact-snapshot', 'intact\\u002dsnapshot'), (json: unknown) => canonicalize(json).replace('"example', '"\\ud800')]) expect(codeOf(manifestWith({}, text))).toBe('foreign');
  });

  test('under a name that is no manifest of ours is refused', () => {
    for (const other of ['checkpoint', `snapshot/011/manifest-${'0'.repeat(64)}`, `snapshot/11/Manifest-${'0'.repeat(64)}`, PARTS[0]!.part.name]) expect(refusal(() => parseManifest(other, bytes), other)).toBe('foreign');
  });

  test('is accepted or refused by a code, whatever the bytes', () => {
    const hashed = (noise: Uint8Array) => ({ name: `snapshot/${SIZE}/manifest-${sha256(noise)}`, bytes: Buffer.from(noise) });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void codeOf(hashed(noise))), { numRuns: RUNS });
    fc.assert(fc.property(fc.json(), (json) => void codeOf(hashed(Buffer.from(json)))), { numRuns: RUNS });
    fc.assert(fc.property(fc.constantFrom(...Object.keys(GOOD)), fc.jsonValue(), (member, value) => void codeOf(manifestWith({ [member]: value }, JSON.stringify))), { numRuns: RUNS });
  });
});

describe('a part of a snapshot', () => {
  const [{ part, bytes }] = [PARTS[0]!];
  const from = (plain: Buffer, change: Partial<SnapshotPart> = {}) => {
    const made = gzipSync(plain);
    return { part: { ...part, sha256: sha256(made), bytes: made.length, uncompressed: plain.length, ...change }, bytes: made };
  };
  const codeOfPart = (made: { readonly part: SnapshotPart; readonly bytes: Buffer }): string => refusal(() => parsePart(made.part, made.bytes), made.part.name);
  const row = (index: number, length: number, bytesOf = ''): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUIntBE(index, 0, 6);
    head.writeUInt16BE(length, 6);
    return Buffer.concat([head, Buffer.from(bytesOf)]);
  };

  test('is read as it was written, an entry of any length and the largest index included', () => {
    expect(parsePart(part, bytes).map(({ index, bytes: entry }) => [index, entry.toString()])).toEqual([[0, 'entry 0'], [1, 'entry 1'], [5, 'entry 5']]);
    expect(classifyName(part.name)).toEqual({ kind: 'snapshot-part', size: SIZE, number: 0, sha256: sha256(bytes) });
    const long = [{ index: 3, bytes: Buffer.alloc(0) }, { index: 2 ** 48 - 1, bytes: Buffer.alloc(65_535, 'x') }];
    const made = formatPart(SIZE, 999_999, long.map(formatRow));
    expect(parsePart(made.part, made.bytes)).toEqual(long);
  });

  test('with any one byte changed, or cut anywhere, is refused', () => {
    for (let at = 0; at < bytes.length; at++) {
      const bad = Buffer.from(bytes);
      bad[at]! ^= 1 << at % 8;
      expect([at, codeOfPart({ part, bytes: bad })]).toEqual([at, 'altered']);
      expect([at, codeOfPart({ part, bytes: bytes.subarray(0, at) })]).toEqual([at, 'truncated']);
    }
  });

  test.each([
    ['is no gzip', () => ({ part: { ...part, sha256: sha256(Buffer.from('rows')), bytes: 4 }, bytes: Buffer.from('rows') })],
    ['holds more than is stated', () => from(Buffer.concat(rowsOf(0, 1, 5)), { uncompressed: 10 })],
    ['is larger than is stated', () => from(Buffer.concat(rowsOf(0, 1, 5)), { bytes: 10 })],
    ['holds less than is stated', () => from(Buffer.concat(rowsOf(0, 1, 5)), { uncompressed: 1_000 })],
    ['ends within the head of a row', () => from(Buffer.concat([...rowsOf(0, 1), row(5, 0).subarray(0, 7)]))],
    ['ends within an entry', () => from(Buffer.concat([...rowsOf(0, 1), row(5, 100, 'x')]))],
    ['has an entry twice', () => from(Buffer.concat(rowsOf(0, 1, 1, 5)), { rows: 4 })],
    ['is out of order', () => from(Buffer.concat(rowsOf(0, 5, 1)))],
    ['has a row less', () => from(Buffer.concat(rowsOf(0, 5)))],
    ['begins with another entry', () => from(Buffer.concat(rowsOf(1, 2, 5)))],
    ['ends with another entry', () => from(Buffer.concat(rowsOf(0, 1, 6)))],
    ['is empty', () => from(Buffer.alloc(0))],
  ])('that %s is refused', (_, made) => {
    expect(codeOfPart(made())).toBe('mixed-up');
  });

  test('is accepted or refused by a code, whatever its rows', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(5), (noise, rows) => void codeOfPart(from(Buffer.from(noise), { rows }))), { numRuns: RUNS });
  });
});
