/** The numbers the design asks for, as a test found them: `npm test` prints the reduced ones at its end, `npm run prove` the full ones. */
import { appendFileSync } from 'node:fs';

/** Notes one line of the report: what was tried, and how it came out. Write it after the assertions, so that it is only said when it is true. */
export function figure(what: string, outcome: string): void {
  const file = process.env['INTACT_FIGURES'];
  if (file !== undefined) appendFileSync(file, `${what}: ${outcome}\n`);
}
