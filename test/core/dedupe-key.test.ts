import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { hashed } from '../../src/core/dedupe-key';

const key = Buffer.alloc(32, 7);

test('the name is HMAC-SHA256 over type, length and bytes of the tag and of each part', () => {
  const input = Buffer.concat([Buffer.from('730000000a', 'hex'), Buffer.from('wamid', 'utf16le'), Buffer.from('7300000002', 'hex'), Buffer.from('A', 'utf16le')]);
  expect(hashed(key, 'wamid', ['A'])).toBe(createHmac('sha256', key).update(input).digest('base64url'));
  expect(hashed(key, 'wamid', ['A'])).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test('it is permanent: another name for the same message would record it twice', () => {
  // Computed once when the first record was written; this must never change.
  expect(hashed(key, 'wamid', ['wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA='])).toBe('SB2YfQl9qg2brEMolht5kJB6muFSeUwe1shYtwL-6R4');
});

test.each([
  ['parts that only their border tells apart', ['ab', 'c'], ['a', 'bc']],
  ['a missing and an empty part', ['a'], ['a', '']],
  ['two different half surrogate pairs', ['\ud800'], ['\ud801']],
  ['a half surrogate pair and its replacement', ['\ud800'], ['\ufffd']],
  ['a string and its bytes', ['a'], [Buffer.from('a', 'utf16le')]],
])('%s get different names', (_, a, b) => {
  expect(hashed(key, 'status', a)).not.toBe(hashed(key, 'status', b));
});

test('the same parts in another role or under another key get another name', () => {
  expect(hashed(key, 'alias', ['a'])).not.toBe(hashed(key, 'wamid', ['a']));
  expect(hashed(Buffer.alloc(32, 8), 'wamid', ['a'])).not.toBe(hashed(key, 'wamid', ['a']));
});

test('different lists never share a name', () => {
  const list = fc.array(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 4 });
  fc.assert(fc.property(list, list, (a, b) => (JSON.stringify(a) === JSON.stringify(b)) === (hashed(key, 'status', a) === hashed(key, 'status', b))));
});
