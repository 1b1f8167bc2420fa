/** The operator CLI as a process: hands argv, streams and the environment to src/cli and ends with its exit code. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { main } from '../src/cli/main';
import { say, type Io } from '../src/cli/io';
import { startBundleThread } from './bundle-thread';

const root = join(__dirname, '..');

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  interactive: process.stderr.isTTY === true,
  env: process.env,
  cwd: process.cwd(),
  now: () => new Date(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

const version = (): string => (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;

/** Everything written has left the process before it ends: stdout may be a pipe. */
const end = (code: number): void => {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
};

// The reader of our output went away (`intact list | head`): nobody is left to tell anything.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(2));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    say(io, `intact: interrupted (${signal}); the command can be run again`);
    process.exit(2);
  });
}

void main(process.argv.slice(2), io, version, async ({ stage }) => {
  const { openWorld } = await import('../src/cli/open-world');
  return openWorld({
    stage,
    io,
    threads: { count: availableParallelism() - 1, start: startBundleThread },
    settingsOf: async (name) => (await import('../lib/stage')).readStage(name, join(root, 'stages')),
  });
}).then(end);
