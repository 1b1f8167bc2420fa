/**
 * A full backup on the deployed stack, taken by the function and by a person: under snapshot/, locked for as long as snapshots are and not as the log is, vouched for by the log, clean to a verifier, used by
 * a restore, and in the second region too. Other tests fill the table meanwhile, so numbers are compared with what each snapshot says of itself.
 */
import { GetObjectCommand, GetObjectRetentionCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { newestRun, runNow } from '../../local/rehearsal/runs';
import { readStage } from '../../lib/stage';
import { join } from 'node:path';
import { projectRoot } from '../../local/state-directory';
import { aws, outputs } from './harness/cloud';
import { answer, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { allSealed } from './harness/published-log';
import { waitFor } from './harness/wait-for';

const { VaultBucketName: Bucket, ReplicaBucketName: Replica, ReplicaRegion: second, RecordsTableName: table } = outputs;
const stage = readStage('local', join(projectRoot, 'stages'));
const DAY_MS = 86_400_000;

const under = async (prefix: string): Promise<readonly string[]> => ((await aws.s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }))).Contents ?? []).map(({ Key = '' }) => Key).sort();
/** Mode of its lock, and for how many days from its writing. */
async function lockOf(Key: string): Promise<readonly [string | undefined, number]> {
  const [{ Retention }, { LastModified }] = await Promise.all([aws.s3.send(new GetObjectRetentionCommand({ Bucket, Key })), aws.s3.send(new HeadObjectCommand({ Bucket, Key }))]);
  return [Retention?.Mode, Math.round(((Retention?.RetainUntilDate?.getTime() ?? 0) - (LastModified?.getTime() ?? 0)) / DAY_MS)];
}

interface Listed {
  readonly name: string;
  readonly size: number;
  readonly records: number;
}
const listed = async (): Promise<readonly Listed[]> => JSON.parse((await intact(['snapshot', '--list', '--json'])).stdout) as readonly Listed[];

beforeAll(async () => {
  const body = messages(newPhoneNumberId(), text({ id: newMessageId(), from: newPerson(), body: newMarker() }));
  expect((await post(body)).json).toEqual(answer(body, { recorded: 1 }));
  await allSealed();
}, 90_000);

it('by the function: parts and a manifest, each under the lock of snapshots, and a record that says so', async () => {
  await runNow(aws.lambda, 'take-snapshot');
  const run = await newestRun(aws.dynamodb, table, 'snapshot');
  expect(run).toMatchObject({ ok: true, findings: 0 });
  const [newest] = await listed();
  expect(newest?.records).toBe(run?.records);
  const objects = await under(`snapshot/${newest?.size}/`);
  const names = objects.map((name) => name.split('/')[2]!.slice(0, -64));
  // As many parts as what other tests filled the log with, and the manifest.
  expect(names).toEqual([...names.slice(1).map((_, i) => `${String(i).padStart(6, '0')}-`), 'manifest-']);
  expect(names.length).toBeGreaterThan(1);
  for (const name of objects) expect([name, ...(await lockOf(name))]).toEqual([name, 'COMPLIANCE', stage.snapshot.retentionDays + 1]);
  const [segment = ''] = await under('segment/');
  expect(await lockOf(segment)).toEqual(['COMPLIANCE', stage.lock.retentionDays + 1]);
  expect(stage.snapshot.retentionDays).not.toBe(stage.lock.retentionDays);
}, 90_000);

it('by a person: the same, and clean to a verifier that looks at every lock', async () => {
  const ran = await intact(['snapshot', '--json']);
  expect(ran.code).toBe(0);
  const { snapshot, parts } = JSON.parse(ran.stdout) as { readonly snapshot: string; readonly parts: number };
  expect([parts > 0, await lockOf(snapshot)]).toEqual([true, ['COMPLIANCE', stage.snapshot.retentionDays + 1]]);
  expect((await listed()).map(({ name }) => name)).toContain(snapshot);
  await allSealed();
  const { stdout } = await intact(['verify', '--no-memory', '--json']);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly { readonly object: string }[] };
  expect(findings.filter(({ object }) => object.startsWith('snapshot/'))).toEqual([]);
  const { locks } = JSON.parse(stdout) as { readonly locks: object };
  expect(locks).toMatchObject({ policy: { ...stage.lock, snapshotRetentionDays: stage.snapshot.retentionDays } });
}, 90_000);

it('is what a restore begins with, once the log vouches for it', async () => {
  const sizes = new Set((await listed()).map(({ size }) => size));
  const plan = async (...more: string[]) => (JSON.parse((await intact(['restore', '--to', `nowhere-${newMarker().slice(6, 18)}`, '--plan', '--json', ...more])).stdout) as { readonly plan: { readonly snapshot?: { readonly size: number }; readonly records: number } }).plan;
  const withOne = await plan();
  expect(sizes).toContain(withOne.snapshot?.size);
  const { snapshot, records } = await plan('--snapshot', 'none');
  expect(snapshot).toBeUndefined();
  // Others write meanwhile: never fewer than the plan before it found.
  expect(records).toBeGreaterThanOrEqual(withOne.records);
}, 90_000);

it('is in the second region as well', async () => {
  const there = new S3Client({ region: second, forcePathStyle: true });
  const [newest] = await listed();
  for (const Key of await under(`snapshot/${newest?.size}/`)) {
    const bytes = async (client: S3Client, bucket: string): Promise<string> => (await client.send(new GetObjectCommand({ Bucket: bucket, Key }))).Body!.transformToString('base64');
    await waitFor(`the replica of ${Key}`, async () => (await bytes(there, Replica).catch(() => '')) === (await bytes(aws.s3, Bucket)));
  }
  there.destroy();
}, 60_000);
