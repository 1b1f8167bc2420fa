/**
 * What every stack has in common: when metrics are written, what a failure becomes, how long before its end an invocation gives up.
 * No stack lets an error out as it is: the Lambda runtime prints the message and the stack of what is thrown, and a message may quote content.
 */
import type { Context } from 'aws-lambda';
import { log } from '../log';
import { containerMeter } from '../metrics';

/** An answer, or a failure the caller retries, is better than being killed with nothing said. */
export const GIVE_UP_EARLY = { timeoutEarlyInMillis: 500 };

/** What `onError` gets of middy's request. */
export interface Failing {
  error: Error | null;
  readonly context: Context;
}

/** Says that an invocation failed and nothing else; the line logged before it says why. */
export class InvocationFailed extends Error {
  constructor(operation: string) {
    super(`${operation} failed; the log line before this one says why`);
    this.name = 'InvocationFailed';
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** Written at the end, whatever became of the operation: a refusal is a count too. */
export const metered = {
  after: (): void => containerMeter().flush(),
  onError: (): void => containerMeter().flush(),
};

/** One line for the failure, then an error that tells nothing. The caller (stream, queue, schedule) tries again. */
export const failing = (operation: string) => ({
  onError: (request: Failing): void => {
    log.error(`${operation} failed`, request.error, { requestId: request.context.awsRequestId });
    request.error = new InvocationFailed(operation);
  },
});
