/**
 * What the parts of one run hand to each other through a store: a value, under a MAC that binds it to its task, its run and its name. Whoever can write to the store, and cannot use the MAC
 * key, can neither invent a part's result nor put that of another run in its place.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { MacKey } from './record-mac';

/** What a value is handed over as. */
export interface HandOverName {
  readonly task: string;
  /** When the run began, ISO 8601 UTC with milliseconds. */
  readonly run: string;
  readonly name: string;
}

/** Where it lies in the store. */
export const handOverPath = ({ task, run, name }: HandOverName): string => `${task}/${run}/${name}.json`;

/** One line with the MAC, then the value as JSON. */
export function formatHandOver(key: MacKey, name: HandOverName, value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value), 'utf8');
  return Buffer.concat([Buffer.from(`${key.id}.${macOf(key, name, json).toString('base64url')}\n`, 'latin1'), json]);
}

/** The value; 'forged' where one of `keys` did not vouch for it under this very name. */
export function readHandOver(keys: readonly MacKey[], name: HandOverName, bytes: Buffer): { readonly value: unknown } | 'forged' {
  const end = bytes.indexOf(0x0a);
  const form = /^([1-9]\d{0,8})\.([A-Za-z0-9_-]{43})$/.exec(bytes.toString('latin1', 0, Math.max(end, 0)));
  const key = keys.find(({ id }) => String(id) === form?.[1]);
  if (form === null || key === undefined) return 'forged';
  const json = bytes.subarray(end + 1);
  if (!timingSafeEqual(Buffer.from(form[2] as string, 'base64url'), macOf(key, name, json))) return 'forged';
  return { value: JSON.parse(json.toString('utf8')) as unknown };
}

function macOf(key: MacKey, { task, run, name }: HandOverName, json: Buffer): Buffer {
  // A JSON array holds no line feed, so where it ends is certain.
  const place = JSON.stringify(['intact/hand-over/v1', task, run, name, key.id]);
  return createHmac('sha256', key.secret).update(place).update('\n').update(json).digest();
}
