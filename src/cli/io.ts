/**
 * What a command sees of the process it runs in. Commands take it as an argument, so that tests run them in process and see every byte;
 * only bin/intact.ts knows the real `process`.
 */
import type { Clock, Sleep } from '../ports';

/** Somewhere text or bytes go, in order. */
export interface Sink {
  write(chunk: string | Uint8Array): unknown;
}

export interface Io {
  /** Data only. */
  readonly stdout: Sink;
  /** Progress, notes, errors; its first line names the target. */
  readonly stderr: Sink;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Whether a person watches stderr: progress is redrawn in place, and questions may be asked. */
  readonly interactive: boolean;
  /** The live environment: a local command empties and refills it, before anything that reads it is loaded. */
  readonly env: Record<string, string | undefined>;
  readonly cwd: string;
  readonly now: Clock;
  readonly sleep: Sleep;
}

/** 0 done or clean; 1 findings or refused input; 2 could not. */
export type ExitCode = 0 | 1 | 2;

/** One line to stderr. */
export const say = (io: Io, line: string): void => void io.stderr.write(`${line}\n`);

/** One JSON document to stdout, on one line. */
export const printJson = (io: Io, value: unknown): void => void io.stdout.write(`${JSON.stringify(value)}\n`);

export const printLine = (io: Io, line: string): void => void io.stdout.write(`${line}\n`);

/**
 * A JSON array to stdout, one element a line, written as the elements come: valid JSON as a whole, and lists longer than memory work.
 * Resolves with how many there were.
 */
export async function printJsonArray(io: Io, values: AsyncIterable<unknown>): Promise<number> {
  let n = 0;
  io.stdout.write('[');
  try {
    for await (const value of values) io.stdout.write(`${n++ === 0 ? '\n' : ',\n'}${JSON.stringify(value)}`);
  } finally {
    io.stdout.write(n === 0 ? ']\n' : '\n]\n');
  }
  return n;
}
