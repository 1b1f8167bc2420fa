/** What surrounds a step of a deployment: CloudFormation waits for an answer, so there always is one. */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { answerCustomResource, type CustomResourceEvent, type CustomResourceOutcome } from '../custom-resource';
import { failureFields, log } from '../log';
import type { Failing } from './surroundings';

/** Enough to tell CloudFormation that time ran out. */
const GIVE_UP_EARLY = { timeoutEarlyInMillis: 10_000 };

/** `run` is called for Create and Update; Delete removes nothing, because nothing of a log is ever removed. */
export function customResource(operation: string, run: (properties: Readonly<Record<string, unknown>>) => Promise<CustomResourceOutcome>) {
  const failed = (reason: string): CustomResourceOutcome => ({ ok: false, reason: `${operation}: ${reason}` });
  const outcomeOf = async (event: CustomResourceEvent): Promise<CustomResourceOutcome> => {
    if (event.RequestType === 'Delete') return { ok: true, data: {} };
    return run(event.ResourceProperties);
  };
  const answeringFailure = {
    onError: async (request: Failing & { readonly event: CustomResourceEvent }): Promise<null> => {
      log.error(`${operation} failed`, request.error, { requestId: request.context.awsRequestId });
      const { detail, error } = failureFields(request.error);
      await answerCustomResource(request.event, failed(String(detail ?? error)), request.context.logStreamName);
      return null;
    },
  };
  return middy<CustomResourceEvent, null>(async (event: CustomResourceEvent, context: Context) => {
    const outcome = await outcomeOf(event);
    log.info(operation, { requestId: context.awsRequestId, ok: outcome.ok });
    await answerCustomResource(event, outcome, context.logStreamName);
    return null;
  }, GIVE_UP_EARLY).use(answeringFailure);
}
