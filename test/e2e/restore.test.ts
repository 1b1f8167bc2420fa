/**
 * A person at three in the morning: part of the table is gone, some of it is wrong. Restored into a table of its own it is, item by item and setting by setting, what the live one was;
 * restored into the live table nothing is missing any more. The sealer heals by itself at the same time: who put a record back is nobody's business here, only that it is back.
 */
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { Env } from '../../src/runtime/env';
import { withEnvironment } from './harness/as-function';
import { aws, outputs } from './harness/cloud';
import { answer, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact, type Ran } from './harness/intact';
import { post } from './harness/post';
import { allSealed, checkpoint, recordsUnder } from './harness/published-log';
import { tableSettings } from './harness/table-settings';
import { scan, type Item } from './harness/tables';
import { waitFor } from './harness/wait-for';

const live = outputs.RecordsTableName;
const copy = `restored-${newMarker().slice(6, 18)}`;
const [phoneNumberId, marker] = [newPhoneNumberId(), newMarker()];
const ids = Array.from({ length: 6 }, newMessageId);
const invented = { pk: { S: `m#${newMarker()}${'A'.repeat(5)}` }, sk: { S: `${newPhoneNumberId()}#message` } };

interface Told {
  readonly shares?: object;
  readonly plan: { readonly origin: string; readonly size: number; readonly records: number; readonly same: number; readonly toWrite: number; readonly toRemove: readonly { pk: string }[]; readonly losses: number; readonly settings: readonly unknown[] };
  readonly result: { readonly written: number; readonly left: readonly { readonly key: { readonly pk: string } }[]; readonly settings: readonly unknown[] } | null;
}
const told = ({ stdout }: Ran): Told => JSON.parse(stdout) as Told;
const restore = (...args: string[]): Promise<Ran> => intact(['restore', ...args, '--json']);

const nameOf = ({ pk, sk }: Item): string => `${pk?.S} / ${sk?.S}`;
const textOf = (item: Item): string => JSON.stringify(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)), (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value));
const byName = (items: readonly Item[]): ReadonlyMap<string, string> => new Map(items.map((item) => [nameOf(item), textOf(item)] as const).sort());
const keyOf = ({ pk, sk }: Item) => ({ pk: { S: pk?.S ?? '' }, sk: { S: sk?.S ?? '' } });
/** The test's own records as they are now, the customer's and the content's among them. */
async function ours(): Promise<readonly Item[]> {
  const { Responses = {} } = await aws.dynamodb.send(new BatchGetItemCommand({ RequestItems: { [live]: { Keys: recorded.map(keyOf), ConsistentRead: true } } }));
  return Responses[live] ?? [];
}

let recorded: readonly Item[];
let content: { readonly Bucket: string; readonly Key: string };

beforeAll(async () => {
  const from = newPerson();
  for (const [i, id] of ids.entries()) {
    const body = messages(phoneNumberId, text({ id, from, body: `${marker} ${i === 0 ? 'long '.repeat(6_000) : i}` }));
    expect((await post(body)).json).toEqual(answer(body, { recorded: 1 }));
  }
  recorded = await recordsUnder(phoneNumberId);
  content = { Bucket: outputs.InboxBucketName, Key: recorded.find(({ contentName }) => contentName !== undefined)?.['contentName']?.S ?? '' };
  await allSealed();
}, 90_000);

afterAll(async () => {
  await aws.dynamodb.send(new UpdateTableCommand({ TableName: copy, DeletionProtectionEnabled: false }));
  await aws.dynamodb.send(new DeleteTableCommand({ TableName: copy }));
});

describe('npx intact restore into a table of its own', () => {
  it('shows a plan and makes nothing', async () => {
    const ran = await restore('--to', copy, '--plan');
    expect(told(ran)).toMatchObject({ plan: { target: copy, isLive: false, exists: false }, result: null });
    await expect(aws.dynamodb.send(new DescribeTableCommand({ TableName: copy }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('gives every record of the live table, attribute by attribute: 0 differences', async () => {
    const { size } = await checkpoint();
    const ran = await restore('--to', copy, '--size', String(size));
    expect(told(ran)).toMatchObject({ plan: { size, losses: 0 }, result: { left: [], settings: [] } });
    expect(ran.code).toBe(0);
    const [there, made] = [byName(await scan(live)), byName(await scan(copy))];
    expect(made.size).toBe(told(ran).plan.records);
    for (const record of recorded) expect([nameOf(record), made.get(nameOf(record))]).toEqual([nameOf(record), textOf(record)]);
    // Other tests leave records in the live table that were changed by hand; what the copy has is what was written. Whatever carries the same MAC must be the same.
    const different = [...made].filter(([name, item]) => there.get(name) !== item);
    const macOf = (item: string | undefined): string | undefined => /"mac",\{"S":"([^"]+)"/.exec(item ?? '')?.[1];
    const isByHand = ([name, item]: readonly [string, string]): boolean => macOf(there.get(name)) === undefined || macOf(there.get(name)) === macOf(item) || !there.has(name);
    expect(different.filter((each) => !isByHand(each))).toEqual([]);
  });

  it('sets it like the live one, setting by setting: 0 differences but the label', async () => {
    const made = await tableSettings(copy);
    expect(made).toEqual(await tableSettings(live));
    expect(made).toMatchObject({ StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' }, DeletionProtectionEnabled: true, backups: 'ENABLED' });
  });

  it('again finds nothing to do; damaged it writes only what differs', async () => {
    const { size } = told(await restore('--to', copy, '--plan', '--size', String((await labelled()).size))).plan;
    await aws.dynamodb.send(new DeleteItemCommand({ TableName: copy, Key: keyOf(recorded[0] as Item) }));
    await aws.dynamodb.send(new PutItemCommand({ TableName: copy, Item: { ...invented, note: { S: marker } } }));
    const { plan, result } = told(await restore('--to', copy, '--size', String(size)));
    expect([plan.toWrite, plan.toRemove.map(({ pk }) => pk), plan.same, result?.written]).toEqual([1, [invented.pk.S], plan.records - 1, 1]);
    expect(told(await restore('--to', copy, '--size', String(size), '--plan')).plan).toMatchObject({ toWrite: 0, toRemove: [] });
  });

  it('is refused for tables that are somebody else', async () => {
    for (const table of [outputs.KeysTableName, outputs.LogTableName, outputs.ViewsTableName]) {
      const ran = await intact(['restore', '--to', table]);
      expect([table, ran.code, ran.stderr.includes('another table of this deployment')]).toEqual([table, 2, true]);
    }
    const past = await intact(['restore', '--to', `${copy}-x`, '--size', '99999999']);
    expect([past.code, past.stderr]).toEqual([2, expect.stringContaining('the published log ends at')]);
  });
});

describe('npx intact restore --in-parts', () => {
  const parts = `${live}-restored-${newMarker().slice(6, 18)}`;

  afterAll(async () => {
    await aws.dynamodb.send(new UpdateTableCommand({ TableName: parts, DeletionProtectionEnabled: false }));
    await aws.dynamodb.send(new DeleteTableCommand({ TableName: parts }));
  });

  it('has functions make, a share at a time, the very table a restore here makes, and finds it whole when asked again', async () => {
    const { size } = await labelled();
    const inParts = (): Promise<Ran> => restore('--in-parts', '--to', parts, '--size', String(size));
    const ran = await withEnvironment('restore-table', { [Env.WHOLE_UP_TO]: `${Math.ceil(size / 3)}` }, inParts);
    expect([ran.stderr, told(ran)]).toEqual([expect.stringContaining('started as'), expect.objectContaining({ plan: expect.objectContaining({ target: parts, size, losses: 0 }), shares: { of: 3, missing: [] } })]);
    expect(ran.code).toBe(0);
    const [here, there] = [byName(await scan(copy)), byName(await scan(parts))];
    expect(there.size).toBe(told(ran).plan.records);
    for (const [name, item] of there) expect([name, here.get(name)]).toEqual([name, item]);
    expect(await tableSettings(parts)).toEqual(await tableSettings(live));
    const { Tags = [] } = await aws.dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn: (await aws.dynamodb.send(new DescribeTableCommand({ TableName: parts }))).Table?.TableArn }));
    expect(Tags.find(({ Key }) => Key === 'intact:restore')?.Value).toBe(`${told(ran).plan.origin}@${size}`);
    const again = await inParts();
    expect([again.code, told(again).result?.written, told(again).plan.same]).toEqual([0, 0, told(ran).plan.records]);
  }, 180_000);

  it('is refused for the live table, whoever asks', async () => {
    const ran = await intact(['restore', '--in-parts', '--to', live]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(`${live}-restored-<word>`)]);
  });
});

describe('npx intact restore into the live table', () => {
  it('does nothing unless the origin is typed', async () => {
    // Something to do that nobody does by himself.
    await aws.dynamodb.send(new UpdateContinuousBackupsCommand({ TableName: live, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false } }));
    const ran = await intact(['restore', '--to', live]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/wants to be confirmed; nothing was done/)]);
    expect(told(await restore('--to', live, '--plan')).plan.settings).toEqual([{ setting: 'pointInTimeRecovery', wanted: 'on', there: 'off' }]);
  });

  it('brings back what was removed, changed and lost beside the table, and takes away what was invented', async () => {
    const [removed, changed, forged] = [recorded.slice(2, 4), recorded[4] as Item, recorded[5] as Item];
    await Promise.all([
      ...removed.map((record) => aws.dynamodb.send(new DeleteItemCommand({ TableName: live, Key: keyOf(record) }))),
      aws.dynamodb.send(new UpdateItemCommand({ TableName: live, Key: keyOf(changed), UpdateExpression: 'SET receivedAt = :at', ExpressionAttributeValues: { ':at': { S: '2001-01-01T00:00:00.000Z' } } })),
      aws.dynamodb.send(new PutItemCommand({ TableName: live, Item: { ...keyOf(forged), note: { S: marker } } })),
      aws.dynamodb.send(new PutItemCommand({ TableName: live, Item: { ...(recorded[3] as Item), ...invented } })),
      aws.s3.send(new DeleteObjectCommand(content)),
    ]);
    const { origin } = told(await restore('--to', live, '--plan')).plan;
    const ran = await restore('--to', live, '--confirm', origin);
    const mine = new Set([...recorded, invented as Item].map((item) => item['pk']?.S ?? ''));
    expect(told(ran).result?.left.filter(({ key }) => mine.has(key.pk))).toEqual([]);
    expect(byName(await ours())).toEqual(byName(recorded));
    const { Body } = await aws.s3.send(new GetObjectCommand(content));
    expect(await Body?.transformToString()).toContain(marker);
    expect((await scan(live)).filter((item) => nameOf(item) === nameOf(invented as Item))).toEqual([]);
    expect(told(await restore('--to', live, '--plan')).plan.settings).toEqual([]);
  }, 120_000);

  it('stays so, and the log says the same', async () => {
    await allSealed();
    await waitFor('nothing of ours to differ from the log', async () => told(await restore('--to', live, '--plan', '--record', ids[0] as string)).plan.toWrite === 0, { withinMs: 30_000 });
    expect(byName(await ours())).toEqual(byName(recorded));
    for (const id of ids) expect(told(await restore('--to', live, '--plan', '--record', id)).plan).toMatchObject({ records: 1, same: 1, toWrite: 0, losses: 0 });
    const proof = await intact(['proof', ids[1] as string]);
    expect([proof.code, proof.stdout.includes(`${marker} 1`)]).toEqual([0, true]);
  }, 90_000);
});

/** The point the copy's label names. */
async function labelled(): Promise<{ readonly size: number }> {
  const { Table } = await aws.dynamodb.send(new DescribeTableCommand({ TableName: copy }));
  const { Tags = [] } = await aws.dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn }));
  const label = Tags.find(({ Key }) => Key === 'intact:restore')?.Value ?? '';
  expect(label).toMatch(/^[^@ ]+@\d+$/);
  return { size: Number(label.split('@')[1]) };
}
