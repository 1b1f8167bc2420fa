/** The `ByHand` port: what somebody with write access to the table would do at the console, past MAC, revision and every condition of ours. */
import { DeleteTableCommand, UpdateItemCommand, UpdateTableCommand, waitUntilTableNotExists, type AttributeValue, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ByHand } from '../../ports/by-hand';
import { conditions, keyItem } from '../aws/dynamodb';
import { asking, errorNamed } from '../aws/port-errors';

export function tableByHand(client: DynamoDBClient, table: string): ByHand {
  return {
    setAttribute: (key, name, value) =>
      asking('change an item by hand', async () => {
        try {
          await client.send(
            new UpdateItemCommand({
              TableName: table,
              Key: keyItem(key),
              UpdateExpression: 'SET #name = :value',
              ConditionExpression: conditions.itemExists.ConditionExpression,
              ExpressionAttributeNames: { ...conditions.itemExists.ExpressionAttributeNames, '#name': name },
              ExpressionAttributeValues: { ':value': value as unknown as AttributeValue },
            }),
          );
          return 'changed';
        } catch (error) {
          if (errorNamed(error, ['ConditionalCheckFailedException'])) return 'absent';
          throw error;
        }
      }),

    destroyTable: () =>
      asking(`destroy table ${table}`, async () => {
        try {
          await client.send(new UpdateTableCommand({ TableName: table, DeletionProtectionEnabled: false }));
          await client.send(new DeleteTableCommand({ TableName: table }));
        } catch (error) {
          if (errorNamed(error, ['ResourceNotFoundException'])) return 'absent';
          throw error;
        }
        await waitUntilTableNotExists({ client, maxWaitTime: 300, minDelay: 1 }, { TableName: table });
        return 'destroyed';
      }),
  };
}
