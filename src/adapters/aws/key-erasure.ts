/**
 * Taking keys away on DynamoDB: one transaction over the keys table and the records table, so that the condition that there is no hold and the removal of the bytes are one step. The keys table
 * is global: its other region follows by itself, as a rule within seconds, and who certifies looks there.
 */
import { randomUUID } from 'node:crypto';
import { TransactWriteItemsCommand, type DynamoDBClient, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Image } from '../../core/image';
import { keyKeys } from '../../core/table-keys';
import type { KeyErasure } from '../../ports/key-erasure';
import { asked, cancelledBecause, keyItem, refusals } from './dynamodb';
import { isUnheld } from './hold-marks';
import { transactionAction } from './record-store';

export function keyErasure(client: DynamoDBClient, tables: { readonly records: string; readonly keys: string }): KeyErasure {
  return {
    async erase(subjects, erasedAt, writes, unheld) {
      const token = randomUUID();
      const items = [...writes.map((write) => transactionAction(tables.records, write)), ...unheld.map((subject) => isUnheld(tables.keys, subject)), ...subjects.map((subject) => withoutKey(tables.keys, subject, erasedAt))];
      return asked<'done' | 'held' | { readonly refused: readonly (Image | 'absent' | undefined)[] }>(
        `erase the keys of ${subjects.length} subjects`,
        async () => {
          await client.send(new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken: token }));
          return 'done';
        },
        (error) => {
          const because = refusals(cancelledBecause(error) ?? []);
          const [refused, held] = [because.slice(0, writes.length), because.slice(writes.length, writes.length + unheld.length)];
          if (held.some((reason) => reason !== undefined)) return 'held';
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
