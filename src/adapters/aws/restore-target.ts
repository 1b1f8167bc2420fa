/**
 * A DynamoDB table to restore into: made, set, filled, compared, and dropped only where this very object made it. Each of a table's settings has an API of its own on AWS; here they are
 * one value, so that none is forgotten.
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ListTagsOfResourceCommand,
  TagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  type DynamoDBClient,
  type StreamViewType,
  type TableDescription,
  type Tag,
  type UpdateTableCommandInput,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { KeySchema } from '../../core/table-keys';
import { PortError } from '../../ports';
import type { TableSettings } from '../../ports/restore-target';
import type { ConfigurableTarget } from '../../ports/table-configuration';
import { asked, imageOf, itemOf, keyItem } from './dynamodb';
import { asking, errorNamed } from './port-errors';
import { recordStore } from './record-store';

const { pk, sk, byCustomer, byOperator } = KeySchema;
const INDEXES = [byCustomer, byOperator];

/** DynamoDB's own limits for one request. */
const MAX_WRITES = 25;
const MAX_READS = 100;
/** A new on-demand table takes some 4,000 writes a second; this many requests of 25 in flight reach that, and more would only be sent back. */
const REQUESTS_AT_ONCE = 16;
/** Items sent back are sent again after a pause that doubles up to 5 s; a table that takes none for a minute is not throttled but ill. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
const MAX_PAUSES = 20;
/** Making a table takes seconds, an index or a key on it minutes. */
const STATE_POLL_MS = 500;
const STATE_WITHIN_MS = 10 * 60_000;

export function restoreTarget(client: DynamoDBClient, table: string): ConfigurableTarget {
  let made = false;

  /** The table when nothing is being changed about it. */
  const steady = async (): Promise<TableDescription | 'absent'> => {
    const deadline = Date.now() + STATE_WITHIN_MS;
    for (;;) {
      const { Table = 'absent' } = await asked<{ readonly Table?: TableDescription | undefined }>(
        `describe table ${table}`,
        () => client.send(new DescribeTableCommand({ TableName: table })),
        (error) => (errorNamed(error, ['ResourceNotFoundException']) ? {} : undefined),
      );
      if (Table === 'absent') return Table;
      const settled = Table.TableStatus === 'ACTIVE' && (Table.GlobalSecondaryIndexes ?? []).every(({ IndexStatus }) => IndexStatus === undefined || IndexStatus === 'ACTIVE');
      if (settled) return Table;
      if (Date.now() > deadline) throw new PortError('unavailable', `table ${table} has been ${Table.TableStatus ?? 'changing'} for ten minutes; look at it in the console, then try again`);
      await after(STATE_POLL_MS);
    }
  };
  const present = async (): Promise<TableDescription> => {
    const there = await steady();
    if (there === 'absent') throw new PortError('corrupt', `there is no table ${table}`);
    return there;
  };
  const settingsOf = async (there: TableDescription): Promise<TableSettings> => {
    const [expires, backups, tags] = await Promise.all([
      asked(`read the expiry of ${table}`, () => client.send(new DescribeTimeToLiveCommand({ TableName: table }))),
      asked(`read the backups of ${table}`, () => client.send(new DescribeContinuousBackupsCommand({ TableName: table }))),
      allTags(client, table, there.TableArn ?? ''),
    ]);
    const { TimeToLiveStatus, AttributeName } = expires.TimeToLiveDescription ?? {};
    const isExpiring = TimeToLiveStatus === 'ENABLED' || TimeToLiveStatus === 'ENABLING';
    return {
      stream: there.StreamSpecification?.StreamEnabled === true ? (there.StreamSpecification.StreamViewType ?? null) : null,
      expires: isExpiring ? (AttributeName ?? null) : null,
      pointInTimeRecovery: backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED',
      deletionProtection: there.DeletionProtectionEnabled === true,
      encryptionKey: there.SSEDescription?.KMSMasterKeyArn ?? null,
      billing: there.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST' ? 'on-demand' : 'provisioned',
      indexes: [...(there.GlobalSecondaryIndexes ?? []), ...(there.LocalSecondaryIndexes ?? [])].map(described).sort(),
      tags,
    };
  };
  const update = async (change: Omit<UpdateTableCommandInput, 'TableName'>): Promise<void> => {
    await asked(`set ${table}`, () => client.send(new UpdateTableCommand({ TableName: table, ...change })));
    await present(); // DynamoDB takes one change at a time
  };
  const configure = async (wanted: TableSettings): Promise<void> => {
    const description = await present();
    const there = await settingsOf(description);
    // The label first, so that a table which is being changed says already what it is.
    const tags = wanted.tags.filter((tag) => !there.tags.includes(tag));
    if (tags.length > 0) await asked(`tag ${table}`, () => client.send(new TagResourceCommand({ ResourceArn: description.TableArn, Tags: tags.map(tagOf) })));
    if (wanted.encryptionKey !== there.encryptionKey) await update({ SSESpecification: encryption(wanted) ?? { Enabled: false } });
    if (wanted.stream !== there.stream) {
      // A stream cannot be changed into another one, only ended and begun.
      if (there.stream !== null) await update({ StreamSpecification: { StreamEnabled: false } });
      if (wanted.stream !== null) await update({ StreamSpecification: streaming(wanted.stream) });
    }
    if (wanted.deletionProtection !== there.deletionProtection) await update({ DeletionProtectionEnabled: wanted.deletionProtection });
    if (wanted.pointInTimeRecovery !== there.pointInTimeRecovery) await setBackups(client, table, wanted.pointInTimeRecovery);
    if (wanted.expires !== there.expires) {
      if (there.expires !== null) await setExpiry(client, table, there.expires, false);
      if (wanted.expires !== null) await setExpiry(client, table, wanted.expires, true);
    }
  };

  return {
    name: table,

    async settings() {
      const there = await steady();
      if (there === 'absent') return there;
      const keys = (there.KeySchema ?? []).map(({ AttributeName, KeyType }) => `${AttributeName} ${KeyType}`).join(', ');
      if (keys !== `${pk} HASH, ${sk} RANGE`) throw new PortError('corrupt', `table ${table} is keyed by ${keys}: it is no table of records`);
      return settingsOf(there);
    },

    async create(settings) {
      await asking(`make table ${table}`, async () => {
        try {
          await client.send(new CreateTableCommand({ TableName: table, ...madeOf(settings) }));
        } catch (error) {
          if (errorNamed(error, ['ResourceInUseException'])) throw new PortError('different-bytes', `there is a table ${table} already: somebody else made it`, { cause: error });
          throw error;
        }
      });
      made = true;
      // What CreateTable cannot set. Died before it: the table stands, labelled, and the next run configures it.
      await configure(settings);
    },

    configure,

    async read(keys) {
      const found = await eachChunk(keys, MAX_READS, async (chunk) => {
        const items: ReturnType<typeof imageOf>[] = [];
        await untilTaken(`read ${chunk.length} records of ${table}`, chunk.map(keyItem), async (left) => {
          const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } }));
          items.push(...(Responses?.[table] ?? []).map(imageOf));
          return UnprocessedKeys?.[table]?.Keys ?? [];
        });
        return items;
      });
      return found.flat();
    },

    write: (images) => batchWrite(client, table, images.map((image) => ({ PutRequest: { Item: itemOf(image) } }))),
    remove: (keys) => batchWrite(client, table, keys.map((key) => ({ DeleteRequest: { Key: keyItem(key) } }))),
    scan: () => recordStore(client, table).scan(),

    async drop() {
      if (!made) throw new PortError('denied', `table ${table} was not made here: it is not dropped`);
      const there = await steady();
      if (there === 'absent') return;
      if (there.DeletionProtectionEnabled === true) await update({ DeletionProtectionEnabled: false });
      await asked(`drop table ${table}`, () => client.send(new DeleteTableCommand({ TableName: table })));
      made = false;
    },
  };
}

/** Everything CreateTable takes: the label is among the tags, so there is no moment without it. */
function madeOf(settings: TableSettings) {
  const schema = (hash: string, range: string) => [{ AttributeName: hash, KeyType: 'HASH' as const }, { AttributeName: range, KeyType: 'RANGE' as const }];
  const key = encryption(settings);
  return {
    BillingMode: 'PAY_PER_REQUEST' as const,
    KeySchema: schema(pk, sk),
    // Both indexes sort by the same attribute, which is defined once.
    AttributeDefinitions: [...new Set([pk, sk, ...INDEXES.flatMap((index) => [index.pk, index.sk])])].map((name) => ({ AttributeName: name, AttributeType: 'S' as const })),
    GlobalSecondaryIndexes: INDEXES.map((index) => ({ IndexName: index.name, KeySchema: schema(index.pk, index.sk), Projection: { ProjectionType: 'KEYS_ONLY' as const } })),
    DeletionProtectionEnabled: settings.deletionProtection,
    ...(key !== undefined && { SSESpecification: key }),
    ...(settings.stream !== null && { StreamSpecification: streaming(settings.stream) }),
    ...(settings.tags.length > 0 && { Tags: settings.tags.map(tagOf) }),
  };
}

const encryption = ({ encryptionKey }: TableSettings) => (encryptionKey === null ? undefined : { Enabled: true, SSEType: 'KMS' as const, KMSMasterKeyId: encryptionKey });
const streaming = (view: string) => ({ StreamEnabled: true, StreamViewType: view as StreamViewType });
const tagOf = (tag: string): Tag => ({ Key: tag.slice(0, tag.indexOf('=')), Value: tag.slice(tag.indexOf('=') + 1) });

function described({ IndexName, KeySchema: keys = [], Projection }: NonNullable<TableDescription['GlobalSecondaryIndexes']>[number]): string {
  return `${IndexName}: ${keys.map(({ AttributeName }) => AttributeName).join(', ')} (${Projection?.ProjectionType ?? 'ALL'})`;
}

/** Those in AWS's own name cannot be set by anybody, so they are no settings. */
async function allTags(client: DynamoDBClient, table: string, ResourceArn: string): Promise<readonly string[]> {
  const tags: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await asked(`read the tags of ${table}`, () => client.send(new ListTagsOfResourceCommand({ ResourceArn, ...(NextToken !== undefined && { NextToken }) })));
    for (const { Key = '', Value = '' } of page.Tags ?? []) if (!Key.startsWith('aws:')) tags.push(`${Key}=${Value}`);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return tags.sort();
}

/** A table that was just made has no backups to switch on for some seconds. */
async function setBackups(client: DynamoDBClient, table: string, on: boolean): Promise<void> {
  await asking(`switch the backups of ${table} ${on ? 'on' : 'off'}`, () =>
    patiently(isPassing, () => client.send(new UpdateContinuousBackupsCommand({ TableName: table, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: on } }))),
  );
}

async function setExpiry(client: DynamoDBClient, table: string, AttributeName: string, Enabled: boolean): Promise<void> {
  await asked(`set the expiry of ${table}`, () => client.send(new UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification: { AttributeName, Enabled } })));
}

async function batchWrite(client: DynamoDBClient, table: string, requests: readonly WriteRequest[]): Promise<void> {
  await eachChunk(requests, MAX_WRITES, (chunk) =>
    untilTaken(`write ${chunk.length} records to ${table}`, chunk, async (left) => (await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }))).UnprocessedItems?.[table] ?? []),
  );
}

/** Sends `items` until all were taken. What is sent back is sent again, after a pause that grows while nothing is taken. */
async function untilTaken<T>(what: string, items: readonly T[], send: (left: T[]) => Promise<T[]>): Promise<void> {
  await asking(what, async () => {
    let left = [...items];
    for (let pauses = 0; left.length > 0; ) {
      const back = await patiently(isPassing, () => send(left));
      if (back.length === 0) return;
      pauses = back.length < left.length ? 0 : pauses + 1;
      if (pauses > MAX_PAUSES) throw new PortError('unavailable', `could not ${what}: DynamoDB sent ${back.length} of them back ${MAX_PAUSES} times; the table is throttled, try again`);
      left = back;
      await after(jittered(pauses));
    }
  });
}

/** Refusals that say "not now" of the whole request. */
const isPassing = (error: unknown): boolean =>
  errorNamed(error, ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded', 'InternalServerError', 'ContinuousBackupsUnavailableException', 'ResourceInUseException']);

async function patiently<T>(isWorthIt: (error: unknown) => boolean, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt > MAX_PAUSES || !isWorthIt(error)) throw error;
      await after(jittered(attempt));
    }
  }
}

/** Full jitter: requests that were sent back together do not come again together. */
const jittered = (attempt: number): number => Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `work` on chunks of `items`, a few at a time; results in order. After the first error no chunk is begun, and it is thrown once those in flight have settled. */
async function eachChunk<T, R>(items: readonly T[], size: number, work: (chunk: T[]) => Promise<R>): Promise<R[]> {
  const chunks = Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
  const results = new Array<R>(chunks.length);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < chunks.length && failures.length === 0) {
      const i = next++;
      try {
        results[i] = await work(chunks[i] as T[]);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(REQUESTS_AT_ONCE, chunks.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
