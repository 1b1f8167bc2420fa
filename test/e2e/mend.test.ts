/**
 * Vault repair on buckets with versions and locks: a copy of the vault in a bucket of its own is written over, hidden and thinned out as somebody with the bucket's owner's rights could; `mend` heals it
 * into a new bucket, locked, which verifies clean; in place it puts back what is gone, and says what a lock forbids to replace.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { s3 } from '../../src/adapters/aws/s3';
import { s3Vault } from '../../src/adapters/aws/s3-vault';
import { directoryVault } from '../../src/adapters/files/directory-vault';
import { TILE_WIDTH } from '../../src/core/log/bundle';
import { tilePath } from '../../src/core/log/tile-path';
import { vaultTarget } from '../../src/operations/vault-target';
import { UNLOCKED_TAG } from '../../src/runtime/env';
import { aws } from './harness/cloud';
import { intact } from './harness/intact';
import { allSealed } from './harness/published-log';
import { objectVersions } from './harness/tables';

const directory = mkdtempSync(join(tmpdir(), 'intact-mend-'));
const pulled = join(directory, 'pulled');
const damaged = `damaged-${randomUUID()}`;
const healed = `healed-${randomUUID()}`;
let vkey: string;
/** What was done to which objects. */
let hit: { readonly overwritten: string; readonly hidden: string; readonly gone: string };

beforeAll(async () => {
  for (const Bucket of [damaged, healed]) await aws.s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  vkey = (await intact(['key'])).stdout.trim();
  for (let round = 0; round < 3; round++) await allSealed(); // of its own each: several segments and signatures
  expect((await intact(['pull', pulled])).code).toBe(0);
  const vault = directoryVault(pulled);
  const target = vaultTarget(s3Vault(s3(), { bucket: damaged, lockMode: 'COMPLIANCE', retentionDays: 1, unlockedTag: UNLOCKED_TAG }, () => new Date()));
  const names: string[] = [];
  for await (const name of vault.list?.('') ?? []) names.push(name);
  const segments = names.filter((name) => name.startsWith('segment/'));
  const size = Number(String(await vault.get('checkpoint')).split('\n')[1]);
  const index = Math.floor((size - 1) / TILE_WIDTH);
  const bundle = tilePath({ level: 'entries', index, width: size - index * TILE_WIDTH });
  hit = { overwritten: segments[0] as string, hidden: segments.at(-1) as string, gone: bundle };
  for (const name of names) if (name !== hit.gone) await target.write(name, (await vault.get(name)) as Buffer);
  await aws.s3.send(new PutObjectCommand({ Bucket: damaged, Key: hit.overwritten, Body: 'another' }));
  await aws.s3.send(new DeleteObjectCommand({ Bucket: damaged, Key: hit.hidden }));
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const json = <T>(stdout: string): T => JSON.parse(stdout) as T;
interface Report {
  readonly outcome: string;
  readonly repaired: readonly { readonly object: string; readonly fault: string; readonly from: readonly string[] }[];
  readonly refused: readonly { readonly object: string }[];
  readonly lost: readonly unknown[];
  readonly verified: { readonly findings: readonly unknown[]; readonly locks: { readonly wrong: number; readonly checked: number } } | null;
}

it('verification names what was done', async () => {
  const { code, stdout } = await intact(['verify', `s3://${damaged}`, '--vkey', vkey, '--no-memory', '--json']);
  const found = json<{ findings: { code: string; object: string }[] }>(stdout).findings.map((each) => `${each.code} ${each.object}`);
  expect(code).toBe(1);
  expect(found).toEqual(expect.arrayContaining([`second-version ${hit.overwritten}`, `segment-altered ${hit.overwritten}`, `delete-marker ${hit.hidden}`, `bundle-missing ${hit.gone}`, `lock-missing ${hit.overwritten}`]));
}, 60_000);

it('a plan says how each is repaired, and writes nothing', async () => {
  const { code, stdout } = await intact(['mend', `s3://${damaged}`, '--plan', '--vkey', vkey, '--json']);
  const { repaired, lost, outcome } = json<Report>(stdout);
  expect([code, lost, outcome]).toEqual([0, [], 'nothing']);
  expect([...repaired].sort((a, b) => (a.object < b.object ? -1 : 1))).toEqual(
    [
      { object: hit.overwritten, fault: 'overwritten', from: ['older-version'] },
      { object: hit.hidden, fault: 'hidden', from: ['older-version'] },
      { object: hit.gone, fault: 'absent', from: expect.arrayContaining(['other-form']) },
    ].sort((a, b) => (a.object < b.object ? -1 : 1)),
  );
}, 60_000);

it('a new bucket holds the healed vault, every object locked, and verifies clean', async () => {
  const { code, stdout, stderr } = await intact(['mend', `s3://${damaged}`, '--to', `s3://${healed}`, '--retention', '1', '--vkey', vkey, '--json']);
  const { outcome, verified } = json<Report>(stdout);
  expect({ code, outcome, findings: verified?.findings, wrong: verified?.locks.wrong, stderr }).toMatchObject({ code: 0, outcome: 'whole', findings: [], wrong: 0 });
  expect(verified?.locks.checked).toBeGreaterThan(3);
  const again = await intact(['verify', `s3://${healed}`, '--vkey', vkey, '--no-memory', '--json']);
  expect([again.code, json<{ findings: unknown[] }>(again.stdout).findings]).toEqual([0, []]);
}, 60_000);

it('in place the absent and the hidden can be read again; what was written over is named, and stays', async () => {
  const { code, stdout } = await intact(['mend', `s3://${damaged}`, '--in-place', '--retention', '1', '--vkey', vkey, '--json']);
  const { refused, outcome, repaired } = json<Report>(stdout);
  expect([code, outcome, refused, repaired.map(({ object }) => object).sort()]).toEqual([1, 'in-place', [{ object: hit.overwritten, fault: 'overwritten', why: 'locked' }], [hit.hidden, hit.gone].sort()]);
  const vault = directoryVault(pulled);
  const reader = s3Vault(s3(), { bucket: damaged, lockMode: 'COMPLIANCE', retentionDays: 1, unlockedTag: UNLOCKED_TAG }, () => new Date());
  for (const name of [hit.hidden, hit.gone]) expect(await reader.get(name)).toEqual(await vault.get(name));
  expect((await reader.get(hit.overwritten)).toString()).toBe('another');
  expect((await objectVersions(damaged, hit.hidden)).length).toBeGreaterThan(1);
}, 60_000);
