/**
 * `intact restore --in-parts`: has functions restore all records into a table of its own, and waits for them. What is asked for gives the run its name, so that the same command, here or elsewhere, finds
 * a run that goes on; where one has failed it starts another, which does what is missing.
 */
import { labelIn, runIn, type RestorePoint } from '../core/restore-label';
import { executionName, type RestoreRequest } from '../core/restore-request';
import { loadSecrets } from '../operations/load-secrets';
import { RESTORE_TASK, type RestoreInPartsReport } from '../operations/restore-in-parts';
import { admitRestore } from '../operations/restore-records';
import { progressOf, reportOf } from '../operations/run-in-parts';
import { RESTORED_INFIX } from '../runtime/env';
import type { Call } from './command';
import { Failure } from './failure';
import type { ExitCode } from './io';
import { printJson, printLine, say } from './io';
import { progress } from './progress';
import { afterRestore } from './restore-next';
import { planned, restored } from './restore-page';
import { counted, printable } from './text';
import type { Deployment } from './world';

const POLL_MS = 5_000;
/** Nobody asks so often for the same in the three months for which names are remembered. */
const MAX_TIMES = 1_000;
const MAX_SHOWN = 50;

type Point = Partial<{ readonly at: string | undefined; readonly size: number | undefined }>;

/** `named`: the point on the command line, if any. */
export async function restoreInParts(call: Call, deployment: Deployment, to: string, named: Point): Promise<ExitCode> {
  const { flag, io } = call;
  const { restoresInParts } = deployment;
  if (restoresInParts === undefined) throw new Failure('unreachable', 'this stage has no restore in parts yet', 'deploy it with this version: docs/runbook.md#restore-in-parts');
  const from = checked(call, deployment, to);
  const { origin, point } = await pointOf(call, deployment, { to, from, named });
  say(io, `${printable(origin)} at ${'at' in point ? point.at : `${counted(point.size)} entries`}, from the ${from}, into ${printable(to)}: all records, in parts`);
  if (flag('plan')) {
    say(io, 'nothing was started: this was only the plan');
    return 0;
  }
  const request = { to, point, from, by: await deployment.operator() };
  const name = await startedAs(call, restoresInParts.runs, request);
  const ended = await watched(call, deployment, restoresInParts, to, name);
  const { run, parts } = await runOf(deployment, restoresInParts, to);
  if (ended.state === 'failed' || run === undefined) {
    const done = parts === undefined ? '' : `; ${counted(parts.done)} of ${counted(parts.of)} shares are there`;
    throw new Failure('wrong', `the restore ended without a result (${printable(ended.state === 'failed' ? ended.why : 'the table is gone')})${done}`, 'the same command again does what is missing; docs/runbook.md#restore-in-parts');
  }
  const report = (await reportOf(partsOf(deployment, restoresInParts), RESTORE_TASK, run)) as RestoreInPartsReport;
  if (flag('json')) printJson(io, { plan: report.plan, readers: null, result: report.result, shares: report.shares });
  else for (const line of page(report, deployment)) printLine(io, line);
  const { plan, result, shares } = report;
  return plan.losses > 0 || (plan.doubts?.length ?? 0) > 0 || result.settings.length > 0 || shares.missing.length > 0 ? 1 : 0;
}

/** What can be asked of functions is less than what can be asked here. */
function checked(call: Call, { outputs }: Deployment, to: string): RestoreRequest['from'] {
  for (const option of ['snapshot', 'vkey', 'customer', 'record'] as const) {
    if (call.text(option) !== undefined) throw new Failure('usage', `--in-parts and --${option} exclude each other`, 'without --in-parts this machine restores, and takes both');
  }
  const prefix = `${outputs.RecordsTableName}${RESTORED_INFIX}`;
  if (!to.startsWith(prefix) || to === prefix) throw new Failure('usage', `in parts only tables are restored that are called ${prefix}<word>, not ${to}`, `--to ${prefix}${call.world.now().toISOString().slice(0, 10)}`);
  const from = call.text('from');
  if (from !== undefined && from !== 'replica') throw new Failure('usage', `in parts it is restored from the deployment's own vault, or --from replica, not from ${from}`, 'without --in-parts this machine restores, from any copy');
  return from ?? 'vault';
}

/** The point that was named, or the one an unfinished restore has begun with, or all of the log. */
async function pointOf({ world }: Call, { log, vault, tableAt }: Deployment, { to, from, named }: { readonly to: string; readonly from: RestoreRequest['from']; readonly named: Point }): Promise<{ readonly origin: string; readonly point: RestorePoint }> {
  const identity = await log.identity();
  if (identity === 'absent') throw new Failure('not-yet', 'this deployment has no log yet: there is nothing to restore');
  const { origin } = identity;
  const isNamed = named.at !== undefined || named.size !== undefined;
  if (from === 'vault') {
    const { point } = await admitRestore({ vault, target: tableAt(to), now: world.now }, { ...named, origin });
    return { origin, point: pointIn(point) };
  }
  // The vault may be gone: what the replica holds, the function sees.
  if (isNamed) return { origin, point: pointIn(named) };
  const there = await tableAt(to).settings();
  const label = there === 'absent' ? 'none' : labelIn(there.tags);
  if (typeof label !== 'object' || !label.incomplete) throw new Failure('usage', 'which point? How far the replica is, is not known here', 'name it with --size or --at, e.g. --at 1h');
  return { origin, point: label.point };
}

const pointIn = ({ at, size }: Point): RestorePoint => (at === undefined ? { size: size ?? 0 } : { at });

/** Finds the run that is under way, or starts one. */
async function startedAs({ io }: Call, { find, start }: NonNullable<Deployment['restoresInParts']>['runs'], request: RestoreRequest): Promise<string> {
  for (let nth = 1; nth <= MAX_TIMES; nth++) {
    const name = executionName(request, nth);
    const there = await find(name);
    if (typeof there === 'object' && there.state !== 'running') continue;
    const isMine = there === 'absent' && (await start(name, request)) === 'started';
    say(io, isMine ? `started as ${name}; interrupting this command does not stop it` : `is under way as ${name}: waiting for it`);
    return name;
  }
  throw new Failure('wrong', `this was restored ${MAX_TIMES} times`, 'restore into a table of another name');
}

async function watched({ io, world }: Call, deployment: Deployment, restores: NonNullable<Deployment['restoresInParts']>, to: string, name: string) {
  const shown = progress(io, world.now);
  try {
    for (;;) {
      const there = await restores.runs.find(name);
      if (there === 'absent') throw new Failure('wrong', `${name} was started and is not there`, 'the same command again');
      if (there.state !== 'running') return there;
      const { parts } = await runOf(deployment, restores, to);
      if (parts !== undefined) shown.tell(`restored: ${counted(parts.done)} of ${counted(parts.of)} shares`);
      await io.sleep(POLL_MS);
    }
  } finally {
    shown.end();
  }
}

/** The run that fills, or filled, the table, as the table says; and how far it is. */
async function runOf(deployment: Deployment, restores: NonNullable<Deployment['restoresInParts']>, to: string): Promise<{ readonly run?: string; readonly parts?: { readonly done: number; readonly of: number } }> {
  const there = await deployment.tableAt(to).settings();
  const run = there === 'absent' ? undefined : runIn(there.tags)?.run;
  if (run === undefined) return {};
  const parts = await progressOf(partsOf(deployment, restores), RESTORE_TASK, run);
  return { run, ...(parts !== 'absent' && { parts }) };
}

const partsOf = ({ keys, kms }: Deployment, { workings }: NonNullable<Deployment['restoresInParts']>) => ({ workings, macKeys: loadSecrets({ keys, keyService: kms }).macKeys });

function page({ plan, result, shares }: RestoreInPartsReport, deployment: Deployment): readonly string[] {
  if (shares.missing.length === 0) return [...planned(plan), ...restored(result), ...afterRestore(plan, [], deployment)];
  return [
    ...planned(plan),
    `NOT WHOLE: ${counted(shares.missing.length)} of ${counted(shares.of)} shares could not be restored, and the table says that it is incomplete`,
    ...shares.missing.slice(0, MAX_SHOWN).map((share) => `  share ${share.replace('-of-', ' of ')}, counted from 0`),
    '  next: the same command again restores these alone; why they failed, /intact/<stage>/restore-table says: docs/runbook.md#restore-in-parts',
  ];
}
