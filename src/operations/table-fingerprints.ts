/**
 * A whole table in little memory: of each item its place and a hash. What is compared with it strikes out what is the same; the few that are left are read again. One scan answers both
 * questions, what differs and what should not be there, for a quarter of what reading every record of a kilobyte by its key would cost.
 */
import { canonicalImage, ImageError } from '../core/canonical-image';
import { CanonicalJsonError } from '../core/canonical-json';
import type { Image, TableKey } from '../core/image';
import { sha256 } from '../core/log/sha256';
import { placeOf } from '../core/record-history';
import type { RestoreTarget } from '../ports/restore-target';

/** Of a read by keys; DynamoDB's own limit for one request. */
export const READ_AT_ONCE = 100;

/** 128 bits of the hash of an item as it stands; never equal for one that has no canonical form. */
export type Fingerprint = string;

/** Place (`placeOf`) → fingerprint, of the items of which `isWanted` holds. */
export async function fingerprintsOf(table: Pick<RestoreTarget, 'scan'>, isWanted: (image: Image) => boolean, onItem: (scanned: number) => void = () => undefined): Promise<Map<string, Fingerprint>> {
  const prints = new Map<string, Fingerprint>();
  let scanned = 0;
  for await (const image of table.scan()) {
    if (isWanted(image)) prints.set(placeOf(image), fingerprintOf(image));
    onItem(++scanned);
  }
  return prints;
}

export function fingerprintOf(image: Image): Fingerprint {
  try {
    return sha256(canonicalImage(image)).toString('latin1', 0, 16);
  } catch (error) {
    // Nothing of ours looks like that, so it is the same as nothing.
    if (error instanceof ImageError || error instanceof CanonicalJsonError) return '';
    throw error;
  }
}

export const keyOfPlace = (place: string): TableKey => {
  const [pk, sk] = JSON.parse(place) as [string, string];
  return { pk, sk };
};

/** What the table has in these places now; absent ones are left out. */
export async function readPlaces(table: Pick<RestoreTarget, 'read'>, places: readonly string[]): Promise<Map<string, Image>> {
  const images = places.length === 0 ? [] : await table.read(places.map(keyOfPlace));
  return new Map(images.map((image) => [placeOf(image), image]));
}
