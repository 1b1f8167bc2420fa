/** Requests for repairs on their way through a queue: any key a table can hold, no text that a queue refuses. */
import fc from 'fast-check';
import { repairRequestIn, repairRequestText } from '../../src/core/repair-request';

const numRuns = process.env['INTACT_FULL'] === undefined ? 500 : 10_000;
const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => Buffer.from(text).toString() === text && text !== '');
const source = fc.option(fc.constantFrom('c4ca4238a0b923820dcc509a6f75849b', `late:${'a'.repeat(64)}`), { nil: undefined });

test('a request comes out as it went in, whatever the key holds', () => {
  fc.assert(
    fc.property(part, part, source, (pk, sk, src) => {
      const request = { key: { pk, sk }, ...(src !== undefined && { source: src }) };
      const text = repairRequestText(request);
      expect(repairRequestIn(text)).toEqual(request);
      expect(text).toMatch(/^[\x20-\x7e]+$/); // SQS takes no character outside of XML's, and says so by refusing the message
    }),
    { numRuns },
  );
  expect(repairRequestText({ key: { pk: 'a\u{ffff}\0🙂', sk: 'é' } })).toBe('{"pk":"a\\uffff\\u0000\\ud83d\\ude42","sk":"\\u00e9"}');
});

test.each([
  'nonsense', '', 'null', '[]', '{}', '{"pk":"a"}', '{"pk":"a","sk":1}', '{"pk":"","sk":"b"}', '{"pk":"a","sk":"b","source":null}', '{"pk":"a","sk":"b","source":"with a space"}',
  '{"pk":"a","sk":"b","source":"late:x"}', '{"pk":"\\ud800","sk":"b"}', JSON.stringify({ pk: 'x'.repeat(2049), sk: 'b' }), JSON.stringify({ pk: 'a', sk: 'é'.repeat(513) }),
])('what is none is known for one: %s', (text) => {
  expect(repairRequestIn(text)).toBe('unknown');
});

test('anything at all is a request or none, and never an error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.record({ pk: fc.anything(), sk: fc.anything(), source: fc.anything() }).map((value) => JSON.stringify(value) ?? '')), (text) => {
      const request = repairRequestIn(text);
      expect(request === 'unknown' || typeof request.key.pk === 'string').toBe(true);
    }),
    { numRuns },
  );
});
