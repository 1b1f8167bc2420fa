/**
 * Copies a vault's log as it is at its checkpoint into a directory that tlog tools read. A copier, not a judge: bytes are taken as they are, verification
 * comes after. Interrupted at any moment it leaves a directory whose checkpoint (written last) still speaks of files that are all there, and
 * the next run goes on from it.
 */
import { parseOwnCheckpoint } from '../core/log/checkpoint';
import { LogFormatError } from '../core/log/log-format-error';
import { sha256Hex } from '../core/log/sha256';
import { classifyName } from '../core/verify/vault-name';
import { TILE_WIDTH } from '../core/log/bundle';
import { tilePath, type TileName } from '../core/log/tile-path';
import type { VaultReader } from '../ports/vault-reader';
import { inParallel } from './in-parallel';

/** Where the copy goes. Names are vault names; both methods throw when the file system refuses. */
export interface PullTarget {
  /** The bytes there now, or 'absent'. */
  read(name: string): Promise<Buffer | 'absent'>;
  /** Whole or not at all: a reader never sees half a file. */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

export interface PullProgress {
  readonly done: number;
  readonly found: number;
  readonly bytes: number;
}

export interface Pulled {
  readonly origin: string;
  readonly size: number;
  /** Base64 as in checkpoints. */
  readonly root: string;
  /** Files written now, and those that were there already with the right bytes. */
  readonly written: number;
  readonly kept: number;
  readonly bytes: number;
  /** Names in the vault that are none of a vault's: not copied, since they could lead anywhere on this disk. */
  readonly unexpected: readonly string[];
}

/** `no-checkpoint`: nothing has been published. `unreadable`: the checkpoint is none. `other-log`: the directory holds another log. `rolled-back`: it holds more of this one. `cannot-list`: plain https. */
export type PullRefusal = { readonly refused: 'no-checkpoint' | 'cannot-list' } | { readonly refused: 'unreadable' | 'other-log' | 'rolled-back'; readonly detail: string };

/** Requests in flight: enough to hide S3's latency, few enough for a small machine's memory. */
const parallel = 16;

/** Throws `VaultReadError` when the vault could not be read, and what `target` throws. */
export async function pullVault(vault: VaultReader, target: PullTarget, onProgress: (progress: PullProgress) => void = () => undefined): Promise<Pulled | PullRefusal> {
  const { list } = vault;
  if (list === undefined) return { refused: 'cannot-list' };
  // The checkpoint before the listing: everything it speaks of is then there to be listed, however fast the log grows meanwhile.
  const checkpointBytes = await vault.get('checkpoint');
  if (checkpointBytes === 'absent') return { refused: 'no-checkpoint' };
  // The keys after it: a rotation lists the new key before it signs.
  const keys = await vault.get('log.vkeys');
  const there = await target.read('checkpoint');
  const read = readBoth(checkpointBytes, there);
  if ('refused' in read) return read;
  const { origin, size, root } = read;

  // Before anything else, so that an interrupted first pull is recognised as one.
  if (keys !== 'absent') await target.write('log.vkeys', keys);
  const names = new Set<string>();
  const unexpected = new Set<string>();
  const counts = { written: 0, kept: 0, bytes: 0, standIns: 0 };
  const take = async (listed: readonly string[]): Promise<void> => {
    const fresh = listed.filter((name) => !names.has(name));
    fresh.forEach((name) => names.add(name));
    await inParallel(fresh, parallel, async (name) => {
      await copy(vault, target, name, counts);
      onProgress({ done: counts.written + counts.kept, found: names.size, bytes: counts.bytes });
    });
  };
  await take(withStandIns(await listed(list, size, unexpected), size, counts));
  // A full tile in a partial one's place also holds what came after the checkpoint; its segments and blobs were put before it, so they are listed by now.
  if (counts.standIns > 0) await take((await listed(list, size, unexpected)).filter((name) => classifyName(name).kind !== 'tile'));
  await target.write('checkpoint', checkpointBytes);
  const { written, kept, bytes } = counts;
  return { origin, size, root: root.toString('base64'), written, kept, bytes, unexpected: [...unexpected] };
}

function readBoth(bytes: Buffer, there: Buffer | 'absent'): { readonly origin: string; readonly size: number; readonly root: Buffer } | PullRefusal {
  let checkpoint;
  try {
    ({ checkpoint } = parseOwnCheckpoint(bytes));
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    return { refused: 'unreadable', detail: error.message };
  }
  if (there === 'absent') return checkpoint;
  try {
    const { origin, size } = parseOwnCheckpoint(there).checkpoint;
    if (origin !== checkpoint.origin) return { refused: 'other-log', detail: `it holds ${origin}, the vault ${checkpoint.origin}` };
    // The copy is then the evidence that something was cut off.
    if (size > checkpoint.size) return { refused: 'rolled-back', detail: `${size} entries were pulled before, the vault states ${checkpoint.size} now` };
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    return { refused: 'other-log', detail: `its checkpoint cannot be read: ${error.message}` };
  }
  return checkpoint;
}

/** A name may be anything an adversary with write access chose: only what cannot lead out of the directory is one of a vault's. */
export function isOurs(name: string): boolean {
  if (classifyName(name).kind === 'other') return false;
  return name.length <= 512 && name.split('/').every((part) => /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(part));
}

/** Whether an object belongs to the log at `size`: tiles and checkpoints of what came later are left out, so the copy is one moment of the log. */
function isWithin(name: string, size: number): boolean {
  const classified = classifyName(name);
  if (classified.kind === 'checkpoint-copy') return classified.size <= size;
  // Segments beyond it are kept: they are evidence, and what `recover-head` extends a checkpoint with.
  if (classified.kind !== 'tile') return true;
  return availableIn(classified.tile, size) >= classified.tile.width;
}

/** How many hashes (or entries) of a log of `size` lie in this tile or behind it. */
const availableIn = ({ level, index }: TileName, size: number): number => Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level)) - index * TILE_WIDTH;

interface Counts {
  written: number;
  kept: number;
  bytes: number;
  /** Full tiles taken in the place of partial ones. */
  standIns: number;
}

async function listed(list: NonNullable<VaultReader['list']>, size: number, unexpected: Set<string>): Promise<string[]> {
  const names: string[] = [];
  for await (const name of list('')) {
    if (name === 'checkpoint' || name === 'log.vkeys') continue;
    if (!isOurs(name)) unexpected.add(name);
    else names.push(name);
  }
  return [...names.filter((name) => isWithin(name, size)), ...names.filter((name) => isEdgeTile(name, size))];
}

/** The full form of a tile that is partial at `size`. */
function isEdgeTile(name: string, size: number): boolean {
  const classified = classifyName(name);
  if (classified.kind !== 'tile' || classified.tile.width < TILE_WIDTH) return false;
  const available = availableIn(classified.tile, size);
  return available > 0 && available < TILE_WIDTH;
}

/** Full tiles stand in for the partial ones the publisher removed since the checkpoint was read; where the partial one is still there, it is the one. */
function withStandIns(names: readonly string[], size: number, counts: Counts): string[] {
  const there = new Set(names);
  return names.filter((name) => {
    const classified = classifyName(name);
    if (classified.kind !== 'tile' || !isEdgeTile(name, size)) return true;
    const isNeeded = !there.has(tilePath({ ...classified.tile, width: availableIn(classified.tile, size) }));
    if (isNeeded) counts.standIns++;
    return isNeeded;
  });
}

async function copy(vault: VaultReader, target: PullTarget, name: string, counts: Counts): Promise<void> {
  const hash = hashInName(name);
  if (hash !== undefined) {
    const there = await target.read(name);
    if (there !== 'absent' && sha256Hex(there) === hash) {
      counts.kept++;
      return;
    }
  }
  const bytes = await vault.get(name);
  if (bytes === 'absent') {
    // Only partial tiles ever go, once the full tile is there; that one was written after our listing, so it is fetched in the partial's place.
    const classified = classifyName(name);
    if (classified.kind !== 'tile' || classified.tile.width === TILE_WIDTH) return;
    const full = name.slice(0, name.lastIndexOf('.p/'));
    const whole = await vault.get(full);
    if (whole === 'absent') return;
    counts.standIns++;
    await put(full, whole);
    return;
  }
  await put(name, bytes);

  async function put(as: string, what: Buffer): Promise<void> {
    await target.write(as, what);
    counts.written++;
    counts.bytes += what.length;
  }
}

/** Segments and blobs are named by their hash: a copy already there proves itself. */
function hashInName(name: string): string | undefined {
  const classified = classifyName(name);
  return classified.kind === 'segment' || classified.kind === 'blob' ? classified.sha256 : undefined;
}
