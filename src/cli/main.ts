/** From argv to an exit code: parse, load the one command, run it, explain what went wrong. Knows no command by name and no cloud. */
import type { Call } from './command';
import { parseCommandLine } from './command-line';
import { COMMANDS } from './command-table';
import { report } from './failure';
import { manual, overview } from './help';
import { printLine, type ExitCode, type Io } from './io';
import type { World } from './world';

/** What the command line says about the world it wants. */
export interface WorldRequest {
  readonly stage: string | undefined;
}

/** Runs one command line. Never throws. `openWorld` is called only for a command that runs; `close` afterwards, whatever happened. */
export async function main(argv: readonly string[], io: Io, version: () => string, openWorld: (request: WorldRequest) => Promise<World & { close(): void }>): Promise<ExitCode> {
  try {
    const line = parseCommandLine(argv, COMMANDS);
    if (line.ask === 'version') {
      printLine(io, version());
      return 0;
    }
    if (line.ask === 'help') {
      io.stdout.write(line.command === undefined ? overview(COMMANDS) : manual(line.command));
      return 0;
    }
    const { command, operands, options } = line;
    const text: Call['text'] = (name) => {
      const value = options.get(name);
      return typeof value === 'string' ? value : undefined;
    };
    const world = await openWorld({ stage: text('stage') });
    try {
      const { run } = await command.load();
      return await run({ operands, text, flag: (name) => options.has(name), version, io, world });
    } finally {
      world.close();
    }
  } catch (error) {
    return report(io, error);
  }
}

