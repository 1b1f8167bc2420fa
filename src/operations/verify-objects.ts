/**
 * The objects that entries name: each must be there with the hash the entry states, because it is part of what was logged; and the entries
 * themselves must be entries. Memory grows with the number of named objects (about 100 bytes each), not with the log.
 */
import { EntryError, parseEntry } from '../core/entry';
import { sha256Hex } from '../core/log/sha256';
import { finding, type Finding } from '../core/verify/finding-codes';
import { blobName, classifyName } from '../core/verify/vault-name';
import type { VaultReader } from '../ports/vault-reader';

/** Objects read at once: hides a remote store's latency; a blob is one message's content, at most some 100 MB. */
const CONCURRENCY = 8;

interface NamedObject {
  readonly name: string;
  readonly sha256: string;
  /** The entry that names it. */
  readonly index: number;
}

/** As plain JSON; `unsettled` are named too, but were still being read, or could not be. */
export interface NamedObjectsState {
  readonly named: readonly string[];
  readonly unsettled: readonly NamedObject[];
}

export class NamedObjects {
  private readonly named: Set<string>;
  private readonly running = new Map<Promise<void>, NamedObject>();
  private readonly unread: NamedObject[] = [];
  private failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly reader: Pick<VaultReader, 'get' | 'list'>,
    private readonly report: (finding: Finding) => void,
    state?: NamedObjectsState,
  ) {
    this.named = new Set(state?.named);
    for (const object of state?.unsettled ?? []) this.start(object); // at most CONCURRENCY
  }

  state(): NamedObjectsState {
    return { named: [...this.named], unsettled: [...this.running.values(), ...this.unread] };
  }

  /** Checks the form of entry `index` and starts the checks of what it names; waits only when too many are under way. */
  check(index: number, bytes: Buffer, segmentOrBundle: string): Promise<void> | void {
    let entry;
    try {
      entry = parseEntry(bytes);
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      return this.report(finding('entry-malformed', segmentOrBundle, `entry ${index}: ${error.message} (${error.code})`, index));
    }
    const blob = entry.op === 'put' ? entry.blob : undefined;
    if (blob === undefined && entry.objects === undefined) return undefined;
    return this.checkAll([...(blob === undefined ? [] : [{ name: blobName(blob), sha256: blob }]), ...(entry.objects ?? [])], index);
  }

  private async checkAll(objects: readonly { readonly name: string; readonly sha256: string }[], index: number): Promise<void> {
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

  private async checkOne({ name, sha256, index }: NamedObject): Promise<void> {
    const bytes = await this.reader.get(name);
    if (bytes === 'absent') return this.report(finding('object-missing', name, `entry ${index} names it, and it is not there`, index));
    const actual = sha256Hex(bytes);
    if (actual !== sha256) this.report(finding('object-altered', name, `its hash is ${actual}, entry ${index} states ${sha256}`, index));
  }

  /** Waits for the checks under way. Throws what reading threw. */
  async settle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running.keys());
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Blobs that no entry names: a writer that died between blob and segment leaves one. Their bytes must still be what their names say. */
  async orphans(): Promise<string[]> {
    const orphans: string[] = [];
    for await (const name of this.reader.list?.('blob/') ?? []) {
      const known = classifyName(name);
      if (known.kind !== 'blob' || this.named.has(name)) continue;
      orphans.push(name);
      const bytes = await this.reader.get(name);
      const actual = bytes === 'absent' ? known.sha256 : sha256Hex(bytes);
      if (actual !== known.sha256) this.report(finding('object-altered', name, `its hash is ${actual}`));
    }
    return orphans;
  }

  /** Snapshots and reports that no entry names. */
  reportUnnamed(documents: Iterable<string>): void {
    for (const name of documents) if (!this.named.has(name)) this.report(finding('unexpected-object', name, 'no entry names it'));
  }
}
