/**
 * Where the parts of a run that is too much for one function leave what they came to. Each function sees its own alone. What lies here carries a MAC, holds names, hashes and counts and
 * nothing of what customers wrote, and expires: a run that failed is looked at within days, or the next one has taken its place.
 */
import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { Env } from '../../src/runtime/env';
import type { Stage } from '../stage';
import { allowOnObjects, allowTellingAbsence, OUR_BUCKET } from './objects';
import { reviewed } from './reviewed';

const KEPT_DAYS = 7;

export class Workings extends Construct {
  readonly bucket: Bucket;
  private readonly stage: Stage;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id);
    this.stage = stage;
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      ...OUR_BUCKET,
      lifecycleRules: [{ id: 'workings', expiration: Duration.days(KEPT_DAYS), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
    reviewed(this.bucket, 'AwsSolutions-S1', 'What lies here is worth nothing after its run, carries a MAC and expires within days; a log of who read it would outlive it.');
  }

  /** Lets `fn` do its runs in parts: leave what a part came to, and read it back; told from which size of the log on. */
  grantParts(fn: Lambda): void {
    fn.addEnvironment(Env.WORKINGS_BUCKET, this.bucket.bucketName);
    fn.addEnvironment(Env.WHOLE_UP_TO, `${this.stage.wholeUpTo}`);
    allowOnObjects(fn, this.bucket, ['s3:GetObject', 's3:PutObject'], [`${fn.node.id}/*`]);
    allowTellingAbsence(fn, this.bucket);
  }
}
