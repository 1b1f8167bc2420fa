/**
 * Verifies a vault with nothing but the vault and the log's public key: re-derives every tile and root from the entries, and lists every
 * discrepancy. The vault may have been written by an adversary who knows everything but the signing key.
 *
 * Bytes that are read and wrong are findings, unparseable ones included; what cannot be read throws VaultReadError, for nothing is known then.
 */
import { toBase64 } from '../core/log/base64';
import type { Checkpoint } from '../core/log/checkpoint';
import { TILE_WIDTH } from '../core/log/bundle';
import { tilePath } from '../core/log/tile-path';
import type { VerifierKey } from '../core/log/vkey';
import { finding, type Finding } from '../core/verify/finding-codes';
import { openCheckpoint, trustKeys, type KeyTrust, type OpenedCheckpoint } from '../core/verify/key-trust';
import { CHECKPOINT, checkpointCopyName, classifyName, LOG_VKEYS, segmentName } from '../core/verify/vault-name';
import type { BundleRun, VaultReader } from '../ports/vault-reader';
import { checkAhead } from './verify-ahead';
import { CheckpointCheck, type CheckpointsState, type MemoryVerdict, type RememberedCheckpoint } from './verify-checkpoints';
import { checkLocks, type LockPolicy, type LockSummary } from './verify-locks';
import { sweepNames, type VaultNames } from './verify-names';
import { NamedObjects, type NamedObjectsState, type SnapshotCounts } from './verify-objects';
import { SegmentReader, type SegmentsState } from './verify-segments';
import { TreeCheck, type TreeState } from './verify-tree';

export interface VerifyOptions {
  /** `intact`: a vault of ours. `tlog-tiles`: any C2SP log; entries are opaque, nothing but checkpoint, tiles and bundles is looked at. */
  readonly profile: 'intact' | 'tlog-tiles';
  /** Keys the user pinned; empty: the vault's own word, which proves consistency, not authorship. A foreign log needs one. */
  readonly keys: readonly VerifierKey[];
  readonly remembered?: RememberedCheckpoint;
  readonly lockPolicy?: LockPolicy;
  /** Goes on where an earlier run of the same vault stopped. */
  readonly resume?: VerifyState;
  /** Called after every bundle; may throw to interrupt. `state` is made only when called: take it every so often. */
  readonly onProgress?: (progress: { readonly entries: number; readonly of: number; readonly findings: number; readonly state: () => VerifyState }) => void;
}

/** An interrupted verification, as plain JSON. Trusted like the verifier's own memory: do not take it from the vault. */
export interface VerifyState {
  readonly v: 1;
  /** The checkpoint being verified, base64; the log may have grown since. */
  readonly checkpoint: string;
  readonly tree: TreeState;
  readonly checkpoints: CheckpointsState;
  readonly objects: NamedObjectsState;
  readonly segments: SegmentsState | null;
  readonly orphans: readonly string[];
  readonly findings: readonly Finding[];
}

/** What `verify --json` prints. */
export interface VerifyReport {
  readonly ok: boolean;
  readonly source: string;
  readonly origin: string | null;
  readonly keySource: KeyTrust['source'];
  readonly size: number;
  /** base64, as the checkpoint states it; null without a readable one. */
  readonly root: string | null;
  /** Entries before the checkpoint. */
  readonly entries: number;
  /** Tiles of hashes read. */
  readonly tiles: number;
  /** Segments on the chain; null where they could not be looked for. */
  readonly segments: number | null;
  /** Names of segments, blobs and objects of snapshots that are no part of the log. */
  readonly orphans: readonly string[];
  /** null: a foreign log, which has none. */
  readonly snapshots: SnapshotCounts | null;
  /** null: this source knows no locks, none were checked. */
  readonly locks: LockSummary | null;
  /** null: nothing was remembered. */
  readonly memory: { readonly size: number; readonly root: string; readonly verdict: MemoryVerdict } | null;
  /** What this source does not allow to check. */
  readonly unchecked: readonly ('locks' | 'segments' | 'unexpected-objects')[];
  readonly findings: readonly Finding[];
}

export class VerifyUsageError extends Error {
  constructor(
    readonly code: 'key-required',
    message: string,
  ) {
    super(message);
    this.name = 'VerifyUsageError';
  }
}

/** Throws VaultReadError, VerifyUsageError, and what `onProgress` throws; nothing else on any content. */
export async function verifyVault(reader: VaultReader, options: VerifyOptions): Promise<VerifyReport> {
  const foreign = options.profile === 'tlog-tiles';
  if (foreign && options.keys.length === 0) throw new VerifyUsageError('key-required', 'a foreign log does not carry its key: give one with --vkey');
  const findings: Finding[] = [];
  const report = (found: Finding): void => void findings.push(found);

  // An earlier run has reported what is wrong with keys and checkpoint.
  const { trust, base, noteBytes } = await readCheckpoint(reader, options, options.resume === undefined ? report : () => undefined);
  const size = base.checkpoint?.size ?? 0;
  // Threads start while names are listed.
  const examined = reader.bundles?.({ from: options.resume?.tree.bundle ?? 0, to: Math.floor(size / TILE_WIDTH), judgeEntries: !foreign });
  try {
    return await verifyFrom(reader, options, { trust, base, noteBytes, examined }, findings);
  } finally {
    examined?.end();
  }
}

async function verifyFrom(reader: VaultReader, options: VerifyOptions, begun: Beginning & { readonly examined: BundleRun | undefined }, findings: Finding[]): Promise<VerifyReport> {
  const { trust, base } = begun;
  const size = base.checkpoint?.size ?? 0;
  const foreign = options.profile === 'tlog-tiles';
  const report = (found: Finding): void => void findings.push(found);
  const names = reader.list === undefined ? undefined : await sweepNames(reader.list.bind(reader), size, foreign);
  findings.push(...(options.resume?.findings ?? []));

  const work = await derive(reader, options, { ...begun, names }, findings);
  if (names !== undefined && !foreign) {
    await work.objects.reportUnnamed(names.documents);
    for (const name of names.strangers) report(finding('unexpected-object', name, 'no object of a vault has such a name'));
  }
  if (!foreign) await work.objects.reportLostParts(size === 0 ? [] : [bundleOf(size - 1, size), bundleOf(size - 1, Infinity)]);
  const orphans = foreign ? [] : [...work.orphans, ...(await work.objects.orphans(names?.snapshots ?? []))];
  const locks = foreign || reader.locks === undefined ? null : await checkLocks(reader.locks, options.lockPolicy, report);
  return {
    ok: findings.length === 0,
    source: reader.source,
    origin: base.checkpoint?.origin ?? null,
    keySource: trust.source,
    size,
    root: base.checkpoint === undefined ? null : toBase64(base.checkpoint.root),
    entries: size,
    tiles: work.tiles,
    segments: work.segments,
    orphans,
    snapshots: foreign ? null : work.objects.snapshots(),
    locks,
    memory: options.remembered === undefined ? null : { size: options.remembered.size, root: options.remembered.root, verdict: work.memory },
    unchecked: foreign ? [] : [...(reader.locks === undefined ? ['locks' as const] : []), ...(names === undefined ? ['segments' as const, 'unexpected-objects' as const] : [])],
    findings,
  };
}

interface Beginning {
  readonly trust: KeyTrust;
  /** The checkpoint everything is derived up to. */
  readonly base: OpenedCheckpoint;
  readonly noteBytes: Buffer;
}

/** How many locked copies are tried when `checkpoint` itself is useless. */
const MAX_FALLBACKS = 100;

/** The keys first vouch for the checkpoint; where `checkpoint` is missing or not to be trusted, its newest locked copy that is takes its place. */
async function readCheckpoint(reader: VaultReader, options: VerifyOptions, report: (finding: Finding) => void): Promise<Beginning> {
  // `checkpoint` before `log.vkeys`: a rotation adds the key before it signs with it.
  const resumed = options.resume === undefined ? undefined : Buffer.from(options.resume.checkpoint, 'base64');
  const bytes = resumed ?? (await reader.get(CHECKPOINT));
  const { trust, findings } = trustKeys(options.profile === 'tlog-tiles' ? 'none' : await reader.get(LOG_VKEYS), options.keys);
  findings.forEach(report);
  const opened: OpenedCheckpoint =
    bytes === 'absent' ? { trusted: false, findings: [finding('checkpoint-missing', CHECKPOINT, 'it is not there')] } : openCheckpoint(CHECKPOINT, bytes, trust, true);
  opened.findings.forEach(report);
  if (opened.trusted || resumed !== undefined) return { trust, base: opened, noteBytes: bytes as Buffer };
  const fallback = await newestTrustedCopy(reader, trust);
  if (fallback !== undefined) return { trust, ...fallback };
  const plausible = opened.checkpoint !== undefined && (await bundlesReach(reader, opened.checkpoint.size));
  // Without any checkpoint everything counts as not yet published, and is still held against the segments.
  return { trust, base: plausible ? opened : { trusted: false, findings: [] }, noteBytes: bytes === 'absent' ? Buffer.alloc(0) : bytes };
}

async function newestTrustedCopy(reader: VaultReader, trust: KeyTrust): Promise<Omit<Beginning, 'trust'> | undefined> {
  const sizes: number[] = [];
  for await (const name of reader.list?.('checkpoints/') ?? []) {
    const known = classifyName(name);
    if (known.kind === 'checkpoint-copy') sizes.push(known.size);
  }
  for (const size of sizes.sort((a, b) => b - a).slice(0, MAX_FALLBACKS)) {
    const bytes = await reader.get(checkpointCopyName(size));
    const opened = bytes === 'absent' ? undefined : openCheckpoint(checkpointCopyName(size), bytes, trust, true);
    if (bytes !== 'absent' && opened?.trusted === true && opened.checkpoint?.size === size) return { base: opened, noteBytes: bytes };
  }
  return undefined;
}

/** Whether a log of `size` could be here: an untrusted size is a number its author chose, and must not set us counting to it. */
async function bundlesReach(reader: VaultReader, size: number): Promise<boolean> {
  if (size === 0) return true;
  const index = Math.floor((size - 1) / TILE_WIDTH);
  for (const width of [size - index * TILE_WIDTH, TILE_WIDTH]) {
    if ((await reader.get(tilePath({ level: 'entries', index, width }))) !== 'absent') return true;
  }
  return false;
}

interface Derived {
  readonly tiles: number;
  readonly segments: number | null;
  readonly orphans: readonly string[];
  readonly memory: MemoryVerdict;
  readonly objects: NamedObjects;
}

/** Streams the entries once, and holds tiles, segments, checkpoints and named objects against them. */
async function derive(reader: VaultReader, options: VerifyOptions, begun: Beginning & { readonly names: VaultNames | undefined; readonly examined: BundleRun | undefined }, findings: Finding[]): Promise<Derived> {
  const { trust, base, names, noteBytes, examined } = begun;
  const { resume } = options;
  const foreign = options.profile === 'tlog-tiles';
  const report = (found: Finding): void => void findings.push(found);
  const checkpoint: Checkpoint = base.checkpoint ?? { origin: '', size: 0, root: Buffer.alloc(0), extensions: [] };
  const { size } = checkpoint;

  const listed = reader.list === undefined || foreign ? undefined : { get: (name: string) => reader.get(name), list: reader.list.bind(reader) };
  const segments = listed === undefined ? undefined : new SegmentReader(listed, report, resume?.segments ?? undefined);
  const objects = new NamedObjects(reader, report, resume?.objects);
  const copies = await copySizes(reader, names, base.checkpoint?.size, foreign, resume === undefined ? report : () => undefined);
  const current = { checkpoint, ...(base.key === undefined ? {} : { key: base.key }) };
  const checkpoints = new CheckpointCheck(reader, trust, copies, current, options.remembered, report, resume?.checkpoints);
  const rootsAt = checkpoints.sizes();
  const orphans = [...(resume?.orphans ?? [])];
  const takeChainNews = (): void => {
    orphans.push(...(segments?.chain.takeOrphans() ?? []));
    for (const gap of segments?.chain.takeGaps() ?? []) {
      if (!gap.damaged) report(finding('segment-missing', segmentName(gap.from, ''), `no segment holds entries ${gap.from} to ${gap.to - 1}`, gap.from));
    }
  };

  const onRoot = (at: number, root: Buffer | undefined): Promise<void> => checkpoints.rootAt(at, root);
  const onEntry = (index: number, entry: Buffer): Promise<void> | void => objects.check(index, entry, bundleOf(index, size));
  const tree: TreeCheck = new TreeCheck(
    {
      reader,
      examined,
      size,
      signedRoot: base.trusted ? checkpoint.root : undefined,
      partials: names?.partials ?? new Map(),
      bundlesEnd: names?.bundlesEnd,
      segments,
      rootsAt: rootsAt.filter((at) => at <= size),
      report,
      onRoot,
      onEntry: foreign ? undefined : onEntry,
      onBundle: (entries) => {
        takeChainNews();
        options.onProgress?.({ entries, of: size, findings: findings.length, state: stateNow });
      },
    },
    resume?.tree,
  );
  const stateNow = (): VerifyState => ({
    v: 1,
    checkpoint: toBase64(noteBytes),
    tree: tree.state(),
    checkpoints: checkpoints.state(),
    objects: objects.state(),
    segments: segments?.state() ?? null,
    orphans: [...orphans],
    findings: [...findings],
  });

  const { root, edge } = await tree.run();
  if (segments !== undefined && listed !== undefined && names !== undefined) {
    const beyond = rootsAt.filter((at) => at > size);
    const [onSealed, onAhead] = [objects.excuse.bind(objects), objects.checkUnsigned.bind(objects)];
    await checkAhead({ reader: listed, segments, edge, size, objects: names.ahead, rootsAt: beyond, report, onRoot, onSealed, onEntry: onAhead });
  }
  takeChainNews();
  const memory = await checkpoints.finish(base.checkpoint === undefined ? undefined : root);
  await objects.settle();
  return { tiles: tree.tileCount, segments: segments === undefined ? null : segments.chain.length, orphans, memory, objects };
}

const bundleOf = (index: number, size: number): string => {
  const bundle = Math.floor(index / TILE_WIDTH);
  return tilePath({ level: 'entries', index: bundle, width: Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH) });
};

/** Sizes under checkpoints/; where they cannot be listed, the current one is asked for. `current`: undefined where no checkpoint says. */
async function copySizes(reader: VaultReader, names: VaultNames | undefined, current: number | undefined, foreign: boolean, report: (finding: Finding) => void): Promise<ReadonlySet<number>> {
  if (foreign) return new Set();
  const asked = async (): Promise<readonly number[]> => (current === undefined || (await reader.get(checkpointCopyName(current))) === 'absent' ? [] : [current]);
  const copies = new Set(names?.copies ?? (await asked()));
  // The empty log's too: it is signed, and put under lock, before the first entry.
  if (current !== undefined && !copies.has(current)) report(finding('checkpoint-copy-missing', checkpointCopyName(current), 'the current checkpoint has no locked copy'));
  return copies;
}
