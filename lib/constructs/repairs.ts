/**
 * Requests for repairs: whoever finds a record that is not as it should be puts one on this queue, and one function does them. Where the stage wants a person to be asked first
 * nobody is allowed to put one; the findings wait for `npx intact repair`.
 */
import { Duration } from 'aws-cdk-lib';
import type { EventSourceMapping, Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { Env } from '../../src/runtime/env';
import { allowSending, feedFrom, workQueue, type WorkQueue } from './work-queue';

/** It waits up to two minutes for the log to be published, then reads all of it, once or, for what is hard to explain, three times; ten million entries take some four minutes each time. */
export const REPAIR_TIMEOUT = Duration.minutes(15);
/** What could not be done yet is tried again every 20 minutes, for two hours: a publisher that stands still for longer has woken somebody. */
const VISIBILITY = Duration.minutes(20);
const ATTEMPTS = 6;
/** One reading of the log serves a whole batch: whoever changes records by a script changes many. */
const BATCH = 100;
const GATHER = Duration.seconds(1);
/** Lambda's smallest. Repairs are few; more readers would only read the log more often. */
const READERS = 2;

export class Repairs extends Construct {
  readonly work: WorkQueue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.work = workQueue(this, { visibility: VISIBILITY, attempts: ATTEMPTS });
  }

  /** Lets `fn` ask for repairs. */
  grantAsk(fn: Lambda): void {
    allowSending(this.work, fn, Env.REPAIR_QUEUE_URL);
  }

  /** `fn` does them, and answers for each of a batch alone. */
  feed(fn: Lambda): EventSourceMapping {
    return feedFrom(this.work, fn, 'FromRepairs', { batchSize: BATCH, maxBatchingWindow: GATHER, maxConcurrency: READERS, reportBatchItemFailures: true });
  }
}
