/** The subjects of the keys table, by a scan that asks for the names alone: what is wrapped in the rows never leaves DynamoDB, and the grant says so too. */
import { ScanCommand, type AttributeValue, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { stringOf } from '../../core/image';
import { keyKeys } from '../../core/table-keys';
import type { KeyInventory } from '../../ports/key-inventory';
import { asked, imageOf } from './dynamodb';

const PREFIX = keyKeys.subject('').pk;

export function keyInventory(client: DynamoDBClient, table: string): KeyInventory {
  return {
    async *subjects() {
      let from: Record<string, AttributeValue> | undefined;
      do {
        const page = await asked('list the subjects of the keys table', () =>
          client.send(
            new ScanCommand({ TableName: table, ConsistentRead: true, Select: 'SPECIFIC_ATTRIBUTES', ProjectionExpression: '#pk', ExpressionAttributeNames: { '#pk': 'pk' }, ...(from && { ExclusiveStartKey: from }) }),
          ),
        );
        for (const item of page.Items ?? []) {
          const pk = stringOf(imageOf(item), 'pk') ?? '';
          if (pk.startsWith(PREFIX)) yield pk.slice(PREFIX.length);
        }
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
    },
  };
}
