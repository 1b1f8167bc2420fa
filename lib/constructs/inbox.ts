/**
 * The erasable bodies, encrypted under our key and not versioned, so that deleting is deleting: big deliveries until they are processed (`delivery/`) and content too
 * large for a record (`content/`). S3 itself tells the queue of a new delivery: no dual write that could be lost in between.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { EventSourceMapping, Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Bucket, BucketEncryption, type CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { Env } from '../../src/runtime/env';
import type { DataKey } from './data-key';
import { allowOnObjects, allowTellingAbsence, OUR_BUCKET } from './objects';
import { reviewed } from './reviewed';
import { allowSending, feedFrom, workQueue, type WorkQueue } from './work-queue';

const DELIVERIES = 'delivery/';
const CONTENT = 'content/';
/** The processor's timeout, and six of them before a message is shown to another one, as Lambda's documentation advises. */
export const PROCESSING_TIMEOUT = Duration.minutes(2);
/** A delivery that failed this often fails because of itself: it waits for a person. Its body stays in the bucket. */
const ATTEMPTS = 5;

export class Inbox extends Construct {
  readonly bucket: Bucket;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  private readonly work: WorkQueue;
  private readonly dataKey: DataKey;

  constructor(scope: Construct, id: string, dataKey: DataKey) {
    super(scope, id);
    this.dataKey = dataKey;
    this.work = workQueue(this, { visibility: Duration.seconds(6 * PROCESSING_TIMEOUT.toSeconds()), attempts: ATTEMPTS });
    this.queue = this.work.queue;
    this.deadLetters = this.work.deadLetters;
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.KMS,
      encryptionKey: dataKey,
      bucketKeyEnabled: true,
      ...OUR_BUCKET,
    });
    this.refuseWhatWeCouldNotRead();
    this.announceDeliveries();
    reviewed(this.bucket, 'AwsSolutions-S1', 'Every access is a CloudTrail data event in a locked bucket (Trail stack); server access logs are best effort and would be a weaker second copy.');
  }

  /** Lets `fn` put bodies, create-only, and read back what is there under the same name. */
  grantPut(fn: Lambda): void {
    this.allow(fn, ['s3:GetObject', 's3:PutObject'], [DELIVERIES, CONTENT]);
    this.dataKey.grantWriteThrough(fn, 's3');
  }

  /** Lets `fn` put content that a record is going to name, create-only, and read back what is there under the same name. */
  grantPutContent(fn: Lambda): void {
    this.allow(fn, ['s3:GetObject', 's3:PutObject'], [CONTENT]);
    this.dataKey.grantWriteThrough(fn, 's3');
  }

  /** Lets `fn` read content that a record names. */
  grantReadContent(fn: Lambda): void {
    this.allow(fn, ['s3:GetObject'], [CONTENT]);
    this.dataKey.grantReadThrough(fn, 's3');
  }

  /** `fn` processes each announced delivery and removes it when all of it is recorded. One at a time: a delivery may hold a thousand events. */
  feed(fn: Lambda): EventSourceMapping {
    this.grantPut(fn);
    this.allow(fn, ['s3:DeleteObject'], [DELIVERIES]);
    return feedFrom(this.work, fn, 'FromInbox', { batchSize: 1 });
  }

  /** Lets `fn` find deliveries whose announcement was lost, or whose processing failed, and announce them again. */
  grantSweep(fn: Lambda): void {
    this.allow(fn, ['s3:GetObject'], [DELIVERIES]);
    this.dataKey.grantReadThrough(fn, 's3');
    allowSending(this.work, fn, Env.INBOX_QUEUE_URL);
  }

  /** Lets `fn` see which deliveries wait here, and read none. */
  grantListDeliveries(fn: Lambda): void {
    fn.addEnvironment(Env.INBOX_BUCKET, this.bucket.bucketName);
    fn.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn], conditions: { StringLike: { 's3:prefix': `${DELIVERIES}*` } } }));
  }

  /** Lets `fn` remove the content of erased records, and see which deliveries still wait; it can read neither. */
  grantErase(fn: Lambda): void {
    allowOnObjects(fn, this.bucket, ['s3:DeleteObject'], [`${CONTENT}*`]);
    this.grantListDeliveries(fn);
  }

  private allow(fn: Lambda, actions: string[], prefixes: readonly string[]): void {
    fn.addEnvironment(Env.INBOX_BUCKET, this.bucket.bucketName);
    allowOnObjects(fn, this.bucket, actions, prefixes.map((prefix) => `${prefix}*`));
    allowTellingAbsence(fn, this.bucket);
  }

  /**
   * S3 says the same "access denied" for an object under a key we may not use as for rights that were taken from us, and the sealer has to wait for the latter. So nobody
   * may put the former, or he could stop sealing with one object: no key but ours, no key that only he has, no archive. And nothing is put over what waits to be sealed.
   * Our own puts name none of this; the bucket's defaults are right. Each condition holds only where a request names something, whether or not S3 fills in defaults.
   */
  private refuseWhatWeCouldNotRead(): void {
    const [algorithm, key, ownKey, storage] = ['s3:x-amz-server-side-encryption', 's3:x-amz-server-side-encryption-aws-kms-key-id', 's3:x-amz-server-side-encryption-customer-algorithm', 's3:x-amz-storage-class'] as const;
    const named = 'false';
    const deny = (sid: string, conditions: Record<string, Record<string, string>>): void => {
      this.bucket.addToResourcePolicy(new PolicyStatement({ sid, effect: Effect.DENY, principals: [new AnyPrincipal()], actions: ['s3:PutObject'], resources: [this.bucket.arnForObjects('*')], conditions }));
    };
    deny('UnderNoOtherKey', { Null: { [key]: named }, StringNotEquals: { [key]: this.dataKey.keyArn } });
    // An algorithm without a key: S3's own key, or the account's default one.
    deny('UnderNoDefaultKey', { Null: { [algorithm]: named, [key]: 'true' } });
    deny('UnderNoKeyOfTheCaller', { Null: { [ownKey]: named } });
    deny('NotArchived', { Null: { [storage]: named }, StringNotEquals: { [storage]: 'STANDARD' } });
    deny('CreateOnly', { Null: { 's3:if-none-match': 'true' } });
  }

  private announceDeliveries(): void {
    this.queue.addToResourcePolicy(
      new PolicyStatement({
        sid: 'S3AnnouncesDeliveries',
        principals: [new ServicePrincipal('s3.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.queue.queueArn],
        // Our account, not our bucket: S3 checks this policy while it makes the bucket, so it cannot wait for the bucket's name.
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    // The L1 property: the L2 would add a function of its own, with rights on every bucket, to call one API.
    const cfn = this.bucket.node.defaultChild as CfnBucket;
    cfn.notificationConfiguration = {
      queueConfigurations: [{ event: 's3:ObjectCreated:*', queue: this.queue.queueArn, filter: { s3Key: { rules: [{ name: 'prefix', value: DELIVERIES }] } } }],
    };
    cfn.node.addDependency(this.queue.node.findChild('Policy'));
  }
}
