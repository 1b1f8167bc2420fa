/**
 * Takes a snapshot: a full backup that is a compaction of the published log. Its rows are the entries from which everything that counts can be replayed, now or when a key comes back that is
 * missing today; nothing is encrypted a second time. The parts are put first, then the manifest, then the record that makes the log vouch for it: died anywhere before, what is there is an
 * orphan that nobody trusts, and the next run begins anew. Shares are for a log that is too much for one run; each of them reads all of it and opens its part.
 */
import type { Checkpoint } from '../core/log/checkpoint';
import { toBase64 } from '../core/log/base64';
import type { RightEdge } from '../core/log/merkle';
import { checkMac, withMac } from '../core/record-mac';
import { isOfShare, WHOLE, type Share } from '../core/shares';
import { formatManifest, formatPart, formatRow, MAX_PART_BYTES, MAX_PARTS, SnapshotError, type SnapshotManifest, type SnapshotPart } from '../core/snapshot';
import { manifestNamedBy, snapshotImage } from '../core/snapshot-record';
import type { Meter, RecordStore, Vault } from '../ports';
import { foldLog, type FoldSink, type LogReading, type NoState } from './fold-log';
import { publishedEntries, ReplayError, type PublishedLog } from './published-entries';
import { settledLog, type SettledLogDeps } from './settled-log';

export interface SnapshotDeps extends SettledLogDeps {
  readonly vault: PublishedLog & Pick<Vault, 'createLocked'>;
  readonly records: Pick<RecordStore, 'create'>;
  readonly meter: Meter;
  /** For how long `createLocked` locks the objects of a snapshot; the manifest says until when that is. */
  readonly retentionDays?: number | undefined;
}

export interface SnapshotProgress {
  readonly step: 'counting' | 'opening' | 'writing';
  /** Entries. */
  readonly done: number;
  readonly total: number;
}

/** What one share came to; plain JSON, to be handed on. */
export interface SnapshotParts extends Pick<SnapshotManifest, 'origin' | 'size' | 'root' | 'edge' | 'newestAt' | 'records' | 'rows' | 'closed' | 'parts'> {
  readonly share: Share;
}

export interface SnapshotReport {
  /** Name of its manifest. */
  readonly snapshot: string;
  /** When it was begun, ISO 8601 UTC; names its record. */
  readonly at: string;
  /** Entries it stands for. */
  readonly size: number;
  readonly records: number;
  readonly rows: number;
  /** Rows that could not be opened. */
  readonly closed: number;
  readonly parts: number;
  /** Of the parts, compressed. */
  readonly bytes: number;
  readonly seconds: number;
}

const DAY_MS = 86_400_000;

/** The whole log in one go. Throws `SnapshotError`, `ReplayError`, `PortError`, `VaultReadError`, `LogStopped`; then there is no new snapshot. */
export async function takeSnapshot(deps: SnapshotDeps, { by, onProgress }: { readonly by?: string; readonly onProgress?: (progress: SnapshotProgress) => void } = {}): Promise<SnapshotReport> {
  const at = deps.now().toISOString();
  const checkpoint = await settledLog(deps).settled();
  const parts = await takeParts(deps, { checkpoint, ...(onProgress && { onProgress }) });
  return sealSnapshot(deps, checkpoint, [parts], { at, ...(by !== undefined && { by }) });
}

/** Puts the parts of one share of the snapshot of `checkpoint`. Died: they are orphans; the same again finds those it made. Throws as `takeSnapshot`. */
export async function takeParts(
  deps: SnapshotDeps,
  { checkpoint, share = WHOLE, onProgress = () => undefined }: { readonly checkpoint: Checkpoint; readonly share?: Share; readonly onProgress?: (progress: SnapshotProgress) => void },
): Promise<SnapshotParts> {
  const { origin, size, root } = checkpoint;
  if (size === 0) throw new SnapshotError('empty-log', origin, 'nothing was sealed in this log yet');
  const log = settledLog(deps);
  const kept = new Kept(size);
  const tell = (step: SnapshotProgress['step'], done: number): void => onProgress({ step, done, total: size });
  // The keys after the checkpoint: what the log was written with was there before it.
  const work = { vault: deps.vault, subjectKeys: log.subjectKeys, macKeys: await log.macKeys() };
  const { newestAt } = await foldLog(work, entriesOf(deps.vault, checkpoint), kept, {
    isOfShare: (id) => isOfShare(id, share),
    onProgress: (pass, reached) => tell(pass === 1 ? 'counting' : 'opening', reached),
  });
  const written = await writeParts(deps.vault, checkpoint, share, kept, (done) => tell('writing', done));
  const { records, closed } = kept;
  return { share, origin, size, root: toBase64(root), newestAt: newestAt ?? new Date(0).toISOString(), records, closed, ...written };
}

/**
 * Makes the snapshot whole: puts its manifest, and the record that makes the log vouch for it. `parts`: of every share, in any order. Done twice with the same `at` it is done once. Throws as
 * `takeSnapshot`.
 */
export async function sealSnapshot(deps: SnapshotDeps, checkpoint: Checkpoint, parts: readonly SnapshotParts[], { at, by }: { readonly at: string; readonly by?: string }): Promise<SnapshotReport> {
  const { origin, size, root } = checkpoint;
  const [first] = parts;
  const where = `snapshot/${size}/`;
  if (first === undefined || !isEveryShare(parts)) throw new SnapshotError('mixed-up', where, 'these are not the parts of all shares, each once');
  const isOfOne = parts.every((each) => each.origin === origin && each.size === size && each.root === toBase64(root) && each.edge.join() === first.edge.join() && each.newestAt === first.newestAt);
  if (!isOfOne) throw new SnapshotError('mixed-up', where, 'these parts are not all of this checkpoint');
  const sum = (count: (each: SnapshotParts) => number): number => parts.reduce((total, each) => total + count(each), 0);
  const counts = { records: sum(({ records }) => records), rows: sum(({ rows }) => rows), closed: sum(({ closed }) => closed) };
  const all = parts.flatMap((each) => each.parts).sort((a, b) => (a.name < b.name ? -1 : 1));
  const keptUntil = deps.retentionDays === undefined ? undefined : new Date(Date.parse(at) + deps.retentionDays * DAY_MS).toISOString();
  const { edge, newestAt } = first;
  const manifest = formatManifest({ origin, size, root: first.root, edge, newestAt, at, ...(keptUntil !== undefined && { keptUntil }), ...counts, parts: all });
  await deps.vault.createLocked(manifest.name, manifest.bytes);
  // Died here: a manifest that no entry names, which nobody trusts.
  const seconds = (deps.now().getTime() - Date.parse(at)) / 1000;
  await record(deps, manifest, { at, ok: true, findings: 0, records: counts.records, seconds, size, ...(by !== undefined && { by }) });
  deps.meter.count('SnapshotCompleted');
  return { snapshot: manifest.name, at, size, ...counts, parts: all.length, bytes: all.reduce((total, { bytes }) => total + bytes, 0), seconds };
}

function isEveryShare(parts: readonly SnapshotParts[]): boolean {
  const of = parts.length;
  return parts.every(({ share }) => share.of === of) && new Set(parts.map(({ share }) => share.number)).size === of;
}

async function record(deps: SnapshotDeps, manifest: { readonly name: string; readonly sha256: string }, result: Parameters<typeof snapshotImage>[0]): Promise<void> {
  const log = settledLog(deps);
  const macKeys = await log.macKeys();
  const outcome = await deps.records.create(withMac(macKeys[0], snapshotImage(result, manifest, (await log.identity()).systemSubject)));
  if (outcome === 'created') return;
  // An earlier attempt at this very one made it. Anything else under its name would leave the manifest without a record.
  if (checkMac(macKeys, outcome.exists) === 'valid' && manifestNamedBy(outcome.exists)?.name === manifest.name) return;
  throw new SnapshotError('mixed-up', manifest.name, `another snapshot has the record of ${result.at}`);
}

/** Each time the entries of the whole tree; its root is checked each time. */
const entriesOf =
  (vault: PublishedLog, checkpoint: Checkpoint): LogReading =>
  async function* () {
    for await (const { from, entries } of publishedEntries(vault, checkpoint)) yield entries.map((bytes, i) => ({ index: from + i, bytes }));
  };

/** What could not be read, or not be told from what somebody made up, may be later: with a key that is found again, or by a newer version of this program. All else that gave no state never will. */
const MAY_COUNT_LATER: ReadonlySet<NoState> = new Set<NoState>(['erased', 'key-absent', 'key-corrupt', 'blob-absent', 'damaged', 'unparseable', 'kind', 'mac-unknown-key']);

/**
 * Which entries are rows, a bit for each. Under each name the newest state that counts, and the first: of a place with two names the one that began first is the record's, and which of
 * them that is must still be told when the key of one of them is gone.
 */
class Kept implements FoldSink {
  records = 0;
  closed = 0;
  private readonly bits: Buffer;

  constructor(size: number) {
    this.bits = Buffer.alloc(Math.ceil(size / 8));
  }

  has(index: number): boolean {
    return (this.bits[Math.floor(index / 8)]! & (1 << index % 8)) !== 0;
  }

  raw({ index }: { readonly index: number }): void {
    this.records += 1;
    this.keep(index);
  }

  begins({ index }: { readonly index: number }): void {
    this.records += 1;
    this.keep(index);
  }

  async ends({ index }: { readonly index: number }): Promise<void> {
    this.keep(index);
  }

  note(index: number, _: string, why: NoState): void {
    if (!MAY_COUNT_LATER.has(why)) return;
    this.closed += 1;
    this.keep(index);
  }

  private keep(index: number): void {
    this.bits[Math.floor(index / 8)]! |= 1 << index % 8;
  }
}

/** Reads the log once more and puts what is kept of it, one part in memory at a time. */
async function writeParts(vault: SnapshotDeps['vault'], checkpoint: Checkpoint, share: Share, kept: Kept, onProgress: (done: number) => void): Promise<Pick<SnapshotParts, 'edge' | 'rows' | 'parts'>> {
  const parts: SnapshotPart[] = [];
  let [rows, bytes, edge] = [[] as Buffer[], 0, undefined as RightEdge | undefined];
  const put = async (): Promise<void> => {
    if (rows.length === 0) return;
    // Numbered so that the parts of no two shares have one number.
    const number = parts.length * share.of + share.number;
    if (number >= MAX_PARTS) throw new SnapshotError('mixed-up', `snapshot/${checkpoint.size}/`, 'this log needs more parts than a snapshot can have');
    const made = formatPart(checkpoint.size, number, rows);
    [rows, bytes] = [[], 0];
    await vault.createLocked(made.part.name, made.bytes);
    parts.push(made.part);
  };
  for await (const range of publishedEntries(vault, checkpoint)) {
    for (const [i, entry] of range.entries.entries()) {
      if (!kept.has(range.from + i)) continue;
      const row = formatRow({ index: range.from + i, bytes: entry });
      if (bytes + row.length > MAX_PART_BYTES) await put();
      rows.push(row);
      bytes += row.length;
    }
    edge = range.edge;
    onProgress(range.from + range.entries.length);
  }
  await put();
  if (edge === undefined) throw new ReplayError('damaged', 'the log has no entries any more');
  return { edge: edge.edge.map(toBase64), rows: parts.reduce((sum, part) => sum + part.rows, 0), parts };
}
