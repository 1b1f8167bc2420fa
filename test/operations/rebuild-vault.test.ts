/** Rebuilding: the first region is gone, only the facts in the replica are left, and the same vault comes out of them, byte for byte. */
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { encodeEntries, LONGEST_SEGMENT, startsOf } from '../../src/core/log/bundle';
import { signCheckpoint } from '../../src/core/log/checkpoint';
import { segmentName, segmentsFrom } from '../../src/core/verify/vault-name';
import { rebuildVault, type Rebuilt } from '../../src/operations/rebuild-vault';
import type { PullTarget } from '../../src/operations/pull-vault';
import { verifyVault } from '../../src/operations/verify-vault';
import { forEachSeed } from '../seeds';
import { makeWorld } from '../world';
import { naiveRoot } from '../naive-log';
import { builtVault, keyPair, makeEntry, sha256 } from './built-vault';
import { factsOf, flipped, lived } from './facts-world';

function memoryTarget(): PullTarget & { readonly objects: Map<string, Buffer> } {
  const objects = new Map<string, Buffer>();
  return { objects, read: async (name) => objects.get(name) ?? 'absent', write: async (name, bytes) => void objects.set(name, Buffer.from(bytes)) };
}

async function rebuild(facts: Map<string, Buffer>): Promise<Rebuilt & { readonly objects: Map<string, Buffer> }> {
  const target = memoryTarget();
  return { ...(await rebuildVault(memoryVaultReader(facts), target)), objects: target.objects };
}
const findingsOf = async (objects: Map<string, Buffer>) => (await verifyVault(memoryVaultReader(objects), { profile: 'intact', keys: [] })).findings;

describe('a vault rebuilt from its facts', () => {
  test('is the vault that was lost, and verifies', async () => {
    await forEachSeed('lost vaults', 8, async (seed) => {
      const world = await lived(seed, seed % 2 === 0 ? 40 : 300);
      const { objects, size, signed, damaged } = await rebuild(factsOf(world));
      expect([size, signed, damaged]).toEqual([world.log.tables.head?.size, world.log.tables.head?.size, []]);
      const served = [...world.vault.objects].filter(([name]) => !/\.p\//.test(name)).map(([name, bytes]) => [name, bytes.toString('base64')]);
      for (const [name, bytes] of served) expect([name, objects.get(name as string)?.toString('base64')]).toEqual([name, bytes]);
      expect(await findingsOf(objects)).toEqual([]);
    });
  });

  test('ends at the last signed tree that the segments lead to, and says what is missing', async () => {
    const world = await makeWorld({ seed: 3 });
    for (const n of [5, 6, 7]) {
      const first = world.stream.length;
      for (let i = 0; i < n; i++) await world.write(world.message(`${first + i}`));
      await world.seal(world.stream.slice(first));
      await world.publish();
    }
    const facts = factsOf(world);
    const lost = [...facts.keys()].find((name) => name.startsWith(`segment/${'11'.padStart(20, '0')}`)) as string;
    const genuine = Buffer.from(facts.get(lost) as Buffer);
    // One bit, in what is still a run of entries: only the name tells.
    facts.set(lost, flipped(genuine));
    expect((await rebuild(facts)).damaged).toEqual([lost]);
    facts.set(lost, Buffer.from('changed'));
    const { objects, size, signed, damaged } = await rebuild(facts);
    expect([size, signed, damaged]).toEqual([11, 18, [lost]]);
    expect(objects.get('checkpoint')?.toString()).toContain('\n11\n');
    facts.set([...facts.keys()].find((name) => name.startsWith(`segment/${'0'.repeat(20)}`)) as string, Buffer.from('changed'));
    const empty = await rebuild(facts);
    expect([empty.size, empty.signed]).toEqual([0, 18]);
  });

  test('is made of nothing that a stranger signed or that has no keys', async () => {
    const world = await lived(5);
    const stranger = await lived(6);
    const facts = factsOf(world);
    for (const [name, bytes] of factsOf(stranger)) if (name.startsWith('checkpoints/')) facts.set(name, bytes);
    for (const name of [...facts.keys()]) if (name.startsWith('checkpoints/') && !stranger.vault.objects.has(name)) facts.delete(name);
    await expect(rebuild(facts)).rejects.toMatchObject({ name: 'ReplayError' });
    facts.delete('log.vkeys');
    await expect(rebuild(facts)).rejects.toMatchObject({ code: 'no-log' });
  });

  test('takes a signed checkpoint under the name of another size for damaged', async () => {
    const world = await lived(9, 20);
    const facts = factsOf(world);
    const size = world.log.tables.head?.size as number;
    facts.set(`checkpoints/${size + 1}`, facts.get(`checkpoints/${size}`) as Buffer);
    expect(await rebuild(facts)).toMatchObject({ size, signed: size, damaged: [`checkpoints/${size + 1}`] });
  });

  test('is not lengthened by who stole a key that was replaced', async () => {
    const built = await builtVault(5);
    const stolen = built.signer;
    await built.rotate(keyPair(2));
    built.sealCount(6);
    await built.publish();
    const entries = [...built.entries, makeEntry(11, { salt: 'planted' })];
    const planted = encodeEntries(entries.slice(11));
    built.put(segmentName(11, sha256(planted)), planted);
    built.put('checkpoints/12', await signCheckpoint({ origin: stolen.key.name, size: 12, root: naiveRoot(entries), extensions: [] }, stolen.key, stolen.sign));
    expect(await rebuild(built.objects)).toMatchObject({ size: 11, signed: 11, damaged: ['checkpoints/12'] });
  });

  test('is found among segments that somebody laid beside it, of which every few would make thousands of ways', async () => {
    const built = await builtVault(5, 20, 7);
    const facts = new Map([...built.objects].filter(([name]) => name !== 'checkpoint' && !name.startsWith('tile/')));
    const genuine = [...facts.keys()].find((name) => name.startsWith(segmentsFrom(5))) as string;
    const isTried = (name: string): boolean => name < genuine || !name.startsWith(segmentsFrom(5));
    for (let at = 5; at < 25; at++) {
      for (const salt of ['a', 'b']) {
        // Ground until its name comes before the genuine one's.
        for (let i = 0, name = genuine; !isTried(name) || !facts.has(name); i++) {
          const bytes = encodeEntries([makeEntry(at, { salt: `${salt}${i}` })]);
          name = segmentName(at, sha256(bytes));
          if (isTried(name)) facts.set(name, bytes);
        }
      }
    }
    expect(await rebuild(facts)).toMatchObject({ size: 32, signed: 32, damaged: [] });
  });

  test('takes no segment of more entries than a round can have for one, before anything is made of it', async () => {
    const built = await builtVault(5, 20);
    const bytes = Buffer.alloc(2 * (LONGEST_SEGMENT + 1)); // empty entries; of half a gigabyte of them the hashes alone would be eight
    const name = segmentName(5, sha256(bytes));
    expect(await rebuild(new Map([...built.objects, [name, bytes]]))).toMatchObject({ size: 25, damaged: [name] });
    const most = Buffer.alloc(2 * LONGEST_SEGMENT);
    expect(startsOf(most)).toHaveLength(LONGEST_SEGMENT + 1);
    expect([bytes, Buffer.alloc(3), Buffer.from([0, 5, 1])].map(startsOf)).toEqual([undefined, undefined, undefined]);
  });

  test('writes nothing where a name would lead outside, or where a directory has to be', async () => {
    const facts = new Map([...(await builtVault(5)).objects, ...['report/2026'].map((name) => [name, Buffer.from('kept')] as const)]);
    for (const name of ['report/../../outside', 'report/../log.vkeys', 'snapshot/./x', 'report//x', 'report/x\\y', 'report/..a', `report/${'x'.repeat(600)}`, 'report/2026-01']) facts.set(name, Buffer.from('planted'));
    facts.set('report/2026-01/part', Buffer.from('kept'));
    const { objects } = await rebuild(facts);
    expect([...objects.keys()].filter((name) => /^(report|snapshot)/.test(name)).sort()).toEqual(['report/2026', 'report/2026-01/part']);
    expect(objects.get('log.vkeys')).toEqual(facts.get('log.vkeys'));
  });

  test('that was interrupted anywhere is no vault yet, and is completed by the next run', async () => {
    const world = await lived(7, 20);
    const whole = await rebuild(factsOf(world));
    for (let stopAt = 0; stopAt < whole.objects.size; stopAt += 3) {
      const target = memoryTarget();
      let writes = 0;
      const dying: PullTarget = { ...target, write: async (name, bytes) => (writes++ === stopAt ? Promise.reject(new Error('killed')) : target.write(name, bytes)) };
      await expect(rebuildVault(memoryVaultReader(factsOf(world)), dying)).rejects.toThrow('killed');
      expect(target.objects.has('checkpoint')).toBe(false);
      await rebuildVault(memoryVaultReader(factsOf(world)), target);
      expect(new Map([...target.objects].sort())).toEqual(new Map([...whole.objects].sort()));
    }
  });
});
