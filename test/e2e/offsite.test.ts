/**
 * The second region: it holds the facts of the vault, byte for byte and nothing else, and the keys. Then the first region is thought away: a whole vault is rebuilt from the replica
 * alone, verifies to the same tree, and its records are read with the keys that are there. Without the keys it still verifies, and tells nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, GetObjectLockConfigurationCommand, ListObjectsV2Command, PutObjectCommand, PutObjectLegalHoldCommand, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3';
import { dynamoDbClient } from '../../src/adapters/aws/dynamodb';
import { keyTable } from '../../src/adapters/aws/key-table';
import { kmsClient, kmsKeyService } from '../../src/adapters/aws/kms';
import { directoryVault } from '../../src/adapters/files/directory-vault';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { loadSecrets } from '../../src/operations/load-secrets';
import { publishedCheckpoint } from '../../src/operations/published-entries';
import { replayLog } from '../../src/operations/replay-log';
import { subjectKeys } from '../../src/operations/subject-keys';
import type { KeyTable } from '../../src/ports';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { scanTable } from '../../local/table-scan';
import { aws, outputs } from './harness/cloud';
import { answer, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { allSealed, checkpoint, vaultObject } from './harness/published-log';
import { refusalOf, roleWith } from './harness/roles';
import { objectVersions, scan } from './harness/tables';
import { waitFor } from './harness/wait-for';

const { ReplicaBucketName: Replica, ReplicaRegion: second, VaultBucketName: Vault } = outputs;
const isFact = (name: string): boolean => /^(segment|blob|snapshot|checkpoints|report)\//.test(name) || name === 'log.vkeys';
const directory = mkdtempSync(join(tmpdir(), 'intact-offsite-'));
const rebuilt = join(directory, 'vault');
const marker = newMarker();
const said = newMessageId();

/** The replica lies in another region, and S3 answers for it there only. */
const there = new S3Client({ region: second, forcePathStyle: true });

async function namesIn(s3: S3Client, Bucket: string): Promise<readonly string[]> {
  const names: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken }));
    names.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return names;
}

const replicaObject = async (Key: string): Promise<Buffer> => Buffer.from((await (await there.send(new GetObjectCommand({ Bucket: Replica, Key }))).Body?.transformToByteArray()) ?? []);

interface Report {
  readonly size: number;
  readonly signed: number;
  readonly root: string;
  readonly damaged: readonly string[];
}
let rebuilding: { readonly code: number | null; readonly report: Report; readonly stderr: string };

beforeAll(async () => {
  const phoneNumberId = newPhoneNumberId();
  // Long enough for a blob of its own.
  const body = messages(phoneNumberId, text({ id: said, from: newPerson(), body: `what was said ${marker} ${'x'.repeat(60_000)}` }));
  expect((await post(body)).json).toEqual(answer(body, { recorded: 1 }));
  await allSealed();
  const { code, stdout, stderr } = await intact(['rebuild', `s3://${Replica}`, rebuilt, '--vkey', (await intact(['key'])).stdout.trim(), '--json']);
  rebuilding = { code, stderr, report: JSON.parse(stdout) as Report };
}, 120_000);
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  there.destroy();
});

describe('the replica', () => {
  it('holds every fact of the vault and nothing else', async () => {
    // The vault grows meanwhile; what is in both lists at one moment is what counts.
    const [replica, vault] = await waitFor('a moment of quiet', async () => {
      const before = await namesIn(aws.s3, Vault);
      const copies = await namesIn(there, Replica);
      return before.join() === (await namesIn(aws.s3, Vault)).join() && ([copies, before] as const);
    }, { withinMs: 60_000 });
    expect(replica).toEqual(vault.filter(isFact));
    for (const kind of ['segment/', 'blob/', 'checkpoints/', 'log.vkeys']) expect([kind, replica.some((name) => name.startsWith(kind))]).toEqual([kind, true]);
    for (const kind of ['tile/', 'checkpoint']) expect([kind, vault.some((name) => name.startsWith(kind) && !isFact(name)), replica.some((name) => name.startsWith(kind) && !isFact(name))]).toEqual([kind, true, false]);
  }, 90_000);

  it('holds them byte for byte, each once', async () => {
    const names = await namesIn(there, Replica);
    for (const name of names) expect([name, (await replicaObject(name)).equals((await vaultObject(name)) ?? Buffer.alloc(0))]).toEqual([name, true]);
    const versions = (await objectVersions(Replica, '', there)).map(({ Key }) => Key).filter((name) => name !== 'log.vkeys');
    expect(new Set(versions).size).toBe(versions.length);
  }, 90_000);

  it('is locked as its template says', async () => {
    const { ObjectLockConfiguration } = await there.send(new GetObjectLockConfigurationCommand({ Bucket: Replica }));
    expect(ObjectLockConfiguration).toEqual({ ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } } });
  });

  it('is changed by nobody whom S3 and IAM allow everything', async () => {
    const client = new S3Client({ ...(await roleWith([{ Effect: 'Allow', Action: 's3:*', Resource: '*' }])), region: second, forcePathStyle: true });
    const [segment] = await objectVersions(Replica, 'segment/', there);
    const at = { Bucket: Replica, Key: segment?.Key };
    const refusals = await Promise.all([
      refusalOf(client.send(new DeleteObjectCommand(at))),
      refusalOf(client.send(new DeleteObjectCommand({ ...at, VersionId: segment?.VersionId }))),
      refusalOf(client.send(new DeleteObjectCommand({ ...at, VersionId: segment?.VersionId, BypassGovernanceRetention: true }))),
      refusalOf(client.send(new PutObjectCommand({ ...at, Body: 'another' }))),
      refusalOf(client.send(new PutObjectCommand({ ...at, Key: 'new', Body: 'another', IfNoneMatch: '*' }))),
      refusalOf(client.send(new CopyObjectCommand({ ...at, Key: `${at.Key}x`, CopySource: `${Vault}/log.vkeys` }))),
      refusalOf(client.send(new PutObjectLegalHoldCommand({ ...at, LegalHold: { Status: 'ON' } }))),
      refusalOf(client.send(new PutObjectRetentionCommand({ ...at, Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date('2100-01-01') } }))),
      refusalOf(client.send(new GetObjectCommand(at)).then(({ Body }) => Body?.transformToByteArray())),
    ]);
    client.destroy();
    expect(refusals).toEqual([...Array<string>(8).fill('AccessDenied'), 'granted']);
  });
});

/** The keys as the second region has them: its replica of the table, its replica of the wrapping key. */
function keysOf(region: string): { readonly keys: KeyTable; readonly secrets: ReturnType<typeof loadSecrets> } {
  const keys = keyTable(dynamoDbClient({ region }), outputs.KeysTableName);
  const arn = (outputs as unknown as { readonly WrappingKeyArn: string }).WrappingKeyArn.replace(outputs.region, region);
  return { keys, secrets: loadSecrets({ keys, keyService: kmsKeyService(kmsClient({ region }), arn, region) }) };
}

describe('the keys in the second region', () => {
  it('are all there', async () => {
    const rows = await waitFor('the rows to arrive', async () => {
      const [here, elsewhere] = [await scan(outputs.KeysTableName), await scanTable(new DynamoDBClient({ region: second }), outputs.KeysTableName)];
      return here.length === elsewhere.length && JSON.stringify(sorted(here)) === JSON.stringify(sorted(elsewhere)) && elsewhere;
    });
    expect(rows.length).toBeGreaterThan(4);
  });

  it('unwrap to the same secrets, by a replica of the key that made them', async () => {
    const [first, other] = [keysOf(outputs.region).secrets, keysOf(second).secrets];
    expect(await other.kek()).toEqual(await first.kek());
    expect(await other.macKeys()).toEqual(await first.macKeys());
    expect(await other.dedupeKey()).toEqual(await first.dedupeKey());
  });
});

describe('when the first region is lost', () => {
  it('the whole vault is rebuilt from the replica, to its last signed entry', async () => {
    const { code, report, stderr } = rebuilding;
    expect([code, report.damaged, report.size === report.signed]).toEqual([0, [], true]);
    expect(stderr).toContain(`s3://${Replica}`);
    // Of the same tree as the vault had signed at that size; it may have grown since.
    const [, size, root] = (await vaultObject(`checkpoints/${report.size}`))?.toString().split('\n') ?? [];
    expect([Number(size), root]).toEqual([report.size, report.root]);
    expect((await checkpoint()).size).toBeGreaterThanOrEqual(report.size);
  });

  it('it verifies clean, to the same size and root, under the key on paper', async () => {
    const { code, stdout } = await intact(['verify', rebuilt, '--vkey', (await intact(['key'])).stdout.trim(), '--no-memory', '--json']);
    const { size, root } = rebuilding.report;
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ ok: true, findings: [], size, root })]);
  }, 60_000);

  it('every record can be read from it with the keys of the second region, as it was written', async () => {
    const records = await replayed(keysOf(second));
    const found = [...records.values()].find((image) => stringOf(image, 'messageId') === said);
    expect(JSON.stringify(found)).toContain('messageId');
    const live = (await scan(outputs.RecordsTableName)).find((item) => item['messageId']?.S === said);
    expect(live).toBeDefined();
    expect(found && keyOf(found)).toEqual({ pk: live?.['pk']?.S, sk: live?.['sk']?.S });
    expect(found && stringOf(found, 'mac')).toBe(live?.['mac']?.S);
  }, 60_000);

  it('without the keys it verifies all the same, and tells nothing', async () => {
    const { secrets } = keysOf(second);
    const none: Pick<KeyTable, 'get' | 'create'> = { get: async () => 'absent', create: async () => { throw new Error('reading makes no keys'); } };
    expect((await replayed({ keys: none, secrets })).size).toBe(0);
  }, 60_000);
});

/** Every record of the rebuilt vault, by its place. */
async function replayed({ keys, secrets }: { readonly keys: Pick<KeyTable, 'get' | 'create'>; readonly secrets: ReturnType<typeof loadSecrets> }): Promise<ReadonlyMap<string, Image>> {
  const vault = directoryVault(rebuilt);
  const records = new Map<string, Image>();
  const reading = { vault, subjectKeys: subjectKeys({ keys, kek: secrets.kek, now: () => new Date(), random: () => { throw new Error('reading draws nothing'); } }), macKeys: await secrets.macKeys() };
  await replayLog(reading, { checkpoint: await publishedCheckpoint(vault) }, async ({ image }) => void records.set(JSON.stringify(keyOf(image)), image));
  return records;
}

const sorted = <T>(items: readonly T[]): readonly string[] => items.map((item) => JSON.stringify(Object.entries(item as object).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
