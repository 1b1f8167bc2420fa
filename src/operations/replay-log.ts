/**
 * The state of every record at a size or a time, from the vault and the keys alone: what restore writes, what audit compares, what repair puts back. From the entries of the published log, or
 * from a snapshot and the entries behind it, which comes to the same. Nothing is given out before the root of the whole log was found to be the signed one.
 */
import { entryIn } from '../core/entry';
import { keyOf, stringOf, type Image, type TableKey } from '../core/image';
import type { Checkpoint } from '../core/log/checkpoint';
import { sha256 } from '../core/log/sha256';
import type { MacKey } from '../core/record-mac';
import { placeOf, shortPlace, succession } from '../core/record-history';
import { edgeOf } from '../core/snapshot';
import { isTombstone } from '../core/tombstone';
import { foldLog, type FoldSink, type GenuineState, type LogReading, type NoState } from './fold-log';
import type { SealedReader } from './open-sealed';
import { publishedEntries, ReplayError, type PublishedLog } from './published-entries';
import { snapshotRows, type TrustedSnapshot } from './read-snapshot';

export interface ReplayDeps {
  readonly vault: PublishedLog;
  readonly subjectKeys: SealedReader['subjectKeys'];
  readonly macKeys: readonly MacKey[];
}

export interface ReplayOptions {
  /** As `publishedCheckpoint` gives it: the tree that is checked. */
  readonly checkpoint: Pick<Checkpoint, 'size' | 'root'>;
  /** In place of the entries it stands for; of no more entries and no later changes than are asked for. */
  readonly snapshot?: TrustedSnapshot | undefined;
  /** Only entries before this index. */
  readonly size?: number;
  /** Only changes at or before this time, ISO 8601 UTC. */
  readonly at?: string;
  /**
   * Only what was sealed under these subjects, which entries bear in clear, and what was sealed raw, whose subjects tell nothing: the rest is passed unopened, and nothing is noted of it. A place that was sealed under two
   * subjects has a record of each then, and which of them counts only the whole log tells.
   */
  readonly subjects?: (subject: string) => boolean;
  /** Only records of which this holds, judged by their newest state that counts. */
  readonly only?: (image: Image) => boolean;
  readonly onProgress?: (progress: { readonly pass: 1 | 2; readonly entries: number; readonly total: number }) => void;
}

/** A record as the log leaves it: the state, and index and entry that sealed it. */
export interface ReplayedRecord extends GenuineState {
  readonly key: TableKey;
}

/** Something the log holds that is no state of a record. */
export interface ReplayNote {
  readonly index: number;
  readonly id: string;
  readonly why: NoState;
}

export interface ReplaySummary {
  /** Entries that were looked at, or that the snapshot stands for. */
  readonly entries: number;
  readonly records: number;
  readonly notes: readonly ReplayNote[];
  /** All of them, by reason; `notes` holds the first of each. A snapshot leaves out what can never count. */
  readonly counts: ReadonlyMap<ReplayNote['why'], number>;
}

/** Of each reason; a log that is wrong all over is told by the counts. */
const MAX_NOTES_EACH = 100;

/**
 * Calls `give` with every record, each once, in no order. In the place of an erased one it gives the tombstone; one of a later time than is asked for only where nothing else of the place can be
 * opened, so that an earlier point shows what the log still tells of it, and a late resend finds the tombstone when it tells nothing any more. Of a place that was sealed under two subjects (removed by hand, then recorded anew) it gives what was sealed first: what is recorded once
 * is never replaced. Throws `ReplayError`, `SnapshotError`, `PortError`, `VaultReadError`.
 */
export async function replayLog(deps: ReplayDeps, options: ReplayOptions, give: (record: ReplayedRecord) => Promise<void>): Promise<ReplaySummary> {
  const { checkpoint, snapshot, at, subjects, onProgress } = options;
  const end = Math.min(options.size ?? checkpoint.size, checkpoint.size);
  if (snapshot !== undefined && (snapshot.manifest.size > end || (at !== undefined && snapshot.manifest.newestAt > at))) throw new RangeError('a snapshot stands for all its entries or for none');
  const isLater = (index: number, then: string): boolean => index >= end || (at !== undefined && then > at);
  const records = new Records(deps.macKeys, options, give, isLater);
  const folded = await foldLog(deps, reading(deps.vault, checkpoint, snapshot, end), records, {
    // A tombstone counts from whatever time it is: what was erased does not come back with an earlier one. And it is nobody's share, since it stands in the place of a record of any.
    isWanted: ({ at: then, kind, subject }) => kind === 'tombstone' || ((at === undefined || then <= at) && (subjects === undefined || kind === 'raw' || subjects(subject))),
    onProgress: (pass, reached) => onProgress?.({ pass, entries: reached, total: end }),
  });
  await records.finish();
  return { entries: (snapshot?.manifest.size ?? 0) + folded.entries, records: records.given, notes: records.notes, counts: records.counts };
}

/**
 * Entries before `end`, and the tombstones behind it; what else lies behind is read where the root needs it, but not given. States are given out while the log is read for the second time: then
 * each range has to be the one the signed root was computed from, or a store that answers one question in two ways could put an earlier state in the place of a later one.
 */
function reading(vault: PublishedLog, checkpoint: ReplayOptions['checkpoint'], snapshot: TrustedSnapshot | undefined, end: number): LogReading {
  let isChecked = false;
  /** Whether there are tombstones behind `end`. */
  let hasLater = false;
  /** Of each range: a hash of the tree behind it. */
  const proven: Buffer[] = [];
  return async function* () {
    if (snapshot !== undefined) yield* snapshotRows(vault, snapshot);
    let range = 0;
    for await (const { from, entries, edge } of publishedEntries(vault, checkpoint, snapshot && edgeOf(snapshot.manifest))) {
      const tree = sha256(Buffer.concat(edge.edge));
      if (!isChecked) proven.push(tree);
      else if (proven[range]?.equals(tree) !== true) throw new ReplayError('damaged', `entries from ${from} on are not those that were there when the log was read first: the store answers one question in two ways`);
      range += 1;
      if (from >= end && isChecked && !hasLater) return;
      const wanted = entries.map((bytes, i) => ({ index: from + i, bytes })).filter(({ index, bytes }) => index < end || entryIn(bytes)?.kind === 'tombstone');
      hasLater ||= (wanted.at(-1)?.index ?? -1) >= end;
      yield wanted;
    }
    isChecked = true;
  };
}

/** Who may be called the record in a place, and what was sealed of it as the stream's own record. */
class Records implements FoldSink {
  given = 0;
  readonly notes: ReplayNote[] = [];
  readonly counts = new Map<NoState, number>();
  /** Places that have a record. */
  private readonly places = new Set<string>();
  /** Names whose place was another's first; few. */
  private readonly outdone = new Set<string>();
  /** Places of erased records, and under which name the tombstone lies. */
  private readonly tombstones = new Map<string, string>();
  /** States sealed raw, by place; few. */
  private readonly raws = new Map<string, GenuineState[]>();

  constructor(
    private readonly macKeys: readonly MacKey[],
    private readonly wanted: Pick<ReplayOptions, 'only' | 'subjects'>,
    private readonly give: (record: ReplayedRecord) => Promise<void>,
    private readonly isLater: (index: number, at: string) => boolean,
  ) {}

  tombstone({ index, entry, image }: GenuineState): void {
    if (!this.isLater(index, entry.at)) this.tombstones.set(shortPlace(placeOf(image)), entry.id);
  }

  raw(state: GenuineState): void {
    const place = placeOf(state.image);
    this.raws.set(place, [...(this.raws.get(place) ?? []), state]);
  }

  begins({ index, entry, image }: GenuineState): void {
    const place = placeOf(image);
    const raw = this.raws.get(place)?.[0];
    const isRawFirst = raw !== undefined && raw.index < index && subjectOf(raw) !== entry.subject;
    const short = shortPlace(place);
    const tombstone = this.tombstones.get(short);
    if (tombstone !== undefined) return void (tombstone === entry.id ? this.places.add(short) : this.outdone.add(entry.id));
    // Names begin in the order of the log, so whoever began before is known here.
    if (isRawFirst || this.places.has(short)) this.outdone.add(entry.id);
    else this.places.add(short);
  }

  async ends(state: GenuineState): Promise<void> {
    if (this.outdone.delete(state.entry.id)) return;
    const place = placeOf(state.image);
    const raws = this.raws.get(place)?.filter((raw) => subjectOf(raw) === state.entry.subject) ?? [];
    this.raws.delete(place);
    await this.join(isTombstone(state.image) ? [state] : [state, ...raws]);
  }

  /** What only raw entries hold. */
  async finish(): Promise<void> {
    for (const [place, states] of this.raws) if (!this.tombstones.has(shortPlace(place))) await this.join(states);
  }

  note(index: number, id: string, why: NoState, subject: string): void {
    // What everybody opens, whatever its subject, is one share's to tell of.
    if (this.wanted.subjects?.(subject) === false) return;
    const n = (this.counts.get(why) ?? 0) + 1;
    this.counts.set(why, n);
    if (n <= MAX_NOTES_EACH) this.notes.push({ index, id, why });
  }

  private async join(states: readonly GenuineState[]): Promise<void> {
    // One alone was judged when it was read, and a MAC is a tenth of what a record costs.
    let last = states.length === 1 ? states[0] : undefined;
    if (last === undefined) for (const state of [...states].sort((a, b) => a.index - b.index)) if (succession(last?.image, state.image, this.macKeys) === 'accepted') last = state;
    if (last === undefined || this.wanted.only?.(last.image) === false) return;
    this.given += 1;
    await this.give({ ...last, key: keyOf(last.image) });
  }
}

/** As the record says; of what was sealed raw the entry's own says nothing. */
const subjectOf = ({ image }: GenuineState): string | undefined => stringOf(image, 'subject');
