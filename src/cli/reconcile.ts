/**
 * `intact reconcile`: whether everything that was answered 200 is recorded, and everything Meta lists is here, now. What the schedule runs, run by a person: its result and its findings become records. Exit 1 on
 * any finding.
 */
import { RECONCILIATION_CODES, type ReconciliationFinding } from '../core/reconciliation';
import { reconcileDeliveries, ReconciliationError, type ReconciliationReport } from '../operations/reconcile-deliveries';
import type { Call, Run } from './command';
import { Failure } from './failure';
import { printJson, printLine } from './io';
import { progress } from './progress';
import { silentMeter } from './reading';
import { aligned, amount, counted, printable, timeFrom } from './text';

export const run: Run = async (call) => {
  const { flag, io, world } = call;
  const [since, until] = [timeOf(call, 'since'), timeOf(call, 'until')];
  const deployment = await world.deployment();
  const { deliveryLog: deliveries, messageHistory: history, logRetentionDays, records, inbox, log, vaultReader: vault, keys, kms: keyService } = deployment;
  const shown = progress(io, world.now);
  const report = await reconcileDeliveries(
    { deliveries, history, logRetentionDays, records, inbox, log, vault, keys, keyService, meter: silentMeter, now: world.now },
    { since, until, by: await deployment.operator(), onProgress: ({ part, done }) => shown.tell(`${PARTS[part]}: ${counted(done)}`) },
  )
    .catch((error: unknown) => {
      if (error instanceof ReconciliationError) throw new Failure('usage', error.message, 'npx intact help reconcile', { cause: error });
      throw error;
    })
    .finally(shown.end);
  if (flag('json')) printJson(io, report);
  else for (const line of page(report)) printLine(io, line);
  return report.ok ? 0 : 1;
};

const PARTS = { lines: 'log lines read', entries: 'entries opened', history: 'messages of Meta compared' } as const;
/** Findings that one line each would bury the rest. */
const MAX_SHOWN = 50;

function timeOf({ text, world }: Call, name: 'since' | 'until'): Date | undefined {
  const typed = text(name);
  if (typed === undefined) return undefined;
  const time = timeFrom(typed, world.now());
  if (time === undefined) throw new Failure('usage', `--${name} "${typed}" is no time`, 'e.g. 2026-01-31, 2026-01-31T08:00:00Z, 90m, 24h, 7d');
  return new Date(time);
}

function page({ since, until, reconciledUntil, deliveries, events, waiting, unlogged, undecided, history, findings, byCode, found, seconds }: ReconciliationReport): string[] {
  return [
    ...aligned([
      ['time', `${since} to ${until}; the next run begins at ${reconciledUntil}`],
      ['compared', `${amount(deliveries, 'delivery', 'deliveries')} answered 200, with ${amount(events, 'event')}, in ${seconds.toFixed(1)} s`],
      ['Meta', history === 'not asked' ? 'not asked: no token is configured' : `${amount(history.compared, 'message')} of ${counted(history.messages)} listed for ${amount(history.numbers, 'number')}${history.pending > 0 ? `, ${counted(history.pending)} still on their way` : ''}${history.unlisted > 0 ? `; ${counted(history.unlisted)} recorded here that Meta does not list` : ''}`],
      ...(waiting > 0 ? [['waiting', `${amount(waiting, 'delivery', 'deliveries')} put aside and not recorded yet`]] : []),
      ...(unlogged > 0 ? [['no line', `${amount(unlogged, 'delivery', 'deliveries')} recorded that the functions' log does not tell of`]] : []),
      ...(undecided > 0 ? [['not judged', `${amount(undecided, 'delivery', 'deliveries')}: as many entries of the time were erased`]] : []),
    ]),
    '',
    ...(findings === 0 ? ['clean: everything that was answered 200 is recorded'] : [`${amount(findings, 'finding')}: ${Object.entries(byCode).map(([code, n]) => `${counted(n)} ${code}`).join(', ')}`, ...found.slice(0, MAX_SHOWN).flatMap(told)]),
    ...(findings > Math.min(found.length, MAX_SHOWN) ? [`… and ${counted(findings - Math.min(found.length, MAX_SHOWN))} more; --json lists the first ${counted(found.length)}`] : []),
    ...(findings === 0 ? [] : ['', 'open docs/runbook.md#reconciliation-findings']),
  ];
}

const told = ({ code, about, missing, webhook }: ReconciliationFinding): string[] => [
  `  ${code}  ${printable(about)}${missing === undefined ? '' : `  ${counted(missing)} missing`}${webhook === undefined ? '' : `  webhook ${printable(webhook) || 'unknown'}`}`,
  `    ${RECONCILIATION_CODES[code]}`,
];
