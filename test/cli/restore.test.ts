/** `intact restore` as a person types it: the plan, the confirmation, what is done, what is refused, and what to do next. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canonicalImage } from '../../src/core/canonical-image';
import { formatVkey, verifierKey } from '../../src/core/log/vkey';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { PortError } from '../../src/ports';
import { factsOf } from '../operations/facts-world';
import { delivery, memoryDeployment, type MemoryDeployment, type Ran } from './command-run';

let cloud: MemoryDeployment;
let origin: string;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'intact-restore-'));
  cloud = await memoryDeployment(3);
  origin = cloud.world.identity.origin;
  for (const [id, words] of [['wamid.A', 'one'], ['wamid.B', 'two']] as const) await cloud.run(['send', '-'], { stdin: delivery(id, words) });
  await cloud.settle();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const itemsIn = (table: string): readonly Image[] => cloud.tables.get(table)?.items.all() ?? [];
const textsIn = (table: string): readonly string[] => itemsIn(table).map((image) => canonicalImage(image).toString()).sort();
const message = (words: string): Image => itemsIn('records').find((image) => stringOf(image, 'text') === words) as Image;
/** As the stacks made them. */
const FUNCTIONS = ['Intact-local-Service-projectviews', 'Intact-local-Service-sealrecords'];
/** Who reads the stream the table has now. */
const readersNow = (): readonly string[] => {
  const streams = cloud.streamReaders.readers.map(({ stream }) => stream).sort();
  return cloud.streamReaders.readers.filter(({ stream }) => stream === streams.at(-1) && stream !== streams[0]).map(({ reader }) => reader).sort();
};
/** The table goes, as by DeleteTable. */
function destroy(): void {
  for (const image of itemsIn('records')) cloud.world.records.byHand.remove(keyOf(image));
  cloud.tables.delete('records');
}
const restore = (...args: string[]): Promise<Ran> => cloud.run(['restore', ...args]);
interface Told {
  readonly plan: { readonly records: number; readonly toWrite: number; readonly losses: number; readonly work?: unknown };
  readonly result: { readonly written: number } | null;
}
const json = async (...args: string[]): Promise<Told> => JSON.parse((await restore(...args, '--json')).stdout) as Told;

describe('intact restore', () => {
  it('shows the plan and writes nothing with --plan', async () => {
    const ran = await restore('--to', 'copy', '--plan');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/to write\s+\d+ \([\d,]+ bytes\)/);
    expect(ran.stderr).toContain('nothing was written');
    expect(cloud.tables.has('copy')).toBe(false);
    expect(await json('--to', 'copy', '--plan')).toMatchObject({ plan: { origin, target: 'copy', isLive: false, exists: false, losses: 0 }, result: null });
  });

  it('makes a table that holds what the live one holds, set like it, and says that it is a copy', async () => {
    const live = textsIn('records');
    const ran = await restore('--to', 'copy');
    expect([ran.code, textsIn('copy')]).toEqual([0, live]);
    expect(ran.stdout).toContain('copy is a copy: the deployment goes on with records');
    expect(cloud.tables.get('copy')?.settings).toEqual({ ...cloud.tables.get('records')?.settings, tags: [`intact:restore=${origin}@${live.length}`, 'intact:stage=local'] });
    // The document has facts and no more.
    const again = await json('--to', 'copy', '--size', String(live.length));
    expect(again).toMatchObject({ plan: { records: live.length, same: live.length, toWrite: 0, settings: [] }, result: { written: 0, removed: 0, left: [], settings: [] } });
    expect(again.plan.work).toBeUndefined();
  });

  it('restores from a pulled copy, with a pinned key, when the vault is gone', async () => {
    const pulled = join(directory, 'pulled');
    expect((await cloud.run(['pull', pulled])).code).toBe(0);
    const key = (await cloud.run(['key'])).stdout.trim();
    const live = textsIn('records');
    cloud.world.vault.objects.clear();
    expect(await restore('--to', 'copy')).toMatchObject({ code: 1, stderr: expect.stringContaining('the vault cannot be restored from') as string });
    expect((await restore('--to', 'copy', '--from', pulled, '--vkey', key)).code).toBe(0);
    expect(textsIn('copy')).toEqual(live);
    const foreign = formatVkey(verifierKey(origin, Buffer.alloc(32, 9)));
    expect(await restore('--to', 'another', '--from', pulled, '--vkey', foreign)).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be trusted') as string });
    expect(cloud.tables.has('another')).toBe(false);
  });

  it('restores from the facts alone, as a replica holds them', async () => {
    const [pulled, live] = [join(directory, 'pulled'), textsIn('records')];
    for (const [name, bytes] of factsOf(cloud.world)) {
      mkdirSync(dirname(join(pulled, name)), { recursive: true });
      writeFileSync(join(pulled, name), bytes);
    }
    cloud.world.vault.objects.clear();
    const ran = await restore('--to', 'copy', '--from', pulled);
    expect([ran.code, textsIn('copy')]).toEqual([0, live]);
  });

  it('begins from the newest snapshot, from a certain one, or from none, and tells', async () => {
    const size = cloud.world.log.tables.head?.size as number;
    expect((await cloud.run(['snapshot'])).code).toBe(0);
    await cloud.settle();
    const plan = async (...args: string[]): Promise<string> => (await restore('--to', 'copy', '--plan', ...args)).stdout;
    for (const args of [[], ['--snapshot', String(size)]]) expect(await plan(...args)).toMatch(new RegExp(`begins from +the snapshot of ${size} entries`));
    expect(await plan('--snapshot', 'none')).toMatch(/begins from +the entries alone/);
    expect(await restore('--to', 'copy', '--snapshot', '1')).toMatchObject({ code: 1, stderr: expect.stringContaining('snapshot') as string });
    // Damaged, it is said and done without; asked for by name, it is refused.
    for (const [name, bytes] of cloud.world.vault.objects) if (/^snapshot\/\d+\/\d/.test(name)) cloud.world.vault.objects.set(name, Buffer.concat([bytes, Buffer.from('x')]));
    expect(await restore('--to', 'copy', '--snapshot', String(size))).toMatchObject({ code: 1 });
    expect(cloud.tables.has('copy')).toBe(false);
    const ran = await restore('--to', 'copy');
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/NOT USED snapshot\//) as string]);
    expect(textsIn('copy')).toEqual(textsIn('records'));
  });

  it('restores one customer, one message or one key', async () => {
    const customer = stringOf(message('one'), 'customerId') as string;
    const { pk, sk } = keyOf(message('two'));
    expect((await json('--to', 'a', '--customer', customer)).plan.records).toBe(itemsIn('records').filter((image) => stringOf(image, 'customerId') === customer || keyOf(image).pk === `c#${customer}`).length);
    await restore('--to', 'b', '--record', 'wamid.B');
    await restore('--to', 'c', '--record', `${pk} ${sk}`);
    await restore('--to', 'd', '--record', pk);
    for (const table of ['b', 'c', 'd']) expect(textsIn(table)).toEqual([canonicalImage(message('two')).toString()]);
    expect(await restore('--to', 'e', '--record', 'wamid.none')).toMatchObject({ code: 1, stderr: expect.stringContaining('no such record') as string });
    expect(cloud.tables.has('e')).toBe(false);
  });

  it('says what is lost, and ends in 1', async () => {
    cloud.world.keys.subjects.delete(stringOf(message('one'), 'subject') as string);
    const ran = await restore('--to', 'copy');
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/CANNOT BE RESTORED: \d/);
    expect(ran.stdout).toContain('LOST:');
    cloud.world.keys.secrets.clear();
    expect(await restore('--to', 'other')).toMatchObject({ code: 1, stderr: expect.stringContaining('bring back the keys table first') as string });
  });

  it.each([
    [[], 'restore needs --to'],
    [['--to', 'copy', '--size', 'many'], '--size is a number'],
    [['--to', 'copy', '--snapshot', 'old'], '--snapshot is a size of the log'],
    [['--to', 'copy', '--size', '0'], 'before its first entry'],
    [['--to', 'copy', '--size', '99999'], 'the published log ends at'],
    [['--to', 'copy', '--at', 'yesterday'], '--at is a time'],
    [['--to', 'copy', '--at', '2031-01-01'], 'has not come yet'],
    [['--to', 'copy', '--at', '2001-01-01'], 'before the first change'],
    [['--to', 'copy', '--at', '1h', '--size', '1'], 'exclude each other'],
    [['--to', 'copy', '--customer', 'a', '--record', 'b'], 'exclude each other'],
    [['--to', 'keys'], 'another table of this deployment'],
    [['--to', 'records', '--size', '1', '--confirm', 'x'], 'not taken back'],
    [['--to', 'copy', '--from', '/nowhere/at/all'], ''],
  ] as const)('refuses %j and makes no table', async (args, words) => {
    const ran = await restore(...args);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(words);
    if (words !== '') expect(ran.code).toBe(2);
    expect([...cloud.tables.keys()]).toEqual(['records', 'log']);
  });

  it('refuses a table that is there and not its own', async () => {
    await restore('--to', 'copy');
    await cloud.run(['send', '-'], { stdin: delivery('wamid.C', 'three') });
    await cloud.settle();
    const before = textsIn('copy');
    expect(await restore('--to', 'copy')).toMatchObject({ code: 2, stderr: expect.stringContaining('holds a restore of') as string });
    expect(textsIn('copy')).toEqual(before);
  });
});

describe('intact restore into the live table', () => {
  it('does nothing without the typed origin, and nothing at all where nothing is wrong', async () => {
    expect(await restore('--to', 'records')).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing to do') as string });
    cloud.world.records.byHand.remove(keyOf(message('one')));
    const before = textsIn('records');
    for (const confirm of [[], ['--confirm', 'example.com/wrong']]) expect((await restore('--to', 'records', ...confirm)).code).toBe(2);
    expect(textsIn('records')).toEqual(before);
  });

  it('puts back what was destroyed and removes what was invented', async () => {
    const facts = textsIn('records');
    cloud.world.records.byHand.put({ ...message('two'), text: { S: 'forged' } });
    cloud.world.records.byHand.put({ ...message('one'), pk: { S: `m#${'A'.repeat(43)}` } });
    cloud.world.records.byHand.remove(keyOf(message('one')));
    await cloud.settle();
    const planned = await restore('--to', 'records', '--plan');
    expect(planned.stdout).toContain('the LIVE table');
    expect(planned.stdout).toMatch(new RegExp(`remove m#${'A'.repeat(43)}`));
    const ran = await restore('--to', 'records', '--confirm', origin);
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('2 records written, 1 removed') as string });
    const own = new Set(['finding', 'repair', 'restore']);
    expect(itemsIn('records').filter((image) => !own.has(stringOf(image, 'kind') ?? '')).map((image) => canonicalImage(image).toString()).sort()).toEqual(facts);
    expect(itemsIn('records').filter((image) => stringOf(image, 'kind') === 'restore').map((image) => stringOf(image, 'by'))).toEqual(['local:tester']);
  });

  it('switches on again what somebody switched off, and never off what only the other tables lack', async () => {
    const [live, log] = [cloud.tables.get('records')!, cloud.tables.get('log')!];
    const { settings } = live;
    log.settings = { ...log.settings, pointInTimeRecovery: false, deletionProtection: false, encryptionKey: null };
    expect((await restore('--to', 'records')).stderr).toContain('nothing to do');
    live.settings = { ...settings, pointInTimeRecovery: false, tags: [] };
    expect((await restore('--to', 'records', '--confirm', origin)).stdout).toMatch(/setting\s+pointInTimeRecovery is off, should be on/);
    expect(live.settings).toEqual(settings);
    live.settings = { ...settings, stream: null };
    expect((await restore('--to', 'records', '--confirm', origin)).stdout).toContain('Its stream is read by Intact-local-Service-projectviews and Intact-local-Service-sealrecords');
    expect(live.settings).toEqual(settings);
    expect(readersNow()).toEqual(FUNCTIONS);
  });

  it('that is gone makes it anew, set as the deployment made it, and read by its functions before it has a record', async () => {
    const facts = textsIn('records');
    const { settings } = cloud.tables.get('records')!;
    destroy();
    const planned = await restore('--to', 'records', '--plan');
    for (const name of FUNCTIONS) expect(planned.stdout).toContain(`connect ${name} to the stream the table has now, from its beginning`);
    expect(readersNow()).toEqual([]);
    const { connect } = cloud.streamReaders;
    const recordsThen: number[] = [];
    Object.assign(cloud.streamReaders, { connect: async (...args: Parameters<typeof connect>) => (recordsThen.push(itemsIn('records').length), connect(...args)) });
    const ran = await restore('--to', 'records', '--confirm', origin);
    expect([ran.code, ran.stderr.includes('LIVE'), recordsThen]).toEqual([0, false, [0, 0]]);
    expect(ran.stdout).toContain('Its stream is read by Intact-local-Service-projectviews and Intact-local-Service-sealrecords');
    expect(ran.stdout).toContain('next, in this order:');
    expect(textsIn('records')).toEqual(expect.arrayContaining([...facts]));
    expect(cloud.tables.get('records')?.settings).toMatchObject({ ...settings, tags: [expect.stringContaining('intact:restore=') as string, 'intact:stage=local'] });
    expect(readersNow()).toEqual(FUNCTIONS);
    expect(cloud.streamReaders.readers.map(({ reader, settings: { BatchSize } }) => `${reader} ${String(BatchSize)}`)).toEqual([...FUNCTIONS, ...FUNCTIONS].map((name) => `${name} ${name.endsWith('seal-records') || name.endsWith('sealrecords') ? 1000 : 100}`));
    // The old ones stay: what the old stream still holds is theirs to read.
    expect(cloud.streamReaders.readers.filter(({ isOn }) => isOn)).toHaveLength(4);
  });

  it('destroyed as the exercise destroys it is destroyed once, and only whole', async () => {
    expect(await cloud.run(['tamper', '--local', '--destroy', 'wamid.A'])).toMatchObject({ code: 2, stderr: expect.stringContaining('goes without a message id') as string });
    expect(await cloud.run(['tamper', '--destroy'])).toMatchObject({ code: 2, stderr: expect.stringContaining('local cloud only') as string });
    expect(cloud.tables.has('records')).toBe(true);
    expect(await cloud.run(['tamper', '--local', '--destroy'])).toMatchObject({ code: 0, stdout: expect.stringContaining('destroyed the table records') as string });
    expect(cloud.tables.has('records')).toBe(false);
    expect(await cloud.run(['tamper', '--local', '--destroy'])).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no table records') as string });
    expect((await restore('--to', 'records', '--confirm', origin)).code).toBe(0);
    expect(cloud.tables.has('records')).toBe(true);
  });

  it('connects nothing twice, and what an earlier run left out', async () => {
    destroy();
    const { connect } = cloud.streamReaders;
    let calls = 0;
    const failing = async (...args: Parameters<typeof connect>): ReturnType<typeof connect> => {
      if (++calls === 2) throw new PortError('denied', 'Lambda says no');
      return connect(...args);
    };
    Object.assign(cloud.streamReaders, { connect: failing });
    expect(await restore('--to', 'records', '--confirm', origin)).toMatchObject({ code: 2, stderr: expect.stringContaining('Lambda says no') as string });
    // Stopped before it wrote a record; what was done is done.
    expect([itemsIn('records').length, readersNow()]).toEqual([0, FUNCTIONS.slice(0, 1)]);
    for (let i = 0; i < 2; i++) expect((await restore('--to', 'records', '--confirm', origin)).code).toBe(0);
    expect(readersNow()).toEqual(FUNCTIONS);
    await cloud.settle();
    expect((await restore('--to', 'records')).stderr).toContain('nothing to do');
    // Only a reader is missing: nothing else is touched, and it is asked all the same.
    const before = textsIn('records');
    cloud.streamReaders.readers.pop();
    expect(await restore('--to', 'records')).toMatchObject({ code: 2, stderr: expect.stringContaining('connects 1 reader of its stream') as string });
    expect(JSON.parse((await restore('--to', 'records', '--confirm', origin, '--json')).stdout)).toMatchObject({ readers: { toConnect: FUNCTIONS.slice(1), toSwitchOn: [], nobody: false, connected: FUNCTIONS.slice(1) }, result: { written: 0 } });
    expect([readersNow(), textsIn('records')]).toEqual([FUNCTIONS, before]);
  });

  it('switches on a reader that somebody switched off, and says so where nobody reads at all', async () => {
    const { readers } = cloud.streamReaders;
    readers[1] = { ...readers[1]!, isOn: false };
    expect((await restore('--to', 'records', '--plan')).stdout).toContain('switch on Intact-local-Service-sealrecords');
    expect((await restore('--to', 'records', '--confirm', origin)).code).toBe(0);
    expect(readers[1]).toMatchObject({ isOn: true });
    readers.length = 0;
    expect(await restore('--to', 'records', '--plan')).toMatchObject({ code: 1, stdout: expect.stringContaining('NOBODY READS its stream') as string });
  });
});
