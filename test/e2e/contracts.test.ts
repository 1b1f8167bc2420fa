/**
 * The adapters for AWS held to the same contracts as those in memory, with the real SDK over TLS. Tables, buckets and keys are the test's own, so nothing the
 * deployed functions do is in the way.
 */
import { randomUUID } from 'node:crypto';
import { CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, type CreateKeyCommandInput } from '@aws-sdk/client-kms';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { dynamoDb, itemOf } from '../../src/adapters/aws/dynamodb';
import { keyTable } from '../../src/adapters/aws/key-table';
import { kms, kmsKeyService, kmsSigner } from '../../src/adapters/aws/kms';
import { logStore } from '../../src/adapters/aws/log-store';
import { recordRepairs } from '../../src/adapters/aws/record-repairs';
import { recordStore } from '../../src/adapters/aws/record-store';
import { restoreTarget } from '../../src/adapters/aws/restore-target';
import { s3 } from '../../src/adapters/aws/s3';
import { s3Inbox } from '../../src/adapters/aws/s3-inbox';
import { s3Vault } from '../../src/adapters/aws/s3-vault';
import { s3VaultReader } from '../../src/adapters/aws/s3-vault-reader';
import { viewStore } from '../../src/adapters/aws/view-store';
import { keyOf } from '../../src/core/image';
import { KeySchema } from '../../src/core/table-keys';
import type { Vault } from '../../src/ports';
import { UNLOCKED_TAG } from '../../src/runtime/env';
import { inboxContract, vaultContract } from '../contracts/bucket-contracts';
import { keyServiceContract, keyTableContract, signerContract } from '../contracts/key-contracts';
import { logStoreContract } from '../contracts/log-store-contract';
import { recordRepairsContract } from '../contracts/record-repairs-contract';
import { recordStoreContract } from '../contracts/record-store-contract';
import { restoreTargetContract } from '../contracts/restore-target-contract';
import { viewStoreContract } from '../contracts/view-store-contract';
import { aws } from './harness/cloud';

const retentionDays = 1;
const { pk, sk, byCustomer } = KeySchema;

async function newTable({ indexed = false } = {}): Promise<string> {
  const table = `contract-${randomUUID()}`;
  const keys = (hash: string, range: string) => [{ AttributeName: hash, KeyType: 'HASH' as const }, { AttributeName: range, KeyType: 'RANGE' as const }];
  const names = indexed ? [pk, sk, byCustomer.pk, byCustomer.sk] : [pk, sk];
  await aws.dynamodb.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys(pk, sk),
      AttributeDefinitions: names.map((name) => ({ AttributeName: name, AttributeType: 'S' as const })),
      ...(indexed && { GlobalSecondaryIndexes: [{ IndexName: byCustomer.name, KeySchema: keys(byCustomer.pk, byCustomer.sk), Projection: { ProjectionType: 'KEYS_ONLY' as const } }] }),
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
viewStoreContract('DynamoDB', async () => viewStore(dynamoDb(), await newTable()));
logStoreContract('DynamoDB', async () => logStore(dynamoDb(), await newTable()));
keyTableContract('DynamoDB', async () => keyTable(dynamoDb(), await newTable()));
keyServiceContract('KMS', async () => kmsKeyService(kms(), await newKey({}), 'us-east-1'));
signerContract('KMS', async () => kmsSigner(kms(), await newKey({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' })));
vaultContract('S3', async () => vaultIn(await newBucket()));
inboxContract('S3', async () => s3Inbox(s3(), await newBucket()));

describe('S3 as verification reads it', () => {
  const setUp = async () => {
    const bucket = await newBucket();
    const vault = vaultIn(bucket);
    await vault.createLocked('blob/a', Buffer.from('a'));
    await vault.replaceMutable('checkpoint', Buffer.from('1'), 'absent');
    return { vault, reader: s3VaultReader(s3(), bucket) };
  };
  const versionsOf = async (reader: ReturnType<typeof s3VaultReader>): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name, kind, isLatest } of reader.locks?.versions() ?? []) found.push(`${name} ${kind} ${isLatest}`);
    return found;
  };

  test('a locked object has the promised lock, an unlocked one none, an absent one neither', async () => {
    const { reader } = await setUp();
    const lock = await reader.locks?.lock('blob/a');
    if (typeof lock !== 'object') throw new Error(`there should be a lock, not ${lock}`);
    expect(lock.mode).toBe('COMPLIANCE');
    const lockedDays = (lock.retainUntil.getTime() - lock.lastModified.getTime()) / 86_400_000;
    expect(lockedDays).toBeGreaterThanOrEqual(retentionDays);
    expect(lockedDays).toBeLessThanOrEqual(retentionDays + 2);
    expect(await reader.locks?.lock('checkpoint')).toBe('none');
    expect(await reader.locks?.lock('blob/none')).toBe('absent');
  });

  test('replaced and deleted versions stay visible', async () => {
    const { vault, reader } = await setUp();
    const first = await vault.getMutable('checkpoint');
    await vault.replaceMutable('checkpoint', Buffer.from('2'), first === 'absent' ? 'absent' : first.etag);
    await vault.createPartial('tile/0/000.p/1', Buffer.from('t'));
    await vault.deletePartial('tile/0/000.p/1');
    expect((await versionsOf(reader)).sort()).toEqual(
      ['blob/a version true', 'checkpoint version true', 'checkpoint version false', 'tile/0/000.p/1 delete-marker true', 'tile/0/000.p/1 version false'].sort(),
    );
    expect(await reader.get('tile/0/000.p/1')).toBe('absent');
  });
});
