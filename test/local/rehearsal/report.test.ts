import { isAsExpected, reportText } from '../../../local/rehearsal/report';

const received = { name: 'received', expected: '106', got: '106', countedIn: 'metric DeliveriesReceived' };
const findings = { name: 'findings', expected: '0', got: '0', countedIn: 'intact verify' };

describe('the report', () => {
  it('is aligned and says that everything is as expected', () => {
    expect(reportText([received, findings])).toBe([
      '             expected   got   counted in',
      '  received        106   106   metric DeliveriesReceived',
      '  findings          0     0   intact verify',
      '',
      'Everything is as expected.',
    ].join('\n'));
    expect(isAsExpected([received, findings])).toBe(true);
  });

  it('marks each line that is not, and names them', () => {
    const lines = [received, { ...findings, got: '2' }];
    expect(reportText(lines)).toContain('  findings          0     2   intact verify   <- not as expected');
    expect(reportText(lines)).toMatch(/Not as expected: findings\.$/);
    expect(isAsExpected(lines)).toBe(false);
  });
});
