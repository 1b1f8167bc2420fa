/** What is stored, and how it is protected, read from the templates that are deployed. */
import { type Loose, ofType, one, resolved, synthesized, type Resource } from './synthesized';
import { applying, isDenied, type Statement } from './policy-evaluator';

const prod = synthesized('prod', { breakGlassRoleArn: 'arn:aws:iam::123456789012:role/break-glass' });
const local = synthesized('local');
const { data } = prod;
const table = (id: string): Record<string, Loose> => one(data, 'AWS::DynamoDB::Table', id).Properties;
const policyOf = (bucket: string): Statement[] => resolved(one(data, 'AWS::S3::BucketPolicy', `${bucket}BucketPolicy`).Properties['PolicyDocument'].Statement, prod);

describe('every table', () => {
  const tables = ofType(data, 'AWS::DynamoDB::Table').map(([, resource]) => resource);

  it('is one of the three, and the keys beside them, which outlive their region (offsite-stack.test.ts)', () => {
    expect(tables).toHaveLength(3);
    expect(ofType(data, 'AWS::DynamoDB::GlobalTable').map(([id]) => id)).toEqual([expect.stringMatching(/^KeysTable/)]);
  });

  it('is on demand, restorable, protected from deletion, retained, and encrypted under our key', () => {
    for (const { Properties, DeletionPolicy, UpdateReplacePolicy } of tables) {
      expect(Properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
      });
      expect(resolved(Properties['SSESpecification'].KMSMasterKeyId, prod)).toBe('DataKey.Arn');
      expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
    }
  });

  it('is protected in the local cloud as on AWS', () => {
    for (const [, { Properties }] of ofType(local.data, 'AWS::DynamoDB::Table')) expect(Properties['DeletionProtectionEnabled']).toBe(true);
  });

  it('streams what its readers need, and expires what may expire', () => {
    expect(table('Records')['StreamSpecification']).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' });
    expect(table('Log')['StreamSpecification']).toEqual({ StreamViewType: 'NEW_IMAGE' });
    expect(['Records', 'Log', 'Views'].map((id) => table(id)['TimeToLiveSpecification']?.AttributeName)).toEqual([undefined, 'expiresAt', 'expiresAt']);
    expect(one(data, 'AWS::DynamoDB::GlobalTable', 'Keys').Properties['TimeToLiveSpecification']).toBeUndefined();
  });

  it('of records has two indexes, of keys only, by customer and by operator, and time', () => {
    expect(table('Records')['GlobalSecondaryIndexes']).toEqual([
      { IndexName: 'byCustomer', KeySchema: [{ AttributeName: 'customerId', KeyType: 'HASH' }, { AttributeName: 'receivedAt', KeyType: 'RANGE' }], Projection: { ProjectionType: 'KEYS_ONLY' } },
      { IndexName: 'byOperator', KeySchema: [{ AttributeName: 'operatorId', KeyType: 'HASH' }, { AttributeName: 'receivedAt', KeyType: 'RANGE' }], Projection: { ProjectionType: 'KEYS_ONLY' } },
    ]);
  });
});

describe('every bucket', () => {
  const buckets = ofType(data, 'AWS::S3::Bucket').map(([, resource]) => resource);

  it('is retained, private, and without ACLs', () => {
    expect(buckets).toHaveLength(3);
    for (const { Properties, DeletionPolicy } of buckets) {
      expect(DeletionPolicy).toBe('Retain');
      expect(Properties).toMatchObject({
        PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      });
    }
  });

  it.each(['Vault', 'Inbox'])('refuses plain HTTP and TLS before 1.2: %s', (bucket) => {
    for (const resource of [`${bucket}Bucket.Arn`, `${bucket}Bucket.Arn/segment/x`]) {
      expect(isDenied(policyOf(bucket), { action: 's3:GetObject', resource, keys: { 'aws:SecureTransport': 'false' } })).toBe(true);
      expect(isDenied(policyOf(bucket), { action: 's3:GetObject', resource, keys: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.1' } })).toBe(true);
      expect(isDenied(policyOf(bucket), { action: 's3:GetObject', resource, keys: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' } })).toBe(false);
    }
  });
});

describe('the vault', () => {
  const { Properties } = one(data, 'AWS::S3::Bucket', 'Vault');

  it('is versioned, with Object Lock and no default retention, under a key that nobody can delete', () => {
    expect(Properties).toMatchObject({ ObjectLockEnabled: true, VersioningConfiguration: { Status: 'Enabled' } });
    expect(Properties['ObjectLockConfiguration']).toBeUndefined();
    expect(Properties['BucketEncryption'].ServerSideEncryptionConfiguration).toEqual([{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }]);
  });

  it('expires nothing but replaced versions of what was put as unlocked, and snapshots, two days after their lock must have begun to end', () => {
    const { snapshot } = prod.stage;
    expect(Properties['LifecycleConfiguration'].Rules).toEqual([
      { Id: 'replaced-and-unlocked', Status: 'Enabled', TagFilters: [{ Key: 'intact-lock', Value: 'none' }], NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
      { Id: 'snapshots-end', Status: 'Enabled', Prefix: 'snapshot/', ExpirationInDays: snapshot.retentionDays + 2, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
      { Id: 'snapshot-markers-end', Status: 'Enabled', Prefix: 'snapshot/', ExpiredObjectDeleteMarker: true },
    ]);
  });

  it("carries the vault's policy, in the stage's mode and for its retention", () => {
    const put = (mode: string, days: number, of: Statement[], name = 'segment/x'): boolean =>
      isDenied(of, { action: 's3:PutObject', resource: `VaultBucket.Arn/${name}`, keys: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', 's3:if-none-match': '*', 's3:object-lock-mode': mode, 's3:object-lock-remaining-retention-days': `${days}` } });
    expect([put('COMPLIANCE', 2558, policyOf('Vault')), put('GOVERNANCE', 2558, policyOf('Vault')), put('COMPLIANCE', 2556, policyOf('Vault')), put('COMPLIANCE', 2560, policyOf('Vault'))]).toEqual([false, true, true, true]);
    expect([36, 34, 38, 2558].map((days) => put('COMPLIANCE', days, policyOf('Vault'), 'snapshot/1/x'))).toEqual([false, true, true, true]);
    const dev = synthesized('dev');
    const devPolicy = resolved(one(dev.data, 'AWS::S3::BucketPolicy', 'VaultBucketPolicy').Properties['PolicyDocument'].Statement, dev);
    expect([put('GOVERNANCE', 2, devPolicy), put('COMPLIANCE', 2, devPolicy)]).toEqual([false, true]);
  });

  it('has a policy without a single Allow', () => {
    expect(policyOf('Vault').map(({ Effect }) => Effect)).toEqual(policyOf('Vault').map(() => 'Deny'));
  });
});

describe('the inbox', () => {
  const { Properties, DependsOn } = one(data, 'AWS::S3::Bucket', 'Inbox');

  it('is encrypted under our key and not versioned, so that deleting is deleting', () => {
    expect(Properties['BucketEncryption'].ServerSideEncryptionConfiguration[0]).toMatchObject({ BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } });
    expect(Properties['VersioningConfiguration']).toBeUndefined();
  });

  describe('refuses', () => {
    const SSE = 's3:x-amz-server-side-encryption';
    const asOurs = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', 's3:if-none-match': '*' };
    const refusal = (keys: Record<string, string>): (string | undefined)[] =>
      applying(policyOf('Inbox'), { action: 's3:PutObject', resource: 'InboxBucket.Arn/content/x', keys }).filter(({ Effect }) => Effect === 'Deny').map(({ Sid }) => Sid);

    it('nothing that our functions put, whether or not S3 tells the policy of the defaults it fills in', () => {
      expect(refusal(asOurs)).toEqual([]);
      expect(refusal({ ...asOurs, [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'DataKey.Arn', 's3:x-amz-storage-class': 'STANDARD' })).toEqual([]);
    });

    it.each<[string, string, Record<string, string>]>([
      ['another key of KMS, which our functions may not use', 'UnderNoOtherKey', { [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'arn:aws:kms:eu-central-1:999999999999:key/11111111-2222-3333-4444-555555555555' }],
      ["the account's default key of KMS", 'UnderNoDefaultKey', { [SSE]: 'aws:kms' }],
      ["S3's own key", 'UnderNoDefaultKey', { [SSE]: 'AES256' }],
      ['a key that only the caller has', 'UnderNoKeyOfTheCaller', { [`${SSE}-customer-algorithm`]: 'AES256' }],
      ['an archive', 'NotArchived', { 's3:x-amz-storage-class': 'DEEP_ARCHIVE' }],
    ])('an object under %s: it could not be read, and sealing would stand still', (_what, sid, keys) => {
      expect(refusal({ ...asOurs, ...keys })).toEqual([sid]);
    });

    it('a put that would replace what waits to be sealed', () => {
      const { 's3:if-none-match': _dropped, ...overwriting } = asOurs;
      expect(refusal(overwriting)).toEqual(['CreateOnly']);
    });
  });

  it('announces deliveries, and only these, to the queue; the right to do so comes first', () => {
    expect(resolved(Properties['NotificationConfiguration'].QueueConfigurations, prod)).toEqual([
      { Event: 's3:ObjectCreated:*', Queue: 'InboxQueue.Arn', Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'delivery/' }] } } },
    ]);
    expect(DependsOn?.some((id) => data.Resources[id]?.Type === 'AWS::SQS::QueuePolicy')).toBe(true);
  });

  it('has a queue that gives up after five attempts and keeps what it gave up for two weeks', () => {
    const queue = one(data, 'AWS::SQS::Queue', 'InboxQueue').Properties;
    expect(resolved(queue['RedrivePolicy'], prod)).toEqual({ deadLetterTargetArn: 'InboxDeadLetters.Arn', maxReceiveCount: 5 });
    expect(one(data, 'AWS::SQS::Queue', 'InboxDeadLetters').Properties['MessageRetentionPeriod']).toBe(14 * 86_400);
    const processor = one(prod.service, 'AWS::Lambda::Function', 'processinbox').Properties;
    expect(queue['VisibilityTimeout']).toBeGreaterThanOrEqual(6 * processor['Timeout']);
  });

  it('has queues that take nothing over plain HTTP', () => {
    for (const [, { Properties: policy }] of ofType(data, 'AWS::SQS::QueuePolicy')) {
      const statements = resolved(policy['PolicyDocument'].Statement, prod) as Statement[];
      expect(statements.filter(({ Effect, Condition }) => Effect === 'Deny' && Condition?.['Bool']?.['aws:SecureTransport'] === 'false')).toHaveLength(1);
    }
  });
});

describe('every key', () => {
  const keys = [data, prod.service, prod.trail!, prod.standby!].flatMap((template) => ofType(template, 'AWS::KMS::Key')).map(([, resource]) => resource);
  const statements = ({ Properties }: Resource): Statement[] => resolved(Properties['KeyPolicy'].Statement, prod);

  it('outlives its stack', () => {
    expect(keys).toHaveLength(6);
    for (const { DeletionPolicy } of keys) expect(DeletionPolicy).toBe('Retain');
  });

  it.each(['kms:ScheduleKeyDeletion', 'kms:DisableKey'])('refuses %s to everybody but the break-glass role', (action) => {
    for (const key of keys) {
      const as = (arn: string): boolean => isDenied(statements(key), { action, resource: 'key', keys: { 'aws:PrincipalArn': arn } });
      expect([as('arn:aws:iam::123456789012:root'), as('arn:aws:iam::123456789012:role/admin'), as('arn:aws:iam::123456789012:role/break-glass')]).toEqual([true, true, false]);
    }
  });

  it('refuses them to everybody where the stage names no such role', () => {
    for (const [, key] of ofType(local.data, 'AWS::KMS::Key')) expect(isDenied(resolved(key.Properties['KeyPolicy'].Statement, local), { action: 'kms:DisableKey', resource: 'key', keys: { 'aws:PrincipalArn': 'arn:aws:iam::000000000000:root' } })).toBe(true);
  });

  it('rotates if it is symmetric; the signing key is Ed25519', () => {
    const signing = one(data, 'AWS::KMS::Key', 'SigningKey').Properties;
    expect(signing).toMatchObject({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
    for (const { Properties } of keys.filter(({ Properties: { KeySpec } }) => KeySpec === undefined)) expect(Properties['EnableKeyRotation']).toBe(true);
  });
});

describe('the app secret', () => {
  it('begins empty, so that everything is refused until a person sets it', () => {
    expect(JSON.parse(one(data, 'AWS::SecretsManager::Secret', 'AppSecret').Properties['SecretString'])).toEqual({ appSecrets: [], verifyToken: '' });
  });
});

describe('the outputs', () => {
  it('are those that others rely on, the same locally and on AWS', () => {
    const names = ({ Outputs }: typeof data): string[] => Object.keys(Outputs).filter((name) => !name.startsWith('ExportsOutput')).sort();
    const expected = ['AppSecretArn', 'InboxBucketName', 'KeysTableName', 'LogTableName', 'RecordsTableName', 'ReplicaBucketName', 'ReplicaRegion', 'SenderClientId', 'SigningKeyArn', 'TokenUrl', 'UserPoolClientId', 'UserPoolId', 'VaultBucketName', 'ViewsTableName', 'WorkingsBucketName', 'WrappingKeyArn'];
    expect(names(data)).toEqual(expected);
    expect(names(local.data)).toEqual(expected);
    for (const stage of [prod, local]) expect(names(stage.service)).toEqual(['AlarmTopicArn', 'ApiUrl', 'RestoreMachineArn', 'WebhookUrl']);
  });

  it('come from stacks of the agreed names', () => {
    expect([prod.stacks.data, prod.stacks.service, prod.stacks.trail].map((stack) => stack?.stackName)).toEqual(['Intact-prod-Data', 'Intact-prod-Service', 'Intact-prod-Trail']);
    expect(local.stacks.trail).toBeUndefined();
  });
});
