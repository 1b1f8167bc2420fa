/** A log that cannot be replayed, as a failure of the command that wanted to compare something with it: it was read, and is not as it should be. */
import { ReplayError } from '../operations/published-entries';
import { Failure } from './failure';

/** Throws: Failure `wrong`, or `not-yet` where there is no log, for a `ReplayError`; anything else as it is. */
export function unreadableLog(error: unknown): never {
  if (!(error instanceof ReplayError)) throw error;
  if (error.code === 'no-log') throw new Failure('not-yet', error.message, 'wait until the first deployment of the stage is done', { cause: error });
  throw new Failure('wrong', `nothing can be compared with this log: ${error.message}`, 'open docs/runbook.md#verification-findings', { cause: error });
}
