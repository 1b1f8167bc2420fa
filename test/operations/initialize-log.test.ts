/** Initializing: once, whoever asks and how often, and never a second log in one vault. */
import { memoryKeyService, memorySigner } from '../../src/adapters/memory/keys';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { seededSchedule } from '../../src/adapters/memory/schedule';
import { initializeLog } from '../../src/operations/initialize-log';
import { loadSecrets } from '../../src/operations/load-secrets';
import { verifyVault } from '../../src/operations/verify-vault';
import { forEachSeed } from '../seeds';
import { makeWorld, type World } from '../world';

async function emptied(seed: number): Promise<World> {
  const world = await makeWorld({ seed });
  for (const map of [world.keys.secrets, world.vault.objects]) map.clear();
  world.log.tables.head = undefined;
  world.log.tables.identity = undefined;
  return world;
}

describe('initializing the log', () => {
  test('makes an empty, signed, verifiable log under the given prefix', async () => {
    const world = await makeWorld({ seed: 1 });
    expect(world.identity.origin).toMatch(/^example\.com\/test\/[0-9a-f]{16}$/);
    expect([...world.vault.objects.keys()].sort()).toEqual(['checkpoint', 'checkpoints/0', 'log.vkeys']);
    expect(world.check()).toEqual([]);
    const report = await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] });
    expect(report).toMatchObject({ ok: true, size: 0, origin: world.identity.origin });
  });

  test('changes nothing when done again, though prefix and signer are others', async () => {
    const world = await makeWorld({ seed: 2 });
    const before = [new Map(world.vault.objects), new Map(world.keys.secrets), { ...world.log.tables }];
    expect(await initializeLog({ ...world, signer: memorySigner(world) }, 'example.org/other')).toEqual(world.identity);
    expect([new Map(world.vault.objects), new Map(world.keys.secrets), { ...world.log.tables }]).toEqual(before);
  });

  test('makes one log when several do it at once', async () => {
    await forEachSeed('simultaneous initializations', 15, async (seed) => {
      const world = await emptied(seed);
      const schedule = seededSchedule(seed);
      const turns = async (): Promise<undefined> => schedule.turn().then(() => undefined);
      const results = await schedule.run([1, 2, 3].map((i) => () => initializeLog(world.process(turns).ports, `example.com/${i}`)));
      const origins = results.map((result) => (result.status === 'fulfilled' ? result.value.origin : String(result.reason)));
      expect(origins).toEqual(origins.map(() => world.log.tables.identity?.origin));
      expect((await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] })).findings).toEqual([]);
      await world.beat();
      await world.seal();
      await world.publish();
    });
  });

  test('is refused where the vault has a log that the log table does not know', async () => {
    const world = await makeWorld({ seed: 3 });
    world.log.tables.identity = undefined;
    world.log.tables.head = undefined;
    const objects = new Map(world.vault.objects);
    await expect(initializeLog(world, 'example.com/test')).rejects.toMatchObject({ code: 'not-initialized' });
    expect(new Map(world.vault.objects)).toEqual(objects);
    expect(world.log.tables.identity).toBeUndefined();
  });

  test('is refused a prefix no checkpoint could bear', async () => {
    const world = await emptied(4);
    await expect(initializeLog(world, 'with spaces')).rejects.toThrow(RangeError);
    expect(world.log.tables.identity).toBeUndefined();
  });
});

describe('secrets', () => {
  test('are unwrapped once a container, and asked for again after a failure', async () => {
    const world = await makeWorld({ seed: 5 });
    const process = world.process(({ index }) => (index === 1 ? 'throttle' : undefined));
    const secrets = loadSecrets(process.ports);
    await expect(secrets.kek()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await Promise.all([secrets.kek(), secrets.kek()])).toEqual([{ generation: 1, key: world.kek }, { generation: 1, key: world.kek }]);
    expect(process.calls.map(({ method }) => method)).toEqual(['getSecret', 'unwrap', 'getSecret', 'unwrap']);
    expect(await secrets.macKeys()).toEqual([world.macKey]);
    expect(await secrets.dedupeKey()).toHaveLength(32);
  });

  test('wrapped in another region open where the key is a replica, as in the second region when the first is lost', async () => {
    const world = await makeWorld({ seed: 6 });
    expect(await loadSecrets({ ...world, keyService: { ...world.keyService, region: 'elsewhere' } }).kek()).toEqual({ generation: 1, key: world.kek });
  });

  test('that are missing, or wrapped for another region by a key that is no relative, are said to be so', async () => {
    const world = await makeWorld({ seed: 6 });
    const strange = memoryKeyService({ random: world.random, region: 'elsewhere' });
    await expect(loadSecrets({ ...world, keyService: strange }).kek()).rejects.toThrow('not wrapped for elsewhere, only for memory-1');
    const damaged = memoryKeyService({ random: world.random, region: 'memory-1' });
    await expect(loadSecrets({ ...world, keyService: damaged }).kek()).rejects.toThrow('this is not a ciphertext of the secret kek');
    world.keys.secrets.clear();
    await expect(loadSecrets(world).kek()).rejects.toThrow('run initialize-log');
  });
});
