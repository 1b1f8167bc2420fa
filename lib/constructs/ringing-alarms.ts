/** Makes alarms from their specifications, and the encrypted topic that tells people of them, when they ring and when they clear. A region has its own: no alarm sees or tells beyond it. */
import { Aws } from 'aws-cdk-lib';
import { type Alarm, AnomalyDetectionAlarm, ComparisonOperator, type CreateAlarmOptions, type Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Stage } from '../stage';
import type { AlarmSpec } from './alarm-registry';
import { ProtectedKey } from './protected-key';

/** One alarm of a specification: what ends its name, and what it watches. */
export interface Watched {
  readonly suffix: string;
  readonly metric: Metric;
}

export abstract class RingingAlarms extends Construct {
  readonly topic: Topic;
  readonly alarms: readonly Alarm[];
  private readonly stage: Stage;

  protected constructor(scope: Construct, id: string, stage: Stage, specs: readonly AlarmSpec[], watchedBy: (spec: AlarmSpec) => readonly Watched[]) {
    super(scope, id);
    this.stage = stage;
    this.topic = this.encryptedTopic();
    this.alarms = specs.flatMap((spec) => watchedBy(spec).map(({ suffix, metric }) => this.alarm(spec, suffix, metric)));
  }

  private encryptedTopic(): Topic {
    const { stage } = this;
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
    const { stage } = this;
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
}

const comparison = ({ when }: AlarmSpec): ComparisonOperator => (when === 'below' ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD);
