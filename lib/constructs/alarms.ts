/** Makes the alarms of the registry, and the encrypted topic that tells people of them, when they ring and when they clear. */
import { Aws, Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { type Alarm, AnomalyDetectionAlarm, ComparisonOperator, type CreateAlarmOptions, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { MetricName } from '../../src/core/metric-names';
import type { Stage } from '../stage';
import { type AlarmSpec, alarmRegistry, type FunctionName } from './alarm-registry';
import { ProtectedKey } from './protected-key';

export interface AlarmsProps {
  readonly stage: Stage;
  readonly functions: Readonly<Record<FunctionName, Lambda>>;
  readonly deadLetters: Queue;
  readonly api: HttpApi;
}

export const METRIC_NAMESPACE = 'Intact';

/** One of our own metrics in this stage. */
export const ourMetric = (stage: Stage, name: MetricName, statistic: string, period: Duration): Metric =>
  new Metric({ namespace: METRIC_NAMESPACE, metricName: name, dimensionsMap: { stage: stage.name }, statistic, period });

export class Alarms extends Construct {
  readonly topic: Topic;
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, private readonly props: AlarmsProps) {
    super(scope, id);
    this.topic = this.encryptedTopic();
    this.alarms = alarmRegistry(props.stage).flatMap((spec) => this.metricsOf(spec).map(({ suffix, metric }) => this.alarm(spec, suffix, metric)));
  }

  private encryptedTopic(): Topic {
    const { stage } = this.props;
    const key = new ProtectedKey(this, 'Key', { stage, description: `Intact ${stage.name}: alarm messages` });
    const topic = new Topic(this, 'Topic', { displayName: `Intact ${stage.name} alarms`, masterKey: key, enforceSSL: true });
    const cloudWatch = { principals: [new ServicePrincipal('cloudwatch.amazonaws.com')], conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } } };
    key.addToResourcePolicy(new PolicyStatement({ sid: 'AlarmsEncrypt', ...cloudWatch, actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: ['*'] }));
    // A topic policy of our own (for TLS) replaces the one that lets CloudWatch in.
    topic.addToResourcePolicy(new PolicyStatement({ sid: 'AlarmsPublish', ...cloudWatch, actions: ['sns:Publish'], resources: [topic.topicArn] }));
    for (const email of stage.alarms.emails) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }

  private alarm(spec: AlarmSpec, suffix: string, metric: Metric): Alarm {
    const { stage } = this.props;
    const options = {
      alarmName: `Intact-${stage.name}-${spec.id}${suffix}`,
      alarmDescription: `${spec.why} Runbook: docs/runbook.md#${spec.id}`,
      evaluationPeriods: spec.periods,
      treatMissingData: spec.noData === 'alarm' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    };
    const alarm = spec.when === 'outside-band' ? this.anomaly(spec, metric, options) : metric.createAlarm(this, `${spec.id}${suffix}`, { ...options, threshold: spec.threshold, comparisonOperator: comparison(spec) });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
    return alarm;
  }

  private anomaly(spec: AlarmSpec, metric: Metric, options: Omit<CreateAlarmOptions, 'threshold'>): Alarm {
    return new AnomalyDetectionAlarm(this, spec.id, {
      ...options,
      metric,
      stdDevs: spec.threshold,
      comparisonOperator: ComparisonOperator.LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD,
    });
  }

  private metricsOf({ source, statistic, periodMinutes }: AlarmSpec): { suffix: string; metric: Metric }[] {
    const { stage, functions, deadLetters, api } = this.props;
    const how = { statistic, period: Duration.minutes(periodMinutes) };
    if ('ours' in source) return [{ suffix: '', metric: ourMetric(stage, source.ours, statistic, how.period) }];
    if ('deadLetters' in source) return [{ suffix: '', metric: deadLetters.metric(source.deadLetters, how) }];
    if ('api' in source) return [{ suffix: '', metric: api.metric(source.api, how) }];
    if (source.of !== 'each') return [{ suffix: '', metric: functions[source.of].metric(source.lambda, how) }];
    return Object.entries(functions).map(([name, fn]) => ({ suffix: `-${name}`, metric: fn.metric(source.lambda, how) }));
  }
}

const comparison = ({ when }: AlarmSpec): ComparisonOperator => (when === 'below' ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD);
