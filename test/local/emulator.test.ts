import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../local/child-process';
import { assertPortFree, clearEarlierStart, freePort } from '../../local/emulator';
import type { StateDirectory } from '../../local/state-directory';

const root = mkdtempSync(join(tmpdir(), 'intact-emulator-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let runs = 0;
function emptyState(): StateDirectory {
  const directory = join(root, String(++runs));
  const state = { root: directory, cloud: join(directory, 'cloud'), outputs: join(directory, 'outputs.json') } as StateDirectory;
  mkdirSync(state.cloud, { recursive: true });
  return state;
}

/** A process that runs until it is killed; `words` stand on its command line. Started when this resolves. */
async function running(words: string, options: { readonly ignoreTerm?: boolean } = {}): Promise<number> {
  const program = `${options.ignoreTerm === true ? "process.on('SIGTERM', () => {});" : ''} console.log('up'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', program, words], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child.pid ?? 0;
}

const isGone = (pid: number): boolean => commandLineOf(pid) === undefined;
const record = (state: StateDirectory, processes: object): void => writeFileSync(join(state.cloud, 'processes.json'), JSON.stringify(processes));

describe('clearing an earlier start', () => {
  it('empties the directory and says nothing when nothing runs', async () => {
    const state = emptyState();
    writeFileSync(state.outputs, '{}');
    writeFileSync(join(state.cloud, 'left'), '');
    expect(await clearEarlierStart(state)).toBeUndefined();
    expect([existsSync(state.outputs), existsSync(state.cloud), existsSync(join(state.cloud, 'left'))]).toEqual([false, true, false]);
  });

  it('ends a starter that still runs, and its emulator', async () => {
    const state = emptyState();
    const starter = await running('starter');
    const emulator = await running(state.cloud);
    record(state, { starter, starterCommand: commandLineOf(starter), emulator });
    expect(await clearEarlierStart(state)).toContain(`process ${starter}`);
    expect([isGone(starter), isGone(emulator)]).toEqual([true, true]);
  });

  it('ends an emulator whose starter was killed', async () => {
    const state = emptyState();
    const emulator = await running(state.cloud);
    record(state, { starter: 2 ** 30, starterCommand: 'gone', emulator });
    expect(await clearEarlierStart(state)).toContain(`process ${emulator}`);
    expect(isGone(emulator)).toBe(true);
  });

  it('leaves a stranger alone who has got the same process id since', async () => {
    const state = emptyState();
    const stranger = await running('stranger');
    record(state, { starter: stranger, starterCommand: 'node local/start.ts', emulator: stranger });
    expect(await clearEarlierStart(state)).toBeUndefined();
    expect(isGone(stranger)).toBe(false);
    process.kill(stranger, 'SIGKILL');
  });

  it('takes a half-written record for none', async () => {
    const state = emptyState();
    writeFileSync(join(state.cloud, 'processes.json'), '{"starter":');
    expect(await clearEarlierStart(state)).toBeUndefined();
  });
});

describe('a port', () => {
  it('that is taken is named, with how to choose another', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(assertPortFree(port)).rejects.toThrow(new RegExp(`Port ${port} of 127.0.0.1 is taken[^]*npm start -- --port ${port + 1}`));
    await new Promise((resolve) => server.close(resolve));
    await expect(assertPortFree(port)).resolves.toBeUndefined();
  });

  it('chosen as free can be listened on', async () => {
    await expect(assertPortFree(await freePort())).resolves.toBeUndefined();
  });
});
