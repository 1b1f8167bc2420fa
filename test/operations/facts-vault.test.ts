/** A replica read as it lies there: the facts alone give the very bundles and hashes the vault had, and nothing that the signed root does not vouch for. */
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { naiveRoot } from '../naive-log';
import { entryStarts } from '../../src/core/log/bundle';
import { parseOwnCheckpoint, signCheckpoint } from '../../src/core/log/checkpoint';
import { MAX_NOTE_SIZE } from '../../src/core/log/signed-note';
import { despiteCheckpoint, factsVault, wholeVault } from '../../src/operations/facts-vault';
import { publishedCheckpoint, publishedEntries, ReplayError, type PublishedLog } from '../../src/operations/published-entries';
import { LARGEST_SEGMENT_BYTES } from '../../src/operations/read-at-most';
import { forEachSeed } from '../seeds';
import { makeWorld, type World } from '../world';
import { keyPair } from './built-vault';
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

const doubtsOf = ({ doubts = [] }: PublishedLog): readonly string[] => doubts.map(({ code, object }) => `${code} ${object}`);
const factsOfObjects = (objects: ReadonlyMap<string, Buffer>): Map<string, Buffer> => new Map([...objects].filter(([name]) => /^(segment|blob|snapshot|checkpoints|report)\//.test(name) || name === 'log.vkeys'));

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
    for (const reader of [short, none]) {
      const own = await wholeVault(reader);
      expect([(await publishedCheckpoint(own)).size, (await entriesIn(own)).length, doubtsOf(own)]).toEqual([11, 11, ['checkpoint-behind checkpoint']]);
    }
    expect(doubtsOf(vault)).toEqual(['checkpoint-behind checkpoint']);
  });

  test('is read as what is signed beside it where `checkpoint` is junk, too large, of a stranger or of a size nobody signed, and says so', async () => {
    const { objects } = (await threeRounds()).vault;
    const stranger = keyPair(66);
    const root = Buffer.alloc(32, 7);
    const genuine = parseOwnCheckpoint(objects.get('checkpoint') as Buffer).checkpoint;
    const planted: Readonly<Record<string, Buffer>> = {
      'checkpoint-unreadable': Buffer.from('junk'),
      'checkpoint-unreadable ': Buffer.alloc(MAX_NOTE_SIZE + 1),
      'checkpoint-untrusted-key': await signCheckpoint({ origin: stranger.key.name, size: 18, root, extensions: [] }, stranger.key, stranger.sign),
      'checkpoint-bad-signature': Buffer.from((objects.get('checkpoint') as Buffer).toString().replace('\n18\n', '\n99999999\n')),
    };
    for (const [code, bytes] of Object.entries(planted)) {
      for (const there of [factsOfObjects(objects), objects]) {
        const junk = memoryVaultReader(new Map([...there, ['checkpoint', bytes]]));
        for (const open of [wholeVault, despiteCheckpoint]) {
          const vault = await open(junk);
          expect([code, await publishedCheckpoint(vault), doubtsOf(vault)]).toEqual([code, genuine, [`${code.trim()} checkpoint`]]);
          expect(await entriesIn(vault)).toHaveLength(18);
        }
      }
    }
    // What else stands there decides nothing where no key of the log signed anything.
    const nothing = memoryVaultReader(new Map([['checkpoint', Buffer.from('junk')], ['log.vkeys', objects.get('log.vkeys') as Buffer]]));
    await expect(wholeVault(nothing).then((vault) => publishedCheckpoint(vault))).rejects.toMatchObject({ code: 'untrusted' });
    const sound = memoryVaultReader(objects);
    expect(await despiteCheckpoint(sound)).toBe(sound);
  });

  test('is never silently older than what is signed: what no segment leads to is read from bundles, or told', async () => {
    const { objects } = (await threeRounds()).vault;
    const lacking = new Map([...objects, ['checkpoint', Buffer.from('junk')] as const].filter(([name]) => name !== segmentAt(objects, 11)));
    const own = await wholeVault(memoryVaultReader(lacking));
    expect([(await publishedCheckpoint(own)).size, (await entriesIn(own)).length, doubtsOf(own)]).toEqual([18, 18, ['checkpoint-unreadable checkpoint']]);
    const facts = await wholeVault(memoryVaultReader(factsOfObjects(lacking)));
    expect([(await publishedCheckpoint(facts)).size, doubtsOf(facts)]).toEqual([11, [expect.stringMatching(/^segment-missing segment\/0{18}11\//)]]);
    const both = await wholeVault(memoryVaultReader(new Map([...factsOfObjects(lacking), ['checkpoint', Buffer.from('junk')]])));
    expect(doubtsOf(both)).toEqual(['checkpoint-unreadable checkpoint', expect.stringMatching(/^segment-missing/)]);
  });

  test('and one whose facts somebody put more beside than memory holds is read all the same', async () => {
    const facts = factsOf(await threeRounds());
    const reader = memoryVaultReader(new Map([...facts, ['checkpoints/40', Buffer.alloc(MAX_NOTE_SIZE + 1)], [`segment/${'0'.repeat(20)}/${'a'.repeat(64)}`, Buffer.alloc(LARGEST_SEGMENT_BYTES + 1)]]));
    let most = 0;
    const vault = await wholeVault({ ...reader, get: async (name, maxBytes) => {
      const bytes = await reader.get(name, maxBytes);
      most = Math.max(most, bytes.length);
      return bytes;
    } });
    expect((await publishedCheckpoint(vault)).size).toBe(18);
    expect(most).toBeLessThan(100_000);
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
