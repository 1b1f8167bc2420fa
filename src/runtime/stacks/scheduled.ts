/** What surrounds what is done by the clock. */
import middy from '@middy/core';
import { log, type LogFields } from '../log';
import { traced } from '../trace';
import { failing, GIVE_UP_EARLY, metered } from './surroundings';

/** One run. A failure is thrown: the scheduler tries again, and the alarm on errors sees it. */
export function scheduled(operation: string, run: () => Promise<LogFields>) {
  return middy<unknown, void>(async () => {
    log.info(operation, await traced(operation, run));
  }, GIVE_UP_EARLY).use([metered, failing(operation)]);
}
