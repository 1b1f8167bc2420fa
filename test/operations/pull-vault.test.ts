/** Pulling a vault: the copy verifies, is one moment of a growing log, survives interruption, and never leads out of its directory. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directoryVault } from '../../src/adapters/files/directory-vault';
import { pullDirectory } from '../../src/cli/directory';
import { pullVault, type Pulled } from '../../src/operations/pull-vault';
import { verifyVault } from '../../src/operations/verify-vault';
import type { VaultReader } from '../../src/ports/vault-reader';
import { readerOf } from '../cli/command-run';
import { naiveTiles } from '../naive-log';
import { makeWorld, type World } from '../world';

let world: World;
let dir: string;
const pull = async (reader: VaultReader = readerOf(world)) => pullVault(reader, await pullDirectory(dir));
const pulled = async (reader?: VaultReader): Promise<Pulled> => {
  const outcome = await pull(reader);
  if ('refused' in outcome) throw new Error(JSON.stringify(outcome));
  return outcome;
};
const grow = async (n: number, tag = 'm'): Promise<void> => {
  for (let i = 0; i < n; i++) await world.write(world.message(`${tag} ${world.stream.length} ${i}`));
  await world.seal();
  await world.publish();
};
const files = (): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name).slice(dir.length + 1)] : [])).sort();
const verified = () => verifyVault(directoryVault(dir), { profile: 'intact', keys: [] });

beforeEach(async () => {
  world = await makeWorld({ seed: 5 });
  dir = join(mkdtempSync(join(tmpdir(), 'intact-pull-')), 'vault');
});
afterEach(() => rmSync(join(dir, '..'), { recursive: true }));

describe('a pulled vault', () => {
  it('holds exactly the objects of the vault, byte for byte, and verifies', async () => {
    await grow(300);
    const outcome = await pulled();
    expect(outcome).toMatchObject({ size: 300, origin: world.identity.origin, unexpected: [] });
    expect(files()).toEqual([...world.vault.objects.keys()].sort());
    for (const [name, bytes] of world.vault.objects) expect(readFileSync(join(dir, name)).equals(bytes)).toBe(true);
    expect(await verified()).toMatchObject({ ok: true, size: 300, findings: [] });
  });

  it('is one moment of a log that grows while it is pulled', async () => {
    await grow(250);
    let grown = false;
    const reader = readerOf(world);
    const growing: VaultReader = {
      ...reader,
      // Between the checkpoint and the listing the log fills the tile and the publisher removes the partial ones.
      list: async function* (prefix) {
        if (!grown) await grow(20, 'meanwhile');
        grown = true;
        yield* world.vault.list(prefix);
      },
    };
    expect(await pulled(growing)).toMatchObject({ size: 250 });
    const names = files();
    expect(names).not.toContain('checkpoints/270');
    expect(names.filter((name) => name.startsWith('tile/') && name.includes('.p/14'))).toEqual([]);
    expect((await verified()).findings.filter(({ code }) => code !== 'tile-missing' && code !== 'bundle-missing')).toEqual([]);
    for (const name of naiveTiles(world.entries().slice(0, 250).map(({ bytes }) => bytes)).keys()) {
      const full = name.replace(/\.p\/\d+$/, '');
      expect(names.includes(name) || names.includes(full)).toBe(true);
    }
    expect(await verified()).toMatchObject({ ok: true, size: 250 });
  });

  it('takes the full tile where a partial one went between listing and reading', async () => {
    await grow(250);
    const reader = readerOf(world);
    const vanishing: VaultReader = {
      ...reader,
      get: async (name) => {
        if (name.startsWith('tile/') && world.log.tables.head?.size === 250) await grow(20, 'meanwhile');
        return reader.get(name);
      },
    };
    expect(await pulled(vanishing)).toMatchObject({ size: 250 });
    expect(files()).toContain('tile/0/000');
    expect(await verified()).toMatchObject({ ok: true, size: 250 });
  });

  it('is brought up to date by pulling again, without fetching again what proves itself by its name', async () => {
    await grow(30);
    await pulled();
    await grow(30);
    const asked: string[] = [];
    const reader = readerOf(world);
    const again = await pulled({ ...reader, get: (name) => { asked.push(name); return reader.get(name); } });
    expect(again).toMatchObject({ size: 60, kept: 1 });
    expect(asked.filter((name) => name.startsWith('segment/'))).toHaveLength(1);
    expect(await verified()).toMatchObject({ ok: true, size: 60 });
  });

  it('is repaired by pulling again where a file on this disk was damaged', async () => {
    await grow(30);
    await pulled();
    for (const name of files()) if (name !== 'checkpoint') writeFileSync(join(dir, name), 'damaged');
    await pulled();
    expect(await verified()).toMatchObject({ ok: true });
  });

  it('interrupted anywhere, has no checkpoint of what is not all there, and is completed by the next pull', async () => {
    await grow(40);
    const total = world.vault.objects.size;
    for (let dies = 1; dies < total; dies++) {
      rmSync(dir, { recursive: true, force: true });
      const target = await pullDirectory(dir);
      let written = 0;
      const dying = { ...target, write: async (name: string, bytes: Uint8Array) => { if (++written > dies) throw new Error('the disk is full'); await target.write(name, bytes); } };
      await expect(pullVault(readerOf(world), dying)).rejects.toThrow('the disk is full');
      expect(existsSync(join(dir, 'checkpoint'))).toBe(false);
      await pulled();
      expect(await verified()).toMatchObject({ ok: true, size: 40 });
      expect(files()).toEqual([...world.vault.objects.keys()].sort());
    }
  });
});

describe('pulling refuses', () => {
  it('names that lead out of the directory or that no vault has, and says which', async () => {
    await grow(3);
    const evil = ['../evil', 'tile/../../evil', '/etc/evil', 'segment/../../../evil', 'report/..', 'report//x', 'report/.hidden', 'snapshot/a/../../../evil', 'C:\\evil', 'random'];
    for (const name of evil) world.vault.objects.set(name, Buffer.from('evil'));
    world.vault.objects.set('report/2026-02.json', Buffer.from('fine'));
    const { unexpected } = await pulled();
    expect([...unexpected].sort()).toEqual([...evil].sort());
    expect(readFileSync(join(dir, 'report/2026-02.json'), 'utf8')).toBe('fine');
    expect(readdirSync(join(dir, '..'))).toEqual(['vault']);
    expect(files().filter((name) => /evil|hidden|random/.test(name))).toEqual([]);
  });

  it('a directory that holds another log, without touching it', async () => {
    await grow(3);
    await pulled();
    const before = readFileSync(join(dir, 'checkpoint'));
    world = await makeWorld({ seed: 6 });
    await grow(5);
    expect(await pull()).toMatchObject({ refused: 'other-log' });
    expect(readFileSync(join(dir, 'checkpoint')).equals(before)).toBe(true);
    expect(await verified()).toMatchObject({ ok: true, size: 3 });
  });

  it('to replace a copy by a smaller log: the copy is the evidence', async () => {
    await grow(3);
    const old = Buffer.from(world.vault.objects.get('checkpoint')!);
    await grow(3);
    await pulled();
    world.vault.objects.set('checkpoint', old);
    expect(await pull()).toMatchObject({ refused: 'rolled-back' });
    expect(await verified()).toMatchObject({ ok: true, size: 6 });
  });

  it('a directory that holds something else', async () => {
    mkdirSync(dir);
    writeFileSync(join(dir, 'thesis.doc'), 'years of work');
    await expect(pull()).rejects.toMatchObject({ code: 'usage' });
    expect(readdirSync(dir)).toEqual(['thesis.doc']);
  });

  it('a vault without a checkpoint, with an unreadable one, or that cannot be listed', async () => {
    await grow(3);
    const { list: _list, ...unlistable } = readerOf(world);
    expect(await pull(unlistable)).toEqual({ refused: 'cannot-list' });
    world.vault.objects.set('checkpoint', Buffer.from('nonsense'));
    expect(await pull()).toMatchObject({ refused: 'unreadable' });
    world.vault.objects.delete('checkpoint');
    expect(await pull()).toEqual({ refused: 'no-checkpoint' });
  });
});
