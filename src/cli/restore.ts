/**
 * `intact restore --to <table>`: records out of the vault into a table, the whole of them or some, as they are now or were at a point. Shows the plan, then does it; into the live
 * table only after the log's origin was typed. The same command finishes what was interrupted. A live table that is made again is read by its functions from its first moment.
 */
import { keyOf, stringOf, type Image } from '../core/image';
import type { VerifierKey } from '../core/log/vkey';
import { hashed } from '../core/dedupe-key';
import { recordKeys } from '../core/table-keys';
import type { RestoreDeps, RestoreOptions, RestorePlan } from '../operations/restore-records';
import type { ReadersPlan } from '../operations/connect-readers';
import type { PublishedLog } from '../operations/published-entries';
import type { TableSettings } from '../ports/restore-target';
import type { Call, Run } from './command';
import { confirmed } from './confirmation';
import { Failure } from './failure';
import { vkeyFrom } from './files';
import { printJson, printLine, say } from './io';
import { progress } from './progress';
import { silentMeter } from './reading';
import { afterRestore } from './restore-next';
import { planned, plannedReaders, restored } from './restore-page';
import { amount, counted, timeFrom } from './text';
import type { Deployment } from './world';

export const run: Run = async (call) => {
  const { text, flag, io, world } = call;
  const to = text('to');
  if (to === undefined) throw new Failure('usage', 'restore needs --to <table>', 'name a table that does not exist yet; npx intact help restore');
  const point = pointOf(call);
  const pinned = text('vkey') === undefined ? [] : [await vkeyFrom(io, text('vkey') as string)];
  const deployment = await world.deployment();
  refuseOwnTables(deployment, to);
  if (flag('in-parts')) return explained(text('from'), async () => (await import('./restore-in-parts')).restoreInParts(call, deployment, to, point));
  const source = text('from') === undefined ? undefined : (await world.vaultAt(text('from') as string)).reader;
  const [{ planRestore, applyRestore }, { connectReaders, planReaders }] = await Promise.all([import('../operations/restore-records'), import('../operations/connect-readers')]);
  const shown = progress(io, world.now);
  const onProgress: RestoreOptions['onProgress'] = ({ step, done, total }) => shown.tell(`${WORDS[step]} ${counted(done)} of ${counted(total)}`);

  return explained(text('from'), async () => {
    const { despiteCheckpoint, wholeVault } = await import('../operations/facts-vault');
    const finding = { pinned, onProgress: (done: number, of: number) => shown.tell(`finding the log among the facts: entry ${counted(done)} of ${counted(of)}`) };
    // A replica holds the facts alone: they are enough.
    const vault = source === undefined ? await despiteCheckpoint(deployment.vault, finding) : await wholeVault(source, finding);
    const snapshot = snapshotOf(call);
    const { deps, options, connected } = await opened(call, deployment, vault, to, pinned);
    const plan = await planRestore(deps, { ...options, ...point, snapshot, onProgress }).finally(shown.end);
    if (plan.records === 0 && options.only !== undefined) throw new Failure('not-found', 'the log has no such record', 'npx intact list shows customers and message ids');
    const readers = plan.isLive ? await planReaders(deployment.streamReaders, to) : undefined;
    if (!flag('json')) for (const line of [...planned(plan), ...plannedReaders(readers)]) printLine(io, line);
    const isDone = flag('plan') || (plan.isLive && isNothing(plan) && isAllRead(readers));
    if (plan.isLive && !isDone) await confirmed(call, plan.origin, `This changes the live table ${to} of ${plan.origin}: ${summary(plan, readers)}`);
    const result = isDone ? undefined : await applyRestore(deps, plan).finally(shown.end);
    // Connected as soon as the table was made; where the table needed nothing, or an earlier run died before this, now.
    if (plan.isLive && !isDone) connected.push(...(await connectReaders(deployment.streamReaders, to)));
    if (flag('json')) printJson(io, { plan: facts(plan), readers: readers === undefined ? null : { ...readers, connected }, result: result ?? null });
    else if (result !== undefined) for (const line of [...restored(result), ...afterRestore(plan, connected, deployment)]) printLine(io, line);
    else say(io, flag('plan') ? 'nothing was written: this was only the plan' : 'nothing to do');
    return plan.losses > 0 || (plan.doubts?.length ?? 0) > 0 || readers?.nobody === true || (result !== undefined && (result.left.length > 0 || result.settings.length > 0)) ? 1 : 0;
  });
};

const WORDS = { reading: 'reading the log, twice: entry', writing: 'written', waiting: 'waiting until what will be overwritten is in the log itself: sealed', removing: 'removed' } as const;

function pointOf({ text, world }: Call): Pick<RestoreOptions, 'at' | 'size'> {
  const [at, size] = [text('at'), text('size')];
  if (at !== undefined && size !== undefined) throw new Failure('usage', '--at and --size exclude each other');
  if (size !== undefined) {
    if (!/^\d{1,15}$/.test(size)) throw new Failure('usage', `--size is a number of entries, not "${size}"`, 'npx intact status shows the size of the log');
    return { size: Number(size) };
  }
  if (at === undefined) return {};
  const time = timeFrom(at, world.now());
  if (time === undefined) throw new Failure('usage', `--at is a time, not "${at}"`, 'e.g. 2026-01-31T08:00:00Z, 2026-01-31, or 90m for an hour and a half ago');
  return { at: time };
}

/** What to begin from: the newest snapshot that fits, that of a certain size, or the entries alone. */
function snapshotOf({ text }: Call): RestoreOptions['snapshot'] {
  const given = text('snapshot');
  if (given === undefined || given === 'newest') return 'newest';
  if (given === 'none') return 'none';
  if (!/^\d{1,15}$/.test(given)) throw new Failure('usage', `--snapshot is a size of the log, or "none", not "${given}"`, 'npx intact snapshot --list shows those there are');
  return Number(given);
}

function refuseOwnTables({ outputs }: Deployment, to: string): void {
  const of = (['LogTableName', 'KeysTableName', 'ViewsTableName'] as const).find((name) => outputs[name] === to);
  if (of !== undefined) throw new Failure('usage', `${to} is another table of this deployment (${of}): records do not belong there`, 'name a table that does not exist yet');
}

interface Opened {
  readonly deps: RestoreDeps;
  readonly options: RestoreOptions;
  /** Functions that were let read the table's stream by what was done with `deps`. */
  readonly connected: string[];
}

/** Everything the operation needs of the deployment. */
async function opened(call: Call, deployment: Deployment, vault: PublishedLog, to: string, pinned: readonly VerifierKey[]): Promise<Opened> {
  const { records, log, keys, kms, random, inbox, repairs, outputs } = deployment;
  const { now } = call.world;
  const { restoreKeys } = await import('../operations/restore-records');
  const identity = await log.identity();
  const isLive = to === outputs.RecordsTableName;
  if (isLive && identity === 'absent') throw new Failure('not-yet', 'this deployment has no log yet: there is nothing to restore');
  const live = isLive && identity !== 'absent' ? { records, repairs, identity, by: await deployment.operator(), meter: silentMeter, sleep: call.io.sleep } : undefined;
  const opening = await restoreKeys({ keys, keyService: kms, random, now });
  const only = await scopeOf(call, deployment);
  const { readFromTheStart } = await import('../operations/connect-readers');
  const [target, connected] = [deployment.tableAt(to), [] as string[]];
  return {
    deps: { ...opening, vault, target: isLive ? readFromTheStart(target, deployment.streamReaders, (reader) => connected.push(reader)) : target, now, inbox, live },
    connected,
    options: { settings: await settingsFor(deployment, isLive), pinned, only, ...(identity !== 'absent' && { origin: identity.origin }) },
  };
}

/** As the live table is set, or as the deployment made it. */
async function settingsFor({ tableAt, outputs }: Deployment, isLive: boolean): Promise<TableSettings> {
  const { settingsToRestore } = await import('../operations/restore-settings');
  const settings = await settingsToRestore({ live: tableAt(outputs.RecordsTableName), siblings: [outputs.LogTableName, outputs.ViewsTableName].map(tableAt), isLive });
  if (settings !== 'unknown') return settings;
  throw new Failure('wrong', `neither ${outputs.LogTableName} nor ${outputs.ViewsTableName} is there to tell how this deployment's tables are set`, 'restore into a table of another name that you make yourself, empty; docs/runbook.md#restore');
}

async function scopeOf({ text }: Call, { keys, kms }: Deployment): Promise<RestoreOptions['only']> {
  const [customer, record] = [text('customer'), text('record')];
  if (customer !== undefined && record !== undefined) throw new Failure('usage', '--customer and --record exclude each other');
  if (customer !== undefined) {
    const { pk } = recordKeys.customer(customer);
    return (image) => stringOf(image, 'customerId') === customer || keyOf(image).pk === pk;
  }
  if (record === undefined) return undefined;
  const key = /^(\S+#\S+) (\S+)$/.exec(record);
  if (key !== null) return (image) => keyOf(image).pk === key[1] && keyOf(image).sk === key[2];
  const { loadSecrets } = await import('../operations/load-secrets');
  const pk = /^[mfqacw]#\S+$/.test(record) ? record : recordKeys.message(hashed(await loadSecrets({ keys, keyService: kms }).dedupeKey(), 'wamid', [record]), '').pk;
  return (image: Image) => keyOf(image).pk === pk;
}

/** Runs `work`; what the operations refuse becomes words for a person. */
async function explained<T>(from: string | undefined, work: () => Promise<T>): Promise<T> {
  const [{ RestoreError }, { ReplayError }, { SnapshotError }] = await Promise.all([import('../operations/restore-records'), import('../operations/published-entries'), import('../core/snapshot')]);
  try {
    return await work();
  } catch (error) {
    if (error instanceof RestoreError) throw new Failure(error.code === 'other-log' || error.code === 'no-keys' ? 'wrong' : 'usage', error.message, error.next, { cause: error });
    if (error instanceof SnapshotError) throw new Failure('wrong', error.message, error.next, { cause: error });
    if (error instanceof ReplayError) throw new Failure('wrong', `${from ?? 'the vault'} cannot be restored from: ${error.message}`, 'try a copy or the replica with --from; docs/runbook.md#restore', { cause: error });
    throw error;
  }
}

const isNothing = ({ exists, toWrite, toRemove, contents, settings, resumes }: RestorePlan): boolean => exists && !resumes && toWrite === 0 && toRemove.length === 0 && contents === 0 && settings.length === 0;

const isAllRead = (readers: ReadersPlan | undefined): boolean => readers === undefined || readers.toConnect.length + readers.toSwitchOn.length === 0;

const summary = ({ exists, toWrite, toReplace, toRemove, settings }: RestorePlan, readers: ReadersPlan | undefined): string =>
  [
    ...(exists ? [] : ['makes it anew']),
    `writes ${amount(toWrite, 'record')}${toReplace === 0 ? '' : `, ${counted(toReplace)} over something else`}`,
    ...(toRemove.length === 0 ? [] : [`removes ${counted(toRemove.length)}`]),
    ...(settings.length === 0 ? [] : [`sets ${settings.map(({ setting }) => setting).join(', ')}`]),
    ...(isAllRead(readers) ? [] : [`connects ${amount((readers?.toConnect.length ?? 0) + (readers?.toSwitchOn.length ?? 0), 'reader')} of its stream`]),
  ].join(', ');

const facts = ({ work: _work, ...plan }: RestorePlan): object => plan;
