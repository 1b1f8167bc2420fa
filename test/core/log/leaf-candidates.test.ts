import fc from 'fast-check';
import { encodeEntries } from '../../../src/core/log/bundle';
import { combinations, leafCandidates, readableEntries, runWitness, tileWitness } from '../../../src/core/log/leaf-candidates';
import { leafHash } from '../../../src/core/log/merkle';

const entries = (n: number, salt = ''): Buffer[] => Array.from({ length: n }, (_, i) => Buffer.from(`entry ${i}${salt}`));
const hashes = (of: readonly Buffer[]): Buffer => Buffer.concat(of.map(leafHash));
const truth = hashes(entries(8));
/** `truth` with other hashes at some places. */
const wrongAt = (...places: readonly number[]): Buffer => {
  const bytes = Buffer.from(truth);
  for (const place of places) bytes[place * 32]! ^= 1;
  return bytes;
};
const placeIn = (candidates: Iterable<Buffer>, wanted = truth): number => {
  let i = 0;
  for (const candidate of candidates) {
    if (candidate.equals(wanted)) return i;
    if (++i > 5_000) break;
  }
  return -1;
};

describe('candidates for the leaf hashes of a bundle', () => {
  test('are one where all witnesses agree, none where one place has no witness', () => {
    expect([...leafCandidates([tileWitness(truth, 8), runWitness(truth, 0, 8)], 8)]).toEqual([truth]);
    expect([...leafCandidates([tileWitness(truth.subarray(0, 7 * 32 + 5), 8)], 8)]).toEqual([]);
    expect([...leafCandidates([], 8)]).toEqual([]);
  });

  test('begin with what most say of each place, though no witness is right everywhere', () => {
    expect(placeIn(leafCandidates([tileWitness(wrongAt(1), 8), runWitness(wrongAt(4), 0, 8), runWitness(wrongAt(6), 0, 8)], 8))).toBe(0);
  });

  test('hold the truth where two witnesses contradict each other in several places, each being wrong in some', () => {
    const position = placeIn(leafCandidates([tileWitness(wrongAt(1, 6), 8), runWitness(wrongAt(3, 4), 0, 8)], 8));
    expect(position).toBeGreaterThanOrEqual(0);
    expect(position).toBeLessThan(16);
  });

  test('believe who was right beside a place before who is behind a damaged length', () => {
    const shifted = Buffer.concat([truth.subarray(0, 64), hashes(entries(6, ' shifted'))]);
    // At place 5 all three differ; at the others the two that are not shifted agree.
    const position = placeIn(leafCandidates([runWitness(shifted, 0, 8), tileWitness(wrongAt(5), 8), runWitness(truth, 0, 8)], 8));
    expect(position).toBeGreaterThanOrEqual(0);
    expect(position).toBeLessThan(5);
  });

  test('put together runs that begin before the bundle and within it', () => {
    const [before, within] = [hashes([Buffer.from('earlier'), ...entries(5)]), truth.subarray(5 * 32)];
    expect([...leafCandidates([runWitness(before, -1, 8), runWitness(within, 5, 8)], 8)]).toEqual([truth]);
  });

  test('are each given once, and hold the truth wherever every place has a witness for it and few are in doubt', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(7)), { maxLength: 6 }), (damage) => {
        const copies = [0, 1, 2].map((copy) => wrongAt(...new Set(damage.filter(([of]) => of === copy).map(([, place]) => place))));
        const isKnown = Array.from({ length: 8 }, (_, i) => i).every((i) => copies.some((copy) => copy.subarray(i * 32, i * 32 + 32).equals(truth.subarray(i * 32, i * 32 + 32))));
        fc.pre(isKnown);
        const seen = new Set<string>();
        let found = false;
        for (const candidate of leafCandidates(copies.map((copy) => tileWitness(copy, 8)), 8)) {
          expect(seen.has(candidate.toString('hex'))).toBe(false);
          seen.add(candidate.toString('hex'));
          found ||= candidate.equals(truth);
        }
        expect(found).toBe(true);
      }),
      { numRuns: process.env['INTACT_FULL'] ? 5_000 : 300 },
    );
  });
});

describe('what can be read of a damaged bundle', () => {
  const bytes = encodeEntries(entries(8));

  test('is all of a sound one', () => expect(readableEntries(bytes, 256).leaves).toEqual(truth));

  test('is every entry before the end of a truncated one', () => {
    for (let end = 0; end <= bytes.length; end++) {
      const { leaves, starts } = readableEntries(bytes.subarray(0, end), 256);
      expect(truth.subarray(0, leaves.length).equals(leaves)).toBe(true);
      expect(starts.length - 1).toBe(leaves.length / 32);
      expect(end - starts.at(-1)!).toBeLessThan(2 + 7);
    }
  });

  test('never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
        const { starts, leaves } = readableEntries(Buffer.from(any), 256);
        expect(leaves.length).toBe((starts.length - 1) * 32);
      }),
      { numRuns: process.env['INTACT_FULL'] ? 10_000 : 500 },
    );
  });
});

test('combinations come once each, the likeliest first', () => {
  const counts = [3, 1, 2];
  const all = [...combinations(counts)].map((choice) => counts.map((_, i) => choice.get(i) ?? 0));
  expect(all).toHaveLength(6);
  expect(new Set(all.map(String)).size).toBe(6);
  expect(all[0]).toEqual([0, 0, 0]);
  const sums = all.map((choice) => choice.reduce((a, b) => a + b, 0));
  expect(sums).toEqual([...sums].sort((a, b) => a - b));
  expect([...combinations([])]).toHaveLength(1);
  expect([...combinations([0, 2])]).toHaveLength(2);
});
