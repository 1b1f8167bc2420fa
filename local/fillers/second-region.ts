/**
 * The second region, as far as CloudFormation in the emulator leaves it out: replication of buckets and replicas of global tables are ignored, replica keys refused. This makes what the
 * templates ask for by the calls CloudFormation would have made. It runs between data and service stack: before anything is written that would have to be replicated.
 */
import { readFileSync } from 'node:fs';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ReplicateKeyCommand } from '@aws-sdk/client-kms';
import type { KMSClient } from '@aws-sdk/client-kms';
import { GetBucketReplicationCommand, PutBucketReplicationCommand } from '@aws-sdk/client-s3';
import type { ReplicationRule, S3Client } from '@aws-sdk/client-s3';
import { physicalName, resolveValue } from './template-values';
import type { TemplateResource, TemplateValue } from './template-values';

export interface RegionClients {
  readonly cloudFormation: CloudFormationClient;
  readonly s3: S3Client;
  readonly dynamoDb: DynamoDBClient;
  readonly kms: KMSClient;
}

/** A rule as CloudFormation spells it; all of it but these members has the names of the API. */
type TemplateRule = Omit<ReplicationRule, 'ID' | 'Destination'> & { readonly Id: string; readonly Destination: Readonly<Record<string, unknown>> & { readonly Bucket: TemplateValue } };
interface Properties {
  readonly ReplicationConfiguration?: { readonly Role: TemplateValue; readonly Rules: readonly TemplateRule[] };
  readonly Replicas?: readonly { readonly Region: string }[];
  readonly MultiRegion?: boolean;
}

export interface Home {
  readonly stack: string;
  readonly account: string;
  readonly region: string;
  /** The second one. */
  readonly second: string;
}

/** Completes what the template of `home.stack` says of the second region; resolves a line for each. */
export async function fillSecondRegion(clients: RegionClients, templateFile: string, home: Home): Promise<readonly string[]> {
  const template = JSON.parse(readFileSync(templateFile, 'utf8')) as { readonly Resources?: Readonly<Record<string, TemplateResource<Properties>>> };
  const done: string[] = [];
  for (const [id, { Type, Properties = {} }] of Object.entries(template.Resources ?? {})) {
    if (Type === 'AWS::S3::Bucket' && Properties.ReplicationConfiguration !== undefined) done.push(await replicateBucket(clients, home, id, Properties.ReplicationConfiguration));
    if (Type === 'AWS::DynamoDB::GlobalTable') done.push(...(await replicateTable(clients, home, id, Properties.Replicas ?? [])));
    if (Type === 'AWS::KMS::Key' && Properties.MultiRegion === true) done.push(await replicateKey(clients, home, id));
  }
  return done;
}

async function replicateBucket({ cloudFormation, s3 }: RegionClients, { stack, account }: Home, id: string, configuration: NonNullable<Properties['ReplicationConfiguration']>): Promise<string> {
  const value = (of: TemplateValue): Promise<string> => resolveValue(cloudFormation, stack, account, of);
  const Bucket = await physicalName(cloudFormation, stack, id);
  const Rules = await Promise.all(configuration.Rules.map(async ({ Id, Destination, ...rest }) => ({ ...rest, ID: Id, Destination: { ...Destination, Bucket: await value(Destination.Bucket) } })));
  await s3.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: { Role: await value(configuration.Role), Rules } }));
  const { ReplicationConfiguration } = await s3.send(new GetBucketReplicationCommand({ Bucket }));
  if (ReplicationConfiguration?.Rules?.length !== Rules.length) throw new Error(`bucket ${Bucket} did not take its rules of replication`);
  return `replication of ${Rules.map(({ ID }) => ID).join(', ')} set on ${Bucket}`;
}

async function replicateTable({ cloudFormation, dynamoDb }: RegionClients, { stack, region }: Home, id: string, replicas: readonly { readonly Region: string }[]): Promise<readonly string[]> {
  const TableName = await physicalName(cloudFormation, stack, id);
  const others = replicas.map(({ Region }) => Region).filter((other) => other !== region);
  for (const RegionName of others) await dynamoDb.send(new UpdateTableCommand({ TableName, ReplicaUpdates: [{ Create: { RegionName } }] }));
  return others.map((other) => `replica of table ${TableName} made in ${other}`);
}

/** On AWS the standby stack does; the emulator refuses that stack. */
async function replicateKey({ cloudFormation, kms }: RegionClients, { stack, second }: Home, id: string): Promise<string> {
  const KeyId = await physicalName(cloudFormation, stack, id);
  await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: second }));
  return `replica of key ${KeyId} made in ${second}`;
}
