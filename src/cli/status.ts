/** `intact status`: how the system is, for a person at a glance, ending in "all well" or in what to open; for programs with --json. Exit 1 when there are findings: an alarm alone is none. */
import type { LastRun, Status } from '../operations/status';
import type { Run } from './command';
import { printJson, printLine } from './io';
import { progress } from './progress';
import { ago, aligned, amount, counted } from './text';
import type { Deployment } from './world';

export const run: Run = async ({ flag, io, world }) => {
  const deployment = await world.deployment();
  const { readStatus } = await import('../operations/status');
  const scanned = progress(io, world.now);
  const status = await readStatus({ ...ports(deployment), now: world.now }, (n) => scanned.tell(`records read: ${counted(n)}`));
  scanned.end();
  if (flag('json')) printJson(io, document(deployment, status));
  else for (const line of page(deployment, status, world.now())) printLine(io, line);
  const isClean = [status.lastVerification, status.lastAudit, status.lastDrill, status.lastReconciliation].every((run) => run?.ok !== false);
  return status.openFindings === 0 && isClean ? 0 : 1;
};

const ports = ({ records, log, vault, monitoring }: Deployment) => ({ records, log, vault, monitoring });

/** The document of interfaces: where it is, then how it is. */
function document({ target, region, outputs }: Deployment, status: Status): object {
  const { open, ...facts } = status;
  return {
    stage: target.stage,
    ...(target.kind === 'local' && { endpoint: target.endpoint }),
    region,
    ...(target.kind === 'local' && { caFile: target.caFile }),
    webhookUrl: outputs.WebhookUrl,
    apiUrl: outputs.ApiUrl ?? null,
    recordsTable: outputs.RecordsTableName,
    vaultBucket: outputs.VaultBucketName,
    appSecretArn: outputs.AppSecretArn,
    ...facts,
    runbook: open,
  };
}

function page({ target, region, outputs }: Deployment, status: Status, now: Date): string[] {
  const { head, records, last24h, seal, alarms } = status;
  const since = (at: string): string => `${ago(now.getTime() - Date.parse(at))} ago`;
  const lastRun = (run: LastRun | null, what = 'finding'): string => (run === null ? 'never ran' : `${run.ok ? 'clean' : amount(run.findings, what)}, ${since(run.at)}`);
  const known = (n: number | null): string => (n === null ? 'not measured' : counted(n));
  return [
    `Intact, stage ${target.stage}, ${region}`,
    ...aligned([
      ['webhook', outputs.WebhookUrl],
      ['records table', outputs.RecordsTableName],
      ['vault', `s3://${outputs.VaultBucketName}`],
    ]),
    '',
    'Log',
    ...aligned(
      head === null
        ? [['head', 'not initialized']]
        : [
            ['head', amount(head.size, 'entry', 'entries')],
            ['root', head.root],
            ['checkpoint', head.checkpointSize === null ? 'none yet' : `covers ${counted(head.checkpointSize)}${head.checkpointAt === null ? '' : `, newest entry sealed ${since(head.checkpointAt)}`}`],
            ['seal lag', seal.lagSeconds === null ? 'not measured in the last hour' : `${seal.lagSeconds} s`],
            ['unsealed', counted(seal.unsealed)],
          ],
    ),
    '',
    'Records',
    ...aligned(Object.keys(records).length === 0 ? [['none yet']] : Object.entries(records).map(([kind, n]) => [kind, counted(n)])),
    '',
    'Last 24 hours',
    ...aligned(Object.entries(last24h).map(([name, n]) => [name, known(n)])),
    '',
    'By itself',
    ...aligned([
      ['verification', lastRun(status.lastVerification)],
      ['audit', lastRun(status.lastAudit)],
      ['reconciliation', lastRun(status.lastReconciliation)],
      ['snapshot', status.lastSnapshot === null ? 'never taken' : `taken ${since(status.lastSnapshot.at)}`],
      ['drill', lastRun(status.lastDrill, 'difference')],
      ['report', lastRun(status.lastReport)],
      ['open findings', counted(status.openFindings)],
      ['alarms', alarms.length === 0 ? 'none' : alarms.map(({ name, since: at }) => `${name}${at === undefined ? '' : ` for ${ago(now.getTime() - Date.parse(at))}`}`).join(', ')],
    ]),
    '',
    ...(status.open.length === 0 ? ['all well'] : status.open.map((line) => `open ${line}`)),
  ];
}
