/**
 * What every bucket of ours is like, and grants on its objects by their names, a `*` in a name standing for any rest. The rule packs ask about each such star; it is answered here, where it is granted:
 * names hold hashes, indexes and minutes that no policy can list, and the prefix before the star is the narrowest there is.
 */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { BlockPublicAccess, ObjectOwnership, type Bucket, type BucketProps } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';
import { reviewed } from './reviewed';

/** What holds for every bucket of ours: TLS 1.2 and newer, nothing public, no access lists, and no stack deletes it. How it is encrypted, each says itself. */
export const OUR_BUCKET = {
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
} as const satisfies BucketProps;

/** Allows `fn` `actions` on the objects of `bucket` that are called `names`. */
export function allowOnObjects(fn: Lambda, bucket: Bucket, actions: readonly string[], names: readonly string[]): void {
  fn.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: names.map((name) => bucket.arnForObjects(name)) }));
  for (const name of names.filter((candidate) => candidate.includes('*'))) {
    reviewed(fn.role!, `AwsSolutions-IAM5[Resource::${arnInReport(fn, bucket, bucket.bucketArn)}/${name}]`, `Objects ${name} are named by hash or index, so no policy can list them; the prefix is all of the star.`);
  }
}

/** Without this right S3 answers 403 for what is not there, and "absent" could not be told from "refused". */
export function allowTellingAbsence(fn: Lambda, bucket: Bucket): void {
  fn.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }));
}

/** How the report writes the ARN of what belongs to another stack: by the name it is exported under. */
export function arnInReport(fn: Lambda, of: IConstruct, arn: string): string {
  const imported = Stack.of(fn).resolve(Stack.of(of).exportValue(arn)) as { 'Fn::ImportValue': string };
  return imported['Fn::ImportValue'];
}
