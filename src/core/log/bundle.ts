/**
 * Entry bundles (C2SP tlog-tiles) and segments: entries one after another, each as its length (uint16, big endian) and its bytes. A segment
 * is the same encoding with up to `LONGEST_SEGMENT` entries; segments joined together are a valid run of entries.
 */
import { LogFormatError, unlessMalformed } from './log-format-error';
import { HASH_SIZE } from './sha256';
import { leafHashesInto } from './sha256-lanes';

/** Bytes of the longest entry the length prefix can state. */
export const MAX_ENTRY_SIZE = 65_535;

/** Entries in a full bundle, hashes in a full tile. */
export const TILE_WIDTH = 256;

const LENGTH_SIZE = 2;

/** The entries, each behind its length. Throws `entry-too-long`. */
export function encodeEntries(entries: readonly Uint8Array[]): Buffer {
  let size = 0;
  for (const [i, entry] of entries.entries()) {
    if (entry.length > MAX_ENTRY_SIZE) {
      throw new LogFormatError('entry-too-long', `entry ${i} has ${entry.length} bytes; an entry holds at most ${MAX_ENTRY_SIZE}`);
    }
    size += LENGTH_SIZE + entry.length;
  }
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const entry of entries) {
    at = out.writeUInt16BE(entry.length, at);
    out.set(entry, at);
    at += entry.length;
  }
  return out;
}

/** More entries than any sealing round ever had. */
export const LONGEST_SEGMENT = 65_536;

/**
 * Where the entries of `bytes` begin: entry i lies in [starts[i] + 2, starts[i + 1]), the last start being the end of `bytes`.
 * Throws `bundle-truncated` where a length reaches past the end, and `bundle-too-many` beyond `most`: whoever may put an object can put one of half a gigabyte of empty entries, and
 * their starts and hashes would take ten.
 */
export function entryStarts(bytes: Uint8Array, most = LONGEST_SEGMENT): number[] {
  const starts: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (starts.length === most) throw new LogFormatError('bundle-too-many', `more than ${most} entries`);
    starts.push(at);
    const next = at + LENGTH_SIZE + ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
    if (at + LENGTH_SIZE > bytes.length || next > bytes.length) {
      throw new LogFormatError('bundle-truncated', `entry ${starts.length - 1} at byte ${at} reaches past the end (${bytes.length} bytes)`);
    }
    at = next;
  }
  starts.push(at);
  return starts;
}

/** The same; undefined where these bytes are no bundle and no segment. */
export const startsOf = (bytes: Uint8Array): number[] | undefined => unlessMalformed(() => entryStarts(bytes));

/** Entry `i` of `bytes`, sharing its memory. */
export const entryAt = (bytes: Buffer, starts: readonly number[], i: number): Buffer => bytes.subarray(starts[i]! + LENGTH_SIZE, starts[i + 1]!);

/** The entries of a bundle or segment, sharing its memory. Throws as `entryStarts`. */
export const decodeEntries = (bytes: Buffer): Buffer[] => entriesAt(bytes, entryStarts(bytes));

/** Those of `bytes` that `starts` names, sharing its memory. */
export const entriesAt = (bytes: Buffer, starts: readonly number[]): Buffer[] => starts.slice(1).map((_, i) => entryAt(bytes, starts, i));

/** Leaf hashes of entries [first, last) of `bytes`, 32 bytes each. */
export function entryLeafHashes(bytes: Uint8Array, starts: readonly number[], first = 0, last = starts.length - 1): Buffer {
  const hashes = Buffer.allocUnsafe((last - first) * HASH_SIZE);
  leafHashesInto(hashes, 0, asBuffer(bytes), starts, first, last);
  return hashes;
}

const tileSpace = Buffer.allocUnsafeSlow(TILE_WIDTH * HASH_SIZE);

/** Whether the entries of a full bundle have exactly the leaf hashes in `tile`. */
export function agreesWithTile(bundle: Buffer, starts: readonly number[], tile: Buffer): boolean {
  if (starts.length !== TILE_WIDTH + 1) return false;
  leafHashesInto(tileSpace, 0, bundle, starts, 0, TILE_WIDTH);
  return tileSpace.equals(tile);
}

const asBuffer = (bytes: Uint8Array): Buffer => (bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
