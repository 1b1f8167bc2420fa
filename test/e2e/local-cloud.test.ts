/** How the local cloud ends when it is not asked to: the emulator must not outlive its starter, and the next start must not stumble over the last one. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { commandLineOf } from '../../local/child-process';
import { assertPortFree } from '../../local/emulator';
import { projectRoot, stateDirectory } from '../../local/state-directory';
import { waitFor } from './harness/wait-for';

const name = `test-alone-${randomUUID()}`;
const started: ChildProcess[] = [];

async function start(): Promise<{ readonly starter: ChildProcess; readonly pid: number; readonly port: number; readonly cleared: string | null }> {
  const starter = spawn(process.execPath, ['--require', 'tsx/cjs', join(__dirname, 'harness', 'emulator-alone.ts'), name], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(starter);
  const line = await new Promise<string>((resolve, reject) => {
    starter.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    starter.once('exit', (code) => reject(new Error(`the starter ended with ${code}`)));
  });
  return { starter, ...(JSON.parse(line) as { pid: number; port: number; cleared: string | null }) };
}

afterAll(async () => {
  for (const starter of started) starter.kill('SIGKILL');
  await waitFor('the starters to be gone', async () => started.every(({ pid }) => commandLineOf(pid ?? 0) === undefined));
  rmSync(stateDirectory(name).root, { recursive: true, force: true });
});

describe('an emulator', () => {
  it('ends with its starter, even one killed with -9, and leaves its port', async () => {
    const { starter, pid, port } = await start();
    await expect(assertPortFree(port)).rejects.toThrow('is taken');
    starter.kill('SIGKILL');
    await waitFor('the emulator to be gone', async () => commandLineOf(pid) === undefined);
    await assertPortFree(port);
  });

  it('that still runs with its starter is ended by the next start in its directory, which says so', async () => {
    const first = await start();
    const second = await start();
    expect(second.cleared).toContain(`process ${first.starter.pid}`);
    expect(commandLineOf(first.pid)).toBeUndefined();
    expect(commandLineOf(second.pid)).toContain('emulator.py');
  });
});
