/**
 * What surrounds a reader of a queue. Messages say where work is; one that is no message of ours is passed over: it would come back until it is a dead letter, and it carries nothing
 * that could be lost.
 */
import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { PortError } from '../../ports';
import { log, type LogFields } from '../log';
import { traced } from '../trace';
import { failing, GIVE_UP_EARLY, metered } from './surroundings';

type QueueBatch = Pick<SQSEvent, 'Records'>;

/** What the messages of a queue say. */
export interface MessageForm<T> {
  /** 'unknown': no message of ours. */
  readonly read: (body: string) => readonly T[] | 'unknown';
  /** What a log line may say of it. */
  readonly about: (item: T) => LogFields;
}

/**
 * What messages name, one by one. Each is tried, whatever became of those before it; if one fails the invocation fails, and the queue hands the batch over again: doing it twice must
 * be doing it once.
 */
export function queueBatch<T>(operation: string, form: MessageForm<T>, run: (item: T) => Promise<LogFields>) {
  return middy<QueueBatch, void>(async (batch: QueueBatch) => {
    let failed = 0;
    for (const { item } of itemsOf(operation, form, batch)) {
      try {
        log.info(operation, { ...form.about(item), ...(await traced(operation, () => run(item))) });
      } catch (error) {
        failed += 1;
        log.error(`${operation} failed`, error, form.about(item));
      }
    }
    if (failed > 0) throw new PortError('unavailable', `${failed} of the batch could not be done`);
  }, GIVE_UP_EARLY).use([metered, failing(operation)]);
}

/** What came of one item. `again`: not yet; its message comes back when its visibility times out. */
export interface Tried {
  readonly fields: LogFields;
  readonly again: boolean;
}

/** What messages name, all of a batch at once, each answered for alone; what failed comes back like what is to be tried again. The mapping has to report item failures. */
export function queueTogether<T>(operation: string, form: MessageForm<T>, run: (items: readonly T[]) => Promise<readonly PromiseSettledResult<Tried>[]>) {
  return middy<QueueBatch, SQSBatchResponse>(async (batch: QueueBatch) => {
    const items = itemsOf(operation, form, batch);
    const tried = items.length === 0 ? [] : await traced(operation, () => run(items.map(({ item }) => item)));
    const again = new Set<string>();
    for (const [i, { item, messageId }] of items.entries()) {
      const attempt = tried[i];
      if (attempt?.status === 'fulfilled') log.info(operation, { ...form.about(item), ...attempt.value.fields });
      else log.error(`${operation} failed`, attempt?.reason, form.about(item));
      if (attempt?.status !== 'fulfilled' || attempt.value.again) again.add(messageId);
    }
    return { batchItemFailures: [...again].map((itemIdentifier) => ({ itemIdentifier })) };
  }, GIVE_UP_EARLY).use([metered, failing(operation)]);
}

function itemsOf<T>(operation: string, { read }: MessageForm<T>, { Records: records }: QueueBatch): { readonly messageId: string; readonly item: T }[] {
  return records.flatMap(({ messageId, body }) => {
    const items = read(body);
    if (items === 'unknown') log.warn(`${operation} met a message it does not know`);
    return items === 'unknown' ? [] : items.map((item) => ({ messageId, item }));
  });
}
