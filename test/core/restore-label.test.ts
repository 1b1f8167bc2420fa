/** The label of a restored table: every label comes back as it was put, AWS takes it as a tag, and nothing else is taken for one. */
import fc from 'fast-check';
import { formatLabel, labelIn, withLabel, withoutLabel, type RestoreLabel } from '../../src/core/restore-label';

const label: fc.Arbitrary<RestoreLabel> = fc.record({
  origin: fc.stringMatching(/^[a-z0-9.-]{1,40}\/[A-Za-z0-9._-]{1,60}$/),
  point: fc.oneof(fc.record({ size: fc.nat() }), fc.record({ at: fc.date({ min: new Date('2000-01-01'), max: new Date('2999-01-01'), noInvalidDate: true }).map((date) => date.toISOString()) })),
  part: fc.boolean(),
  incomplete: fc.boolean(),
});

describe('the label of a restored table', () => {
  test('comes back as it was put, whatever tags are beside it', () => {
    fc.assert(
      fc.property(label, fc.array(fc.stringMatching(/^[a-z]{1,9}=[a-z ]{0,9}$/)), (one, others) => {
        const tags = withLabel(withLabel(others, { ...one, part: !one.part }), one);
        expect(labelIn(tags)).toEqual(one);
        expect([...withoutLabel(tags)].sort()).toEqual([...others].sort());
        expect([...tags]).toEqual([...tags].sort());
      }),
    );
  });

  test('is a value AWS takes for a tag', () => {
    fc.assert(fc.property(label, (one) => expect(formatLabel(one)).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u)));
  });

  test.each(['', 'x', 'a@', 'a@1 done', 'a@1 incomplete part', 'a@-1', 'a b@1', '@1', 'a@2026-01-01', 'a@1@2', 'a@1 incomplete '])('is not seen in %j', (value) => {
    expect(labelIn([`intact:restore=${value}`])).toBe('unreadable');
    expect(labelIn([`intact:restored=${value}`, 'team=records'])).toBe('none');
  });
});
