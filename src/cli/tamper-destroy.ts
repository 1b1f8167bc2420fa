/** `intact tamper --local --destroy`: the records table of the local cloud is deleted, for who wants to see it restored. */
import type { ByHand } from '../ports/by-hand';
import { Failure } from './failure';
import { printLine, say, type ExitCode, type Io } from './io';
import { printable } from './text';
import type { Deployment } from './world';

/** DynamoDB keeps the stream of a table that is gone, and its readers go on; the local cloud drops it with the table, so here what was written last has to be sealed before. */
const QUIET_MS = 3_000;
const QUIET_WITHIN_MS = 60_000;
const POLL_MS = 500;

export async function destroyTable(io: Io, { byHand, log, outputs: { RecordsTableName: table } }: Pick<Deployment, 'log' | 'outputs'> & { readonly byHand: ByHand }): Promise<ExitCode> {
  const head = await log.readHead();
  say(io, 'waiting until everything is sealed …');
  let [size, waited, quiet] = [head === 'absent' ? 0 : head.size, 0, 0];
  while (quiet < QUIET_MS && waited < QUIET_WITHIN_MS) {
    await io.sleep(POLL_MS);
    const next = await log.readHead();
    const now = next === 'absent' ? 0 : next.size;
    quiet = now === size ? quiet + POLL_MS : 0;
    waited += POLL_MS;
    size = now;
  }
  if ((await byHand.destroyTable()) === 'absent') throw new Failure('not-found', `there is no table ${printable(table)} to destroy`, `restore it: npx intact restore --to ${table}`);
  printLine(io, `destroyed the table ${printable(table)}: its protection was taken off and the table deleted, as somebody with stolen credentials would`);
  printLine(io, `  next: npx intact restore --to ${table}; docs/runbook.md#exercise`);
  return 0;
}
