import fc from 'fast-check';
import { SegmentChain, type SegmentSpan } from '../../../src/core/verify/segment-chain';
import { diffEntries } from '../../../src/core/verify/entry-diff';
import { leafHash } from '../../../src/core/log/merkle';
import { propertyRuns } from '../log/vectors';

const span = (from: number, to: number, name = `${from}-${to}`): SegmentSpan => ({ name, from, to });

describe('the chain of segments', () => {
  test('is the winners\', whatever losers left: every loser is an orphan, nothing is a hole', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ n: fc.integer({ min: 1, max: 9 }), losers: fc.uniqueArray(fc.integer({ min: 1, max: 15 }), { maxLength: 3 }), same: fc.boolean() }), { minLength: 1, maxLength: 20 }), (rounds) => {
        const spans: { span: SegmentSpan; same: boolean; wins: boolean }[] = [];
        let at = 0;
        const ends = new Set([0]);
        for (const { n, losers, same } of rounds) {
          spans.push({ span: span(at, at + n), same: true, wins: true });
          for (const l of losers) if (l !== n) spans.push({ span: span(at, at + l, `loser ${at} ${l}`), same, wins: false });
          at += n;
          ends.add(at);
        }
        // A loser equal to the log at its place that ends where a round ends could as well be the chain; it is never one in practice, for it would be a winner.
        const usable = spans.filter(({ span: s, wins, same }) => wins || !(same && (ends.has(s.to) || s.to > at)));
        const chain = new SegmentChain();
        const inOrder = usable.sort((a, b) => a.span.to - b.span.to);
        inOrder.forEach(({ span: s, same }, i) => {
          const pending = inOrder.slice(i + 1).filter((p) => p.same && p.span.from < s.to).map((p) => p.span);
          if (same) chain.accept(s, pending);
          else chain.reject(s);
          chain.prune(Math.min(s.to, ...inOrder.slice(i + 1).map((p) => p.span.from)));
        });
        chain.breakOff(at);
        chain.prune(at + 1);
        expect({ gaps: chain.takeGaps(), length: chain.length, end: chain.end }).toEqual({ gaps: [], length: rounds.length, end: at });
        expect(chain.takeOrphans().sort()).toEqual(usable.filter(({ wins }) => !wins).map(({ span: s }) => s.name).sort());
      }),
      { numRuns: propertyRuns },
    );
  });

  test('with a segment taken out has a hole exactly there', () => {
    const chain = new SegmentChain();
    for (const s of [span(0, 3), span(7, 9), span(9, 10)]) chain.accept(s, []);
    chain.breakOff(12);
    expect(chain.takeGaps()).toEqual([{ from: 3, to: 7, damaged: false }, { from: 10, to: 12, damaged: false }]);
    expect(chain.takeOrphans()).toEqual([]);
    expect(chain.length).toBe(3);
  });

  test('with a segment damaged has a hole that the damage explains', () => {
    const chain = new SegmentChain();
    chain.accept(span(0, 3), []);
    chain.noteDamaged(3);
    chain.accept(span(7, 9), []);
    expect(chain.takeGaps()).toEqual([{ from: 3, to: 7, damaged: true }]);
  });

  test('takes a copy of a stretch in the middle of a segment for an orphan, not for the end of a hole', () => {
    const chain = new SegmentChain();
    const long = span(0, 100);
    chain.accept(span(20, 30), [long]);
    chain.accept(long, []);
    expect([chain.takeOrphans(), chain.takeGaps(), chain.end]).toEqual([['20-30'], [], 100]);
  });
});

describe('the difference between two runs of entries', () => {
  const hashes = (names: readonly number[]): Buffer => Buffer.concat(names.map((n) => leafHash(Buffer.from(String(n)))));

  test('is empty exactly when they are the same', () => {
    const run = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 });
    fc.assert(
      fc.property(run, run, (actual, logged) => {
        const findings = diffEntries('x', hashes(actual), hashes(logged), 1000);
        expect(findings.length === 0).toBe(JSON.stringify(actual) === JSON.stringify(logged));
        for (const { index } of findings) expect(index).toBeGreaterThanOrEqual(1000);
      }),
      { numRuns: propertyRuns },
    );
  });
});
