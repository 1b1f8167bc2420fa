/**
 * The state of every record at a size or a time, from the vault and the keys alone: what restore writes, what audit compares, what repair puts back. Two passes over the
 * published log: the first counts the entries of each record and checks the root, the second opens them and gives a record out when its last entry has been read, so
 * that the memory it takes is one number a record, whatever the log holds.
 */
import { keyOf, stringOf, type Image, type TableKey } from '../core/image';
import { entryIn, type Entry } from '../core/entry';
import type { Checkpoint } from '../core/log/checkpoint';
import type { MacKey } from '../core/record-mac';
import { placeOf, succession, type Rejection } from '../core/record-history';
import { recordId } from '../core/subject-key';
import { inParallel } from './in-parallel';
import { openSealed, type Closed, type SealedReader } from './open-sealed';
import { publishedEntries, ReplayError, type PublishedLog } from './published-entries';

export interface ReplayDeps {
  readonly vault: PublishedLog;
  readonly subjectKeys: SealedReader['subjectKeys'];
  readonly macKeys: readonly MacKey[];
}

export interface ReplayOptions {
  /** As `publishedCheckpoint` gives it: the tree that is checked. */
  readonly checkpoint: Pick<Checkpoint, 'size' | 'root'>;
  /** Only entries before this index. */
  readonly size?: number;
  /** Only changes at or before this time, ISO 8601 UTC. */
  readonly at?: string;
  /** Only records of which this holds, judged by their newest state that counts. */
  readonly only?: (image: Image) => boolean;
  /** Only the records of one share of `of`, by the hash in their id: for work that is spread over time or machines. */
  readonly share?: { readonly number: number; readonly of: number };
  readonly onProgress?: (progress: { readonly pass: 1 | 2; readonly entries: number; readonly total: number }) => void;
}

/** A record as the log leaves it. */
export interface ReplayedRecord {
  readonly key: TableKey;
  readonly image: Image;
  /** Index of the entry that sealed this state. */
  readonly index: number;
  readonly entry: Entry;
}

/** Something the log holds that is no state of a record. */
export interface ReplayNote {
  readonly index: number;
  readonly id: string;
  /** `misplaced`: its id is not that of the key it holds, or it was sealed under another subject than it names. `unparseable`: no entry of ours. */
  readonly why: Rejection | Closed | 'raw' | 'misplaced' | 'unparseable' | 'removed-by-hand';
}

export interface ReplaySummary {
  /** Entries that were looked at. */
  entries: number;
  records: number;
  readonly notes: ReplayNote[];
  /** All of them, by reason; `notes` holds the first of each. */
  readonly counts: Map<ReplayNote['why'], number>;
}

/** Of each reason; a log that is wrong all over is told by the counts. */
const MAX_NOTES_EACH = 100;
const OPENED_AT_ONCE = 32;

/**
 * Calls `give` with every record, in no order. A place that was sealed under two subjects (removed by hand, then recorded anew) comes once for each; what was sealed first counts. Nothing is given before the root of the whole log was found to be the signed one. Throws `ReplayError`,
 * `PortError`, `VaultReadError`.
 */
export async function replayLog(deps: ReplayDeps, options: ReplayOptions, give: (record: ReplayedRecord) => Promise<void>): Promise<ReplaySummary> {
  const replay = new Replay(deps, options, give);
  await replay.count();
  return replay.open();
}

/** What is known of a record whose entries have not all been read. */
interface Pending {
  left: number;
  newest?: Omit<ReplayedRecord, 'key'>;
}

class Replay {
  /** Entries of each record that are still to come, by its id. */
  private readonly pending = new Map<string, Pending>();
  /** States sealed as the stream's own records, under subjects and ids of their own: few, and joined with the others by their key. */
  private readonly raw = new Map<string, Omit<ReplayedRecord, 'key'>[]>();
  private readonly summary: ReplaySummary = { entries: 0, records: 0, notes: [], counts: new Map() };
  private readonly end: number;

  constructor(
    private readonly deps: ReplayDeps,
    private readonly options: ReplayOptions,
    private readonly give: (record: ReplayedRecord) => Promise<void>,
  ) {
    this.end = Math.min(options.size ?? options.checkpoint.size, options.checkpoint.size);
  }

  /** First pass. */
  async count(): Promise<void> {
    for await (const { from, entries } of publishedEntries(this.deps.vault, this.options.checkpoint)) {
      const wanted: { readonly index: number; readonly entry: Entry }[] = [];
      for (const [i, bytes] of entries.entries()) {
        if (from + i >= this.end) break;
        const entry = this.parsed(bytes, from + i);
        if (entry === undefined || !this.isWanted(entry)) continue;
        if (entry.kind === 'raw') wanted.push({ index: from + i, entry });
        else if (this.isOfShare(entry.id)) this.expect(entry.id);
      }
      for (const { index, entry } of wanted) await this.readRaw(index, entry);
      this.tell(1, from + entries.length);
    }
  }

  /** Second pass. */
  async open(): Promise<ReplaySummary> {
    const { checkpoint } = this.options;
    for await (const { from, entries } of publishedEntries(this.deps.vault, checkpoint)) {
      if (from >= this.end) break;
      const wanted = entries.flatMap((bytes, i) => {
        const entry = from + i < this.end ? this.parsed(bytes, from + i, true) : undefined;
        return entry !== undefined && entry.kind !== 'raw' && this.isWanted(entry) && this.isOfShare(entry.id) ? [{ index: from + i, entry }] : [];
      });
      const opened = await inParallel(wanted, OPENED_AT_ONCE, ({ entry }) => openSealed(this.deps, entry));
      for (const [i, { index, entry }] of wanted.entries()) await this.apply(index, entry, opened[i]!);
      this.tell(2, from + entries.length);
    }
    // What only raw entries hold.
    for (const states of [...this.raw.values()]) await this.finish(states[0] as Omit<ReplayedRecord, 'key'>);
    return this.summary;
  }

  private expect(id: string): void {
    const there = this.pending.get(id);
    if (there === undefined) this.pending.set(id, { left: 1 });
    else there.left += 1;
  }

  private async apply(index: number, entry: Entry, opened: Awaited<ReturnType<typeof openSealed>>): Promise<void> {
    const pending = this.pending.get(entry.id);
    // Two passes over one immutable log count the same; anything else was served differently the second time.
    if (pending === undefined) throw new ReplayError('damaged', `entry ${index} was not there when the log was read first: the store answers one question in two ways`);
    this.summary.entries += 1;
    pending.left -= 1;
    if (opened.state === 'image') {
      if (recordId(opened.key, keyOfSealed(opened.image)) !== entry.id || !this.isOfSubject(opened.image, entry)) this.note(index, entry.id, 'misplaced');
      else {
        const outcome = succession(pending.newest?.image, opened.image, this.deps.macKeys);
        if (outcome === 'accepted') pending.newest = { image: opened.image, index, entry };
        else if (outcome !== 'same') this.note(index, entry.id, outcome);
      }
    } else this.note(index, entry.id, opened.state === 'removed' ? 'removed-by-hand' : opened.state === 'raw' ? 'raw' : opened.why);
    if (pending.left > 0) return;
    this.pending.delete(entry.id);
    if (pending.newest !== undefined) await this.finish(pending.newest);
  }

  private async readRaw(index: number, entry: Entry): Promise<void> {
    const opened = await openSealed(this.deps, entry);
    if (opened.state !== 'image') return this.note(index, entry.id, opened.state === 'closed' ? opened.why : 'raw');
    const outcome = succession(undefined, opened.image, this.deps.macKeys);
    if (outcome !== 'accepted' && outcome !== 'same') return this.note(index, entry.id, outcome);
    const place = placeOf(opened.image);
    this.raw.set(place, [...(this.raw.get(place) ?? []), { image: opened.image, index, entry }]);
  }

  /** All entries of a record have been read: joins what was sealed raw, and gives it out. */
  private async finish(newest: Omit<ReplayedRecord, 'key'>): Promise<void> {
    const place = placeOf(newest.image);
    const states = [newest, ...(this.raw.get(place) ?? []).filter((state) => state !== newest)].sort((a, b) => a.index - b.index);
    this.raw.delete(place);
    let last: Omit<ReplayedRecord, 'key'> | undefined;
    for (const state of states) if (succession(last?.image, state.image, this.deps.macKeys) === 'accepted') last = state;
    if (last === undefined || this.options.only?.(last.image) === false) return;
    this.summary.records += 1;
    await this.give({ ...last, key: keyOf(last.image) });
  }

  private parsed(bytes: Buffer, index: number, isSecond = false): Entry | undefined {
    const entry = entryIn(bytes);
    if (entry === undefined && !isSecond) this.note(index, '', 'unparseable');
    return entry;
  }

  /** What was changed by hand is sealed under the subject it had before; only a genuine state is sealed under its own. */
  private isOfSubject(image: Image, entry: Entry): boolean {
    return stringOf(image, 'subject') === entry.subject;
  }

  private isWanted(entry: Entry): boolean {
    return this.options.at === undefined || entry.at <= this.options.at;
  }

  private isOfShare(id: string): boolean {
    const { share } = this.options;
    return share === undefined || Buffer.from(id.slice(0, 8), 'base64url').readUIntBE(0, 6) % share.of === share.number;
  }

  private note(index: number, id: string, why: ReplayNote['why']): void {
    const n = (this.summary.counts.get(why) ?? 0) + 1;
    this.summary.counts.set(why, n);
    if (n <= MAX_NOTES_EACH) this.summary.notes.push({ index, id, why });
  }

  private tell(pass: 1 | 2, entries: number): void {
    this.options.onProgress?.({ pass, entries: Math.min(entries, this.end), total: this.end });
  }
}

/** An image without a key has no place, so it is in none. */
const keyOfSealed = (image: Image): TableKey => ({ pk: stringOf(image, 'pk') ?? '', sk: stringOf(image, 'sk') ?? '' });
