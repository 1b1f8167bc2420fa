/** Reading a table whole, past every cache and view: what the report and the end-to-end tests believe is what lies there. */
import { ScanCommand, type AttributeValue, type DynamoDBClient } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;

/** Every item of a table, consistently read. */
export async function scanTable(client: DynamoDBClient, table: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true, ExclusiveStartKey }));
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return items;
}

/** How many items of each kind; an item without one counts as `(none)`. */
export function countByKind(items: readonly Item[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const kind = item['kind']?.S ?? '(none)';
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** How many entries the log must hold for these items: one for each revision each has had. */
export function changesOf(items: readonly Item[]): number {
  return items.reduce((sum, { rev }) => sum + Number(rev?.N ?? 1), 0);
}
