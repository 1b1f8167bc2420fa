/**
 * Somebody with every right on the table changes, removes and inserts records by hand. Within a sealing round each is found and counted, what it was and what it was
 * made into is sealed, and nobody, whatever rights he has, can take that out of the vault again.
 */
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, PutObjectCommand, PutObjectLegalHoldCommand, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3';
import { aws, outputs } from './harness/cloud';
import { answer, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { entriesOf, recordsUnder, recordsWith, vaultObject, type SealedEntry } from './harness/published-log';
import { refusalOf, roleWith } from './harness/roles';
import { objectVersions, type Item } from './harness/tables';
import { waitFor } from './harness/wait-for';
import { counted, logLines } from './harness/watching';

const began = new Date();
const marker = newMarker();
const TableName = outputs.RecordsTableName;
const keyOf = ({ pk, sk }: Item): Record<string, { S: string }> => ({ pk: { S: pk?.S ?? '' }, sk: { S: sk?.S ?? '' } });

interface Victim {
  readonly record: Item;
  readonly body: string;
  readonly id: string;
  /** Its entries in the log before anything was done to it. */
  readonly sealed: readonly SealedEntry[];
}

/** A recorded and sealed message of somebody new. */
async function victim(): Promise<Victim> {
  const [phoneNumberId, id] = [newPhoneNumberId(), newMessageId()];
  const body = messages(phoneNumberId, text({ id, from: newPerson(), body: `as it was said ${marker}` }));
  expect((await post(body)).json).toEqual(answer(body, { recorded: 1 }));
  const [record = {}] = await recordsUnder(phoneNumberId);
  return { record, body, id, sealed: await entriesOf(record['subject']?.S ?? '', 4) }; // customer, alias, link, message
}

/** Codes of the findings about the record under a key. */
async function findingsAbout(key: Item): Promise<readonly string[]> {
  const findings = (await recordsWith('recordPk', key['pk']?.S ?? '')).filter(({ kind, recordSk }) => kind?.S === 'finding' && recordSk?.S === key['sk']?.S);
  return findings.map(({ code }) => code?.S ?? '').sort();
}
const found = (key: Item, atLeast: number): Promise<readonly string[]> =>
  waitFor(`${atLeast} findings`, async () => {
    const codes = await findingsAbout(key);
    return codes.length >= atLeast && codes;
  });

/** What the log has got of the victim's subject since. */
const evidence = async ({ record, sealed }: Victim): Promise<readonly SealedEntry[]> => (await entriesOf(record['subject']?.S ?? '', sealed.length + 1)).slice(sealed.length);
const message = ({ sealed }: Victim): SealedEntry | undefined => sealed.find(({ kind }) => kind === 'message');

const set = (key: Item, UpdateExpression: string, values: Readonly<Record<string, AttributeValue>>): Promise<unknown> =>
  aws.dynamodb.send(new UpdateItemCommand({ TableName, Key: keyOf(key), UpdateExpression, ...(UpdateExpression.includes('#text') && { ExpressionAttributeNames: { '#text': 'text' } }), ExpressionAttributeValues: { ...values } }));
const remove = (key: Item): Promise<unknown> => aws.dynamodb.send(new DeleteItemCommand({ TableName, Key: keyOf(key) }));

const stray: Item = { pk: { S: `c#${newMarker().slice(6, 32)}` }, sk: { S: 'profile' }, note: { S: marker }, nested: { L: [{ M: { deep: { NULL: true } } }] } };
let [changed, removed, copied, renamed, wiped, shown] = [] as unknown as [Victim, Victim, Victim, Victim, Victim, Victim];
let copy: Item;
let alias: Item;
let finding: Item;
let counts: { readonly before: number; readonly after: number };

beforeAll(async () => {
  [changed, removed, copied, renamed, wiped, shown] = await Promise.all([victim(), victim(), victim(), victim(), victim(), victim()]);
  copy = { ...copied.record, pk: { S: `m#${newMarker()}${'A'.repeat(5)}` }, sk: { S: `${newPhoneNumberId()}#message` } };
  alias = (await recordsWith('customerId', renamed.record['customerId']?.S ?? '')).find(({ kind }) => kind?.S === 'alias') ?? {};
  const before = await counted('UnauthorisedChange');
  await Promise.all([
    set(changed.record, 'SET #text = :text', { ':text': { S: `as it was forged ${marker}` } }),
    remove(removed.record),
    aws.dynamodb.send(new PutItemCommand({ TableName, Item: { ...copy } })),
    set(alias, 'SET customerId = :id ADD rev :one', { ':id': { S: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }, ':one': { N: '1' } }),
    remove(wiped.record),
    aws.dynamodb.send(new PutItemCommand({ TableName, Item: { ...stray } })),
  ]);
  await found(wiped.record, 1);
  await found(stray, 4);
  finding = (await recordsWith('recordPk', wiped.record['pk']?.S ?? '')).find(({ kind }) => kind?.S === 'finding') ?? {};
  await Promise.all([remove(finding), remove(stray)]);
  await found(finding, 1);
  await waitFor('the metric', async () => (await counted('UnauthorisedChange')) >= before + 13);
  counts = { before, after: await counted('UnauthorisedChange') };
}, 90_000);

describe('a message', () => {
  it('changed by hand is found, and both states are sealed', async () => {
    expect(await findingsAbout(changed.record)).toEqual(['immutable-modified', 'mac-invalid']);
    expect(await evidence(changed)).toEqual([expect.objectContaining({ op: 'put', kind: 'message', id: message(changed)?.id })]);
    expect((await evidence(changed))[0]?.commit).not.toBe(message(changed)?.commit);
  });

  it('changed by hand is shown as not genuine, and its proof is still of what was said', async () => {
    const got = await intact(['get', changed.id, '--json']);
    expect([got.code, (JSON.parse(got.stdout) as { found: readonly { records: readonly { isGenuine: boolean }[] }[] }).found[0]?.records[0]?.isGenuine]).toEqual([1, false]);
    const proof = await intact(['proof', changed.id]);
    expect([proof.code, proof.stdout.includes(`as it was said ${marker}`), proof.stdout.includes('forged')]).toEqual([1, true, false]);
  });

  it('changed by hand decides nothing: the true words, sent again, are kept beside it once', async () => {
    expect((await post(changed.body)).json).toEqual(answer(changed.body, { conflict: 1 }));
    expect((await post(changed.body)).json).toEqual(answer(changed.body, { duplicate: 1 }));
  });

  it('removed by hand is found, and its removal is sealed', async () => {
    expect(await findingsAbout(removed.record)).toEqual(['record-removed']);
    expect(await evidence(removed)).toEqual([expect.objectContaining({ op: 'remove', kind: 'message', id: message(removed)?.id, rev: 1 })]);
  });

  it('invented, as a copy of a real one in another place, is found and sealed', async () => {
    expect(await findingsAbout(copy)).toEqual(['mac-invalid']);
    expect(await evidence(copied)).toEqual([expect.objectContaining({ op: 'put', kind: 'message', rev: 1 })]);
    expect((await evidence(copied))[0]?.id).not.toBe(message(copied)?.id);
  });
});

describe('by hand', () => {
  it("a customer's name given to somebody else, with the next revision, is found: the rules were kept, but not by us", async () => {
    expect(await findingsAbout(alias)).toEqual(['mac-invalid']);
    expect(await evidence(renamed)).toEqual([expect.objectContaining({ op: 'put', kind: 'alias', rev: 2 })]);
  });

  it('something that is no record at all is found, put and removed', async () => {
    expect(await findingsAbout(stray)).toEqual(['kind-unknown', 'mac-missing', 'record-removed', 'rev-not-next', 'subject-missing', 'subject-missing']);
  });

  it('a finding removed is found too: the traces cannot be wiped', async () => {
    expect(await findingsAbout(wiped.record)).toEqual([]);
    expect(await findingsAbout(finding)).toEqual(['record-removed']);
  });

  it('nothing is done without being counted', () => {
    expect(counts.after - counts.before).toBe(13);
  });
});

describe('the vault afterwards', () => {
  it('verifies clean: the log is the evidence, and it is whole', async () => {
    const { code, stdout } = await intact(['verify', '--vkey', (await intact(['key'])).stdout.trim(), '--no-memory', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ ok: true, findings: [] })]);
  }, 60_000);

  it.each(['segment/', 'checkpoints/'])('gives up no version under %s, not even to the account itself', async (prefix) => {
    const [version] = await objectVersions(outputs.VaultBucketName, prefix);
    const Object = { Bucket: outputs.VaultBucketName, Key: version?.Key, VersionId: version?.VersionId };
    const before = await vaultObject(version?.Key ?? '');
    const refusals = await Promise.all([
      refusalOf(aws.s3.send(new DeleteObjectCommand(Object))),
      refusalOf(aws.s3.send(new DeleteObjectCommand({ ...Object, BypassGovernanceRetention: true }))),
      refusalOf(aws.s3.send(new PutObjectRetentionCommand({ ...Object, Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + 60_000) }, BypassGovernanceRetention: true }))),
      refusalOf(aws.s3.send(new PutObjectRetentionCommand({ ...Object, Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 86_400_000 * 30) }, BypassGovernanceRetention: true }))),
      refusalOf(aws.s3.send(new PutObjectCommand({ Bucket: outputs.VaultBucketName, Key: version?.Key, Body: 'another', IfNoneMatch: '*' }))),
    ]);
    expect(refusals).toEqual(['AccessDenied', 'AccessDenied', 'AccessDenied', 'AccessDenied', 'PreconditionFailed']);
    expect(before?.length).toBeGreaterThan(0);
    expect(await vaultObject(version?.Key ?? '')).toEqual(before);
  });

  it('can be hidden by nobody whom S3 and IAM allow everything', async () => {
    const client = new S3Client({ ...(await roleWith([{ Effect: 'Allow', Action: 's3:*', Resource: '*' }])), forcePathStyle: true });
    const [segment] = await objectVersions(outputs.VaultBucketName, 'segment/');
    const at = { Bucket: outputs.VaultBucketName, Key: segment?.Key };
    const refusals = await Promise.all([
      refusalOf(client.send(new DeleteObjectCommand(at))),
      refusalOf(client.send(new DeleteObjectCommand({ ...at, Key: 'checkpoint' }))),
      refusalOf(client.send(new DeleteObjectCommand({ ...at, VersionId: segment?.VersionId }))),
      refusalOf(client.send(new PutObjectLegalHoldCommand({ ...at, LegalHold: { Status: 'ON' } }))),
    ]);
    client.destroy();
    expect(refusals).toEqual(['AccessDenied', 'AccessDenied', 'AccessDenied', 'AccessDenied']);
    expect(await vaultObject(segment?.Key ?? '')).toBeDefined();
  });
});

describe('npx intact tamper --local', () => {
  it('shows all of it on a message', async () => {
    const { code, stdout } = await intact(['tamper', shown.id, '--local', '--json']);
    const { outcome, steps } = JSON.parse(stdout) as { outcome: string; steps: readonly { step: string; findings?: readonly { code: string }[]; alarms?: readonly { name: string }[] }[] };
    expect([code, outcome, steps.map(({ step }) => step)]).toEqual([0, 'found', ['before', 'changed', 'found', 'sealed', 'counted', 'alarmed']]);
    expect(steps[2]?.findings?.map(({ code: found }) => found)).toEqual(['immutable-modified', 'mac-invalid']);
    expect(steps.at(-1)?.alarms?.map(({ name }) => name)).toEqual(['Intact-local-unauthorised-change']);
    expect(await findingsAbout(shown.record)).toEqual(['immutable-modified', 'mac-invalid']);
  }, 120_000);
});

describe('the logs', () => {
  it('hold no word of what was said, forged or put by hand', async () => {
    const lines = await logLines(began);
    expect(lines.filter(({ group }) => group.endsWith('/seal-records'))).not.toEqual([]);
    expect(lines.filter(({ text: line }) => line.includes(marker))).toEqual([]);
  });
});
