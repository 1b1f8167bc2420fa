/** What surrounds a trigger of the user pool: it gets its event back unchanged, or an error, and then the pool gives no tokens. */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { log } from '../log';
import { failing, GIVE_UP_EARLY, metered } from './surroundings';

/** `run` resolves what is to be logged of it, nothing personal; what it throws refuses the tokens. */
export function userPoolTrigger<E extends object>(operation: string, run: (event: E, requestId: string) => Promise<string>) {
  return middy<E, E>(async (event: E, { awsRequestId }: Context) => {
    log.info(operation, { requestId: awsRequestId, outcome: await run(event, awsRequestId) });
    return event;
  }, GIVE_UP_EARLY).use([metered, failing(operation)]);
}
