/** `mend`, as a person types it: a pulled copy is damaged, and healed into a new directory or where it stands; what is lost is told, with exit 1. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatVkey, verifierKey } from '../../src/core/log/vkey';
import { delivery, memoryDeployment, runAlone, type MemoryDeployment } from './command-run';

let cloud: MemoryDeployment;
let directory: string;
let vkey: string;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  cloud = await memoryDeployment();
  for (const id of ['wamid.A', 'wamid.B', 'wamid.C']) {
    await cloud.run(['send', '-'], { stdin: delivery(id, `said ${id}`) });
    await cloud.settle();
  }
  vkey = formatVkey(verifierKey(cloud.world.identity.origin, await cloud.world.signer.publicKey()));
});
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'intact-mend-'));
  expect((await cloud.run(['pull', path('whole')])).code).toBe(0);
  // Of partial tiles only the widest: the others are in nobody's way, and in those of these tests.
  const partials = Object.keys(filesIn(path('whole'))).filter((name) => name.includes('.p/'));
  const widthOf = (name: string): number => Number(name.slice(name.lastIndexOf('/') + 1));
  for (const name of partials) if (partials.some((other) => other.split('.p/')[0] === name.split('.p/')[0] && widthOf(other) > widthOf(name))) rmSync(join(path('whole'), name));
  cpSync(path('whole'), path('vault'), { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true }));

const filesIn = (dir: string): Record<string, string> =>
  Object.fromEntries((readdirSync(dir, { recursive: true }) as string[]).filter((name) => statSync(join(dir, name)).isFile()).sort().map((name) => [name, hashOf(readFileSync(join(dir, name)))]));
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const named = (pattern: RegExp): string => {
  const name = Object.keys(filesIn(path('whole'))).find((each) => pattern.test(each));
  if (name === undefined) throw new Error(`there is nothing like ${pattern}`);
  return name;
};
const damage = (name: string): void => writeFileSync(join(path('vault'), name), 'x');
const lose = (name: string): void => rmSync(join(path('vault'), name));
const mend = (...args: string[]) => runAlone(['mend', path('vault'), '--vkey', vkey, ...args]);

test('a damaged copy is healed into a new directory: the same files, and what was repaired from what', async () => {
  const [bundle, segment] = [named(/^tile\/entries\//), named(/^segment\//)];
  damage(bundle);
  lose('checkpoint');
  const { code, stdout } = await mend('--to', path('healed'));
  expect(code).toBe(0);
  expect(stdout).toContain(`${bundle}: other bytes, from the other form of the same`);
  expect(stdout).toContain('checkpoint: gone, from the other form of the same');
  expect(stdout).toContain('verification: no findings');
  expect(filesIn(path('healed'))).toEqual(filesIn(path('whole')));
  expect(existsSync(join(path('healed'), segment))).toBe(true);
  expect((await runAlone(['verify', path('healed'), '--vkey', vkey])).code).toBe(0);
  // The damaged one is evidence, and stays as it was.
  expect(readFileSync(join(path('vault'), bundle)).toString()).toBe('x');
});

test('--json has every member that is promised', async () => {
  lose(named(/^segment\//));
  const { code, stdout } = await mend('--to', path('healed'), '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    source: path('vault'),
    to: path('healed'),
    origin: cloud.world.identity.origin,
    signed: cloud.world.log.tables.head?.size,
    size: cloud.world.log.tables.head?.size,
    sealed: cloud.world.log.tables.head?.size,
    root: cloud.world.log.tables.head?.root.toString('base64'),
    keySource: 'given',
    sound: expect.any(Number),
    repaired: [{ object: named(/^segment\//), fault: 'absent', from: ['other-form'] }],
    refused: [],
    lost: [],
    leftOut: [],
    written: Object.keys(filesIn(path('whole'))).length,
    outcome: 'whole',
    verified: expect.objectContaining({ ok: true, findings: [] }),
  });
});

test('where every copy is damaged nothing is written, the entries are named, and it is exit 1; the replica helps', async () => {
  for (const name of Object.keys(filesIn(path('whole')))) if (/^(segment|tile\/entries)\//.test(name)) damage(name);
  const { code, stdout } = await mend('--to', path('healed'));
  expect(code).toBe(1);
  expect(stdout).toMatch(/LOST: 1\n {2}tile\/entries\/.*\(entry 0 to \d+\)/);
  expect(stdout).toContain('nothing was written: every copy of what is lost is damaged');
  expect(existsSync(join(path('healed'), 'checkpoint'))).toBe(false);
  const helped = await mend('--to', path('healed'), '--replica', path('whole'));
  expect([helped.code, helped.stdout.includes('the replica')]).toEqual([0, true]);
  expect(filesIn(path('healed'))).toEqual(filesIn(path('whole')));
});

test('--partial writes what is sound, and is still exit 1', async () => {
  const last = named(/^segment\/0*[1-9]/);
  damage(last);
  damage(named(/^tile\/entries\//));
  const { code, stdout } = await mend('--to', path('healed'), '--partial');
  expect(code).toBe(1);
  expect(stdout).toContain('NOT WHOLE');
  expect(existsSync(join(path('healed'), 'checkpoint'))).toBe(true);
  expect((await runAlone(['verify', path('healed'), '--vkey', vkey])).code).toBe(1);
});

test('--plan writes nothing, and is exit 0 as long as nothing would be lost', async () => {
  lose(named(/^tile\/0\//));
  const before = filesIn(directory);
  const planned = await mend('--plan', '--to', path('healed'));
  expect([planned.code, planned.stdout.includes('everything can be repaired; nothing was written')]).toEqual([0, true]);
  expect(filesIn(directory)).toEqual(before);
  lose('log.vkeys');
  for (const name of Object.keys(filesIn(path('whole')))) if (/^(segment|tile\/entries)\//.test(name)) damage(name);
  expect((await mend('--plan')).code).toBe(1);
});

test('--in-place puts back what is absent and leaves alone, by name, what is not', async () => {
  const [bundle, tile] = [named(/^tile\/entries\//), named(/^tile\/0\//)];
  lose(bundle);
  damage(tile);
  damage('checkpoint');
  const { code, stdout } = await mend('--in-place');
  expect(code).toBe(1);
  expect(stdout).toContain(`${tile}: other bytes; what stands there is write-once and cannot be replaced`);
  expect(stdout).toContain('2 objects put back');
  expect(filesIn(path('vault'))).toEqual({ ...filesIn(path('whole')), [tile]: hashOf(Buffer.from('x')) });
  lose(tile);
  expect((await mend('--in-place')).code).toBe(0);
  expect(filesIn(path('vault'))).toEqual(filesIn(path('whole')));
  expect((await mend('--in-place')).stdout).toContain('0 objects put back');
});

test('what cannot be meant is refused before anything is read', async () => {
  mkdirSync(path('other'));
  writeFileSync(join(path('other'), 'mine'), 'x');
  for (const [args, told] of [
    [[], 'mend needs --to'],
    [['--to', path('healed'), '--in-place'], 'exclude each other'],
    [['--to', path('vault')], 'is the damaged vault itself'],
    [['--to', path('other')], 'holds no pulled log'],
    [['--to', path('healed'), '--retention', '7'], 'a directory knows no locks'],
    [['--in-place', '--partial'], '--partial is for a copy'],
    [['--in-place', '--retention', 'x'], 'a directory knows no locks'],
  ] as const) {
    const { code, stderr } = await mend(...args);
    expect([args, code, stderr.includes(told)]).toEqual([args, 2, true]);
  }
});

test('another vault at the place to write to is refused, and stays as it is', async () => {
  const stranger = await memoryDeployment(7);
  await stranger.run(['send', '-'], { stdin: delivery('wamid.X', 'x') });
  await stranger.settle();
  await stranger.run(['pull', path('other')]);
  const before = filesIn(path('other'));
  const { code, stderr } = await mend('--to', path('other'));
  expect([code, stderr.includes('holds another vault')]).toEqual([2, true]);
  expect(filesIn(path('other'))).toEqual(before);
});

test('without a key the vault\'s own is used, which is said; with no key history left the pinned key stands in', async () => {
  const own = await runAlone(['mend', path('vault'), '--to', path('healed')]);
  expect([own.code, own.stderr.includes('not authorship')]).toEqual([0, true]);
  lose('log.vkeys');
  const without = await runAlone(['mend', path('vault'), '--to', path('again')]);
  expect([without.code, without.stderr.includes('give the key you kept with --vkey')]).toEqual([1, true]);
  expect((await mend('--to', path('again'))).code).toBe(0);
});

test("without an address the deployment's own vault is mended", async () => {
  const { code, stdout } = await cloud.run(['mend', '--to', path('healed'), '--vkey', vkey]);
  expect([code, stdout.includes('verification: no findings')]).toEqual([0, true]);
  expect(filesIn(path('healed'))).toMatchObject(filesIn(path('whole')));
});
