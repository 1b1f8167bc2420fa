/**
 * The way out after head or rounds were changed by hand: writes what recover-head derived from the vault over whatever is there. Not one transaction, because
 * it may be any number of items; every step may be repeated, and until the head itself is replaced, last, the sealer goes on refusing the forged one.
 */
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { PortError, type LogStore, type Round } from '../../ports';
import type { Image, TableKey } from '../../core/image';
import { logKeys } from '../../core/table-keys';
import { asked, conditions, imageOf, keyItem, refusedBy, required } from './dynamodb';
import { headItem, recoveredMarksItems, roundItem, roundsFrom } from './log-items';

/** A head moves a few times a second at the most; five lost attempts mean that sealing was not stopped. */
const HEAD_ATTEMPTS = 5;

export async function forceHead(client: DynamoDBClient, table: string, { head, rounds, marks, withdrawn }: Parameters<LogStore['forceHead']>[0]): Promise<void> {
  // Rounds that lie beyond the head that will be would refuse every later commit.
  for await (const item of roundsFrom(client, table, head.size)) {
    const key = { pk: required.string(item, 'pk'), sk: required.string(item, 'sk') };
    await remove(`remove round ${key.sk}`, key);
  }
  for (const round of rounds) {
    await unlessRefused(`put round ${round.from}`, () => client.send(new PutItemCommand({ TableName: table, Item: roundItem(round), ...unlessAlready(round) })));
  }
  for (const [minute, ids] of marks) {
    for (const item of recoveredMarksItems(minute, ids)) {
      await unlessRefused(`put the marks of minute ${minute}`, () => client.send(new PutItemCommand({ TableName: table, Item: item, ...conditions.itemDoesNotExist })));
    }
  }
  // After the marks of what is in the log were put: another round that begins there may have had marks under the same key.
  for (const [minute, froms] of withdrawn) for (const from of froms) await remove(`withdraw the marks of round ${from} in minute ${minute}`, logKeys.sealedIds(minute, from));
  await replaceHead();

  async function remove(what: string, key: TableKey): Promise<void> {
    await unlessRefused(what, () => client.send(new DeleteItemCommand({ TableName: table, Key: keyItem(key), ...conditions.itemExists })));
  }

  async function replaceHead(): Promise<void> {
    for (let attempt = 1; attempt <= HEAD_ATTEMPTS; attempt++) {
      // Raw: the head to replace may be anything.
      const { Item } = await asked('read the head', () => client.send(new GetItemCommand({ TableName: table, Key: keyItem(logKeys.head), ConsistentRead: true })));
      const headIsStillThat = unchanged(Item && imageOf(Item));
      const outcome = await unlessRefused('replace the head', () => client.send(new PutItemCommand({ TableName: table, Item: headItem(head), ...headIsStillThat })));
      if (outcome === 'done') return;
    }
    throw new PortError('unavailable', 'the head kept moving while it was to be replaced: stop the sealer (disable its stream mapping), then run intact recover-head again');
  }
}

/** One conditional write whose refusal is an answer, not an error. */
const unlessRefused = (what: string, write: () => Promise<unknown>): Promise<'done' | 'refused'> =>
  asked<'done' | 'refused'>(
    what,
    async () => {
      await write();
      return 'done';
    },
    (error) => (refusedBy(error) === undefined ? undefined : 'refused'),
  );

/** Puts the round over anything but itself. */
const unlessAlready = (round: Round) => ({
  ConditionExpression: 'attribute_not_exists(#pk) OR #segment <> :segment OR #n <> :n OR #time <> :time',
  ExpressionAttributeNames: { '#pk': 'pk', '#segment': 'segment', '#n': 'n', '#time': 'time' },
  ExpressionAttributeValues: { ':segment': { S: round.segment }, ':n': { N: String(round.n) }, ':time': { S: round.time } },
});

/** The condition that the head is still the item read: by its mac, which covers all of it; by its absence; or, where it has no mac, by that. */
function unchanged(there: Image | undefined) {
  if (there === undefined) return conditions.itemDoesNotExist;
  const mac = there['mac'];
  const names = { '#mac': 'mac' };
  if (mac === undefined) return { ConditionExpression: 'attribute_not_exists(#mac)', ExpressionAttributeNames: names };
  return { ConditionExpression: '#mac = :mac', ExpressionAttributeNames: names, ExpressionAttributeValues: { ':mac': mac as unknown as AttributeValue } };
}
