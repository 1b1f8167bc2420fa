/** How records come out of the table for people: checked first, so that a record nobody of ours wrote is shown as that, never as what it claims. */
import { createHash } from 'node:crypto';
import { bytesOf, integerOf, stringOf, type Image } from '../core/image';
import { checkMac, type MacKey } from '../core/record-mac';
import type { Inbox, Meter } from '../ports';

/** A record as read; `isGenuine`: its MAC is valid. */
export interface ReadRecord {
  readonly image: Image;
  readonly isGenuine: boolean;
}

export function readRecord(keys: readonly MacKey[], meter: Meter, image: Image): ReadRecord {
  const isGenuine = checkMac(keys, image) === 'valid';
  if (!isGenuine) meter.count('RecordMacInvalid');
  return { image, isGenuine };
}

/** The event's own bytes, wherever they are kept. `gone`: the object is not there any more; `changed`: it is not what the record vouches for. */
export async function rawOf(inbox: Pick<Inbox, 'get'>, record: Image): Promise<Buffer | 'gone' | 'changed'> {
  const object = await contentOfRecord(inbox, record);
  if (object === undefined) return Buffer.from(bytesOf(record, 'raw') ?? []);
  if (typeof object === 'string') return object;
  const at = integerOf(record, 'contentRawAt') ?? 0;
  return object.subarray(at, at + (integerOf(record, 'contentRawBytes') ?? object.length));
}

/** The object a record names, whole, checked against the hash in the record; undefined where it names none. */
export async function contentOfRecord(inbox: Pick<Inbox, 'get'>, record: Image): Promise<Buffer | 'gone' | 'changed' | undefined> {
  const name = stringOf(record, 'contentName');
  if (name === undefined) return undefined;
  const bytes = await inbox.get(name);
  if (bytes === 'absent') return 'gone';
  const sha256 = createHash('sha256').update(bytes).digest();
  return sha256.equals(Buffer.from(bytesOf(record, 'contentSha256') ?? [])) ? bytes : 'changed';
}

export const receivedAtOf = (image: Image): string => stringOf(image, 'receivedAt') ?? '';
