/**
 * `npm run bench -- recovery-point`: how old the newest record is that would be lost, were everything but the vault, or everything but its replica, gone this moment. Messages are sent at a
 * steady rate to the app as it is deployed locally; printed are the seconds from the answer 200 until the record can be restored from either. Takes the local cloud that runs, or one of its own
 * for as long as it lasts. `npm run bench -- recovery-point` takes a minute; with numbers behind, `npx tsx bench/recovery-point.ts <messages a second> <seconds>`, as long as one likes.
 */
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
async function measure(environment: Environment, outputsFile: string): Promise<number> {
  const guest = join(__dirname, 'recovery-point-guest.ts');
  const child = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), guest, outputsFile, ...process.argv.slice(2)], { env: environment as NodeJS.ProcessEnv, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve, reject) => child.once('error', reject).once('close', (code) => resolve(code ?? 2)));
}

async function main(): Promise<number> {
  const running = stateDirectory();
  const there = readOutputs(running.outputs);
  if (there !== undefined) {
    console.log(`measured in the local cloud at ${there.endpoint}`);
    return measure(localEnvironment(running, there.endpoint), running.outputs);
  }
  const own = stateDirectory(`bench-${process.pid}`);
  try {
    const cloud = await startCloud(own, await freePort(), printedSteps((text) => process.stdout.write(text)));
    try {
      return await measure(cloud.environment, own.outputs);
    } finally {
      await cloud.stop();
    }
  } finally {
    rmSync(own.root, { recursive: true, force: true });
  }
}

main().then((code) => { process.exitCode = code; }, (error: unknown) => {
  console.error(error);
  process.exitCode = 2;
});
