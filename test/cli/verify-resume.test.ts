/** `verify --resume`: wherever a run is stopped, the next one comes to the report of a run that was not; and nobody's state is taken for another's. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { signCheckpoint } from '../../src/core/log/checkpoint';
import { formatVkey } from '../../src/core/log/vkey';
import type { VerifyReport } from '../../src/operations/verify-vault';
import { VaultReadError, type VaultReader } from '../../src/ports/vault-reader';
import { BuiltVault, builtVault, keyPair, makeEntry } from '../operations/built-vault';
import { runAlone, type Ran } from './command-run';
import { fakeCloud } from './fake-cloud';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intact-resume-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);
const vkey = formatVkey(keyPair(1).key);

function written(vault: BuiltVault, name = 'vault'): string {
  for (const [object, bytes] of vault.objects) {
    mkdirSync(dirname(join(path(name), object)), { recursive: true });
    writeFileSync(join(path(name), object), bytes);
  }
  return path(name);
}

/** Seven bundles, blobs in most of them, and something wrong with several of them. */
async function damagedVault(): Promise<BuiltVault> {
  const vault = new BuiltVault();
  for (const n of [100, 400, 700, 300]) {
    vault.sealCount(n);
    vault.seal([makeEntry(vault.entries.length, { blob: vault.putBlob(`body ${n}`) })]);
    await vault.publish();
  }
  vault.objects.get('tile/0/001')![40]! ^= 1;
  vault.objects.get('tile/entries/003')![40]! ^= 1;
  vault.put('foo/bar', Buffer.from('stranger'));
  const blobs = [...vault.objects.keys()].filter((name) => name.startsWith('blob/'));
  vault.objects.delete(blobs[0]!);
  vault.put(blobs[3]!, Buffer.from('another body'));
  return vault;
}

/** Whoever has the key can sign a root that the entries do not have; all that is wrong with it is seen after the last, unfinished bundle. */
async function forgedVault(): Promise<BuiltVault> {
  const vault = await builtVault(600);
  const note = await signCheckpoint({ origin: keyPair(1).key.name, size: 600, root: Buffer.alloc(32, 7), extensions: [] }, keyPair(1).key, keyPair(1).sign);
  return vault.put('checkpoint', note).put('checkpoints/600', note);
}

/** A clock of which every look is later than a state is due again. At its `last` look the run ends, between two bundles or in the middle of saving. */
const hurried = (last = Infinity): (() => Date) => {
  let looks = 0;
  return () => {
    if (++looks > last) throw new Error('it ends here');
    return new Date(Date.UTC(2026, 0, 1) + looks * 60_000);
  };
};

/** Fails the `nth` read as a network does. */
const failing = (nth: number) => (reader: VaultReader): VaultReader => {
  let reads = 0;
  return { ...reader, get: async (name) => (++reads === nth ? Promise.reject(new VaultReadError('unreachable', `${name} did not come`)) : reader.get(name)) };
};
const reportOf = ({ stdout }: Ran): VerifyReport => {
  const report = JSON.parse(stdout) as VerifyReport;
  return { ...report, findings: [...report.findings].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
};

it.each([
  ['a damaged vault', damagedVault, ['entry-modified', 'object-altered', 'object-missing', 'tile-altered', 'unexpected-object']],
  ['a forged vault', forgedVault, ['root-mismatch']],
])('stopped anywhere in %s and gone on from comes to the report of a run that was not stopped', async (_what, make, codes) => {
  const once = ['verify', written(await make()), '--vkey', vkey, '--json'];
  const args = [...once, '--resume', path('state')];
  const whole = await runAlone(once);
  expect(reportOf(whole).findings.map(({ code }) => code)).toEqual(expect.arrayContaining(codes));
  let [last, resumed] = [1, 0];
  for (let isStopped = true; isStopped; last++) {
    const first = await runAlone(args, { now: hurried(last) });
    isStopped = first.code === 2;
    if (isStopped) expect([last, first.stdout, first.stderr.includes('goes on from there')]).toEqual([last, '', existsSync(path('state'))]);
    const again = isStopped ? await runAlone(args) : first;
    resumed += Number(again.stderr.includes('resuming:'));
    expect([last, again.code, reportOf(again)]).toEqual([last, 1, reportOf(whole)]);
    expect(readdirSync(folder)).toEqual(['vault']);
  }
  expect(resumed).toBeGreaterThan(1);
});

it('ended by any one read that failed, the next run reads that object again, and comes to the same report', async () => {
  const once = ['verify', written(await damagedVault()), '--vkey', vkey, '--json'];
  const args = [...once, '--resume', path('state')];
  const whole = await runAlone(once);
  let reads = 0;
  await runAlone(args, { through: (reader) => ({ ...reader, get: (name) => (reads++, reader.get(name)) }) });
  expect(reads).toBeGreaterThan(30);
  for (let nth = 1; nth <= reads; nth++) {
    const failed = await runAlone(args, { now: hurried(), through: failing(nth) });
    expect([nth, failed.code, failed.stdout]).toEqual([nth, 2, '']);
    const again = await runAlone(args, { now: hurried() });
    expect([nth, again.code, reportOf(again)]).toEqual([nth, 1, reportOf(whole)]);
  }
});

it('stopped again and again still gets there', async () => {
  const once = ['verify', written(await builtVault(100, 700, 900)), '--json'];
  const args = [...once, '--resume', path('state')];
  const whole = await runAlone(once);
  let ran = await runAlone(args, { now: hurried(8) });
  let runs = 1;
  for (; ran.code === 2 && runs < 50; runs++) ran = await runAlone(args, { now: hurried(8) });
  expect(runs).toBeGreaterThan(2);
  expect([ran.code, reportOf(ran)]).toEqual([0, reportOf(whole)]);
});

it('killed in the middle, without a chance to say goodbye, goes on from what was saved and reads nothing of it again', async () => {
  const vault = await builtVault(1500);
  let hangs = false;
  const server = await fakeCloud(({ path: asked }) => {
    const name = asked.slice('/log/'.length);
    return hangs && name === 'tile/entries/004' ? new Promise<never>(() => undefined) : vault.objects.get(name);
  });
  writeFileSync(path('ca.pem'), server.certificate);
  const args = ['verify', `${server.endpoint}/log`, '--vkey', vkey, '--no-memory', '--json', '--resume', path('state')];
  const start = () => spawn(process.execPath, [join(__dirname, '..', '..', 'bin', 'intact.cjs'), ...args], { env: { PATH: process.env['PATH'] ?? '', NODE_EXTRA_CA_CERTS: path('ca.pem') } });
  const ended = async (child: ReturnType<typeof start>): Promise<Ran & { readonly signal: NodeJS.Signals | null }> => {
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((done) => child.once('close', (code, signal) => done({ code: code ?? -1, signal, stdout, stderr })));
  };
  try {
    const whole = await ended(start());
    expect(whole).toMatchObject({ code: 0 });
    hangs = true;
    const child = start();
    const end = ended(child);
    while (!existsSync(path('state')) && child.exitCode === null) await new Promise((done) => setTimeout(done, 20));
    child.kill('SIGKILL');
    expect(await end).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    hangs = false;
    server.asked.length = 0;
    const again = await ended(start());
    expect(again.stderr).toMatch(/^resuming: (256|512|768|1,024) entries were verified by \d{4}-/m);
    expect([again.code, JSON.parse(again.stdout)]).toEqual([0, JSON.parse(whole.stdout)]);
    expect(server.asked.map((one) => one.path)).not.toContain('/log/tile/entries/000');
    expect(existsSync(path('state'))).toBe(false);
  } finally {
    await server.close();
  }
});

describe('the file of an interrupted verification', () => {
  let vault: string;
  const args = (...more: string[]): string[] => ['verify', vault, '--resume', path('state'), ...more];
  const stop = async (...more: string[]): Promise<void> => {
    expect((await runAlone(args(...more), { now: hurried(12) })).code).toBe(2);
    expect(existsSync(path('state'))).toBe(true);
  };
  beforeEach(async () => {
    vault = written(await builtVault(100, 700, 900));
  });

  it('is for its owner alone', async () => {
    await stop();
    expect(statSync(path('state')).mode & 0o077).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['state', 'vault']); // and nothing half-written beside it
  });

  it.each<[string, () => Promise<readonly string[]>, string]>([
    ['another vault', async () => ['verify', written(await builtVault(100, 700, 900), 'other'), '--resume', path('state')], 'of another verification: of '],
    ['another key', async () => args('--vkey', vkey), "with the vault's own key"],
    ['another profile', async () => args('--vkey', vkey, '--profile', 'tlog-tiles'), 'with the profile intact'],
    ['another remembered checkpoint', async () => {
      const size = 5;
      writeFileSync(path('memory'), JSON.stringify({ origin: 'example.org/intact/test', size, root: Buffer.alloc(32).toString('base64') }));
      return args('--memory', path('memory'));
    }, 'without a remembered checkpoint'],
    ['another log at the same address', async () => {
      rmSync(vault, { recursive: true });
      const other = new BuiltVault(keyPair(1, 'example.org/intact/other'));
      other.sealCount(900);
      await other.publish();
      written(other);
      return args();
    }, 'the log was example.org/intact/test then'],
  ])('is not gone on from with %s, nor touched', async (_what, change, why) => {
    await stop();
    const before = readFileSync(path('state'));
    const ran = await runAlone(await change());
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain(why);
    expect(readFileSync(path('state'))).toEqual(before);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 5)],
    ['cut to nothing', () => Buffer.alloc(0)],
    ['changed by one byte', (bytes) => Buffer.from(bytes.toString().replace('"entries":', '"entries" :'))],
    ['of something else altogether', () => Buffer.from('the only copy of my thesis\n')],
  ])('%s is refused and left as it is', async (_what, change) => {
    await stop();
    const changed = change(readFileSync(path('state')));
    writeFileSync(path('state'), changed);
    const ran = await runAlone(args());
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(readFileSync(path('state'))).toEqual(changed);
  });

  it('must lie outside of the vault, in a directory that is there', async () => {
    for (const file of [join(vault, 'state'), join(vault, 'segment', 'state'), path('no/such/state')]) expect([file, (await runAlone(['verify', vault, '--resume', file])).code]).toEqual([file, 2]);
    expect((await runAlone(['verify', vault, '--resume', join(folder, 'vault.state')])).code).toBe(0);
  });

  it('is not gone on from by another version of the program', async () => {
    await stop();
    const ran = await runAlone(args(), { version: '0.0.1' });
    expect([ran.code, ran.stderr.includes('by version 0.0.0')]).toEqual([2, true]);
  });

  it('goes on with the checkpoint it began with when the log has grown meanwhile', async () => {
    await stop();
    const grown = await builtVault(100, 700, 900, 50);
    written(grown);
    const ran = await runAlone(args('--json'));
    expect([ran.code, reportOf(ran)]).toEqual([0, expect.objectContaining({ ok: true, size: 1700 })]);
    expect(reportOf(await runAlone(['verify', vault, '--json'])).size).toBe(1750);
  });
});
