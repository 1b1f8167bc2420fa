/** The `Monitoring` port on CloudWatch: our namespace, our stage's dimension, the alarms under the stage's name. */
import { GetMetricDataCommand, paginateDescribeAlarms, type CloudWatchClient, type MetricDataQuery, type MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { METRIC_NAMES, type MetricName } from '../../core/metric-names';
import type { AlarmState, Monitoring } from '../../ports/monitoring';
import { asking } from '../aws/port-errors';

/** Seconds. One-minute points are kept for 15 days, more than any question here looks back; longer periods would blur the window's edges. */
const minute = 60;

/** Alarms whose names begin with `alarmPrefix` count as this deployment's. */
export function cloudWatchMonitoring(client: CloudWatchClient, stage: string, alarmPrefix: string): Monitoring {
  const query = (name: MetricName, stat: 'Sum' | 'Maximum', period: number): MetricDataQuery => ({
    Id: `m${METRIC_NAMES.indexOf(name)}`,
    MetricStat: { Metric: { Namespace: 'Intact', MetricName: name, Dimensions: [{ Name: 'stage', Value: stage }] }, Period: period, Stat: stat },
  });
  const results = async (queries: MetricDataQuery[], since: Date, until: Date): Promise<readonly MetricDataResult[]> => {
    const all: MetricDataResult[] = [];
    let next: string | undefined;
    do {
      const page = await asking('read metrics', () =>
        client.send(new GetMetricDataCommand({ MetricDataQueries: queries, StartTime: since, EndTime: until, ScanBy: 'TimestampDescending', ...(next !== undefined && { NextToken: next }) })),
      );
      all.push(...(page.MetricDataResults ?? []));
      next = page.NextToken;
    } while (next !== undefined);
    return all;
  };

  return {
    async sums(names, since, until) {
      const sums = new Map<MetricName, number>();
      for (const { Id, Values } of await results(names.map((name) => query(name, 'Sum', minute)), floor(since, minute), ceil(until, minute))) {
        const name = METRIC_NAMES[Number(Id?.slice(1))];
        if (name === undefined || Values === undefined || Values.length === 0) continue;
        sums.set(name, (sums.get(name) ?? 0) + Values.reduce((sum, value) => sum + value, 0));
      }
      return sums;
    },

    async newest(name, since, until) {
      for (const { Values, Timestamps } of await results([query(name, 'Maximum', minute)], floor(since, minute), ceil(until, minute))) {
        const points = (Values ?? []).flatMap((value, i) => (Timestamps?.[i] === undefined ? [] : [{ value, at: Timestamps[i].toISOString() }]));
        const newest = points.sort((a, b) => (a.at < b.at ? 1 : -1))[0];
        if (newest !== undefined) return newest;
      }
      return 'absent';
    },

    async alarms() {
      return asking('read alarms', async () => {
        const found: AlarmState[] = [];
        for await (const page of paginateDescribeAlarms({ client }, { AlarmNamePrefix: alarmPrefix })) {
          for (const alarm of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])]) {
            found.push({
              name: alarm.AlarmName ?? '',
              state: alarm.StateValue ?? 'INSUFFICIENT_DATA',
              ...(alarm.StateUpdatedTimestamp !== undefined && { since: alarm.StateUpdatedTimestamp.toISOString() }),
              ...(alarm.StateReason !== undefined && { reason: alarm.StateReason }),
              ...(alarm.AlarmDescription !== undefined && { description: alarm.AlarmDescription }),
            });
          }
        }
        return found.sort((a, b) => (a.name < b.name ? -1 : 1));
      });
    },
  };
}

const floor = (date: Date, seconds: number): Date => new Date(Math.floor(date.getTime() / (seconds * 1000)) * seconds * 1000);
const ceil = (date: Date, seconds: number): Date => new Date(Math.ceil(date.getTime() / (seconds * 1000)) * seconds * 1000);
