import { dynamoDbClient } from '../../../src/adapters/aws/dynamodb';
import { keyTable } from '../../../src/adapters/aws/key-table';
import { logStore } from '../../../src/adapters/aws/log-store';
import { recordStore } from '../../../src/adapters/aws/record-store';
import { viewStore } from '../../../src/adapters/aws/view-store';
import type { Image } from '../../../src/core/image';
import { PortError, type Head, type RecordWrite, type Round } from '../../../src/ports';
import { connectionReset, fakeAws, jsonError, jsonReply, type Reply, type Sent } from './fake-http';

const image: Image = { pk: { S: 'm#a' }, sk: { S: '1#message' }, kind: { S: 'message' }, rev: { N: '2' }, raw: { B: Buffer.from([1, 2]) } };
/** The same image as it comes back over the wire. */
const wire = { pk: { S: 'm#a' }, sk: { S: '1#message' }, kind: { S: 'message' }, rev: { N: '2' }, raw: { B: 'AQI=' } };
const head: Head = { size: 3, root: Buffer.alloc(32, 1), edge: [Buffer.alloc(32, 2), Buffer.alloc(32, 3)], mac: Buffer.alloc(32, 4) };
const round: Round = { from: 1, n: 2, segment: 'segment/00000000000000000001/aa', time: '2026-03-01T12:00:00.000Z' };
const wireRound = { pk: { S: 'round' }, sk: { S: '00000000000000000001' }, n: { N: '2' }, segment: { S: round.segment }, time: { S: round.time } };

function world(...replies: (Reply | 'reset')[]) {
  const { overrides, sent } = fakeAws(() => {
    const reply = replies.shift() ?? jsonReply({});
    if (reply === 'reset') throw connectionReset();
    return reply;
  });
  const client = dynamoDbClient(overrides);
  return {
    sent,
    records: recordStore(client, 'records'),
    log: logStore(client, 'log'),
    keys: keyTable(client, 'keys'),
    views: viewStore(client, 'views'),
  };
}
const cancelled = (...reasons: ({ Code: string; Item?: unknown } | string)[]): Reply =>
  jsonError('TransactionCanceledException', { CancellationReasons: reasons.map((reason) => (typeof reason === 'string' ? { Code: reason } : reason)) });
const failed = (Item?: unknown) => ({ Code: 'ConditionalCheckFailed', ...(Item !== undefined && { Item }) });
const failure = async (call: Promise<unknown>): Promise<PortError> => {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PortError)) throw new Error(`expected a PortError, got ${String(error)}`);
  return error;
};
const commit = { expected: { size: 1, root: Buffer.alloc(32) }, head, round, marks: new Map([[29_500_000, [Buffer.alloc(16, 5), Buffer.alloc(16, 6)]]]) };

interface Write {
  readonly kind: string;
  readonly body: Record<string, unknown>;
}
/** Every single write inside one request, transactions opened up. */
function writesOf({ operation, json }: Sent): Write[] {
  if (operation !== 'TransactWriteItems') return ['PutItem', 'UpdateItem', 'DeleteItem'].includes(operation) ? [{ kind: operation, body: json }] : [];
  return (json['TransactItems'] as Record<string, Record<string, unknown>>[]).flatMap((item) => Object.entries(item).map(([kind, body]) => ({ kind, body })));
}

test('no write of any adapter goes out without a condition; only the change of a view leaves it to the mark beside it', async () => {
  const { records, log, keys, views, sent } = world();
  await records.create(image);
  await records.replace(image, 1);
  await records.transact([
    { op: 'create', image },
    { op: 'replace', image, ifRev: 1 },
    { op: 'check-absent', key: { pk: 'a', sk: 'b' } },
    { op: 'check-rev', key: { pk: 'a', sk: 'c' }, ifRev: 1 },
  ]);
  await log.commitRound(commit);
  await log.initialize({ origin: 'o/1', systemSubject: 's' }, head);
  await log.forceHead({ head, rounds: [round], marks: new Map([[29_500_000, [Buffer.alloc(16)]]]), withdrawn: new Map() });
  await log.noteUnsealed('x', 'y');
  await log.forgetUnsealed('x');
  await keys.create({ subject: 's', generation: 1, wrapped: Buffer.alloc(60), kek: 1 });
  await keys.createSecret('mac', { generation: 1, wrapped: { 'us-east-1': Buffer.alloc(9) } });
  await views.apply({ key: { pk: 'a', sk: 'b' }, eventId: 'e', add: { n: 1 } });
  await views.place({ key: { pk: 'a', sk: 'c' }, order: '1', set: {} });
  await views.remove({ pk: 'a', sk: 'c' }, '1');
  const writes = sent.flatMap(writesOf);
  expect(writes).toHaveLength(22);
  const bare = writes.filter(({ body }) => body['ConditionExpression'] === undefined);
  expect(bare.map(({ kind }) => kind)).toEqual(['Update']);
  const tokens = sent.filter(({ operation }) => operation === 'TransactWriteItems').map(({ json }) => json['ClientRequestToken']);
  expect(new Set(tokens).size).toBe(tokens.length);
});

test('what is created asks that nothing be there, what is replaced for exactly the revision it was made from', async () => {
  const { records, keys, sent } = world();
  await records.create(image);
  await keys.create({ subject: 's', generation: 1, wrapped: Buffer.alloc(60), kek: 1 });
  await records.replace(image, 1);
  const asked = sent.map(({ json }) => [json['ConditionExpression'], json['ExpressionAttributeNames'], json['ExpressionAttributeValues']]);
  const nothingThere = ['attribute_not_exists(#pk)', { '#pk': 'pk' }, undefined];
  expect(asked).toEqual([nothingThere, nothingThere, ['#rev = :ifRev', { '#rev': 'rev' }, { ':ifRev': { N: '1' } }]]);
});

test('a record refused by its condition comes back as the item that refused it', async () => {
  const { records, sent } = world(jsonError('ConditionalCheckFailedException', { Item: wire }), jsonError('ConditionalCheckFailedException'));
  const other: Image = { ...image, kind: { S: 'edit' } };
  const outcome = await records.create(other);
  expect(outcome).toEqual({ exists: { ...image, raw: { B: new Uint8Array([1, 2]) } } });
  expect(await records.replace(other, 1)).toEqual({ stale: 'absent' });
  expect(sent.map(({ json }) => json['ReturnValuesOnConditionCheckFailure'])).toEqual(['ALL_OLD', 'ALL_OLD']);
});

test('a replace whose reply was lost is recognised by what is stored', async () => {
  const { records, sent } = world('reset', jsonError('ConditionalCheckFailedException', { Item: wire }));
  expect(await records.replace(image, 1)).toBe('replaced');
  expect(sent).toHaveLength(2);
  const other = world(jsonError('ConditionalCheckFailedException', { Item: { ...wire, kind: { S: 'edit' } } }));
  expect(await other.records.replace(image, 1)).toMatchObject({ stale: { kind: { S: 'edit' } } });
});

test('one transaction keeps one token through every attempt, so that a lost reply answers done', async () => {
  const { records, sent } = world('reset', cancelled('None', 'TransactionConflict'), jsonReply({}));
  const writes: RecordWrite[] = [
    { op: 'create', image },
    { op: 'check-absent', key: { pk: 'a', sk: 'b' } },
  ];
  expect(await records.transact(writes)).toBe('done');
  expect(sent).toHaveLength(3);
  expect(new Set(sent.map(({ json }) => json['ClientRequestToken'])).size).toBe(1);
});

test('a refused transaction says per write what refused it', async () => {
  const { records } = world(cancelled('None', failed(wire), failed()));
  const writes: RecordWrite[] = [
    { op: 'check-absent', key: { pk: 'a', sk: 'b' } },
    { op: 'create', image },
    { op: 'check-rev', key: { pk: 'a', sk: 'c' }, ifRev: 4 },
  ];
  const outcome = await records.transact(writes);
  expect(outcome).toMatchObject({ refused: [undefined, { pk: { S: 'm#a' } }, 'absent'] });
});

test('a conflict beside a refusal is tried again: the refusal alone would not say what the other write met', async () => {
  const { records } = world(cancelled('TransactionConflict', failed(wire)), cancelled(failed(wire), failed(wire)));
  const outcome = await records.transact([
    { op: 'create', image },
    { op: 'check-absent', key: { pk: 'a', sk: 'b' } },
  ]);
  expect(outcome).toMatchObject({ refused: [{ pk: { S: 'm#a' } }, { pk: { S: 'm#a' } }] });
});

test('a refusal that stays mixed with conflicts is no answer: the other conditions were never judged', async () => {
  const { records } = world(...Array.from({ length: 20 }, () => cancelled('TransactionConflict', failed(wire))));
  const writes: RecordWrite[] = [
    { op: 'create', image },
    { op: 'check-absent', key: { pk: 'a', sk: 'b' } },
  ];
  expect((await failure(records.transact(writes))).code).toBe('unavailable');
});

test('conflicts that do not end become unavailable after seven attempts', async () => {
  const conflicts = () => Array.from({ length: 20 }, () => cancelled('TransactionConflict'));
  const many = world(...conflicts());
  expect((await failure(many.records.transact([{ op: 'create', image }]))).code).toBe('unavailable');
  expect(many.sent).toHaveLength(7);
  const single = world(...Array.from({ length: 20 }, () => jsonError('TransactionConflictException')));
  expect((await failure(single.records.create(image))).code).toBe('unavailable');
  expect(single.sent).toHaveLength(7);
});

test('each failure of the table has its code, and no message quotes what the service said', async () => {
  const denied = await failure(world(jsonError('AccessDeniedException')).records.get({ pk: 'a', sk: 'b' }, { consistent: true }));
  const malformed = await failure(world(jsonError('ValidationException')).records.create(image));
  const cancelledOddly = await failure(world(cancelled('ValidationError')).records.transact([{ op: 'create', image }]));
  const down = await failure(world(...Array.from({ length: 9 }, () => jsonError('InternalServerError', {}, 500))).records.create(image));
  expect([denied, malformed, cancelledOddly, down].map(({ code }) => code)).toEqual(['denied', 'corrupt', 'corrupt', 'unavailable']);
  for (const { message } of [denied, malformed, cancelledOddly, down]) expect(message).not.toContain('SECRET-CONTENT');
});

test('the log and the keys are never read from a replica that may be behind', async () => {
  const { log, keys, sent } = world();
  expect([await log.readHead(), await log.identity(), await keys.get('s'), await keys.getSecret('kek')]).toEqual(['absent', 'absent', 'absent', 'absent']);
  await log.sealedMarks([29_500_000]);
  expect(sent.map(({ json }) => json['ConsistentRead'])).toEqual([true, true, true, true, true]);
});

test('reads say how fresh they are and go through every page', async () => {
  const { records, sent } = world(jsonReply({ Items: [wire], LastEvaluatedKey: { pk: { S: 'm#a' }, sk: { S: '1' } } }), jsonReply({ Items: [wire] }));
  const items: Image[] = [];
  for await (const item of records.partition('m#a', '1#')) items.push(item);
  expect(items).toHaveLength(2);
  expect(sent.map(({ json }) => json['ConsistentRead'])).toEqual([true, true]);
  expect(sent[1]?.json['ExclusiveStartKey']).toEqual({ pk: { S: 'm#a' }, sk: { S: '1' } });
});

test('a scan reads every page of every segment once', async () => {
  const { overrides, sent } = fakeAws(({ json }) => {
    const segment = Number(json['Segment']);
    const page = json['ExclusiveStartKey'] === undefined ? 0 : 1;
    const item = { ...wire, pk: { S: `${segment}/${page}` } };
    return jsonReply({ Items: [item], ...(page === 0 && segment % 2 === 0 && { LastEvaluatedKey: { pk: { S: 'x' }, sk: { S: 'y' } } }) });
  });
  const seen: unknown[] = [];
  for await (const item of recordStore(dynamoDbClient(overrides), 'records').scan({ kinds: ['message', 'edit'] })) seen.push(item['pk']);
  expect(seen.map((pk) => (pk as { S: string }).S).sort()).toEqual(['0/0', '0/1', '1/0', '2/0', '2/1', '3/0']);
  expect(sent[0]?.json).toMatchObject({ FilterExpression: '#kind IN (:kind0, :kind1)', TotalSegments: 4 });
});

describe('a round', () => {
  test('is committed with its head and its marks in one request, the head on condition of size and root', async () => {
    const { log, sent } = world();
    expect(await log.commitRound(commit)).toBe('moved');
    const writes = sent.flatMap(writesOf).map(({ body }) => body);
    expect(writes.map(({ Item }) => (Item as typeof wire).pk.S)).toEqual(['head', 'round', 'ids#29500000']);
    expect(writes[0]).toMatchObject({ ConditionExpression: '#size = :size AND #root = :root', ExpressionAttributeValues: { ':size': { N: '1' }, ':root': { B: Buffer.alloc(32).toString('base64') } } });
    expect(writes[2]).toMatchObject({ Item: { ids: { B: Buffer.concat([Buffer.alloc(16, 5), Buffer.alloc(16, 6)]).toString('base64') }, expiresAt: { N: String(Date.parse('2026-03-04T12:00:00Z') / 1000) } } });
  });

  test('is lost when the head has moved and another round is there', async () => {
    const { log } = world(cancelled(failed({ pk: { S: 'head' } }), failed({ ...wireRound, segment: { S: 'segment/other' } }), 'None'));
    expect(await log.commitRound(commit)).toBe('lost');
  });

  test('is lost when the head has moved past no round of ours', async () => {
    const { log } = world(cancelled(failed({ pk: { S: 'head' } }), 'None', 'None'), jsonReply({}));
    expect(await log.commitRound(commit)).toBe('lost');
  });

  test('committed with its reply lost is recognised, even after its token has expired', async () => {
    const { log } = world(cancelled(failed({ pk: { S: 'head' } }), failed(wireRound), failed({ pk: { S: 'ids#29500000' } })));
    expect(await log.commitRound(commit)).toBe('moved');
  });

  test('that is there although the head is not past it is corrupt: nobody of ours left that', async () => {
    const { log } = world(cancelled('None', failed({ ...wireRound, segment: { S: 'segment/other' } }), 'None'));
    expect((await failure(log.commitRound(commit))).code).toBe('corrupt');
  });
});

test('a head reads back as it was written, and a damaged one is corrupt', async () => {
  const stored = (json: Sent['json']) => (json['TransactItems'] as { Put: { Item: Record<string, unknown> } }[])[1]?.Put.Item ?? {};
  const writing = world();
  await writing.log.initialize({ origin: 'o/1', systemSubject: 's' }, head);
  const item = stored(writing.sent[0]?.json ?? {});
  expect(await world(jsonReply({ Item: item })).log.readHead()).toEqual(head);
  expect(await world(jsonReply({})).log.readHead()).toBe('absent');
  for (const name of ['size', 'root', 'edge', 'mac']) {
    const { [name]: _gone, ...damaged } = item;
    expect((await failure(world(jsonReply({ Item: damaged })).log.readHead())).code).toBe('corrupt');
  }
  expect((await failure(world(jsonReply({ Item: { ...item, root: { B: 'AAAA' } } })).log.readHead())).code).toBe('corrupt');
});

test('marks read back as hex from every minute asked for', async () => {
  const { overrides, sent } = fakeAws(({ json }) => {
    const { ':pk': pk } = json['ExpressionAttributeValues'] as Record<string, { S: string }>;
    return jsonReply({ Items: [{ pk, sk: { S: '0' }, ids: { B: Buffer.from(`${pk?.S.slice(4)}.`.padEnd(16, '0')).toString('base64') } }] });
  });
  const marks = await logStore(dynamoDbClient(overrides), 'log').sealedMarks([1, 2, 2, 3]);
  expect([...marks].map((mark) => Buffer.from(mark, 'hex').toString().split('.')[0]).sort()).toEqual(['1', '2', '3']);
  expect(sent.every(({ json }) => json['ConsistentRead'] === true)).toBe(true);
});

test('an erased key is told from an absent and from a damaged one', async () => {
  const row = { pk: { S: 's#x' }, sk: { S: 'key' }, subject: { S: 'x' }, generation: { N: '1' }, kek: { N: '1' } };
  expect(await world(jsonReply({ Item: { ...row, wrapped: { B: 'AAAA' } } })).keys.get('x')).toEqual({ subject: 'x', generation: 1, kek: 1, wrapped: Buffer.alloc(3) });
  expect(await world(jsonReply({ Item: { ...row, erasedAt: { S: '2026' } } })).keys.get('x')).toBe('erased');
  expect(await world(jsonReply({})).keys.get('x')).toBe('absent');
  // An answer, not an error: a row somebody damaged must not stop those who seal what is beside it.
  for (const damaged of [row, { ...row, wrapped: { B: 'AAAA' }, generation: { S: '1' } }, { ...row, wrapped: { B: 'AAAA' }, kek: { NULL: true } }]) {
    expect(await world(jsonReply({ Item: damaged })).keys.get('x')).toBe('corrupt');
  }
});

describe('a view', () => {
  const key = { pk: 'conversation', sk: '1' };
  const update = { key, eventId: 'e', add: { messages: 1 }, set: { last: { S: 'x' } }, order: '5' };

  test('is changed together with the mark of its event, and a marked event is seen', async () => {
    const { views, sent } = world(jsonReply({}), cancelled(failed(), 'None'));
    expect(await views.apply(update)).toBe('applied');
    expect(await views.apply(update)).toBe('seen');
    expect(sent[0]?.json['TransactItems']).toMatchObject([
      { Put: { Item: { pk: { S: 'seen#e' }, sk: { S: 'conversation / 1' } } } },
      { Update: { UpdateExpression: 'SET #n1 = :v1, #n2 = :v2 ADD #n0 :v0', ConditionExpression: 'attribute_not_exists(#n2) OR #n2 < :v2' } },
    ]);
  });

  test('is placed or removed on a condition of what is stored, and says when it may go', async () => {
    const refusal = jsonError('ConditionalCheckFailedException', {});
    const { views, sent } = world(jsonReply({}), refusal, jsonReply({}), refusal);
    const row = { key, order: '5', set: { last: { S: 'x' } }, goesAt: 1_800_000_000 };
    expect([await views.place(row), await views.place(row), await views.remove(key, '5'), await views.remove(key, '5')]).toEqual(['applied', 'seen', 'applied', 'seen']);
    expect(sent[0]?.json).toMatchObject({ Item: { last: { S: 'x' }, expiresAt: { N: '1800000000' } }, ConditionExpression: 'attribute_not_exists(#order) OR #order < :order' });
    // One that was never given an order goes as well.
    expect(sent[2]?.json).toMatchObject({ Key: { pk: { S: 'conversation' } }, ConditionExpression: 'attribute_exists(#pk) AND (attribute_not_exists(#order) OR #order <= :order)', ExpressionAttributeNames: { '#order': 'setAtOrder', '#pk': 'pk' } });
  });

  test('that holds something newer still counts what is summed', async () => {
    const { views, sent } = world(cancelled('None', failed()));
    expect(await views.apply(update)).toBe('applied');
    const [, change] = sent[1]?.json['TransactItems'] as { Update?: Record<string, unknown> }[];
    expect(change?.Update).toMatchObject({ UpdateExpression: 'ADD #n0 :v0' });
    expect(change?.Update).not.toHaveProperty('ConditionExpression');
  });
});
