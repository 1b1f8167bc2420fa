/** A meter that remembers: sums of counts and the last value of each gauge. */
import type { MetricName } from '../../core/metric-names';
import type { Meter } from '../../ports';

export interface MemoryMeter extends Meter {
  readonly counts: Map<MetricName, number>;
  readonly gauges: Map<MetricName, number>;
}

export function memoryMeter(): MemoryMeter {
  const counts = new Map<MetricName, number>();
  const gauges = new Map<MetricName, number>();
  return {
    counts,
    gauges,
    count: (name, n = 1) => void counts.set(name, (counts.get(name) ?? 0) + n),
    gauge: (name, value) => void gauges.set(name, value),
  };
}
