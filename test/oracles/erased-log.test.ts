/** A log in which somebody was erased is a log like any other to those who share no line with us: the verifier written from docs/format.md, and Tessera's fsck. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { takeSnapshot } from '../../src/operations/take-snapshot';
import { populated } from '../operations/erasure/erasing-world';
import { describeWithGo, fsck } from './go';
import { describeWithPython, outsiderCommand } from './outsider';

const directories: string[] = [];
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true })));

/** A vault of a deployment that took a snapshot before and behind an erasure. */
async function erasedLog(): Promise<{ readonly directory: string; readonly vkey: string; readonly size: number }> {
  const { it, eve } = await populated(1);
  await takeSnapshot(it.world);
  await it.confirmed(eve);
  await it.untilDone();
  await takeSnapshot(it.world);
  await it.settle();
  const kinds = it.world.entries().map(({ entry }) => `${entry.op} ${entry.kind}`);
  expect(kinds).toEqual(expect.arrayContaining(['remove message', 'put tombstone', 'put certificate', 'put snapshot']));
  const directory = mkdtempSync(join(tmpdir(), 'intact-erased-'));
  directories.push(directory);
  for (const [name, bytes] of it.world.vault.objects) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), bytes);
  }
  return { directory, vkey: it.world.vault.objects.get('log.vkeys')?.toString().split('\n')[0] ?? '', size: kinds.length };
}

describeWithPython("the outsider's verifier", () => {
  test('accepts a log in which somebody was erased', async () => {
    const { directory, vkey, size } = await erasedLog();
    const { exit, lines } = outsiderCommand(directory, '--vkey', vkey);
    expect([exit, lines[0], lines.length]).toEqual([0, `size ${size}`, 2]);
  });
});

describeWithGo("Tessera's fsck", () => {
  test('accepts a log in which somebody was erased', async () => {
    const { directory, vkey, size } = await erasedLog();
    expect(fsck(directory, vkey)).toMatchObject({ exit: 0, log: { size } });
  }, 120_000);
});
