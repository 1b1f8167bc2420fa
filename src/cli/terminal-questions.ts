/**
 * Questions to the person at the terminal, one after the other, on stderr; what is secret is not shown while it is typed. Where nobody sits there, nothing is asked: a password does not
 * belong into a pipe, where the shell's history and other processes see it.
 */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { Failure } from './failure';
import type { Io } from './io';

export interface Questions {
  ask(question: string): Promise<string>;
  /** What is typed stays unseen. */
  askSecretly(question: string): Promise<string>;
  close(): void;
}

export function terminalQuestions(io: Io): Questions {
  if (!io.interactive) throw new Failure('usage', 'signing in asks for a name, a password and a code, and nobody sits at a terminal here', 'run it in a terminal');
  let muted = false;
  const shown = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!muted) io.stderr.write(chunk);
      done();
    },
  });
  const lines: Interface = createInterface({ input: io.stdin as NodeJS.ReadableStream, output: shown, terminal: true, historySize: 0 });
  const ask = (question: string, secret: boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Failure('interrupted', 'nothing more was typed; nobody is signed in'));
      lines.once('close', ended);
      io.stderr.write(question);
      muted = secret;
      lines.once('line', (line) => {
        lines.removeListener('close', ended);
        muted = false;
        if (secret) io.stderr.write('\n');
        resolve(line);
      });
    });
  // In raw mode the terminal sends Ctrl-C as a character.
  lines.on('SIGINT', () => lines.close());
  return { ask: async (question) => (await ask(question, false)).trim(), askSecretly: (question) => ask(question, true), close: () => lines.close() };
}
