/**
 * Everything the published log holds of a few records: which of it is their genuine state, what was made of them by hand, what of it cannot be read. For repairs, which
 * need it of one record out of millions: the whole log is read and checked against its signed root, but only the entries that bear the record's name are opened.
 * A record's name in the log follows from its key and its subject, and the subject is what somebody may have changed: known ones are tried, what they lead to is
 * followed, and where that is not enough every subject of the log is tried (`everywhere`).
 */
import { SUBJECT_FORM, entryIn, type Entry } from '../core/entry';
import { stringOf, type Image, type TableKey } from '../core/image';
import type { Checkpoint } from '../core/log/checkpoint';
import type { MacKey } from '../core/record-mac';
import { succession } from '../core/record-history';
import { recordId } from '../core/subject-key';
import { isTombstone } from '../core/tombstone';
import type { GenuineState } from './fold-log';
import { inParallel } from './in-parallel';
import { openSealed, type Closed, type Opened, type SealedReader } from './open-sealed';
import { publishedEntries, type PublishedLog } from './published-entries';

export interface HistoryDeps {
  readonly vault: PublishedLog;
  readonly subjectKeys: SealedReader['subjectKeys'];
  readonly macKeys: readonly MacKey[];
}

/** A record to look for. */
export interface Sought {
  readonly key: TableKey;
  /** Subjects it may have been sealed under; anything, well-formed or not. */
  readonly subjects: readonly string[];
  /** `src` of an entry about it, where one is known: leads to its subject. */
  readonly source?: string | undefined;
}

/** One entry about a record. */
export interface SealedState {
  readonly index: number;
  readonly entry: Entry;
  /** `closed`: it cannot be read, and `why`. `raw`: the stream's own record, which holds no image that could be read. */
  readonly became: { readonly state: 'image'; readonly image: Image } | { readonly state: 'removed' | 'raw' } | { readonly state: 'closed'; readonly why: Closed };
}

export interface SealedHistory {
  /** In the order of the log. */
  readonly states: readonly SealedState[];
  /** The newest state that counts: written by this system, in its place, under its subject, not older than what counted before. */
  readonly genuine: GenuineState | undefined;
  /** The entry with the source that was sought, if it is about this record. */
  readonly source: SealedState | undefined;
  /** Why entries that may be about it cannot be told from others: the log has entries of a subject whose key is gone. Of subjects tried everywhere only keys that were lost, not erased ones. */
  readonly hidden: ReadonlySet<Closed>;
}

export interface HistoryOptions {
  /** Tries every subject of the log: a read of each one's key. For what known subjects do not explain. */
  readonly everywhere?: boolean;
}

/**
 * What the log of `checkpoint` holds of each of `sought`, in their order. Nothing is returned before the root was found to be the signed one. Throws `ReplayError`,
 * `PortError`, `VaultReadError`.
 */
export async function sealedHistories(deps: HistoryDeps, checkpoint: Pick<Checkpoint, 'size' | 'root'>, sought: readonly Sought[], options: HistoryOptions = {}): Promise<readonly SealedHistory[]> {
  const trails = sought.map((each) => new Trail(each));
  // A subject that is met on the way may have entries before that: those are read in another pass. Each pass but the last learns one that none before it knew.
  for (;;) {
    const search = new Search(deps, trails, options.everywhere === true);
    await search.through(checkpoint);
    if (!search.learnt) break;
  }
  return trails.map((trail) => trail.history(deps.macKeys));
}

/** One record: the subjects known for it, and what a pass has found so far. */
class Trail {
  readonly subjects: Set<string>;
  private states: SealedState[] = [];
  private fromSource: SealedState | undefined;
  private hidden = new Set<Closed>();

  constructor(readonly sought: Sought) {
    this.subjects = new Set(sought.subjects.filter((subject) => SUBJECT_FORM.test(subject)));
  }

  begin(): void {
    this.states = [];
    this.fromSource = undefined;
    this.hidden = new Set();
  }

  hide(why: Closed): void {
    this.hidden.add(why);
  }

  add(state: SealedState): void {
    this.states.push(state);
    if (state.entry.src === this.sought.source) this.fromSource = state;
  }

  history(macKeys: readonly MacKey[]): SealedHistory {
    let genuine: GenuineState | undefined;
    for (const { index, entry, became } of this.states) {
      if (became.state !== 'image' || !isUnderItsSubject(entry, became.image)) continue;
      if (succession(genuine?.image, became.image, macKeys) === 'accepted') genuine = { index, entry, image: became.image };
    }
    return { states: this.states, genuine, source: this.fromSource, hidden: this.hidden };
  }
}

/** What was changed by hand is sealed under the subject it had before; what was sealed raw, under one of its own, and a tombstone only where nothing permits it. */
const isUnderItsSubject = (entry: Entry, image: Image): boolean => entry.kind === 'raw' ? !isTombstone(image) : stringOf(image, 'subject') === entry.subject;

const KEYS_AT_ONCE = 32;

/** One pass over the log. */
class Search {
  /** Whether a subject was met that was not known when the pass began. */
  learnt = false;
  private readonly byName = new Map<string, Set<Trail>>();
  private readonly bySource = new Map<string, Set<Trail>>();
  /** Subjects without a key that opens. */
  private readonly keyless = new Map<string, Closed>();
  /** Subjects whose names are in `byName`, for everywhere. */
  private readonly tried = new Set<string>();

  constructor(
    private readonly deps: HistoryDeps,
    private readonly trails: readonly Trail[],
    private readonly everywhere: boolean,
  ) {}

  async through(checkpoint: Pick<Checkpoint, 'size' | 'root'>): Promise<void> {
    for (const trail of this.trails) {
      trail.begin();
      for (const subject of trail.subjects) await this.follow(trail, subject);
      if (trail.sought.source !== undefined) add(this.bySource, trail.sought.source, trail);
    }
    for await (const { from, entries } of publishedEntries(this.deps.vault, checkpoint)) {
      const parsed = entries.flatMap((bytes, i) => {
        const entry = entryIn(bytes);
        return entry === undefined ? [] : [{ index: from + i, entry }];
      });
      if (this.everywhere) await this.tryAll(parsed.map(({ entry }) => entry.subject));
      for (const { index, entry } of parsed) await this.read(index, entry);
    }
  }

  private async read(index: number, entry: Entry): Promise<void> {
    const why = this.keyless.get(entry.subject);
    if (why !== undefined) for (const trail of this.trails) if (trail.subjects.has(entry.subject) || (this.everywhere && why !== 'erased')) trail.hide(why);
    const named = this.byName.get(entry.id);
    const meant = this.bySource.get(entry.src);
    // Raw entries have names that follow from nothing but their own random key: each is opened, and there are few.
    if (named === undefined && meant === undefined && entry.kind !== 'raw') return;
    const opened = await openSealed(this.deps, entry);
    for (const trail of new Set([...(named ?? []), ...(meant ?? []), ...(entry.kind === 'raw' ? this.trails : [])])) {
      if (!(await this.isAbout(trail, entry, opened, named?.has(trail) === true))) continue;
      trail.add({ index, entry, became: opened.state === 'image' || opened.state === 'closed' ? opened : { state: isRawRemoval(opened) ? 'removed' : opened.state } });
      // What led here leads on: a state that was given another subject is followed there.
      if (entry.kind !== 'raw') await this.learn(trail, entry.subject);
      if (opened.state === 'image') await this.learn(trail, stringOf(opened.image, 'subject'));
    }
  }

  /** What is in an entry decides where it can be opened, its name where not; an entry that nobody can open and that is asked for by its source has to be believed. */
  private async isAbout({ sought }: Trail, entry: Entry, opened: Opened, isNamed: boolean): Promise<boolean> {
    if (opened.state === 'image') return stringOf(opened.image, 'pk') === sought.key.pk && stringOf(opened.image, 'sk') === sought.key.sk;
    if (opened.state === 'raw') return isKeyOf(opened.content, sought.key);
    if (isNamed) return true;
    if (entry.src !== sought.source) return false;
    const name = await this.nameOf(entry.subject, sought.key);
    return name === undefined || name === entry.id;
  }

  private async learn(trail: Trail, subject: string | undefined): Promise<void> {
    if (this.everywhere || subject === undefined || !SUBJECT_FORM.test(subject) || trail.subjects.has(subject)) return;
    trail.subjects.add(subject);
    this.learnt = true;
    await this.follow(trail, subject);
  }

  private async follow(trail: Trail, subject: string): Promise<void> {
    const name = await this.nameOf(subject, trail.sought.key);
    if (name !== undefined) add(this.byName, name, trail);
  }

  private async tryAll(subjects: readonly string[]): Promise<void> {
    const fresh = [...new Set(subjects)].filter((subject) => !this.tried.has(subject));
    fresh.forEach((subject) => this.tried.add(subject));
    await inParallel(fresh, KEYS_AT_ONCE, async (subject) => {
      for (const trail of this.trails) await this.follow(trail, subject);
    });
  }

  /** Undefined: the subject has no key that opens, so nothing of it has a name that could be known. */
  private async nameOf(subject: string, key: TableKey): Promise<string | undefined> {
    const subjectKey = await this.deps.subjectKeys.existing(subject);
    if (typeof subjectKey === 'string') {
      this.keyless.set(subject, subjectKey === 'erased' ? 'erased' : subjectKey === 'absent' ? 'key-absent' : 'key-corrupt');
      return undefined;
    }
    return recordId(subjectKey, key);
  }
}

function add<K>(map: Map<K, Set<Trail>>, key: K, trail: Trail): void {
  const there = map.get(key);
  if (there === undefined) map.set(key, new Set([trail]));
  else there.add(trail);
}

/** The stream's own record, as the sealer got it: JSON, if it is one at all. */
function rawRecord(content: Buffer): { readonly eventName?: unknown; readonly dynamodb?: { readonly Keys?: Readonly<Record<string, { readonly S?: unknown } | undefined>> } } {
  try {
    return (JSON.parse(content.toString()) ?? {}) as ReturnType<typeof rawRecord>;
  } catch {
    return {};
  }
}

function isKeyOf(content: Buffer, { pk, sk }: TableKey): boolean {
  const keys = rawRecord(content).dynamodb?.Keys;
  return keys?.['pk']?.S === pk && keys['sk']?.S === sk;
}

const isRawRemoval = (opened: Opened): boolean => opened.state === 'raw' && rawRecord(opened.content).eventName === 'REMOVE';
