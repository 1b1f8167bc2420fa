/**
 * The two that hold the table against the log, on the deployed stack: what is wrong is found by whoever comes first, the sealer or the audit, is on record, and ends in a sound
 * table; a drill restores everything and leaves no table behind. Other tests damage records of their own, so only what this one did is asked about.
 */
import { DeleteItemCommand, GetItemCommand, ListTablesCommand, PutItemCommand, QueryCommand, UpdateItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { newestRun, runNow } from '../../local/rehearsal/runs';
import { keyInventory } from '../../src/adapters/aws/key-inventory';
import { dynamoDb } from '../../src/adapters/aws/dynamodb';
import { Env } from '../../src/runtime/env';
import { withEnvironment } from './harness/as-function';
import { aws, outputs } from './harness/cloud';
import { answer, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { allSealed, entriesOf, recordsUnder, recordsWith } from './harness/published-log';
import { type Item } from './harness/tables';
import { waitFor } from './harness/wait-for';
import { logLines } from './harness/watching';

const TableName = outputs.RecordsTableName;
const keyOf = ({ pk, sk }: Item): Record<string, { S: string }> => ({ pk: { S: pk?.S ?? '' }, sk: { S: sk?.S ?? '' } });
const now = async (Key: Record<string, AttributeValue>): Promise<Item | undefined> => (await aws.dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;

/** A recorded and sealed message of somebody new. */
async function message(): Promise<Item> {
  const phoneNumberId = newPhoneNumberId();
  const body = messages(phoneNumberId, text({ id: newMessageId(), from: newPerson(), body: newMarker() }));
  expect((await post(body)).json).toEqual(answer(body, { recorded: 1 }));
  const [record = {}] = await recordsUnder(phoneNumberId);
  await entriesOf(record['subject']?.S ?? '', 4); // customer, alias, link, message
  return record;
}

interface Audit {
  readonly ok: boolean;
  readonly records: number;
  readonly found: readonly { readonly code: string; readonly key?: { readonly pk: string; readonly sk: string }; readonly subject?: string }[];
}
async function audit(): Promise<Audit> {
  const { code, stdout, stderr } = await intact(['audit', '--full', '--json']);
  if (code !== 0 && code !== 1) throw new Error(`audit ended with ${code}: ${stderr}`);
  const report = JSON.parse(stdout) as Audit;
  expect(code).toBe(report.ok ? 0 : 1);
  return report;
}
const about = ({ found }: Audit, item: Item): readonly string[] => found.filter(({ key }) => key?.pk === item['pk']?.S && key?.sk === item['sk']?.S).map(({ code }) => code);
const findingsAbout = async (item: Item): Promise<readonly Item[]> => (await recordsWith('recordPk', item['pk']?.S ?? '')).filter(({ kind, recordSk }) => kind?.S === 'finding' && recordSk?.S === item['sk']?.S);

/** Whether a function wrote a metric of ours since then. */
const logged = async (name: string, metric: string, since: Date): Promise<boolean> => (await logLines(since)).some(({ group, json }) => group.endsWith(`/${name}`) && json[metric] === 1);

describe('the audit', () => {
  it('has nothing to say of sound records', async () => {
    const records = [await message(), await message()];
    await allSealed();
    const report = await audit();
    expect(report.records).toBeGreaterThan(8);
    for (const record of records) expect(about(report, record)).toEqual([]);
  }, 120_000);

  it('and the sealer find a change by hand and a removal, whoever is first; both are on record, and the table is sound again', async () => {
    const [changed, removed] = [await message(), await message()];
    await aws.dynamodb.send(new UpdateItemCommand({ TableName, Key: keyOf(changed), UpdateExpression: 'SET #t = :t', ExpressionAttributeNames: { '#t': 'text' }, ExpressionAttributeValues: { ':t': { S: 'another' } } }));
    await aws.dynamodb.send(new DeleteItemCommand({ TableName, Key: keyOf(removed) }));
    await audit();
    for (const item of [changed, removed]) {
      await waitFor(`a finding about ${item['pk']?.S}`, async () => (await findingsAbout(item)).length > 0, { withinMs: 60_000 });
      await waitFor(`${item['pk']?.S} to be as it was`, async () => JSON.stringify((await now(keyOf(item)))?.['text']) === JSON.stringify(item['text']), { withinMs: 120_000 });
    }
    await allSealed();
    const report = await audit();
    for (const item of [changed, removed]) expect([await now(keyOf(item)), about(report, item)]).toEqual([item, []]);
  }, 300_000);

  it('finds a key that is gone, which nobody else looks for', async () => {
    const subject = (await message())['subject']?.S ?? '';
    const Key = { pk: { S: `s#${subject}` }, sk: { S: 'key' } };
    const { Item: row } = await aws.dynamodb.send(new GetItemCommand({ TableName: outputs.KeysTableName, Key, ConsistentRead: true }));
    const listed = async (): Promise<boolean> => {
      for await (const each of keyInventory(dynamoDb(), outputs.KeysTableName).subjects()) if (each === subject) return true;
      return false;
    };
    expect(await listed()).toBe(true);
    await aws.dynamodb.send(new DeleteItemCommand({ TableName: outputs.KeysTableName, Key }));
    try {
      expect(await listed()).toBe(false);
      expect((await audit()).found).toContainEqual(expect.objectContaining({ code: 'key-absent', subject }));
    } finally {
      await aws.dynamodb.send(new PutItemCommand({ TableName: outputs.KeysTableName, Item: row }));
    }
    expect((await recordsWith('keyOf', subject)).map(({ code }) => code?.S)).toEqual(['key-absent']);
    expect((await audit()).found.filter((each) => each.subject === subject)).toEqual([]);
  }, 240_000);

  it('runs as the schedule runs it, with its own rights, and leaves a record and a metric', async () => {
    const began = new Date();
    const earlier = await newestRun(aws.dynamodb, TableName, 'audit');
    await runNow(aws.lambda, 'audit-table');
    const record = await newestRun(aws.dynamodb, TableName, 'audit');
    expect(record).not.toEqual(earlier);
    expect(record?.records).toBeGreaterThan(8);
    await waitFor('the metric in its log', () => logged('audit-table', 'AuditCompleted', began));
  }, 120_000);
});

describe('the drill', () => {
  const scratchTables = async (): Promise<readonly string[]> => ((await aws.dynamodb.send(new ListTablesCommand({}))).TableNames ?? []).filter((name) => name.includes('-drill-'));

  it('runs as the schedule runs it, with its own rights; it restores everything, and no table is left', async () => {
    const record = await message();
    const began = new Date();
    await runNow(aws.lambda, 'run-drill');
    expect((await newestRun(aws.dynamodb, TableName, 'drill'))?.records).toBeGreaterThan(8);
    expect(await scratchTables()).toEqual([]);
    await waitFor('the metric in its log', () => logged('run-drill', 'DrillCompleted', began));
    expect(await now(keyOf(record))).toEqual(record);
  }, 180_000);

  it('from the replica, as every so many are: with the facts and the keys of the second region alone, and its record says so', async () => {
    const record = await message();
    await withEnvironment('run-drill', { [Env.DRILL_FROM_REPLICA_EVERY]: '1' }, () => runNow(aws.lambda, 'run-drill'));
    const { Items: [newest] = [] } = await aws.dynamodb.send(new QueryCommand({ TableName, ConsistentRead: true, ScanIndexForward: false, Limit: 1, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'drill' } } }));
    expect(newest?.['target']?.S).toBe(`${TableName}-drill-scratch, from the replica`);
    expect(Number(newest?.['records']?.N)).toBeGreaterThan(8);
    expect(await scratchTables()).toEqual([]);
    expect(await now(keyOf(record))).toEqual(record);
  }, 180_000);

  it('from the replica by hand has no differences about what is sound, and tells how far behind it is', async () => {
    const record = await message();
    await allSealed();
    const { code, stdout, stderr } = await intact(['drill', '--from', `s3://${outputs.ReplicaBucketName}`, '--json']);
    expect([code === 0 || code === 1, stderr]).toEqual([true, expect.stringContaining(`source: s3://${outputs.ReplicaBucketName}`) as string]);
    const report = JSON.parse(stdout) as { readonly from: string; readonly behind: number; readonly records: number; readonly found: readonly { readonly kind: string; readonly key?: { readonly pk: string } }[] };
    expect(report).toMatchObject({ from: 'replica', behind: expect.any(Number) as number });
    expect(report.records).toBeGreaterThan(8);
    expect(report.found.filter(({ kind, key }) => kind === 'setting' || kind === 'behind' || key?.pk === record['pk']?.S)).toEqual([]);
    expect(await scratchTables()).toEqual([]);
  }, 180_000);

  it('from the command line names every difference; of sound records and of the settings there is none', async () => {
    const record = await message();
    await allSealed();
    const { code, stdout, stderr } = await intact(['drill', '--json']);
    expect([code === 0 || code === 1, stderr]).toEqual([true, expect.stringContaining('target: ') as string]);
    const { found, records } = JSON.parse(stdout) as { readonly records: number; readonly found: readonly { readonly kind: string; readonly key?: { readonly pk: string } }[] };
    expect(records).toBeGreaterThan(8);
    expect(found.filter(({ kind, key }) => kind === 'setting' || key?.pk === record['pk']?.S)).toEqual([]);
    expect(await scratchTables()).toEqual([]);
    const status = JSON.parse((await intact(['status', '--json'])).stdout) as Record<string, unknown>;
    for (const run of ['lastAudit', 'lastDrill']) expect(status[run]).toEqual({ at: expect.any(String) as string, ok: expect.any(Boolean) as boolean, findings: expect.any(Number) as number });
  }, 180_000);
});
