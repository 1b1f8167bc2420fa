/**
 * Who did what: a CloudTrail trail of every management call in the account and every access to the vault, the inbox and the tables, into a locked bucket of its own,
 * with signed digests. It answers what the log cannot: whose credentials made the change that sealing noticed.
 */
import { ArnFormat, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket, BucketEncryption, ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { ProtectedKey } from './constructs/protected-key';
import { OUR_BUCKET } from './constructs/objects';
import { reviewed } from './constructs/reviewed';
import type { DataStack } from './data-stack';
import type { Stage } from './stage';

export class TrailStack extends Stack {
  readonly key: ProtectedKey;
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: StackProps & { readonly stage: Stage; readonly data: DataStack }) {
    const { stage, data, ...stackProps } = props;
    super(scope, id, { ...stackProps, terminationProtection: stage.removal === 'retain' });
    const trailName = `Intact-${stage.name}`;
    const trailArn = this.formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: trailName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    const key = this.trailKey(stage, trailArn);
    const bucket = this.lockedBucket(stage, key, trailArn);
    this.key = key;
    this.bucket = bucket;
    const trail = new CfnTrail(this, 'Trail', {
      trailName,
      isLogging: true,
      s3BucketName: bucket.bucketName,
      kmsKeyId: key.keyArn,
      enableLogFileValidation: true,
      isMultiRegionTrail: true,
      includeGlobalServiceEvents: true,
      advancedEventSelectors: [
        { name: 'Management', fieldSelectors: [{ field: 'eventCategory', equalTo: ['Management'] }] },
        dataEvents('Objects', 'AWS::S3::Object', [data.vault.bucket.bucketArn, data.inbox.bucket.bucketArn, ...this.replicaArn(data)].map((bucketArn) => `${bucketArn}/`)),
        dataEvents('Items', 'AWS::DynamoDB::Table', [data.records, data.log, data.keys, data.views].map(({ table }) => table.tableArn)),
      ],
    });
    trail.node.addDependency(bucket.policy!);
  }

  /** The replica is seen from here where it lies in this account; the trail covers every region. */
  private replicaArn({ vault: { replication } }: DataStack): string[] {
    return replication === undefined ? [] : [this.formatArn({ service: 's3', region: '', account: '', resource: replication.replicaBucketName })];
  }

  private trailKey(stage: Stage, trailArn: string): ProtectedKey {
    const key = new ProtectedKey(this, 'Key', { stage, description: `Intact ${stage.name}: trail` });
    const cloudTrail = new ServicePrincipal('cloudtrail.amazonaws.com');
    key.addToResourcePolicy(
      new PolicyStatement({ sid: 'TrailEncrypts', principals: [cloudTrail], actions: ['kms:GenerateDataKey'], resources: ['*'], conditions: { StringEquals: { 'aws:SourceArn': trailArn } } }),
    );
    key.addToResourcePolicy(new PolicyStatement({ sid: 'TrailDescribes', principals: [cloudTrail], actions: ['kms:DescribeKey'], resources: ['*'], conditions: { StringEquals: { 'aws:SourceArn': trailArn } } }));
    return key;
  }

  /** CloudTrail cannot put a lock itself, so the bucket's default retention does. */
  private lockedBucket({ lock }: Stage, key: ProtectedKey, trailArn: string): Bucket {
    const duration = Duration.days(lock.retentionDays);
    const bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      objectLockDefaultRetention: lock.mode === 'COMPLIANCE' ? ObjectLockRetention.compliance(duration) : ObjectLockRetention.governance(duration),
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      ...OUR_BUCKET,
    });
    const cloudTrail = { principals: [new ServicePrincipal('cloudtrail.amazonaws.com')] };
    bucket.addToResourcePolicy(
      new PolicyStatement({ sid: 'TrailChecks', ...cloudTrail, actions: ['s3:GetBucketAcl'], resources: [bucket.bucketArn], conditions: { StringEquals: { 'aws:SourceArn': trailArn } } }),
    );
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailWrites',
        ...cloudTrail,
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`AWSLogs/${this.account}/*`)],
        conditions: { StringEquals: { 'aws:SourceArn': trailArn, 's3:x-amz-acl': 'bucket-owner-full-control' } },
      }),
    );
    reviewed(bucket, 'AwsSolutions-S1', 'This is the bucket that access is logged to; its own objects are locked by default retention.');
    return bucket;
  }
}

const dataEvents = (name: string, type: string, startsWith: string[]): CfnTrail.AdvancedEventSelectorProperty => ({
  name,
  fieldSelectors: [
    { field: 'eventCategory', equalTo: ['Data'] },
    { field: 'resources.type', equalTo: [type] },
    { field: 'resources.ARN', startsWith },
  ],
});
