/**
 * The facts. Functions put and read items; no function of ours deletes one, and "never modified" is not a permission but a condition on every put, watched by the
 * sealer, which reads every change from this table's stream whoever made it.
 */
import { AttributeType, ProjectionType, StreamViewType } from 'aws-cdk-lib/aws-dynamodb';
import type { EventSourceMapping, Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { KeySchema, recordKeys } from '../../src/core/table-keys';
import { Env } from '../../src/runtime/env';
import { Table, type TableProps } from './table';

/** Where records of what Meta sends lie; a receiver cannot write one of the system's own. */
const RECORDED_PARTITIONS = [recordKeys.message('*', ''), recordKeys.field('*'), recordKeys.quarantine('*'), recordKeys.account('*'), recordKeys.customer('*'), recordKeys.alias('*')].map(({ pk }) => pk);

/** Where each kind of the system's own records lies. */
const OWN_PARTITIONS = {
  finding: recordKeys.finding('*', '').pk,
  gap: recordKeys.gap('').pk,
  heartbeat: recordKeys.heartbeat('*').pk,
  verification: recordKeys.verification('').pk,
} as const;

/** A batch a projection can apply within its timeout. */
const PROJECTION_BATCH = 100;

export class RecordsTable extends Table {
  constructor(scope: Construct, id: string, props: TableProps) {
    super(scope, id, props, { env: Env.RECORDS_TABLE, stream: StreamViewType.NEW_AND_OLD_IMAGES });
    this.table.addGlobalSecondaryIndex({
      indexName: KeySchema.byCustomer.name,
      partitionKey: { name: KeySchema.byCustomer.pk, type: AttributeType.STRING },
      sortKey: { name: KeySchema.byCustomer.sk, type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }

  /** Lets `fn` record events: read an item or a customer's few, put one on a condition, several in one transaction. */
  grantRecord(fn: Lambda): void {
    this.allow(fn, ['PutItem'], { partitions: RECORDED_PARTITIONS });
    this.allow(fn, ['GetItem', 'Query', 'ConditionCheckItem']);
  }

  /** Lets `fn` put records of the system itself, of these kinds and no others, and read any record. */
  grantPutOwn(fn: Lambda, ...kinds: readonly (keyof typeof OWN_PARTITIONS)[]): void {
    this.allow(fn, ['PutItem'], { partitions: kinds.map((kind) => OWN_PARTITIONS[kind]) });
    this.allow(fn, ['GetItem']);
  }

  /** Lets `fn` find the results of earlier verifications. */
  grantReadVerifications(fn: Lambda): void {
    this.allow(fn, ['Query'], { partitions: [OWN_PARTITIONS.verification] });
  }

  /** Lets `fn` walk the whole table. */
  grantScan(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query', 'Scan']);
  }

  /** `fn` seals every change of this table. The batch is the largest there is: the more changes a round has, the fewer rounds cost their fixed price. */
  feedSealer(fn: Lambda): EventSourceMapping {
    return this.feed(fn, { batchSize: 1000, windowSeconds: this.stage.sealWindowSeconds });
  }

  /** `fn` is the stream's second and last reader: a third one would be throttled, and so would sealing. */
  feedProjection(fn: Lambda): EventSourceMapping {
    return this.feed(fn, { batchSize: PROJECTION_BATCH, windowSeconds: this.stage.sealWindowSeconds });
  }
}
