/**
 * The `Meter` of a Lambda: sums during one invocation, written at its end as one line in CloudWatch's embedded metric format. No call to CloudWatch, so
 * metrics cost no time and cannot fail a delivery.
 */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { MetricName } from '../core/metric-names';
import type { Meter } from '../ports';
import { setting } from './settings';

export const METRICS_NAMESPACE = 'Intact';

export interface InvocationMeter extends Meter {
  /** Writes what was counted since the last time, if anything. */
  flush(): void;
}

let shared: InvocationMeter | undefined;

/** The container's meter: it runs one invocation at a time, whose middy stack flushes it. */
export const containerMeter = (): InvocationMeter => (shared ??= invocationMeter(setting('STAGE')));

export function invocationMeter(stage: string): InvocationMeter {
  const counts = new Map<MetricName, number>();
  const gauges: { readonly name: MetricName; readonly value: number; readonly unit: 'Seconds' | 'Count' | 'Bytes' }[] = [];
  let metrics: Metrics | undefined;

  const writer = (): Metrics => {
    if (metrics !== undefined) return metrics;
    metrics = new Metrics({ namespace: METRICS_NAMESPACE });
    // Its own `service` dimension would make another metric of each of ours.
    metrics.clearDefaultDimensions();
    return metrics.setDefaultDimensions({ stage });
  };

  return {
    count: (name, n = 1) => void counts.set(name, (counts.get(name) ?? 0) + n),
    gauge: (name, value, unit) => void gauges.push({ name, value, unit }),
    flush() {
      if (counts.size + gauges.length === 0) return;
      for (const [name, n] of counts) writer().addMetric(name, MetricUnit.Count, n);
      for (const { name, value, unit } of gauges) writer().addMetric(name, MetricUnit[unit], value);
      counts.clear();
      gauges.length = 0;
      writer().publishStoredMetrics();
    },
  };
}
