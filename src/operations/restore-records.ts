/**
 * Restores records from the vault into a table: first a plan, which writes nothing, then what was planned. Restoring again after whatever stopped it writes only what still differs. A
 * table that is being filled says so from its first moment; a table that is somebody else's is refused.
 */
import type { Image, TableKey } from '../core/image';
import type { Checkpoint } from '../core/log/checkpoint';
import type { VerifierKey } from '../core/log/vkey';
import type { StateHash } from '../core/repair-record';
import { withLabel, type RestoreLabel } from '../core/restore-label';
import { SnapshotError, type SnapshotErrorCode } from '../core/snapshot';
import type { Finding } from '../core/verify/finding-codes';
import { PortError, type Clock, type Inbox, type KeyService, type KeyTable } from '../ports';
import type { RestoreTarget, TableSettings } from '../ports/restore-target';
import type { TableConfiguration } from '../ports/table-configuration';
import { inParallel } from './in-parallel';
import { loadSecrets } from './load-secrets';
import { publishedCheckpoint } from './published-entries';
import { chooseSnapshot, type ChosenSnapshot, type SnapshotChoice } from './read-snapshot';
import type { ReplayDeps, ReplayedRecord, ReplayNote } from './replay-log';
import { admitted, admittedLive, checkedPoint, checkOrigin, nothingThen, RestoreError, type Admission } from './restore-admission';
import { compareAll, CONTENTS_AT_ONCE, notesOf, outdated, type Findings } from './restore-comparison';
import { openContent, type ContentLoss, type LostContent } from './restore-content';
import { intoLive, type LiveTable } from './restore-live';
import { settingDifferences, type SettingDifference } from './restore-settings';
import { eachState, type Kept, type StatesOptions } from './restore-states';
import { subjectKeys } from './subject-keys';

export { RestoreError, type RestoreErrorCode } from './restore-admission';

export interface RestoreDeps extends ReplayDeps {
  /** Without `configure` (a drill's scratch table) what is made stays labelled incomplete, and a table that is there keeps its settings. */
  readonly target: RestoreTarget & Partial<TableConfiguration>;
  readonly now: Clock;
  /** Where bodies outside their records are put back; without it they are not looked at. */
  readonly inbox?: Pick<Inbox, 'put' | 'list'> | undefined;
  /** Given exactly when `target` is the live table: then every change is announced, conditional, and only of what is wrong. */
  readonly live?: LiveTable | undefined;
}

export interface RestoreOptions {
  /** What a new table is set to, and one that is there is brought to. */
  readonly settings: TableSettings;
  readonly size?: number | undefined;
  /** ISO 8601 UTC with milliseconds. */
  readonly at?: string | undefined;
  /** Keys the checkpoint must be signed by. */
  readonly pinned?: readonly VerifierKey[] | undefined;
  /** The log it has to be. */
  readonly origin?: string | undefined;
  /** What to begin from; without one the newest snapshot that does. It makes a restore faster and nothing else. */
  readonly snapshot?: SnapshotChoice | undefined;
  /** Only records of which this holds, judged by their genuine state; nothing is removed then. */
  readonly only?: ((image: Image) => boolean) | undefined;
  /** As `ReplayOptions.subjects`: nothing else is opened. */
  readonly subjects?: ((subject: string) => boolean) | undefined;
  /** States kept in memory between plan and apply, canonical bytes. */
  readonly keepBytes?: number | undefined;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

export interface RestoreProgress {
  readonly step: 'reading' | 'writing' | 'waiting' | 'removing';
  readonly done: number;
  readonly total: number;
}

/** Entries that gave no state. `gap`: erased, as it should be. `loss`: something is gone for good. `ignored`: refused, or made up for by a later entry. */
export interface RestoreNote {
  readonly why: ReplayNote['why'] | ContentLoss;
  readonly meaning: 'gap' | 'loss' | 'ignored';
  readonly count: number;
  /** Indexes of the first few entries. */
  readonly entries: readonly number[];
}

export interface RestorePlan {
  readonly origin: string;
  /** Entries of the log it is made from. */
  readonly size: number;
  readonly at?: string | undefined;
  /** The snapshot it begins from; undefined: it is made from the entries alone. */
  readonly snapshot?: { readonly name: string; readonly size: number; readonly at: string } | undefined;
  /** Why the newest snapshot was not used, and the entries alone were: its code, its object, what is wrong with it, what to do. */
  readonly snapshotNote?: { readonly code: SnapshotErrorCode; readonly object: string; readonly detail: string; readonly next: string } | undefined;
  readonly target: string;
  readonly isLive: boolean;
  /** Whether the table is there. */
  readonly exists: boolean;
  /** Its label tells of an earlier, unfinished run. */
  readonly resumes: boolean;
  /** Records the log has, of those asked for. */
  readonly records: number;
  readonly same: number;
  /** In the live table, sound and newer than the log: left alone. */
  readonly ahead: number;
  /** Missing or different in the table. */
  readonly toWrite: number;
  /** Of these, those over another state. */
  readonly toReplace: number;
  readonly toRemove: readonly TableKey[];
  /** Bodies to put back to the inbox. */
  readonly contents: number;
  /** Of the states to write, canonical. */
  readonly bytes: number;
  readonly notes: readonly RestoreNote[];
  /** Sum of the notes of that meaning. */
  readonly losses: number;
  /** What is wrong with the vault it is made from, and was passed over: somebody has to look. */
  readonly doubts?: readonly Finding[] | undefined;
  /** Settings of the table that is there which are not as they should be. */
  readonly settings: readonly SettingDifference[];
  /** For `applyRestore` alone. */
  readonly work: RestoreWork;
}

export interface RestoreWork {
  readonly options: RestoreOptions;
  readonly states: StatesOptions;
  readonly kept: Kept;
  readonly contents: readonly LostContent[];
  /** Of the live table: states to be overwritten or removed. */
  readonly wrong: ReadonlyMap<string, StateHash>;
  /** Whether a later state of this record may be in the log and cannot be read: to put an earlier one back could be going back. */
  readonly isOutdated: (record: ReplayedRecord) => boolean;
  /** While it is under way, and afterwards; undefined: the label stays as it is. */
  readonly label: { readonly begun: RestoreLabel; readonly done: RestoreLabel } | undefined;
}

/** A record of the live table that was left as it is, and why: `unsealed`: its state is not in the log yet. `changed`: it was changed meanwhile. `unreadable`: the log may hold it, or a later state of it, but nobody can open that. */
export interface LeftAlone {
  readonly key: TableKey;
  readonly why: 'unsealed' | 'changed' | 'unreadable';
}

export interface RestoreResult {
  readonly written: number;
  readonly removed: number;
  readonly contents: number;
  readonly left: readonly LeftAlone[];
  /** Settings that are still not as they should be. */
  readonly settings: readonly SettingDifference[];
  readonly seconds: number;
  /** Key of the record that says why records came back; of the live table. */
  readonly record?: TableKey | undefined;
}

const WRITTEN_AT_ONCE = 500;

/** Whether the table may be restored into, from which point of which log: what is known before any record is read. Writes nothing. Throws `RestoreError`, `ReplayError`, `PortError`, `VaultReadError`. */
export async function admitRestore(deps: Pick<RestoreDeps, 'vault' | 'target' | 'live' | 'now'>, options: Omit<RestoreOptions, 'settings'>): Promise<Admission & { readonly checkpoint: Checkpoint; readonly there: TableSettings | 'absent' }> {
  const checkpoint = await publishedCheckpoint(deps.vault, options.pinned);
  checkOrigin(options, checkpoint);
  const there = await deps.target.settings();
  const admission = deps.live === undefined ? await admitted(deps.target, there, options, checkpoint) : admittedLive(there, options, checkpoint);
  return { ...admission, point: checkedPoint(admission.point, checkpoint, deps.now()), checkpoint, there };
}

/** What a restore would do. Writes nothing. Throws `RestoreError`, `ReplayError`, `PortError`, `VaultReadError`; `SnapshotError` where a certain snapshot was asked for. */
export async function planRestore(deps: RestoreDeps, options: RestoreOptions): Promise<RestorePlan> {
  const { checkpoint, there, point, ...admission } = await admitRestore(deps, options);
  const states: StatesOptions = { checkpoint, ...point, only: options.only, subjects: options.subjects, compare: admission.compare, onProgress: (done, total) => options.onProgress?.({ step: 'reading', done, total }) };

  const { found, snapshot, error } = await compareFrom(deps, options, checkpoint, states);
  // A share may be nobody's.
  if (found.summary.entries === 0 && options.subjects === undefined) throw await nothingThen(deps.vault, checkpoint, options.at);
  const notes = notesOf(found);
  const losses = notes.reduce((sum, { meaning, count }) => sum + (meaning === 'loss' ? count : 0), 0);
  return {
    origin: checkpoint.origin,
    size: point.size ?? checkpoint.size,
    at: point.at,
    snapshot: snapshot && { name: snapshot.name, size: snapshot.manifest.size, at: snapshot.manifest.at },
    snapshotNote: error && { code: error.code, object: error.object, detail: error.message, next: error.next },
    target: deps.target.name,
    isLive: deps.live !== undefined,
    exists: there !== 'absent',
    resumes: admission.resumes,
    ...found.counts,
    toRemove: found.extras,
    contents: found.contents.length,
    notes,
    losses,
    doubts: deps.vault.doubts,
    settings: there === 'absent' ? [] : settingDifferences(options.settings, there),
    work: { options, states: { ...states, snapshot }, kept: found.kept, contents: found.contents, wrong: found.wrong, isOutdated: outdated(found), label: admission.label },
  };
}

/** From the snapshot that was asked for; from the entries alone where the newest one turns out to be damaged, which shows only when its parts are read. */
async function compareFrom(deps: RestoreDeps, options: RestoreOptions, checkpoint: Checkpoint, states: StatesOptions): Promise<ChosenSnapshot & { readonly found: Findings }> {
  const choice = options.snapshot ?? 'newest';
  const chosen = await chooseSnapshot(deps, checkpoint, choice, states);
  try {
    const found = await compareAll(deps, options, { ...states, snapshot: chosen.snapshot });
    if (choice === 'newest' && chosen.snapshot !== undefined && (found.summary.counts.has('blob-absent') || found.summary.counts.has('damaged'))) {
      throw new SnapshotError('incomplete', chosen.snapshot.name, 'an entry that it stands for cannot be read any more, and the log may hold an earlier state of the record');
    }
    return { ...chosen, found };
  } catch (error) {
    if (choice !== 'newest' || !(error instanceof SnapshotError)) throw error;
    return { error, found: await compareAll(deps, options, states) };
  }
}

/**
 * Does what was planned. Died anywhere: the table is labelled incomplete (the live one: each record is as it was or as it should be), and the same command finishes it. Throws
 * `ReplayError`, `PortError`, `VaultReadError`.
 */
export async function applyRestore(deps: RestoreDeps, plan: RestorePlan): Promise<RestoreResult> {
  const began = deps.now();
  const { label, options } = plan.work;
  const { target } = deps;
  // The label first: whatever happens from here on, the table says that it is not whole.
  const settings = label === undefined ? options.settings : labelled(options.settings, label.begun);
  if (!plan.exists) await target.create(settings);
  else if (label !== undefined || plan.settings.length > 0) await target.configure?.(settings);
  const outcome = deps.live === undefined ? await intoCopy(deps, plan) : await intoLive({ ...deps, live: deps.live }, plan, () => putContents(deps, plan), began);
  // Only now is it whole. Died before this: it stays labelled, and the next run finds nothing to write and says so here.
  if (label !== undefined) await target.configure?.(labelled(options.settings, label.done));
  const there = await target.settings();
  const left = there === 'absent' ? [] : settingDifferences(options.settings, there);
  return { ...outcome, settings: left, seconds: (deps.now().getTime() - began.getTime()) / 1000 };
}

/** Keys and MAC keys of a deployment. Throws `RestoreError` (`no-keys`), `PortError`. */
export async function restoreKeys(ports: { readonly keys: Pick<KeyTable, 'get' | 'create' | 'getSecret'>; readonly keyService: Pick<KeyService, 'region' | 'unwrap'>; readonly random: (n: number) => Buffer; readonly now: Clock }): Promise<Pick<ReplayDeps, 'subjectKeys' | 'macKeys'>> {
  const secrets = loadSecrets(ports);
  try {
    const [macKeys] = await Promise.all([secrets.macKeys(), secrets.kek()]);
    return { macKeys, subjectKeys: subjectKeys({ ...ports, kek: secrets.kek }) };
  } catch (cause) {
    if (!(cause instanceof PortError) || cause.code !== 'corrupt') throw cause;
    throw new RestoreError('no-keys', `the keys cannot be had, and without them nothing in the vault can be opened: ${cause.message}`, 'bring back the keys table first: docs/runbook.md#restore', { cause });
  }
}

/** Into a table that is nobody's but ours. */
async function intoCopy(deps: RestoreDeps, plan: RestorePlan): Promise<Omit<RestoreResult, 'settings' | 'seconds'>> {
  const { states, kept, options } = plan.work;
  let written = 0;
  const write = async (images: readonly Image[]): Promise<void> => {
    for (let at = 0; at < images.length; at += WRITTEN_AT_ONCE) {
      const some = images.slice(at, at + WRITTEN_AT_ONCE);
      await deps.target.write(some);
      written += some.length;
      options.onProgress?.({ step: 'writing', done: written, total: plan.toWrite });
    }
  };
  // Bodies before the records that name them, as a delivery puts them.
  const contents = await putContents(deps, plan);
  const inMemory = kept.all();
  if (inMemory !== undefined) await write(inMemory.map(({ image }) => image));
  else await eachState(deps, { ...states, onProgress: undefined }, async (some) => write(some.filter(({ stands }) => stands !== 'same').map(({ record }) => record.image)));
  for (let at = 0; at < plan.toRemove.length; at += WRITTEN_AT_ONCE) {
    const some = plan.toRemove.slice(at, at + WRITTEN_AT_ONCE);
    await deps.target.remove(some);
    options.onProgress?.({ step: 'removing', done: at + some.length, total: plan.toRemove.length });
  }
  return { written, removed: plan.toRemove.length, contents, left: [] };
}

/** How many are there now that were missing. */
async function putContents(deps: RestoreDeps, { work }: RestorePlan): Promise<number> {
  const { inbox } = deps;
  if (inbox === undefined) return 0;
  const put = await inParallel(work.contents, CONTENTS_AT_ONCE, async (content) => {
    const bytes = await openContent(deps, content);
    if (typeof bytes === 'string') return 0; // gone since the plan was made; the next plan says so
    await inbox.put(content.name, bytes);
    return 1;
  });
  return put.reduce<number>((sum, n) => sum + n, 0);
}

export const labelled = (settings: TableSettings, label: RestoreLabel): TableSettings => ({ ...settings, tags: withLabel(settings.tags, label) });
