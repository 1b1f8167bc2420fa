/** The alarms of the registry that ring in the stage's own region, each on the metrics it names. */
import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { MetricName } from '../../src/core/metric-names';
import type { Stage } from '../stage';
import { type AlarmSpec, alarmRegistry, type DeadLetters, type FunctionName, type PartedName, ringsOffsite } from './alarm-registry';
import { replicationMetrics } from './replication-metrics';
import { RingingAlarms, type Watched } from './ringing-alarms';
import type { Vault } from './vault';

export interface AlarmsProps {
  readonly stage: Stage;
  readonly functions: Readonly<Record<FunctionName, Lambda>>;
  readonly deadLetters: Readonly<Record<DeadLetters, Queue>>;
  readonly machines: Readonly<Record<PartedName, StateMachine>>;
  readonly api: HttpApi;
  readonly vault: Vault;
}

export const METRIC_NAMESPACE = 'Intact';

/** One of our own metrics in this stage. */
export const ourMetric = (stage: Stage, name: MetricName, statistic: string, period: Duration): Metric =>
  new Metric({ namespace: METRIC_NAMESPACE, metricName: name, dimensionsMap: { stage: stage.name }, statistic, period });

export class Alarms extends RingingAlarms {
  constructor(scope: Construct, id: string, props: AlarmsProps) {
    const { stage } = props;
    super(scope, id, stage, alarmRegistry(stage).filter((spec) => !ringsOffsite(spec)), (spec) => watchedBy(props, spec));
  }
}

function watchedBy({ stage, functions, deadLetters, machines, api, vault }: AlarmsProps, spec: AlarmSpec): readonly Watched[] {
  const { source, statistic } = spec;
  const how = { statistic, period: Duration.minutes(spec.periodMinutes) };
  if ('ours' in source) return [{ suffix: '', metric: ourMetric(stage, source.ours, statistic, how.period) }];
  if ('deadLetters' in source) return [{ suffix: '', metric: deadLetters[source.of].metric(source.deadLetters, how) }];
  if ('api' in source) return [{ suffix: '', metric: api.metric(source.api, how) }];
  if ('replication' in source) return replicationMetrics(spec, source, vault.bucket.bucketName, vault.replication?.replicaBucketName);
  if ('machine' in source) return Object.entries(machines).map(([name, machine]) => ({ suffix: `-${name}`, metric: machine.metric(source.machine, how) }));
  if (source.of !== 'each') return [{ suffix: '', metric: functions[source.of].metric(source.lambda, how) }];
  return Object.entries(functions).map(([name, fn]) => ({ suffix: `-${name}`, metric: fn.metric(source.lambda, how) }));
}
