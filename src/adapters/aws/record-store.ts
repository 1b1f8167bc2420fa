/**
 * The records table on DynamoDB. Every write carries its condition, and every refused one brings back the item that refused it, so a write whose
 * reply was lost is recognised instead of being reported as somebody else's.
 */
import { randomUUID } from 'node:crypto';
import {
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  type AttributeValue,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import type { IndexedKey, IndexRange, RecordStore, RecordWrite } from '../../ports';
import { integerOf, keyOf, type Image, type TableKey } from '../../core/image';
import { isSameImage } from '../../core/record-history';
import { KeySchema } from '../../core/table-keys';
import { asked, cancelledBecause, conditions, imageOf, itemOf, keyItem, queried, refusals, refusedBy, required, withOldItem } from './dynamodb';

/** A table of a few gigabytes scans in minutes with four; more segments only burn read units faster. */
const SCAN_SEGMENTS = 4;

export function recordStore(client: DynamoDBClient, table: string): RecordStore {
  return {
    async get(key, { consistent }) {
      const { Item } = await asked(`read ${named(key)}`, () =>
        client.send(new GetItemCommand({ TableName: table, Key: keyItem(key), ConsistentRead: consistent })),
      );
      return Item === undefined ? 'absent' : imageOf(Item);
    },

    async create(image) {
      return asked<'created' | { readonly exists: Image }>(
        `create ${named(keyOf(image))}`,
        async () => {
          await client.send(new PutItemCommand({ TableName: table, Item: itemOf(image), ...conditions.itemDoesNotExist, ...withOldItem }));
          return 'created';
        },
        (error) => {
          const there = refusedBy(error);
          return there === undefined || there === 'absent' ? undefined : { exists: there };
        },
      );
    },

    async replace(image, ifRev) {
      return asked<'replaced' | { readonly stale: Image | 'absent' }>(
        `replace ${named(keyOf(image))}`,
        async () => {
          await client.send(new PutItemCommand({ TableName: table, Item: itemOf(image), ...conditions.revIs(ifRev), ...withOldItem }));
          return 'replaced';
        },
        (error) => {
          const there = refusedBy(error);
          if (there === undefined) return undefined;
          // Our own write whose reply was lost: the SDK tried again and met what it had written itself.
          const ours = there !== 'absent' && integerOf(there, 'rev') !== ifRev && isSameImage(there, image);
          return ours ? 'replaced' : { stale: there };
        },
      );
    },

    async transact(writes) {
      const actions = writes.map((write) => transactionAction(table, write));
      // One token for every attempt, ours and the SDK's: an attempt that had committed before its reply was lost answers success, not a refusal.
      const token = randomUUID();
      return asked<'done' | { readonly refused: readonly (Image | 'absent' | undefined)[] }>(
        `write ${writes.length} records of ${writes[0] ? named(keyOfWrite(writes[0])) : 'nothing'} together`,
        async () => {
          await client.send(new TransactWriteItemsCommand({ TransactItems: actions, ClientRequestToken: token }));
          return 'done';
        },
        (error) => {
          const refused = refusals(cancelledBecause(error) ?? []);
          // Cancelled for a reason that is no condition of ours (a malformed item): not an answer.
          return refused.some((reason) => reason !== undefined) ? { refused } : undefined;
        },
      );
    },

    async *partition(pk, skPrefix, { newestFirst = false, before, limit } = {}) {
      const condition = before === undefined ? conditionOf('#pk = :pk', '#sk', { prefix: skPrefix }) : conditionOf('#pk = :pk', '#sk', { from: skPrefix, to: before });
      const asked = {
        TableName: table,
        ConsistentRead: true,
        ScanIndexForward: !newestFirst,
        KeyConditionExpression: condition.expression,
        ExpressionAttributeNames: { '#pk': 'pk', ...(condition.expression.includes('#sk') && { '#sk': 'sk' }) },
        ExpressionAttributeValues: { ':pk': { S: pk }, ...condition.values },
      };
      let left = limit ?? Number.POSITIVE_INFINITY;
      // BETWEEN, the one range with two ends, includes both: so one more is asked for, and the one before which it ends is left out.
      for await (const item of queried(client, `list ${pk}`, asked, before === undefined ? left : left + 1)) {
        if (left <= 0) return;
        if (before !== undefined && required.string(item, 'sk') === before) continue;
        left -= 1;
        yield item;
      }
    },

    ofCustomer: (customerId, range) => indexed(client, table, 'list the records of a customer', KeySchema.byCustomer, customerId, range),
    ofOperator: (operatorId, range) => indexed(client, table, 'list what an operator did', KeySchema.byOperator, operatorId, range),

    async *scan({ kinds } = {}) {
      if (kinds?.length === 0) return;
      const filter = kinds && {
        FilterExpression: `#kind IN (${kinds.map((_, i) => `:kind${i}`).join(', ')})`,
        ExpressionAttributeNames: { '#kind': 'kind' },
        ExpressionAttributeValues: Object.fromEntries(kinds.map((kind, i) => [`:kind${i}`, { S: kind }])),
      };
      yield* scanned(client, { TableName: table, ConsistentRead: true, ...filter });
    },
  };
}

async function* indexed(client: DynamoDBClient, table: string, what: string, index: { readonly name: string; readonly pk: string; readonly sk: string }, value: string, range: IndexRange = {}): AsyncGenerator<IndexedKey> {
  const { since, until, newestFirst = false } = range;
  if (since !== undefined && until !== undefined && since >= until) return; // DynamoDB refuses to be asked for nothing
  const condition = conditionOf('#owner = :owner', '#at', { from: since, to: until });
  const items = queried(client, what, {
    TableName: table,
    IndexName: index.name,
    ScanIndexForward: !newestFirst,
    KeyConditionExpression: condition.expression,
    ExpressionAttributeNames: { '#owner': index.pk, ...(condition.expression.includes('#at') && { '#at': index.sk }) },
    ExpressionAttributeValues: { ':owner': { S: value }, ...condition.values },
  });
  for await (const item of items) {
    const receivedAt = required.string(item, index.sk);
    if (until === undefined || receivedAt !== until) yield { pk: required.string(item, 'pk'), sk: required.string(item, 'sk'), receivedAt };
  }
}

/** A Query takes one condition on the sort key. With both ends it is BETWEEN, which includes the upper one: the caller leaves that out. */
function conditionOf(partition: string, sort: string, { prefix, from, to }: { readonly prefix?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined }): { readonly expression: string; readonly values: Record<string, AttributeValue> } {
  if (prefix) return { expression: `${partition} AND begins_with(${sort}, :prefix)`, values: { ':prefix': { S: prefix } } };
  if (from && to) return { expression: `${partition} AND ${sort} BETWEEN :from AND :to`, values: { ':from': { S: from }, ':to': { S: to } } };
  if (from) return { expression: `${partition} AND ${sort} >= :from`, values: { ':from': { S: from } } };
  if (to) return { expression: `${partition} AND ${sort} < :to`, values: { ':to': { S: to } } };
  return { expression: partition, values: {} };
}

const named = (key: TableKey): string => `${key.pk} / ${key.sk}`;
const keyOfWrite = (write: RecordWrite): TableKey => ('image' in write ? keyOf(write.image) : write.key);

/** `write` as an action of a transaction, of this table alone or with others. */
export function transactionAction(table: string, write: RecordWrite): TransactWriteItem {
  switch (write.op) {
    case 'create':
      return { Put: { TableName: table, Item: itemOf(write.image), ...conditions.itemDoesNotExist, ...withOldItem } };
    case 'replace':
      return { Put: { TableName: table, Item: itemOf(write.image), ...conditions.revIs(write.ifRev), ...withOldItem } };
    case 'check-absent':
      return { ConditionCheck: { TableName: table, Key: keyItem(write.key), ...conditions.itemDoesNotExist, ...withOldItem } };
    case 'check-rev':
      return { ConditionCheck: { TableName: table, Key: keyItem(write.key), ...conditions.revIs(write.ifRev), ...withOldItem } };
  }
}

/** Every item of every segment, one page of each in flight: whichever page arrives first is yielded first. */
async function* scanned(client: DynamoDBClient, input: Omit<ConstructorParameters<typeof ScanCommand>[0], 'Segment'>): AsyncGenerator<Image> {
  const page = async (segment: number, from?: Record<string, AttributeValue>) => ({
    segment,
    page: await asked(`scan segment ${segment} of ${input.TableName}`, () =>
      client.send(new ScanCommand({ ...input, Segment: segment, TotalSegments: SCAN_SEGMENTS, ...(from && { ExclusiveStartKey: from }) })),
    ),
  });
  const inFlight = new Map(Array.from({ length: SCAN_SEGMENTS }, (_, segment) => [segment, page(segment)]));
  // A reader that stops early leaves promises behind; their failures must not end the process as unhandled.
  const watched = (promise: ReturnType<typeof page>) => (promise.catch(() => undefined), promise);
  inFlight.forEach(watched);
  while (inFlight.size > 0) {
    const done = await Promise.race(inFlight.values());
    if (done.page.LastEvaluatedKey === undefined) inFlight.delete(done.segment);
    else inFlight.set(done.segment, watched(page(done.segment, done.page.LastEvaluatedKey)));
    for (const item of done.page.Items ?? []) yield imageOf(item);
  }
}
