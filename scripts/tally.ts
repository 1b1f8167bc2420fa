/** Counts of a test run and its closing line, which other programs read. */

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Failures that no test file has printed. */
  readonly problems: readonly string[];
  /** Justified skips, a line each. */
  readonly skips: readonly string[];
  /** What the tests measured: counts of what was tried, a line each. */
  readonly figures: readonly string[];
}

export const noTally: Tally = { passed: 0, failed: 0, skipped: 0, problems: [], skips: [], figures: [] };

export function addTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce((sum, each) => ({
    passed: sum.passed + each.passed,
    failed: sum.failed + each.failed,
    skipped: sum.skipped + each.skipped,
    problems: [...sum.problems, ...each.problems],
    skips: [...sum.skips, ...each.skips],
    figures: [...sum.figures, ...each.figures],
  }), noTally);
}

/** `N passed, N failed`, with `, N skipped` when any were. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
