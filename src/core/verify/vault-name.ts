/**
 * Names of the objects in a vault, and what each is by its name alone. Names are attacker-controlled; whatever is not exactly one of ours is
 * `other`.
 */
import { parseTilePath, type TileName } from '../log/tile-path';

export const CHECKPOINT = 'checkpoint';
export const LOG_VKEYS = 'log.vkeys';

export type VaultName =
  | { readonly kind: 'checkpoint' | 'keys' }
  | { readonly kind: 'tile'; readonly tile: TileName }
  | { readonly kind: 'segment'; readonly from: number; readonly sha256: string }
  | { readonly kind: 'checkpoint-copy'; readonly size: number }
  | { readonly kind: 'blob'; readonly sha256: string }
  | { readonly kind: 'snapshot-manifest'; readonly size: number; readonly sha256: string }
  | { readonly kind: 'snapshot-part'; readonly size: number; readonly number: number; readonly sha256: string }
  /** report/…, other snapshot/…: named by entries. */
  | { readonly kind: 'document' }
  | { readonly kind: 'other' };

/** Sorts before every segment of a round that begins at `from` or later, and after all others. */
export const segmentsFrom = (from: number): string => `segment/${String(from).padStart(20, '0')}`;
/** `segment/<from, 20 digits>/<sha256 hex>`. */
export const segmentName = (from: number, sha256: string): string => `${segmentsFrom(from)}/${sha256}`;
export const checkpointCopyName = (size: number): string => `checkpoints/${size}`;
export const blobName = (sha256: string): string => `blob/${sha256}`;
export const SNAPSHOT_PREFIX = 'snapshot/';
/** `snapshot/<size of the log>/manifest-<sha256 hex>`. */
export const manifestName = (size: number, sha256: string): string => `${SNAPSHOT_PREFIX}${size}/manifest-${sha256}`;
/** `snapshot/<size of the log>/<number, 6 digits>-<sha256 hex>`. */
export const partName = (size: number, number: number, sha256: string): string => `${SNAPSHOT_PREFIX}${size}/${String(number).padStart(6, '0')}-${sha256}`;

export function classifyName(name: string): VaultName {
  if (name === CHECKPOINT) return { kind: 'checkpoint' };
  if (name === LOG_VKEYS) return { kind: 'keys' };
  const tile = parseTilePath(name);
  if (tile !== undefined) return { kind: 'tile', tile };
  const segment = /^segment\/(\d{20})\/([0-9a-f]{64})$/.exec(name);
  if (segment !== null && Number.isSafeInteger(Number(segment[1]))) return { kind: 'segment', from: Number(segment[1]), sha256: segment[2]! };
  const size = /^checkpoints\/(0|[1-9]\d{0,15})$/.exec(name)?.[1];
  if (size !== undefined && Number.isSafeInteger(Number(size))) return { kind: 'checkpoint-copy', size: Number(size) };
  const blob = /^blob\/([0-9a-f]{64})$/.exec(name)?.[1];
  if (blob !== undefined) return { kind: 'blob', sha256: blob };
  const snapshot = /^snapshot\/(0|[1-9]\d{0,15})\/(manifest|\d{6})-([0-9a-f]{64})$/.exec(name);
  if (snapshot !== null && Number.isSafeInteger(Number(snapshot[1]))) {
    const [size, part, sha256] = [Number(snapshot[1]), snapshot[2]!, snapshot[3]!];
    return part === 'manifest' ? { kind: 'snapshot-manifest', size, sha256 } : { kind: 'snapshot-part', size, number: Number(part), sha256 };
  }
  return { kind: /^(snapshot|report)\/./.test(name) ? 'document' : 'other' };
}

/** Whether an object of this name is write-once: locked, without a second version, never deleted. */
export function isWriteOnce(name: string): boolean {
  if (/^(segment|blob|snapshot|checkpoints|report)\//.test(name)) return true;
  return name.startsWith('tile/') && !/\.p\/[^/]*$/.test(name);
}
