/** What the emulator leaves out and this project fills in (docs/local-cloud.md): each filler, seen from outside. */
import { randomUUID } from 'node:crypto';
import { GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand, PutMetricFilterCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeContinuousBackupsCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import { aws, outputs } from './harness/cloud';
import { appSecret } from './harness/post';
import { waitFor } from './harness/wait-for';

async function sumOf(Namespace: string, MetricName: string): Promise<number> {
  const { Datapoints = [] } = await aws.metrics.send(new GetMetricStatisticsCommand({
    Namespace, MetricName, Period: 60, Statistics: ['Sum'], StartTime: new Date(Date.now() - 600_000), EndTime: new Date(Date.now() + 60_000),
  }));
  return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
}

describe('the local cloud', () => {
  it('has the vault locked as the template says', async () => {
    const { ObjectLockConfiguration } = await aws.s3.send(new GetObjectLockConfigurationCommand({ Bucket: outputs.VaultBucketName }));
    expect(ObjectLockConfiguration).toEqual({ ObjectLockEnabled: 'Enabled' });
  });

  it('has point-in-time recovery on for every table, as the template says', async () => {
    for (const TableName of [outputs.RecordsTableName, outputs.LogTableName, outputs.KeysTableName, outputs.ViewsTableName]) {
      const { ContinuousBackupsDescription } = await aws.dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
      expect([TableName, ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus]).toEqual([TableName, 'ENABLED']);
    }
  });

  it('has an app secret of its own, under the ARN that the stack names', async () => {
    expect(outputs.AppSecretArn).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:/);
    expect(await appSecret()).toEqual({ appSecrets: [expect.stringMatching(/^[0-9a-f]{32}$/)], verifyToken: expect.stringMatching(/^[0-9a-f]{32}$/) });
  });

  it('turns metrics in log lines and metric filters into metrics, each line once', async () => {
    const namespace = `Test-${randomUUID()}`;
    const group = { logGroupName: `/test/${namespace}` };
    const stream = { ...group, logStreamName: 'one' };
    await aws.logs.send(new CreateLogGroupCommand(group));
    await aws.logs.send(new CreateLogStreamCommand(stream));
    await aws.logs.send(new PutMetricFilterCommand({
      ...group, filterName: 'warnings', filterPattern: '{ $.level = "WARN" }', metricTransformations: [{ metricNamespace: namespace, metricName: 'Warnings', metricValue: '1' }],
    }));
    const emf = (value: number): string => JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [[]], Metrics: [{ Name: 'Things' }] }] }, Things: value });
    const put = (messages: readonly string[]): Promise<unknown> => aws.logs.send(new PutLogEventsCommand({ ...stream, logEvents: messages.map((message) => ({ message, timestamp: Date.now() })) }));
    await put([emf(2), JSON.stringify({ level: 'WARN' }), JSON.stringify({ level: 'INFO' }), 'START', emf(3)]);
    await waitFor('the first lines to be counted', async () => (await sumOf(namespace, 'Things')) >= 5 && (await sumOf(namespace, 'Warnings')) >= 1);
    // A second round, so that a line counted in both would show.
    await put([emf(10), JSON.stringify({ level: 'WARN' })]);
    await waitFor('the second lines to be counted', async () => (await sumOf(namespace, 'Things')) >= 15 && (await sumOf(namespace, 'Warnings')) >= 2);
    expect([await sumOf(namespace, 'Things'), await sumOf(namespace, 'Warnings')]).toEqual([15, 2]);
  });
});
