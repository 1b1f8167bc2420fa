/** The waits of an erasure are longer than everything that can still write under the old subject. */
import { OWNER_CACHE_LIFE_MS, SETTLING_MS } from '../../../src/operations/owner-cache';
import { KEY_CACHE_MS } from '../../../src/operations/subject-keys';
import { CLOCKS_DIFFER_MS, FREEZE_WAIT_MS, LONGEST_WRITER_MS, QUIET_MS } from '../../../src/operations/erasure/waits';
import { ofType, synthesized } from '../../lib/synthesized';

test('no function of ours is given more time than an erasure waits for', () => {
  const { service } = synthesized('prod');
  const timeouts = ofType(service, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties['Timeout'] as number);
  expect(timeouts.length).toBeGreaterThan(10);
  expect(Math.max(...timeouts) * 1000).toBeLessThanOrEqual(LONGEST_WRITER_MS);
});

test('both waits are longer than a writer with a cache that was just filled; the freeze also than the life of a key', () => {
  const writer = LONGEST_WRITER_MS + OWNER_CACHE_LIFE_MS + SETTLING_MS + CLOCKS_DIFFER_MS;
  expect(QUIET_MS).toBeGreaterThanOrEqual(writer);
  expect(FREEZE_WAIT_MS).toBeGreaterThanOrEqual(writer + KEY_CACHE_MS);
});
