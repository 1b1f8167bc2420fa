/**
 * The objects that entries name: each must be there with the hash the entry states, because it is part of what was logged; so must the parts a snapshot's manifest names; and the entries
 * themselves must be entries. Memory grows with the number of named objects (about 100 bytes each), not with the log.
 */
import { EntryError, entryIn, parseEntry, type Entry } from '../core/entry';
import { decodeEntries } from '../core/log/bundle';
import { unlessMalformed } from '../core/log/log-format-error';
import { sha256Hex } from '../core/log/sha256';
import { parseManifest, SnapshotError, type SnapshotManifest } from '../core/snapshot';
import { finding, type Finding } from '../core/verify/finding-codes';
import { blobName, classifyName } from '../core/verify/vault-name';
import type { VaultReader } from '../ports/vault-reader';
import { inParallel } from './in-parallel';

/** Objects read at once: hides a remote store's latency; a blob is one message's content, at most some 100 MB. */
const CONCURRENCY = 8;
/** Of one snapshot, some MB each. */
const PARTS_AT_ONCE = 4;

interface Stated {
  readonly name: string;
  readonly sha256: string;
}

interface NamedObject extends Stated {
  /** The entry that names it. */
  readonly index: number;
}

/** A part that its manifest names and that is not there. */
interface LostPart {
  readonly name: string;
  readonly manifest: string;
  readonly index: number;
  /** Until then it had to be there; null: for ever. */
  readonly keptUntil: string | null;
}

/** As plain JSON; `unsettled` are named too, but were still being read, or could not be. */
export interface NamedObjectsState {
  readonly named: readonly string[];
  readonly unsettled: readonly NamedObject[];
  readonly snapshots: SnapshotCounts;
  readonly lostParts: readonly LostPart[];
}

export interface SnapshotCounts {
  /** Manifests that entries name. */
  readonly named: number;
  /** Of these, those that are not there: their retention ended. On S3 their locks show that nothing else can have happened. */
  readonly gone: number;
}

const NONE: readonly Stated[] = [];

/** The blob an entry is sealed in, and what it vouches for. */
function objectsOf(entry: Entry | undefined): readonly Stated[] {
  const blob = entry?.op === 'put' ? entry.blob : undefined;
  return blob === undefined ? (entry?.objects ?? NONE) : [{ name: blobName(blob), sha256: blob }, ...(entry?.objects ?? NONE)];
}

export class NamedObjects {
  private readonly named: Set<string>;
  /** Name → the hashes that entries state of which nobody knows whether they will be signed. */
  private readonly excused = new Map<string, ReadonlySet<string>>();
  private readonly running = new Map<Promise<void>, NamedObject>();
  private readonly unread: NamedObject[] = [];
  private readonly lostParts: LostPart[];
  private counts: SnapshotCounts;
  private failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly reader: Pick<VaultReader, 'get' | 'list'>,
    private readonly report: (finding: Finding) => void,
    state?: NamedObjectsState,
  ) {
    this.named = new Set(state?.named);
    this.counts = state?.snapshots ?? { named: 0, gone: 0 };
    this.lostParts = [...(state?.lostParts ?? [])];
    for (const object of state?.unsettled ?? []) this.start(object); // at most CONCURRENCY
  }

  state(): NamedObjectsState {
    return { named: [...this.named], unsettled: [...this.running.values(), ...this.unread], snapshots: this.counts, lostParts: [...this.lostParts] };
  }

  snapshots(): SnapshotCounts {
    return this.counts;
  }

  /** Checks the form of entry `index` and starts the checks of what it names; waits only when too many are under way. */
  check(index: number, bytes: Buffer, bundle: string): Promise<void> | void {
    const objects = this.namedIn(index, bytes, bundle);
    return objects.length === 0 ? undefined : this.checkAll(objects, index);
  }

  /** Checks the form of an entry that no checkpoint covers. */
  checkUnsigned(index: number, bytes: Buffer, segment: string): void {
    this.namedIn(index, bytes, segment);
  }

  /**
   * No checkpoint covers this entry, so it may be anybody's who can put a segment: what it names may be there, because a sealer puts that first, and nobody can ask for it before the entry is
   * signed.
   */
  excuse(bytes: Buffer): void {
    for (const { name, sha256 } of objectsOf(entryIn(bytes))) this.excused.set(name, new Set(this.excused.get(name)).add(sha256));
  }

  private namedIn(index: number, bytes: Buffer, segmentOrBundle: string): readonly Stated[] {
    try {
      return objectsOf(parseEntry(bytes));
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      this.report(finding('entry-malformed', segmentOrBundle, `entry ${index}: ${error.message} (${error.code})`, index));
      return [];
    }
  }

  private async checkAll(objects: readonly Stated[], index: number): Promise<void> {
    for (const { name, sha256 } of objects) {
      const key = `${name}=${sha256}`;
      if (this.named.has(key)) continue;
      this.named.add(key);
      this.named.add(name);
      while (this.running.size >= CONCURRENCY) await Promise.race(this.running.keys());
      this.start({ name, sha256, index });
    }
  }

  private start(object: NamedObject): void {
    const task: Promise<void> = this.checkOne(object)
      .catch((error: unknown) => {
        this.failure ??= { error };
        this.unread.push(object);
      })
      .finally(() => this.running.delete(task));
    this.running.set(task, object);
  }

  private async checkOne(object: NamedObject): Promise<void> {
    const { name, sha256, index } = object;
    const isManifest = classifyName(name).kind === 'snapshot-manifest';
    const bytes = await this.reader.get(name);
    if (bytes === 'absent') return isManifest ? this.count({ gone: 1 }) : this.report(finding('object-missing', name, `entry ${index} names it, and it is not there`, index));
    const actual = sha256Hex(bytes);
    if (actual !== sha256) this.report(finding('object-altered', name, `its hash is ${actual}, entry ${index} states ${sha256}`, index));
    else if (isManifest) await this.checkSnapshot(object, bytes);
    if (isManifest) this.count({ gone: 0 });
  }

  private count({ gone }: { readonly gone: 0 | 1 }): void {
    this.counts = { named: this.counts.named + 1, gone: this.counts.gone + gone };
  }

  /** The parts are the manifest's to vouch for, as it is the entry's. */
  private async checkSnapshot({ name: manifest, index }: NamedObject, bytes: Buffer): Promise<void> {
    const snapshot = this.parsed(manifest, index, bytes);
    const parts = snapshot?.parts ?? [];
    const hashes = await inParallel(parts, PARTS_AT_ONCE, async ({ name }) => {
      const part = await this.reader.get(name);
      return part === 'absent' ? 'absent' : sha256Hex(part);
    });
    for (const [i, { name, sha256 }] of parts.entries()) {
      const actual = hashes[i]!;
      this.named.add(name);
      if (actual === 'absent') this.lostParts.push({ name, manifest, index, keptUntil: snapshot?.keptUntil ?? null });
      else if (actual !== sha256) this.report(finding('object-altered', name, `its hash is ${actual}, ${manifest} states ${sha256}`, index));
    }
  }

  private parsed(name: string, index: number, bytes: Buffer): SnapshotManifest | undefined {
    try {
      return parseManifest(name, bytes);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      // A newer program's manifest is as it was logged; which parts are its own only that program can tell.
      if (error.code !== 'newer-format') this.report(finding('snapshot-malformed', name, error.message, index));
      return undefined;
    }
  }

  /** Waits for the checks under way. Throws what reading threw. */
  async settle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running.keys());
    if (this.failure !== undefined) throw this.failure.error;
  }

  /**
   * Parts that should still be there. A store that is emptied of what has expired takes parts and manifest in any order, and needs days for it; so a part may be gone, while its manifest is
   * there, from the day on until which it was to be kept. What day it is the log says: its entries are signed. `lastBundle`: names the last one may have, the likeliest first.
   */
  async reportLostParts(lastBundle: readonly string[]): Promise<void> {
    if (this.lostParts.length === 0) return;
    let bytes: Buffer | 'absent' = 'absent';
    for (const name of lastBundle) if (bytes === 'absent') bytes = await this.reader.get(name);
    const last = bytes;
    const entries = last === 'absent' ? [] : (unlessMalformed(() => decodeEntries(last)) ?? []);
    const now = entries.reduce((newest, entry) => [newest, entryIn(entry)?.at ?? ''].sort()[1]!, '');
    for (const { name, manifest, index, keptUntil } of this.lostParts) {
      if (keptUntil === null || keptUntil >= now) this.report(finding('object-missing', name, `${manifest} names it as a part of the snapshot, and it is not there`, index));
    }
  }

  /**
   * Blobs, and objects of snapshots, that nothing names: a writer that died before it named them leaves some, and so does a manifest that expired before its parts. Their bytes must still be
   * what their names say.
   */
  async orphans(snapshots: Iterable<string>): Promise<string[]> {
    const orphans: string[] = [];
    const take = async (name: string): Promise<void> => {
      const known = classifyName(name);
      if (!('sha256' in known) || this.named.has(name)) return;
      if (!this.excused.has(name)) orphans.push(name);
      const bytes = await this.reader.get(name);
      const actual = bytes === 'absent' ? known.sha256 : sha256Hex(bytes);
      if (actual !== known.sha256) this.report(finding('object-altered', name, `its hash is ${actual}`));
    };
    for await (const name of this.reader.list?.('blob/') ?? []) await take(name);
    for (const name of snapshots) await take(name);
    return orphans;
  }

  /** Reports, and what else no entry names though only an entry could have. */
  async reportUnnamed(documents: Iterable<string>): Promise<void> {
    for (const name of documents) {
      if (this.named.has(name)) continue;
      const stated = this.excused.get(name);
      const bytes = stated === undefined ? 'absent' : await this.reader.get(name);
      if (stated === undefined) this.report(finding('unexpected-object', name, 'no entry names it'));
      else if (bytes !== 'absent' && !stated.has(sha256Hex(bytes))) this.report(finding('object-altered', name, `its hash is ${sha256Hex(bytes)}, which no entry states`));
    }
  }
}
