/** What surrounds a reader of a table's stream. */
import middy from '@middy/core';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import type { StreamEvent } from '../../ports';
import { log, type LogFields } from '../log';
import { streamEvent } from '../stream-event';
import { traced } from '../trace';
import { failing, GIVE_UP_EARLY, metered } from './surroundings';

type StreamBatch = Pick<DynamoDBStreamEvent, 'Records'>;

/** A batch of a table's stream; failing keeps it and everything behind it. */
export function streamBatch(operation: string, run: (events: readonly StreamEvent[]) => Promise<LogFields>) {
  return middy<StreamBatch, void>(async ({ Records: records }: StreamBatch) => {
    const outcome = await traced(operation, () => run(records.map(streamEvent)));
    log.info(operation, { events: records.length, ...outcome });
  }, GIVE_UP_EARLY).use([metered, failing(operation)]);
}
