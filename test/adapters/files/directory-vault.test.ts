import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { directoryVault } from '../../../src/adapters/files/directory-vault';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'intact-directory-'))));
afterEach(() => rmSync(root, { recursive: true }));

const put = (name: string, text = name): void => {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
};
const list = async (prefix: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const name of directoryVault(root).list!(prefix)) names.push(name);
  return names;
};

test('lists names in the order of their bytes, as an object store does', async () => {
  const names = ['checkpoint', 'segment/0/a', 'tile/0/000', 'tile/0/000.p/1', 'tile/0/001', 'tile/0/x001/000', 'tile/entries/000', 'é', 'z-', 'z/0', 'z0'];
  names.forEach((name) => put(name));
  const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(await list('')).toEqual(sorted);
  for (const prefix of ['tile/', 'tile/0/0', 'z', 'segment/0/', 'nothing/', 'tile/0/000.p']) expect(await list(prefix)).toEqual(sorted.filter((name) => name.startsWith(prefix)));
});

test('reads what is there; absent is what is not, a folder included', async () => {
  put('tile/0/x001/000', 'bytes');
  const vault = directoryVault(root);
  expect(await vault.get('tile/0/x001/000')).toEqual(Buffer.from('bytes'));
  for (const name of ['tile/0/x001', 'tile/0/001', 'tile/0/x001/000/001', 'x'.repeat(300)]) expect(await vault.get(name)).toBe('absent');
});

test('refuses names that lead outside', async () => {
  for (const name of ['../secret', '/etc/hosts', 'a/../../b', 'a//b', './a', 'a\\b', 'a\0b', '']) await expect(directoryVault(root).get(name)).rejects.toMatchObject({ code: 'denied' });
});

test('a missing directory is not an empty vault', async () => {
  const gone = directoryVault(join(root, 'gone'));
  await expect(gone.get('checkpoint')).rejects.toMatchObject({ name: 'VaultReadError', code: 'unreachable' });
  await expect(gone.list!('')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'unreachable' });
});

test('does not read a file past its limit', async () => {
  put('blob/x', 'four');
  await expect(directoryVault(root, { maxObjectSize: 3 }).get('blob/x')).rejects.toMatchObject({ code: 'too-large' });
});

test('what is no regular file cannot be read, and is not absent', async () => {
  symlinkSync('loop', join(root, 'loop'));
  await expect(directoryVault(root).get('loop')).rejects.toMatchObject({ name: 'VaultReadError' });
});
