/**
 * What the API of staff remembers of requests, in the views table, whose TTL removes it. TTL is late by hours, so an item past its time counts as gone wherever it is read. The key's own text is
 * not kept: the item is found by a hash over operator, route and key.
 */
import { createHash } from 'node:crypto';
import { UpdateItemCommand, type AttributeValue, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { integerOf, stringOf, type Image } from '../../core/image';
import { intervalMs, latestFullMs, taken, type Limit } from '../../core/staff/token-bucket';
import { KeySchema, viewKeys } from '../../core/table-keys';
import { PortError } from '../../ports';
import { LEASE_SECONDS, REFUSALS_NEWS_SECONDS, REMEMBERED_SECONDS, type Begun, type Claim, type RememberedAnswer, type RequestMemory, type Share } from '../../ports/request-memory';
import { asked, imageOf, keyItem, refusedBy, required, withOldItem } from './dynamodb';

const keyOf = ({ operatorId, route, key }: Claim) => viewKeys.idempotency(createHash('sha256').update(JSON.stringify([operatorId, route, key])).digest('base64url'));
const seconds = (at: Date): number => Math.floor(at.getTime() / 1_000);

const NAMES = { '#attempt': 'attempt', '#leased': 'leasedUntil', '#fingerprint': 'fingerprint', '#answer': 'answer', '#id': 'id', '#ttl': KeySchema.ttl } as const;
const neverUsedOrForgotten = '(attribute_not_exists(#ttl) OR #ttl <= :now)';
const sameRequest = '#fingerprint = :fingerprint';
const notAnswered = 'attribute_not_exists(#answer)';
const ours = '#attempt = :attempt';
const nobodyAtIt = `(#leased <= :now OR ${ours})`;

export function requestMemory(client: DynamoDBClient, table: string): RequestMemory {
  type Change = { readonly update: string; readonly condition: string; readonly values: Record<string, AttributeValue> };

  /** The item after the change, or the one that refused it. */
  async function changed(what: string, key: ReturnType<typeof keyOf>, names: readonly (keyof typeof NAMES)[], { update, condition, values }: Change): Promise<{ readonly done: Image } | { readonly refused: Image | 'absent' }> {
    return asked<{ done: Image } | { refused: Image | 'absent' }>(
      what,
      async () => {
        const { Attributes } = await client.send(
          new UpdateItemCommand({ TableName: table, Key: keyItem(key), UpdateExpression: update, ConditionExpression: condition, ExpressionAttributeNames: Object.fromEntries(names.map((name) => [name, NAMES[name]])), ExpressionAttributeValues: values, ReturnValues: 'ALL_NEW', ...withOldItem }),
        );
        return { done: imageOf(Attributes ?? {}) };
      },
      (error) => {
        const refused = refusedBy(error);
        return refused === undefined ? undefined : { refused };
      },
    );
  }

  /** Whoever comes first makes the item; afterwards whoever finds it free takes it over. Two that meet: the conditions let one of them through. */
  async function begin(claim: Claim, newId: string, at: Date): Promise<Begun> {
    const now = { N: String(seconds(at)) };
    const values = { ':now': now, ':attempt': { S: claim.attempt }, ':fingerprint': { S: claim.fingerprint }, ':leased': { N: String(seconds(at) + LEASE_SECONDS) } };
    const first = await changed('begin a request', keyOf(claim), ['#attempt', '#leased', '#fingerprint', '#answer', '#id', '#ttl'], {
      update: 'SET #id = :id, #fingerprint = :fingerprint, #attempt = :attempt, #leased = :leased, #ttl = :ttl REMOVE #answer',
      condition: neverUsedOrForgotten,
      values: { ...values, ':id': { S: newId }, ':ttl': { N: String(seconds(at) + REMEMBERED_SECONDS) } },
    });
    if ('done' in first) return { outcome: 'new', id: newId };
    const again = await changed('begin a request again', keyOf(claim), ['#attempt', '#leased', '#fingerprint', '#answer'], {
      update: 'SET #attempt = :attempt, #leased = :leased',
      condition: [sameRequest, notAnswered, nobodyAtIt].join(' AND '),
      values,
    });
    if ('done' in again) return { outcome: 'new', id: required.string(again.done, 'id') };
    const { refused: there } = again;
    if (there === 'absent') throw new PortError('unavailable', 'a remembered request expired while it was read; sending it again begins anew');
    if (stringOf(there, 'fingerprint') !== claim.fingerprint) return { outcome: 'other-parameters' };
    const answer = stringOf(there, 'answer');
    return answer === undefined ? { outcome: 'in-flight' } : { outcome: 'answered', answer: JSON.parse(answer) as RememberedAnswer };
  }

  const leave = async (claim: Claim, update: string, names: readonly (keyof typeof NAMES)[], values: Record<string, AttributeValue>): Promise<void> => {
    // Refused: another attempt has taken over, and says itself how it ends.
    await changed('end a request', keyOf(claim), ['#attempt', ...names], { update, condition: ours, values: { ...values, ':attempt': { S: claim.attempt } } });
  };

  /** One write as a rule; two where the bucket was full, which is when nobody else is at it, and where a refusal is news. */
  async function take(operatorId: string, limit: Limit, at: Date): Promise<Share> {
    const nowMs = at.getTime();
    const interval = intervalMs(limit);
    for (let attempt = 0; attempt < MAX_RACES; attempt++) {
      const later = await moved(operatorId, 'SET #full = #full + :interval, #ttl = :ttl', '#full BETWEEN :now AND :latest', { ':now': nowMs, ':interval': interval, ':latest': latestFullMs(limit, nowMs), ':ttl': ttlOf(limit, nowMs) });
      if ('done' in later) return { ...taken(true, limit, later.done, nowMs), isNews: false };
      const fullAtMs = integerOf(later.refused, 'fullAtMs');
      if (fullAtMs !== undefined && fullAtMs > latestFullMs(limit, nowMs)) return { ...taken(false, limit, fullAtMs, nowMs), isNews: await isNews(operatorId, later.refused, nowMs) };
      const anew = await moved(operatorId, 'SET #full = :full, #ttl = :ttl', 'attribute_not_exists(#full) OR #full < :now', { ':now': nowMs, ':full': nowMs + interval, ':ttl': ttlOf(limit, nowMs) });
      if ('done' in anew) return { ...taken(true, limit, anew.done, nowMs), isNews: false };
    }
    throw new PortError('unavailable', `the limit of operator ${operatorId} changed ${MAX_RACES} times while it was being read`);
  }

  /** Asked of the item that refused; only where that does not know of one lately, written, by one of those who ask. Died here: this one is not told, the next one is a minute later. */
  async function isNews(operatorId: string, there: Image | undefined, nowMs: number): Promise<boolean> {
    const since = nowMs - REFUSALS_NEWS_SECONDS * 1_000;
    const last = integerOf(there, 'newsAtMs');
    if (last !== undefined && last > since) return false;
    return 'done' in (await moved(operatorId, 'SET #news = :now', 'attribute_exists(#full) AND (attribute_not_exists(#news) OR #news <= :since)', { ':now': nowMs, ':since': since }));
  }

  async function moved(operatorId: string, update: string, condition: string, values: Record<string, number>): Promise<{ readonly done: number } | { readonly refused: Image | undefined }> {
    return asked<{ done: number } | { refused: Image | undefined }>(
      'take one of the requests an operator may make',
      async () => {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: keyItem(viewKeys.limit(operatorId)),
            UpdateExpression: update,
            ConditionExpression: condition,
            ExpressionAttributeNames: Object.fromEntries(Object.entries(LIMIT_NAMES).filter(([name]) => `${update} ${condition}`.includes(name))),
            ExpressionAttributeValues: Object.fromEntries(Object.entries(values).map(([name, n]) => [name, { N: String(n) }])),
            ReturnValues: 'ALL_NEW',
            ...withOldItem,
          }),
        );
        return { done: required.integer(imageOf(Attributes ?? {}), 'fullAtMs') };
      },
      (error) => {
        const refused = refusedBy(error);
        return refused === undefined ? undefined : { refused: refused === 'absent' ? undefined : refused };
      },
    );
  }

  return {
    begin,
    finish: (claim, answer, at) => leave(claim, 'SET #answer = :answer, #ttl = :ttl', ['#answer', '#ttl'], { ':answer': { S: JSON.stringify(answer) }, ':ttl': { N: String(seconds(at) + REMEMBERED_SECONDS) } }),
    release: (claim) => leave(claim, 'SET #leased = :zero', ['#leased'], { ':zero': { N: '0' } }),
    take,
  };
}

const LIMIT_NAMES = { '#full': 'fullAtMs', '#news': 'newsAtMs', '#ttl': KeySchema.ttl } as const;
const MAX_RACES = 5;
/** An hour after the bucket is full nobody misses it. */
const ttlOf = ({ burst, ratePerSecond }: Limit, nowMs: number): number => Math.ceil(nowMs / 1_000 + burst / ratePerSecond) + 3_600;
