/** What the operators see: metrics and log lines. */
import { GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeLogGroupsCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ListFunctionsCommand, type FunctionConfiguration } from '@aws-sdk/client-lambda';
import { metricSum } from '../../../local/rehearsal/counts';
import type { MetricName } from '../../../src/core/metric-names';
import type { FunctionName } from '../../../lib/constructs/alarm-registry';
import { aws } from './cloud';

const epoch = new Date(Date.now() - 3 * 3_600_000);

/** Sum of a metric of ours since the cloud was started: compare two of them. */
export const counted = (name: MetricName): Promise<number> => metricSum(aws.metrics, name, epoch);

let functions: Promise<readonly FunctionConfiguration[]> | undefined;

/** A function of ours as it is deployed, found by the log group it was given. */
export async function functionNamed(name: FunctionName): Promise<{ readonly name: string; readonly roleArn: string; readonly roleName: string }> {
  functions ??= aws.lambda.send(new ListFunctionsCommand({})).then(({ Functions = [] }) => Functions);
  const found = (await functions).find(({ LoggingConfig }) => LoggingConfig?.LogGroup?.endsWith(`/${name}`) === true);
  if (found?.FunctionName === undefined || found.Role === undefined) throw new Error(`no function writes the log ${name}`);
  return { name: found.FunctionName, roleArn: found.Role, roleName: found.Role.split('/').at(-1) ?? '' };
}

/** Invocations of a function that failed, as AWS counts them. */
export async function errorsOf(name: FunctionName): Promise<number> {
  const { Datapoints = [] } = await aws.metrics.send(new GetMetricStatisticsCommand({
    Namespace: 'AWS/Lambda', MetricName: 'Errors', Dimensions: [{ Name: 'FunctionName', Value: (await functionNamed(name)).name }],
    StartTime: epoch, EndTime: new Date(Date.now() + 60_000), Period: 60, Statistics: ['Sum'],
  }));
  return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
}

/** A line of a log group; `json` where it is a JSON object. */
export interface LogLine {
  readonly group: string;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

const MOST_IN_ONE_ANSWER = 10_000;

/** Every line of every log group since `since`. */
export async function logLines(since: Date): Promise<readonly LogLine[]> {
  const { logGroups = [] } = await aws.logs.send(new DescribeLogGroupsCommand({}));
  return (await Promise.all(logGroups.map(({ logGroupName = '' }) => linesOf(logGroupName, since.getTime())))).flat();
}

/** The local cloud answers with the oldest lines and no token to go on with, so the next question begins at the last millisecond of a full answer. */
async function linesOf(group: string, sinceMs: number): Promise<LogLine[]> {
  const { events = [] } = await aws.logs.send(new FilterLogEventsCommand({ logGroupName: group, startTime: sinceMs, limit: MOST_IN_ONE_ANSWER }));
  const lastMs = events.at(-1)?.timestamp ?? sinceMs;
  const isFull = events.length >= MOST_IN_ONE_ANSWER;
  if (isFull && lastMs === sinceMs) throw new Error(`${group} has more lines of one millisecond than one answer holds`);
  const lines = events.filter(({ timestamp }) => !isFull || timestamp !== lastMs).map(({ message: line = '' }) => ({ group, text: line, json: jsonOf(line) }));
  return isFull ? [...lines, ...(await linesOf(group, lastMs))] : lines;
}

function jsonOf(line: string): LogLine['json'] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as LogLine['json']) : {};
  } catch {
    return {}; // START, END and REPORT lines
  }
}
