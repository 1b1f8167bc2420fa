/**
 * What the entries of the log come to, name by name: the first state that counts under each name, and the newest. The one judgement that replaying the log and taking a snapshot of it
 * share. Two passes over the same entries: the first counts those of each name, the second opens them, so that a name is done with when its last entry has been read, and the memory it takes
 * is one number a name, whatever the log holds.
 */
import { entryIn, type Entry } from '../core/entry';
import { stringOf, type Image } from '../core/image';
import type { MacKey } from '../core/record-mac';
import { shortPlace, succession, type Rejection } from '../core/record-history';
import type { SealedEntry } from '../core/snapshot';
import { recordId, type SubjectKey } from '../core/subject-key';
import { isTombstone } from '../core/tombstone';
import { inParallel } from './in-parallel';
import { openSealed, type Closed, type Opened, type SealedReader } from './open-sealed';
import { ReplayError } from './published-entries';

/** Entries of the log in order of their index, some at a time; the same ones each time it is asked. */
export type LogReading = () => AsyncIterable<readonly SealedEntry[]>;

export interface FoldDeps extends SealedReader {
  readonly macKeys: readonly MacKey[];
}

/** A state that counts, and the entry that sealed it. */
export interface GenuineState {
  readonly index: number;
  readonly entry: Entry;
  readonly image: Image;
}

/** Why an entry gave no state. `misplaced`: its id is not that of the key it holds, or it was sealed under another subject than it names. `unpermitted`: a tombstone that nothing permits. `unparseable`: no entry of ours. */
export type NoState = Rejection | Closed | 'raw' | 'unpermitted' | 'misplaced' | 'unparseable' | 'removed-by-hand';

export interface FoldSink {
  /** A state sealed as the stream's own record, under a name of its own. All of these come in the first pass, in order. */
  raw(state: GenuineState): void;
  /** A record was erased, and this stands in its place: the record of that place, whatever else lies under other names. These too come in the first pass, in order; what they hold comes again under their names. */
  tombstone?(state: GenuineState): void;
  /** The first state of a name that counts. What counts later is of its subject and kind. */
  begins(state: GenuineState): void;
  /** Nothing more comes under this name: its newest state that counts. */
  ends(state: GenuineState): Promise<void>;
  /** `subject`: the entry's, empty where it is no entry of ours. */
  note(index: number, id: string, why: NoState, subject: string): void;
}

export interface FoldOptions {
  /** Entries that are left out are as if they were not there. */
  readonly isWanted?: (entry: Entry) => boolean;
  /** Names that are left out. */
  readonly isOfShare?: (id: string) => boolean;
  /** `reached`: index behind the last entry that was read. */
  readonly onProgress?: (pass: 1 | 2, reached: number) => void;
}

export interface Folded {
  /** Entries looked at under names; those sealed raw are not among them. */
  readonly entries: number;
  /** The latest `at` among all of them that are wanted, of whatever share; undefined: there are none. */
  readonly newestAt: string | undefined;
}

const OPENED_AT_ONCE = 32;

/** Nothing is told of but raw states before `read` has been read to its end once, and so has checked what it reads. Throws what reading and opening throw. */
export async function foldLog(deps: FoldDeps, read: LogReading, sink: FoldSink, options: FoldOptions = {}): Promise<Folded> {
  const fold = new Fold(deps, read, sink, options);
  await fold.count();
  return fold.open();
}

/** What is known of a name whose entries have not all been read. */
interface Pending {
  left: number;
  newest?: GenuineState;
}

class Fold {
  /** Entries of each name that are still to come. */
  private readonly pending = new Map<string, Pending>();
  private entries = 0;
  private newestAt: string | undefined;

  constructor(
    private readonly deps: FoldDeps,
    private readonly read: LogReading,
    private readonly sink: FoldSink,
    private readonly options: FoldOptions,
  ) {}

  /** First pass. */
  async count(): Promise<void> {
    for await (const some of this.read()) {
      for (const { index, bytes } of some) {
        const entry = entryIn(bytes);
        if (entry === undefined) {
          if (this.isOfShare('')) this.sink.note(index, '', 'unparseable', '');
          continue;
        }
        if (!this.isWanted(entry)) continue;
        if (this.newestAt === undefined || entry.at > this.newestAt) this.newestAt = entry.at;
        if (!this.isOfShare(entry.id)) continue;
        if (entry.kind === 'raw') await this.readRaw(index, entry);
        else this.expect(entry.id);
        if (entry.kind === 'tombstone') await this.readTombstone(index, entry);
      }
      this.tell(1, some);
    }
  }

  /** Second pass. */
  async open(): Promise<Folded> {
    for await (const some of this.read()) {
      const wanted = some.flatMap(({ index, bytes }) => {
        const entry = entryIn(bytes);
        return entry !== undefined && entry.kind !== 'raw' && this.isWanted(entry) && this.isOfShare(entry.id) ? [{ index, entry }] : [];
      });
      const opened = await inParallel(wanted, OPENED_AT_ONCE, ({ entry }) => openSealed(this.deps, entry));
      for (const [i, { index, entry }] of wanted.entries()) await this.apply(index, entry, opened[i]!);
      this.tell(2, some);
    }
    return { entries: this.entries, newestAt: this.newestAt };
  }

  private expect(id: string): void {
    const there = this.pending.get(id);
    if (there === undefined) this.pending.set(id, { left: 1 });
    else there.left += 1;
  }

  private async apply(index: number, entry: Entry, opened: Opened): Promise<void> {
    const pending = this.pending.get(entry.id);
    // Two passes over one immutable log count the same; anything else was served differently the second time.
    if (pending === undefined) throw new ReplayError('damaged', `entry ${index} was not there when the log was read first: the store answers one question in two ways`);
    this.entries += 1;
    pending.left -= 1;
    const outcome = judged(opened, entry, pending.newest?.image, this.deps.macKeys);
    if (typeof outcome === 'string') {
      const isErasure = outcome === 'removed-by-hand' && this.erasures.has(shortPlace(entry.src));
      if (outcome !== 'same' && !isErasure) this.sink.note(index, entry.id, outcome, entry.subject);
    } else {
      if (pending.newest === undefined) this.sink.begins({ ...outcome, index, entry });
      pending.newest = { ...outcome, index, entry };
    }
    if (pending.left > 0) return;
    this.pending.delete(entry.id);
    if (pending.newest !== undefined) await this.sink.ends(pending.newest);
  }

  /** Said of a removal, it is no hand's: an erasure's removal and tombstone have one source. */
  private readonly erasures = new Set<string>();

  private async readTombstone(index: number, entry: Entry): Promise<void> {
    const outcome = judged(await openSealed(this.deps, entry), entry, undefined, this.deps.macKeys);
    if (typeof outcome === 'string' || !isTombstone(outcome.image)) return; // noted when it is opened under its name
    this.erasures.add(shortPlace(entry.src));
    this.sink.tombstone?.({ ...outcome, index, entry });
  }

  private async readRaw(index: number, entry: Entry): Promise<void> {
    const opened = await openSealed(this.deps, entry);
    if (opened.state !== 'image') return this.sink.note(index, entry.id, opened.state === 'closed' ? opened.why : 'raw', entry.subject);
    // One that was permitted is sealed under the log's own subject.
    if (isTombstone(opened.image)) return this.sink.note(index, entry.id, 'unpermitted', entry.subject);
    const outcome = succession(undefined, opened.image, this.deps.macKeys);
    if (outcome === 'accepted') this.sink.raw({ index, entry, image: opened.image });
    else if (outcome !== 'same') this.sink.note(index, entry.id, outcome, entry.subject);
  }

  private isWanted(entry: Entry): boolean {
    return this.options.isWanted?.(entry) !== false;
  }

  private isOfShare(id: string): boolean {
    return this.options.isOfShare?.(id) !== false;
  }

  private tell(pass: 1 | 2, some: readonly SealedEntry[]): void {
    const last = some.at(-1);
    if (last !== undefined) this.options.onProgress?.(pass, last.index + 1);
  }
}

/** The state, if it counts behind `before`; else why it does not, or that it is the one there was. */
function judged(opened: Opened, entry: Entry, before: Image | undefined, macKeys: readonly MacKey[]): { readonly image: Image } | NoState | 'same' {
  if (opened.state === 'closed') return opened.why;
  if (opened.state !== 'image') return opened.state === 'removed' ? 'removed-by-hand' : 'raw';
  if (!isInItsPlace(opened, entry)) return 'misplaced';
  const outcome = succession(before, opened.image, macKeys);
  return outcome === 'accepted' ? { image: opened.image } : outcome;
}

/** Whether `entry` bears the name of the record it holds, and was sealed under its subject. What was changed by hand is sealed under the subject it had before. */
export function isInItsPlace({ key, image }: { readonly key: SubjectKey; readonly image: Image }, entry: Entry): boolean {
  return recordId(key, { pk: stringOf(image, 'pk') ?? '', sk: stringOf(image, 'sk') ?? '' }) === entry.id && stringOf(image, 'subject') === entry.subject;
}
