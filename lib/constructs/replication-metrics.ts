/** What S3 measures of the replication of each kind of fact. It does so under the names of both buckets and of the rule, as whole names: there is no metric over all of them. */
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmSpec, ReplicationSource } from './alarm-registry';
import { FACTS, ruleOf } from './replica';
import type { Watched } from './ringing-alarms';

/** One metric for each kind of fact that `source` speaks of. */
export function replicationMetrics({ statistic, periodMinutes }: AlarmSpec, source: ReplicationSource, vaultBucket: string, replicaBucket: string | undefined): readonly Watched[] {
  if (replicaBucket === undefined) throw new Error('an alarm on replication needs a replica: the stage has no second region');
  return (source.facts === 'each' ? FACTS : [source.facts]).map((fact) => ({
    suffix: source.facts === 'each' ? `-${ruleOf(fact)}` : '',
    metric: new Metric({
      namespace: 'AWS/S3',
      metricName: source.replication,
      dimensionsMap: { SourceBucket: vaultBucket, DestinationBucket: replicaBucket, RuleId: ruleOf(fact) },
      statistic,
      period: Duration.minutes(periodMinutes),
    }),
  }));
}
