/**
 * What stands in the place of an erased record: enough that a late resend of it is recognised by the key, and nothing that tells of a person. It belongs to the log's own subject, so that it
 * can still be restored when the key of the person's is gone; so nothing of theirs may ever be in it, and its form is closed.
 */
import { isTimestamp } from './entry';
import { integerOf, stringOf, type Image } from './image';
import { isOurKey } from './own-records';

const ATTRIBUTES: ReadonlySet<string> = new Set(['pk', 'sk', 'kind', 'rev', 'subject', 'receivedAt', 'erasure', 'mac']);

export const isTombstone = (image: Image | undefined): boolean => stringOf(image, 'kind') === 'tombstone';

/** The tombstone of `removed`. `erasure`: id of the erasure that permits it. `at`: when that was recorded, ISO 8601 UTC, so that the same record has the same tombstone whenever it is made. Its MAC is the caller's to add. */
export function tombstoneOf(removed: Image, erasure: string, systemSubject: string, at: string): Image {
  return {
    pk: removed['pk'] as Image[string],
    sk: removed['sk'] as Image[string],
    kind: { S: 'tombstone' },
    rev: { N: String((integerOf(removed, 'rev') ?? 0) + 1) },
    subject: { S: systemSubject },
    receivedAt: { S: at },
    erasure: { S: erasure },
  };
}

/** Which erasure `image` names, if it is a tombstone of the form we write and holds nothing else; its MAC is the caller's to check. */
export function erasureNamedBy(image: Image, systemSubject: string): string | undefined {
  const [pk, sk, erasure] = [stringOf(image, 'pk') ?? '', stringOf(image, 'sk') ?? '', stringOf(image, 'erasure')];
  const isOurs =
    isTombstone(image) &&
    Object.keys(image).every((name) => ATTRIBUTES.has(name)) &&
    isOurKey({ pk, sk }) &&
    stringOf(image, 'subject') === systemSubject &&
    isTimestamp(stringOf(image, 'receivedAt'));
  return isOurs && erasure !== undefined && ERASURE_ID.test(erasure) ? erasure : undefined;
}

/** A ULID. */
export const ERASURE_ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
