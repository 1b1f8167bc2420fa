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
import type { RecordStore, RecordWrite } from '../../ports';
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
      const actions = writes.map((write) => action(table, write));
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

    partition: (pk, skPrefix) =>
      queried(client, `list ${pk}`, {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: skPrefix === undefined ? '#pk = :pk' : '#pk = :pk AND begins_with(#sk, :prefix)',
        ExpressionAttributeNames: skPrefix === undefined ? { '#pk': 'pk' } : { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: skPrefix === undefined ? { ':pk': { S: pk } } : { ':pk': { S: pk }, ':prefix': { S: skPrefix } },
      }),

    async *ofCustomer(customerId, { since } = {}) {
      const index = KeySchema.byCustomer;
      const items = queried(client, 'list the records of a customer', {
        TableName: table,
        IndexName: index.name,
        KeyConditionExpression: since === undefined ? '#customer = :customer' : '#customer = :customer AND #at >= :since',
        ExpressionAttributeNames: since === undefined ? { '#customer': index.pk } : { '#customer': index.pk, '#at': index.sk },
        ExpressionAttributeValues: since === undefined ? { ':customer': { S: customerId } } : { ':customer': { S: customerId }, ':since': { S: since } },
      });
      for await (const item of items) yield { pk: required.string(item, 'pk'), sk: required.string(item, 'sk') };
    },

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

const named = (key: TableKey): string => `${key.pk} / ${key.sk}`;
const keyOfWrite = (write: RecordWrite): TableKey => ('image' in write ? keyOf(write.image) : write.key);

function action(table: string, write: RecordWrite): TransactWriteItem {
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
