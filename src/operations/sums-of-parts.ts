/** Reports of the parts of one run, as the report of all of them. */

/** Of each of these numbers the sum. */
export function sums<Name extends string>(reports: readonly Readonly<Record<Name, number>>[], ...names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, reports.reduce((total, report) => total + report[name], 0)])) as Record<Name, number>;
}

/** Since `run`, which names a run by when it began. */
export const secondsSince = (run: string, now: Date): number => (now.getTime() - Date.parse(run)) / 1000;
