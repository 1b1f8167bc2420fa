/**
 * Wrapped keys on DynamoDB. Rows are created once and never replaced: a second key for a subject would leave entries nobody can open. Reads are
 * consistent, because an erased key served from a stale replica would encrypt what nobody may keep.
 */
import { GetItemCommand, PutItemCommand, type AttributeValue, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PortError, type KeyTable, type WrappedKey, type WrappedSecret } from '../../ports';
import { bytesOf, integerOf, stringOf, type Image, type TableKey } from '../../core/image';
import { keyKeys } from '../../core/table-keys';
import { asked, conditions, imageOf, keyItem, refusedBy, required, withOldItem } from './dynamodb';

export function keyTable(client: DynamoDBClient, table: string): KeyTable {
  const get = async (what: string, key: TableKey): Promise<Image | 'absent'> => {
    const { Item } = await asked(what, () => client.send(new GetItemCommand({ TableName: table, Key: keyItem(key), ConsistentRead: true })));
    return Item === undefined ? 'absent' : imageOf(Item);
  };
  const create = (what: string, item: Record<string, AttributeValue>): Promise<'created' | 'exists'> =>
    asked<'created' | 'exists'>(
      what,
      async () => {
        await client.send(new PutItemCommand({ TableName: table, Item: item, ...conditions.itemDoesNotExist, ...withOldItem }));
        return 'created';
      },
      (error) => (refusedBy(error) === undefined ? undefined : 'exists'),
    );

  return {
    async get(subject) {
      const item = await get(`read the key of subject ${subject}`, keyKeys.subject(subject));
      if (item === 'absent') return 'absent';
      // Erasure removes the wrapped bytes and leaves when it did so. A row with neither is damage, not an erasure.
      if (bytesOf(item, 'wrapped') === undefined && stringOf(item, 'erasedAt') !== undefined) return 'erased';
      return isKeyItem(item) ? keyOfItem(item) : 'corrupt';
    },
    create: (key) => create(`create the key of subject ${key.subject}`, itemOfKey(key)),
    async getSecret(name) {
      const item = await get(`read the wrapped ${name} secret`, keyKeys.secret(name));
      return item === 'absent' ? 'absent' : secretOf(item);
    },
    createSecret: (name, secret) =>
      create(`create the wrapped ${name} secret`, {
        ...keyItem(keyKeys.secret(name)),
        generation: { N: String(secret.generation) },
        wrapped: { M: Object.fromEntries(Object.entries(secret.wrapped).map(([region, bytes]) => [region, { B: bytes }])) },
      }),
  };
}

const itemOfKey = (key: WrappedKey): Record<string, AttributeValue> => ({
  ...keyItem(keyKeys.subject(key.subject)),
  subject: { S: key.subject },
  generation: { N: String(key.generation) },
  wrapped: { B: key.wrapped },
  kek: { N: String(key.kek) },
});

const isKeyItem = (item: Image): boolean =>
  stringOf(item, 'subject') !== undefined && integerOf(item, 'generation') !== undefined && bytesOf(item, 'wrapped') !== undefined && integerOf(item, 'kek') !== undefined;

const keyOfItem = (item: Image): WrappedKey => ({
  subject: required.string(item, 'subject'),
  generation: required.integer(item, 'generation'),
  wrapped: required.bytes(item, 'wrapped'),
  kek: required.integer(item, 'kek'),
});

function secretOf(item: Image): WrappedSecret {
  const wrapped = item['wrapped'];
  if (wrapped === undefined || !('M' in wrapped)) throw new PortError('corrupt', `${required.string(item, 'pk')} in the keys table holds no wrapped secret: restore the item from the table's backups`);
  return {
    generation: required.integer(item, 'generation'),
    wrapped: Object.fromEntries(Object.keys(wrapped.M).map((region) => [region, required.bytes({ ...item, ...wrapped.M }, region)])),
  };
}
