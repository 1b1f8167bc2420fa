/**
 * Reading members of values somebody else wrote. Only own members count: a message without `constructor` must not seem to have one. Null and ''
 * count as absent, because Meta writes an unknown number either way.
 */

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The member if it is an object. */
export function objectIn(value: unknown, key: string): Json | undefined {
  const member = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isObject(member) ? member : undefined;
}

/** The member if it is a string with something in it. */
export function stringIn(value: Json | undefined, key: string): string | undefined {
  const member = value !== undefined && Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof member === 'string' && member !== '' ? member : undefined;
}
