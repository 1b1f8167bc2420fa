import { memorySigner } from '../../src/adapters/memory/keys';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { versionedVault } from '../../src/adapters/memory/versioned-vault';
import { stringOf, type Image } from '../../src/core/image';
import { toBase64 } from '../../src/core/log/base64';
import { decodeEntries, encodeEntries } from '../../src/core/log/bundle';
import { signCheckpoint } from '../../src/core/log/checkpoint';
import { leafHash, rootOfLeaves } from '../../src/core/log/merkle';
import { verifierKey } from '../../src/core/log/vkey';
import { checkMac, withMac } from '../../src/core/record-mac';
import { makeWatch, verifyOnSchedule, MAX_FINDING_RECORDS } from '../../src/operations/verify-on-schedule';
import type { Signer } from '../../src/ports';
import { VaultReadError } from '../../src/ports/vault-reader';
import { makeWorld, type World } from '../world';

async function watched(seed: number) {
  const world = await makeWorld({ seed });
  await world.beat();
  await world.seal();
  await world.publish();
  const objects = new Map<string, Buffer>();
  for await (const name of world.vault.list('')) objects.set(name, (await world.vault.get(name)) as Buffer);
  const watch = makeWatch({ ...world, vault: memoryVaultReader(objects), lockPolicy: { mode: 'GOVERNANCE', retentionDays: 1 } });
  return { world, objects, verify: () => verifyOnSchedule(watch) };
}
async function ofKind({ records }: World, kind: string): Promise<Image[]> {
  const found: Image[] = [];
  for await (const image of records.scan({ kinds: [kind] })) found.push(image);
  return found;
}

test('a healthy vault leaves one verification that says so, in a record that is sealed like any other', async () => {
  const { world, verify } = await watched(1);
  const outcome = await verify();
  expect(outcome).toMatchObject({ ok: true, findings: 0, entries: 1 });
  const [record, ...others] = await ofKind(world, 'verification');
  expect(others).toEqual([]);
  expect(record).toMatchObject({ ok: { BOOL: true }, findings: { N: '0' }, size: { N: '1' }, subject: { S: world.identity.systemSubject } });
  expect(checkMac([world.macKey], record as Image)).toBe('valid');
  expect(await ofKind(world, 'finding')).toEqual([]);
  expect(world.meter.counts.get('VerificationCompleted')).toBe(1);
  expect(world.meter.counts.get('VerificationFindings')).toBeUndefined();
  await world.seal();
  expect(await ofKind(world, 'finding')).toEqual([]);
  expect(world.check({ published: false })).toEqual([]);
});

test('a damaged object becomes a finding, once, however often it is found', async () => {
  const { world, objects, verify } = await watched(2);
  const name = [...objects.keys()].find((each) => each.startsWith('tile/entries/')) as string;
  const bytes = objects.get(name) as Buffer;
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  const first = await verify();
  expect(first).toMatchObject({ ok: false });
  const findings = await ofKind(world, 'finding');
  expect(findings).toHaveLength(first.findings);
  expect(findings.map((finding) => stringOf(finding, 'object'))).toContain(name);
  await world.sleep(60_000);
  await verify();
  expect(await ofKind(world, 'finding')).toEqual(findings);
  expect(await ofKind(world, 'verification')).toHaveLength(2);
  expect(world.meter.counts.get('VerificationFindings')).toBe(2 * first.findings);
  await world.seal();
  expect(await ofKind(world, 'finding')).toEqual(findings);
});

test('locks that are not as promised are counted by version, and 0 is told too; each is a finding that names its version', async () => {
  const { world, objects } = await watched(30);
  const lockPolicy = { mode: 'COMPLIANCE', retentionDays: 5, snapshotRetentionDays: 2 } as const;
  const bucket = versionedVault(lockPolicy, world.now);
  for (const [name, bytes] of objects) bucket.byHand.put(name, bytes);
  const watch = makeWatch({ ...world, vault: bucket.reader, lockPolicy });
  expect(await verifyOnSchedule(watch)).toMatchObject({ ok: true });
  expect(world.meter.counts.get('LocksWrong')).toBe(0);
  const [name] = [...objects.keys()].filter((each) => each.startsWith('segment/')) as [string];
  bucket.byHand.relock(name, 'none');
  bucket.byHand.put(name, objects.get(name) as Buffer);
  bucket.byHand.relock(name, { mode: 'GOVERNANCE', retainUntil: new Date(world.now().getTime() + 1) });
  await world.sleep(60_000);
  await verifyOnSchedule(watch);
  expect(world.meter.counts.get('LocksWrong')).toBe(2);
  const findings = (await ofKind(world, 'finding')).map((each) => [stringOf(each, 'code'), stringOf(each, 'object'), stringOf(each, 'version') !== undefined]);
  expect(findings.sort()).toEqual(['lock-missing', 'lock-shortened', 'lock-wrong-mode', 'second-version'].map((code) => [code, name, true]));
});

test('a vault rolled back to an earlier, sound state is found by what the last verification saw', async () => {
  const { world, objects, verify } = await watched(3);
  const earlier = new Map(objects);
  await verify();
  await world.seal();
  await world.publish();
  objects.clear();
  for await (const name of world.vault.list('')) objects.set(name, (await world.vault.get(name)) as Buffer);
  await world.sleep(60_000);
  expect(await verify()).toMatchObject({ ok: true, entries: 2 });
  objects.clear();
  for (const [name, bytes] of earlier) objects.set(name, bytes);
  await world.sleep(60_000);
  expect(await verify()).toMatchObject({ ok: false });
  expect((await ofKind(world, 'finding')).map((finding) => stringOf(finding, 'code'))).toContain('memory-rolled-back');
});

test('a verification somebody wrote by hand is not believed', async () => {
  const { world, verify } = await watched(4);
  await verify();
  const [record] = await ofKind(world, 'verification');
  const now = world.now().toISOString();
  world.records.byHand.put({ ...(record as Image), sk: { S: `${now.slice(0, 10)}T23:59:59.000Z` }, provenSize: { N: '999' } });
  world.records.byHand.put({ ...(record as Image), sk: { S: '2099-01-01T00:00:00.000Z' }, provenSize: { N: '999' } });
  await world.sleep(60_000);
  expect(await verify()).toMatchObject({ ok: true });
  expect(world.meter.counts.get('RecordMacInvalid')).toBe(1);
});

describe('what is remembered', () => {
  const codes = async (world: World): Promise<(string | undefined)[]> => (await ofKind(world, 'finding')).map((each) => stringOf(each, 'code'));
  const pull = async (world: World, objects: Map<string, Buffer>): Promise<void> => {
    objects.clear();
    for await (const name of world.vault.list('')) objects.set(name, (await world.vault.get(name)) as Buffer);
  };
  const putBack = (objects: Map<string, Buffer>, to: ReadonlyMap<string, Buffer>): void => {
    objects.clear();
    for (const [name, bytes] of to) objects.set(name, bytes);
  };
  /** The first entry nine times, as a tree that agrees with itself. */
  const forgedTree = (objects: ReadonlyMap<string, Buffer>): { readonly bundle: Buffer; readonly leaves: Buffer } => {
    const [entry] = decodeEntries(objects.get('tile/entries/000.p/1') as Buffer) as [Buffer];
    const entries = Array.from({ length: 9 }, () => entry);
    return { bundle: encodeEntries(entries), leaves: Buffer.concat(entries.map(leafHash)) };
  };
  /** A checkpoint of this log at size 9, signed by `signer`. */
  const stating = async ({ identity }: World, root: Buffer, signer: Pick<Signer, 'sign' | 'publicKey'>): Promise<Buffer> =>
    signCheckpoint({ origin: identity.origin, size: 9, root, extensions: [] }, verifierKey(identity.origin, await signer.publicKey()), (bytes) => signer.sign(bytes));

  test.each([
    ["whose signature is another key's", (world: World, root: Buffer) => stating(world, root, memorySigner(world)), 'checkpoint-untrusted-key'],
    ['whose signature is over another text', async (world: World, root: Buffer) => Buffer.from((await stating(world, Buffer.alloc(32), world.signer)).toString().replace(toBase64(Buffer.alloc(32)), toBase64(root))), 'checkpoint-bad-signature'],
    ['whose root the entries do not have', (world: World) => stating(world, Buffer.alloc(32), world.signer), 'root-mismatch'],
  ])('is never a checkpoint %s: it would accuse the sound log of a rollback', async (_which, forge, code) => {
    const { world, objects, verify } = await watched(20);
    const sound = new Map(objects);
    const { bundle, leaves } = forgedTree(objects);
    // No signed copy to fall back on, and a tree as large as the forged checkpoint says: that is what there is to verify.
    for (const name of [...objects.keys()]) if (name.startsWith('checkpoints/')) objects.delete(name);
    objects.set('tile/entries/000.p/9', bundle);
    objects.set('tile/0/000.p/9', leaves);
    objects.set('checkpoint', await forge(world, rootOfLeaves(leaves)));
    await verify();
    expect(await codes(world)).toContain(code);
    const [record] = await ofKind(world, 'verification');
    expect(record).toMatchObject({ ok: { BOOL: false }, size: { N: '9' } });
    expect(record).not.toHaveProperty('provenSize');
    putBack(objects, sound);
    await world.sleep(60_000);
    expect(await verify()).toMatchObject({ ok: true, entries: 1 });
  });

  test('is not a checkpoint whose entries are not all there, though the tiles above them are', async () => {
    const { world, objects, verify } = await watched(21);
    objects.delete('tile/entries/000.p/1');
    for (const name of [...objects.keys()]) if (name.startsWith('segment/')) objects.delete(name);
    await verify();
    const [record] = await ofKind(world, 'verification');
    expect(record).toMatchObject({ size: { N: '1' } });
    expect(record).not.toHaveProperty('provenSize');
  });

  test('is a proven checkpoint also when something beside it is wrong: a stray object does not stop the memory', async () => {
    const { world, objects, verify } = await watched(22);
    objects.set('stranger', Buffer.from('x'));
    expect(await verify()).toMatchObject({ ok: false });
    expect((await ofKind(world, 'verification'))[0]).toMatchObject({ provenSize: { N: '1' } });
  });

  /** Two entries proven, then the vault put back to one. */
  async function rolledBack(seed: number) {
    const all = await watched(seed);
    const { world, objects, verify } = all;
    const earlier = new Map(objects);
    await verify();
    await world.seal();
    await world.publish();
    await pull(world, objects);
    await world.sleep(60_000);
    expect(await verify()).toMatchObject({ ok: true, entries: 2 });
    putBack(objects, earlier);
    return { ...all, day: () => world.sleep(24 * 3_600_000) };
  }

  test('is the largest ever proven, told from record to record, for as long as the log is smaller', async () => {
    const { world, verify, day } = await rolledBack(23);
    for (let i = 0; i < 3; i++) {
      await day();
      expect(await verify()).toMatchObject({ ok: false });
    }
    for (const record of (await ofKind(world, 'verification')).slice(1)) expect(record).toMatchObject({ provenSize: { N: '2' } });
    expect(await codes(world)).toContain('memory-rolled-back');
  });

  test('is not replaced by a log that contradicts it, however well signed: a fork is found again at every run', async () => {
    const { world, objects, verify } = await watched(24);
    await verify();
    const [record] = await ofKind(world, 'verification');
    // The same state of the vault, another past: as if the verification had seen another log under the same key.
    const forked = { ...(record as Image), provenRoot: { S: Buffer.alloc(32, 7).toString('base64') } };
    world.records.byHand.put(withMac(world.macKey, forked));
    for (let i = 0; i < 2; i++) {
      await world.sleep(60_000);
      expect(await verify()).toMatchObject({ ok: false });
    }
    expect((await ofKind(world, 'verification')).at(-1)).toMatchObject({ provenRoot: forked.provenRoot });
    expect(objects.size).toBeGreaterThan(0);
  });

  test('is read from the records of today and yesterday, however many there are', async () => {
    const { world, objects } = await watched(25);
    const asked: (string | undefined)[] = [];
    const read: string[] = [];
    const records = {
      ...world.records,
      partition: async function* (pk: string, prefix?: string) {
        asked.push(prefix);
        for await (const image of world.records.partition(pk, prefix)) {
          read.push(stringOf(image, 'sk') as string);
          yield image;
        }
      },
    };
    const watch = makeWatch({ ...world, records, vault: memoryVaultReader(objects), lockPolicy: { mode: 'GOVERNANCE', retentionDays: 1 } });
    for (let run = 0; run < 40; run++) {
      [asked.length, read.length] = [0, 0];
      await verifyOnSchedule(watch);
      if (run > 0) expect(asked).not.toContain(undefined);
      expect(read.length).toBeLessThanOrEqual(5);
      await world.sleep(6 * 3_600_000);
    }
  });

  test.each([
    ['there was no verification for a week', (_world: World, _record: Image) => undefined],
    ['the newest was damaged by hand', (world: World, record: Image) => world.records.byHand.put({ ...record, provenSize: { N: '0' } })],
    ['the newest was removed by hand', (world: World, record: Image) => world.records.byHand.remove({ pk: stringOf(record, 'pk') as string, sk: stringOf(record, 'sk') as string })],
  ])('is looked for among all of them where the newest do not tell: %s', async (_why, damage) => {
    const { world, verify, day } = await rolledBack(26);
    for (let i = 0; i < 7; i++) await day();
    expect(await verify()).toMatchObject({ ok: false });
    await day();
    damage(world, (await ofKind(world, 'verification')).at(-1) as Image);
    expect(await verify()).toMatchObject({ ok: false });
    expect((await ofKind(world, 'verification')).at(-1)).toMatchObject({ provenSize: { N: '2' } });
  });
});

test('a log signed by another key is found, whatever keys the vault itself names', async () => {
  const other = await watched(5);
  const { world } = await watched(6);
  const watch = makeWatch({ ...world, vault: memoryVaultReader(other.objects), lockPolicy: { mode: 'GOVERNANCE', retentionDays: 1 } });
  expect(await verifyOnSchedule(watch)).toMatchObject({ ok: false });
});

test('a vault that cannot be read leaves no record and no metric: its absence is the alarm', async () => {
  const { world } = await watched(7);
  const vault = {
    ...memoryVaultReader(new Map()),
    get: async () => {
      throw new VaultReadError('denied', 'no');
    },
  };
  await expect(verifyOnSchedule(makeWatch({ ...world, vault, lockPolicy: { mode: 'GOVERNANCE', retentionDays: 1 } }))).rejects.toBeInstanceOf(VaultReadError);
  expect(await ofKind(world, 'verification')).toEqual([]);
  expect(world.meter.counts.get('VerificationCompleted')).toBeUndefined();
});

test('a vault that is wrong all over leaves a bounded number of records and the whole count', async () => {
  const { world, objects, verify } = await watched(8);
  for (let i = 0; i < MAX_FINDING_RECORDS + 50; i++) objects.set(`stranger-${i}`, Buffer.from('x'));
  const outcome = await verify();
  expect(outcome.findings).toBe(MAX_FINDING_RECORDS + 50);
  expect(await ofKind(world, 'finding')).toHaveLength(MAX_FINDING_RECORDS);
});
