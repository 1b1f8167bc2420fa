/** `intact audit`: whether the table holds what the log says, now. The audit of the schedule, run by a person: its result and its findings become records. Exit 1 on any finding. */
import { AUDIT_CODES, type AuditCode, type AuditFinding } from '../core/table-audit';
import { shareName } from '../core/shares';
import { auditTable, type AuditReport } from '../operations/audit-table';
import type { Run } from './command';
import { Failure } from './failure';
import { printJson, printLine } from './io';
import { progress } from './progress';
import { silentMeter } from './reading';
import { shareOf } from './share';
import { aligned, amount, counted, printable } from './text';
import { unreadableLog } from './unreadable-log';

export const run: Run = async (call) => {
  const { flag, io, world } = call;
  if (flag('full') && call.text('share') !== undefined) throw new Failure('usage', '--full and --share exclude each other');
  const share = shareOf(call);
  const deployment = await world.deployment();
  const { records, log, vaultReader: vault, keys, kms, signer, inventory, outputs, tableAt } = deployment;
  const shown = progress(io, world.now);
  const report = await auditTable(
    { records, log, vault, keys, keyService: kms, signer, inventory, table: tableAt(outputs.RecordsTableName), meter: silentMeter, now: world.now, sleep: io.sleep },
    {
      share,
      by: await deployment.operator(),
      onProgress: ({ part, done, total }) => shown.tell(`${PARTS[part]}: ${counted(done)}${total === undefined ? '' : ` of ${counted(total)}`}`),
    },
  )
    .catch(unreadableLog)
    .finally(shown.end);
  if (flag('json')) printJson(io, report);
  else for (const line of page(report)) printLine(io, line);
  return report.ok ? 0 : 1;
};

const PARTS = { table: 'items scanned', log: 'entries replayed', keys: 'keys looked at' } as const;
/** Findings that one line each would bury the rest. */
const MAX_SHOWN = 50;

function page({ share, records, size, waiting, closed, keys, findings, byCode, found, seconds, statusesWithoutMessage }: AuditReport): string[] {
  return [
    ...aligned([
      ['compared', `${amount(records, 'record')} with a log of ${amount(size, 'entry', 'entries')}, ${shareName(share) || 'all of it'}, in ${seconds.toFixed(1)} s`],
      ['keys', `${counted(keys.checked)} looked at${keys.erased > 0 ? `, ${counted(keys.erased)} erased as they should be` : ''}${keys.unused > 0 ? `, ${counted(keys.unused)} that nothing sealed uses` : ''}`],
      ...(waiting > 0 ? [['waiting', `${amount(waiting, 'item')} not in the log yet: written just now, no findings`]] : []),
      ...(statusesWithoutMessage > 0 ? [['gaps', `${amount(statusesWithoutMessage, 'message')} of which nothing but statuses is recorded; see POST /v1/outbound`]] : []),
      ...(closed > 0 ? [['not compared', `${amount(closed, 'record')} whose sealed state cannot be opened: its key or its blob is gone`]] : []),
    ]),
    '',
    ...(findings === 0 ? ['clean: the table is what the log says'] : [`${amount(findings, 'finding')}: ${codes(byCode)}`, ...found.slice(0, MAX_SHOWN).flatMap(told)]),
    ...(findings > Math.min(found.length, MAX_SHOWN) ? [`… and ${counted(findings - Math.min(found.length, MAX_SHOWN))} more; --json lists the first ${counted(found.length)}`] : []),
    ...(findings === 0 ? [] : ['', 'open docs/runbook.md#audit-findings']),
  ];
}

const codes = (byCode: AuditReport['byCode']): string => Object.entries(byCode).map(([code, n]) => `${counted(n)} ${code}`).join(', ');

const told = ({ code, key, subject, entry }: AuditFinding): string[] => [
  `  ${code}  ${printable(key === undefined ? `subject ${subject ?? ''}` : `${key.pk} / ${key.sk}`)}${entry === undefined ? '' : `  sealed as entry ${counted(entry)}`}`,
  `    ${AUDIT_CODES[code satisfies AuditCode]}`,
];
