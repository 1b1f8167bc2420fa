/** How a table is set, asked of each API that knows a part of it, with nothing of the code that restores it. */
import { DescribeContinuousBackupsCommand, DescribeTableCommand, DescribeTimeToLiveCommand, ListTagsOfResourceCommand } from '@aws-sdk/client-dynamodb';
import { aws } from './cloud';

/** Everything but the label that a restored table bears. */
export async function tableSettings(TableName: string): Promise<object> {
  const { Table } = await aws.dynamodb.send(new DescribeTableCommand({ TableName }));
  const [ttl, backups, tags] = await Promise.all([
    aws.dynamodb.send(new DescribeTimeToLiveCommand({ TableName })),
    aws.dynamodb.send(new DescribeContinuousBackupsCommand({ TableName })),
    aws.dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn })),
  ]);
  const { KeySchema, AttributeDefinitions, BillingModeSummary, StreamSpecification, SSEDescription, DeletionProtectionEnabled, GlobalSecondaryIndexes } = Table ?? {};
  return {
    KeySchema,
    AttributeDefinitions: AttributeDefinitions?.map(({ AttributeName, AttributeType }) => `${AttributeName} ${AttributeType}`).sort(),
    billing: BillingModeSummary?.BillingMode,
    StreamSpecification,
    SSEDescription,
    DeletionProtectionEnabled,
    indexes: GlobalSecondaryIndexes?.map(({ IndexName, KeySchema: keys, Projection }) => ({ IndexName, keys, Projection })),
    expires: ttl.TimeToLiveDescription?.AttributeName ?? null,
    backups: backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus,
    tags: tags.Tags?.filter(({ Key }) => Key?.startsWith('aws:') !== true && Key?.startsWith('intact:restore') !== true).map(({ Key, Value }) => `${Key}=${Value}`).sort() ?? [],
  };
}
