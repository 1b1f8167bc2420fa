/** What a restore finds before it writes: how the table differs from what the log says it should hold, and what the log holds that nobody can open any more. */
import { stringOf, type TableKey } from '../core/image';
import { isImmutableKind } from '../core/kinds';
import { isErasedState, placeOf, shortPlace } from '../core/record-history';
import type { StateHash } from '../core/repair-record';
import { standing } from '../core/table-audit';
import { inParallel } from './in-parallel';
import type { ReplayNote, ReplaySummary } from './replay-log';
import { contentCheck, openContent, type ContentLoss, type LostContent } from './restore-content';
import type { RestoreDeps, RestoreNote, RestoreOptions, RestorePlan, RestoreWork } from './restore-records';
import { eachState, Kept, type Compared, type StatesOptions } from './restore-states';
import { hashOf } from './sealed-evidence';

/** Bodies opened at once. */
export const CONTENTS_AT_ONCE = 8;
/** 64 MB of states are some 300 MB of objects; beyond that the log is read again. */
const KEEP_BYTES = 64 * 1024 * 1024;
const EXAMPLES = 10;

export interface Findings {
  readonly summary: ReplaySummary;
  readonly counts: Pick<RestorePlan, 'records' | 'same' | 'ahead' | 'toWrite' | 'toReplace' | 'bytes'>;
  readonly kept: Kept;
  readonly contents: readonly LostContent[];
  readonly contentLosses: readonly { readonly why: ContentLoss; readonly index: number }[];
  readonly extras: readonly TableKey[];
  readonly wrong: ReadonlyMap<string, StateHash>;
  /** Entry of the state each record is given, by its id. */
  readonly given: ReadonlyMap<string, number>;
}

export async function compareAll(deps: RestoreDeps, options: RestoreOptions, states: StatesOptions): Promise<Findings> {
  const [places, kept, wrong, given] = [new Set<string>(), new Kept(options.keepBytes ?? KEEP_BYTES), new Map<string, StateHash>(), new Map<string, number>()];
  const looksForExtras = states.compare !== 'empty' && options.only === undefined;
  const counts = { records: 0, same: 0, ahead: 0, toWrite: 0, toReplace: 0, bytes: 0 };
  const lost: LostContent[] = [];
  const contentLosses: { why: ContentLoss; index: number }[] = [];
  const check = deps.inbox === undefined ? undefined : contentCheck(deps.inbox);

  const take = async ({ record, there, stands }: Compared): Promise<void> => {
    given.set(record.entry.id, record.index);
    if (looksForExtras) places.add(shortPlace(placeOf(record.image)));
    counts.records += 1;
    const content = await check?.look(record);
    if (content === 'content-different') contentLosses.push({ why: content, index: record.index });
    else if (typeof content === 'object') lost.push(content);
    if (stands === 'same' || stands === 'ahead') {
      counts[stands] += 1;
      return;
    }
    counts.toWrite += 1;
    counts.bytes += kept.add(record);
    if (there === undefined) return;
    counts.toReplace += 1;
    if (deps.live !== undefined && !isErasedState(record.image, there, deps.macKeys)) wrong.set(placeOf(there), hashOf(there) ?? 'absent');
  };
  const summary = await eachState(deps, states, async (some) => {
    for (const each of some) await take(each);
  });

  // What cannot be opened now will not be later: the plan has to say so. The bytes are read again when they are put.
  const opened = await inParallel(lost, CONTENTS_AT_ONCE, (content) => openContent(deps, content));
  opened.forEach((bytes, i) => {
    if (typeof bytes === 'string') contentLosses.push({ why: bytes, index: lost[i]!.index });
  });
  const contents = lost.filter((_, i) => typeof opened[i] !== 'string');
  const extras = looksForExtras ? await extraItems(deps, places, wrong) : [];
  return { summary, counts, kept, contents, contentLosses, extras, wrong, given };
}

/** Items the log has nothing in the place of. In the live table what this system wrote is merely newer than the log. */
async function extraItems({ target, live, macKeys }: RestoreDeps, places: ReadonlySet<string>, wrong: Map<string, StateHash>): Promise<readonly TableKey[]> {
  const extras: TableKey[] = [];
  for await (const image of target.scan()) {
    if (places.has(shortPlace(placeOf(image))) || (live !== undefined && standing(undefined, image, macKeys) !== 'extra')) continue;
    const key = { pk: (image['pk'] as { readonly S: string }).S, sk: (image['sk'] as { readonly S: string }).S };
    extras.push(key);
    if (live !== undefined) wrong.set(placeOf(image), hashOf(image) ?? 'absent');
  }
  return extras;
}

/** The log holds these, but nobody can open them, or tell whether this system wrote them. */
const CLOSED: ReadonlySet<ReplayNote['why']> = new Set(['key-absent', 'key-corrupt', 'blob-absent', 'damaged', 'mac-unknown-key'] as const);

/** By reason; what was closed but made up for by a later entry is no loss. Beyond the notes that are kept, all count as lost. */
export function notesOf({ summary, given, contentLosses }: Findings): RestoreNote[] {
  const notes: RestoreNote[] = [];
  const note = (why: RestoreNote['why'], meaning: RestoreNote['meaning'], count: number, entries: readonly number[]): void => {
    if (count > 0) notes.push({ why, meaning, count, entries: entries.slice(0, EXAMPLES) });
  };
  for (const [why, count] of summary.counts) {
    const those = summary.notes.filter((each) => each.why === why);
    if (!CLOSED.has(why)) {
      note(why, why === 'erased' ? 'gap' : 'ignored', count, those.map(({ index }) => index));
      continue;
    }
    const replaced = those.filter(({ id, index }) => (given.get(id) ?? -1) > index);
    const lost = those.filter((each) => !replaced.includes(each));
    note(why, 'loss', count - replaced.length, lost.map(({ index }) => index));
    note(why, 'ignored', replaced.length, replaced.map(({ index }) => index));
  }
  for (const why of ['content-unsealed', 'content-closed', 'content-different'] as const) {
    const those = contentLosses.filter((each) => each.why === why);
    note(why, 'loss', those.length, those.map(({ index }) => index));
  }
  return notes;
}

/** Keys are a subject's: where one is missing, no state of the record can be read. Blobs are an entry's. */
const OF_ONE_ENTRY: ReadonlySet<ReplayNote['why']> = new Set(['blob-absent', 'damaged'] as const);

/** A record that is written once has no later state. Beyond the notes that are kept, any other may have one. */
export function outdated({ summary, given }: Findings): RestoreWork['isOutdated'] {
  const later = new Set(summary.notes.flatMap(({ why, id, index }) => (CLOSED.has(why) && index > (given.get(id) ?? index) ? [id] : [])));
  const areMore = [...OF_ONE_ENTRY].some((why) => (summary.counts.get(why) ?? 0) > summary.notes.filter((note) => note.why === why).length);
  return ({ image, entry }) => !isImmutableKind(stringOf(image, 'kind') ?? '') && (areMore || later.has(entry.id));
}
