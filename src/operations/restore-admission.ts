/**
 * Whether a table may be restored into, and to which point of the log: decided before anything is read of the records, and before anything is written at all. A table that is being filled
 * says so from its first moment; a table that is somebody else's is refused.
 */
import { entryIn } from '../core/entry';
import type { Checkpoint } from '../core/log/checkpoint';
import { formatPoint, isSamePoint, labelIn, type RestorePoint } from '../core/restore-label';
import type { RestoreTarget, TableSettings } from '../ports/restore-target';
import { publishedEntries, type PublishedLog } from './published-entries';
import type { RestoreOptions, RestoreWork } from './restore-records';
import type { StatesOptions } from './restore-states';

/**
 * `before-first`, `in-future`, `past-end`: no such point of the log. `foreign-label`: the table holds another restore. `not-empty`: it holds records and is no restore. `of-a-stage`: it is a
 * deployment's own. `live-not-back`: facts are not taken back. `other-log`: the vault is not this deployment's. `no-keys`: without them nothing can be opened. In parts
 * only: `not-a-copy`: no table of that name is restored into. `no-replica`: there is none. `no-settings`: nothing tells how tables are set.
 */
export type RestoreErrorCode = 'before-first' | 'in-future' | 'past-end' | 'foreign-label' | 'not-empty' | 'of-a-stage' | 'live-not-back' | 'other-log' | 'no-keys' | 'not-a-copy' | 'no-replica' | 'no-settings';

/** Nothing was written. */
export class RestoreError extends Error {
  constructor(
    readonly code: RestoreErrorCode,
    message: string,
    readonly next: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'RestoreError';
  }
}

export interface Admission {
  readonly point: Partial<{ readonly size: number; readonly at: string }>;
  readonly compare: StatesOptions['compare'];
  readonly resumes: boolean;
  readonly label: RestoreWork['label'];
}

/** Whether this table may be restored into, and from which point: a table that was begun is finished as it was begun. Throws `RestoreError`. */
export async function admitted(target: RestoreTarget, there: TableSettings | 'absent', options: Omit<RestoreOptions, 'settings'>, { origin, size }: Checkpoint): Promise<Admission> {
  const label = there === 'absent' ? 'none' : labelIn(there.tags);
  if (label === 'unreadable') throw foreign(`${target.name} carries a label that is none of this program's`);
  const isNamed = options.size !== undefined || options.at !== undefined;
  const begunAt = label !== 'none' && label.incomplete && label.origin === origin && !isNamed ? label.point : undefined;
  const point: RestorePoint = begunAt ?? (options.at !== undefined ? { at: options.at } : { size: options.size ?? size });
  const isPart = options.only !== undefined;
  const labels = { begun: { origin, point, part: isPart, incomplete: true }, done: { origin, point, part: isPart, incomplete: false } };
  const admission = { point: 'at' in point ? { at: point.at } : { size: point.size }, resumes: begunAt !== undefined, label: labels };
  if (there === 'absent') return { ...admission, compare: 'empty' };
  if (label === 'none') {
    await checkUnused(target, there);
    return { ...admission, compare: 'empty' };
  }
  if (label.origin !== origin || !isSamePoint(label.point, point)) {
    throw foreign(`${target.name} holds a restore of ${label.origin} at ${formatPoint(label.point)}${label.incomplete ? ', unfinished' : ''}, not of ${origin} at ${formatPoint(point)}`);
  }
  // A part that is put right in a table of the whole makes it neither whole nor a part.
  return { ...admission, compare: 'exact', label: isPart && !label.part ? undefined : labels };
}

const foreign = (message: string): RestoreError => new RestoreError('foreign-label', message, 'restore into a table that does not exist yet, or name the point this one holds with --size or --at');

/** A table without a label may be filled only if it is empty and nobody's. */
async function checkUnused(target: RestoreTarget, there: TableSettings): Promise<void> {
  const stage = there.tags.find((tag) => tag.startsWith('intact:stage='));
  const elsewhere = 'restore into a table that does not exist yet';
  if (stage !== undefined) throw new RestoreError('of-a-stage', `${target.name} is a table of the deployment ${stage.slice('intact:stage='.length)}, but not its live records table`, elsewhere);
  for await (const _ of target.scan()) {
    throw new RestoreError('not-empty', `${target.name} holds records, but is neither the live table nor labelled as a restore`, elsewhere);
  }
}

/** The live table is brought to what the log says of it now; nothing newer is taken from it. */
export function admittedLive(there: TableSettings | 'absent', options: Omit<RestoreOptions, 'settings'>, { origin, size }: Checkpoint): Admission {
  if (options.size !== undefined || options.at !== undefined) {
    throw new RestoreError('live-not-back', 'the live table is not taken back to an earlier point: what was recorded since is as true as what was before', 'restore the earlier point into another table');
  }
  const label = there === 'absent' ? 'none' : labelIn(there.tags);
  const part = options.only !== undefined;
  const labels = { begun: { origin, point: { size }, part, incomplete: true }, done: { origin, point: { size }, part, incomplete: false } };
  // Made anew by a restore, and that is not finished yet. A part does not finish the whole.
  const isBegun = there === 'absent' || (typeof label === 'object' && label.incomplete && (label.part || !part));
  return { point: { size }, compare: there === 'absent' ? 'empty' : 'live', resumes: typeof label === 'object' && label.incomplete, label: isBegun ? labels : undefined };
}

export function checkOrigin({ origin }: Omit<RestoreOptions, 'settings'>, checkpoint: Checkpoint): void {
  if (origin === undefined || origin === checkpoint.origin) return;
  throw new RestoreError('other-log', `the vault holds the log ${checkpoint.origin}, this deployment's is ${origin}: its keys open nothing there`, 'name the vault of this deployment, or a copy of it, with --from');
}

export function checkedPoint(point: Admission['point'], checkpoint: Checkpoint, now: Date): Admission['point'] {
  if (checkpoint.size === 0) throw new RestoreError('before-first', 'the log is empty: nothing was ever sealed in it', 'wait for the first record');
  if (point.at !== undefined && point.at > now.toISOString()) throw new RestoreError('in-future', `${point.at} has not come yet; it is ${now.toISOString()}`, 'name a time that has passed');
  if (point.size !== undefined && point.size > checkpoint.size) throw new RestoreError('past-end', `the published log ends at ${checkpoint.size} entries, before ${point.size}`, `name a size from 1 to ${checkpoint.size}, or none for all of it`);
  if (point.size !== undefined && point.size < 1) throw new RestoreError('before-first', 'before its first entry the log has nothing to restore', `name a size from 1 to ${checkpoint.size}`);
  return point;
}

/** Sorts behind every time. */
const LATER = '~';

/** For who does not read the log: throws `RestoreError` where nothing in its first entries is as old as `at`. */
export async function checkHasBegun(vault: PublishedLog, checkpoint: Checkpoint, at: string): Promise<void> {
  for await (const { entries } of publishedEntries(vault, checkpoint)) {
    if (entries.some((bytes) => (entryIn(bytes)?.at ?? LATER) <= at)) return;
    throw await nothingThen(vault, checkpoint, at);
  }
}

/** Why there was nothing at all until `at`. */
export async function nothingThen(vault: PublishedLog, checkpoint: Checkpoint, at = ''): Promise<RestoreError> {
  for await (const { entries } of publishedEntries(vault, checkpoint)) {
    const times = entries.flatMap((bytes) => entryIn(bytes)?.at ?? []).sort();
    if (times[0] !== undefined) return new RestoreError('before-first', `${at} is before the first change that was sealed, at ${times[0]}`, `name a time from ${times[0]} on`);
  }
  return new RestoreError('before-first', `nothing was sealed before ${at}`, 'name a later time');
}
