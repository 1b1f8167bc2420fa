/**
 * CloudFormation in the emulator makes tables without their point-in-time recovery. This switches it on, by the call CloudFormation would have made, wherever the template says so; without it every
 * restore and every drill here would name a setting that on AWS nobody has touched.
 */
import { readFileSync } from 'node:fs';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DescribeContinuousBackupsCommand, UpdateContinuousBackupsCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { physicalName } from './template-values';
import type { TemplateResource } from './template-values';

interface Recovery {
  readonly PointInTimeRecoverySpecification?: { readonly PointInTimeRecoveryEnabled?: boolean };
}
/** A global table says it of each of its replicas, the one in its own region included. */
type Properties = Recovery & { readonly Replicas?: readonly (Recovery & { readonly Region: unknown })[] };

/** Switches on the backups of every table of `stack` that its template wants backed up; resolves a line for each. Reads back what was set. */
export async function switchBackupsOn(clients: { readonly cloudFormation: CloudFormationClient; readonly dynamoDb: DynamoDBClient }, templateFile: string, stack: string): Promise<readonly string[]> {
  const template = JSON.parse(readFileSync(templateFile, 'utf8')) as { readonly Resources?: Readonly<Record<string, TemplateResource<Properties>>> };
  const done: string[] = [];
  for (const [id, { Type, Properties = {} }] of Object.entries(template.Resources ?? {})) {
    if (!Type.startsWith('AWS::DynamoDB::') || ![Properties, ...(Properties.Replicas ?? [])].some(isBackedUp)) continue;
    const TableName = await physicalName(clients.cloudFormation, stack, id);
    await clients.dynamoDb.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }));
    const { ContinuousBackupsDescription } = await clients.dynamoDb.send(new DescribeContinuousBackupsCommand({ TableName }));
    if (ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus !== 'ENABLED') throw new Error(`table ${TableName} did not take its point-in-time recovery`);
    done.push(`point-in-time recovery on for ${TableName}`);
  }
  return done;
}

const isBackedUp = ({ PointInTimeRecoverySpecification }: Recovery): boolean => PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true;
