/** The dashboard: what rings now, our own numbers, then what AWS measures of each part. */
import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { AlarmStatusWidget, Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { MetricName } from '../../src/core/metric-names';
import type { DataStack } from '../data-stack';
import type { Stage } from '../stage';
import type { FunctionName } from './alarm-registry';
import { type Alarms, ourMetric } from './alarms';
import type { WorkQueue } from './work-queue';

export interface WatchBoardProps {
  readonly stage: Stage;
  readonly data: DataStack;
  readonly repairs: WorkQueue;
  readonly functions: Readonly<Record<FunctionName, Lambda>>;
  readonly api: HttpApi;
  readonly alarms: Alarms;
}

const PERIOD = Duration.minutes(5);
const WIDE = { width: 12, height: 6 };

export class WatchBoard extends Construct {
  constructor(scope: Construct, id: string, props: WatchBoardProps) {
    super(scope, id);
    const { stage, data, repairs, functions, api, alarms } = props;
    const sums = (title: string, ...names: MetricName[]): GraphWidget => graph(title, names.map((name) => ourMetric(stage, name, 'Sum', PERIOD)));
    const maxima = (title: string, ...names: MetricName[]): GraphWidget => graph(title, names.map((name) => ourMetric(stage, name, 'Maximum', PERIOD)));
    const lambdas = Object.values(functions);
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: `Intact-${stage.name}`, defaultInterval: Duration.hours(12) });
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 4, alarms: [...alarms.alarms] }));
    dashboard.addWidgets(
      sums('Received', 'DeliveriesReceived', 'DeliveriesQueued', 'SignaturesRefused', 'SecretMissing'),
      sums('Recorded', 'EventsRecorded', 'EventsDuplicate', 'EventsVariant', 'EventsConflict', 'EventsQuarantined', 'EventsUnknownType'),
    );
    dashboard.addWidgets(sums('Sealed', 'EntriesSealed', 'SealLost', 'GapsSealed'), maxima('Seconds to be sealed and published', 'SealLag', 'CheckpointAge', 'InboxOldest'));
    dashboard.addWidgets(sums('Erased; sent, and known by statuses alone', 'RecordsErased', 'ErasuresCompleted', 'KeysErasedAgain', 'StatusWithoutMessage', 'ReconciliationUndecided'), maxima('Seconds since an erasure was confirmed that is not done', 'ErasureAge'));
    dashboard.addWidgets(
      sums('Must stay at zero', 'UnauthorisedChange', 'RecordMacInvalid', 'SealStopped', 'RepairsRefused', 'VerificationFindings', 'LocksWrong', 'AuditFindings', 'ReconciliationFindings', 'DrillDifferences'),
      sums('Verifications, audits, reconciliations, drills, snapshots', 'VerificationCompleted', 'AuditCompleted', 'ReconciliationCompleted', 'DrillCompleted', 'SnapshotCompleted'),
      maxima('Seconds to restore', 'RestoreSeconds'),
      maxima('Size of the log', 'CheckpointSize'),
    );
    dashboard.addWidgets(
      graph('Answers', [api.metricCount({ period: PERIOD }), api.metricClientError({ period: PERIOD }), api.metricServerError({ period: PERIOD })]),
      graph('Latency of the webhook, p99', [api.metricLatency({ period: PERIOD, statistic: 'p99' }), functions['receive-webhook'].metricDuration({ period: PERIOD, statistic: 'p99' })]),
    );
    dashboard.addWidgets(
      graph('Errors', lambdas.map((fn) => fn.metricErrors({ period: PERIOD, label: fn.node.id }))),
      graph('Streams: age in ms', (['seal-records', 'publish-log', 'project-views'] as const).map((name) => functions[name].metric('IteratorAge', { period: PERIOD, statistic: 'Maximum', label: name }))),
    );
    dashboard.addWidgets(
      graph('Write units', [data.records, data.log, data.keys, data.views].map(({ table, node }) => table.metricConsumedWriteCapacityUnits({ period: PERIOD, label: node.id }))),
      sums('Repaired, refused to staff', 'RecordsRepaired', 'AccessDenied', 'OperatorLimited'),
      graph('Queues', [data.inbox.queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD }), data.inbox.deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD, label: 'dead letters' }), ...[repairs.queue, repairs.deadLetters].map((queue) => queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD, label: queue === repairs.queue ? 'repairs' : 'repairs, dead letters' }))]),
    );
  }
}

const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, left, ...WIDE });
