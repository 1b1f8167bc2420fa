import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judgeSkip } from '../../scripts/skips';
import { addTallies, closingLine, noTally } from '../../scripts/tally';

describe('the closing line', () => {
  it.each([
    [{ ...noTally, passed: 3 }, '3 passed, 0 failed'],
    [{ ...noTally, passed: 3, failed: 1 }, '3 passed, 1 failed'],
    [{ ...noTally, passed: 3, skipped: 2 }, '3 passed, 0 failed, 2 skipped'],
  ])('of %j is "%s"', (tally, line) => expect(closingLine(tally)).toBe(line));

  it('counts every part', () => {
    const sum = addTallies([{ ...noTally, passed: 1 }, { ...noTally, passed: 2, failed: 1, problems: ['a'] }, { ...noTally, skipped: 1, skips: ['b'], figures: ['c'] }]);
    expect(sum).toEqual({ passed: 3, failed: 1, skipped: 1, problems: ['a'], skips: ['b'], figures: ['c'] });
  });
});

describe('a skipped test', () => {
  const directory = mkdtempSync(join(tmpdir(), 'intact-skips-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('is justified where its tool is absent', () => {
    const title = 'the oracle (go is not on the PATH) accepts';
    expect(judgeSkip(title, directory)).toEqual({ justified: true, reason: title });
  });

  it('is a failure where its tool is there', () => {
    writeFileSync(join(directory, 'tool'), '');
    chmodSync(join(directory, 'tool'), 0o755);
    expect(judgeSkip('the oracle (tool is not on the PATH) accepts', directory).justified).toBe(false);
  });

  it('is a failure where it names no tool', () => {
    expect(judgeSkip('something', directory)).toEqual({ justified: false, reason: 'skipped without a reason: something' });
  });
});
