/**
 * Which snapshots a vault holds, which of them can be trusted, and their rows. A snapshot is trusted because the log says so: behind the entries it stands for, and under the signed root, lies the
 * record of it, which nobody without the MAC key can make. Its manifest, its parts and the tree it grew from are held against that; whatever does not fit is refused with a code, and
 * whoever can do without it reads the whole log, which holds everything a snapshot does.
 */
import { entryIn, type Entry } from '../core/entry';
import type { Checkpoint } from '../core/log/checkpoint';
import { checkMac } from '../core/record-mac';
import { edgeOf, parseManifest, parsePart, SNAPSHOT_PREFIX, SnapshotError, type SealedEntry, type SnapshotManifest } from '../core/snapshot';
import { manifestNamedBy } from '../core/snapshot-record';
import { classifyName } from '../core/verify/vault-name';
import { isInItsPlace, type FoldDeps } from './fold-log';
import { inParallel } from './in-parallel';
import { openSealed } from './open-sealed';
import { publishedEntries, ReplayError, type PublishedLog } from './published-entries';
import { VaultReadError } from '../ports/vault-reader';

/** A number: the one of this size. `newest`: the newest that can be used, or none where there is none, or where the newest is damaged. */
export type SnapshotChoice = 'newest' | 'none' | number;

/** A snapshot that the log vouches for. Its parts are checked when they are read. */
export interface TrustedSnapshot {
  /** Of its manifest. */
  readonly name: string;
  readonly manifest: SnapshotManifest;
}

export interface ChosenSnapshot {
  readonly snapshot?: TrustedSnapshot;
  /** Why there is none, though there is one in the vault. */
  readonly error?: SnapshotError;
}

export interface SnapshotPoint {
  /** Not of more entries than these, nor of later changes. */
  readonly size?: number | undefined;
  readonly at?: string | undefined;
}

interface Candidate {
  readonly name: string;
  readonly size: number;
}

export type ListedSnapshot = Candidate & ({ readonly manifest: SnapshotManifest } | { readonly error: SnapshotError });

export interface SnapshotReader extends FoldDeps {
  readonly vault: PublishedLog;
}

/** Manifests that the log does not vouch for: runs that died leave some, and to see it takes a reading of the log behind each. Damaged ones count too. */
const MAX_PASSED = 10;
const PARTS_AT_ONCE = 4;

/** Every manifest there is, the largest first, whether or not the log vouches for it; parts are not looked at. Throws `VaultReadError`, `PortError`, `SnapshotError` (`absent`) where the vault cannot be listed. */
export async function listSnapshots(vault: PublishedLog): Promise<readonly ListedSnapshot[]> {
  const candidates = await candidatesIn(vault);
  if (candidates === 'not-listed') throw new SnapshotError('absent', SNAPSHOT_PREFIX, 'this source cannot be listed, so nothing says which snapshots there are');
  return inParallel(candidates, PARTS_AT_ONCE, async (candidate): Promise<ListedSnapshot> => {
    try {
      return { ...candidate, manifest: await manifestOf(vault, candidate.name) };
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      return { ...candidate, error };
    }
  });
}

/**
 * The snapshot to begin from, of the log of `checkpoint`. Throws what reading throws; `SnapshotError` where one was asked for by its size and cannot be used.
 */
export async function chooseSnapshot(deps: SnapshotReader, checkpoint: Checkpoint, choice: SnapshotChoice, point: SnapshotPoint): Promise<ChosenSnapshot> {
  if (choice === 'none') return {};
  const most = Math.min(point.size ?? checkpoint.size, checkpoint.size);
  const all = await candidatesIn(deps.vault);
  const candidates = all === 'not-listed' ? [] : all.filter(({ size }) => (choice === 'newest' ? size <= most : size === choice));
  let found: SnapshotError | undefined;
  let damaged: { readonly error: SnapshotError; readonly size: number } | undefined;
  let passed = 0;
  for (const { name, size } of candidates) {
    if (damaged !== undefined && size < damaged.size) break;
    try {
      return { snapshot: await trustedSnapshot(deps, checkpoint, name, { size: most, at: point.at }) };
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      // Left by a run that died, or of later than was asked for: an earlier one may do. What is damaged is said, and nothing earlier is taken in its place; what lies beside it is: a damaged one is soon put there.
      found ??= error;
      if (error.code === 'too-new') continue;
      if (error.code !== 'unsealed') damaged ??= { error, size };
      // That many are no accident: an earlier one may be good, and who restores should know why it was not looked for.
      if (++passed === MAX_PASSED) return refused(choice, damaged?.error ?? found);
    }
  }
  if (damaged !== undefined) return refused(choice, damaged.error);
  if (choice !== 'newest') throw found ?? new SnapshotError('absent', `${SNAPSHOT_PREFIX}${choice}/`, all === 'not-listed' ? 'this source cannot be listed, so no snapshot of it is found' : 'there is no snapshot of this size');
  return {};
}

function refused(choice: SnapshotChoice, error: SnapshotError): ChosenSnapshot {
  if (choice !== 'newest') throw error;
  return { error };
}

/** Rows of `snapshot` in order of their index. Throws `SnapshotError`, and what reading throws. */
export async function* snapshotRows(vault: Pick<PublishedLog, 'get'>, { name, manifest }: TrustedSnapshot): AsyncGenerator<readonly SealedEntry[]> {
  const parts = [...manifest.parts].sort((a, b) => a.first - b.first);
  let held: SealedEntry[] = [];
  let reached = -1;
  for (let at = 0; at < parts.length; at += PARTS_AT_ONCE) {
    const some = parts.slice(at, at + PARTS_AT_ONCE);
    const opened = await inParallel(some, PARTS_AT_ONCE, async (part) => parsePart(part, await bytesOf(vault, part.name, 'it is a part of the snapshot, and is not there')));
    // The parts of several shares overlap: what lies before the next one is complete.
    const next = parts[at + PARTS_AT_ONCE]?.first ?? Infinity;
    const all = [...held, ...opened.flat()].sort((a, b) => a.index - b.index);
    held = all.filter(({ index }) => index >= next);
    const ready = all.slice(0, all.length - held.length);
    for (const { index } of ready) {
      if (index === reached) throw new SnapshotError('mixed-up', name, `two of its parts hold entry ${index}`);
      reached = index;
    }
    yield ready;
  }
}

async function candidatesIn(vault: PublishedLog): Promise<readonly Candidate[] | 'not-listed'> {
  if (vault.list === undefined) return 'not-listed';
  const found: Candidate[] = [];
  for await (const name of vault.list(SNAPSHOT_PREFIX)) {
    const known = classifyName(name);
    if (known.kind === 'snapshot-manifest') found.push({ name, size: known.size });
  }
  return found.sort((a, b) => b.size - a.size);
}

/** The snapshot of this manifest, if it can be trusted. Throws `SnapshotError`, and what reading throws. */
async function trustedSnapshot(deps: SnapshotReader, checkpoint: Checkpoint, name: string, { size, at }: Required<SnapshotPoint>): Promise<TrustedSnapshot> {
  const manifest = await manifestOf(deps.vault, name);
  if (manifest.origin !== checkpoint.origin) throw new SnapshotError('foreign', name, `it is of the log ${manifest.origin}, not of ${checkpoint.origin}`);
  if (manifest.size > (size ?? checkpoint.size)) throw new SnapshotError('too-new', name, `it stands for ${manifest.size} entries, and no more than ${size} are asked for`);
  if (at !== undefined && manifest.newestAt > at) throw new SnapshotError('too-new', name, `it stands for changes until ${manifest.newestAt}, and those until ${at} are asked for`);
  await checkVouched(deps, checkpoint, name, manifest);
  return { name, manifest };
}

async function manifestOf(vault: Pick<PublishedLog, 'get'>, name: string): Promise<SnapshotManifest> {
  return parseManifest(name, await bytesOf(vault, name, 'it is not there any more'));
}

async function bytesOf(vault: Pick<PublishedLog, 'get'>, name: string, ifAbsent: string): Promise<Buffer> {
  const bytes = await vault.get(name).catch((cause: unknown) => {
    // Larger than anything of ours: read, and wrong. Else whoever may put one object would stop every restore.
    if (cause instanceof VaultReadError && cause.code === 'too-large') throw new SnapshotError('foreign', name, `no object of a snapshot is so large (${cause.message})`, { cause });
    throw cause;
  });
  if (bytes === 'absent') throw new SnapshotError('absent', name, ifAbsent);
  return bytes;
}

/** Whether its tree grew into the log's, and an entry since then vouches for it: read to the end, for only then is the root known to be the signed one. */
async function checkVouched(deps: SnapshotReader, checkpoint: Checkpoint, name: string, manifest: SnapshotManifest): Promise<void> {
  let isVouched = false;
  try {
    for await (const { entries } of publishedEntries(deps.vault, checkpoint, edgeOf(manifest))) {
      if (isVouched) continue;
      for (const bytes of entries) {
        const entry = entryIn(bytes);
        if (entry !== undefined && entry.objects?.some((object) => object.name === name) === true) isVouched ||= await vouches(deps, entry, name);
      }
    }
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    throw new SnapshotError('mixed-up', name, `its tree and the entries behind it do not lead to the signed root (${error.message})`, { cause: error });
  }
  if (!isVouched) throw new SnapshotError('unsealed', name, 'no entry of the published log vouches for it');
}

/** Whether `entry` is this system's own record of the snapshot. The name alone could be written by whoever can write the table. */
async function vouches(deps: SnapshotReader, entry: Entry, name: string): Promise<boolean> {
  const opened = await openSealed(deps, entry);
  return opened.state === 'image' && !opened.raw && isInItsPlace(opened, entry) && checkMac(deps.macKeys, opened.image) === 'valid' && manifestNamedBy(opened.image)?.name === name;
}
