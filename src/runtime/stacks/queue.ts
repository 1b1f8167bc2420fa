/** What surrounds the reader of the inbox queue. */
import middy from '@middy/core';
import type { SQSEvent } from 'aws-lambda';
import { PortError } from '../../ports';
import { namesIn } from '../inbox-message';
import { log, type LogFields } from '../log';
import { traced } from '../trace';
import { failing, GIVE_UP_EARLY, metered } from './surroundings';

type QueueBatch = Pick<SQSEvent, 'Records'>;

/**
 * Messages of the inbox queue, one delivery at a time. Each message is tried, whatever became of those before it; if one fails the invocation fails, and
 * the queue hands the batch over again: recording twice is recording once.
 */
export function queueBatch(operation: string, run: (name: string) => Promise<LogFields>) {
  return middy<QueueBatch, void>(async ({ Records: records }: QueueBatch) => {
    let failed = 0;
    for (const { body } of records) {
      const names = namesIn(body);
      // Not thrown: it would come back until it is a dead letter, and a message carries nothing that could be lost; the sweeper finds every delivery.
      if (names === 'unknown') log.warn(`${operation} met a message it does not know`);
      for (const name of names === 'unknown' ? [] : names) {
        try {
          log.info(operation, { object: name, ...(await traced(operation, () => run(name))) });
        } catch (error) {
          failed += 1;
          log.error(`${operation} failed`, error, { object: name });
        }
      }
    }
    if (failed > 0) throw new PortError('unavailable', `${failed} deliveries could not be recorded`);
  }, GIVE_UP_EARLY).use([metered, failing(operation)]);
}
