/** Starts an emulator without an app in the directory named on the command line, says where it is, and stays. Run by local-cloud.test.ts, which kills it. */
import { clearEarlierStart, freePort, startEmulator } from '../../../local/emulator';
import { stateDirectory } from '../../../local/state-directory';
import { ensureVirtualEnvironment } from '../../../local/virtual-environment';

async function main(): Promise<void> {
  const state = stateDirectory(process.argv[2]);
  const python = await ensureVirtualEnvironment(state);
  const cleared = await clearEarlierStart(state);
  const { pid, port } = await startEmulator(state, python, await freePort());
  process.stdout.write(`${JSON.stringify({ pid, port, cleared: cleared ?? null })}\n`);
  setInterval(() => undefined, 60_000);
}

void main();
