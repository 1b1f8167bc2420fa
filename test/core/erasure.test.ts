/** The state machine of an erasure and its records, alone: what is next, what survives being written and read, what a tombstone may hold. */
import fc from 'fast-check';
import { certificateImage, ERASURE_STATES, erasureImage, holdImage, holdIn, isOpen, lastRecoveryDay, listingOf, nextStep, requestImage, requestIn, subjectsOf, waited, type ErasureRequest } from '../../src/core/erasure';
import { canonicalImage } from '../../src/core/canonical-image';
import type { Image } from '../../src/core/image';
import { erasureNamedBy, tombstoneOf } from '../../src/core/tombstone';

const SYSTEM = 'systemsystemsystem0000';
const AT = '2026-02-03T04:05:06.000Z';
const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const later = (ms: number): number => Date.parse(AT) + ms;
const request: ErasureRequest = {
  rev: 3, requestId: ID, customerId: ID, state: 'confirmed', customers: [{ customerId: ID, subject: 'subjectsubjectsubject0' }], inputs: [{ hash: 'h'.repeat(43), subjects: ['inputinputinputinput00'] }],
  askedBy: 'a', askedAt: AT, confirmedBy: 'b', confirmedAt: AT, removed: 0,
};

describe('what is next', () => {
  test.each([['asked', 'none'], ['confirmed', 'freeze'], ['removing', 'remove'], ['keyed', 'certify'], ['done', 'none'], ['withdrawn', 'none']] as const)('of one that is %s: %s', (state, step) => {
    expect(nextStep({ ...request, state }, later(0), { freezeMs: 1000 }).step).toBe(step);
  });

  test('of a frozen one nothing before the wait is over, and one that says not since when is never over', () => {
    const frozen = { ...request, state: 'frozen', frozenAt: AT } as const;
    expect(nextStep(frozen, later(0), { freezeMs: 1000 })).toEqual({ step: 'none', until: new Date(later(1000)).toISOString() });
    expect(nextStep(frozen, later(1000), { freezeMs: 1000 }).step).toBe('none');
    expect(nextStep(frozen, later(1001), { freezeMs: 1000 }).step).toBe('record');
    // A clock that was set back.
    expect(nextStep(frozen, later(-5000), { freezeMs: 1000 }).step).toBe('none');
    expect(waited(undefined, 0, later(1e12))).toBe(false);
    expect(waited('no time', 0, later(1e12))).toBe(false);
  });

  test('only what is over is not open', () => expect(ERASURE_STATES.filter((state) => !isOpen({ state }))).toEqual(['done', 'withdrawn']));
});

describe('the records', () => {
  const times = fc.option(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString()), { nil: undefined });
  test('a request is read as it was written, whatever its state', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ERASURE_STATES), fc.nat(), times, times, times, times, (state, removed, frozenAt, recordedAt, quietSince, keyedAt) => {
        const written: ErasureRequest = { ...request, state, removed, ...(frozenAt && { frozenAt }), ...(recordedAt && { recordedAt }), ...(quietSince && { quietSince }), ...(keyedAt && { keyedAt }) };
        expect(requestIn(requestImage(written, SYSTEM, AT))).toEqual(written);
      }),
    );
  });

  test('what is not one of them is read as none', () => {
    const image = requestImage(request, SYSTEM, AT);
    for (const wrong of [{ kind: { S: 'hold' } }, { state: { S: 'whatever' } }, { requestId: { S: 'x' } }, { removed: { S: '1' } }, { askedBy: { N: '1' } }] as Image[]) expect(requestIn({ ...image, ...wrong })).toBeUndefined();
    expect(holdIn({ ...holdImage(ID, { rev: 1, held: false, by: 'a', at: AT }, SYSTEM), held: { S: 'false' } })).toBeUndefined();
    expect(holdIn(holdImage(ID, { rev: 2, held: true, by: 'a', at: AT, reasonId: ID }, SYSTEM))).toEqual({ rev: 2, held: true, by: 'a', at: AT, reasonId: ID });
  });

  test('an erasure is recorded for two officers only, and names every subject once', () => {
    expect(() => erasureImage({ ...request, confirmedBy: 'a' }, listingOf([]), SYSTEM, AT)).toThrow('another officer');
    const { confirmedBy: _, ...unconfirmed } = request;
    expect(() => erasureImage(unconfirmed, listingOf([]), SYSTEM, AT)).toThrow('another officer');
    expect(subjectsOf(request)).toEqual(['inputinputinputinput00', 'subjectsubjectsubject0']);
    expect(erasureImage(request, listingOf([]), SYSTEM, AT)['subject']).toEqual({ S: SYSTEM });
  });

  test('a listing is the same in whatever order it was found, and another with one key more', () => {
    const [a, b] = [{ pk: 'a', sk: '1' }, { pk: 'b', sk: '2' }];
    expect(listingOf([a, b])).toEqual(listingOf([b, a]));
    expect(listingOf([a])).not.toEqual(listingOf([a, b]));
  });

  test('the certificate names the first day behind the last recovery window: 35 whole days after the key went', () => {
    expect(lastRecoveryDay('2026-02-03T23:59:59.999Z')).toBe('2026-03-11');
    expect(certificateImage(request, SYSTEM, AT)['recoverableUntil']).toEqual({ S: '2026-03-11' });
  });
});

describe('a tombstone', () => {
  const record: Image = { pk: { S: `m#${'x'.repeat(43)}` }, sk: { S: '1#message' }, kind: { S: 'message' }, rev: { N: '1' }, subject: { S: 'subjectsubjectsubject0' }, customerId: { S: ID }, text: { S: 'what was said' }, receivedAt: { S: AT } };

  test('keeps the key, follows in revision, belongs to the log, and holds nothing of what it stands for', () => {
    const tombstone = tombstoneOf(record, ID, SYSTEM, '2026-05-05T05:05:05.000Z');
    expect(tombstone).toEqual({ pk: record['pk'], sk: record['sk'], kind: { S: 'tombstone' }, rev: { N: '2' }, subject: { S: SYSTEM }, receivedAt: { S: '2026-05-05T05:05:05.000Z' }, erasure: { S: ID } });
    expect(canonicalImage(tombstone).toString()).not.toContain('said');
    expect(erasureNamedBy(tombstone, SYSTEM)).toBe(ID);
  });

  test.each([
    ['anything more', { text: { S: 'what was said' } }],
    ['another kind', { kind: { S: 'message' } }],
    ['a person\'s subject', { subject: { S: 'subjectsubjectsubject0' } }],
    ['a key that could say something', { pk: { S: 'm#15551234567' } }],
    ['a time that is none', { receivedAt: { S: 'what was said' } }],
    ['an erasure that could say something', { erasure: { S: 'what was said, 26 letters..' } }],
  ] as const)('with %s is none', (_, change) => {
    expect(erasureNamedBy({ ...tombstoneOf(record, ID, SYSTEM, AT), ...change } as Image, SYSTEM)).toBeUndefined();
  });
});
