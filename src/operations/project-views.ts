/**
 * Keeps the views current from the records' stream. Views are derived: losing them loses nothing, and `rebuildViews` makes them again. Repeats and disorder
 * change nothing, so a batch that failed half-way is simply processed again.
 */
import { stringOf, type Image } from '../core/image';
import { checkMac } from '../core/record-mac';
import { indexChanges, isIndexed, type IndexChange } from '../core/staff/search-index';
import { isTombstone } from '../core/tombstone';
import { LAST_ORDER, showingsOf, viewsErasedWith, viewsOf } from '../core/views';
import type { Clock, RecordStore, StreamEvent, ViewStore } from '../ports';
import { inParallel } from './in-parallel';
import type { Secrets } from './load-secrets';

/** Updates in flight; they touch few items, and more at once would only refuse each other. */
const CONCURRENCY = 8;
/** How long a row of the search index says that it is gone, so that an older event which comes late does not bring it back: a stream holds its events for a day. */
const GONE_FOR_SECONDS = 7 * 86_400;

export interface ProjectDeps {
  readonly views: Pick<ViewStore, 'apply' | 'place' | 'remove'>;
  readonly keys: Pick<Secrets, 'macKeys' | 'dedupeKey'>;
  readonly now: Clock;
}

export interface Projected {
  readonly applied: number;
  readonly seen: number;
}

/** Applies what the events mean for the views. Of most kinds only new records count: what is overwritten or removed is the sealer's business. Throws `PortError`. */
export async function projectViews(deps: ProjectDeps, events: readonly StreamEvent[]): Promise<Projected> {
  const made = events.flatMap(({ op, newImage }) => (op === 'INSERT' && newImage !== undefined ? [newImage] : []));
  return sumOf([await apply(deps, made), await projectShowings(deps, made), await projectIndex(deps, events.filter(({ key }) => isIndexed(key))), await projectErased(deps, events)]);
}

/** Makes the views of everything in the table; into an empty views table, or over one that it then completes. */
export async function rebuildViews(deps: ProjectDeps & { readonly records: Pick<RecordStore, 'scan'> }): Promise<Projected> {
  let sum: Projected = { applied: 0, seen: 0 };
  let page: Image[] = [];
  const flush = async (): Promise<void> => {
    sum = sumOf([sum, await apply(deps, page), await projectShowings(deps, page), await projectIndex(deps, page.filter(isOfIndex).map((newImage) => ({ op: 'INSERT', newImage })))]);
    page = [];
  };
  for await (const image of deps.records.scan()) {
    page.push(image);
    if (page.length >= PAGE) await flush();
  }
  await flush();
  return sum;
}

/** Any order will do: there is only one. */
const ONCE = '1';
/** Enough to keep the updates in flight busy. */
const PAGE = 256;

const isOfIndex = (image: Image): boolean => isIndexed({ pk: stringOf(image, 'pk') ?? '', sk: '' }) && stringOf(image, 'sk') !== undefined;

async function apply({ views }: ProjectDeps, records: readonly Image[]): Promise<Projected> {
  return counted(await inParallel(records.flatMap(viewsOf), CONCURRENCY, (update) => views.apply(update)));
}

/**
 * An erasure takes its records out of the views itself. One that was still on its way into them comes here behind that, and before its tombstone: which takes it out again. Both states have to be ours, or somebody
 * who writes the table by hand could have another customer's views removed.
 */
async function projectErased({ views, keys }: ProjectDeps, events: readonly Pick<StreamEvent, 'newImage' | 'oldImage'>[]): Promise<Projected> {
  const erased = events.flatMap(({ newImage, oldImage }) => (newImage !== undefined && oldImage !== undefined && isTombstone(newImage) && !isTombstone(oldImage) ? [[oldImage, newImage] as const] : []));
  if (erased.length === 0) return { applied: 0, seen: 0 };
  const macKeys = await keys.macKeys();
  const places = erased.flatMap((states) => (states.every((state) => checkMac(macKeys, state) === 'valid') ? viewsErasedWith(states[0]) : []));
  return counted(await inParallel(places, CONCURRENCY, (key) => views.remove(key, LAST_ORDER)));
}

/** A line of the access log never changes and its rows hold nothing but where it stands, so a row is put once and for all. */
async function projectShowings({ views, keys }: ProjectDeps, records: readonly Image[]): Promise<Projected> {
  const lines = records.filter((record) => showingsOf(record).length > 0);
  if (lines.length === 0) return { applied: 0, seen: 0 };
  const macKeys = await keys.macKeys();
  const places = lines.filter((line) => checkMac(macKeys, line) === 'valid').flatMap(showingsOf);
  return counted(await inParallel(places, CONCURRENCY, (key) => views.place({ key, order: ONCE, set: {} })));
}

/**
 * The search index follows customers and aliases through all their states. Only through ours: a state that somebody wrote by hand is as good as not there, so the rows of the one before it are still there
 * when that is put back.
 */
async function projectIndex({ views, keys, now }: ProjectDeps, events: readonly Pick<StreamEvent, 'op' | 'newImage' | 'oldImage'>[]): Promise<Projected> {
  if (events.length === 0) return { applied: 0, seen: 0 };
  const [macKeys, dedupeKey] = await Promise.all([keys.macKeys(), keys.dedupeKey()]);
  const ours = (image: Image | undefined): Image | undefined => (image !== undefined && checkMac(macKeys, image) === 'valid' ? image : undefined);
  const goesAt = Math.floor(now().getTime() / 1000) + GONE_FOR_SECONDS;
  const place = ({ key, order, row, isGone }: IndexChange): Promise<'applied' | 'seen'> => views.place({ key, order, set: row, ...(isGone && { goesAt }) });
  const outcomes: Projected[] = [];
  // One event after the other: two of one record may be about the same row, and a removal leaves nothing by which a later change could tell what came first.
  for (const { op, newImage, oldImage } of events) {
    const [before, after] = [ours(oldImage), ours(newImage)];
    if (op !== 'REMOVE' && after === undefined) continue;
    const changes = indexChanges(dedupeKey, before, after);
    outcomes.push(counted(await inParallel(changes, CONCURRENCY, (change) => (op === 'REMOVE' ? views.remove(change.key, change.order) : place(change)))));
  }
  return sumOf(outcomes);
}

function counted(outcomes: readonly ('applied' | 'seen')[]): Projected {
  const applied = outcomes.filter((outcome) => outcome === 'applied').length;
  return { applied, seen: outcomes.length - applied };
}

const sumOf = (parts: readonly Projected[]): Projected => ({ applied: parts.reduce((sum, { applied }) => sum + applied, 0), seen: parts.reduce((sum, { seen }) => sum + seen, 0) });
