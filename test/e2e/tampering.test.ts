/**
 * Somebody with every right on the table changes, removes and inserts records by hand. Within a sealing round each is found and counted, what it was and what it was
 * made into is sealed, and nobody, whatever rights he has, can take that out of the vault again. Then each becomes what it was, by itself, and that is no finding.
 */
import { isDeepStrictEqual } from 'node:util';
import { DeleteItemCommand, GetItemCommand, PutItemCommand, UpdateItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, PutObjectCommand, PutObjectLegalHoldCommand, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3';
import { aws, outputs } from './harness/cloud';
import { answer, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { allSealed, entriesOf, recordsUnder, recordsWith, vaultObject, type SealedEntry } from './harness/published-log';
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

/** What the log has got of the victim's subject since: what was done by hand, and what undid it. */
const evidence = async ({ record, sealed }: Victim): Promise<readonly SealedEntry[]> => (await entriesOf(record['subject']?.S ?? '', sealed.length + 2)).slice(sealed.length);
const itemAt = async (key: Item): Promise<Item | undefined> => (await aws.dynamodb.send(new GetItemCommand({ TableName, Key: keyOf(key), ConsistentRead: true }))).Item;
/** Resolves when the item under the key of `item` is exactly `item`; with `gone` when there is none. */
const healed = (item: Item, gone = false): Promise<unknown> =>
  waitFor(`${item['pk']?.S} to be ${gone ? 'removed' : 'put back'}`, async () => isDeepStrictEqual(await itemAt(item), gone ? undefined : item), { withinMs: 90_000 });
/** What repairs said they were about to do to the record under a key. */
const repairsOf = async (key: Item): Promise<readonly string[]> =>
  (await recordsWith('recordPk', key['pk']?.S ?? '')).filter(({ kind, recordSk }) => kind?.S === 'repair' && recordSk?.S === key['sk']?.S).map(({ action }) => action?.S ?? '');
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
  const [before, repairedBefore] = [await counted('UnauthorisedChange'), await counted('RecordsRepaired')];
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
  await remove(finding);
  await found(finding, 1);
  await Promise.all([...[changed, removed, wiped].map(({ record }) => healed(record)), healed(alias), healed(finding), healed(copy, true), healed(stray, true)]);
  await allSealed(); // the repairs, too
  await waitFor('the metrics', async () => (await counted('UnauthorisedChange')) >= before + 11 && (await counted('RecordsRepaired')) >= repairedBefore + 7);
  counts = { before, after: await counted('UnauthorisedChange') };
}, 240_000);

describe('a message', () => {
  it('changed by hand is found, and both states are sealed', async () => {
    expect(await findingsAbout(changed.record)).toEqual(['immutable-modified', 'mac-invalid']);
    const states = await evidence(changed);
    expect(states).toEqual([expect.objectContaining({ op: 'put', kind: 'message', id: message(changed)?.id }), expect.objectContaining({ op: 'put', kind: 'message', id: message(changed)?.id })]);
    expect(new Set([message(changed), ...states].map((entry) => entry?.commit)).size).toBe(3);
  });

  it('changed by hand is what it was again: shown as genuine, proven, and the true words, sent again, are a duplicate', async () => {
    expect([await itemAt(changed.record), await repairsOf(changed.record)]).toEqual([changed.record, ['put-back']]);
    const got = await intact(['get', changed.id, '--json']);
    expect([got.code, (JSON.parse(got.stdout) as { found: readonly { records: readonly { isGenuine: boolean }[] }[] }).found[0]?.records[0]?.isGenuine]).toEqual([0, true]);
    const proof = await intact(['proof', changed.id]);
    expect([proof.code, proof.stdout.includes(`as it was said ${marker}`), proof.stdout.includes('forged')]).toEqual([0, true, false]);
    expect((await post(changed.body)).json).toEqual(answer(changed.body, { duplicate: 1 }));
  });

  it('removed by hand is found, its removal is sealed, and it is back', async () => {
    expect(await findingsAbout(removed.record)).toEqual(['record-removed']);
    expect(await evidence(removed)).toEqual([expect.objectContaining({ op: 'remove', kind: 'message', id: message(removed)?.id, rev: 1 }), expect.objectContaining({ op: 'put', kind: 'message', id: message(removed)?.id })]);
    expect([await itemAt(removed.record), await repairsOf(removed.record)]).toEqual([removed.record, ['put-back']]);
  });

  it('invented, as a copy of a real one in another place, is found, sealed, and gone', async () => {
    expect(await findingsAbout(copy)).toEqual(['mac-invalid']);
    const [put, removal] = await evidence(copied);
    expect([put, removal]).toEqual([expect.objectContaining({ op: 'put', kind: 'message', rev: 1 }), expect.objectContaining({ op: 'remove', kind: 'message', id: put?.id })]);
    expect(put?.id).not.toBe(message(copied)?.id);
    expect([await itemAt(copy), await itemAt(copied.record), await repairsOf(copy)]).toEqual([undefined, copied.record, ['remove']]);
  });
});

describe('by hand', () => {
  it("a customer's name given to somebody else, with the next revision, is found: the rules were kept, but not by us", async () => {
    expect(await findingsAbout(alias)).toEqual(['mac-invalid']);
    expect(await evidence(renamed)).toEqual([expect.objectContaining({ op: 'put', kind: 'alias', rev: 2 }), expect.objectContaining({ op: 'put', kind: 'alias', rev: 1 })]);
    expect([await itemAt(alias), await repairsOf(alias)]).toEqual([alias, ['put-back']]);
  });

  it('something that is no record at all is found, and removed', async () => {
    expect(await findingsAbout(stray)).toEqual(['kind-unknown', 'mac-missing', 'rev-not-next', 'subject-missing']);
    expect([await itemAt(stray), await repairsOf(stray)]).toEqual([undefined, ['remove']]);
  });

  it('a finding removed is found too, and comes back: the traces cannot be wiped', async () => {
    expect(await findingsAbout(wiped.record)).toEqual(['record-removed']);
    expect(await findingsAbout(finding)).toEqual(['record-removed']);
    expect([await itemAt(wiped.record), await itemAt(finding)]).toEqual([wiped.record, finding]);
  });

  it('nothing is done without being counted, and no repair is counted as such', () => {
    expect(counts.after - counts.before).toBe(11);
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
    const { outcome, steps } = JSON.parse(stdout) as { outcome: string; steps: readonly { step: string; ok?: boolean; findings?: readonly { code: string }[]; alarms?: readonly { name: string }[] }[] };
    expect([code, outcome, steps.map(({ step }) => step)]).toEqual([0, 'found', ['before', 'changed', 'found', 'sealed', 'healed', 'verified', 'counted', 'alarmed']]);
    expect(steps[2]?.findings?.map(({ code: found }) => found)).toEqual(['immutable-modified', 'mac-invalid']);
    expect(steps.at(-1)?.alarms?.map(({ name }) => name)).toEqual(['Intact-local-unauthorised-change']);
    expect(await findingsAbout(shown.record)).toEqual(['immutable-modified', 'mac-invalid']);
    expect([await itemAt(shown.record), steps.find(({ step }) => step === 'verified')?.ok]).toEqual([shown.record, true]);
  }, 180_000);
});

describe('the logs', () => {
  it('hold no word of what was said, forged or put by hand', async () => {
    const lines = await logLines(began);
    for (const fn of ['/seal-records', '/repair-records']) expect([fn, lines.filter(({ group }) => group.endsWith(fn)).length]).not.toEqual([fn, 0]);
    expect(lines.filter(({ text: line }) => line.includes(marker))).toEqual([]);
  });
});
