/**
 * The log table on DynamoDB: the one place where the log's order is decided. The head moves by compare-and-swap, together with the round that
 * moved it and the marks of the stream events it covered, so that after any crash either all three are there or none.
 */
import { randomUUID } from 'node:crypto';
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { PortError, type Head, type LogIdentity, type LogStore, type Round } from '../../ports';
import type { Image, TableKey } from '../../core/image';
import { logKeys } from '../../core/table-keys';
import { asked, cancelledBecause, conditions, imageOf, keyItem, queried, refusals, refusedBy, required, withOldItem } from './dynamodb';
import { forceHead } from './force-head';
import { headItem, headOf, identityItem, identityOf, marksItem, marksOf, roundItem, roundOf, roundsFrom } from './log-items';

/** A batch spans 90 minutes at most; that many Queries at once would only queue for sockets. */
const MINUTES_AT_ONCE = 16;
/** Sealers' clocks differ by less than this, so a round this much older than asked for has none of the wanted ones before it. */
const CLOCK_MARGIN_MS = 10 * 60_000;

export function logStore(client: DynamoDBClient, table: string): LogStore {
  const get = async (what: string, key: TableKey): Promise<Image | 'absent'> => {
    const { Item } = await asked(what, () => client.send(new GetItemCommand({ TableName: table, Key: keyItem(key), ConsistentRead: true })));
    return Item === undefined ? 'absent' : imageOf(Item);
  };
  const put = (item: Record<string, AttributeValue>) => ({ TableName: table, Item: item });
  const createOnly = (item: Record<string, AttributeValue>) => ({ Put: { ...put(item), ...conditions.itemDoesNotExist, ...withOldItem } });
  /** True: written. False: one was there and stays. */
  const createIfAbsent = (what: string, item: Record<string, AttributeValue>): Promise<boolean> =>
    asked(
      what,
      async () => {
        await client.send(new PutItemCommand({ ...put(item), ...conditions.itemDoesNotExist, ...withOldItem }));
        return true;
      },
      (error) => (refusedBy(error) === undefined ? undefined : false),
    );

  const readHead = async (): Promise<Head | 'absent'> => {
    const item = await get('read the head', logKeys.head);
    return item === 'absent' ? 'absent' : headOf(item);
  };

  return {
    readHead,

    async sealedMarks(minutes) {
      const marks = new Set<string>();
      const waiting = [...new Set(minutes)];
      const reader = async () => {
        for (let minute = waiting.pop(); minute !== undefined; minute = waiting.pop()) {
          const items = queried(client, `read the marks of minute ${minute}`, {
            TableName: table,
            ConsistentRead: true,
            KeyConditionExpression: '#pk = :pk',
            ExpressionAttributeNames: { '#pk': 'pk' },
            ExpressionAttributeValues: { ':pk': { S: logKeys.sealedIds(minute, 0).pk } },
          });
          for await (const item of items) for (const mark of marksOf(item)) marks.add(mark);
        }
      };
      await Promise.all(Array.from({ length: Math.min(MINUTES_AT_ONCE, waiting.length) }, reader));
      return marks;
    },

    async commitRound({ expected, head, round, marks }) {
      const headIsAsRead = {
        ConditionExpression: '#size = :size AND #root = :root',
        ExpressionAttributeNames: { '#size': 'size', '#root': 'root' },
        ExpressionAttributeValues: { ':size': { N: String(expected.size) }, ':root': { B: expected.root } },
      };
      const actions = [
        { Put: { ...put(headItem(head)), ...headIsAsRead, ...withOldItem } },
        createOnly(roundItem(round)),
        ...[...marks].map(([minute, ids]) => createOnly(marksItem(minute, round, ids))),
      ];
      const token = randomUUID();
      const outcome = await asked<'moved' | { readonly headRefused: boolean; readonly there: Image | undefined }>(
        `commit round ${round.from}`,
        async () => {
          await client.send(new TransactWriteItemsCommand({ TransactItems: actions, ClientRequestToken: token }));
          return 'moved';
        },
        (error) => {
          const [ofHead, ofRound, ...ofMarks] = refusals(cancelledBecause(error) ?? []);
          if (ofHead === undefined && ofRound === undefined && ofMarks.every((mark) => mark === undefined)) return undefined;
          return { headRefused: ofHead !== undefined, there: ofRound === 'absent' ? undefined : ofRound };
        },
      );
      if (outcome === 'moved') return 'moved';
      // The token recognises a lost reply for ten minutes; the round itself, which is kept for ever, recognises it always.
      const there = outcome.there ?? (await get(`read round ${round.from}`, logKeys.round(round.from)));
      if (there !== 'absent' && sameRound(roundOf(there), round)) return 'moved';
      if (outcome.headRefused) return 'lost';
      throw new PortError('corrupt', `the head has not passed entry ${round.from}, but another round or its marks are there already: head or rounds were changed by hand; run intact recover-head`);
    },

    async *rounds(fromEntry) {
      for await (const item of roundsFrom(client, table, (await lastRoundAtOrBefore(fromEntry))?.from ?? 0)) {
        const round = roundOf(item);
        if (round.from + round.n > fromEntry) yield round;
      }
    },

    async *roundsByTime(since, until) {
      const start = Date.parse(since) - CLOCK_MARGIN_MS;
      const end = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until) + CLOCK_MARGIN_MS;
      for await (const item of roundsFrom(client, table, await firstEntryNear(start))) {
        const round = roundOf(item);
        if (Date.parse(round.time) >= end) return;
        if (round.time >= since && (until === undefined || round.time < until)) yield round;
      }
    },

    async identity() {
      const item = await get('read the identity of the log', logKeys.identity);
      return item === 'absent' ? 'absent' : identityOf(item);
    },

    async initialize(identity: LogIdentity, head: Head) {
      const token = randomUUID();
      return asked<'created' | 'exists'>(
        'initialize the log',
        async () => {
          const actions = [createOnly(identityItem(identity)), createOnly(headItem(head))];
          await client.send(new TransactWriteItemsCommand({ TransactItems: actions, ClientRequestToken: token }));
          return 'created';
        },
        (error) => (refusals(cancelledBecause(error) ?? []).some((reason) => reason !== undefined) ? 'exists' : undefined),
      );
    },

    forceHead: (recovered) => forceHead(client, table, recovered),

    async *unsealedStates() {
      const items = queried(client, 'list the unsealed states', {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: '#pk = :pk',
        ExpressionAttributeNames: { '#pk': 'pk' },
        ExpressionAttributeValues: { ':pk': { S: logKeys.unsealed('').pk } },
      });
      for await (const item of items) yield { state: required.string(item, 'sk'), seenAt: required.string(item, 'seenAt') };
    },

    async noteUnsealed(state, seenAt) {
      // Create-only: the first sighting counts, or a state would never grow 25 hours old.
      await createIfAbsent('note an unsealed state', { ...keyItem(logKeys.unsealed(state)), seenAt: { S: seenAt } });
    },

    async forgetUnsealed(state) {
      await asked<unknown>(
        'forget an unsealed state',
        () => client.send(new DeleteItemCommand({ TableName: table, Key: keyItem(logKeys.unsealed(state)), ...conditions.itemExists })),
        (error) => refusedBy(error),
      );
    },
  };

  async function lastRoundAtOrBefore(entry: number): Promise<Round | undefined> {
    const items = queried(
      client,
      `find the round of entry ${entry}`,
      {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: '#pk = :pk AND #sk <= :entry',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: { ':pk': { S: logKeys.round(entry).pk }, ':entry': { S: logKeys.round(entry).sk } },
        ScanIndexForward: false,
      },
      1,
    );
    for await (const item of items) return roundOf(item);
    return undefined;
  }

  /** An entry no later than the first one committed at or after `timeMs`: a binary search, since rounds are in order of time but for the margin. */
  async function firstEntryNear(timeMs: number): Promise<number> {
    const head = await readHead();
    let low = 0;
    let high = head === 'absent' ? 0 : head.size;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const round = await lastRoundAtOrBefore(middle);
      if (round === undefined || Date.parse(round.time) >= timeMs) high = Math.min(middle, round?.from ?? middle);
      else low = Math.max(middle + 1, round.from + round.n);
    }
    return low;
  }
}

const sameRound = (a: Round, b: Round): boolean => a.from === b.from && a.n === b.n && a.segment === b.segment && a.time === b.time;
