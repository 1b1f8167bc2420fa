/**
 * The states a restore is about: every record as the log leaves it, beside what the target has in its place. The one walk that planning and applying share; planning keeps what has to be
 * written as far as memory allows, so that a restore of ordinary size reads the log once.
 */
import { canonicalImage } from '../core/canonical-image';
import { keyOf, type Image } from '../core/image';
import type { Checkpoint } from '../core/log/checkpoint';
import { isSameImage, placeOf } from '../core/record-history';
import { standing, type Standing } from '../core/table-audit';
import type { RestoreTarget } from '../ports/restore-target';
import type { TrustedSnapshot } from './read-snapshot';
import { replayLog, type ReplayDeps, type ReplayedRecord, type ReplaySummary } from './replay-log';

/** A record and what the target has instead; `there` undefined: nothing. */
export interface Compared {
  readonly record: ReplayedRecord;
  readonly there: Image | undefined;
  /** Of `there`. In a table that is not live nothing can be ahead of the log. */
  readonly stands: Standing;
}

export interface StatesOptions {
  readonly checkpoint: Pick<Checkpoint, 'size' | 'root'>;
  /** To begin from. */
  readonly snapshot?: TrustedSnapshot | undefined;
  readonly size?: number | undefined;
  readonly at?: string | undefined;
  readonly only?: ((image: Image) => boolean) | undefined;
  readonly subjects?: ((subject: string) => boolean) | undefined;
  /** `empty`: the target holds nothing and is not asked. `exact`: it should hold this and nothing else. `live`: it may be ahead of the log. */
  readonly compare: 'empty' | 'exact' | 'live';
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Records compared by one request to the target. */
const COMPARED_AT_ONCE = 200;

export interface StatesDeps extends ReplayDeps {
  readonly target: Pick<RestoreTarget, 'read'>;
}

/** Calls `give` with the records, a few hundred at a time. Throws `ReplayError`, `SnapshotError`, `PortError`, `VaultReadError`. */
export async function eachState(deps: StatesDeps, { checkpoint, snapshot, size, at, only, subjects, compare, onProgress }: StatesOptions, give: (states: readonly Compared[]) => Promise<void>): Promise<ReplaySummary> {
  let batch: ReplayedRecord[] = [];
  const flush = async (): Promise<void> => {
    const records = batch;
    batch = [];
    if (records.length === 0) return;
    const there = compare === 'empty' ? new Map<string, Image>() : await itemsAt(deps.target, records);
    await give(records.map((record) => compared(record, there.get(placeOf(record.image)), compare, deps)));
  };
  const summary = await replayLog(
    deps,
    {
      checkpoint,
      snapshot,
      ...(size !== undefined && { size }),
      ...(at !== undefined && { at }),
      ...(only !== undefined && { only }),
      ...(subjects !== undefined && { subjects }),
      onProgress: ({ pass, entries, total }) => onProgress?.((pass - 1) * total + entries, 2 * total),
    },
    async (record) => {
      batch.push(record);
      if (batch.length >= COMPARED_AT_ONCE) await flush();
    },
  );
  await flush();
  return summary;
}

/** What `target` has in the places of `records`. */
export async function itemsAt(target: Pick<RestoreTarget, 'read'>, records: readonly Pick<ReplayedRecord, 'image'>[]): Promise<ReadonlyMap<string, Image>> {
  const keys = new Map(records.map(({ image }) => [placeOf(image), keyOf(image)]));
  return new Map((await target.read([...keys.values()])).map((image) => [placeOf(image), image]));
}

function compared(record: ReplayedRecord, there: Image | undefined, compare: StatesOptions['compare'], { macKeys }: ReplayDeps): Compared {
  if (compare === 'live') return { record, there, stands: standing(record.image, there, macKeys) };
  return { record, there, stands: there === undefined ? 'missing' : isSameImage(record.image, there) ? 'same' : 'modified' };
}

/** States to write, kept until they are more than `maxBytes`: then none, and they are read again when they are written. */
export class Kept {
  private records: Map<string, ReplayedRecord> | undefined = new Map();
  private size = 0;

  constructor(private readonly maxBytes: number) {}

  /** Returns the bytes of the state, canonical. */
  add(record: ReplayedRecord): number {
    const bytes = canonicalImage(record.image).length;
    this.size += bytes;
    if (this.size > this.maxBytes) this.records = undefined;
    this.records?.set(placeOf(record.image), record);
    return bytes;
  }

  /** Undefined: there were too many. */
  all(): readonly ReplayedRecord[] | undefined {
    return this.records === undefined ? undefined : [...this.records.values()];
  }
}
