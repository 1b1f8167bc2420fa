/** Records as people and programs outside read them: plain values in place of DynamoDB's typed ones. */
import { bytesOf, stringOf, type Attribute, type Image } from '../core/image';
import type { ReadRecord } from '../operations/read-records';
import { printable, shortened } from './text';

/** Strings and booleans as they are, integers as numbers where JavaScript holds them exactly, bytes as base64, maps and lists of the same. */
export const plain = (image: Image): Readonly<Record<string, unknown>> => Object.fromEntries(Object.entries(image).map(([name, value]) => [name, plainValue(value)]));

function plainValue(attribute: Attribute): unknown {
  if ('S' in attribute) return attribute.S;
  if ('N' in attribute) return Number.isSafeInteger(Number(attribute.N)) ? Number(attribute.N) : attribute.N;
  if ('B' in attribute) return Buffer.from(attribute.B).toString('base64');
  if ('BOOL' in attribute) return attribute.BOOL;
  if ('SS' in attribute) return attribute.SS;
  if ('NS' in attribute) return attribute.NS;
  if ('BS' in attribute) return attribute.BS.map((each) => Buffer.from(each).toString('base64'));
  if ('L' in attribute) return attribute.L.map(plainValue);
  if ('M' in attribute) return plain(attribute.M);
  return null;
}

/** A record read from the table, with whether it is one of ours. */
export const plainRead = ({ image, isGenuine }: ReadRecord): Readonly<Record<string, unknown>> => ({ ...plain(image), isGenuine });

/** What a record says, in one line: its text, its status, its reason, whatever it has. */
export function gist(image: Image, width: number): string {
  const words = ['status', 'type', 'field', 'reason', 'code', 'state', 'textClean', 'text']
    .filter((name) => !(name === 'text' && stringOf(image, 'textClean') !== undefined))
    .flatMap((name) => stringOf(image, name) ?? []);
  return printable(shortened(words.join('  '), width));
}

/** Bytes as text where they are text, otherwise as base64. */
export function readableBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : `base64 ${Buffer.from(bytes).toString('base64')}`;
}

/** Bytes on one line for a person: white space between the members of JSON is drawn together. The exact bytes are in --json. */
export const bytesOnOneLine = (bytes: Uint8Array): string => printable(readableBytes(bytes).replace(/\s*\n\s*/g, ' '));

/** The attribute for a person's eyes, or undefined. */
export function shown(image: Image, name: string): string | undefined {
  const text = stringOf(image, name);
  if (text !== undefined) return printable(text);
  const bytes = bytesOf(image, name);
  if (bytes !== undefined) return bytesOnOneLine(bytes);
  const value = image[name];
  return value === undefined ? undefined : printable(JSON.stringify(plainValue(value)));
}
