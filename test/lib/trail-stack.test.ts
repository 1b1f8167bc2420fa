/** The trail is not deployed to the local cloud, which has none; its template is all there is to test. */
import type { Statement } from './policy-evaluator';
import { type Loose, ofType, one, resolved, synthesized } from './synthesized';

const prod = synthesized('prod');
const trail = prod.trail!;
const { Properties } = one(trail, 'AWS::CloudTrail::Trail', 'Trail');
const follow = (value: unknown): Loose => resolved(value, prod);

describe('the trail', () => {
  it('is on, in every region, signed and encrypted', () => {
    expect(Properties).toMatchObject({ IsLogging: true, EnableLogFileValidation: true, IsMultiRegionTrail: true, IncludeGlobalServiceEvents: true });
    expect(follow(Properties['KMSKeyId'])).toBe('Key.Arn');
  });

  it('holds every management call and every access to vault, inbox and tables', () => {
    const selectors = follow(Properties['AdvancedEventSelectors']) as { Name: string; FieldSelectors: { Field: string; Equals?: string[]; StartsWith?: string[] }[] }[];
    const field = (name: string, of: string): string[] | undefined => {
      const found = selectors.find(({ Name }) => Name === name)!.FieldSelectors.find(({ Field }) => Field === of);
      return found?.Equals ?? found?.StartsWith;
    };
    expect(selectors.map(({ Name }) => Name)).toEqual(['Management', 'Objects', 'Items']);
    expect(field('Management', 'eventCategory')).toEqual(['Management']);
    expect(field('Objects', 'resources.type')).toEqual(['AWS::S3::Object']);
    expect(field('Objects', 'resources.ARN')).toEqual(['VaultBucket.Arn/', 'InboxBucket.Arn/', 'arn:aws:s3:::intact-prod-replica-AWS::AccountId-eu-west-1/']);
    expect(field('Items', 'resources.type')).toEqual(['AWS::DynamoDB::Table']);
    expect(field('Items', 'resources.ARN')).toEqual(['RecordsTable.Arn', 'LogTable.Arn', 'KeysTable.Arn', 'ViewsTable.Arn']);
    // Reads too: who looked is part of who did what.
    expect(selectors.flatMap(({ FieldSelectors }) => FieldSelectors.map(({ Field }) => Field))).not.toContain('readOnly');
  });

  it('waits for the right to write to its bucket', () => {
    expect(one(trail, 'AWS::CloudTrail::Trail', 'Trail').DependsOn).toContain(ofType(trail, 'AWS::S3::BucketPolicy')[0]![0]);
  });
});

describe('its bucket', () => {
  const bucket = one(trail, 'AWS::S3::Bucket', 'Bucket');

  it('is its own, locked by default for as long as the log, private, encrypted and retained', () => {
    expect(bucket.DeletionPolicy).toBe('Retain');
    expect(bucket.Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 2557 } } },
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
    });
    expect(bucket.Properties['BucketEncryption'].ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.SSEAlgorithm).toBe('aws:kms');
  });

  it('takes objects from this one trail only', () => {
    const statements = follow(ofType(trail, 'AWS::S3::BucketPolicy')[0]![1].Properties['PolicyDocument'].Statement) as Statement[];
    const allowed = statements.filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.map(({ Action }) => Action)).toEqual(['s3:GetBucketAcl', 's3:PutObject']);
    for (const { Principal, Condition } of allowed) {
      expect(Principal).toEqual({ Service: 'cloudtrail.amazonaws.com' });
      expect(Condition!['StringEquals']!['aws:SourceArn']).toMatch(/:trail\/Intact-prod$/);
    }
    expect(statements.some(({ Effect, Condition }) => Effect === 'Deny' && Condition?.['Bool']?.['aws:SecureTransport'] === 'false')).toBe(true);
  });
});

it('locks in governance mode where the stage does', () => {
  const dev = synthesized('dev').trail!;
  expect(one(dev, 'AWS::S3::Bucket', 'Bucket').Properties['ObjectLockConfiguration'].Rule.DefaultRetention).toEqual({ Mode: 'GOVERNANCE', Days: 1 });
});
