/**
 * The adapters for AWS held to the same contracts as those in memory, with the real SDK over TLS. Tables, buckets and keys are the test's own, so nothing the
 * deployed functions do is in the way.
 */
import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand, PutItemCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, type CreateKeyCommandInput } from '@aws-sdk/client-kms';
import { CreateEventSourceMappingCommand, ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand, type EventSourceMappingConfiguration } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { localSecondRegion } from '../../local/environment';
import { dynamoDb, dynamoDbClient, itemOf } from '../../src/adapters/aws/dynamodb';
import { holdMarks } from '../../src/adapters/aws/hold-marks';
import { keyErasure } from '../../src/adapters/aws/key-erasure';
import { keyTable } from '../../src/adapters/aws/key-table';
import { kms, kmsKeyService, kmsSigner } from '../../src/adapters/aws/kms';
import { logStore } from '../../src/adapters/aws/log-store';
import { recordRepairs } from '../../src/adapters/aws/record-repairs';
import { recordStore } from '../../src/adapters/aws/record-store';
import { requestMemory } from '../../src/adapters/aws/request-memory';
import { restoreTarget } from '../../src/adapters/aws/restore-target';
import { s3 } from '../../src/adapters/aws/s3';
import { s3Inbox } from '../../src/adapters/aws/s3-inbox';
import { s3Workings } from '../../src/adapters/aws/s3-workings';
import { s3Vault } from '../../src/adapters/aws/s3-vault';
import { s3VaultReader } from '../../src/adapters/aws/s3-vault-reader';
import { streamReaders } from '../../src/adapters/operator/stream-readers';
import { viewStore } from '../../src/adapters/aws/view-store';
import { keyOf } from '../../src/core/image';
import { KeySchema } from '../../src/core/table-keys';
import type { Vault } from '../../src/ports';
import { UNLOCKED_TAG } from '../../src/runtime/env';
import { inboxContract, vaultContract } from '../contracts/bucket-contracts';
import { keyErasureContract, keyServiceContract, keyTableContract, signerContract } from '../contracts/key-contracts';
import { logStoreContract } from '../contracts/log-store-contract';
import { recordRepairsContract } from '../contracts/record-repairs-contract';
import { recordStoreContract } from '../contracts/record-store-contract';
import { requestMemoryContract } from '../contracts/request-memory-contract';
import { restoreTargetContract } from '../contracts/restore-target-contract';
import { streamReadersContract } from '../contracts/stream-readers-contract';
import { vaultVersionsContract } from '../contracts/vault-versions-contract';
import { viewStoreContract } from '../contracts/view-store-contract';
import { workingsContract } from '../contracts/workings-contract';
import { aws } from './harness/cloud';
import { functionNamed } from './harness/watching';

const retentionDays = 1;
const { pk, sk, byCustomer, byOperator } = KeySchema;
const INDEXES = [byCustomer, byOperator];

async function newTable({ indexed = false } = {}): Promise<string> {
  const table = `contract-${randomUUID()}`;
  const keys = (hash: string, range: string) => [{ AttributeName: hash, KeyType: 'HASH' as const }, { AttributeName: range, KeyType: 'RANGE' as const }];
  const names = [...new Set([pk, sk, ...(indexed ? INDEXES.flatMap((index) => [index.pk, index.sk]) : [])])];
  await aws.dynamodb.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys(pk, sk),
      AttributeDefinitions: names.map((name) => ({ AttributeName: name, AttributeType: 'S' as const })),
      ...(indexed && { GlobalSecondaryIndexes: INDEXES.map((index) => ({ IndexName: index.name, KeySchema: keys(index.pk, index.sk), Projection: { ProjectionType: 'KEYS_ONLY' as const } })) }),
    }),
  );
  return table;
}

async function newBucket(): Promise<string> {
  const bucket = `contract-${randomUUID()}`;
  await aws.s3.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
  return bucket;
}

const vaultIn = (bucket: string): Vault => s3Vault(s3(), { bucket, lockMode: 'COMPLIANCE', retentionDays, unlockedTag: UNLOCKED_TAG }, () => new Date());
const newKey = async (of: CreateKeyCommandInput): Promise<string> => (await aws.kms.send(new CreateKeyCommand(of))).KeyMetadata?.Arn ?? '';

recordStoreContract('DynamoDB', async () => ({ store: recordStore(dynamoDb(), await newTable({ indexed: true })) }));
recordRepairsContract('DynamoDB', async () => {
  const TableName = await newTable();
  const store = recordStore(dynamoDb(), TableName);
  const put = async (image: Parameters<typeof itemOf>[0]): Promise<void> => void (await aws.dynamodb.send(new PutItemCommand({ TableName, Item: itemOf(image) })));
  return { repairs: recordRepairs(dynamoDb(), TableName), put, get: (image) => store.get(keyOf(image), { consistent: true }) };
});
restoreTargetContract('DynamoDB', async () => ({
  newName: () => `contract-${randomUUID()}`,
  open: (name) => restoreTarget(dynamoDb(), name),
  encryptionKey: await newKey({}),
}));
streamReadersContract('Lambda', async () => {
  const [first, second] = await Promise.all((['heartbeat', 'sweep-inbox'] as const).map(functionNamed));
  const readers = streamReaders(aws.lambda, aws.dynamodb);
  const mapping = async (reader: string, EventSourceArn: string): Promise<EventSourceMappingConfiguration> => {
    const { EventSourceMappings: [found, ...others] = [] } = await aws.lambda.send(new ListEventSourceMappingsCommand({ FunctionName: reader, EventSourceArn }));
    if (found === undefined || others.length > 0) throw new Error(`${reader} should read ${EventSourceArn} once, not ${others.length + (found === undefined ? 0 : 1)} times`);
    return found;
  };
  return {
    readers,
    functions: [first!.name, second!.name],
    newName: () => `contract-${randomUUID()}`,
    make: async (table, { stream } = { stream: true }) => {
      const settings = { expires: null, pointInTimeRecovery: false, deletionProtection: false, encryptionKey: null, billing: 'on-demand' as const, indexes: [], tags: [] };
      await restoreTarget(dynamoDb(), table).create({ ...settings, stream: stream ? 'NEW_AND_OLD_IMAGES' : null });
    },
    drop: async (TableName) => void (await aws.dynamodb.send(new DeleteTableCommand({ TableName }))),
    read: async (table, FunctionName, { batchSize, windowSeconds, retries, maxAgeSeconds, bisect, filter }) =>
      void (await aws.lambda.send(new CreateEventSourceMappingCommand({
        FunctionName,
        EventSourceArn: await readers.streamOf(table),
        StartingPosition: 'LATEST',
        BatchSize: batchSize,
        MaximumBatchingWindowInSeconds: windowSeconds,
        MaximumRetryAttempts: retries,
        MaximumRecordAgeInSeconds: maxAgeSeconds,
        BisectBatchOnFunctionError: bisect,
        ...(filter !== undefined && { FilterCriteria: { Filters: [{ Pattern: filter }] } }),
      }))),
    switchOff: async (reader, stream) => void (await aws.lambda.send(new UpdateEventSourceMappingCommand({ UUID: (await mapping(reader, stream)).UUID, Enabled: false }))),
    settingsOf: async (reader, stream) => {
      const { StartingPosition, BatchSize = 0, MaximumBatchingWindowInSeconds = 0, MaximumRetryAttempts = 0, MaximumRecordAgeInSeconds = 0, BisectBatchOnFunctionError = false, FilterCriteria } = await mapping(reader, stream);
      expect(StartingPosition).toBe('TRIM_HORIZON');
      return { batchSize: BatchSize, windowSeconds: MaximumBatchingWindowInSeconds, retries: MaximumRetryAttempts, maxAgeSeconds: MaximumRecordAgeInSeconds, bisect: BisectBatchOnFunctionError, filter: FilterCriteria?.Filters?.[0]?.Pattern };
    },
  };
});
viewStoreContract('DynamoDB', async () => viewStore(dynamoDb(), await newTable()));
requestMemoryContract('DynamoDB', async () => requestMemory(dynamoDb(), await newTable()));
logStoreContract('DynamoDB', async () => logStore(dynamoDb(), await newTable()));
keyTableContract('DynamoDB', async () => keyTable(dynamoDb(), await newTable()));
keyErasureContract('DynamoDB', async () => {
  const tables = { records: await newTable(), keys: await newTable() };
  return { erasure: keyErasure(dynamoDb(), tables), keys: keyTable(dynamoDb(), tables.keys), records: recordStore(dynamoDb(), tables.records), marks: holdMarks(dynamoDb(), tables) };
});
// What the second region's copy says, which who certifies an erasure asks.
keyErasureContract('DynamoDB, seen from the second region,', async () => {
  const tables = { records: await newTable(), keys: await newTable() };
  await aws.dynamodb.send(new UpdateTableCommand({ TableName: tables.keys, ReplicaUpdates: [{ Create: { RegionName: localSecondRegion } }] }));
  const here = keyTable(dynamoDb(), tables.keys);
  return { erasure: keyErasure(dynamoDb(), tables), keys: { ...here, get: keyTable(dynamoDbClient({ region: localSecondRegion }), tables.keys).get }, records: recordStore(dynamoDb(), tables.records), marks: holdMarks(dynamoDb(), tables) };
});
keyServiceContract('KMS', async () => kmsKeyService(kms(), await newKey({}), 'us-east-1'));
signerContract('KMS', async () => kmsSigner(kms(), await newKey({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' })));
vaultContract('S3', async () => vaultIn(await newBucket()));
inboxContract('S3', async () => s3Inbox(s3(), await newBucket()));
workingsContract('S3', async () => s3Workings(s3(), await newBucket()));

vaultVersionsContract('S3', async () => {
  const Bucket = await newBucket();
  return {
    vault: vaultIn(Bucket),
    reader: s3VaultReader(s3(), Bucket),
    retentionDays,
    put: async (Key, Body) => void (await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body }))),
    hide: async (Key) => void (await aws.s3.send(new DeleteObjectCommand({ Bucket, Key }))),
  };
});
