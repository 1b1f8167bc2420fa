/** Keys of subjects in a container: made once, remembered for a while, never across an erasure for longer than that. */
import { KEY_CACHE_MS, subjectKeys } from '../../src/operations/subject-keys';
import { makeWorld, subjectNamed } from '../world';

const setUp = async () => {
  const world = await makeWorld({ seed: 1 });
  const process = world.process();
  const kek = { generation: 1, key: world.kek };
  return { world, process, keys: subjectKeys({ ...process.ports, kek: async () => kek }), alice: subjectNamed('alice') };
};

describe('keys of subjects', () => {
  test('are made at the first use, and read once for many uses at a time', async () => {
    const { world, process, keys, alice } = await setUp();
    const found = await Promise.all([keys.of(alice), keys.of(alice), keys.of(alice)]);
    expect(new Set(found).size).toBe(1);
    expect(process.calls.map(({ method }) => method)).toEqual(['get', 'create']);
    await keys.of(alice);
    expect(process.calls).toHaveLength(2);
    const reader = subjectKeys({ ...process.ports, kek: async () => ({ generation: 1, key: world.kek }) });
    expect(new Set(await Promise.all([reader.existing(alice), reader.existing(alice)])).size).toBe(1);
    expect(process.calls).toHaveLength(3);
  });

  test('are read again after five minutes, so that an erased one is used no longer', async () => {
    const { world, keys, alice } = await setUp();
    await keys.of(alice);
    world.keys.subjects.set(alice, 'erased');
    world.advance(KEY_CACHE_MS - 1);
    expect(typeof (await keys.of(alice))).toBe('object');
    world.advance(1);
    expect(await keys.of(alice)).toBe('erased');
    world.keys.subjects.delete(alice);
    expect(await keys.existing(alice)).toBe('absent');
  });

  test('are not made by a reader', async () => {
    const { world, keys, alice } = await setUp();
    expect(await keys.existing(alice)).toBe('absent');
    expect(world.keys.subjects.size).toBe(0);
    const made = await keys.of(alice);
    expect(await keys.existing(alice)).toBe(made);
  });

  test('are asked for again after a failure', async () => {
    const { world, alice } = await setUp();
    const process = world.process(({ index }) => (index === 0 ? 'throttle' : undefined));
    const keys = subjectKeys({ ...process.ports, kek: async () => ({ generation: 1, key: world.kek }) });
    await expect(keys.of(alice)).rejects.toMatchObject({ code: 'unavailable' });
    expect(typeof (await keys.of(alice))).toBe('object');
  });
});
