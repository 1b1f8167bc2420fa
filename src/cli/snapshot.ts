/**
 * `intact snapshot`: a full backup put into the vault now, by the operation of the schedule; `--list`: those that are there. A restore can begin with one as soon as the log commits to it,
 * seconds later. Exit 1 with --list where one of them cannot be read as what it is called.
 */
import type { ListedSnapshot } from '../operations/read-snapshot';
import type { SnapshotReport } from '../operations/take-snapshot';
import type { Call, Run } from './command';
import { Failure } from './failure';
import { printJson, printLine } from './io';
import { progress } from './progress';
import { silentMeter } from './reading';
import { ago, aligned, amount, counted, printable } from './text';
import { unreadableLog } from './unreadable-log';

export const run: Run = async (call) => (call.flag('list') ? list(call) : take(call));

const WORDS = { counting: 'counting what counts: entry', opening: 'opening: entry', writing: 'writing: entry' } as const;

async function take({ flag, io, world }: Call): Promise<0> {
  const deployment = await world.deployment();
  const { records, log, vaultReader, snapshotVault, keys, kms, signer, lockPolicy } = deployment;
  const { takeSnapshot } = await import('../operations/take-snapshot');
  const shown = progress(io, world.now);
  const vault = { ...vaultReader, createLocked: snapshotVault.createLocked };
  const report = await takeSnapshot(
    { records, log, vault, keys, keyService: kms, signer, meter: silentMeter, now: world.now, sleep: io.sleep, retentionDays: lockPolicy.snapshotRetentionDays },
    { by: await deployment.operator(), onProgress: ({ step, done, total }) => shown.tell(`${WORDS[step]} ${counted(done)} of ${counted(total)}`) },
  )
    .catch(explained)
    .finally(shown.end);
  if (flag('json')) printJson(io, report);
  else for (const line of page(report)) printLine(io, line);
  return 0;
}

/** A log nothing can be backed up from yet is told as such. */
async function explained(error: unknown): Promise<never> {
  const { SnapshotError } = await import('../core/snapshot');
  if (error instanceof SnapshotError) throw new Failure(error.code === 'empty-log' ? 'not-yet' : 'wrong', error.message, error.next, { cause: error });
  return unreadableLog(error);
}

function page({ snapshot, size, records, closed, parts, bytes, seconds }: SnapshotReport): string[] {
  return [
    ...aligned([
      ['snapshot', `${amount(records, 'record')} of a log of ${amount(size, 'entry', 'entries')}, ${amount(parts, 'part')}, ${megabytes(bytes)}, in ${seconds.toFixed(1)} s`],
      ['object', snapshot],
      ...(closed > 0 ? [['sealed', `${amount(closed, 'entry', 'entries')} that nobody can open now, kept as they are: an erased key, or one that is missing`]] : []),
    ]),
    '',
    'restore begins with it once its record is sealed and published, seconds from now',
  ];
}

async function list({ flag, io, world }: Call): Promise<0 | 1> {
  const { vaultReader } = await world.deployment();
  const { listSnapshots } = await import('../operations/read-snapshot');
  const found = await listSnapshots(vaultReader);
  if (flag('json')) printJson(io, found.map(asJson));
  else if (found.length === 0) printLine(io, 'no snapshot is in the vault; a restore reads the whole log');
  else for (const line of aligned(found.map((each) => row(each, world.now())))) printLine(io, line);
  return found.some((each) => 'error' in each) ? 1 : 0;
}

function row(listed: ListedSnapshot, now: Date): string[] {
  const size = `size ${counted(listed.size)}`;
  if ('error' in listed) return [size, listed.error.code, printable(listed.error.message)];
  const { at, records, parts } = listed.manifest;
  return [size, `${at} (${ago(now.getTime() - Date.parse(at))} ago)`, `${amount(records, 'record')}, ${amount(parts.length, 'part')}, ${megabytes(parts.reduce((sum, { bytes }) => sum + bytes, 0))}`];
}

function asJson(listed: ListedSnapshot): object {
  const { name, size } = listed;
  if ('error' in listed) return { name, size, error: { code: listed.error.code, object: listed.error.object, message: listed.error.message, next: listed.error.next } };
  const { at, newestAt, records, rows, closed, parts } = listed.manifest;
  return { name, size, at, newestAt, records, rows, closed, parts: parts.length, bytes: parts.reduce((sum, part) => sum + part.bytes, 0) };
}

const megabytes = (bytes: number): string => (bytes < 100_000 ? `${counted(bytes)} bytes` : `${(bytes / 1e6).toFixed(1)} MB`);
