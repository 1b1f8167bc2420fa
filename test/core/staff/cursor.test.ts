/** A cursor goes on where it was made, for whom it was made, and nowhere else. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { invalidCursor, openCursor, sealCursor } from '../../../src/core/staff/cursor';

const numRuns = process.env['INTACT_FULL'] === '1' ? 10_000 : 500;
const secret = createHash('sha256').update('secret').digest();
const scope = { operatorId: 'anna', route: 'GET /v1/customers', filter: ['tag', 'vip'] };
const text = fc.string({ unit: 'binary' }).map((each) => Buffer.from(each).toString());

it('is opened to what was sealed, in its own scope', () => {
  fc.assert(fc.property(text, text, text, fc.array(text), (operatorId, route, position, filter) => {
    const cursor = sealCursor(secret, { operatorId, route, filter }, position);
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(openCursor(secret, { operatorId, route, filter }, cursor)).toBe(position);
  }), { numRuns });
});

it.each([
  ['another operator', { ...scope, operatorId: 'ben' }],
  ['another route', { ...scope, route: 'GET /v1/customers/search' }],
  ['another filter', { ...scope, filter: ['tag', 'vi'] }],
  ['the same filter cut elsewhere', { ...scope, filter: ['ta', 'gvip'] }],
  ['the filter as part of the route', { operatorId: 'anna', route: 'GET /v1/customerstagvip' }],
  ['no filter', { operatorId: 'anna', route: 'GET /v1/customers' }],
])('is nothing to %s', (_what, other) => expect(openCursor(secret, other, sealCursor(secret, scope, 'c#1'))).toBe('invalid'));

it('is nothing under another secret', () => expect(openCursor(createHash('sha256').update('other').digest(), scope, sealCursor(secret, scope, 'c#1'))).toBe('invalid'));

it('is nothing with any one character changed, added or taken away', () => {
  const cursor = sealCursor(secret, scope, 'c#01ARZ3NDEKTSV4RRFFQ69G5FAV');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ';
  for (let i = 0; i <= cursor.length; i++) {
    expect(openCursor(secret, scope, cursor.slice(0, i) + cursor.slice(i + 1)) === 'invalid' || i === cursor.length).toBe(true);
    for (const character of alphabet) {
      expect(openCursor(secret, scope, cursor.slice(0, i) + character + cursor.slice(i))).toBe('invalid');
      if (i < cursor.length && cursor[i] !== character) expect(openCursor(secret, scope, cursor.slice(0, i) + character + cursor.slice(i + 1))).toBe('invalid');
    }
  }
});

it('shows nothing of the position', () => {
  const cursors = ['c#1', 'c#2'].map((position) => sealCursor(secret, scope, position));
  expect(new Set(cursors.map((cursor) => cursor.slice(0, 8))).size).toBe(2);
  expect(Buffer.from(cursors[0] ?? '', 'base64url').toString('latin1')).not.toContain('c#');
});

it('whatever is sent is opened or invalid', () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (cursor) => { expect(openCursor(secret, scope, cursor)).toBe('invalid'); }), { numRuns });
  expect(openCursor(secret, scope, 'A'.repeat(1_000_000))).toBe('invalid');
});

it('that is bad is told so', () => expect(invalidCursor()).toMatchObject({ field: 'cursor', rule: 'cursor' }));
