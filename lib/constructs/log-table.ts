/** Head, rounds and sealed events of the log: what is compared and swapped. Its stream, filtered to the head, is the one ordered shard that drives publishing. */
import { StreamViewType } from 'aws-cdk-lib/aws-dynamodb';
import type { EventSourceMapping, Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { logKeys } from '../../src/core/table-keys';
import { Env } from '../../src/runtime/env';
import { Table, type TableProps } from './table';

export class LogTable extends Table {
  constructor(scope: Construct, id: string, props: TableProps) {
    super(scope, id, props, { env: Env.LOG_TABLE, stream: StreamViewType.NEW_IMAGE, expires: true });
  }

  /** Lets `fn` read head, rounds, identity and what is sealed. */
  grantRead(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query']);
  }

  /** Lets `fn` read the log's name and the subject of the system's own records, and nothing of the log. */
  grantReadIdentity(fn: Lambda): void {
    this.allow(fn, ['GetItem'], { partitions: [logKeys.identity.pk] });
  }

  /** Lets `fn` commit a round: one transaction over head, round and sealed events. */
  grantSeal(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query', 'PutItem']);
  }

  /** Lets `fn` keep, beside sealing, the list of states it saw unsealed: the only items of this table that a function deletes. */
  grantSealMissing(fn: Lambda): void {
    this.grantSeal(fn);
    this.allow(fn, ['DeleteItem'], { partitions: [logKeys.unsealed('').pk] });
  }

  /** Lets `fn` note a state that `seal-missing` has to watch. */
  grantNoteUnsealed(fn: Lambda): void {
    this.allow(fn, ['PutItem'], { partitions: [logKeys.unsealed('').pk] });
  }

  /** Lets `fn` make the log's identity and its empty head, once. */
  grantInitialize(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'PutItem'], { partitions: [logKeys.head.pk, logKeys.identity.pk] });
    fn.addEnvironment(Env.ORIGIN_PREFIX, this.stage.originPrefix);
  }

  /** `fn` publishes every move of the head. Only the newest matters, so a batch may be large; there is no window: it would delay every checkpoint. */
  feedPublisher(fn: Lambda): EventSourceMapping {
    return this.feed(fn, { batchSize: 100, windowSeconds: 0, onlyPartition: logKeys.head.pk });
  }
}
