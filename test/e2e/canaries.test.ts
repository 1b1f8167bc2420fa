/**
 * Whether this cloud can refuse at all. Every other end-to-end test about rights believes a success or a refusal; these show, each with its
 * counterpart that is granted, that the emulator enforces IAM and that TLS-only policies are in force.
 */
import { randomUUID } from 'node:crypto';
import { GetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { outputs } from './harness/cloud';
import { refusalOf, roleWith, type Identity } from './harness/roles';

const key = { pk: { S: 'canary' }, sk: { S: 'canary' } };
const getItem = (as: Identity): Promise<string> => refusalOf(new DynamoDBClient(as).send(new GetItemCommand({ TableName: outputs.RecordsTableName, Key: key })));
const sign = (as: Identity): Promise<string> =>
  refusalOf(new KMSClient(as).send(new SignCommand({ KeyId: outputs.SigningKeyArn, Message: Buffer.from('canary'), MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' })));
const bucket = (as: Identity, endpoint: string): S3Client => new S3Client({ ...as, endpoint, forcePathStyle: true });
const everything = [{ Effect: 'Allow', Action: ['s3:*', 'dynamodb:*', 'kms:*'], Resource: '*' }] as const;

describe('a role', () => {
  it('without a grant gets AccessDenied', async () => {
    const nobody = await roleWith([]);
    const put = refusalOf(bucket(nobody, outputs.endpoint).send(new PutObjectCommand({ Bucket: outputs.InboxBucketName, Key: `canary/${randomUUID()}`, Body: 'x' })));
    expect([await getItem(nobody), await sign(nobody), await put]).toEqual(['AccessDeniedException', 'AccessDeniedException', 'AccessDenied']);
  });

  it('with a grant is let through', async () => {
    const somebody = await roleWith(everything);
    expect([await getItem(somebody), await sign(somebody)]).toEqual(['granted', 'granted']);
  });
});

describe('a put', () => {
  it.each(['InboxBucketName', 'VaultBucketName'] as const)('to %s through the listener without TLS gets AccessDenied, whatever the role may do', async (name) => {
    const plain = bucket(await roleWith(everything), outputs.plainEndpoint);
    expect(await refusalOf(plain.send(new PutObjectCommand({ Bucket: outputs[name], Key: `canary/${randomUUID()}`, Body: 'x' })))).toBe('AccessDenied');
  });

  it('of the same role over TLS is let through', async () => {
    const tls = bucket(await roleWith(everything), outputs.endpoint);
    const Key = `canary/${randomUUID()}`;
    expect(await refusalOf(tls.send(new PutObjectCommand({ Bucket: outputs.InboxBucketName, Key, Body: 'x' })))).toBe('granted');
    await tls.send(new DeleteObjectCommand({ Bucket: outputs.InboxBucketName, Key }));
  });
});
