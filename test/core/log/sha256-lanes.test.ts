import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { encodeEntries, entryStarts, MAX_ENTRY_SIZE } from '../../../src/core/log/bundle';
import { leafHash, leafHashesInto, leavesByLibrary, nodeHash, rootByLibrary, subtreeRoot } from '../../../src/core/log/sha256-lanes';
import { FREE, sha256LanesModule } from '../../../src/core/log/sha256-lanes-module';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaves = (entries: readonly Buffer[], first = 0, last = entries.length): Buffer => {
  const source = encodeEntries(entries);
  const out = Buffer.alloc((last - first) * 32 + 2, 0xee);
  leafHashesInto(out, 1, source, entryStarts(source), first, last);
  expect([out[0], out.at(-1)]).toEqual([0xee, 0xee]); // nothing beside its place is written
  return out.subarray(1, -1);
};
const expected = (entries: readonly Buffer[]): Buffer => Buffer.concat(entries.map((entry) => sha256(Buffer.of(0), entry)));

test('this machine runs the module, so that what follows tests it', () => {
  const host = (globalThis as unknown as { WebAssembly: { validate(bytes: Uint8Array): boolean } }).WebAssembly;
  expect(host.validate(sha256LanesModule(16))).toBe(true);
  expect(FREE).toBeGreaterThanOrEqual(384);
});

test('leaf hashes of every length around the edges of a block are SHA-256 of 0x00 and the entry', () => {
  const entries = Array.from({ length: 400 }, (_, i) => randomBytes(i));
  expect(leaves(entries).equals(expected(entries))).toBe(true);
});

test('leaf hashes of the longest entries, and of very long beside empty ones', () => {
  const longest = Array.from({ length: 40 }, (_, i) => randomBytes(MAX_ENTRY_SIZE - i));
  expect(leaves(longest).equals(expected(longest))).toBe(true);
  const mixed = Array.from({ length: 60 }, (_, i) => (i % 7 === 0 ? longest[i % 40]! : randomBytes(i % 3)));
  expect(leaves(mixed).equals(expected(mixed))).toBe(true);
});

test('leaf hashes of a part of the entries are those of that part', () => {
  const entries = Array.from({ length: 600 }, (_, i) => randomBytes((i * 37) % 200));
  for (const [first, last] of [[0, 1], [0, 8], [3, 14], [5, 300], [255, 257], [599, 600], [600, 600]] as const) {
    expect([first, last, leaves(entries, first, last).equals(expected(entries.slice(first, last)))]).toEqual([first, last, true]);
  }
});

test('leaf hashes agree with node:crypto on anything', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 8, maxLength: 40 }), (drawn) => {
      const entries = drawn.map((bytes) => Buffer.from(bytes));
      const source = encodeEntries(entries);
      const library = Buffer.alloc(entries.length * 32);
      leavesByLibrary(library, 0, source, entryStarts(source), 0, entries.length);
      return leaves(entries).equals(library) && library.equals(expected(entries)) && leafHash(entries[0]!).equals(library.subarray(0, 32));
    }),
    { numRuns: process.env['INTACT_FULL'] === '1' ? 10_000 : 200 },
  );
});

test('the root of a full subtree of any width is that of hashing pair by pair, and the hashes are left as they were', () => {
  for (let width = 1; width <= 8192; width *= 2) {
    const hashes = randomBytes(width * 32);
    const before = Buffer.from(hashes);
    let level: Buffer[] = Array.from({ length: width }, (_, i) => hashes.subarray(32 * i, 32 * (i + 1)));
    while (level.length > 1) level = Array.from({ length: level.length / 2 }, (_, i) => sha256(Buffer.of(1), level[2 * i]!, level[2 * i + 1]!));
    const library = Buffer.alloc(32);
    rootByLibrary(library, 0, hashes, 0, width);
    expect([width, subtreeRoot(hashes, width).equals(level[0]!), library.equals(level[0]!), hashes.equals(before)]).toEqual([width, true, true, true]);
  }
  const [left, right] = [randomBytes(32), randomBytes(32)];
  expect(nodeHash(left, right)).toEqual(sha256(Buffer.of(1), left, right));
});
