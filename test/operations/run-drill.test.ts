/** The drill: a sound system has no differences, every difference is found, and whatever happens the scratch table is gone, now or at the next drill. */
import { FAULTS, Killed, type Fault } from '../../src/adapters/memory/process';
import { itemsOf } from '../../src/adapters/memory/restore-target';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { memoryScratchTable } from '../../src/adapters/memory/scratch-table';
import { keyOf, type Image } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { runResultIn } from '../../src/core/run-records';
import { REPLICA_BEHIND_AT_MOST_MS, restoreFromReplica, restoreFromVault, runDrill, type DrillDeps, type DrillOptions, type DrillReport } from '../../src/operations/run-drill';
import { PortError } from '../../src/ports';
import type { TableSettings } from '../../src/ports/restore-target';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { makeWorld, subjectNamed } from '../world';
import { populated, profile } from './audited-world';
import { drilledWorld, drillRecords, LIVE, type Drilled } from './drilled-world';
import { factsOf } from './facts-world';

const MINUTE_MS = 60_000;
test('a sound system restores to the last record, and the drill leaves a sealed record and no table', async () => {
  const drilled = await drilledWorld(1);
  await populated(drilled, 60);
  const report = await drilled.drill({ by: 'local:tester' });
  expect(report).toMatchObject({ ok: true, differences: 0, found: [], records: 60, newer: 0, size: 60 });
  expect([...drilled.tables.keys()]).toEqual(['records']);
  const [record, ...others] = await drillRecords(drilled);
  expect(others).toEqual([]);
  expect(runResultIn(record as Image)).toMatchObject({ ok: true, findings: 0, records: 60, size: 60, by: 'local:tester', target: 'records-drill-scratch' });
  expect(drilled.world.meter.counts.get('DrillCompleted')).toBe(1);
  expect(drilled.world.meter.counts.get('DrillDifferences')).toBeUndefined();
  expect(drilled.world.meter.gauges.get('RestoreSeconds')).toBe(report.restoreSeconds);
  await drilled.settle();
  expect(drilled.world.check()).toEqual([]);
});

test('a share is restored and compared alone, and the shares add up to the whole', async () => {
  const drilled = await drilledWorld(2);
  const images = await populated(drilled, 60);
  drilled.world.records.byHand.put({ ...images[3]!, text: { S: 'another' } });
  let [records, differences] = [0, 0];
  for (let number = 0; number < 3; number++) {
    const report = await drilled.drill({ share: { number, of: 3 } });
    records += report.records;
    differences += report.differences;
    drilled.world.advance(1);
  }
  expect([records, differences]).toEqual([60, 1]);
});

describe('every difference is found', () => {
  test.each<[string, string, (drilled: Drilled, images: readonly Image[]) => void]>([
    ['a changed record', 'modified', ({ world }, [image]) => world.records.byHand.put({ ...image!, text: { S: 'another' } })],
    ['a removed record', 'missing', ({ world }, [image]) => world.records.byHand.remove(keyOf(image!))],
    ['an item that is not ours', 'extra', ({ world }) => world.records.byHand.put({ ...world.message('planted'), text: { S: 'forged' } })],
  ])('%s of the live table', async (_what, kind, damage) => {
    const drilled = await drilledWorld(3);
    damage(drilled, await populated(drilled, 20));
    expect(await drilled.drill()).toMatchObject({ ok: false, differences: 1, found: [{ kind }] });
    expect(drilled.world.meter.counts.get('DrillDifferences')).toBe(1);
    expect(runResultIn((await drillRecords(drilled))[0] as Image)).toMatchObject({ ok: false, findings: 1 });
  });

  test.each<[string, (images: readonly Image[]) => readonly Image[], object]>([
    ['forgets a record', (images) => images.slice(1), { kind: 'not-restored' }],
    ['changes a record', ([first, ...rest]) => [{ ...first!, text: { S: 'another' } }, ...rest], { kind: 'modified' }],
    ['makes one up', (images) => [...images, { pk: { S: 'x' }, sk: { S: 'y' } }], { kind: 'missing' }],
  ])('of a restore that %s', async (_what, spoil, difference) => {
    const drilled = await drilledWorld(4);
    await populated(drilled, 20);
    const restore: DrillDeps['restore'] = async (target, share) => {
      const done = await drilled.drillDeps.restore(target, share);
      const images: Image[] = [];
      for await (const image of target.scan()) images.push(image);
      await target.remove(images.map(keyOf));
      await target.write(spoil(images));
      return done;
    };
    expect(await runDrill({ ...drilled.drillDeps, restore }, { lastsAtMostMs: MINUTE_MS })).toMatchObject({ differences: 1, found: [difference] });
  });

  test('of a restore that leaves a setting out, of each one', async () => {
    const wrong: Partial<Record<keyof TableSettings, TableSettings[keyof TableSettings]>> = { stream: null, expires: 'expiresAt', pointInTimeRecovery: false, encryptionKey: null, tags: [] };
    for (const [setting, value] of Object.entries(wrong)) {
      const drilled = await drilledWorld(5);
      await populated(drilled, 5);
      const restore: DrillDeps['restore'] = (target, share) => drilled.drillDeps.restore({ ...target, create: (settings) => target.create({ ...settings, [setting]: value }) }, share);
      expect(await runDrill({ ...drilled.drillDeps, restore }, { lastsAtMostMs: MINUTE_MS })).toMatchObject({ differences: 1, found: [{ kind: 'setting', setting }] });
    }
  });

  test('of a log with entries nobody can open any more', async () => {
    const drilled = await drilledWorld(6);
    await populated(drilled, 20);
    drilled.world.keys.subjects.delete(subjectNamed('customer 4'));
    expect(await drilled.drill()).toMatchObject({ ok: false, found: [{ kind: 'lost' }] });
  });
});

test('what the live table has newer is no difference, whoever writes meanwhile', async () => {
  await forEachSeed('drills under writers', 6, async (seed) => {
    const drilled = await drilledWorld(seed);
    const { world } = drilled;
    await populated(drilled, 30);
    let n = 0;
    const write = async (): Promise<void> => {
      await world.write(world.message(`meanwhile ${n}`));
      // One that bears an old time, as what waited in the inbox does.
      await world.write(withMac(world.macKey, { ...world.message(`late ${n}`), receivedAt: { S: '2026-01-01T00:00:00.000Z' } }));
      await world.records.replace(profile(world, 4, n + 2), n + 1);
      n += 1;
      if (n % 3 === seed % 3) await drilled.settle();
    };
    const restore: DrillDeps['restore'] = async (target, share) => {
      await write();
      const done = await drilled.drillDeps.restore(target, share);
      await write();
      return done;
    };
    const live = { ...drilled.drillDeps.live, scan: async function* () { yield* drilled.drillDeps.live.scan(); await write(); } };
    const report = await runDrill({ ...drilled.drillDeps, restore, live }, { lastsAtMostMs: MINUTE_MS });
    expect(report).toMatchObject({ ok: true, found: [] });
    expect(report.newer).toBeGreaterThan(0);
  });
});

describe('a drill from the replica', () => {
  /** The replica as it is now; `keys`: those of the second region. */
  const replicated = (drilled: Drilled, facts = factsOf(drilled.world), keys: Pick<DrillDeps, 'keys' | 'keyService'> = drilled.world): Pick<DrillDeps, 'replica'> => ({
    replica: restoreFromReplica({ ...drilled.drillDeps, ...keys, replica: memoryVaultReader(facts, 's3://replica') }),
  });
  const drill = (drilled: Drilled, replica = replicated(drilled), options: Partial<DrillOptions> = {}): Promise<DrillReport> =>
    runDrill({ ...drilled.drillDeps, vault: noVault, ...replica }, { from: 'replica', lastsAtMostMs: 15 * MINUTE_MS, ...options });
  /** What the comparison needs of the first region is its checkpoint; nothing else of it is read. */
  let readOfVault: string[];
  let noVault: DrillDeps['vault'];
  const sound = async (seed: number, n = 60): Promise<Drilled> => {
    const drilled = await drilledWorld(seed);
    readOfVault = [];
    noVault = { ...drilled.world.vault, get: (name) => (readOfVault.push(name), drilled.world.vault.get(name)) };
    await populated(drilled, n);
    return drilled;
  };

  test('restores every record from the facts alone, and says so in its result', async () => {
    const drilled = await sound(20);
    expect(await drill(drilled)).toMatchObject({ ok: true, from: 'replica', behind: 0, differences: 0, records: 60, size: 60 });
    expect(new Set(readOfVault)).toEqual(new Set(['log.vkeys', 'checkpoint']));
    expect(runResultIn((await drillRecords(drilled))[0] as Image)).toMatchObject({ ok: true, records: 60, target: 'records-drill-scratch, from the replica' });
    expect([...drilled.tables.keys()]).toEqual(['records']);
    expect((await drilled.drill()).from).toBe('vault');
  });

  test('uses the keys it is given and no others', async () => {
    const drilled = await sound(21);
    const keys = { ...drilled.world.keys, get: async () => 'absent' as const };
    expect(await drill(drilled, replicated(drilled, undefined, { ...drilled.world, keys }))).toMatchObject({ ok: false, records: 0, found: expect.arrayContaining([{ kind: 'lost', entries: 60 }]) as unknown });
  });

  test('that is some minutes behind has no differences for it; far behind, that is one', async () => {
    const drilled = await sound(22, 20);
    const then = factsOf(drilled.world);
    await drilled.world.write(drilled.world.message('since'), profile(drilled.world, 99, 1));
    await drilled.world.records.replace(profile(drilled.world, 4, 2), 1);
    await drilled.settle();
    drilled.world.advance(REPLICA_BEHIND_AT_MOST_MS - 1_000);
    expect(await drill(drilled, replicated(drilled, then))).toMatchObject({ ok: true, behind: 3, newer: 3, size: 20, records: 20 });
    drilled.world.advance(2_000);
    expect(await drill(drilled, replicated(drilled, then))).toMatchObject({ ok: false, differences: 1, behind: 3, found: [{ kind: 'behind', entries: 3, seconds: REPLICA_BEHIND_AT_MOST_MS / 1000 + 1 }] });
    // Caught up, it is sound again, however long the log was quiet.
    drilled.world.advance(24 * 60 * MINUTE_MS);
    await drilled.settle();
    expect(await drill(drilled)).toMatchObject({ ok: true, behind: 0 });
  });

  test('is held though somebody put junk where a replica has nothing, and what was passed over is a difference', async () => {
    const drilled = await sound(27, 20);
    const facts = factsOf(drilled.world).set('checkpoint', Buffer.from('junk'));
    expect(await drill(drilled, replicated(drilled, facts))).toMatchObject({ ok: false, differences: 1, records: 20, size: 20, found: [{ kind: 'doubt', object: 'checkpoint' }] });
  });

  test('is not held where the log table lacks the round that says how far it is behind', async () => {
    const drilled = await sound(26, 20);
    const then = factsOf(drilled.world);
    for (const text of ['one', 'two']) {
      await drilled.world.write(drilled.world.message(text));
      await drilled.settle();
      drilled.world.advance(REPLICA_BEHIND_AT_MOST_MS - 1_000);
    }
    const { rounds } = drilled.world.log.tables;
    expect(await drill(drilled, replicated(drilled, then))).toMatchObject({ ok: false, found: [{ kind: 'behind', entries: 2 }] });
    const drills = (await drillRecords(drilled)).length;
    // Without it the next one would make the replica young again, and without any there would be nothing to say.
    for (const gone of [20, 21]) {
      rounds.delete(gone);
      await expect(drill(drilled, replicated(drilled, then))).rejects.toMatchObject({ name: 'PortError', code: 'corrupt' });
    }
    expect((await drillRecords(drilled)).length).toBe(drills);
    expect([...drilled.tables.keys()]).toEqual(['records']);
  });

  test('finds what only the replica has wrong', async () => {
    const drilled = await sound(23, 20);
    const facts = factsOf(drilled.world);
    const segment = [...facts.keys()].find((name) => name.startsWith('segment/')) as string;
    facts.set(segment, Buffer.concat([facts.get(segment) as Buffer, Buffer.from('x')]));
    await expect(drill(drilled, replicated(drilled, facts))).rejects.toMatchObject({ name: 'RestoreError', code: 'before-first' });
    await expect(drill(drilled, replicated(drilled, new Map()))).rejects.toMatchObject({ name: 'ReplayError', code: 'no-log' });
    await expect(drill(drilled, replicated(drilled, factsOf(await makeWorld({ seed: 24 }))))).rejects.toMatchObject({ name: 'ReplayError', code: 'untrusted' });
    expect(await drillRecords(drilled)).toEqual([]);
    expect(drilled.world.meter.counts.get('DrillCompleted')).toBeUndefined();
  });

  test('is refused where there is no replica, before anything is made', async () => {
    const drilled = await sound(25, 5);
    await expect(drilled.drill({ from: 'replica' })).rejects.toMatchObject({ name: 'DrillError', code: 'no-replica' });
    expect([...drilled.tables.keys()]).toEqual(['records']);
  });
});

describe('the scratch table', () => {
  test('is dropped after a restore that failed in the middle', async () => {
    const drilled = await drilledWorld(7);
    await populated(drilled, 20);
    const restore: DrillDeps['restore'] = async (target, share) => {
      await drilled.drillDeps.restore(target, share);
      throw new PortError('unavailable', 'in the middle');
    };
    await expect(runDrill({ ...drilled.drillDeps, restore }, { lastsAtMostMs: MINUTE_MS })).rejects.toThrow('in the middle');
    expect([...drilled.tables.keys()]).toEqual(['records']);
    expect(await drillRecords(drilled)).toEqual([]);
    expect(drilled.world.meter.counts.get('DrillCompleted')).toBeUndefined();
  });

  test('of a drill that may still be at work is left alone, and dropped once its time is over', async () => {
    const drilled = await drilledWorld(8);
    await populated(drilled, 20);
    const restore: DrillDeps['restore'] = async (target, share) => {
      await drilled.drillDeps.restore(target, share);
      // Meanwhile a second one begins.
      await expect(drilled.drill()).rejects.toMatchObject({ name: 'DrillError', code: 'busy' });
      throw new Killed('here');
    };
    // Killed: nothing runs behind it any more.
    const left = memoryScratchTable(drilled.tables, 'records');
    await expect(runDrill({ ...drilled.drillDeps, restore, scratch: { ...left, discard: () => Promise.reject(new Killed('killed')) } }, { lastsAtMostMs: 15 * MINUTE_MS })).rejects.toThrow(Killed);
    expect([...drilled.tables.keys()]).toEqual(['records', 'records-drill-scratch']);
    drilled.world.advance(14 * MINUTE_MS);
    await expect(drilled.drill()).rejects.toMatchObject({ code: 'busy' });
    drilled.world.advance(2 * MINUTE_MS);
    expect(await drilled.drill()).toMatchObject({ ok: true, records: 20 });
    expect([...drilled.tables.keys()]).toEqual(['records']);
  });

  test('that cannot be dropped fails the drill, but what it found is on record', async () => {
    const drilled = await drilledWorld(9);
    await populated(drilled, 10);
    const scratch = { ...drilled.drillDeps.scratch, discard: () => Promise.reject(new PortError('denied', 'not yours')) };
    await expect(runDrill({ ...drilled.drillDeps, scratch }, { lastsAtMostMs: MINUTE_MS })).rejects.toMatchObject({ code: 'denied' });
    expect(runResultIn((await drillRecords(drilled))[0] as Image)).toMatchObject({ ok: true, records: 10 });
    expect(drilled.world.meter.counts.get('DrillCompleted')).toBe(1);
  });

  test('that another drill made a moment earlier is not dropped by this one', async () => {
    const drilled = await drilledWorld(10);
    await populated(drilled, 10);
    const restore: DrillDeps['restore'] = async (target, share) => {
      drilled.tables.set('records-drill-scratch', { settings: { ...LIVE, tags: ['intact:drill-begun=somebody else'] }, items: itemsOf(drilled.world.records) });
      return drilled.drillDeps.restore(target, share);
    };
    await expect(runDrill({ ...drilled.drillDeps, restore }, { lastsAtMostMs: MINUTE_MS })).rejects.toThrow();
    expect([...drilled.tables.keys()]).toEqual(['records', 'records-drill-scratch']);
  });

  test('has neither the deletion protection nor the tags that AWS keeps for itself', async () => {
    const drilled = await drilledWorld(11);
    await populated(drilled, 10);
    let made: TableSettings | 'absent' = 'absent';
    const restore: DrillDeps['restore'] = async (target, share) => {
      const done = await drilled.drillDeps.restore(target, share);
      made = await target.settings();
      return done;
    };
    await runDrill({ ...drilled.drillDeps, restore }, { lastsAtMostMs: MINUTE_MS });
    expect(made).toMatchObject({ deletionProtection: false, pointInTimeRecovery: true, stream: LIVE.stream });
    expect((made as unknown as TableSettings).tags.map((tag) => tag.split('=')[0])).toEqual(['intact:drill-begun', 'intact:drill-until', 'intact:restore', 'intact:stage']);
  });
});

describe('whatever call fails, and however', () => {
  const run = async (drilled: Drilled, onCall: (index: number) => Fault | undefined): Promise<number> => {
    const { world, drillDeps } = drilled;
    const opened = drillDeps.scratch.open();
    const process = world.process(({ index }) => onCall(index));
    // The tables, seen through the same glass: one process, one count of calls.
    const glass = <P extends object>(port: P): P => {
      const methods = Object.entries(port).filter(([, member]) => typeof member === 'function') as [string, (...args: unknown[]) => unknown][];
      return Object.fromEntries([...Object.entries(port), ...methods.map(([name, method]) => [name, name === 'scan' || name === 'open' ? method : async (...args: unknown[]) => {
        // A call before and one after, so that it fails on either side of its effect.
        await process.ports.signer.publicKey();
        const result = await method(...args);
        await process.ports.signer.publicKey();
        return result;
      }])]) as P;
    };
    const live = glass(drillDeps.live);
    const scratch = { ...glass(drillDeps.scratch), open: () => glass(opened) };
    const { records, log, vault, keys, keyService, signer } = process.ports;
    const deps = { ...drillDeps, records, log, vault, keys, keyService, signer, live };
    try {
      await runDrill({ ...deps, scratch, restore: restoreFromVault(deps) }, { lastsAtMostMs: 15 * MINUTE_MS });
    } catch (error) {
      if (!(error instanceof Killed || error instanceof PortError)) throw error;
    }
    await process.settle();
    return process.calls.length;
  };
  const story = async (): Promise<Drilled> => {
    const drilled = await drilledWorld(12);
    await populated(drilled, 12);
    return drilled;
  };

  test.each(FAULTS)('%s: the next drill is clean, and nothing is left behind', async (fault) => {
    const calls = await run(await story(), () => undefined);
    expect(calls).toBeGreaterThan(30);
    const step = process.env['INTACT_FULL'] === undefined ? 4 : 1;
    for (let at = FAULTS.indexOf(fault) % step; at < calls; at += step) {
      const drilled = await story();
      await run(drilled, (index) => (index === at ? fault : undefined));
      drilled.world.advance(16 * MINUTE_MS);
      expect(await drilled.drill()).toMatchObject({ ok: true, differences: 0, records: 12 });
      expect([at, [...drilled.tables.keys()]]).toEqual([at, ['records']]);
    }
  });
});

test('a drill over a large table has no differences', async () => {
  const size = process.env['INTACT_FULL'] === undefined ? 2_000 : 100_000;
  const drilled = await drilledWorld(13);
  const { world } = drilled;
  for (let from = 0; from < size; from += 1_000) {
    await world.write(...Array.from({ length: 1_000 }, (_, i) => withMac(world.macKey, { ...world.message(`message ${from + i}`), subject: { S: subjectNamed(`customer ${(from + i) % 997}`) } })));
    await drilled.settle();
  }
  const began = Date.now();
  const report = await drilled.drill();
  const seconds = (Date.now() - began) / 1000;
  expect(report).toMatchObject({ ok: true, differences: 0, records: size, newer: 0 });
  figure(`drill over ${size} records, in memory`, `${report.records} restored and compared, ${report.differences} differences, ${seconds.toFixed(1)} s (tables in memory: no network)`);
});
