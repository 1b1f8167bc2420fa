/**
 * The second place of the facts: a locked bucket in the stage's second region, in another account where the stage says so. Deployed before the vault, which is told to replicate
 * into it by name; it knows nothing of the vault but the names of roles: of the one that S3 replicates with, and of those that restore.
 */
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Bucket, BucketEncryption, ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { drillRoleName, drillsFromReplica, type Offsite, replicaBucketName, replicationRoleName, restoreRoleName, roleArn } from './constructs/replica';
import { replicaDenials, replicaGrants } from './constructs/replica-policy';
import { OUR_BUCKET } from './constructs/objects';
import { reviewed } from './constructs/reviewed';
import { snapshotLifecycle } from './constructs/vault-policy';
import type { Stage } from './stage';

export interface OffsiteStackProps extends StackProps {
  readonly stage: Stage;
  readonly offsite: Offsite;
}

export class OffsiteStack extends Stack {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: OffsiteStackProps) {
    const { stage, offsite, ...stackProps } = props;
    super(scope, id, { ...stackProps, terminationProtection: stage.removal === 'retain' });
    const term = Duration.days(offsite.retentionDays ?? stage.lock.retentionDays);
    this.bucket = new Bucket(this, 'Replica', {
      bucketName: replicaBucketName(this, stage, offsite),
      versioned: true,
      objectLockEnabled: true,
      // A replica keeps the lock of its source, a snapshot the shorter one of snapshots, and ends as its source does; no deletion is replicated, so both are told. What has none there, log.vkeys, gets this one: here no version of it is ever replaced.
      objectLockDefaultRetention: stage.lock.mode === 'COMPLIANCE' ? ObjectLockRetention.compliance(term) : ObjectLockRetention.governance(term),
      lifecycleRules: snapshotLifecycle(stage.snapshot.retentionDays),
      encryption: BucketEncryption.S3_MANAGED,
      ...OUR_BUCKET,
    });
    const role = roleArn(this, stage, replicationRoleName(stage));
    const users = { account: stage.account ?? this.account, replicator: role, readers: [restoreRoleName(stage), ...(drillsFromReplica(stage) ? [drillRoleName(stage)] : [])].map((name) => roleArn(this, stage, name)) };
    const granted = offsite.account === undefined ? [] : replicaGrants(this.bucket.bucketArn, users);
    for (const statement of [...replicaDenials(this.bucket.bucketArn, role), ...granted]) this.bucket.addToResourcePolicy(statement);
    reviewed(this.bucket, 'AwsSolutions-S1', 'Every access is a CloudTrail data event of the account the replica lies in; server access logs are best effort and would be a weaker second copy.');
    new CfnOutput(this, 'ReplicaBucketName', { value: this.bucket.bucketName, description: 'The facts of the vault; a whole vault is made of them with npx intact rebuild s3://<this> <dir>' });
  }
}
