/**
 * What the operator's commands read of a deployment's own watch over itself: metrics and alarms. Reading only; "no data" is said as such and
 * never as 0. Apart from src/ports.ts because no Lambda needs it.
 */
import type { MetricName } from '../core/metric-names';

export interface AlarmState {
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  /** Since when, ISO 8601 UTC. */
  readonly since?: string;
  /** CloudWatch's words. */
  readonly reason?: string;
  /** What its definition says, with the runbook article to open. */
  readonly description?: string;
}

export interface Monitoring {
  /** Sum of each metric over [since, until), whole minutes. A metric without a data point there is absent from the map. Throws `PortError`. */
  sums(names: readonly MetricName[], since: Date, until: Date): Promise<ReadonlyMap<MetricName, number>>;
  /** The newest maximum of one metric since then, or 'absent'. Throws `PortError`. */
  newest(name: MetricName, since: Date, until: Date): Promise<{ readonly value: number; readonly at: string } | 'absent'>;
  /** Every alarm of this deployment, by name. Throws `PortError`. */
  alarms(): Promise<readonly AlarmState[]>;
}
