import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { stringOf, type Image } from '../../src/core/image';
import { checkMac } from '../../src/core/record-mac';
import { makeWatch, verifyOnSchedule, MAX_FINDING_RECORDS } from '../../src/operations/verify-on-schedule';
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
  world.records.byHand.put({ ...(record as Image), sk: { S: '2099-01-01T00:00:00.000Z' }, size: { N: '999' } });
  await world.sleep(60_000);
  expect(await verify()).toMatchObject({ ok: true });
  expect(world.meter.counts.get('RecordMacInvalid')).toBe(1);
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
