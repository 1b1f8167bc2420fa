/**
 * Reconciliation on the deployed stack: the log lines of the real functions against what the table and the log hold. A delivery that never was is told of by a line put there by hand, which is all that a receiver that
 * answers 200 and keeps nothing would leave. Other tests damage what is theirs, so only what this one did is asked about.
 */
import { CreateLogGroupCommand, CreateLogStreamCommand, DeleteLogGroupCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { randomBytes, randomUUID } from 'node:crypto';
import { runNow } from '../../local/rehearsal/runs';
import { cloudWatchDeliveryLog, cloudWatchLogs } from '../../src/adapters/aws/delivery-log';
import { deliveryLogContract } from '../contracts/delivery-log-contract';
import { aws, outputs } from './harness/cloud';
import { answer, deliveryIdOf, messages, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { allSealed, recordsUnder, recordsWith } from './harness/published-log';
import { waitFor } from './harness/wait-for';
import { logLines } from './harness/watching';

interface Report {
  readonly reconciliation: string;
  readonly ok: boolean;
  readonly deliveries: number;
  readonly history: unknown;
  readonly found: readonly { readonly code: string; readonly about: string; readonly missing?: number }[];
}
async function reconcile(since: Date): Promise<Report> {
  const { code, stdout, stderr } = await intact(['reconcile', '--since', since.toISOString(), '--until', '0m', '--json']);
  if (code !== 0 && code !== 1) throw new Error(`reconcile ended with ${code}: ${stderr}`);
  const report = JSON.parse(stdout) as Report;
  expect(code).toBe(report.ok ? 0 : 1);
  return report;
}
const about = ({ found }: Report, id: string): readonly string[] => found.filter((finding) => finding.about === id).map(({ code }) => code);
/** The emulator stamps lines a little before they can be read, and loses a function's last one now and then: what has to be there is waited for. */
const told = (id: string, message: string, since: Date): Promise<unknown> =>
  waitFor(`the line about ${id}`, async () => (await logLines(since)).some(({ json }) => json['deliveryId'] === id && json['message'] === message), { withinMs: 30_000 });

const RECEIVE = '/intact/local/receive-webhook';
async function say(logGroupName: string, ...lines: readonly { readonly at: Date; readonly text: string }[]): Promise<void> {
  const logStreamName = randomUUID();
  await aws.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  await aws.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents: lines.map(({ at, text: message }) => ({ timestamp: at.getTime(), message })) }));
}

const since = new Date(Date.now() - 1_000);
/** More than other tests erase: as many as were erased at the time may be missing for that reason, and nothing is said of them then. */
const LOST = 5_000;

test('what was recorded, at once or after it was put aside, removed meanwhile or not, is no finding; Meta is not asked without a token', async () => {
  const [phoneNumberId, big] = [newPhoneNumberId(), newPhoneNumberId()];
  const of = (number: string, n: number): string => messages(number, ...Array.from({ length: n }, () => text({ id: newMessageId(), from: newPerson(), body: 'hello' })));
  const bodies = [of(phoneNumberId, 3), of(phoneNumberId, 1), of(big, 70)];
  for (const [i, queued] of [0, 0, 1].entries()) expect((await post(bodies[i]!)).json).toEqual(answer(bodies[i]!, queued === 1 ? { queued } : { recorded: i === 0 ? 3 : 1 }));
  await waitFor('what was put aside to be recorded', async () => (await recordsUnder(big)).length === 70, { withinMs: 120_000 });
  const [removed = {}] = await recordsUnder(phoneNumberId);
  await aws.dynamodb.send(new DeleteItemCommand({ TableName: outputs.RecordsTableName, Key: { pk: removed['pk']!, sk: removed['sk']! } }));
  for (const body of bodies.slice(0, 2)) await told(deliveryIdOf(body), 'delivery accepted', since);
  await allSealed();
  const report = await reconcile(since);
  for (const body of bodies) expect(about(report, deliveryIdOf(body))).toEqual([]);
  expect(report.deliveries).toBeGreaterThanOrEqual(2);
  expect(report.history).toBe('not asked');
}, 240_000);

test('a delivery that is said to have been answered 200, and of which nothing is kept, is a finding that is sealed like any record', async () => {
  const deliveryId = randomBytes(16).toString('base64url');
  await say(RECEIVE, { at: new Date(), text: JSON.stringify({ level: 'INFO', message: 'delivery accepted', deliveryId, queued: 0, recorded: LOST, duplicate: 1, variant: 0, conflict: 0, quarantined: 0 }) });
  const report = await waitFor('the line to be read', async () => {
    const each = await reconcile(since);
    return about(each, deliveryId).length > 0 && each;
  }, { withinMs: 60_000 });
  expect(report.found).toContainEqual({ code: 'delivery-missing', about: deliveryId, missing: LOST });
  const [finding, ...others] = await recordsWith('about', deliveryId);
  expect([finding?.['kind']?.S, finding?.['code']?.S, finding?.['missing']?.N, others]).toEqual(['finding', 'delivery-missing', String(LOST), []]);
  await allSealed();
  const { code, stdout } = await intact(['verify', '--no-memory', '--json']);
  expect([code, (JSON.parse(stdout) as { ok: boolean }).ok]).toEqual([0, true]);
}, 180_000);

test('the function does the same on its schedule, with the rights it has', async () => {
  const before = new Date();
  await runNow(aws.lambda, 'reconcile-deliveries');
  const { Items = [] } = await aws.dynamodb.send(
    new QueryCommand({ TableName: outputs.RecordsTableName, ConsistentRead: true, KeyConditionExpression: 'pk = :pk AND sk >= :since', ExpressionAttributeValues: { ':pk': { S: 'reconciliation' }, ':since': { S: before.toISOString() } } }),
  );
  expect(Items.map(({ kind, until, reconciledUntil }) => [kind?.S, until?.S === reconciledUntil?.S])).toEqual([['reconciliation', true]]);
  await waitFor('its metric', async () => (await logLines(before)).some(({ group, json }) => group.endsWith('/reconcile-deliveries') && json['ReconciliationCompleted'] === 1), { withinMs: 60_000 });
}, 240_000);

const GROUPS = { receive: `/test/${randomUUID()}/receive`, process: `/test/${randomUUID()}/process` };
deliveryLogContract('the cloud', async () => {
  for (const logGroupName of Object.values(GROUPS)) await aws.logs.send(new CreateLogGroupCommand({ logGroupName }));
  return {
    deliveries: cloudWatchDeliveryLog(cloudWatchLogs(), GROUPS),
    nowhere: cloudWatchDeliveryLog(cloudWatchLogs(), { receive: `${GROUPS.receive}-not`, process: `${GROUPS.process}-not` }),
    write: (source, lines) => say(GROUPS[source], ...lines),
  };
});
afterAll(async () => {
  for (const logGroupName of Object.values(GROUPS)) await aws.logs.send(new DeleteLogGroupCommand({ logGroupName }));
});
