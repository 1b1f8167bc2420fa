/**
 * Taking keys away on DynamoDB: one transaction over the keys table and the records table, so that the condition that there is no hold and the removal of the bytes are one step. The keys table
 * is global: its other region follows within seconds, and certifying waits for nothing more than this one, since nothing that reads there writes.
 */
import { randomUUID } from 'node:crypto';
import { TransactWriteItemsCommand, type DynamoDBClient, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Image } from '../../core/image';
import { keyKeys } from '../../core/table-keys';
import type { KeyErasure } from '../../ports/key-erasure';
import { asked, cancelledBecause, keyItem, refusals } from './dynamodb';
import { transactionAction } from './record-store';

export function keyErasure(client: DynamoDBClient, tables: { readonly records: string; readonly keys: string }): KeyErasure {
  return {
    async erase(subjects, erasedAt, writes) {
      const token = randomUUID();
      const items = [...writes.map((write) => transactionAction(tables.records, write)), ...subjects.map((subject) => withoutKey(tables.keys, subject, erasedAt))];
      return asked<'done' | { readonly refused: readonly (Image | 'absent' | undefined)[] }>(
        `erase the keys of ${subjects.length} subjects`,
        async () => {
          await client.send(new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken: token }));
          return 'done';
        },
        (error) => {
          const refused = refusals((cancelledBecause(error) ?? []).slice(0, writes.length));
          return refused.some((reason) => reason !== undefined) ? { refused } : undefined;
        },
      );
    },
  };
}

/** The row stays: that a subject was erased, and when, is what the sealer and every reader ask. `generation` and `kek` say nothing without the bytes. */
function withoutKey(table: string, subject: string, erasedAt: string): TransactWriteItem {
  return {
    Update: {
      TableName: table,
      Key: keyItem(keyKeys.subject(subject)),
      UpdateExpression: 'SET #erasedAt = if_not_exists(#erasedAt, :now), #subject = :subject REMOVE #wrapped',
      ExpressionAttributeNames: { '#erasedAt': 'erasedAt', '#wrapped': 'wrapped', '#subject': 'subject' },
      ExpressionAttributeValues: { ':now': { S: erasedAt }, ':subject': { S: subject } },
    },
  };
}
