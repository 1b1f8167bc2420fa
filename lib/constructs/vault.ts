/**
 * The write-once home of the log: a versioned Object Lock bucket that no stack deletes. No default retention, since three kinds of objects must stay replaceable;
 * every locked put carries its own lock instead, and the bucket's policy refuses one that does not.
 */
import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { Env, UNLOCKED_TAG } from '../../src/runtime/env';
import type { Stage } from '../stage';
import { allowOnObjects, allowTellingAbsence, OUR_BUCKET } from './objects';
import { Replication } from './replication';
import { reviewed } from './reviewed';
import { MUTABLE_NAMES, PARTIAL_NAMES, SNAPSHOT_NAMES, snapshotLifecycle, vaultDenials } from './vault-policy';

const SEALER_NAMES = ['segment/*', 'blob/*'];
const TILES = 'tile/*';
const CHECKPOINTS = 'checkpoints/*';
/** What a replay of the log reads. */
const REPLAYED = [TILES, ...SEALER_NAMES, ...MUTABLE_NAMES];

export class Vault extends Construct {
  readonly bucket: Bucket;
  /** Absent where the stage has no second region. */
  readonly replication?: Replication;
  private readonly stage: Stage;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id);
    this.stage = stage;
    this.bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      objectLockEnabled: true,
      // Keys of S3's own: a customer-managed key could be deleted, and with it what the lock protects.
      encryption: BucketEncryption.S3_MANAGED,
      ...OUR_BUCKET,
      // Of the log only what was replaced, and of that only what was put as replaceable: a quiet log's newest partial tiles stay for ever.
      lifecycleRules: [
        { id: 'replaced-and-unlocked', tagFilters: { [UNLOCKED_TAG.key]: UNLOCKED_TAG.value }, noncurrentVersionExpiration: Duration.days(1) },
        ...snapshotLifecycle(stage.snapshot.retentionDays),
      ],
    });
    for (const statement of vaultDenials(this.bucket.bucketArn, { ...stage.lock, snapshotRetentionDays: stage.snapshot.retentionDays })) this.bucket.addToResourcePolicy(statement);
    reviewed(this.bucket, 'AwsSolutions-S1', 'Every access is a CloudTrail data event in a locked bucket of its own (Trail stack); server access logs are best effort and would be a weaker second copy.');
    if (stage.offsite !== null) this.replication = new Replication(this, 'Replication', { stage, offsite: stage.offsite, bucket: this.bucket });
  }

  /** Lets `fn` put segments and blobs under lock and read them back, and read the checkpoint. */
  grantAppend(fn: Lambda): void {
    this.allowLockedPuts(fn, SEALER_NAMES);
    this.allowReads(fn, [...SEALER_NAMES, 'checkpoint']);
  }

  /** Lets `fn` publish: tiles, bundles, checkpoints. The only delete anybody is granted in the vault: partials that a full tile replaced. */
  grantPublish(fn: Lambda): void {
    this.allowLockedPuts(fn, [TILES, CHECKPOINTS]);
    this.allowMutablePuts(fn);
    this.allow(fn, ['s3:PutObjectTagging', 's3:DeleteObject'], [PARTIAL_NAMES]);
    this.allowReads(fn, [TILES, CHECKPOINTS, ...SEALER_NAMES, ...MUTABLE_NAMES]);
  }

  /** Lets `fn` put the first key and the first checkpoint, of the empty log. */
  grantInitialize(fn: Lambda): void {
    this.allowLockedPuts(fn, [CHECKPOINTS]);
    this.allowMutablePuts(fn);
    this.allowReads(fn, [CHECKPOINTS, ...MUTABLE_NAMES]);
  }

  /** Lets `fn` read what was sealed, by the rounds that name it: segments, and the blobs they name. */
  grantReadSealed(fn: Lambda): void {
    this.allowReads(fn, SEALER_NAMES);
  }

  /** Lets `fn` read the entries of the log, from tiles or from segments, and what signed them. */
  grantReplay(fn: Lambda): void {
    this.allowReads(fn, REPLAYED);
  }

  /** Lets `fn` read what a restore reads: the log, and the snapshots it may begin with. */
  grantRestore(fn: Lambda): void {
    this.allowReads(fn, [...REPLAYED, SNAPSHOT_NAMES]);
  }

  /** Lets `fn` put snapshots, under the lock that is theirs, and read them back and the log they are made of. It can put nothing else, and sign nothing. */
  grantSnapshot(fn: Lambda): void {
    this.allowLockedPuts(fn, [SNAPSHOT_NAMES], this.stage.snapshot.retentionDays);
    this.grantRestore(fn);
  }

  /** Lets `fn` read everything that verification asks: bytes, locks, the list of versions and delete markers. */
  grantVerify(fn: Lambda): void {
    this.tellLock(fn, this.stage.lock.retentionDays);
    fn.addEnvironment(Env.SNAPSHOT_RETENTION_DAYS, `${this.stage.snapshot.retentionDays}`);
    this.allowReads(fn, ['*']);
    this.allow(fn, ['s3:GetObjectRetention'], ['*']);
    fn.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucketVersions'], resources: [this.bucket.bucketArn] }));
  }

  private allowLockedPuts(fn: Lambda, names: readonly string[], retentionDays = this.stage.lock.retentionDays): void {
    this.allow(fn, ['s3:PutObject', 's3:PutObjectRetention'], names);
    this.tellLock(fn, retentionDays);
  }

  private allowMutablePuts(fn: Lambda): void {
    this.allow(fn, ['s3:PutObject', 's3:PutObjectTagging'], MUTABLE_NAMES);
  }

  private tellLock(fn: Lambda, retentionDays: number): void {
    fn.addEnvironment(Env.LOCK_MODE, this.stage.lock.mode);
    fn.addEnvironment(Env.RETENTION_DAYS, `${retentionDays}`);
  }

  private allowReads(fn: Lambda, names: readonly string[]): void {
    this.allow(fn, ['s3:GetObject'], names);
    allowTellingAbsence(fn, this.bucket);
  }

  private allow(fn: Lambda, actions: readonly string[], names: readonly string[]): void {
    fn.addEnvironment(Env.VAULT_BUCKET, this.bucket.bucketName);
    allowOnObjects(fn, this.bucket, actions, names);
  }
}
