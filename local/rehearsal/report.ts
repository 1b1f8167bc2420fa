/** The report of a rehearsal: expected and got, line by line, for a person; and whether all of it is as expected. Pure. */

export interface ReportLine {
  readonly name: string;
  readonly expected: string;
  readonly got: string;
  /** Where the second number was counted. */
  readonly countedIn: string;
}

export function isAsExpected(lines: readonly ReportLine[]): boolean {
  return lines.every(({ expected, got }) => expected === got);
}

/** Aligned columns; lines that are not as expected are marked at their end. */
export function reportText(lines: readonly ReportLine[]): string {
  const header: ReportLine = { name: '', expected: 'expected', got: 'got', countedIn: 'counted in' };
  const width = (of: (line: ReportLine) => string): number => Math.max(...[header, ...lines].map((line) => of(line).length));
  const [name, expected, got] = [width((line) => line.name), width((line) => line.expected), width((line) => line.got)];
  const row = (line: ReportLine): string => `  ${line.name.padEnd(name)}   ${line.expected.padStart(expected)}   ${line.got.padStart(got)}   ${line.countedIn}`;
  const rows = lines.map((line) => (line.expected === line.got ? row(line) : `${row(line)}   <- not as expected`));
  const wrong = lines.filter((line) => line.expected !== line.got).map((line) => line.name);
  return [row(header), ...rows, '', wrong.length === 0 ? 'Everything is as expected.' : `Not as expected: ${wrong.join(', ')}.`].join('\n');
}
