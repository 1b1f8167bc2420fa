/** The rules of custom fields, by the type a stage gives them, and of lists. */
import type { CustomField } from './profile-settings';
import { fault, textFaults, type Fault } from './text-rules';

/** Kept to the last digit by JSON, by DynamoDB and by spreadsheets alike, and written without an exponent. */
const EXACT = /^-?\d{1,15}(\.\d{1,6})?$/;
const MAX_DIGITS = 15;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Everything wrong with `value` for a field as `field` says. */
export function customFaults(field: CustomField, value: unknown): readonly Fault[] {
  if (field.type === 'number') return typeof value === 'number' ? numberFaults(field, value) : [fault('not-a-number', {})];
  if (typeof value !== 'string') return [fault('wrong-type', { expected: 'text' })];
  if (field.type === 'text') return textFaults(value, field.maxLength, 'line');
  if (field.type === 'date') return dayFaults(field, value);
  return field.choices.includes(value.normalize('NFC')) ? [] : [fault('not-a-choice', { choices: field.choices.join(', ') })];
}

function numberFaults({ min, max }: { readonly min: number; readonly max: number }, value: number): readonly Fault[] {
  if (!Number.isFinite(value)) return [fault('not-a-number', {})];
  const written = String(value);
  const isExact = EXACT.test(written) && written.replace(/\D/g, '').replace(/^0+/, '').length <= MAX_DIGITS;
  return [...(value < min ? [fault('too-small', { min })] : []), ...(value > max ? [fault('too-big', { max })] : []), ...(isExact ? [] : [fault('too-precise', {})])];
}

function dayFaults({ min, max }: { readonly min?: string | undefined; readonly max?: string | undefined }, value: string): readonly Fault[] {
  if (!isDay(value)) return [fault('not-a-date', {})];
  // Days in this form sort as they follow each other.
  return [...(min !== undefined && value < min ? [fault('too-early', { min })] : []), ...(max !== undefined && value > max ? [fault('too-late', { max })] : [])];
}

/** A day of the Gregorian calendar, from the year 1 on. */
function isDay(text: string): boolean {
  const [, year = '', month = '', day = ''] = DAY.exec(text) ?? [];
  if (year === '' || year === '0000') return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day);
}

/** `max`: of a list. Equal elements are named where they come again. */
export const countFaults = (max: number, elements: readonly unknown[]): readonly Fault[] => (elements.length > max ? [fault('too-many', { max, count: elements.length })] : []);

/** Index of each element that was there before, and where it was first. */
export function repeated(elements: readonly unknown[]): readonly { readonly at: number; readonly first: number }[] {
  const firsts = new Map<unknown, number>();
  return elements.flatMap((element, at) => {
    const first = firsts.get(element);
    if (first !== undefined) return [{ at, first }];
    firsts.set(element, at);
    return [];
  });
}
