/**
 * From log lines to metric data: CloudWatch's embedded metric format (specification at docs.aws.amazon.com,
 * "CloudWatch_Embedded_Metric_Format_Specification") and metric filters. Pure. A line that is neither is no metric and no error: most lines are.
 */
import type { MetricDatum, PutMetricDataCommandInput, StandardUnit } from '@aws-sdk/client-cloudwatch';
import type { MetricFilter } from '@aws-sdk/client-cloudwatch-logs';
import { select } from './filter-pattern';

/** One value of one metric. */
export interface NamedDatum {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly values: readonly number[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** PutMetricData's limits: values in a datum, data in a call. */
const mostValues = 150;
const mostData = 500;

/** The data of one EMF line; none when it is not one. */
export function dataOfLine(line: string, loggedAt: number): readonly NamedDatum[] {
  const fields = parseObject(line);
  const aws = fields?.['_aws'];
  if (fields === undefined || !isFields(aws) || !Array.isArray(aws['CloudWatchMetrics'])) return [];
  const at = typeof aws['Timestamp'] === 'number' ? aws['Timestamp'] : loggedAt;
  return aws['CloudWatchMetrics'].filter(isFields).flatMap((directive) => dataOfDirective(directive, fields, at));
}

function dataOfDirective(directive: Fields, fields: Fields, at: number): readonly NamedDatum[] {
  const namespace = directive['Namespace'];
  const metrics = directive['Metrics'];
  if (typeof namespace !== 'string' || !Array.isArray(metrics)) return [];
  const sets = Array.isArray(directive['Dimensions']) && directive['Dimensions'].length > 0 ? directive['Dimensions'] : [[]];
  return sets.flatMap((names: unknown) => metrics.filter(isFields).flatMap((metric) => {
    const name = metric['Name'];
    if (typeof name !== 'string' || !Array.isArray(names)) return [];
    const values = [fields[name]].flat().filter((value): value is number => typeof value === 'number');
    if (values.length === 0) return [];
    const dimensions = Object.fromEntries(names.map((dimension: string) => [dimension, String(fields[dimension])]));
    return [{ namespace, name, dimensions, unit: typeof metric['Unit'] === 'string' ? metric['Unit'] : 'None', values, at }];
  }));
}

/** The data of a line that `filter`'s pattern has matched. */
export function dataOfFilter(filter: MetricFilter, line: string, at: number): readonly NamedDatum[] {
  const fields = parseObject(line) ?? {};
  return (filter.metricTransformations ?? []).flatMap((transformation) => {
    const value = selected(transformation.metricValue ?? '1', fields);
    if (typeof value !== 'number' || transformation.metricNamespace === undefined || transformation.metricName === undefined) return [];
    const dimensions = Object.fromEntries(Object.entries(transformation.dimensions ?? {}).map(([name, selector]) => [name, String(selected(selector, fields))]));
    return [{ namespace: transformation.metricNamespace, name: transformation.metricName, dimensions, unit: transformation.unit ?? 'None', values: [value], at }];
  });
}

/** `$.a.b` picks a field; anything else is itself, as a number where it is one. */
function selected(selector: string, fields: Fields): unknown {
  if (selector.startsWith('$.')) return select(fields, selector);
  return Number.isNaN(Number(selector)) ? selector : Number(selector);
}

/** As few PutMetricData calls as its limits allow: values of the same metric, dimensions, unit and second go together. */
export function inPuts(data: readonly NamedDatum[]): readonly PutMetricDataCommandInput[] {
  const groups = new Map<string, { readonly namespace: string; readonly datum: Omit<MetricDatum, 'Values'>; readonly values: number[] }>();
  for (const { namespace, name, dimensions, unit, values, at } of data) {
    const second = Math.floor(at / 1000) * 1000;
    const key = JSON.stringify([namespace, name, dimensions, unit, second]);
    const group = groups.get(key) ?? {
      namespace,
      datum: { MetricName: name, Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })), Unit: unit as StandardUnit, Timestamp: new Date(second) },
      values: [],
    };
    group.values.push(...values);
    groups.set(key, group);
  }
  const byNamespace = new Map<string, MetricDatum[]>();
  for (const { namespace, datum, values } of groups.values()) {
    const list = byNamespace.get(namespace) ?? [];
    for (const Values of chunks(values, mostValues)) list.push({ ...datum, Values: [...Values] });
    byNamespace.set(namespace, list);
  }
  return [...byNamespace].flatMap(([Namespace, list]) => chunks(list, mostData).map((MetricData) => ({ Namespace, MetricData: [...MetricData] })));
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function parseObject(line: string): Fields | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined; // Not JSON: an ordinary log line.
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
