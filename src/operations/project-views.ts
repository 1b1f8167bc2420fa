/**
 * Keeps the views current from the records' stream. Views are derived: losing them loses nothing, and `rebuildViews` makes them again. Repeats and disorder
 * change nothing, so a batch that failed half-way is simply processed again.
 */
import type { Image } from '../core/image';
import { viewsOf } from '../core/views';
import type { RecordStore, StreamEvent, ViewStore } from '../ports';
import { inParallel } from './in-parallel';

/** Updates in flight; they touch few items, and more at once would only refuse each other. */
const CONCURRENCY = 8;

export interface ProjectDeps {
  readonly views: Pick<ViewStore, 'apply'>;
}

/** Applies what the events mean for the views. Only new records count: what is overwritten or removed is the sealer's business. Throws `PortError`. */
export async function projectViews(deps: ProjectDeps, events: readonly StreamEvent[]): Promise<{ readonly applied: number; readonly seen: number }> {
  return apply(deps, events.flatMap((event) => (event.op === 'INSERT' && event.newImage !== undefined ? [event.newImage] : [])));
}

/** Makes the views of everything in the table; into an empty views table, or over one that it then completes. */
export async function rebuildViews(deps: ProjectDeps & { readonly records: Pick<RecordStore, 'scan'> }): Promise<{ readonly applied: number; readonly seen: number }> {
  const sum = { applied: 0, seen: 0 };
  let page: Image[] = [];
  const flush = async (): Promise<void> => {
    const { applied, seen } = await apply(deps, page);
    sum.applied += applied;
    sum.seen += seen;
    page = [];
  };
  for await (const image of deps.records.scan()) {
    page.push(image);
    if (page.length >= PAGE) await flush();
  }
  await flush();
  return sum;
}

/** Enough to keep the updates in flight busy. */
const PAGE = 256;

async function apply({ views }: ProjectDeps, records: readonly Image[]): Promise<{ readonly applied: number; readonly seen: number }> {
  const outcomes = await inParallel(records.flatMap(viewsOf), CONCURRENCY, (update) => views.apply(update));
  const applied = outcomes.filter((outcome) => outcome === 'applied').length;
  return { applied, seen: outcomes.length - applied };
}
