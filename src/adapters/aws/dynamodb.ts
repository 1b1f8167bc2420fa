/**
 * What every DynamoDB adapter of ours shares: one client per container, our images as the SDK's typed items and back, the named conditions, and
 * the retry of TransactionConflict, which the SDK leaves to its caller.
 */
import {
  DynamoDBClient,
  QueryCommand,
  type AttributeValue,
  type CancellationReason,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports';
import { bytesOf, integerOf, stringOf, type Image, type TableKey } from '../../core/image';
import { asking, errorNamed, retried } from './port-errors';
import { sdkSettings, type ClientOverrides } from './sdk-settings';

let shared: DynamoDBClient | undefined;

/** The container's one DynamoDB client, made when first asked for. */
export function dynamoDb(): DynamoDBClient {
  return (shared ??= dynamoDbClient());
}

/** A client of its own, for tests and tools. */
export function dynamoDbClient(overrides: ClientOverrides = {}): DynamoDBClient {
  // The middleware stack is sorted once per kind of command, not once per call: a fifth of a call's processor time. Safe here, where every call goes to one
  // endpoint with one identity, and nothing changes the stack afterwards; not for S3, whose address differs by bucket.
  const client = new DynamoDBClient({ ...sdkSettings(overrides), cacheMiddleware: true, accountIdEndpointMode: 'disabled' } as ConstructorParameters<typeof DynamoDBClient>[0] & object);
  // Another quarter of a call: the SDK's self-description in a header, loop detection for services that call Lambdas, and log lines nobody reads.
  for (const name of UNNEEDED) client.middlewareStack.remove(name);
  // Changes nothing but speed: the SDK copies its configuration four times a call. Having grown member by member it is a hash table to V8, whose copies cost 14 µs;
  // an object that has been a prototype once gets a fixed layout, and a copy costs 2: a twelfth of a whole webhook.
  void Object.create(client.config);
  return client;
}

const UNNEEDED = ['getUserAgentMiddleware', 'recursionDetectionMiddleware', 'loggerMiddleware'] as const;

/** An item as the SDK takes it. Our `Image` is DynamoDB's typed form already; only `readonly` differs. */
export const itemOf = (image: Image): Record<string, AttributeValue> => image as unknown as Record<string, AttributeValue>;
/** An item as the SDK returned it. */
export const imageOf = (item: Record<string, AttributeValue>): Image => item as unknown as Image;
/** A key as the SDK takes it. */
export const keyItem = (key: TableKey): Record<string, AttributeValue> => ({ pk: { S: key.pk }, sk: { S: key.sk } });

/** Names each condition once; callers combine them. `#pk` and `#rev` are names, because a reviewer need not know DynamoDB's reserved words. */
export const conditions = {
  itemDoesNotExist: { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: { '#pk': 'pk' } },
  itemExists: { ConditionExpression: 'attribute_exists(#pk)', ExpressionAttributeNames: { '#pk': 'pk' } },
  revIs: (rev: number) => ({
    ConditionExpression: '#rev = :ifRev',
    ExpressionAttributeNames: { '#rev': 'rev' },
    ExpressionAttributeValues: { ':ifRev': { N: String(rev) } },
  }),
} as const;

/** The failed condition hands back the item that failed it, at no cost of another read. */
export const withOldItem = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

/** The item that failed the condition of a single write; undefined: `error` says something else; 'absent': there was none. */
export function refusedBy(error: unknown): Image | 'absent' | undefined {
  if (!errorNamed<{ Item?: Record<string, AttributeValue> }>(error, ['ConditionalCheckFailedException'])) return undefined;
  return error.Item === undefined ? 'absent' : imageOf(error.Item);
}

/** The reasons of a cancelled transaction, in the order of its actions; undefined: `error` says something else. */
export function cancelledBecause(error: unknown): readonly CancellationReason[] | undefined {
  if (!errorNamed<{ CancellationReasons?: CancellationReason[] }>(error, ['TransactionCanceledException'])) return undefined;
  return error.CancellationReasons ?? [];
}

/** Per action of a cancelled transaction: the item that refused it, 'absent' where an item was needed, undefined where its condition held. */
export function refusals(reasons: readonly CancellationReason[]): (Image | 'absent' | undefined)[] {
  return reasons.map((reason) => (reason.Code !== 'ConditionalCheckFailed' ? undefined : reason.Item === undefined ? 'absent' : imageOf(reason.Item)));
}

/** Reasons that say "not now" and nothing about our conditions. */
const PASSING = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/** Another writer held one of the items: the conditions were not judged for it, so only trying again tells what they would have said. */
export function isConflict(error: unknown): boolean {
  if (errorNamed(error, ['TransactionConflictException'])) return true;
  return cancelledBecause(error)?.some((reason) => PASSING.has(reason.Code ?? '')) ?? false;
}

/** One DynamoDB call: conflicts are tried again, whatever is thrown that `answer` does not take as an answer becomes a `PortError`. */
export async function asked<T>(what: string, call: () => Promise<T>, answer?: (error: unknown) => T | undefined): Promise<T> {
  return asking(what, async () => {
    try {
      return await retried(call, isConflict);
    } catch (error) {
      const value = isConflict(error) ? undefined : answer?.(error);
      if (value === undefined) throw error;
      return value;
    }
  });
}

/** All items a Query yields, page after page. `limit` bounds the whole answer, not a page. */
export async function* queried(client: DynamoDBClient, what: string, input: QueryCommandInput, limit = Number.POSITIVE_INFINITY): AsyncGenerator<Image> {
  let left = limit;
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page = await asked(what, () =>
      client.send(new QueryCommand({ ...input, ...(from && { ExclusiveStartKey: from }), ...(Number.isFinite(left) && { Limit: left }) })),
    );
    for (const item of page.Items ?? []) {
      yield imageOf(item);
      if (--left <= 0) return;
    }
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
}

/** An attribute our own adapters wrote; anything else under its name means that somebody changed the table. Throws `corrupt`. */
export const required = {
  string: (image: Image, name: string): string => present(stringOf(image, name), image, name),
  integer: (image: Image, name: string): number => present(integerOf(image, name), image, name),
  bytes: (image: Image, name: string): Buffer => asBuffer(present(bytesOf(image, name), image, name)),
};

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function present<T>(value: T | undefined, image: Image, name: string): T {
  if (value !== undefined) return value;
  throw new PortError('corrupt', `item ${stringOf(image, 'pk')} / ${stringOf(image, 'sk')} has no usable ${name}: it was not written by this program; see docs/data-model.md`);
}
