/**
 * The rehearsal of `npm start`: plays Meta against the running local cloud, waits for sealing, verifies a fresh pull, and reports expected and got. Exit code 0
 * when every number is as expected, 1 when not, 2 when it could not be done. A process of its own: it has nothing but the local environment.
 */
import { signatureOf } from '../src/core/meta/signature';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { FunctionName } from '../lib/constructs/alarm-registry';
import { CannotStart } from './child-process';
import type { AppSecret } from './errands';
import { readOutputs, type LocalOutputs } from './outputs';
import { metricSum, publishedSize, pullAndVerify, reconcileAll, type Verification } from './rehearsal/counts';
import { buildsOnOthers, exampleDeliveries, forgedDelivery, type Delivery, type Expected } from './rehearsal/deliveries';
import { isAsExpected, reportText, type ReportLine } from './rehearsal/report';
import { seedCustomers, SEEDED_CUSTOMERS, SEEDED_VERSIONS } from './rehearsal/customers';
import { newestRun, runNow, type RunRecord } from './rehearsal/runs';
import { staffFile, stateDirectory } from './state-directory';
import { printedSteps } from './steps';
import { changesOf, countByKind, scanTable, type Item } from './table-scan';
import { waitFor } from './wait-for';
import { postDelivery } from './webhook';

/** Kinds that stand for one event of Meta's each; all others are ours. */
const eventKinds = ['message', 'edit', 'revoke', 'reaction', 'status', 'field'] as const;
/** Deliveries in flight: Meta sends several at once too, and each needs a Lambda of its own. */
const parallel = 4;

const steps = printedSteps((line) => process.stdout.write(line));
const dynamodb = new DynamoDBClient({});
const s3 = new S3Client({ forcePathStyle: true });
const metrics = new CloudWatchClient({});
const lambda = new LambdaClient({});

async function rehearse(outputs: LocalOutputs): Promise<readonly ReportLine[]> {
  const begin = new Date();
  const all = [...exampleDeliveries(), forgedDelivery()];
  const first = all.filter((delivery) => !buildsOnOthers(delivery));
  const later = all.filter(buildsOnOthers);
  const secret = await currentSecret(outputs);
  const scan = (): Promise<readonly Item[]> => scanTable(dynamodb, outputs.RecordsTableName);

  await steps.step(`Sending ${all.length} deliveries, batches and a forgery among them`, async () => {
    await sendAll(outputs, secret, first);
    // The inbox is worked off in the background; what comes later, and the resend, are judged against what is recorded.
    await reached('the first deliveries to be recorded', sum(first, 'recorded'), async () => events(countByKind(await scan())));
    await sendAll(outputs, secret, later);
  });
  await steps.step('Sending every one of them again', () => sendAll(outputs, secret, all));
  await steps.step('Making a few customers through the API, as support and an administrator do', () => seedCustomers(outputs, staffFile(stateDirectory())));
  const accepted = all.filter(({ forged }) => forged !== true);
  const expectedDuplicates = sum(accepted, 'recorded') + sum(accepted, 'variants') + sum(accepted, 'conflicts') + sum(accepted, 'quarantined');
  await steps.step('Waiting until every change is sealed and published', async () => {
    await reached('the resent deliveries to be recognised', expectedDuplicates, () => metricSum(metrics, 'EventsDuplicate', begin));
    await waitFor('the published log to hold every change', async () => (await publishedSize(s3, outputs.VaultBucketName)) === changesOf(await scan()), { withinMs: 90_000, everyMs: 500 }).catch(ignored);
  });
  const directory = join(stateDirectory().cloud, 'pulled');
  const [verification, items] = await steps.step('Pulling the vault and verifying it', () => pulledWithTable(directory, scan));
  // After the counting: what these leave are records too.
  const run = async (name: FunctionName, kind: Parameters<typeof newestRun>[2]): Promise<RunRecord | undefined> => {
    await runNow(lambda, name);
    return newestRun(dynamodb, outputs.RecordsTableName, kind);
  };
  const [snapshot, audit, drill] = await steps.step('Taking a snapshot, auditing, restoring into scratch', async () => [await run('take-snapshot', 'snapshot'), await run('audit-table', 'audit'), await run('run-drill', 'drill')] as const);
  const reconciliation = await steps.step('Comparing what was answered 200 with what is recorded', async () => {
    await runNow(lambda, 'reconcile-deliveries');
    return reconcileAll();
  });

  const kinds = countByKind(items);
  const metric = async (name: string, counted: string, expected: number): Promise<ReportLine> => line(counted, expected, await metricSum(metrics, name, begin), `metric ${name}`);
  return [
    await metric('DeliveriesReceived', 'received', 2 * accepted.length),
    line('recorded', sum(all, 'recorded'), events(kinds), `table: ${eventKinds.flatMap((kind) => (kinds[kind] === undefined ? [] : [`${kinds[kind]} ${kind}`])).join(', ')}`),
    await metric('EventsDuplicate', 'duplicates', expectedDuplicates),
    line('variants', sum(all, 'variants'), kinds['variant'] ?? 0, 'table: the same event, told in other words'),
    line('conflicts', sum(all, 'conflicts'), kinds['conflict'] ?? 0, 'table: another event under a used id, kept as evidence'),
    line('quarantined', sum(all, 'quarantined'), kinds['quarantine'] ?? 0, 'table: signed, but not understood; kept with the reason'),
    await metric('SignaturesRefused', 'refused', 2 * all.filter(({ forged }) => forged === true).length),
    line('versions', SEEDED_VERSIONS, kinds['version'] ?? 0, `table: ${SEEDED_CUSTOMERS} customers made through the API and some of them assigned, each step with its line in the access log`),
    line('sealed', changesOf(items), verification.entries, 'pulled log, against every revision of every record in the table'),
    { name: 'checkpoint', expected: 'signed', got: verification.ok ? 'signed' : 'refused', countedIn: `size ${verification.size}, root ${verification.root}` },
    { name: 'snapshot', expected: 'taken', got: snapshot?.ok === true ? 'taken' : 'not taken', countedIn: `record of the snapshot: ${snapshot?.records ?? 0} records, put into the vault in ${snapshot?.seconds.toFixed(1) ?? '-'} s` },
    { name: 'audit', expected: 'clean', got: outcomeOf(audit, 'findings'), countedIn: `record of the audit: ${audit?.records ?? 0} records of the log held against the table` },
    { name: 'reconciliation', expected: 'clean', got: outcomeOf(reconciliation, 'findings'), countedIn: `intact reconcile: ${reconciliation.deliveries} deliveries, ${reconciliation.events} events, as the receivers logged them, held against the log` },
    { name: 'drill', expected: 'clean', got: outcomeOf(drill, 'differences'), countedIn: `record of the drill: ${drill?.records ?? 0} records restored in ${drill?.seconds.toFixed(1) ?? '-'} s, compared, dropped` },
    line('findings', 0, verification.findings.length + (kinds['finding'] ?? 0), 'intact verify, and records of kind finding'),
  ];
}

function outcomeOf(run: Pick<RunRecord, 'ok' | 'findings'> | undefined, what: string): string {
  if (run === undefined) return 'never ran';
  return run.ok ? 'clean' : `${run.findings} ${what}`;
}

/** Pull and table at one moment: a heartbeat between the two would look like a difference, so the table is read before and after. */
async function pulledWithTable(directory: string, scan: () => Promise<readonly Item[]>): Promise<readonly [Verification, readonly Item[]]> {
  for (let attempt = 0; ; attempt++) {
    const before = await scan();
    const verification = await pullAndVerify(directory);
    if (attempt === 2 || changesOf(await scan()) === changesOf(before)) return [verification, before];
  }
}

async function sendAll(outputs: LocalOutputs, secret: string, deliveries: readonly Delivery[]): Promise<void> {
  const waiting = [...deliveries];
  const send = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, body, forged } = next;
      const { status, text } = await postDelivery(outputs.WebhookUrl, body, signatureOf(body, forged === true ? randomBytes(16).toString('hex') : secret));
      // What became of it is counted elsewhere; that the webhook works at all is not.
      if (status >= 500) throw new CannotStart(`The webhook answered ${status} to ${name}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, send));
}

async function currentSecret(outputs: LocalOutputs): Promise<string> {
  const { SecretString = '{}' } = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: outputs.AppSecretArn }));
  const [current] = (JSON.parse(SecretString) as Partial<AppSecret>).appSecrets ?? [];
  if (current === undefined) throw new CannotStart('The local cloud has no app secret.');
  return current;
}

/** Waits for a count; when it is not reached the report tells, so nothing is thrown. */
async function reached(what: string, expected: number, count: () => Promise<number>): Promise<void> {
  await waitFor(what, async () => (await count()) >= expected, { withinMs: 45_000, everyMs: 500 }).catch(ignored);
}

function ignored(): undefined {
  return undefined;
}

function sum(deliveries: readonly Delivery[], of: keyof Expected): number {
  return deliveries.reduce((total, { expected }) => total + (expected[of] ?? 0), 0);
}

function events(kinds: Readonly<Record<string, number>>): number {
  return eventKinds.reduce((total, kind) => total + (kinds[kind] ?? 0), 0);
}

function line(name: string, expected: number, got: number, countedIn: string): ReportLine {
  return { name, expected: String(expected), got: String(got), countedIn };
}

async function main(): Promise<void> {
  const outputs = readOutputs(stateDirectory().outputs);
  if (outputs === undefined) throw new CannotStart('No local cloud is running. Start it with:  npm start');
  const lines = await rehearse(outputs);
  process.stdout.write(`\n${reportText(lines)}\n`);
  process.exitCode = isAsExpected(lines) ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof CannotStart ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 2;
});
