/**
 * `npm start`: an empty local cloud with the real app in it, example deliveries sent, sealed, verified and reported; then it stays up until Ctrl-C.
 * `--once` ends it after the report, with exit code 0 only when every number is as expected. `--port <n>` chooses another port.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CannotStart, killGroup } from './child-process';
import { startCloud, type LocalCloud } from './cloud';
import { defaultPort, type Environment } from './environment';
import { projectRoot, stateDirectory } from './state-directory';
import { printedSteps } from './steps';

const steps = printedSteps((text) => process.stdout.write(text));
const interrupted = new AbortController();

const tryThese = `Try, in another terminal:

  npx intact status                                   how the system is
  npx intact tamper --local                           change a message by hand and watch it be found
  npx intact send examples/deliveries --times 2       play Meta yourself
  npx intact login --as support                       sign in as one of the staff: sales, support, compliance, dpo, auditor, admin (then: npx intact me)
  npx intact list --kind access                       who of the staff did what, from the records`;

async function main(): Promise<number> {
  const { once, port } = options(process.argv.slice(2));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupted.abort());
  steps.say('Intact on this machine: an emptied local cloud, the real CDK app, example deliveries. Nothing reaches AWS; no account and no keys are used.\n');
  const code = await attended(once, port);
  if (!interrupted.signal.aborted) return code;
  steps.say(`\nStopped; port ${port} is free.`);
  return 0;
}

/** From an empty cloud to its end, asked for or not; leaves nothing running. */
async function attended(once: boolean, port: number): Promise<number> {
  let cloud: LocalCloud | undefined;
  try {
    cloud = await startCloud(stateDirectory(), port, steps, { signal: interrupted.signal });
    const code = await rehearsal(cloud.environment);
    if (once || interrupted.signal.aborted) return code;
    steps.say(`\n${tryThese}\n\nRunning at ${cloud.outputs.endpoint}. Ctrl-C stops it.`);
    const end = await Promise.race([cloud.ended.then(() => 'by itself' as const), untilInterrupted()]);
    if (end === 'by itself') throw new CannotStart('The local cloud ended by itself; its logs are emulator.log and attendant.log in .intact/cloud. Start it again with:  npm start');
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return 0; // What was under way was cut off because it was asked to end.
    throw error;
  } finally {
    await cloud?.stop();
  }
}

function options(args: readonly string[]): { readonly once: boolean; readonly port: number } {
  const usage = 'Usage:  npm start [-- [--once] [--port <n>]]';
  try {
    const { values } = parseArgs({ args: [...args], options: { once: { type: 'boolean', default: false }, port: { type: 'string', default: String(defaultPort) } } });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 1024 || port > 65_535) throw new CannotStart(`--port takes a number from 1024 to 65535, not "${values.port}".\n${usage}`);
    return { once: values.once, port };
  } catch (error) {
    if (error instanceof CannotStart) throw error;
    throw new CannotStart(`${error instanceof Error ? error.message : String(error)}\n${usage}`, { cause: error });
  }
}

/** Runs the rehearsal with its output on ours; resolves its exit code. */
async function rehearsal(environment: Environment): Promise<number> {
  const child = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), join(projectRoot, 'local', 'rehearse.ts')], {
    cwd: projectRoot,
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const end = (): void => killGroup(child.pid);
  interrupted.signal.addEventListener('abort', end);
  process.once('exit', end);
  const code = await new Promise<number>((resolve, reject) => child.once('error', reject).once('close', (exit) => resolve(exit ?? 2)));
  process.removeListener('exit', end);
  return code;
}

/** Keeps the process alive: nothing else would. */
function untilInterrupted(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 60_000);
    interrupted.signal.addEventListener('abort', () => {
      clearInterval(alive);
      resolve('interrupted');
    });
  });
}

main().then(
  (code) => { process.exitCode = code; },
  (error: unknown) => {
    process.stderr.write(`\n${error instanceof CannotStart ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
    process.exitCode = 2;
  },
);
