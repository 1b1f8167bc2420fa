/** `snapshot` and `snapshot --list`, as a person types them, and what a restore and `status` make of one. */
import { delivery, memoryDeployment, type MemoryDeployment } from './command-run';

const json = (stdout: string): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

async function deployed(seed: number): Promise<MemoryDeployment> {
  const all = await memoryDeployment(seed);
  await all.run(['send', '-'], { stdin: delivery('wamid.one', 'as it was said') });
  await all.settle();
  return all;
}

const objectsOf = ({ world }: MemoryDeployment): string[] => [...world.vault.objects.keys()].filter((name) => name.startsWith('snapshot/'));

it('puts parts and a manifest into the vault, says what is in them, and leaves a record that names who asked', async () => {
  const all = await deployed(1);
  expect((await all.run(['status'])).stdout).toMatch(/snapshot +never taken/);
  const { code, stdout } = await all.run(['snapshot']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/snapshot +\d records of a log of \d entries, 1 part, /) as string]);
  const [part, manifest] = objectsOf(all).sort();
  expect([part, manifest]).toEqual([expect.stringMatching(/^snapshot\/\d\/000000-[0-9a-f]{64}$/) as string, expect.stringMatching(/^snapshot\/\d\/manifest-[0-9a-f]{64}$/) as string]);
  expect(stdout).toContain(manifest);
  all.world.advance(5 * 60_000);
  expect((await all.run(['status'])).stdout).toMatch(/snapshot +taken 5 min ago/);
  expect(await recordOf(all)).toMatchObject({ by: { S: 'local:tester' }, manifest: { S: manifest } });
});

it('is used by a restore once the log vouches for it', async () => {
  const all = await deployed(2);
  const snapshot = async (): Promise<unknown> => (json((await all.run(['restore', '--to', 'elsewhere', '--plan', '--json'])).stdout)['plan'] as Record<string, unknown>)['snapshot'] ?? undefined;
  const taken = json((await all.run(['snapshot', '--json'])).stdout);
  expect(await snapshot()).toBeUndefined();
  await all.settle();
  expect(await snapshot()).toMatchObject({ name: taken['snapshot'], size: taken['size'] });
});

it('--list shows those that are there, newest first, and takes none', async () => {
  const all = await deployed(3);
  expect(await all.run(['snapshot', '--list'])).toMatchObject({ code: 0, stdout: 'no snapshot is in the vault; a restore reads the whole log\n' });
  await all.run(['snapshot']);
  await all.settle();
  all.world.advance(86_400_000 * 3);
  await all.run(['snapshot']);
  const before = objectsOf(all).length;
  const { code, stdout } = await all.run(['snapshot', '--list']);
  const lines = stdout.trimEnd().split('\n');
  expect([code, lines.length, objectsOf(all).length]).toEqual([0, 2, before]);
  expect(lines[1]).toContain('3 d ago');
  const listed = JSON.parse((await all.run(['snapshot', '--list', '--json'])).stdout) as { size: number; at: string; parts: number; bytes: number }[];
  expect(listed.map(({ size }) => size)).toEqual([...listed.map(({ size }) => size)].sort((a, b) => b - a));
  for (const each of listed) expect(each).toMatchObject({ parts: 1, at: expect.stringMatching(/^20\d\d-/) as string, bytes: expect.any(Number) as number });
});

it('--list names one that is not what it is called, and is 1', async () => {
  const all = await deployed(4);
  await all.run(['snapshot']);
  const manifest = objectsOf(all).find((name) => name.includes('manifest'))!;
  all.world.vault.objects.set(manifest, Buffer.from('{"v":1}'));
  const ran = await all.run(['snapshot', '--list']);
  expect([ran.code, ran.stdout]).toEqual([1, expect.stringMatching(/size \d +(altered|truncated)/) as string]);
  expect(JSON.parse((await all.run(['snapshot', '--list', '--json'])).stdout)).toEqual([{ name: manifest, size: expect.any(Number) as number, error: { code: expect.any(String) as string, object: manifest, message: expect.any(String) as string, next: expect.any(String) as string } }]);
});

it('has nothing to take one of before anything was sealed, or where the log cannot be read', async () => {
  const empty = await memoryDeployment(5);
  const early = await empty.run(['snapshot']);
  expect([early.code, early.stdout, objectsOf(empty)]).toEqual([2, '', []]);
  expect(early.stderr).toMatch(/nothing was sealed/);
  const all = await deployed(6);
  for (const name of [...all.world.vault.objects.keys()]) if (/^(tile\/entries|segment)\//.test(name)) all.world.vault.objects.delete(name);
  const ran = await all.run(['snapshot']);
  expect([ran.code, ran.stderr, objectsOf(all)]).toEqual([1, expect.stringMatching(/verification-findings/) as string, []]);
});

it('locks what it puts for as long as snapshots are, not as the log is', async () => {
  const all = await deployed(7);
  const put: string[] = [];
  const vault = all.deployment.snapshotVault;
  Object.assign(all.deployment, { snapshotVault: { createLocked: async (name: string, bytes: Uint8Array) => (put.push(name), vault.createLocked(name, bytes)) } });
  const through = jest.spyOn(all.world.vault, 'createLocked');
  await all.run(['snapshot']);
  expect(put.sort()).toEqual(objectsOf(all).sort());
  expect(through).toHaveBeenCalledTimes(put.length);
});

async function recordOf({ world }: MemoryDeployment): Promise<unknown> {
  for await (const image of world.records.scan({ kinds: ['snapshot'] })) return image;
  return undefined;
}
