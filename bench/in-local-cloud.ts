/** Runs the measuring half of a bench in the local cloud that runs, or in one of its own for as long as it lasts. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCloud } from '../local/cloud';
import { freePort } from '../local/emulator';
import { localEnvironment, type Environment } from '../local/environment';
import { readOutputs } from '../local/outputs';
import { stateDirectory } from '../local/state-directory';
import { printedSteps } from '../local/steps';

/** The guest talks to the cloud and has nothing but its environment, as every process of the local cloud. */
async function measure(guest: string, environment: Environment, outputsFile: string): Promise<number> {
  const child = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), join(__dirname, guest), outputsFile, ...process.argv.slice(2)], { env: environment as NodeJS.ProcessEnv, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve, reject) => child.once('error', reject).once('close', (code) => resolve(code ?? 2)));
}

async function runs(guest: string): Promise<number> {
  const running = stateDirectory();
  const there = readOutputs(running.outputs);
  if (there !== undefined) {
    console.log(`measured in the local cloud at ${there.endpoint}`);
    return measure(guest, localEnvironment(running, there.endpoint), running.outputs);
  }
  const own = stateDirectory(`bench-${process.pid}`);
  try {
    const cloud = await startCloud(own, await freePort(), printedSteps((text) => process.stdout.write(text)));
    try {
      return await measure(guest, cloud.environment, own.outputs);
    } finally {
      await cloud.stop();
    }
  } finally {
    rmSync(own.root, { recursive: true, force: true });
  }
}

/** `guest`: a file beside this one, which is given the outputs file and this process's own arguments. Its exit code becomes this process's. */
export function inLocalCloud(guest: string): void {
  runs(guest).then((code) => { process.exitCode = code; }, (error: unknown) => {
    console.error(error);
    process.exitCode = 2;
  });
}
