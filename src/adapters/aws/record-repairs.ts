/**
 * Repairs of the records table on DynamoDB: a put or a delete on condition that the item still is, attribute by attribute, what the repair found. Its `mac` and `rev` alone would not
 * do: whoever changes a record by hand leaves them as they are.
 */
import { DeleteItemCommand, PutItemCommand, type AttributeValue, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { isSameImage } from '../../core/record-history';
import { keyOf, type Image } from '../../core/image';
import type { RecordRepairs } from '../../ports/record-repairs';
import { asked, conditions, itemOf, keyItem, refusedBy, withOldItem } from './dynamodb';

/** DynamoDB takes 300 operators and 4 KB of expression; our fullest record has some 40 attributes. An item with more was made by hand, and its first hundred tell it apart. */
const MAX_COMPARED = 100;

export function recordRepairs(client: DynamoDBClient, table: string): RecordRepairs {
  return {
    async putBack(image, instead) {
      const { pk, sk } = keyOf(image);
      return asked<'done' | 'changed'>(
        `put back ${pk} / ${sk}`,
        async () => {
          await client.send(new PutItemCommand({ TableName: table, Item: itemOf(image), ...stillIs(instead, image), ...withOldItem }));
          return 'done';
        },
        (error) => {
          const there = refusedBy(error);
          if (there === undefined) return undefined;
          // Our own put whose reply was lost, or another repair's: it is as it should be.
          return there !== 'absent' && isSameImage(there, image) ? 'done' : 'changed';
        },
      );
    },

    async remove(key, instead) {
      return asked<'done' | 'changed'>(
        `remove ${key.pk} / ${key.sk}`,
        async () => {
          await client.send(new DeleteItemCommand({ TableName: table, Key: keyItem(key), ...stillIs(instead, {}), ...withOldItem }));
          return 'done';
        },
        (error) => {
          const there = refusedBy(error);
          return there === undefined ? undefined : there === 'absent' ? 'done' : 'changed';
        },
      );
    },
  };
}

/**
 * The condition that the item is `there`. An expression cannot say "and no other attribute"; it says so of those that `image`, which is to replace it, would bring: then a state that
 * was put right meanwhile is never taken for the wrong one.
 */
function stillIs(there: Image | undefined, image: Image) {
  if (there === undefined) return conditions.itemDoesNotExist;
  const names: Record<string, string> = {};
  const values: Record<string, AttributeValue> = {};
  const terms: string[] = [];
  for (const [name, value] of Object.entries(there).slice(0, MAX_COMPARED)) {
    const n = terms.length;
    names[`#n${n}`] = name;
    values[`:v${n}`] = value as unknown as AttributeValue;
    terms.push(`#n${n} = :v${n}`);
  }
  for (const name of Object.keys(image)) {
    if (Object.hasOwn(there, name) || terms.length >= MAX_COMPARED) continue;
    const n = terms.length;
    names[`#n${n}`] = name;
    terms.push(`attribute_not_exists(#n${n})`);
  }
  return { ConditionExpression: terms.join(' AND '), ExpressionAttributeNames: names, ExpressionAttributeValues: values };
}
