/**
 * The launcher: what it keeps of its compiling is never run in place of anything else. In a project of its own with a compiler that counts, so that what was
 * compiled and what was taken from before can be told apart.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBundleThread } from '../../bin/bundle-thread';
import { TILE_WIDTH } from '../../src/core/log/bundle';
import { builtVault } from '../operations/built-vault';

let root: string;
const path = (...names: string[]): string => join(root, ...names);
const kept = (name: string): string => path('node_modules', '.cache', 'intact', name);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'intact-launcher-'));
  chmodSync(root, 0o755);
  for (const folder of ['bin', 'src', 'node_modules/esbuild']) mkdirSync(path(folder), { recursive: true });
  copyFileSync(join(__dirname, '..', '..', 'bin', 'intact.cjs'), path('bin', 'intact.cjs'));
  compiler('1.0.0');
  source('bin/intact.ts', `console.log('main ' + require('../src/part.ts').part);`);
  source('src/part.ts', `exports.part = 'one';`);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const source = (name: string, text: string): void => writeFileSync(path(name), text);

/** Compiles to the same text, having counted; `spoils`: to something else, by which one knows who made it. */
function compiler(version: string, { spoils = '' } = {}): void {
  source('node_modules/esbuild/package.json', JSON.stringify({ name: 'esbuild', version, main: 'main.js' }));
  source('node_modules/esbuild/main.js', `exports.transformSync = (source) => { process.stderr.write('compiled\\n'); return { code: source + ${JSON.stringify(spoils)} }; };`);
}

/** What was printed, and how often something was compiled. */
function run(uid?: number): { readonly printed: string; readonly compiled: number } {
  const ran = spawnSync(process.execPath, [path('bin', 'intact.cjs')], { encoding: 'utf8', timeout: 20_000, env: { PATH: process.env['PATH'] }, ...(uid !== undefined && { uid }) });
  if (ran.status !== 0) throw new Error(`ended with ${ran.status ?? ran.signal}: ${ran.stderr}`);
  return { printed: ran.stdout.trim(), compiled: ran.stderr.split('compiled\n').length - 1 };
}

describe('what was compiled', () => {
  it('is not compiled again', () => {
    expect(run()).toEqual({ printed: 'main one', compiled: 2 });
    expect(run()).toEqual({ printed: 'main one', compiled: 0 });
  });

  it('is compiled anew when the source is another, whatever its size and time say', () => {
    run();
    const { atime, mtime } = statSync(path('src/part.ts'));
    source('src/part.ts', `exports.part = 'two';`);
    utimesSync(path('src/part.ts'), atime, mtime);
    expect(run()).toEqual({ printed: 'main two', compiled: 1 });
    source('src/part.ts', `exports.part = 'one';`);
    expect(run()).toEqual({ printed: 'main one', compiled: 1 });
  });

  it('is compiled anew by another compiler', () => {
    run();
    compiler('1.0.1', { spoils: '/* new */' });
    expect(run().compiled).toBe(2);
    expect(readFileSync(kept('src+part.ts.js'), 'utf8')).toContain('/* new */');
  });

  it('grows by no file when a source is edited', () => {
    run();
    const before = readdirSync(kept(''));
    for (const text of ['two', 'three']) {
      source('src/part.ts', `exports.part = '${text}';`);
      run();
    }
    expect(readdirSync(kept(''))).toEqual(before);
  });

  it('is for its owner alone', () => {
    run();
    expect(statSync(kept('')).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(kept(''))) expect([name, statSync(kept(name)).mode & 0o777]).toEqual([name, 0o600]);
  });
});

describe('a kept file', () => {
  const spoiled = `\nconsole.log('spoiled');`;
  const part = (): string => kept('src+part.ts.js');
  const replaced = (change: (text: string) => string): void => writeFileSync(part(), change(readFileSync(part(), 'utf8')));

  it.each<[string, () => void]>([
    ['cut short', () => replaced((text) => text.slice(0, -1))],
    ['cut to nothing', () => replaced(() => '')],
    ['cut within its digest', () => replaced((text) => text.slice(0, 30))],
    ['with a byte changed', () => replaced((text) => text.replace('one', 'ono'))],
    ['with code added', () => replaced((text) => text + spoiled)],
    ['of another source', () => copyFileSync(kept('bin+intact.ts.js'), part())],
    ['that is a directory', () => (rmSync(part()), mkdirSync(part()))],
    ['that is a pipe nobody writes to', () => (rmSync(part()), void execFileSync('mkfifo', [part()]))],
    ['that cannot be found through a link', () => (rmSync(part()), symlinkSync('nowhere', part()))],
  ])('%s is compiled again instead', (_what, damage) => {
    run();
    damage();
    expect(run()).toEqual({ printed: 'main one', compiled: 1 });
  });

  it('that others may write is not run, whole as it is; nor one that another user owns', () => {
    // Whole, and made by a compiler that cannot be told from the true one: only its owner and its mode speak against it.
    const plant = (): void => {
      rmSync(kept(''), { recursive: true, force: true });
      compiler('1.0.0', { spoils: spoiled });
      run();
      compiler('1.0.0');
      renameSync(kept('bin+intact.ts.js'), kept('unused'));
    };
    plant();
    expect(run().printed).toBe('spoiled\nmain one'); // as its own user: this is what would be run
    for (const mode of [0o620, 0o602, 0o666]) {
      plant();
      chmodSync(part(), mode);
      expect([mode, run().printed]).toEqual([mode, 'main one']);
    }
    if (process.getuid?.() !== 0) return; // only root can give a file away
    plant();
    chownSync(part(), 12345, 12345);
    expect(run().printed).toBe('main one');
  });
});

describe('where nothing can be kept', () => {
  const other = process.getuid?.() === 0 ? 12345 : undefined; // root may write everywhere

  it.each<[string, () => void]>([
    ['because there is a file in the way', () => writeFileSync(path('node_modules', '.cache'), '')],
    ['because node_modules is read-only', () => chmodSync(path('node_modules'), 0o555)],
    ['because the folder is read-only', () => (mkdirSync(kept(''), { recursive: true }), chmodSync(kept(''), 0o555))],
    ['because the folder is closed', () => (mkdirSync(kept(''), { recursive: true }), chmodSync(kept(''), 0o000))],
  ])('%s, everything is compiled every time', (_what, forbid) => {
    forbid();
    try {
      expect([run(other), run(other)]).toEqual([{ printed: 'main one', compiled: 2 }, { printed: 'main one', compiled: 2 }]);
    } finally {
      if (statSync(path('node_modules', '.cache'), { throwIfNoEntry: false })?.isDirectory() === true) chmodSync(kept(''), 0o700);
      chmodSync(path('node_modules'), 0o755);
    }
  });
});

describe('a thread', () => {
  it('is started by the launcher, too, and does its work', async () => {
    const vault = await builtVault(TILE_WIDTH);
    for (const name of ['tile/0/000', 'tile/entries/000']) {
      mkdirSync(join(path(name), '..'), { recursive: true });
      writeFileSync(path(name), vault.objects.get(name)!);
    }
    const thread = startBundleThread();
    try {
      const answer = new Promise((done, failed) => void thread.once('message', done).once('error', failed));
      thread.postMessage({ directory: root, first: 0, count: 1, judgeEntries: false, maxObjectSize: 1_000_000 });
      expect(await answer).toMatchObject({ first: 0, results: [{ root: expect.any(Uint8Array) as Uint8Array }] });
    } finally {
      await thread.terminate();
    }
  });
});
