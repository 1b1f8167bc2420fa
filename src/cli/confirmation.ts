/** A typed yes before what cannot be taken back: the log's own origin, so that nobody confirms the wrong deployment out of habit. */
import { createInterface } from 'node:readline/promises';
import type { Call } from './command';
import { Failure } from './failure';
import { say } from './io';

/** Resolves when `origin` was given by --confirm or typed. Throws Failure `usage` otherwise; nothing was done then. */
export async function confirmed({ text, io }: Call, origin: string, what: string): Promise<void> {
  const given = text('confirm');
  if (given === origin) return;
  if (given !== undefined) throw new Failure('usage', `--confirm ${given} is not this log's origin; nothing was done`, `it is ${origin}`);
  if (!io.interactive) throw new Failure('usage', `${what} wants to be confirmed; nothing was done`, `add --confirm ${origin}`);
  say(io, `${what}. Type the log's origin to go on (${origin}):`);
  const lines = createInterface({ input: io.stdin as NodeJS.ReadableStream });
  try {
    for await (const line of lines) {
      if (line.trim() === origin) return;
      break;
    }
  } finally {
    lines.close();
  }
  throw new Failure('usage', 'not confirmed; nothing was done');
}
