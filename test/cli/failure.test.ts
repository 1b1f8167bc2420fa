/** Exit codes are read by scripts: 1 means that something was read and is wrong, 2 that nothing is known. The one must never pass for the other. */
import { asFailure, report } from '../../src/cli/failure';
import type { Io } from '../../src/cli/io';
import { LogFormatError } from '../../src/core/log/log-format-error';
import { LogStopped } from '../../src/operations/read-log';
import { PortError } from '../../src/ports';
import { VaultReadError } from '../../src/ports/vault-reader';

const reported = (error: unknown): { readonly exit: number; readonly stdout: string; readonly stderr: string } => {
  const [stdout, stderr]: string[][] = [[], []];
  const sink = (lines: string[]) => ({ write: (chunk: string | Uint8Array) => lines.push(String(chunk)) });
  const io = { stdout: sink(stdout!), stderr: sink(stderr!), env: {} } as unknown as Io;
  return { exit: report(io, error), stdout: stdout!.join(''), stderr: stderr!.join('') };
};

test.each<[string, unknown]>([
  ['a store that holds something else', new PortError('corrupt', 'x')],
  ['an object with other bytes', new PortError('different-bytes', 'x')],
  ['bytes that are no checkpoint', new LogFormatError('checkpoint-lines', 'x')],
  ['a log that contradicts itself', new LogStopped('fork', 'x')],
])('%s was read and is wrong: 1', (_, error) => expect(reported(error).exit).toBe(1));

test.each<[string, unknown]>([
  ['a store that does not answer', new PortError('unavailable', 'x')],
  ['a store that refuses', new PortError('denied', 'x')],
  ['a vault that cannot be reached', new VaultReadError('unreachable', 'x')],
  ['a vault that may not be read', new VaultReadError('denied', 'x')],
  ['an object too large to be read', new VaultReadError('too-large', 'x')],
  ['an interruption', new VaultReadError('interrupted', 'x')],
  ['a log that is not there yet', new LogStopped('not-initialized', 'x')],
  ['a broken connection', Object.assign(new Error('x'), { code: 'ECONNRESET' })],
  ['what nobody can explain', new Error('x')],
])('of %s nothing is known: 2', (_, error) => expect(reported(error).exit).toBe(2));

test('a failure says what and what next, on stderr, and leaves stdout to data', () => {
  const { stdout, stderr } = reported(new PortError('unavailable', 'could not read the head'));
  expect(stdout).toBe('');
  expect(stderr).toBe(`intact: could not read the head\n  next: ${asFailure(new PortError('unavailable', '')).next}\n`);
});

test('a table that is gone leads to where it is restored; anything else that is wrong does not', () => {
  const gone = new PortError('corrupt', 'could not scan records', { cause: Object.assign(new Error('x'), { name: 'ResourceNotFoundException' }) });
  expect(reported(gone)).toMatchObject({ exit: 1, stderr: expect.stringContaining('docs/runbook.md#restore') as string });
  expect(reported(new PortError('corrupt', 'x', { cause: new Error('x') })).stderr).not.toContain('#restore');
});
