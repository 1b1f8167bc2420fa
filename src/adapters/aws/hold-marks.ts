/** Marks of holds on DynamoDB: rows of the keys table beside the keys, written in the transaction that writes the hold. */
import { randomUUID } from 'node:crypto';
import { TransactWriteItemsCommand, type DynamoDBClient, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Image } from '../../core/image';
import { keyKeys } from '../../core/table-keys';
import type { HoldMark, HoldMarks } from '../../ports/hold-marks';
import { asked, cancelledBecause, keyItem, refusals } from './dynamodb';
import { transactionAction } from './record-store';

export function holdMarks(client: DynamoDBClient, tables: { readonly records: string; readonly keys: string }): HoldMarks {
  return {
    async transact(writes, marks) {
      const token = randomUUID();
      const items = [...writes.map((write) => transactionAction(tables.records, write)), ...marks.map((mark) => marked(tables.keys, mark))];
      return asked<'done' | { readonly refused: readonly (Image | 'absent' | undefined)[] }>(
        `write ${writes.length} records and ${marks.length} marks of holds`,
        async () => {
          await client.send(new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken: token }));
          return 'done';
        },
        (error) => {
          const reasons = cancelledBecause(error);
          const refused = reasons === undefined ? [] : refusals(reasons.slice(0, writes.length));
          return refused.some((reason) => reason !== undefined) ? { refused } : undefined;
        },
      );
    },
  };
}

const marked = (table: string, { subject, held }: HoldMark): TransactWriteItem => ({ Put: { TableName: table, Item: { ...keyItem(keyKeys.hold(subject)), held: { BOOL: held } } } });

/** That no hold stands in the way of taking the key of `subject`; holds while there never was one. */
export const isUnheld = (table: string, subject: string): TransactWriteItem => ({
  ConditionCheck: {
    TableName: table,
    Key: keyItem(keyKeys.hold(subject)),
    ConditionExpression: 'attribute_not_exists(#held) OR #held = :no',
    ExpressionAttributeNames: { '#held': 'held' },
    ExpressionAttributeValues: { ':no': { BOOL: false } },
  },
});
