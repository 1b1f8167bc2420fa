/**
 * A person is erased on the deployed system, with IAM enforced: a hold stands in the way, one officer alone cannot, two can; what is removed leaves tombstones, the key goes last, and then no store holds a word,
 * the number or a message id of theirs in any form, while verification, audit and drill find nothing amiss. Erasures wait: 22 minutes for whoever may still write, 17 more before the key goes. The run that begins
 * the first wait is made here by a clock that is slow, the one that ends the second by a clock that is fast and with the function's rights; every other step is the deployed function's own, by its own clock.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListQueuesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { localSecondRegion } from '../../local/environment';
import { runNow } from '../../local/rehearsal/runs';
import { keyErasure } from '../../src/adapters/aws/key-erasure';
import { keyTable } from '../../src/adapters/aws/key-table';
import { kmsKeyService, kmsSigner } from '../../src/adapters/aws/kms';
import { logStore } from '../../src/adapters/aws/log-store';
import { recordStore } from '../../src/adapters/aws/record-store';
import { s3Inbox } from '../../src/adapters/aws/s3-inbox';
import { s3VaultReader } from '../../src/adapters/aws/s3-vault-reader';
import { viewStore } from '../../src/adapters/aws/view-store';
import { memoryMeter } from '../../src/adapters/memory/meter';
import { advanceErasures } from '../../src/operations/erasure/advance-erasures';
import { FREEZE_WAIT_MS, QUIET_MS } from '../../src/operations/erasure/waits';
import { Env } from '../../src/runtime/env';
import { asFunction, withoutRight } from './harness/as-function';
import { aws, outputs } from './harness/cloud';
import { answer, delivery, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { allSealed, allSettled, recordsUnder, recordsWith } from './harness/published-log';
import { etag, messageUnder, operatorOf, sendingSystem, type Operator } from './harness/staff';
import { objectVersions, scan, type Item } from './harness/tables';
import { functionNamed, logLines } from './harness/watching';

const [phoneNumberId, phone] = [newPhoneNumberId(), newPerson()];
const [first, long, sent, quoted] = [newMessageId(), newMessageId(), newMessageId(), newMessageId()];
const words = { said: newMarker(), saidAtLength: newMarker(), sent: newMarker(), name: `Name${newMarker().replaceAll(/[^a-f]/g, '')}`, note: newMarker(), reason: newMarker(), held: newMarker(), released: newMarker() };
/** Whatever tells of the person. */
const SECRETS = { ...words, phone, first, long, sent, quoted };
const delivered = messages(phoneNumberId, text({ id: first, from: phone, body: `Hello ${words.said}` }), text({ id: long, from: phone, body: `${words.saidAtLength} ${'x'.repeat(30_000)}` }));

let [officer, second, support] = [] as unknown as [Operator, Operator, Operator];
let customerId: string;
let subject: string;
let requestId: string;
const began = new Date();
const of = (path = ''): string => `/v1/customers/${customerId}${path}`;

/** One run of what the deployed function runs, by a clock that is ahead by `aheadMs`, with the account's rights or the function's. */
async function runByAnotherClock(aheadMs: number, identity: Partial<Awaited<ReturnType<typeof asFunction>>> = {}): Promise<void> {
  const { Environment } = await aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: (await functionNamed('erase-subjects')).name }));
  const [dynamodb, offsite, s3, kms] = [new DynamoDBClient(identity), new DynamoDBClient({ ...identity, region: localSecondRegion }), new S3Client({ ...identity, forcePathStyle: true }), new KMSClient(identity)];
  await advanceErasures({
    records: recordStore(dynamodb, outputs.RecordsTableName),
    keyErasure: keyErasure(dynamodb, { records: outputs.RecordsTableName, keys: outputs.KeysTableName }),
    keys: keyTable(dynamodb, outputs.KeysTableName),
    keysOffsite: keyTable(offsite, outputs.KeysTableName),
    keyService: kmsKeyService(kms, Environment?.Variables?.[Env.WRAPPING_KEY_ARN] ?? '', outputs.region),
    signer: kmsSigner(kms, Environment?.Variables?.[Env.SIGNING_KEY_ARN] ?? ''),
    inbox: s3Inbox(s3, outputs.InboxBucketName),
    views: viewStore(dynamodb, outputs.ViewsTableName),
    log: logStore(dynamodb, outputs.LogTableName),
    vault: s3VaultReader(s3, outputs.VaultBucketName),
    meter: memoryMeter(),
    now: () => new Date(Date.now() + aheadMs),
  });
  for (const client of [dynamodb, offsite, s3, kms]) client.destroy();
}
const request = async (): Promise<Item> => (await recordsWith('requestId', requestId)).find(({ kind }) => kind?.S === 'erasure-request') ?? {};

/** What a check finds that it did not find before any of this: other tests damage things of theirs. */
const reports = async (): Promise<Record<'verify' | 'audit' | 'drill', readonly string[]>> => {
  const found = async (...args: string[]): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await intact([...args, '--json']);
    if (code !== 0 && code !== 1) throw new Error(`${args[0]} ended with ${code}: ${stderr}`);
    const { found, findings } = JSON.parse(stdout) as { readonly found?: readonly object[]; readonly findings: readonly object[] | number };
    return (found ?? (findings as readonly object[])).map((each) => JSON.stringify(each));
  };
  return { verify: await found('verify', '--no-memory'), audit: await found('audit', '--full'), drill: await found('drill') };
};
let before: Awaited<ReturnType<typeof reports>>;

beforeAll(async () => {
  [officer, second, support] = [await operatorOf('compliance'), await operatorOf('dpo'), await operatorOf('support')];
  before = await reports();
  expect((await post(delivered)).json).toEqual(answer(delivered, { recorded: 2 }));
  const record = (await recordsUnder(phoneNumberId)).find(({ kind }) => kind?.S === 'message') ?? {};
  [customerId, subject] = [record['customerId']?.S ?? '', record['subject']?.S ?? ''];
  // All that can be kept of somebody: a profile with a name and a note, what was sent to them with its status, a reaction.
  const { rev } = (await support.ask(`GET ${of()}`)).json as { rev: number };
  expect((await support.ask(`PATCH ${of()}`, { body: { profile: { name: words.name, phone: `+${phone}` }, reason: words.reason }, headers: etag(rev) })).status).toBe(200);
  expect((await support.ask(`POST ${of('/notes')}`, { body: { text: words.note } })).status).toBe(201);
  const payload = { messaging_product: 'whatsapp', to: phone, type: 'text', text: { body: words.sent } };
  expect((await (await sendingSystem())('POST /v1/outbound', { body: { phoneNumberId, messageId: sent, to: phone, sentAt: '2026-09-21T14:00:00Z', payload } })).status).toBe(200);
  await post(delivery(phoneNumberId, `"statuses":[{"id":"${sent}","status":"read","timestamp":"1790000200","recipient_id":"${phone}"}]`));
  await post(messages(phoneNumberId, `{"from":"${phone}","id":"${quoted}","timestamp":"1790000020","type":"reaction","reaction":{"message_id":"${first}","emoji":"👍"}}`));
  await allSettled();
}, 180_000);

describe('before an erasure', () => {
  it('everything of the person is where it is looked for afterwards', async () => {
    const holding = await held();
    expect(Object.fromEntries(Object.entries(holding).map(([name, places]) => [name, places.length > 0]))).toEqual(Object.fromEntries(Object.keys(SECRETS).map((name) => [name, !['held', 'released'].includes(name)])));
    // A word that was too long for a record is content of the inbox.
    expect(holding.saidAtLength).toContain('inbox');
  }, 60_000);

  it('a hold refuses it, to whoever asks', async () => {
    expect((await officer.ask(`PUT ${of('/hold')}`, { body: { reason: words.held } })).status).toBe(200);
    expect((await officer.ask(`GET ${of('/hold')}`)).json).toMatchObject({ held: true, by: officer.id, reason: words.held });
    const refused = await officer.ask(`POST ${of('/erasure')}`, { body: { reason: words.reason } });
    expect([refused.status, refused.json['detail']]).toEqual([409, expect.stringContaining('legal hold')]);
    expect((await second.ask(`DELETE ${of('/hold')}`, { body: { reason: words.released } })).json).toMatchObject({ held: false });
  }, 60_000);

  it('one officer asks; another sees who, when and why; the same one cannot confirm it, nor anybody who is none', async () => {
    const asked = await officer.ask(`POST ${of('/erasure')}`, { body: { reason: words.reason } });
    expect([asked.status, asked.json]).toEqual([201, { requestId: expect.any(String) as string, state: 'asked' }]);
    requestId = String(asked.json['requestId']);
    const shown = await second.ask(`GET ${of('/erasure')}`);
    expect(shown.json).toEqual({ requestId, state: 'asked', customers: [customerId], inputs: [], reason: words.reason, askedBy: officer.id, askedAt: expect.any(String) as string, removed: 0, held: false });
    for (const { ask } of [officer, support, await operatorOf('admin')]) expect((await ask(`POST ${of(`/erasure/${requestId}/confirm`)}`)).status).toBe(404);
    expect((await officer.ask(`POST ${of('/erasure')}`, { body: { reason: words.reason } })).status).toBe(409);
  }, 60_000);
});

describe('two officers', () => {
  it('erase: the aliases are frozen, the records become tombstones, then the key goes, and the certificate says so', async () => {
    // The schedule shall not take this step by a clock that is right.
    await withoutRight('erase-subjects', ['dynamodb:GetItem', 'dynamodb:Query'], async () => {
      expect((await second.ask(`POST ${of(`/erasure/${requestId}/confirm`)}`)).json).toEqual({ requestId, state: 'confirmed' });
      await runByAnotherClock(-FREEZE_WAIT_MS - 60_000);
    });
    expect((await request())['state']?.S).toBe('frozen');
    await runNow(aws.lambda, 'erase-subjects');
    expect((await request())['state']?.S).toBe('removing');
    // Once the log says that it may be, all is removed, what goes last in a run of its own; then one run sees that nothing is left. The schedule may come by at any time and do some of it.
    for (let run = 0; run < 6 && (await request())['quietSince'] === undefined; run += 1) {
      await allSealed();
      await runNow(aws.lambda, 'erase-subjects');
    }
    const removing = await request();
    expect([removing['state']?.S, removing['quietSince'] !== undefined, Number(removing['removed']?.N) > 10]).toEqual(['removing', true, true]);
    await allSealed();
    await runNow(aws.lambda, 'erase-subjects');
    expect((await request())['state']?.S).toBe('removing');
    await runByAnotherClock(QUIET_MS + 60_000, await asFunction('erase-subjects'));
    const done = await officer.ask(`GET ${of('/erasure')}`);
    expect(done.json).toMatchObject({ requestId, state: 'done', customers: [customerId], askedBy: officer.id, confirmedBy: second.id, held: false, recoverableUntil: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string });
    expect(done.json['removed']).toBe(Number((await request())['removed']?.N));
    const key = (await scan(outputs.KeysTableName)).find(({ pk }) => pk?.S === `s#${subject}`);
    expect([key?.['erasedAt'] !== undefined || key?.['erased'] !== undefined, key?.['wrapped']]).toEqual([true, undefined]);
    expect(done.json['reason']).toBeUndefined();
    const offsite = new DynamoDBClient({ region: localSecondRegion });
    expect(await keyTable(offsite, outputs.KeysTableName).get(subject)).toBe('erased');
    offsite.destroy();
  }, 120_000);

  it('leave nobody to be found: to staff the customer never was', async () => {
    for (const route of [`GET ${of()}`, `GET ${of('/messages')}`, `GET ${of('/versions')}`]) expect([route, (await support.ask(route)).status]).toEqual([route, 404]);
    expect((await support.ask(`GET /v1/customers/search?phone=${encodeURIComponent(`+${phone}`)}`)).json['items']).toEqual([]);
  }, 30_000);

  it('leave no word, no number and no message id in any store, in any form', async () => {
    await allSettled();
    expect(await held()).toEqual(Object.fromEntries(Object.keys(SECRETS).map((name) => [name, []])));
  }, 90_000);

  it('leave a log and a table in which verification, audit and drill find nothing that was not there before', async () => {
    const after = await reports();
    for (const [check, found] of Object.entries(after)) expect([check, found.filter((each) => !before[check as keyof typeof before].includes(each))]).toEqual([check, []]);
  }, 180_000);
});

describe('afterwards', () => {
  it('what Meta delivers again is known, and stays erased', async () => {
    expect((await post(delivered)).json).toEqual(answer(delivered, { duplicate: 2 }));
    await allSettled();
    const { said, saidAtLength, first: id, ...others } = await held();
    expect([said, saidAtLength, id, Object.values(others).flat()]).toEqual([[], [], [], []]);
  }, 90_000);

  it('the same person is somebody new when they write again', async () => {
    const elsewhere = newPhoneNumberId();
    expect((await post(messages(elsewhere, text({ from: phone, body: 'me again' })))).status).toBe(200);
    const anew = await messageUnder(elsewhere);
    expect([anew['customerId']?.S === customerId, anew['subject']?.S === subject]).toEqual([false, false]);
    expect((await support.ask(`GET /v1/customers/${anew['customerId']?.S}/messages`)).json['items']).toEqual([expect.objectContaining({ text: 'me again' })]);
  }, 60_000);
});

/** By secret, the stores that hold it in any of these forms: as it is, in base64 of either alphabet wherever it may begin, in hex. */
async function held(): Promise<Record<keyof typeof SECRETS, readonly string[]>> {
  const stores = await everything();
  return Object.fromEntries(Object.entries(SECRETS).map(([name, secret]) => [name, Object.entries(stores).filter(([, bytes]) => formsOf(secret).some((form) => bytes.includes(form))).map(([store]) => store)])) as unknown as Record<keyof typeof SECRETS, readonly string[]>;
}

function formsOf(secret: string): readonly string[] {
  const inBase64 = [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    // The characters that hold nothing but the secret.
    const from = Math.ceil((offset * 8) / 6);
    const some = whole.toString('base64').slice(from, Math.floor((whole.length * 8) / 6));
    return [some, some.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [secret, ...inBase64, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('hex').toUpperCase()];
}

/** Every store there is, whole: tables, with binary values as they are and in base64; buckets of both regions; logs; queues. */
async function everything(): Promise<Readonly<Record<string, string>>> {
  const table = async (name: string): Promise<string> => JSON.stringify(await scan(name), (_key, value: unknown) => (value instanceof Uint8Array ? [Buffer.from(value).toString('latin1'), Buffer.from(value).toString('base64')] : value));
  const bucket = async (name: string, client: S3Client = aws.s3): Promise<string> => {
    const bodies: string[] = [];
    for (const { Key, VersionId } of await objectVersions(name, '', client)) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key, VersionId }));
      bodies.push(Key ?? '', Buffer.from((await Body?.transformToByteArray()) ?? []).toString('latin1'));
    }
    return bodies.join('\n');
  };
  const queues = async (): Promise<string> => {
    const { QueueUrls = [] } = await aws.sqs.send(new ListQueuesCommand({}));
    const waiting = await Promise.all(QueueUrls.map(async (QueueUrl) => (await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }))).Messages ?? []));
    return JSON.stringify(waiting);
  };
  const there = new S3Client({ region: localSecondRegion, forcePathStyle: true });
  return {
    records: await table(outputs.RecordsTableName),
    views: await table(outputs.ViewsTableName),
    keys: await table(outputs.KeysTableName),
    log: await table(outputs.LogTableName),
    inbox: await bucket(outputs.InboxBucketName),
    workings: await bucket(outputs.WorkingsBucketName),
    vault: await bucket(outputs.VaultBucketName),
    replica: await bucket(outputs.ReplicaBucketName, there),
    logs: (await logLines(began)).map((line) => line.text).join('\n'),
    queues: await queues(),
  };
}
