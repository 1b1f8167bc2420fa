/** The lock scan, on a bucket in memory that keeps versions and locks as S3 does: every version of every write-once name is held against what was promised. */
import { versionedVault, type VersionedVault } from '../../src/adapters/memory/versioned-vault';
import type { VersionFinding } from '../../src/core/verification-record';
import { vaultFindingImage } from '../../src/core/verification-record';
import { checkLocks, type LockPolicy, type LockSummary } from '../../src/operations/verify-locks';
import { VaultReadError, type ObjectLock } from '../../src/ports/vault-reader';
import { figure } from '../figures';

const DAY_MS = 86_400_000;
const policy: LockPolicy = { mode: 'COMPLIANCE', retentionDays: 10, snapshotRetentionDays: 3 };
const NAMES = [`segment/${'0'.repeat(20)}/${'a'.repeat(64)}`, `blob/${'b'.repeat(64)}`, 'snapshot/7/manifest-1', 'checkpoints/7', 'report/1', 'tile/0/000', 'tile/entries/x001/000'];

function filled(): VersionedVault & { readonly pass: (days: number) => void; readonly at: () => Date } {
  let now = Date.UTC(2026, 0, 1);
  const at = (): Date => new Date(now);
  const bucket = versionedVault(policy, at);
  for (const name of [...NAMES, 'checkpoint', 'log.vkeys', 'tile/0/001.p/7']) bucket.byHand.put(name, Buffer.from(name));
  return { ...bucket, at, pass: (days) => void (now += days * DAY_MS) };
}
async function scan({ reader }: VersionedVault, against: LockPolicy | undefined = policy): Promise<{ readonly summary: LockSummary; readonly findings: readonly VersionFinding[]; readonly told: readonly string[] }> {
  const findings: VersionFinding[] = [];
  const summary = await checkLocks(reader.locks, against, (found) => findings.push(found));
  return { summary, findings, told: findings.map(({ code, object }) => `${code} ${object}`).sort() };
}
const lockFor = (from: Date, days: number, mode: ObjectLock['mode'] = 'COMPLIANCE'): ObjectLock => ({ mode, retainUntil: new Date(from.getTime() + days * DAY_MS) });

test('a vault locked as promised is clean, long after its locks have ended too', async () => {
  const bucket = filled();
  for (const days of [0, 5, 400]) {
    bucket.pass(days);
    expect(await scan(bucket)).toMatchObject({ told: [], summary: { checked: NAMES.length, wrong: 0, mode: 'COMPLIANCE', shortestDays: 11, policy } });
  }
});

test('each fault of a lock is named, on each kind of write-once name', async () => {
  let tried = 0;
  for (const name of NAMES) {
    const promised = name.startsWith('snapshot/') ? 3 : 10;
    for (const [fault, lockOf] of [
      ['lock-missing', () => 'none' as const],
      ['lock-shortened', (at: Date) => lockFor(at, promised - 0.01)],
      ['lock-wrong-mode', (at: Date) => lockFor(at, promised, 'GOVERNANCE')],
    ] as const) {
      const bucket = filled();
      bucket.byHand.relock(name, lockOf(bucket.at()));
      const { told, summary } = await scan(bucket);
      expect([told, summary.wrong]).toEqual([[`${fault} ${name}`], 1]);
      tried++;
    }
  }
  figure('locks shortened, removed or of the wrong mode, on each kind of object', `${tried} tried, ${tried} found and named`);
});

test('a version that is wrong in two ways is two findings and one wrong version', async () => {
  const bucket = filled();
  bucket.byHand.relock('report/1', lockFor(bucket.at(), 1, 'GOVERNANCE'));
  expect(await scan(bucket)).toMatchObject({ told: ['lock-shortened report/1', 'lock-wrong-mode report/1'], summary: { wrong: 1, mode: 'mixed', shortestDays: 1 } });
});

test('an older version is held to the promise like the latest, and a finding about it is another one', async () => {
  const bucket = filled();
  bucket.byHand.relock('report/1', 'none');
  bucket.byHand.put('report/1', Buffer.from('another'));
  const hidden = await scan(bucket);
  expect(hidden).toMatchObject({ told: ['lock-missing report/1', 'second-version report/1'], summary: { checked: NAMES.length + 1, wrong: 1 } });
  bucket.byHand.relock('report/1', 'none');
  const both = await scan(bucket);
  expect(both.told).toEqual(['lock-missing report/1', 'lock-missing report/1', 'second-version report/1']);
  const keys = both.findings.map((found) => vaultFindingImage(found, 'system', '2026-01-01T00:00:00.000Z')['pk']);
  expect(new Set(keys.map((pk) => JSON.stringify(pk))).size).toBe(3);
});

test('a third version is no second finding; one that hides under a marker is looked at all the same', async () => {
  const bucket = filled();
  bucket.byHand.put('report/1', Buffer.from('2'));
  bucket.byHand.put('report/1', Buffer.from('3'), 'none');
  bucket.byHand.hide('report/1');
  expect((await scan(bucket)).told).toEqual(['delete-marker report/1', 'lock-missing report/1', 'second-version report/1']);
});

test('what was put back over a delete marker is told apart from what was written over, and both say what to do next', async () => {
  const bucket = filled();
  bucket.byHand.hide('report/1');
  const details = async (): Promise<readonly string[]> => (await scan(bucket)).findings.map(({ code, detail }) => `${code}: ${detail}`);
  expect(await details()).toEqual([expect.stringMatching(/^delete-marker: .*nobody reads it.*runbook\.md#vault-damaged/)]);
  bucket.byHand.put('report/1', Buffer.from('report/1'));
  expect(await details()).toEqual([expect.stringMatching(/^second-version: it was put again over a delete marker.*runbook\.md#vault-damaged/), expect.stringMatching(/^delete-marker: .*can be read again.*runbook\.md#vault-damaged/)]);
  bucket.byHand.put('checkpoints/7', Buffer.from('checkpoints/8'));
  expect((await details())[0]).toMatch(/^second-version: it has 2 versions.*the oldest/);
});

test('names that may change may have versions, markers and no locks', async () => {
  const bucket = filled();
  for (const name of ['checkpoint', 'log.vkeys', 'tile/0/001.p/7']) {
    bucket.byHand.put(name, Buffer.from('2'));
    bucket.byHand.hide(name);
  }
  expect((await scan(bucket)).told).toEqual([]);
});

test('without a policy the presence of a lock is all that is asked', async () => {
  const bucket = filled();
  bucket.byHand.relock('report/1', lockFor(bucket.at(), 0, 'GOVERNANCE'));
  bucket.byHand.relock('checkpoints/7', 'none');
  const { told, summary } = await checkedWithoutPolicy(bucket);
  expect(told).toEqual(['lock-missing checkpoints/7']);
  expect(summary).toMatchObject({ wrong: 1, policy: null });
});
const checkedWithoutPolicy = async ({ reader }: VersionedVault): ReturnType<typeof scan> => {
  const findings: VersionFinding[] = [];
  const summary = await checkLocks(reader.locks, undefined, (found) => findings.push(found));
  return { summary, findings, told: findings.map(({ code, object }) => `${code} ${object}`) };
};

describe('a snapshot', () => {
  const name = 'snapshot/7/manifest-1';

  test('may be expired once its lock has ended, and its version and its marker may go after it', async () => {
    const bucket = filled();
    bucket.pass(4);
    bucket.byHand.hide(name);
    expect((await scan(bucket)).told).toEqual([]);
    const gone = filled();
    gone.byHand.lose(name);
    gone.byHand.hide(name); // the marker alone
    expect((await scan(gone)).told).toEqual([]);
  });

  test('put again where one had expired has nothing to do with the marker beneath it', async () => {
    const bucket = filled();
    bucket.byHand.lose(name);
    bucket.byHand.hide(name);
    bucket.pass(1);
    bucket.byHand.put(name, Buffer.from('again'));
    expect((await scan(bucket)).told).toEqual([]);
  });

  test('hidden while it is locked is a finding, for ever', async () => {
    const bucket = filled();
    bucket.pass(3.9);
    bucket.byHand.hide(name);
    for (const days of [0, 10]) {
      bucket.pass(days);
      expect((await scan(bucket)).told).toEqual([`delete-marker ${name}`]);
    }
  });

  test('that never had a lock was not expired by anybody entitled to', async () => {
    const bucket = filled();
    bucket.byHand.relock(name, 'none');
    bucket.pass(40);
    bucket.byHand.hide(name);
    expect((await scan(bucket)).told).toEqual([`delete-marker ${name}`, `lock-missing ${name}`]);
  });

  test('is held to the retention of everything else where it has none of its own', async () => {
    expect((await scan(filled(), { mode: 'COMPLIANCE', retentionDays: 10 })).told).toEqual([`lock-shortened ${name}`]);
  });

  test('lends its rule to nothing else: what is locked for longer and was hidden after its lock ended is a finding', async () => {
    const bucket = filled();
    bucket.pass(20);
    bucket.byHand.hide('report/1');
    expect((await scan(bucket)).told).toEqual(['delete-marker report/1']);
  });
});

test('a lock that could not be read ends the scan: nothing is known then', async () => {
  const bucket = filled();
  const locks = { ...bucket.reader.locks, lock: async () => Promise.reject(new VaultReadError('denied', 'no')) };
  await expect(checkLocks(locks, policy, () => undefined)).rejects.toMatchObject({ code: 'denied' });
});

test('a version that is gone by the time it is asked for is neither counted nor blamed', async () => {
  const bucket = filled();
  const locks = { ...bucket.reader.locks, lock: async ({ name, version }: { name: string; version: string }) => (name === 'report/1' ? ('absent' as const) : bucket.reader.locks.lock({ name, version })) };
  const findings: VersionFinding[] = [];
  expect(await checkLocks(locks, policy, (found) => findings.push(found))).toMatchObject({ checked: NAMES.length - 1, wrong: 0 });
  expect(findings).toEqual([]);
});
