/**
 * Derived views on DynamoDB. A stream hands the same event over more than once, and a sum that counts it twice is wrong for ever; so each update and
 * the mark that this event has been applied to this view go in as one transaction.
 */
import { randomUUID } from 'node:crypto';
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  type AttributeValue,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { PortError, type ViewStore } from '../../ports';
import type { Image, TableKey } from '../../core/image';
import { KeySchema } from '../../core/table-keys';
import { asked, cancelledBecause, conditions, imageOf, itemOf, keyItem, queried, refusedBy } from './dynamodb';

type Update = Parameters<ViewStore['apply']>[0];

/** Where a view keeps the `order` of what was last set, compared as the string it is; no part of the view as its readers see it. */
const ORDER = 'setAtOrder';

export function viewStore(client: DynamoDBClient, table: string): ViewStore {
  return {
    async apply(update) {
      const mark = markOf(table, update);
      const outcome = await write(update, mark);
      if (outcome !== 'older') return outcome;
      // Something newer is there already: what is summed still counts, what is set does not. Dying between the two calls is harmless: nothing
      // was written, the mark included, and the event comes again.
      const { key, eventId, add } = update;
      const late = await write({ key, eventId, ...(add && { add }) }, mark);
      if (late === 'older') throw new PortError('corrupt', `view ${named(key)} refused an update that has no condition`);
      return late;
    },

    async place({ key, order, set, goesAt }) {
      const expiry = goesAt === undefined ? {} : { [KeySchema.ttl]: { N: String(goesAt) } };
      const Item = itemOf({ ...set, ...expiry, pk: { S: key.pk }, sk: { S: key.sk }, [ORDER]: { S: order } });
      return unlessOlder(`place view ${named(key)}`, () => client.send(new PutItemCommand({ TableName: table, Item, ...storedOrderIs('less', order) })));
    },

    async remove(key, order) {
      return unlessOlder(`remove view ${named(key)}`, () => client.send(new DeleteItemCommand({ TableName: table, Key: keyItem(key), ...storedOrderIs('at-most', order) })));
    },

    async get(key) {
      const { Item } = await asked(`read view ${named(key)}`, () => client.send(new GetItemCommand({ TableName: table, Key: keyItem(key) })));
      return Item === undefined ? 'absent' : viewOf(imageOf(Item));
    },

    async *partition(pk, { newestFirst = false, limit, before, skPrefix } = {}) {
      const part = before !== undefined ? { condition: ' AND #sk < :sk', sk: before } : skPrefix !== undefined ? { condition: ' AND begins_with(#sk, :sk)', sk: skPrefix } : undefined;
      const query = {
        TableName: table,
        KeyConditionExpression: `#pk = :pk${part?.condition ?? ''}`,
        ExpressionAttributeNames: { '#pk': 'pk', ...(part && { '#sk': 'sk' }) },
        ExpressionAttributeValues: { ':pk': { S: pk }, ...(part && { ':sk': { S: part.sk } }) },
        ScanIndexForward: !newestFirst,
      };
      for await (const item of queried(client, `list views of ${pk}`, query, limit)) yield viewOf(item);
    },
  };

  async function write(update: Update, mark: TransactWriteItem): Promise<'applied' | 'seen' | 'older'> {
    const change = changeOf(table, update);
    const token = randomUUID();
    return asked<'applied' | 'seen' | 'older'>(
      `update view ${named(update.key)}`,
      async () => {
        await client.send(new TransactWriteItemsCommand({ TransactItems: change ? [mark, change] : [mark], ClientRequestToken: token }));
        return 'applied';
      },
      (error) => {
        const [ofMark, ofChange] = cancelledBecause(error) ?? [];
        if (ofMark?.Code === 'ConditionalCheckFailed') return 'seen';
        return ofChange?.Code === 'ConditionalCheckFailed' ? 'older' : undefined;
      },
    );
  }
}

/** On a condition of the stored order: whether it held. */
const unlessOlder = (what: string, call: () => Promise<unknown>): Promise<'applied' | 'seen'> =>
  asked<'applied' | 'seen'>(
    what,
    async () => {
      await call();
      return 'applied';
    },
    (error) => (refusedBy(error) === undefined ? undefined : 'seen'),
  );

const storedOrderIs = (than: 'less' | 'at-most', order: string) => {
  const noOrderStored = 'attribute_not_exists(#order)';
  const isThere = 'attribute_exists(#pk)';
  return {
    ConditionExpression: than === 'less' ? `${noOrderStored} OR #order < :order` : `${isThere} AND (${noOrderStored} OR #order <= :order)`,
    ExpressionAttributeNames: { '#order': ORDER, ...(than === 'at-most' && { '#pk': KeySchema.pk }) },
    ExpressionAttributeValues: { ':order': { S: order } },
  };
};

const named = (key: TableKey): string => `${key.pk} / ${key.sk}`;

function viewOf(item: Image): Image {
  const { [ORDER]: _order, [KeySchema.ttl]: _goesAt, ...view } = item;
  return view;
}

/** Kept for ever: a rebuild over a table that has views hands every event over again. In a partition of its own, so that listing a view never meets it. */
function markOf(table: string, { key, eventId }: Update): TransactWriteItem {
  const markKey = { pk: `seen#${eventId}`, sk: named(key) };
  return { Put: { TableName: table, Item: keyItem(markKey), ...conditions.itemDoesNotExist } };
}

function changeOf(table: string, { key, add = {}, set = {}, order }: Update): TransactWriteItem | undefined {
  const names: Record<string, string> = {};
  const values: Record<string, AttributeValue> = {};
  const place = (name: string, value: AttributeValue): [string, string] => {
    const n = Object.keys(values).length;
    names[`#n${n}`] = name;
    values[`:v${n}`] = value;
    return [`#n${n}`, `:v${n}`];
  };
  const adds = Object.entries(add).map(([name, n]) => place(name, { N: String(n) }).join(' '));
  const sets = Object.entries(set).map(([name, value]) => place(name, value as unknown as AttributeValue).join(' = '));
  let condition: string | undefined;
  if (order !== undefined) {
    const [name, value] = place(ORDER, { S: order });
    sets.push(`${name} = ${value}`);
    const nothingNewerThere = `attribute_not_exists(${name}) OR ${name} < ${value}`;
    condition = nothingNewerThere;
  }
  if (adds.length + sets.length === 0) return undefined;
  return {
    Update: {
      TableName: table,
      Key: keyItem(key),
      UpdateExpression: [sets.length > 0 && `SET ${sets.join(', ')}`, adds.length > 0 && `ADD ${adds.join(', ')}`].filter(Boolean).join(' '),
      ...(condition !== undefined && { ConditionExpression: condition }),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    },
  };
}
