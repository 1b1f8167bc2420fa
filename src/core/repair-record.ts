/**
 * The record a repair writes before it acts: what it found, what it will make of it, and from which entry. The sealer asks for it when the change arrives, so that nobody
 * can pass a change off as a repair; it stays as evidence, and the number of them bounds how often one record is repaired.
 */
import { createHash } from 'node:crypto';
import { canonicalImage } from './canonical-image';
import { stringOf, type Image, type TableKey } from './image';
import { isOurKey, systemImage } from './own-records';
import { sha256Hex } from './log/sha256';
import { recordKeys } from './table-keys';

/** A state of a record as repairs name it: the SHA-256 of its canonical image, hex, or `absent`. */
export type StateHash = string;

export const stateHash = (image: Image | undefined): StateHash => (image === undefined ? 'absent' : sha256Hex(canonicalImage(image)));

export interface RepairPlan {
  readonly key: TableKey;
  /** As the table has it; undefined: it is missing. */
  readonly from: Image | undefined;
  /** As the log has it; undefined: the log has no such record, so it is removed. */
  readonly to: Image | undefined;
  /** Index of the entry that sealed `to`. */
  readonly entry?: number;
}

/** `at`: ISO 8601 UTC. Its MAC is the caller's to add. Holds no content: both states are in the log under the record's own key. */
export function repairImage({ key, from, to, entry }: RepairPlan, systemSubject: string, at: string): Image {
  return {
    ...systemImage(recordKeys.repair(hashedPlace(key), stateHash(from), stateHash(to), at), 'repair', systemSubject, at),
    action: { S: to === undefined ? 'remove' : 'put-back' },
    ...(entry !== undefined && { entry: { N: String(entry) } }),
    ...(isOurKey(key) && { recordPk: { S: key.pk }, recordSk: { S: key.sk } }),
  };
}

/** Where the permissions for exactly this change lie: Query `pk`, `sk` begins with `skPrefix`. */
export function permissionFor(key: TableKey, from: Image | undefined, to: Image | undefined): { readonly pk: string; readonly skPrefix: string } {
  const { pk, sk } = recordKeys.repair(hashedPlace(key), stateHash(from), stateHash(to), '');
  return { pk, skPrefix: sk };
}

/** Where all repairs of a record lie, whatever they did. */
export const repairsOf = (key: TableKey): string => recordKeys.repair(hashedPlace(key), '', '', '').pk;

/** When a repair was begun, ISO 8601 UTC. */
export const repairedAt = (image: Image): string | undefined => stringOf(image, 'receivedAt');

/** A key written by hand may hold anything; its hash does not. */
const hashedPlace = ({ pk, sk }: TableKey): string => createHash('sha256').update(JSON.stringify([pk, sk])).digest('base64url');
