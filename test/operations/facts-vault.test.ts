/** A replica read as it lies there: the facts alone give the very bundles and hashes the vault had, and nothing that the signed root does not vouch for. */
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { naiveRoot } from '../naive-log';
import { entryStarts } from '../../src/core/log/bundle';
import { parseOwnCheckpoint } from '../../src/core/log/checkpoint';
import { factsVault, wholeVault } from '../../src/operations/facts-vault';
import { publishedCheckpoint, publishedEntries, ReplayError, type PublishedLog } from '../../src/operations/published-entries';
import { forEachSeed } from '../seeds';
import { makeWorld, type World } from '../world';
import { factsOf, flipped, lived } from './facts-world';

const entriesIn = async (vault: PublishedLog): Promise<readonly Buffer[]> => {
  const found: Buffer[] = [];
  for await (const { entries } of publishedEntries(vault, await publishedCheckpoint(vault))) found.push(...entries.map((entry) => Buffer.from(entry)));
  return found;
};

/** A log of three rounds, each signed: of 5, 6 and 7 entries. */
async function threeRounds(): Promise<World> {
  const world = await makeWorld({ seed: 3 });
  for (const n of [5, 6, 7]) {
    const first = world.stream.length;
    for (let i = 0; i < n; i++) await world.write(world.message(`${first + i}`));
    await world.seal(world.stream.slice(first));
    await world.publish();
  }
  return world;
}
const segmentAt = (facts: ReadonlyMap<string, Buffer>, from: number): string => [...facts.keys()].find((name) => name.startsWith(`segment/${String(from).padStart(20, '0')}`)) as string;

describe('facts alone, read as a vault', () => {
  test('give every entry of the log in its order, whoever raced', async () => {
    await forEachSeed('replicas read', 8, async (seed) => {
      const world = await lived(seed, seed % 2 === 0 ? 40 : 300);
      const read = await entriesIn(await factsVault(memoryVaultReader(factsOf(world))));
      expect(read.map(String)).toEqual(world.entries().map(({ bytes }) => bytes.toString()));
      expect(naiveRoot(read)).toEqual(world.log.tables.head?.root);
    });
  });

  test('serve each bundle and tile of leaves as the vault had it, and the facts themselves', async () => {
    const world = await lived(5, 600);
    const vault = await factsVault(memoryVaultReader(factsOf(world)));
    const current = [...world.vault.objects].filter(([name]) => /^tile\/(0|entries)\//.test(name) || name === 'checkpoint' || name === 'log.vkeys' || name.startsWith('segment/'));
    expect(current.filter(([name]) => /^tile\/entries\/\d{3}$/.test(name)).length).toBeGreaterThan(1);
    for (const [name, bytes] of current) expect([name, String(await vault.get(name))]).toEqual([name, bytes.toString()]);
    for (const absent of ['tile/1/000', 'tile/0/009', 'tile/entries/009', 'tile/entries/002.p/255', 'blob/none', 'tile/entries/x000']) expect([absent, await vault.get(absent)]).toEqual([absent, 'absent']);
  });

  test('end at the newest signed size that the segments lead to', async () => {
    const world = await threeRounds();
    const facts = factsOf(world);
    const progress: string[] = [];
    facts.set(segmentAt(facts, 11), Buffer.from('changed'));
    const vault = await factsVault(memoryVaultReader(facts), { onProgress: (entries, of) => progress.push(`${entries}/${of}`) });
    expect((await publishedCheckpoint(vault)).size).toBe(11);
    expect(await entriesIn(vault)).toHaveLength(11);
    expect(progress).toEqual(['0/18', '5/18', '11/18']);
    // The signed copy itself is late, or gone: what it would have covered is not there yet.
    const behind = factsOf(world);
    behind.delete('checkpoints/18');
    expect((await publishedCheckpoint(await factsVault(memoryVaultReader(behind)))).size).toBe(11);
  });

  test('that change after they were found are refused, never served', async () => {
    const world = await threeRounds();
    const facts = factsOf(world);
    const name = segmentAt(facts, 5);
    const genuine = facts.get(name) as Buffer;
    expect(await entriesIn(await factsVault(changing(facts, name, genuine)))).toHaveLength(18);
    for (const later of ['absent', Buffer.from('short'), flipped(genuine)] as const) {
      await expect(entriesIn(await factsVault(changing(facts, name, later)))).rejects.toMatchObject({ name: 'ReplayError', code: 'damaged' });
    }
    // One entry fewer is no bundle any more, not a shorter one.
    const starts = entryStarts(genuine);
    const vault = await factsVault(changing(facts, name, genuine.subarray(0, starts.at(-2))));
    expect([await vault.get('tile/entries/000.p/18'), await vault.get('tile/0/000.p/18')]).toEqual(['absent', 'absent']);
  });

  test('without keys, under a stranger\'s, or without any signed size are refused', async () => {
    const [facts, others] = [factsOf(await threeRounds()), factsOf(await makeWorld({ seed: 9 }))];
    const without = (...gone: RegExp[]): Map<string, Buffer> => new Map([...facts].filter(([name]) => !gone.some((each) => each.test(name))));
    const refusal = async (of: Map<string, Buffer>): Promise<string> => factsVault(memoryVaultReader(of)).then(() => 'read', (error: unknown) => (error instanceof ReplayError ? error.code : String(error)));
    expect(await refusal(without(/^log\.vkeys$/))).toBe('no-log');
    expect(await refusal(without(/^checkpoints\//))).toBe('no-log');
    expect(await refusal(new Map([...facts, ['log.vkeys', others.get('log.vkeys') as Buffer]]))).toBe('no-log');
    expect(await refusal(without(/^segment\//, /^checkpoints\/0$/))).toBe('damaged');
  });
});

describe('a vault that is whole', () => {
  test('is read as it is, and so is what cannot be listed', async () => {
    const { objects } = (await threeRounds()).vault;
    const reader = memoryVaultReader(objects);
    expect(await wholeVault(reader)).toBe(reader);
    const unlisted = { get: async () => 'absent' as const };
    expect(await wholeVault(unlisted)).toBe(unlisted);
  });

  test('is made of the facts where somebody put an old checkpoint beside newer ones, and not for what nobody signed', async () => {
    const world = await threeRounds();
    const { objects } = world.vault;
    const old = new Map([...objects, ['checkpoint', objects.get('checkpoints/11') as Buffer]]);
    const vault = await wholeVault(memoryVaultReader(old));
    expect((await publishedCheckpoint(vault)).size).toBe(18);
    expect(await entriesIn(vault)).toHaveLength(18);
    const stated = memoryVaultReader(new Map([...objects, ['checkpoints/99', Buffer.from('junk')]]));
    expect(await wholeVault(stated)).toBe(stated);
    // Where the facts do not lead as far, bundles may.
    const short = memoryVaultReader(new Map([...old].filter(([name]) => !name.startsWith('segment/') || name === segmentAt(old, 0))));
    const none = memoryVaultReader(new Map([...old].filter(([name]) => !name.startsWith('segment/'))));
    for (const reader of [short, none]) expect(await wholeVault(reader)).toBe(reader);
    const unreadable = memoryVaultReader(new Map([...objects, ['checkpoint', Buffer.from('junk')]]));
    expect(await wholeVault(unreadable)).toBe(unreadable);
  });

  test('is made of the facts where there is no checkpoint', async () => {
    const world = await threeRounds();
    const bytes = await (await wholeVault(memoryVaultReader(factsOf(world)))).get('checkpoint');
    expect(parseOwnCheckpoint(bytes as Buffer).checkpoint.size).toBe(18);
  });
});

/** Gives `name` as it is the first time it is read, and `later` ever after. */
function changing(facts: ReadonlyMap<string, Buffer>, name: string, later: Buffer | 'absent'): PublishedLog {
  const reader = memoryVaultReader(facts);
  let reads = 0;
  return { ...reader, get: async (each) => (each === name && reads++ > 0 ? later : reader.get(each)) };
}
