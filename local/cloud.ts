/**
 * One local cloud from nothing to ready: Python packages, emulator, the real CDK app, what the emulator leaves out, the app secret. `npm start` and the
 * end-to-end tests start it the same way; they differ in directory and port only.
 */
import { join } from 'node:path';
import { newAppSecret } from './app-secret';
import { bootstrap, deployStacks, localStacks, synthesize, templateFile } from './deploy';
import type { DeployOptions } from './deploy';
import { assertPortFree, clearEarlierStart, startEmulator } from './emulator';
import type { Emulator } from './emulator';
import { localAccount, localEnvironment, localRegion, localSecondRegion } from './environment';
import type { Environment } from './environment';
import { startAttendant } from './errands';
import type { Attendant } from './errands';
import { localOutputs, removeOutputs, writeOutputs } from './outputs';
import type { LocalOutputs } from './outputs';
import { staffFile } from './state-directory';
import type { StateDirectory } from './state-directory';
import type { Steps } from './steps';
import { ensureVirtualEnvironment, needsDownload } from './virtual-environment';

export interface LocalCloud {
  readonly outputs: LocalOutputs;
  /** For every process that is to talk to this cloud. */
  readonly environment: Environment;
  /** Settles when the emulator or its attendant ends, asked to or not: the cloud is then no longer whole. */
  readonly ended: Promise<void>;
  /** Leaves nothing running and the port free. */
  stop(): Promise<void>;
}

/** Starts an empty cloud and deploys the app. @throws CannotStart with what a person can do; nothing is left running then. */
export async function startCloud(state: StateDirectory, port: number, steps: Steps, options: DeployOptions = {}): Promise<LocalCloud> {
  const cleared = await clearEarlierStart(state);
  if (cleared !== undefined) steps.say(`  (${cleared})`);
  await assertPortFree(port);
  const failed = new AbortController();
  const { signal } = failed;
  options.signal?.addEventListener('abort', () => failed.abort());
  // Needs neither Python nor emulator, and is the longest step: begun first, awaited when it is needed.
  const assembly = synthesize(state, { ...options, signal });
  assembly.catch(() => undefined);
  let stop = async (): Promise<void> => undefined;
  try {
    const python = await pythonFor(state, steps, signal);
    const emulator = await steps.step(`Starting an empty local cloud on port ${port}`, () => startEmulator(state, python, port, signal));
    const environment = localEnvironment(state, emulator.endpoint);
    const attendant = startAttendant(environment, join(state.cloud, 'attendant.log'));
    stop = async () => {
      removeOutputs(state);
      attendant.stop();
      await emulator.stop();
    };
    const outputs = await deployInto(state, emulator, attendant, assembly, steps, { ...options, signal });
    writeOutputs(state, outputs);
    return { outputs, environment, ended: Promise.race([emulator.ended, attendant.ended]), stop };
  } catch (error) {
    failed.abort();
    await stop();
    throw error;
  }
}

async function pythonFor(state: StateDirectory, steps: Steps, signal: AbortSignal): Promise<string> {
  if (!needsDownload(state)) return ensureVirtualEnvironment(state, signal);
  steps.say('First start: the local cloud (MiniStack, a Python program) is downloaded once, about 215 MB installed, to .intact/venv.');
  return steps.step('Downloading the local cloud', () => ensureVirtualEnvironment(state, signal));
}

async function deployInto(state: StateDirectory, emulator: Emulator, attendant: Attendant, assembly: Promise<unknown>, steps: Steps, options: DeployOptions): Promise<LocalOutputs> {
  const { endpoint } = emulator;
  await steps.step('Synthesizing the CDK app, bootstrapping the account', () => Promise.all([assembly, bootstrap(state, endpoint, options)]));
  const data = await steps.step("Deploying the replica's and the data stack, locking and replicating the vault", async () => {
    const template = templateFile(state, localStacks.data);
    const outputs = await deployStacks(state, endpoint, [localStacks.offsite, localStacks.data], options);
    await attendant.ask({ do: 'lock-buckets', template, stack: localStacks.data, region: localRegion });
    await attendant.ask({ do: 'lock-buckets', template: templateFile(state, localStacks.offsite), stack: localStacks.offsite, region: localSecondRegion });
    await attendant.ask({ do: 'switch-backups-on', template, stack: localStacks.data });
    await attendant.ask({ do: 'fill-second-region', template, home: { stack: localStacks.data, account: localAccount, region: localRegion, second: localSecondRegion } });
    return outputs;
  });
  const service = await steps.step('Deploying the service stack', () => deployStacks(state, endpoint, [localStacks.service], options));
  const outputs = localOutputs(state, { endpoint, plainEndpoint: emulator.plainEndpoint, port: emulator.port, pid: emulator.pid }, { ...data, ...service });
  await attendant.ask({ do: 'forward-metrics' });
  await attendant.ask({ do: 'seed-staff', userPoolId: outputs.UserPoolId, clientId: outputs.UserPoolClientId, file: staffFile(state) });
  await attendant.ask({ do: 'set-app-secret', arn: outputs.AppSecretArn, secret: newAppSecret() });
  return outputs;
}
