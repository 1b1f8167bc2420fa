/**
 * `intact drill`: whether the records can be restored, tried now: into a scratch table, compared with the live one, dropped. From the vault, or with --from from its replica or any other copy,
 * which need not hold more than the facts. Exit 1 on any difference.
 */
import { shareName } from '../core/shares';
import { DrillError, restoreFromReplica, restoreFromVault, runDrill, type DrillDifference, type DrillReport } from '../operations/run-drill';
import type { Run } from './command';
import { Failure } from './failure';
import { printJson, printLine } from './io';
import { progress } from './progress';
import { silentMeter } from './reading';
import { shareOf } from './share';
import { aligned, amount, counted, printable } from './text';
import { unreadableLog } from './unreadable-log';

/** A person's drill has no function's time limit; after this its table counts as left behind. */
const LASTS_AT_MOST_MS = 6 * 3_600_000;
const MAX_SHOWN = 50;

export const run: Run = async (call) => {
  const { text, flag, io, world } = call;
  const [share, source] = [shareOf(call), text('from')];
  const deployment = await world.deployment();
  const { records, log, vaultReader: vault, keys, kms, signer, scratch, outputs, tableAt } = deployment;
  const deps = { records, log, vault, keys, keyService: kms, signer, live: tableAt(outputs.RecordsTableName), meter: silentMeter, now: world.now, sleep: io.sleep };
  const copy = source === undefined ? undefined : restoreFromReplica({ ...deps, replica: (await world.vaultAt(source)).reader });
  const shown = progress(io, world.now);
  const report = await runDrill(
    { ...deps, scratch, restore: restoreFromVault(deps), replica: copy },
    { share, from: copy === undefined ? 'vault' : 'replica', lastsAtMostMs: LASTS_AT_MOST_MS, by: await deployment.operator(), onStep: (step, done) => shown.tell(`${step}${done > 0 ? `: ${counted(done)}` : ''}`) },
  )
    .catch((error: unknown) => {
      if (error instanceof DrillError && error.code === 'busy') throw new Failure('not-yet', error.message, 'docs/runbook.md#drill-absent', { cause: error });
      return unreadableLog(error);
    })
    .finally(shown.end);
  if (flag('json')) printJson(io, report);
  else for (const line of page(report, source)) printLine(io, line);
  return report.ok ? 0 : 1;
};

function page({ share, records, size, behind, differences, found, newer, restoreSeconds, seconds }: DrillReport, source: string | undefined): string[] {
  return [
    ...aligned([
      ['restored', `${amount(records, 'record')} from a log of ${amount(size, 'entry', 'entries')}, ${shareName(share) || 'all of it'}, in ${restoreSeconds.toFixed(1)} s`],
      ...(source === undefined ? [] : [['from', `${printable(source)}${behind > 0 ? `, ${amount(behind, 'entry', 'entries')} behind the log` : ''}`]]),
      ['compared', `record by record and setting by setting; ${seconds.toFixed(1)} s in all`],
      ...(newer > 0 ? [['newer', `${amount(newer, 'record')} the live table has newer than that log: no differences`]] : []),
      ['scratch table', 'dropped'],
    ]),
    '',
    ...(differences === 0 ? ['0 differences: the records can be restored'] : [`${amount(differences, 'difference')}:`, ...found.slice(0, MAX_SHOWN).map(told)]),
    ...(differences > 0 && found.length > MAX_SHOWN ? ['… more; --json lists the first 200'] : []),
    ...(differences === 0 ? [] : ['', 'open docs/runbook.md#drill-differences']),
  ];
}

function told(difference: DrillDifference): string {
  if (difference.kind === 'lost') return `  lost  ${amount(difference.entries, 'entry', 'entries')} that nobody can open`;
  if (difference.kind === 'behind') return `  behind  the copy lacks ${amount(difference.entries, 'entry', 'entries')}, the first of them sealed ${Math.round(difference.seconds / 60)} minutes ago`;
  if (difference.kind === 'doubt') return `  not as it should be  ${printable(difference.object)}: ${printable(difference.detail)}; what is signed beside it was restored`;
  if (difference.kind === 'setting') return `  setting  ${difference.setting}: ${printable(difference.live)} live, ${printable(difference.restored)} restored`;
  return `  ${difference.kind}  ${printable(`${difference.key.pk} / ${difference.key.sk}`)}`;
}
