/** Another implementation of the same log, Tessera, judges ours; and our verification judges one of its making. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { directoryVault } from '../../src/adapters/files/directory-vault';
import { encodeEntries } from '../../src/core/log/bundle';
import { formatVkey, parseVkey } from '../../src/core/log/vkey';
import { verifyVault, type VerifyReport } from '../../src/operations/verify-vault';
import { type BuiltVault, builtVault, keyPair } from '../operations/built-vault';
import { describeWithGo, fsck, goProgram, makeLog } from './go';

const directories: string[] = [];
const scratch = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'intact-log-'));
  directories.push(directory);
  return directory;
};
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true })));

function writeTo(directory: string, vault: BuiltVault): string {
  for (const [name, bytes] of vault.objects) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), bytes);
  }
  return directory;
}

/** Runs `body` with one byte of a file changed. */
async function withFlip<T>(file: string, at: number, body: () => T | Promise<T>): Promise<T> {
  const good = readFileSync(file);
  const bad = Buffer.from(good);
  bad[at % bad.length]! ^= 1;
  writeFileSync(file, bad);
  try {
    return await body();
  } finally {
    writeFileSync(file, good);
  }
}

describeWithGo("Tessera's fsck on a log of ours", () => {
  const vkey = formatVkey(keyPair(1).key);

  test('accepts it at sizes on both sides of every tile edge, with our size and root', async () => {
    for (const rounds of [[1], [255], [256], [257], [100, 400, 12], [100, 400, 13], [600]]) {
      const vault = await builtVault(...rounds);
      const { size, root } = await verifyVault(directoryVault(writeTo(scratch(), vault)), { profile: 'intact', keys: [] });
      expect([rounds, fsck(directories.at(-1)!, vkey)]).toMatchObject([rounds, { exit: 0, log: { size, root } }]);
    }
  }, 120_000);

  test('refuses it after any flipped byte, as we do', async () => {
    const directory = writeTo(scratch(), await builtVault(600));
    for (const name of ['tile/0/000', 'tile/0/002.p/88', 'tile/1/000.p/2', 'tile/entries/001', 'tile/entries/002.p/88', 'checkpoint']) {
      // In the checkpoint the last is amid the signature: Go's decoder does not look at the spare bits of its last character.
      for (const at of [0, 1, 40, 700]) {
        await withFlip(join(directory, name), at, async () => {
          expect([name, at, fsck(directory, vkey).exit]).toEqual([name, at, 1]);
          const report = await verifyVault(directoryVault(directory), { profile: 'intact', keys: [keyPair(1).key] });
          expect([name, at, report.findings.map(({ object }) => object)]).toEqual([name, at, expect.arrayContaining([name])]);
        });
      }
    }
    expect(fsck(directory, vkey).exit).toBe(0);
  }, 120_000);

  test('refuses a missing tile, and another key; cannot tell without a log', async () => {
    const directory = writeTo(scratch(), await builtVault(300));
    expect(fsck(directory, formatVkey(keyPair(2).key)).exit).toBe(1);
    rmSync(join(directory, 'tile/0/000'));
    expect(fsck(directory, vkey).exit).toBe(1);
    expect(fsck(join(directory, 'nowhere'), vkey).exit).toBe(2);
    expect(fsck(directory, 'no key').exit).toBe(2);
  });
});

describeWithGo('our verification of a log that Tessera made', () => {
  const entries = Array.from({ length: 700 }, (_, i) => Buffer.from(`opaque entry ${i}`));
  const judge = (directory: string, vkey: string): Promise<VerifyReport> => verifyVault(directoryVault(directory), { profile: 'tlog-tiles', keys: [parseVkey(vkey)] });

  test('accepts it, with the size and root that Tessera states', async () => {
    const directory = scratch();
    const { vkey } = makeLog(directory, encodeEntries(entries), '-batch', '100');
    const report = await judge(directory, vkey);
    expect(report).toMatchObject({ ok: true, size: 700, segments: null, locks: null, keySource: 'given', findings: [] });
    expect(fsck(directory, vkey)).toMatchObject({ exit: 0, log: { size: report.size, root: report.root } });
  }, 60_000);

  test('refuses it after any flipped byte and names the object; and under another key', async () => {
    const directory = scratch();
    const { vkey } = makeLog(directory, encodeEntries(entries), '-batch', '1000');
    for (const name of ['tile/0/000', 'tile/0/002.p/188', 'tile/1/000.p/2', 'tile/entries/001', 'tile/entries/002.p/188', 'checkpoint']) {
      for (const at of [0, 1, 40, 777]) {
        const report = await withFlip(join(directory, name), at, () => judge(directory, vkey));
        expect([name, at, [...new Set(report.findings.map(({ object }) => object))]]).toEqual([name, at, expect.arrayContaining([name])]);
      }
    }
    expect((await judge(directory, formatVkey(keyPair(5).key))).findings.map(({ code }) => code)).toEqual(['checkpoint-untrusted-key']);
  }, 60_000);
});

describeWithGo('the vectors of golang.org/x/mod/sumdb', () => {
  test('in test/fixtures/log are what the program that made them prints', () => {
    const fresh = execFileSync(goProgram('vectors'), { maxBuffer: 1 << 22 }).toString();
    expect(readFileSync(join(__dirname, '../fixtures/log/sumdb-vectors.json'), 'utf8')).toBe(fresh);
  });
});
