/** `audit`, `drill` and what `status` says of them, as a person types them. */
import { keyOf, type Image } from '../../src/core/image';
import { delivery, memoryDeployment, type MemoryDeployment } from './command-run';

const json = (stdout: string): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

async function deployed(seed: number): Promise<MemoryDeployment> {
  const all = await memoryDeployment(seed);
  await all.run(['send', '-'], { stdin: delivery('wamid.one', 'as it was said') });
  await all.settle();
  return all;
}

async function message({ world }: MemoryDeployment): Promise<Image> {
  for await (const image of world.records.scan({ kinds: ['message'] })) return image;
  throw new Error('there is no message');
}

describe('audit', () => {
  it('of a sound table ends in "clean" and 0, and status tells of it', async () => {
    const all = await deployed(1);
    expect((await all.run(['status'])).stdout).toMatch(/audit +never ran/);
    const ran = await all.run(['audit']);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('clean: the table is what the log says') as string]);
    all.world.advance(5 * 60_000);
    const status = await all.run(['status']);
    expect(status.stdout).toMatch(/audit +clean, 5 min ago/);
    expect(json((await all.run(['status', '--json'])).stdout)['lastAudit']).toEqual({ at: expect.any(String) as string, ok: true, findings: 0 });
  });

  it('of a changed table names record, code and article, and is 1; so is status', async () => {
    const all = await deployed(2);
    const victim = await message(all);
    all.world.records.byHand.put({ ...victim, text: { S: 'another\u001b[2J' } });
    const ran = await all.run(['audit', '--full']);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(`record-modified  ${keyOf(victim).pk} / ${keyOf(victim).sk}  sealed as entry`);
    expect(ran.stdout).toContain('open docs/runbook.md#audit-findings');
    expect(ran.stdout).not.toContain('another');
    all.world.advance(1);
    const again = await all.run(['audit', '--json']);
    expect(json(again.stdout)).toMatchObject({ ok: false, findings: 1, byCode: { 'record-modified': 1 }, found: [{ code: 'record-modified', key: keyOf(victim) }] });
    const status = await all.run(['status']);
    expect([status.code, status.stdout]).toEqual([1, expect.stringMatching(/audit +1 finding, /) as string]);
  });

  it('takes a share, and refuses what is none', async () => {
    const all = await deployed(3);
    expect(json((await all.run(['audit', '--share', '2/3', '--json'])).stdout)).toMatchObject({ share: { number: 1, of: 3 } });
    for (const wrong of ['0/3', '4/3', '1/0', 'x', '1/1001']) expect([wrong, (await all.run(['audit', '--share', wrong])).code]).toEqual([wrong, 2]);
    expect((await all.run(['audit', '--full', '--share', '1/2'])).stderr).toContain('exclude each other');
  });

  it('of a log that cannot be read says so and what to open', async () => {
    const all = await deployed(4);
    for (const name of [...all.world.vault.objects.keys()]) if (/^(tile\/entries|segment)\//.test(name)) all.world.vault.objects.delete(name);
    const ran = await all.run(['audit']);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/nothing can be compared with this log[^]*verification-findings/) as string]);
  });
});

describe('drill', () => {
  it('of a sound system has 0 differences and leaves no table', async () => {
    const all = await deployed(5);
    const before = [...all.tables.keys()];
    const ran = await all.run(['drill']);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('0 differences: the records can be restored') as string]);
    expect([...all.tables.keys()]).toEqual(before);
    expect((await all.run(['status'])).stdout).toMatch(/drill +clean, 0 s ago/);
  });

  it('names what differs, is 1, and names the article', async () => {
    const all = await deployed(6);
    const victim = await message(all);
    all.world.records.byHand.remove(keyOf(victim));
    const ran = await all.run(['drill']);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(`missing  ${keyOf(victim).pk} / ${keyOf(victim).sk}`);
    expect(ran.stdout).toContain('open docs/runbook.md#drill-differences');
    expect((await all.run(['status'])).stdout).toMatch(/drill +1 difference, /);
  });

  it('refuses to disturb another drill, and says until when', async () => {
    const all = await deployed(7);
    const until = new Date(all.world.now().getTime() + 60_000).toISOString();
    const live = all.tables.get('records')!;
    all.tables.set('records-drill-scratch', { ...live, settings: { ...live.settings, tags: [`intact:drill-until=${until}`] } });
    const ran = await all.run(['drill']);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(until) as string]);
    expect(all.tables.has('records-drill-scratch')).toBe(true);
  });
});
