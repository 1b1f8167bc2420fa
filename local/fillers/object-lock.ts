/**
 * CloudFormation in the emulator makes the vault's bucket without its Object Lock settings, and a bucket without them refuses every locked put. This sets,
 * by the call CloudFormation would have made, what the template asks for. It runs between the two stacks: before anything can be written.
 */
import { readFileSync } from 'node:fs';
import { DescribeStackResourceCommand } from '@aws-sdk/client-cloudformation';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { GetObjectLockConfigurationCommand, PutObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import type { ObjectLockConfiguration, S3Client } from '@aws-sdk/client-s3';

interface Template {
  readonly Resources?: Readonly<Record<string, { readonly Type: string; readonly Properties?: { readonly ObjectLockEnabled?: boolean; readonly ObjectLockConfiguration?: ObjectLockConfiguration } }>>;
}

/** Locks every bucket of `stack` that its template locks; resolves a line for each. Reads back what was set: a lock that did not hold is an error. */
export async function lockBuckets(
  clients: { readonly cloudFormation: CloudFormationClient; readonly s3: S3Client },
  templateFile: string,
  stack: string,
): Promise<readonly string[]> {
  const template = JSON.parse(readFileSync(templateFile, 'utf8')) as Template;
  const done: string[] = [];
  for (const [id, { Type, Properties }] of Object.entries(template.Resources ?? {})) {
    if (Type !== 'AWS::S3::Bucket' || Properties?.ObjectLockEnabled !== true) continue;
    const described = await clients.cloudFormation.send(new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: id }));
    const Bucket = described.StackResourceDetail?.PhysicalResourceId;
    if (Bucket === undefined) throw new Error(`stack ${stack} has no bucket ${id}`);
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', ...Properties.ObjectLockConfiguration } as const;
    await clients.s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
    const now = await clients.s3.send(new GetObjectLockConfigurationCommand({ Bucket }));
    if (now.ObjectLockConfiguration?.ObjectLockEnabled !== 'Enabled') throw new Error(`bucket ${Bucket} did not take its Object Lock settings`);
    done.push(`Object Lock set on ${Bucket}`);
  }
  return done;
}
