/** What is read from log lines, and what findings and results look like. The lines are those the functions really write: test/runtime/delivery-lines.test.ts. */
import fc from 'fast-check';
import { keyOf, stringOf } from '../../src/core/image';
import { isOurKey } from '../../src/core/own-records';
import { addClaims, areUnlogged, claimOf, missingOf, newDelivery, putAside, RECONCILIATION_CODES, reconciledAfter, reconciledUntilIn, reconciliationFindingImage, reconciliationImage, WAITS_AT_MOST_MS, type ReconciliationCode } from '../../src/core/reconciliation';
import { deliveryLineIn } from '../../src/core/reconciliation-lines';
import { runResultIn } from '../../src/core/run-records';

const numRuns = process.env['INTACT_FULL'] ? 10_000 : 500;
const counts = { recorded: 1, duplicate: 2, variant: 3, conflict: 4, quarantined: 5 };
const accepted = { level: 'INFO', message: 'delivery accepted', requestId: 'r', deliveryId: 'abcdefghijklmnopqrst_-', queued: 0, ...counts };
const processed = { level: 'INFO', message: 'process-inbox', object: 'delivery/x', outcome: 'processed', deliveryId: 'abcdefghijklmnopqrst_-', ...counts };
const { duplicate: _duplicate, ...claims } = counts;

describe('a line of a receiving function', () => {
  test('says which delivery, whether it was put aside, and what it became', () => {
    expect(deliveryLineIn('receive', JSON.stringify(accepted))).toEqual({ deliveryId: accepted.deliveryId, queued: false, duplicate: 2, claims });
    expect(deliveryLineIn('receive', JSON.stringify({ ...accepted, queued: 1, more: {} }))).toMatchObject({ queued: true });
    expect(deliveryLineIn('process', JSON.stringify(processed))).toEqual({ deliveryId: accepted.deliveryId, queued: false, duplicate: 2, claims });
  });

  test.each<[string, 'receive' | 'process', string, 'other' | 'unreadable']>([
    ['another message', 'receive', JSON.stringify({ ...accepted, message: 'handshake' }), 'other'],
    ['the line of the other function', 'process', JSON.stringify(accepted), 'other'],
    ['a delivery that was gone', 'process', JSON.stringify({ ...processed, outcome: 'gone' }), 'other'],
    ['a line of Lambda itself', 'receive', '{"time":"…","type":"platform.report","record":{}}', 'other'],
    ['no JSON', 'receive', 'START RequestId: delivery accepted', 'other'],
    ['a list', 'receive', '["delivery accepted"]', 'other'],
    ['half a line', 'receive', JSON.stringify(accepted).slice(0, -4), 'unreadable'],
    ['half a line of the inbox, which fails by another line too', 'process', JSON.stringify(processed).slice(0, -4), 'other'],
    ['a line far too long', 'receive', JSON.stringify({ ...accepted, more: 'x'.repeat(10_000) }), 'unreadable'],
    ['an id that is none', 'receive', JSON.stringify({ ...accepted, deliveryId: 'abc' }), 'unreadable'],
    ['an id with more behind it', 'receive', JSON.stringify({ ...accepted, deliveryId: `${accepted.deliveryId}\n` }), 'unreadable'],
    ['a negative count', 'receive', JSON.stringify({ ...accepted, recorded: -1 }), 'unreadable'],
    ['half an event', 'receive', JSON.stringify({ ...accepted, variant: 0.5 }), 'unreadable'],
    ['a count in words', 'receive', JSON.stringify({ ...accepted, conflict: '1' }), 'unreadable'],
    ['more events than a delivery has', 'receive', JSON.stringify({ ...accepted, duplicate: 1e9 }), 'unreadable'],
    ['neither put aside nor not', 'receive', JSON.stringify({ ...accepted, queued: 2 }), 'unreadable'],
    ['a count left out', 'process', JSON.stringify({ ...processed, quarantined: undefined }), 'unreadable'],
  ])('%s', (_what, source, text, outcome) => {
    expect(deliveryLineIn(source, text)).toBe(outcome);
  });

  test('may be anything: nothing is thrown, and what is taken for a delivery has a name and counts', () => {
    const value = fc.oneof(fc.constantFrom<unknown>(0, 1, -1, '1', null, 'processed', accepted.deliveryId), fc.jsonValue());
    const line = fc.oneof(fc.string(), fc.json(), fc.record({ message: fc.constantFrom<unknown>('delivery accepted', 'process-inbox', 1), outcome: value, deliveryId: value, queued: value, recorded: value, duplicate: value, variant: value, conflict: value, quarantined: value }, { requiredKeys: ['message'] }).map((fields) => JSON.stringify(fields)));
    fc.assert(
      fc.property(fc.constantFrom('receive' as const, 'process' as const), line, (source, text) => {
        const read = deliveryLineIn(source, text);
        if (typeof read === 'string') return;
        expect(read.deliveryId).toMatch(/^[A-Za-z0-9_-]{22}$/);
        for (const n of [read.duplicate, ...Object.values(read.claims)]) expect(Number.isSafeInteger(n) && n >= 0).toBe(true);
      }),
      { numRuns },
    );
  });
});

describe('a delivery', () => {
  test('lacks what is claimed and not found, each outcome by itself', () => {
    const delivery = newDelivery();
    addClaims(delivery.claimed, { recorded: 2, variant: 1, conflict: 0, quarantined: 1 });
    addClaims(delivery.claimed, { recorded: 1, variant: 0, conflict: 0, quarantined: 0 });
    addClaims(delivery.found, { recorded: 1, variant: 5, conflict: 3, quarantined: 0 });
    expect(missingOf(delivery)).toBe(3);
    expect(missingOf(newDelivery())).toBe(0);
  });

  test('that was put aside waits for two days, and is recorded where records of it are and it left the inbox', () => {
    const aside = { ...newDelivery(), acceptedAtMs: 1_000, queued: true };
    const [young, old] = [1_000 + WAITS_AT_MOST_MS, 1_001 + WAITS_AT_MOST_MS];
    expect([true, false].map((isWaiting) => putAside(aside, { isWaiting, nowMs: young }))).toEqual(['waiting', 'waiting']);
    expect([true, false].map((isWaiting) => putAside(aside, { isWaiting, nowMs: old }))).toEqual(['delivery-waiting', 'delivery-unprocessed']);
    aside.found.quarantined = 1;
    expect([true, false].map((isWaiting) => putAside(aside, { isWaiting, nowMs: old }))).toEqual(['delivery-waiting', 'recorded']);
  });

  test('becomes records of these kinds, and of no others', () => {
    expect(['message', 'status', 'field', 'variant', 'conflict', 'quarantine', 'customer', 'account', 'link', 'quarantine-state', 'finding', 'constructor', ''].map(claimOf)).toEqual([
      'recorded', 'recorded', 'recorded', 'variant', 'conflict', 'quarantined', undefined, undefined, undefined, undefined, undefined, undefined, undefined,
    ]);
  });

  test('without a line is nothing unless most are', () => {
    expect([areUnlogged(19, 0), areUnlogged(20, 20), areUnlogged(20, 19)]).toEqual([false, false, true]);
  });
});

describe('records of a run', () => {
  const at = '2026-02-03T04:05:06.789Z';
  const result = { at, ok: false, findings: 2, records: 3, seconds: 1.5, size: 9, since: '2026-02-01T00:00:00.000Z', until: at, reconciledUntil: at, unlogged: 1, messages: 4, by: 'x' };

  test('a result says what every run says, and up to when nothing was left out', () => {
    const image = reconciliationImage(result, 'system');
    expect(keyOf(image)).toEqual({ pk: 'reconciliation', sk: at });
    expect(runResultIn(image)).toEqual({ at, ok: false, findings: 2, records: 3, seconds: 1.5, size: 9, by: 'x' });
    expect(reconciledUntilIn(image)).toBe(at);
    for (const other of ['soon', '2026-02-03', `${at} `]) expect(reconciledUntilIn({ ...image, reconciledUntil: { S: other } })).toBeUndefined();
    expect(reconciliationImage({ ...result, messages: undefined }, 'system')).not.toHaveProperty('messages');
  });

  test('the next run begins behind this one only where this one left nothing out before it', () => {
    const after = (since: string, until: string): string => reconciledAfter('5', { since, until });
    expect([after('5', '9'), after('1', '9'), after('6', '9'), after('1', '4')]).toEqual(['9', '9', '5', '5']);
  });

  test.each(Object.keys(RECONCILIATION_CODES) as ReconciliationCode[])('a finding %s is named by what it is about, whoever finds it, and fits where findings are told', (code) => {
    const image = reconciliationFindingImage({ code, about: 'a', missing: 2 }, 'system', at);
    expect(keyOf(reconciliationFindingImage({ code, about: 'a', missing: 3, webhook: 'FAILED' }, 'system', '2027-01-01T00:00:00.000Z'))).toEqual(keyOf(image));
    expect(keyOf(reconciliationFindingImage({ code, about: 'b' }, 'system', at))).not.toEqual(keyOf(image));
    expect(isOurKey(keyOf(image))).toBe(true);
    expect(stringOf(image, 'detail')).toBe(RECONCILIATION_CODES[code]);
  });

  test('a finding repeats no word of Meta but its states', () => {
    const told = reconciliationFindingImage({ code: 'message-missing', about: 'a', webhook: 'DELIVERED to Erika' }, 'system', at);
    expect(stringOf(told, 'webhook')).toBe('OTHER');
    expect(JSON.stringify(told)).not.toMatch(/Erika/);
  });
});
