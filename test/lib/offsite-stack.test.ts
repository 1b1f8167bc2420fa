/** The second region, read from the templates: the replica, what feeds it, and what of the keys is there. */
import { AwsSolutionsChecks } from 'cdk-nag';
import { FACTS, replicaBucketName } from '../../lib/constructs/replica';
import { localRegion, localSecondRegion } from '../../local/environment';
import { isAllowed, isDenied, listOf, type Statement } from './policy-evaluator';
import { type Loose, ofType, one, resolved, synthesized, type Synthesized } from './synthesized';

const prod = synthesized('prod');
const local = synthesized('local');
const dev = synthesized('dev');
const offsite = { region: 'eu-west-1', account: '999999999999', retentionDays: 30 };
const elsewhere = synthesized('prod', { account: '123456789012', offsite });
const bucketOf = (all: Synthesized): Record<string, Loose> => one(all.offsite!, 'AWS::S3::Bucket', 'Replica').Properties;
const policyOf = (all: Synthesized): Statement[] => resolved(one(all.offsite!, 'AWS::S3::BucketPolicy', 'ReplicaPolicy').Properties['PolicyDocument'].Statement, all);
const replicationOf = ({ data }: Synthesized): Loose => one(data, 'AWS::S3::Bucket', 'Vault').Properties['ReplicationConfiguration'];

/** What ends in the vault and in its replica: `days` after it was made it is hidden, a day later deleted, and the marker goes with the last version under it. */
const snapshotsEnd = (days: number): object[] => [
  { Id: 'snapshots-end', Status: 'Enabled', Prefix: 'snapshot/', ExpirationInDays: days, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
  { Id: 'snapshot-markers-end', Status: 'Enabled', Prefix: 'snapshot/', ExpiredObjectDeleteMarker: true },
];

describe('the stacks of the second region', () => {
  it('are in it: the replica in the account the stage says, keys and alarms in its own', () => {
    const place = ({ stacks: { offsite: first, standby } }: Synthesized): unknown[] => [first, standby].map((stack) => stack && [stack.stackName, stack.account, stack.region]);
    expect(place(elsewhere)).toEqual([['Intact-prod-Offsite', '999999999999', 'eu-west-1'], ['Intact-prod-Standby', '123456789012', 'eu-west-1']]);
    expect(place(local)).toEqual([['Intact-local-Offsite', '000000000000', localSecondRegion], undefined]);
    expect([local.stage.region, local.stage.offsite]).toEqual([localRegion, { region: localSecondRegion }]);
  });

  it('are not made where the stage has none', () => {
    expect([dev.offsite, dev.standby, replicationOf(dev), Object.keys(dev.data.Outputs).filter((name) => name.startsWith('Replica'))]).toEqual([undefined, undefined, undefined, []]);
    expect(ofType(dev.data, 'AWS::IAM::Role').map(([id]) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual(['notesigninrole']);
  });

  it('are deployed in an order in which each finds what it names: replica, vault, key', () => {
    const needs = (stack: { readonly dependencies: readonly { readonly stackName: string }[] } | undefined): string[] => stack!.dependencies.map(({ stackName }) => stackName);
    expect(needs(prod.stacks.data)).toEqual(['Intact-prod-Offsite']);
    expect(needs(prod.stacks.standby)).toEqual(['Intact-prod-Data']);
    expect(needs(prod.stacks.offsite)).toEqual([]);
  });

  it('keep the rules in another account too', () => {
    expect(new AwsSolutionsChecks().validateScope(elsewhere.app).violations.map(({ ruleName }) => ruleName)).toEqual([]);
  });
});

describe('the replica', () => {
  it('is versioned, locked, private, retained, and under a key that nobody can delete', () => {
    expect(bucketOf(prod)).toMatchObject({
      ObjectLockEnabled: true,
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
    });
    const { DeletionPolicy, UpdateReplacePolicy } = one(prod.offsite!, 'AWS::S3::Bucket', 'Replica');
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
  });

  it("locks what comes without a lock, in the stage's mode, for its own term or else that of the vault", () => {
    const lock = (all: Synthesized): unknown => bucketOf(all)['ObjectLockConfiguration'].Rule.DefaultRetention;
    expect(lock(prod)).toEqual({ Mode: 'COMPLIANCE', Days: 2557 });
    expect(lock(elsewhere)).toEqual({ Mode: 'COMPLIANCE', Days: 30 });
    expect(lock(synthesized('prod', { lock: { mode: 'GOVERNANCE', retentionDays: 7 } }))).toEqual({ Mode: 'GOVERNANCE', Days: 7 });
  });

  it('expires nothing but snapshots, as the vault does', () => {
    for (const all of [prod, elsewhere]) expect(bucketOf(all)['LifecycleConfiguration'].Rules).toEqual(snapshotsEnd(37));
    expect(one(prod.data, 'AWS::S3::Bucket', 'Vault').Properties['LifecycleConfiguration'].Rules.slice(1)).toEqual(snapshotsEnd(37));
  });

  it('refuses plain HTTP and old TLS, and every change but replication by the role of the vault', () => {
    const request = (action: string, keys: Record<string, string>) => ({ action, resource: 'Replica.Arn/segment/x', keys: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', ...keys } });
    const asRole = { 'aws:PrincipalArn': 'arn:aws:iam::AWS::AccountId:role/Intact-prod-replication' };
    expect(isDenied(policyOf(prod), request('s3:GetObject', { 'aws:SecureTransport': 'false' }))).toBe(true);
    expect(isDenied(policyOf(prod), request('s3:GetObject', { 's3:TlsVersion': '1.1' }))).toBe(true);
    expect(isDenied(policyOf(prod), request('s3:ReplicateObject', asRole))).toBe(false);
    expect(isDenied(policyOf(prod), request('s3:ReplicateObject', { 'aws:PrincipalArn': 'arn:aws:iam::AWS::AccountId:role/admin' }))).toBe(true);
    expect(isDenied(policyOf(prod), request('s3:PutObject', asRole))).toBe(true);
  });

  it('grants something only where it belongs to another account, and there to roles', () => {
    expect(policyOf(prod).filter(({ Effect }) => Effect === 'Allow')).toEqual([]);
    const role = (name: string): string => `arn:aws:iam::123456789012:role/Intact-prod-${name}`;
    const granted = policyOf(elsewhere).filter(({ Effect }) => Effect === 'Allow');
    expect(granted.map(({ Condition }) => listOf(Condition?.['StringEquals']?.['aws:PrincipalArn'] ?? []))).toEqual([[role('replication')], [role('replication')], [role('restore-table'), role('run-drill')], [role('restore-table'), role('run-drill')]]);
    // Of the account, not of roles: those are made later, and S3 refuses a policy that names one which does not exist.
    expect(granted.map(({ Principal }) => Principal)).toEqual(granted.map(() => ({ AWS: expect.stringMatching(/:iam::123456789012:root$/) as string })));
    const without = synthesized('prod', { account: '123456789012', offsite, drillFromReplicaEvery: 0 });
    expect(policyOf(without).filter(({ Effect }) => Effect === 'Allow').map(({ Condition }) => listOf(Condition?.['StringEquals']?.['aws:PrincipalArn'] ?? []))).toEqual([[role('replication')], [role('replication')], [role('restore-table')], [role('restore-table')]]);
  });

  it('knows the drill by the name its role has', () => {
    const role = (all: Synthesized): unknown => one(all.service, 'AWS::IAM::Role', 'rundrillrole').Properties['RoleName'];
    expect([role(elsewhere), role(prod)]).toEqual(['Intact-prod-run-drill', undefined]);
  });

  it('has one name that both sides compute, never longer than S3 allows', () => {
    expect(elsewhere.stacks.data.resolve(replicaBucketName(elsewhere.stacks.data, elsewhere.stage, offsite))).toBe('intact-prod-replica-999999999999-eu-west-1');
    expect(bucketOf(elsewhere)['BucketName']).toBe('intact-prod-replica-999999999999-eu-west-1');
    expect(resolved(replicationOf(elsewhere).Rules[0].Destination.Bucket, elsewhere)).toBe('arn:aws:s3:::intact-prod-replica-999999999999-eu-west-1');
    const longest = { ...elsewhere.stage, name: 'a'.repeat(20) };
    expect(replicaBucketName(elsewhere.stacks.data, longest, { ...offsite, region: 'ap-southeast-1' }).length).toBeLessThanOrEqual(63);
  });
});

describe('the vault', () => {
  it('replicates the facts, each kind by a rule of its own, with metrics and a promised time, and no deletions', () => {
    const { Rules } = replicationOf(prod);
    expect(Rules.map(({ Filter }: Loose) => Filter)).toEqual(['segment/', 'blob/', 'snapshot/', 'checkpoints/', 'report/', 'log.vkeys'].map((Prefix) => ({ Prefix })));
    for (const { Status, DeleteMarkerReplication, Destination } of Rules) {
      expect([Status, DeleteMarkerReplication]).toEqual(['Enabled', { Status: 'Disabled' }]);
      expect(Destination).toMatchObject({ Metrics: { Status: 'Enabled', EventThreshold: { Minutes: 15 } }, ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } } });
      expect(Destination.Account).toBeUndefined();
    }
    expect(new Set(Rules.map(({ Id }: Loose) => Id)).size).toBe(FACTS.length);
    // Nothing derived begins like a fact.
    for (const derived of ['checkpoint', 'tile/0/000', 'tile/entries/000']) expect(Rules.filter(({ Filter }: Loose) => derived.startsWith(Filter.Prefix))).toEqual([]);
  });

  it('gives the replica to the other account where it lies in one', () => {
    for (const { Destination } of replicationOf(elsewhere).Rules) expect(Destination).toMatchObject({ Account: '999999999999', AccessControlTranslation: { Owner: 'Destination' } });
  });

  const rights = (all: Synthesized): Statement[] => resolved(one(all.data, 'AWS::IAM::Policy', 'VaultReplicationRole').Properties['PolicyDocument'].Statement, all);
  const replica = 'arn:aws:s3:::intact-prod-replica-AWS::AccountId-eu-west-1';

  it('has it done by a role that only S3 may assume, and that can read facts and write their replicas', () => {
    const { Properties } = one(prod.data, 'AWS::IAM::Role', 'VaultReplicationRole');
    expect([Properties['RoleName'], Properties['ManagedPolicyArns']]).toEqual(['Intact-prod-replication', undefined]);
    expect(Properties['AssumeRolePolicyDocument'].Statement).toEqual([{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' } }]);
    const may = (action: string, resource: string): boolean => isAllowed(rights(prod), { action, resource });
    for (const fact of ['segment/0/a', 'blob/a', 'snapshot/1/m', 'checkpoints/1', 'report/1', 'log.vkeys']) {
      for (const action of ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging', 's3:GetObjectRetention', 's3:GetObjectLegalHold']) expect(may(action, `VaultBucket.Arn/${fact}`)).toBe(true);
      for (const action of ['s3:ReplicateObject', 's3:ReplicateTags']) expect(may(action, `${replica}/${fact}`)).toBe(true);
    }
    for (const name of ['checkpoint', 'tile/0/000']) expect([may('s3:GetObjectVersionForReplication', `VaultBucket.Arn/${name}`), may('s3:ReplicateObject', `${replica}/${name}`)]).toEqual([false, false]);
  });

  it('and with these rights alone', () => {
    const actions = (all: Synthesized): string[] => rights(all).flatMap(({ Action }) => Action).sort();
    const expected = ['s3:GetObjectLegalHold', 's3:GetObjectRetention', 's3:GetObjectVersionAcl', 's3:GetObjectVersionForReplication', 's3:GetObjectVersionTagging', 's3:GetReplicationConfiguration', 's3:ListBucket', 's3:ReplicateObject', 's3:ReplicateTags'];
    expect(actions(prod)).toEqual(expected);
    expect(actions(elsewhere)).toEqual([...expected, 's3:ObjectOwnerOverrideToBucketOwner'].sort());
  });
});

describe('the keys', () => {
  const keysTable = ({ data }: Synthesized): Loose => one(data, 'AWS::DynamoDB::GlobalTable', 'KeysTable');

  it('are in a table with a replica in the second region, both restorable and protected, under keys that nobody can delete', () => {
    const { Properties, DeletionPolicy, UpdateReplacePolicy } = keysTable(prod);
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
    expect(Properties).toMatchObject({ BillingMode: 'PAY_PER_REQUEST', SSESpecification: { SSEEnabled: true, SSEType: 'KMS' }, KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }] });
    expect(Properties.Replicas.map(({ Region }: Loose) => Region).sort()).toEqual(['eu-central-1', 'eu-west-1']);
    for (const one of Properties.Replicas) expect(one).toMatchObject({ DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } });
    expect(JSON.stringify(Properties)).not.toContain('KMSMasterKeyId');
  });

  it('are in a table that can get one later where the stage has no second region', () => {
    const { Properties } = keysTable(dev);
    expect([Properties.Replicas.length, Properties.StreamSpecification]).toEqual([1, undefined]);
  });

  const wrapping = ({ data }: Synthesized): Record<string, Loose> => one(data, 'AWS::KMS::Key', 'WrappingKey').Properties;

  it('are wrapped by a key that can have a replica in that region and in no other', () => {
    for (const all of [prod, dev, local]) expect(wrapping(all)['MultiRegion']).toBe(true);
    const replicates = (all: Synthesized, region: string): boolean => !isDenied(resolved(wrapping(all)['KeyPolicy'].Statement, all), { action: 'kms:ReplicateKey', resource: 'key', keys: { 'kms:ReplicaRegion': region } });
    expect([replicates(prod, 'eu-west-1'), replicates(prod, 'us-east-1'), replicates(dev, 'eu-west-1')]).toEqual([true, false, false]);
  });

  it('are unwrapped in the second region by that replica, which is as protected as the first key', () => {
    const [, { Properties, DeletionPolicy }] = ofType(prod.standby!, 'AWS::KMS::ReplicaKey')[0]!;
    expect(DeletionPolicy).toBe('Retain');
    expect(Properties['PrimaryKeyArn']).toEqual({ 'Fn::GetStackOutput': { StackName: 'Intact-prod-Data', OutputName: 'WrappingKeyArn', Region: 'eu-central-1' } });
    for (const action of ['kms:ScheduleKeyDeletion', 'kms:DisableKey']) expect(isDenied(resolved(Properties['KeyPolicy'].Statement, prod), { action, resource: 'key', keys: { 'aws:PrincipalArn': 'arn:aws:iam::123456789012:root' } })).toBe(true);
  });
});

describe('what has to be known when the first region is gone', () => {
  it('stands in the outputs of the second', () => {
    expect(Object.keys(prod.standby!.Outputs).sort()).toEqual(['KeysTableName', 'ReplicaBucketName', 'StandbyAlarmTopicArn', 'WrappingKeyArn']);
    expect(Object.keys(prod.offsite!.Outputs)).toEqual(['ReplicaBucketName']);
    expect(prod.standby!.Outputs['KeysTableName']!.Value).toEqual({ 'Fn::GetStackOutput': { StackName: 'Intact-prod-Data', OutputName: 'KeysTableName', Region: 'eu-central-1' } });
  });
});
