/**
 * How head, rounds, marks and identity lie in the log table, both ways. Reading back is strict: an item that is not as these functions write it was
 * changed by somebody else, and is reported as `corrupt`, never guessed at.
 */
import { createHash } from 'node:crypto';
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PortError, type Head, type LogIdentity, type Round } from '../../ports';
import type { Attribute, Image } from '../../core/image';
import { KeySchema, logKeys } from '../../core/table-keys';
import { keyItem, queried, required } from './dynamodb';

type Item = Record<string, AttributeValue>;

const HASH_BYTES = 32;
const MARK_BYTES = 16;
/** 320 KB; an item has at most 400. */
const MAX_MARKS = 20_000;
/** A stream keeps an event for 24 h; three days leave room for a stalled mapping to be noticed and mended. */
const MARKS_TTL_SECONDS = 3 * 86_400;

export const headItem = (head: Head): Item => ({
  ...keyItem(logKeys.head),
  size: { N: String(head.size) },
  root: { B: head.root },
  edge: { L: head.edge.map((hash) => ({ B: hash })) },
  mac: { B: head.mac },
});

export function headOf(item: Image): Head {
  const edge = item['edge'];
  if (edge === undefined || !('L' in edge)) throw damaged('head', 'edge');
  return {
    size: required.integer(item, 'size'),
    root: hash(required.bytes(item, 'root'), 'root'),
    edge: edge.L.map((member: Attribute) => hash(required.bytes({ ...item, edge: member }, 'edge'), 'edge')),
    mac: required.bytes(item, 'mac'),
  };
}

export const roundItem = (round: Round): Item => ({
  ...keyItem(logKeys.round(round.from)),
  n: { N: String(round.n) },
  segment: { S: round.segment },
  time: { S: round.time },
});

export const roundOf = (item: Image): Round => ({
  from: Number(required.string(item, KeySchema.sk)),
  n: required.integer(item, 'n'),
  segment: required.string(item, 'segment'),
  time: required.string(item, 'time'),
});

/** One binary value: 16 bytes a mark, 25,000 of them in an item's 400 KB. */
export const marksItem = (minute: number, round: Round, marks: readonly Uint8Array[]): Item => ({
  ...keyItem(logKeys.sealedIds(minute, round.from)),
  ids: { B: Buffer.concat(marks) },
  [KeySchema.ttl]: { N: String(Math.floor(Date.parse(round.time) / 1000) + MARKS_TTL_SECONDS) },
});

/** Marks that recover-head found in segments, beside those of the rounds themselves; named by what they hold, so that repeating it adds nothing. */
export function recoveredMarksItems(minute: number, marks: readonly Uint8Array[]): Item[] {
  const { pk } = logKeys.sealedIds(minute, 0);
  const items: Item[] = [];
  for (let at = 0; at < marks.length; at += MAX_MARKS) {
    const ids = Buffer.concat(marks.slice(at, at + MAX_MARKS));
    const sk = `recovered#${createHash('sha256').update(ids).digest('hex')}`;
    items.push({ ...keyItem({ pk, sk }), ids: { B: ids }, [KeySchema.ttl]: { N: String(minute * 60 + MARKS_TTL_SECONDS) } });
  }
  return items;
}

/** Marks as hex. */
export function marksOf(item: Image): string[] {
  const ids = required.bytes(item, 'ids');
  if (ids.length % MARK_BYTES !== 0) throw damaged('item of sealed events', 'ids');
  const marks: string[] = [];
  for (let at = 0; at < ids.length; at += MARK_BYTES) marks.push(ids.toString('hex', at, at + MARK_BYTES));
  return marks;
}

export const identityItem = (identity: LogIdentity): Item => ({
  ...keyItem(logKeys.identity),
  origin: { S: identity.origin },
  systemSubject: { S: identity.systemSubject },
});

export const identityOf = (item: Image): LogIdentity => ({
  origin: required.string(item, 'origin'),
  systemSubject: required.string(item, 'systemSubject'),
});

function hash(bytes: Buffer, name: string): Buffer {
  if (bytes.length !== HASH_BYTES) throw damaged('head', name);
  return bytes;
}

const damaged = (what: string, name: string): PortError =>
  new PortError('corrupt', `the ${what} in the log table has a damaged ${name}: it was changed by something other than the sealer; run intact recover-head`);

/** Items of the rounds that begin at or after `from`, ascending; consistent. */
export function roundsFrom(client: DynamoDBClient, table: string, from: number): AsyncIterable<Image> {
  return queried(client, `list the rounds from entry ${from}`, {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: '#pk = :pk AND #sk >= :from',
    ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
    ExpressionAttributeValues: { ':pk': { S: logKeys.round(from).pk }, ':from': { S: logKeys.round(from).sk } },
  });
}
