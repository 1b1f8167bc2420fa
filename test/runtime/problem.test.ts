/** For a webhook the status decides what Meta does next: only 200 ends the resends, so no failure of ours may ever look like one. */
import { PortError, type PortErrorCode } from '../../src/ports';
import { problem, problemOf, type ProblemCode } from '../../src/runtime/problem';

const statusAfter = (error: unknown): number => problem(problemOf(error)).statusCode;

test.each<[PortErrorCode, number]>([
  ['unavailable', 503],
  ['denied', 500],
  ['corrupt', 500],
  ['different-bytes', 500],
])('a store that is %s is told as %d', (code, status) => expect(statusAfter(new PortError(code, 'x'))).toBe(status));

test('running out of time is told as 503, whatever else is thrown as 500', () => {
  expect(statusAfter(Object.assign(new Error('x'), { name: 'TimeoutError' }))).toBe(503);
  expect([new Error('x'), 'x', undefined].map(statusAfter)).toEqual([500, 500, 500]);
});

test('who is to come again later is told when', () => expect(problem('store-unavailable').headers).toMatchObject({ 'retry-after': '5', 'cache-control': 'no-store' }));

const refusals: readonly ProblemCode[] = ['signature-missing', 'signature-malformed', 'signature-mismatch', 'secret-missing'];
test.each(refusals)('%s is 401', (code) => expect(problem(code)).toMatchObject({ statusCode: 401, headers: { 'content-type': 'application/problem+json' } }));
