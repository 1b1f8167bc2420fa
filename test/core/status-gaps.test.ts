import * as fc from 'fast-check';
import type { Image } from '../../src/core/image';
import { statusGaps } from '../../src/core/status-gaps';
import { WHOLE } from '../../src/core/shares';

const at = (minute: number): string => `2026-03-01T12:${String(minute).padStart(2, '0')}:00.000Z`;
const image = (pk: string, sk: string, kind: string, minute: number): Image => ({ pk: { S: pk }, sk: { S: sk }, kind: { S: kind }, receivedAt: { S: at(minute) } });

const record = fc.record({ message: fc.integer({ min: 0, max: 5 }), number: fc.constantFrom('1', '22'), what: fc.constantFrom('message', 'outbound', 'status#a', 'status#b', 'status#b', 'message#conflict#x', 'outbound#conflict#x', 'status#a#variant#x'), minute: fc.integer({ min: 0, max: 59 }), erased: fc.boolean() });

test('in any order, a message counts once if there are statuses of it and nothing else under its number', () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 40, size: 'max' }), fc.integer({ min: 0, max: 59 }), (records, until) => {
    const gaps = statusGaps(WHOLE);
    const shares = [0, 1, 2].map((number) => statusGaps({ number, of: 3 }));
    for (const { message, number, what, minute, erased } of records) {
      const kind = erased && !what.includes('conflict') ? 'tombstone' : what.includes('#variant') ? 'variant' : what.includes('#conflict') ? 'conflict' : what.split('#')[0]!;
      for (const each of [gaps, ...shares]) each.see(image(`m#${message}`, `${number}#${what}`, kind, minute));
    }
    let expected = 0;
    for (let message = 0; message <= 5; message += 1) {
      for (const number of ['1', '22']) {
        const mine = records.filter((each) => each.message === message && each.number === number);
        const isRecorded = mine.some(({ what }) => what === 'message' || what === 'outbound');
        if (!isRecorded && mine.some(({ what, erased, minute }) => /^status#.$/.test(what) && !erased && minute <= until)) expected += 1;
      }
    }
    expect(gaps.count(at(until))).toBe(expected);
    expect(shares.reduce((sum, share) => sum + share.count(at(until)), 0)).toBe(expected);
  }));
});

test('what is recorded counts whether it comes before or behind the statuses, in the order of a scan', () => {
  for (const order of [['1#message', '1#status#a'], ['1#status#a', '1#message'], ['1#status#a', '1#outbound', '1#status#b']]) {
    const gaps = statusGaps(WHOLE);
    for (const sk of order) gaps.see(image('m#x', sk, sk.split('#')[1]!, 1));
    expect(gaps.count(at(59))).toBe(0);
  }
});

test('what is no record of a message is none', () => {
  const gaps = statusGaps(WHOLE);
  for (const odd of [{}, { pk: { S: 'm#x' } }, image('c#x', '1#status#a', 'status', 1), image('m#x', 'status#a', 'status', 1), { ...image('m#x', '1#status#a', 'status', 1), receivedAt: { N: '1' } }] as readonly Image[]) gaps.see(odd);
  expect(gaps.count(at(59))).toBe(0);
});
