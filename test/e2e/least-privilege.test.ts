/**
 * What each function may not do, tried with its own role as deployed: a function that is taken over can do what it is for and nothing else. Beside each
 * refusal stands something the same role is let through with, so that no refusal comes from a role that can do nothing. What hangs on condition keys that the
 * emulator does not know (docs/local-cloud.md: partitions of a table, encryption contexts, locks) is tested on the templates in test/lib.
 */
import { randomUUID } from 'node:crypto';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { BatchWriteItemCommand, CreateTableCommand, DeleteItemCommand, DeleteTableCommand, DescribeTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetPublicKeyCommand, KMSClient, ScheduleKeyDeletionCommand, SignCommand } from '@aws-sdk/client-kms';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteBucketPolicyCommand, DeleteObjectCommand, GetObjectCommand, GetObjectRetentionCommand, ListObjectsV2Command, ListObjectVersionsCommand, PutObjectCommand, PutObjectLegalHoldCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { FunctionName } from '../../lib/constructs/alarm-registry';
import { localSecondRegion } from '../../local/environment';
import { asFunction } from './harness/as-function';
import { outputs } from './harness/cloud';
import { refusalOf, type Identity } from './harness/roles';
import { functionNamed } from './harness/watching';

type Table = 'RecordsTableName' | 'LogTableName' | 'KeysTableName' | 'ViewsTableName';
type Bucket = 'VaultBucketName' | 'InboxBucketName' | 'WorkingsBucketName';

const clientsOf = (identity: Identity) => ({
  dynamodb: new DynamoDBClient(identity),
  s3: new S3Client({ ...identity, forcePathStyle: true }),
  there: new S3Client({ ...identity, region: localSecondRegion, forcePathStyle: true }),
  kms: new KMSClient(identity),
  secrets: new SecretsManagerClient(identity),
  lambda: new LambdaClient(identity),
  iam: new IAMClient(identity),
  logs: new CloudWatchLogsClient(identity),
});
type Clients = ReturnType<typeof clientsOf>;

interface Attempt {
  readonly what: string;
  readonly by: (as: Clients) => Promise<unknown>;
}

// Names of nothing: were one of these let through, it would do no harm.
const Key = { pk: { S: 'nobody' }, sk: { S: 'nobody' } };
const nothing = randomUUID();

const getItem = (table: Table): Attempt => ({ what: `read ${table}`, by: ({ dynamodb }) => dynamodb.send(new GetItemCommand({ TableName: outputs[table], Key })) });
const putItem = (table: Table): Attempt => ({ what: `put to ${table}`, by: ({ dynamodb }) => dynamodb.send(new PutItemCommand({ TableName: outputs[table], Item: Key, ConditionExpression: 'attribute_exists(pk)' })) });
const updateItem = (table: Table): Attempt => ({ what: `update in ${table}`, by: ({ dynamodb }) => dynamodb.send(new UpdateItemCommand({ TableName: outputs[table], Key, UpdateExpression: 'SET a = :a', ConditionExpression: 'attribute_exists(pk)', ExpressionAttributeValues: { ':a': { S: '' } } })) });
const deleteItem = (table: Table): Attempt => ({ what: `delete from ${table}`, by: ({ dynamodb }) => dynamodb.send(new DeleteItemCommand({ TableName: outputs[table], Key })) });
const scanTable = (table: Table): Attempt => ({ what: `scan ${table}`, by: ({ dynamodb }) => dynamodb.send(new ScanCommand({ TableName: outputs[table], Limit: 1 })) });
/** A scan that asks for the keys of the items and nothing else. */
const listNames = (table: Table): Attempt => ({ what: `list the names in ${table}`, by: ({ dynamodb }) => dynamodb.send(new ScanCommand({ TableName: outputs[table], Limit: 1, Select: 'SPECIFIC_ATTRIBUTES', ProjectionExpression: 'pk' })) });
const queryTable = (table: Table): Attempt => ({ what: `query ${table}`, by: ({ dynamodb }) => dynamodb.send(new QueryCommand({ TableName: outputs[table], KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'nobody' } } })) });
const queryIndex = (index: 'byCustomer' | 'byOperator', pk: string): Attempt => ({ what: `query ${index}`, by: ({ dynamodb }) => dynamodb.send(new QueryCommand({ TableName: outputs[records], IndexName: index, KeyConditionExpression: '#pk = :pk', ExpressionAttributeNames: { '#pk': pk }, ExpressionAttributeValues: { ':pk': { S: 'nobody' } } })) });
const byCustomer = queryIndex('byCustomer', 'customerId');
const byOperator = queryIndex('byOperator', 'operatorId');
const get = (bucket: Bucket, name: string): Attempt => ({ what: `get ${bucket} ${name}`, by: ({ s3 }) => s3.send(new GetObjectCommand({ Bucket: outputs[bucket], Key: name })) });
const put = (bucket: Bucket, name: string): Attempt => ({ what: `put ${bucket} ${name}`, by: ({ s3 }) => s3.send(new PutObjectCommand({ Bucket: outputs[bucket], Key: name, Body: 'x' })) });
const remove = (bucket: Bucket, name: string): Attempt => ({ what: `delete ${bucket} ${name}`, by: ({ s3 }) => s3.send(new DeleteObjectCommand({ Bucket: outputs[bucket], Key: name })) });
const listVersions = (bucket: Bucket): Attempt => ({ what: `list the versions of ${bucket}`, by: ({ s3 }) => s3.send(new ListObjectVersionsCommand({ Bucket: outputs[bucket], MaxKeys: 1 })) });
/** Of the second region, which answers there only. */
const getReplica = (name: string): Attempt => ({ what: `get the replica of ${name}`, by: ({ there }) => there.send(new GetObjectCommand({ Bucket: outputs.ReplicaBucketName, Key: name })) });
const listWaiting = (prefix: string): Attempt => ({ what: `list ${prefix}`, by: ({ s3 }) => s3.send(new ListObjectsV2Command({ Bucket: outputs.InboxBucketName, Prefix: prefix, MaxKeys: 1 })) });
const readLog = (name: FunctionName): Attempt => ({ what: `read the log of ${name}`, by: ({ logs }) => logs.send(new FilterLogEventsCommand({ logGroupName: `/intact/local/${name}`, startTime: 0, endTime: 1, limit: 1 })) });
const sign: Attempt = { what: 'sign', by: ({ kms }) => kms.send(new SignCommand({ KeyId: outputs.SigningKeyArn, Message: Buffer.from(nothing), MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' })) };
const readPublicKey: Attempt = { what: 'read the public key', by: ({ kms }) => kms.send(new GetPublicKeyCommand({ KeyId: outputs.SigningKeyArn })) };
const readSecret: Attempt = { what: 'read the app secret', by: ({ secrets }) => secrets.send(new GetSecretValueCommand({ SecretId: outputs.AppSecretArn })) };
const retention: Attempt = { what: 'read a lock', by: ({ s3 }) => s3.send(new GetObjectRetentionCommand({ Bucket: outputs.VaultBucketName, Key: 'checkpoint' })) };

/** The drill's table; tried with requests that cannot be done, so that a drill under way is not disturbed. */
const noScratch = `${outputs.RecordsTableName}-drill-scratch`;
/** A table that is restored in parts, and is not there. */
const noCopy = `${outputs.RecordsTableName}-restored-${nothing}`;
const describeTable = (TableName: string): Attempt => ({ what: `describe ${TableName}`, by: ({ dynamodb }) => dynamodb.send(new DescribeTableCommand({ TableName })) });
const dropTable = (TableName: string): Attempt => ({ what: `drop ${TableName}`, by: ({ dynamodb }) => dynamodb.send(new DeleteTableCommand({ TableName })) });
const writeTo = (TableName: string): Attempt => ({ what: `write to ${TableName}`, by: ({ dynamodb }) => dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ DeleteRequest: { Key } }] } })) });
const makeTable = (TableName: string): Attempt => ({
  what: `make ${TableName}`,
  by: ({ dynamodb }) => dynamodb.send(new CreateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }] })),
});

const vault = 'VaultBucketName';
const inbox = 'InboxBucketName';
const workings = 'WorkingsBucketName';
const records = 'RecordsTableName';
const log = 'LogTableName';
const keys = 'KeysTableName';
const views = 'ViewsTableName';

interface Rights {
  readonly may: readonly Attempt[];
  readonly mayNot: readonly Attempt[];
}

/** What no function of staff may. Which partitions each is bound to, the emulator cannot tell; the test of the templates does. */
const NEVER_STAFF = [scanTable(records), putItem(log), queryTable(log), putItem(keys), scanTable(keys), scanTable(views), get(vault, 'checkpoint'), get(vault, 'log.vkeys'), put(vault, `segment/${nothing}`), get(inbox, `content/${nothing}`), put(inbox, `content/${nothing}`), readLog('receive-webhook'), readSecret, sign, readPublicKey];

const rights: Readonly<Record<FunctionName, Rights>> = {
  'receive-webhook': {
    may: [getItem(records), putItem(records), getItem(keys), readSecret],
    mayNot: [scanTable(records), getItem(log), putItem(log), putItem(keys), getItem(views), putItem(views), get(vault, 'checkpoint'), put(vault, `segment/${nothing}`), listVersions(vault), remove(inbox, `delivery/${nothing}`), put(inbox, nothing), sign, readPublicKey],
  },
  'process-inbox': {
    may: [getItem(records), putItem(records), getItem(keys), remove(inbox, `delivery/${nothing}`)],
    mayNot: [scanTable(records), getItem(log), putItem(log), putItem(keys), getItem(views), get(vault, 'checkpoint'), put(vault, `segment/${nothing}`), remove(inbox, `content/${nothing}`), readSecret, sign],
  },
  'sweep-inbox': {
    may: [],
    mayNot: [getItem(records), putItem(records), getItem(keys), getItem(log), getItem(views), get(inbox, `content/${nothing}`), put(inbox, `delivery/${nothing}`), remove(inbox, `delivery/${nothing}`), get(vault, 'checkpoint'), readSecret, sign],
  },
  'seal-records': {
    may: [getItem(log), putItem(log), getItem(records), queryTable(records), getItem(keys), putItem(keys), get(vault, 'checkpoint')],
    mayNot: [scanTable(records), getItem(views), put(vault, 'checkpoint'), put(vault, `tile/${nothing}`), put(vault, `checkpoints/${nothing}`), put(vault, nothing), get(vault, 'log.vkeys'), get(inbox, `delivery/${nothing}`), put(inbox, `content/${nothing}`), readSecret, sign, readPublicKey],
  },
  'publish-log': {
    may: [getItem(log), queryTable(log), get(vault, 'checkpoint'), readPublicKey, sign],
    mayNot: [getItem(records), putItem(records), putItem(log), putItem(keys), getItem(views), put(vault, `segment/${nothing}`), put(vault, `blob/${nothing}`), put(vault, nothing), get(inbox, `content/${nothing}`), readSecret],
  },
  'project-views': {
    may: [putItem(views), updateItem(views), getItem(keys)],
    mayNot: [getItem(records), putItem(records), getItem(log), putItem(keys), scanTable(views), get(vault, 'checkpoint'), get(inbox, `content/${nothing}`), readSecret, sign],
  },
  heartbeat: {
    may: [putItem(records), getItem(log)],
    mayNot: [scanTable(records), putItem(log), putItem(keys), getItem(views), get(vault, 'checkpoint'), put(vault, `segment/${nothing}`), get(inbox, `content/${nothing}`), readSecret, sign],
  },
  'seal-missing': {
    may: [scanTable(records), getItem(log), putItem(log), get(vault, 'checkpoint')],
    mayNot: [getItem(views), put(vault, 'checkpoint'), put(vault, `tile/${nothing}`), put(vault, `checkpoints/${nothing}`), get(inbox, `delivery/${nothing}`), readSecret, sign],
  },
  'repair-records': {
    may: [getItem(records), queryTable(records), putItem(records), deleteItem(records), getItem(log), queryTable(log), putItem(log), getItem(keys), get(vault, 'checkpoint'), get(vault, 'log.vkeys'), readPublicKey],
    mayNot: [scanTable(records), putItem(keys), getItem(views), put(vault, 'checkpoint'), put(vault, `tile/${nothing}`), put(vault, `segment/${nothing}`), get(inbox, `content/${nothing}`), put(inbox, `content/${nothing}`), readSecret, sign],
  },
  'verify-vault': {
    may: [get(vault, 'checkpoint'), listVersions(vault), readPublicKey, getItem(log), putItem(records), get(workings, `verify-vault/${nothing}`)],
    mayNot: [get(workings, `audit-table/${nothing}`), scanTable(records), putItem(log), putItem(keys), getItem(views), put(vault, 'checkpoint'), put(vault, `tile/${nothing}`), put(vault, `segment/${nothing}`), put(vault, `report/${nothing}`), get(inbox, `content/${nothing}`), readSecret, sign],
  },
  'audit-table': {
    may: [scanTable(records), putItem(records), getItem(log), getItem(keys), listNames(keys), get(vault, 'checkpoint'), get(vault, 'log.vkeys'), readPublicKey, get(workings, `audit-table/${nothing}`)],
    mayNot: [get(workings, `verify-vault/${nothing}`), scanTable(keys), putItem(log), putItem(keys), getItem(views), put(vault, 'checkpoint'), put(vault, `segment/${nothing}`), put(vault, `report/${nothing}`), listVersions(vault), get(vault, `checkpoints/${nothing}`), get(inbox, `content/${nothing}`), readSecret, sign],
  },
  'run-drill': {
    may: [scanTable(records), putItem(records), getItem(log), getItem(keys), get(vault, 'checkpoint'), readPublicKey, get(vault, `snapshot/${nothing}`), getReplica('log.vkeys'), describeTable(outputs.RecordsTableName), writeTo(noScratch), dropTable(noScratch), get(workings, `run-drill/${nothing}`)],
    mayNot: [get(workings, `verify-vault/${nothing}`), writeTo(outputs.RecordsTableName), writeTo(outputs.KeysTableName), dropTable(`${outputs.RecordsTableName}-drill`), dropTable(`${noScratch}2`), makeTable(`${noScratch}2`), makeTable(`x-drill-scratch`), scanTable(keys), putItem(log), putItem(keys), getItem(views), put(vault, `segment/${nothing}`), listVersions(vault), get(inbox, `content/${nothing}`), readSecret, sign],
  },
  'take-snapshot': {
    may: [getItem(records), putItem(records), getItem(log), queryTable(log), getItem(keys), get(vault, 'checkpoint'), get(vault, 'log.vkeys'), get(vault, `snapshot/${nothing}`), readPublicKey, get(workings, `take-snapshot/${nothing}`)],
    mayNot: [get(workings, `verify-vault/${nothing}`), scanTable(records), queryTable(records), putItem(log), putItem(keys), scanTable(keys), getItem(views), put(vault, 'checkpoint'), put(vault, `segment/${nothing}`), put(vault, `tile/${nothing}`), put(vault, `checkpoints/${nothing}`), put(vault, `report/${nothing}`), remove(vault, `snapshot/${nothing}`), listVersions(vault), get(inbox, `content/${nothing}`), readSecret, sign],
  },
  'restore-table': {
    may: [getItem(records), putItem(records), getItem(log), getItem(keys), get(vault, 'checkpoint'), readPublicKey, get(vault, `snapshot/${nothing}`), getReplica('log.vkeys'), describeTable(outputs.RecordsTableName), describeTable(outputs.LogTableName), writeTo(noCopy), get(inbox, `content/${nothing}`), get(workings, `restore-table/${nothing}`)],
    mayNot: [get(workings, `run-drill/${nothing}`), scanTable(records), queryTable(records), writeTo(outputs.RecordsTableName), writeTo(outputs.KeysTableName), writeTo(noScratch), dropTable(noCopy), makeTable(`${outputs.RecordsTableName}-restored`), makeTable('x-restored-y'), scanTable(keys), putItem(log), putItem(keys), getItem(views), put(vault, `segment/${nothing}`), listVersions(vault), get(inbox, `delivery/${nothing}`), put(inbox, `delivery/${nothing}`), remove(inbox, `content/${nothing}`), readSecret, sign],
  },
  'reconcile-deliveries': {
    may: [scanTable(records), putItem(records), getItem(log), queryTable(log), getItem(keys), get(vault, `segment/${nothing}`), listWaiting('delivery/'), readLog('receive-webhook'), readLog('process-inbox')],
    mayNot: [putItem(log), putItem(keys), scanTable(keys), getItem(views), get(vault, 'checkpoint'), put(vault, `segment/${nothing}`), listVersions(vault), get(inbox, `delivery/${nothing}`), get(inbox, `content/${nothing}`), put(inbox, `delivery/${nothing}`), remove(inbox, `delivery/${nothing}`), listWaiting('content/'), readLog('seal-records'), readSecret, sign, readPublicKey],
  },
  'api-self': {
    may: [],
    mayNot: [getItem(records), queryTable(records), putItem(records), getItem(log), getItem(keys), putItem(keys), getItem(views), get(vault, 'checkpoint'), get(inbox, `content/${nothing}`), readSecret, sign, readPublicKey],
  },
  'api-read': {
    may: [getItem(records), queryTable(records), putItem(records), getItem(keys), getItem(log), queryTable(views), updateItem(views)],
    mayNot: [...NEVER_STAFF, byOperator, byCustomer],
  },
  'api-write': {
    may: [getItem(records), queryTable(records), putItem(records), getItem(keys), getItem(log), updateItem(views)],
    mayNot: [...NEVER_STAFF, byOperator, byCustomer, queryTable(views)],
  },
  'api-admin': {
    may: [getItem(records), queryTable(records), putItem(records), byOperator, getItem(keys), getItem(log), updateItem(views)],
    mayNot: [...NEVER_STAFF, byCustomer, queryTable(views)],
  },
  'api-audit': {
    may: [getItem(records), queryTable(records), putItem(records), byOperator, byCustomer, getItem(keys), getItem(log), queryTable(views), updateItem(views)],
    mayNot: NEVER_STAFF,
  },
  'api-messages': {
    may: [getItem(records), queryTable(records), putItem(records), byCustomer, getItem(keys), getItem(log), queryTable(log), queryTable(views), updateItem(views), get(vault, 'checkpoint'), get(vault, 'log.vkeys'), get(vault, `segment/${nothing}`), get(inbox, `content/${nothing}`)],
    mayNot: [scanTable(records), byOperator, putItem(log), putItem(keys), scanTable(keys), scanTable(views), get(vault, `snapshot/${nothing}`), get(vault, `checkpoints/${nothing}`), put(vault, `segment/${nothing}`), put(inbox, `content/${nothing}`), get(inbox, `delivery/${nothing}`), remove(inbox, `content/${nothing}`), readLog('receive-webhook'), readSecret, sign, readPublicKey],
  },
  'api-outbound': {
    may: [getItem(records), queryTable(records), putItem(records), getItem(keys), getItem(log), updateItem(views), get(inbox, `content/${nothing}`)],
    mayNot: [...NEVER_STAFF.filter(({ what }) => !what.includes('content/')), byOperator, byCustomer, queryTable(views), put(inbox, `delivery/${nothing}`), get(inbox, `delivery/${nothing}`), remove(inbox, `content/${nothing}`)],
  },
  'api-officer': {
    // Of the keys table the marks of holds, and no key.
    may: [getItem(records), queryTable(records), putItem(records), getItem(keys), putItem(keys), getItem(log), updateItem(views)],
    mayNot: [...NEVER_STAFF.filter(({ what }) => what !== putItem(keys).what), byOperator, byCustomer, queryTable(views)],
  },
  'erase-subjects': {
    may: [getItem(records), queryTable(records), putItem(records), byCustomer, getItem(keys), updateItem(keys), getItem(log), queryTable(log), queryTable(views), deleteItem(views), get(vault, 'checkpoint'), get(vault, 'log.vkeys'), get(vault, `segment/${nothing}`), get(vault, `tile/${nothing}`), readPublicKey, remove(inbox, `content/${nothing}`), listWaiting('delivery/')],
    mayNot: [scanTable(records), byOperator, putItem(keys), scanTable(keys), putItem(log), putItem(views), get(vault, `snapshot/${nothing}`), put(vault, `segment/${nothing}`), get(inbox, `content/${nothing}`), get(inbox, `delivery/${nothing}`), remove(inbox, `delivery/${nothing}`), listWaiting('content/'), readSecret, sign],
  },
  'note-sign-in': {
    may: [getItem(records), putItem(records), getItem(log), getItem(keys)],
    mayNot: [scanTable(records), queryTable(records), byOperator, byCustomer, putItem(log), queryTable(log), putItem(keys), getItem(views), updateItem(views), get(vault, 'checkpoint'), get(inbox, `content/${nothing}`), readSecret, sign, readPublicKey],
  },
  'initialize-log': {
    may: [getItem(log), putItem(log), get(vault, 'checkpoint'), readPublicKey],
    mayNot: [getItem(records), putItem(records), getItem(views), put(vault, `segment/${nothing}`), put(vault, `tile/${nothing}`), get(inbox, `content/${nothing}`), readSecret],
  },
};

/** What none of them may, whatever it is for. */
const nobodyMay = (name: FunctionName): readonly Attempt[] => [
  ...(name === 'repair-records' ? [] : [deleteItem(records)]),
  ...(name === 'project-views' || name === 'erase-subjects' ? [] : [deleteItem(views)]),
  ...(name === 'erase-subjects' ? [] : [updateItem(keys)]),
  ...[updateItem(records), deleteItem(keys), updateItem(log)],
  ...(name === 'seal-missing' ? [] : [deleteItem(log)]),
  remove(vault, `segment/${nothing}`),
  remove(vault, `checkpoints/${nothing}`),
  remove(vault, 'log.vkeys-not'),
  remove(workings, `${name}/${nothing}`),
  put(workings, nothing),
  get(workings, `heartbeat/${nothing}`),
  { what: 'delete a version', by: ({ s3 }) => s3.send(new DeleteObjectCommand({ Bucket: outputs[vault], Key: `tile/0/${nothing}.p/1`, VersionId: nothing })) },
  { what: 'bypass a lock', by: ({ s3 }) => s3.send(new DeleteObjectCommand({ Bucket: outputs[vault], Key: nothing, VersionId: nothing, BypassGovernanceRetention: true })) },
  { what: 'put a legal hold', by: ({ s3 }) => s3.send(new PutObjectLegalHoldCommand({ Bucket: outputs[vault], Key: nothing, LegalHold: { Status: 'ON' } })) },
  { what: "lift the vault's policy", by: ({ s3 }) => s3.send(new DeleteBucketPolicyCommand({ Bucket: outputs[vault] })) },
  ...(name === 'run-drill' ? [] : [dropTable(noScratch), makeTable(noScratch)]),
  ...(name === 'restore-table' ? [] : [makeTable(noCopy), writeTo(noCopy)]),
  ...(name === 'run-drill' || name === 'restore-table' ? [] : [getReplica('log.vkeys')]),
  { what: 'delete the table', by: ({ dynamodb }) => dynamodb.send(new DeleteTableCommand({ TableName: outputs[records] })) },
  { what: 'schedule the deletion of the signing key', by: ({ kms }) => kms.send(new ScheduleKeyDeletionCommand({ KeyId: outputs.SigningKeyArn })) },
  { what: 'set the app secret', by: ({ secrets }) => secrets.send(new PutSecretValueCommand({ SecretId: outputs.AppSecretArn, SecretString: '{}' })) },
  { what: 'call a function', by: async ({ lambda }) => lambda.send(new InvokeCommand({ FunctionName: (await functionNamed('heartbeat')).name, InvocationType: 'DryRun' })) },
  { what: 'give itself a right', by: async ({ iam }) => iam.send(new PutRolePolicyCommand({ RoleName: (await functionNamed(name)).roleName, PolicyName: nothing, PolicyDocument: '{"Version":"2012-10-17","Statement":[]}' })) },
  ...(name === 'verify-vault' ? [] : [retention]),
  ...(name === 'take-snapshot' ? [] : [put(vault, `snapshot/${nothing}`)]),
  ...(name === 'reconcile-deliveries' ? [] : [readLog('receive-webhook')]),
];

/** `refused`: by the rights of the caller. Anything else means that it was let through to whatever came next. */
async function verdict(attempt: Attempt, as: Clients): Promise<string> {
  const code = await refusalOf(attempt.by(as));
  if (/^AccessDenied(Exception)?$/.test(code)) return 'refused';
  // What was asked for is not there, or its condition did not hold: the right was there.
  return ['granted', 'ConditionalCheckFailedException', 'ResourceNotFoundException', 'NoSuchKey', 'NoSuchObjectLockConfiguration'].includes(code) ? 'let through' : code;
}

describe.each(Object.entries(rights) as readonly (readonly [FunctionName, Rights])[])('%s', (name, { may, mayNot }) => {
  it('is let through with what it is for, and refused everything else', async () => {
    const as = clientsOf(await asFunction(name));
    const tried = async (attempts: readonly Attempt[]): Promise<object> => Object.fromEntries(await Promise.all(attempts.map(async (attempt) => [attempt.what, await verdict(attempt, as)] as const)));
    const refused = [...mayNot, ...nobodyMay(name)];
    expect(await tried(may)).toEqual(Object.fromEntries(may.map(({ what }) => [what, 'let through'])));
    expect(await tried(refused)).toEqual(Object.fromEntries(refused.map(({ what }) => [what, 'refused'])));
    for (const client of Object.values(as)) client.destroy();
  });
});
