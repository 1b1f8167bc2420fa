/**
 * Turns log lines into metrics, as CloudWatch does: embedded metric format (EMF), and the metric filters of the stacks. The emulator keeps both as text
 * only. Every second the last few of each log group are read, and what has come since is put with PutMetricData, each line once; alarms then work as on AWS.
 */
import { DescribeLogGroupsCommand, DescribeMetricFiltersCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { CloudWatchLogsClient, FilteredLogEvent, MetricFilter } from '@aws-sdk/client-cloudwatch-logs';
import { PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { compileFilterPattern } from './filter-pattern';
import { dataOfFilter, dataOfLine, inPuts } from './metric-data';
import type { NamedDatum } from './metric-data';

export interface MetricClients {
  readonly logs: CloudWatchLogsClient;
  readonly metrics: CloudWatchClient;
}

const everyMs = 1_000;
/** A line is stamped before it can be read, on a busy machine some seconds before: so much of the past is looked at again. */
const lateByMs = 10_000;
/** Most lines one read returns; a window that fills it is read in halves. */
const mostLines = 10_000;

/** Forwards until the process ends, beginning with everything logged so far. A failed round is logged and its window read again. */
export function startForwardingMetrics(clients: MetricClients): void {
  let from = 0;
  let seen: LineCounts = new Map();
  const round = async (): Promise<void> => {
    const to = Date.now();
    try {
      seen = await forwardWindow(clients, from, to, seen);
      from = to - lateByMs;
    } catch (error) {
      console.error('metrics forwarder:', error);
    }
    setTimeout(() => void round(), everyMs);
  };
  void round();
}

/** How often each line was read: the emulator gives them no ids, and one that says the same in the same millisecond is another line. */
export type LineCounts = ReadonlyMap<string, number>;

/** Puts what was logged in [from, to] (milliseconds) of every log group but the lines that were `seen`. Returns what is seen now. Throws when any of it could not be put. */
export async function forwardWindow({ logs, metrics }: MetricClients, from: number, to: number, seen: LineCounts): Promise<LineCounts> {
  const data: NamedDatum[] = [];
  const counts = new Map<string, number>();
  const unseen = (purpose: string, lines: readonly FilteredLogEvent[]): readonly FilteredLogEvent[] =>
    lines.filter(({ logStreamName, timestamp, message }) => {
      const line = JSON.stringify([purpose, logStreamName, timestamp, message]);
      const count = (counts.get(line) ?? 0) + 1;
      counts.set(line, count);
      return count > (seen.get(line) ?? 0);
    });
  const filters = await allFilters(logs);
  for (const group of await allGroups(logs)) {
    for (const line of unseen(group, await linesOf(logs, group, '"CloudWatchMetrics"', from, to))) data.push(...dataOfLine(line.message ?? '', line.timestamp ?? to));
    const filtersOfGroup = filters.filter(({ logGroupName }) => logGroupName === group);
    if (filtersOfGroup.length === 0) continue;
    const lines = unseen(`${group} filtered`, await linesOf(logs, group, '', from, to));
    for (const filter of filtersOfGroup) {
      const matches = compileFilterPattern(filter.filterPattern ?? '');
      for (const { message = '', timestamp = to } of lines) if (matches(message)) data.push(...dataOfFilter(filter, message, timestamp));
    }
  }
  for (const put of inPuts(data)) await metrics.send(new PutMetricDataCommand(put));
  return counts;
}

async function linesOf(logs: CloudWatchLogsClient, logGroupName: string, filterPattern: string, startTime: number, endTime: number): Promise<readonly FilteredLogEvent[]> {
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern, startTime, endTime, limit: mostLines }));
  if (events.length < mostLines || startTime >= endTime) return events;
  // `startTime` is 0 in the first window: halve where lines are, not in the empty years before.
  const first = events[0]?.timestamp ?? startTime;
  const middle = Math.floor((first + endTime) / 2);
  return [...await linesOf(logs, logGroupName, filterPattern, first, middle), ...await linesOf(logs, logGroupName, filterPattern, middle + 1, endTime)];
}

async function allGroups(logs: CloudWatchLogsClient): Promise<readonly string[]> {
  const names: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await logs.send(new DescribeLogGroupsCommand({ nextToken }));
    names.push(...(page.logGroups ?? []).flatMap(({ logGroupName }) => logGroupName ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return names;
}

async function allFilters(logs: CloudWatchLogsClient): Promise<readonly MetricFilter[]> {
  const filters: MetricFilter[] = [];
  let nextToken: string | undefined;
  do {
    const page = await logs.send(new DescribeMetricFiltersCommand({ nextToken }));
    filters.push(...(page.metricFilters ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return filters;
}
