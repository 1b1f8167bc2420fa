/** Recovering the head: from the signed checkpoint and the segments alone, to exactly the log that was. */
import { seededSchedule } from '../../src/adapters/memory/schedule';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { headKey, emptyHead } from '../../src/core/head';
import { publishLog } from '../../src/operations/publish-log';
import { planRecovery, recoverHead, type RecoveryPlan } from '../../src/operations/recover-head';
import { sealRecords } from '../../src/operations/seal-records';
import { verifyVault } from '../../src/operations/verify-vault';
import type { Head } from '../../src/ports';
import { forEachSeed } from '../seeds';
import { makeWorld, type World } from '../world';

/** Published up to 5 entries, sealed up to 9, in three rounds of which two wait for the publisher. */
async function damaged(change: (world: World) => void, seed = 1): Promise<{ readonly world: World; readonly before: Head }> {
  const world = await makeWorld({ seed });
  for (const [n, isPublished] of [[5, true], [2, false], [2, false]] as const) {
    const first = world.stream.length;
    for (let i = 0; i < n; i++) await world.write(world.message(`${first + i}`));
    await world.seal(world.stream.slice(first));
    if (isPublished) await world.publish();
  }
  const before = world.log.tables.head as Head;
  change(world);
  return { world, before };
}

async function recover(world: World): Promise<RecoveryPlan> {
  const plan = await planRecovery(world);
  await recoverHead(world, plan);
  return plan;
}

/** As before the damage: the same head, nothing to seal again, and the log goes on. */
async function goesOn(world: World): Promise<void> {
  expect(await sealRecords(world.sealer(), world.stream)).toMatchObject({ sealed: 0 });
  await world.write(world.message('next'));
  await world.seal();
  await world.publish();
  expect(world.check()).toEqual([]);
  expect((await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] })).findings).toEqual([]);
}

describe('recovering the head', () => {
  test.each<[string, RecoveryPlan['found'], (world: World) => void]>([
    ['that is well', 'sound', () => undefined],
    ['that is gone', 'absent', (w) => void (w.log.tables.head = undefined)],
    ['that was forged', 'forged', (w) => void (w.log.tables.head = { ...(w.log.tables.head as Head), mac: Buffer.alloc(32) })],
    ['that was put back to the beginning', 'other', (w) => void (w.log.tables.head = emptyHead(headKey({ generation: 1, key: w.kek })))],
    ['with all rounds gone', 'absent', (w) => [w.log.tables.rounds.clear(), void (w.log.tables.head = undefined)]],
    ['with all marks gone', 'absent', (w) => [w.log.tables.marks.clear(), void (w.log.tables.head = undefined)]],
    ['with the whole log table gone', 'absent', (w) => [w.log.tables.rounds.clear(), w.log.tables.marks.clear(), void (w.log.tables.head = undefined), void (w.log.tables.identity = undefined)]],
    ['with a round that leads nowhere', 'sound', (w) => void w.log.tables.rounds.set(9, { from: 9, n: 1, segment: `segment/${'9'.padStart(20, '0')}/${'0'.repeat(64)}`, time: '2026-02-03T04:05:06.000Z' })],
    ['with a published round that was edited', 'sound', (w) => void w.log.tables.rounds.set(0, { from: 0, n: 9, segment: 'x', time: '' })],
    ['with a pending round that was edited', 'sound', (w) => void w.log.tables.rounds.set(5, { from: 5, n: 4, segment: 'x', time: '' })],
  ])('%s', async (_name, found, change) => {
    const { world, before } = await damaged(change);
    const plan = await recover(world);
    expect(plan.found).toBe(found);
    expect(plan.published).toBe(5);
    expect(world.log.tables.head?.size).toBe(before.size);
    expect(world.log.tables.head?.root.equals(before.root)).toBe(true);
    expect(world.log.tables.head?.mac.equals(before.mac)).toBe(true);
    expect(world.log.tables.identity?.origin).toBe(world.identity.origin);
    await goesOn(world);
  });

  test('writes nothing while it plans, and nothing it need not when it is done again', async () => {
    const { world } = await damaged((w) => void (w.log.tables.head = undefined));
    const plan = await planRecovery(world);
    expect(world.log.tables.head).toBeUndefined();
    expect(plan.rounds).toEqual([]);
    await recoverHead(world, plan);
    expect(await planRecovery(world)).toMatchObject({ found: 'sound', rounds: [] });
  });

  test('ignores what anybody may have put among the segments', async () => {
    const { world, before } = await damaged((w) => {
      w.log.tables.head = undefined;
      w.log.tables.rounds.clear();
      w.vault.objects.set(`segment/${'5'.padStart(20, '0')}/${'0'.repeat(64)}`, Buffer.from('\0\x02{}'));
      w.vault.objects.set(`segment/${'9'.padStart(20, '0')}/${'0'.repeat(64)}`, Buffer.from('\0\x09'));
      w.vault.objects.set('segment/x', Buffer.from(''));
    });
    expect(await recover(world)).toMatchObject({ orphans: 2 });
    expect(world.log.tables.head?.root.equals(before.root)).toBe(true);
    expect(await sealRecords(world.sealer(), world.stream)).toMatchObject({ sealed: 0 });
    await world.publish();
    expect(world.check()).toEqual([]);
  });

  test.each([
    ['with nothing sealed since', 0],
    ['with another history sealed since, shorter than the signed one', 1],
    ['with another history sealed since, longer than the signed one', 4],
  ])('takes back a head and a checkpoint that were put back together, %s: the signed history is the log, and what the other one sealed is sealed again', async (_name, sealedSince) => {
    const { world } = await damaged(() => undefined);
    const { tables } = world.log;
    const [head, checkpoint] = [tables.head as Head, world.vault.objects.get('checkpoint') as Buffer];
    const first = world.stream.length;
    for (let i = 0; i < 3; i++) await world.write(world.message(`signed ${i}`));
    await world.seal(world.stream.slice(first));
    await world.publish();
    const signed = tables.head as Head;
    [tables.head] = [head];
    tables.rounds.delete(head.size);
    for (const byRound of tables.marks.values()) byRound.delete(head.size);
    world.vault.objects.set('checkpoint', checkpoint);
    // Partial tiles are not locked either: with these gone, only the signed copy tells the two histories apart.
    for (const name of [...world.vault.objects.keys()]) if (name.endsWith(`.p/${signed.size}`)) world.vault.objects.delete(name);
    const fork = world.stream.length;
    for (let i = 0; i < sealedSince; i++) await world.write(world.message(`fork ${i}`));
    if (sealedSince > 0) await world.seal(world.stream.slice(fork));
    await expect(world.publish()).rejects.toMatchObject({ name: 'LogStopped' });

    const plan = await recover(world);
    expect(plan.head.root.equals(signed.root)).toBe(true);
    expect(await sealRecords(world.sealer(), world.stream)).toMatchObject({ sealed: sealedSince });
    await world.publish();
    expect(world.check()).toEqual([]);
    expect((await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] })).findings).toEqual([]);
  });

  test('is refused when no segments lead to a tree that was signed', async () => {
    const { world } = await damaged(() => undefined);
    const checkpoint = world.vault.objects.get('checkpoint') as Buffer;
    await world.publish();
    world.vault.objects.set('checkpoint', checkpoint);
    world.vault.objects.delete((world.log.tables.rounds.get(5) as { segment: string }).segment);
    await expect(planRecovery(world)).rejects.toMatchObject({ code: 'segment-damaged' });
  });

  test.each<[string, string, (world: World) => void]>([
    ['the checkpoint is signed by nobody', 'checkpoint-unsigned', (w) => void w.vault.objects.set('checkpoint', Buffer.from((w.vault.objects.get('checkpoint') as Buffer).toString().replace('\n5\n', '\n4\n')))],
    ['a published segment is gone', 'segment-damaged', (w) => [w.log.tables.rounds.clear(), void [...w.vault.objects.keys()].filter((name) => name.startsWith(`segment/${'0'.repeat(20)}`)).forEach((name) => w.vault.objects.delete(name))]],
    ['the tiles of the checkpoint are gone', 'tiles-damaged', (w) => void w.vault.objects.delete('tile/0/000.p/5')],
    ['tiles behind the checkpoint fit no segments', 'tiles-damaged', (w) => void w.vault.objects.set('tile/0/000.p/7', Buffer.alloc(7 * 32))],
  ])('is refused when %s', async (_name, code, change) => {
    const { world } = await damaged(change);
    await expect(planRecovery(world)).rejects.toMatchObject({ code });
  });

  test('finds a way among the segments of sealers that raced, and nothing is lost or doubled, though the whole log table is gone', async () => {
    await forEachSeed('lost log tables', 15, async (seed) => {
      const world = await makeWorld({ seed });
      for (let i = 0; i < 8; i++) await world.write(world.message(`${i}`));
      const schedule = seededSchedule(seed);
      const turns = async (): Promise<undefined> => schedule.turn().then(() => undefined);
      await schedule.run<unknown>([0, 2, 4].map((from) => () => sealRecords(world.sealer(world.process(turns)), world.stream.slice(from, from + 4))));
      if (seed % 3 > 0) {
        // A publisher died anywhere on its way: what it left must not be contradicted.
        const dying = world.process(({ index }) => (index === 6 + (seed % 9) ? 'kill-after' : undefined));
        await publishLog(world.publisher(dying)).catch(() => undefined);
      }
      const { tables } = world.log;
      tables.head = undefined;
      tables.identity = undefined;
      tables.rounds.clear();
      tables.marks.clear();
      await recover(world);
      await sealRecords(world.sealer(), world.stream);
      await world.publish();
      expect(world.check()).toEqual([]);
      expect((await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] })).findings).toEqual([]);
    });
  });
});
