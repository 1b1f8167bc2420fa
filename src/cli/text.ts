/**
 * Text for a person's terminal. What was received from outside is shown with its control characters made visible: a message may hold escape
 * sequences that would repaint the screen of whoever reads it.
 */

/** C0, C1, DEL, line separators, bidi controls and lone surrogates as `\u{…}`; everything else as it is. */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\u200e\u200f\ufeff]|\p{Cs}/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);

/** At most `width` characters, the cut marked. */
export function shortened(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

/** 1234567 as `1,234,567`. */
export const counted = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1 entry`, `3 entries`. */
export const amount = (n: number, one: string, many = `${one}s`): string => `${counted(n)} ${n === 1 ? one : many}`;

/** How long ago, in the largest fitting unit: `12 s`, `5 min`, `3 h`, `9 d`. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Rows with their columns aligned, each line indented by two; trailing blanks cut. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, [...cell].length)));
  return rows.map((row) => `  ${row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - [...cell].length)).join('  ')}`.trimEnd());
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as people type it (`2026-01-31`, an RFC 3339 time, `90m`, `24h`, `7d` ago) as ISO 8601 UTC, or undefined. */
export function timeFrom(typed: string, now: Date): string | undefined {
  const span = /^(\d{1,6})([smhd])$/.exec(typed);
  if (span !== null) return new Date(now.getTime() - Number(span[1]) * (UNIT_MS[span[2] ?? ''] ?? 0)).toISOString();
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(typed)) return undefined;
  const date = new Date(typed);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
