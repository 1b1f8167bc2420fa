/**
 * The facts. Functions put and read items; one function alone, the repair's, deletes one, and "never modified" is not a permission but a condition on every put, watched by the
 * sealer, which reads every change from this table's stream whoever made it.
 */
import { AttributeType, ProjectionType, StreamViewType } from 'aws-cdk-lib/aws-dynamodb';
import type { EventSourceMapping, Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { KeySchema, recordKeys } from '../../src/core/table-keys';
import { Env, RESTORED_INFIX, SCRATCH_SUFFIX } from '../../src/runtime/env';
import type { DataKey } from './data-key';
import { arnInReport } from './objects';
import { reviewed } from './reviewed';
import { allowTable, DESCRIBING, Table, type TableProps } from './table';

/** Where records of what Meta sends lie; a receiver cannot write one of the system's own. */
const RECORDED_PARTITIONS = [recordKeys.message('*', ''), recordKeys.field('*'), recordKeys.quarantine('*'), recordKeys.account('*'), recordKeys.customer('*'), recordKeys.alias('*')].map(({ pk }) => pk);

/** Where everything of customers lies that is about them and not from Meta: profile, versions, notes. */
const CUSTOMERS = recordKeys.customer('*').pk;

/** Where messages, what was sent, statuses and what is kept beside them lies. */
const MESSAGES = recordKeys.message('*', '').pk;

/** Where each kind of the system's own records lies. */
const OWN_PARTITIONS = {
  access: recordKeys.access('*', '').pk,
  audit: recordKeys.audit('').pk,
  drill: recordKeys.drill('').pk,
  erasure: recordKeys.erasure('*').pk,
  'erasure-request': recordKeys.erasureRequest('').pk,
  finding: recordKeys.finding('*', '').pk,
  gap: recordKeys.gap('').pk,
  heartbeat: recordKeys.heartbeat('*').pk,
  hold: recordKeys.hold('*').pk,
  reconciliation: recordKeys.reconciliation('').pk,
  repair: recordKeys.repair('*', '', '', '').pk,
  restore: recordKeys.restore('').pk,
  snapshot: recordKeys.snapshot('').pk,
  verification: recordKeys.verification('').pk,
} as const;

/** What a table that is filled is made and filled with. */
const MAKING = ['BatchGetItem', 'BatchWriteItem', 'CreateTable', 'TagResource', 'UpdateContinuousBackups'];

/** A batch a projection can apply within its timeout. */
const PROJECTION_BATCH = 100;

export class RecordsTable extends Table {
  private readonly atRest: DataKey;

  constructor(scope: Construct, id: string, props: TableProps) {
    super(scope, id, props, { env: Env.RECORDS_TABLE, stream: StreamViewType.NEW_AND_OLD_IMAGES });
    this.atRest = props.dataKey;
    for (const { name, pk, sk } of [KeySchema.byCustomer, KeySchema.byOperator]) {
      this.table.addGlobalSecondaryIndex({
        indexName: name,
        partitionKey: { name: pk, type: AttributeType.STRING },
        sortKey: { name: sk, type: AttributeType.STRING },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
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

  /**
   * Lets `fn` say in a record what a member of staff asked for and how that was decided. It adds lines and lists none: of a line whose random name it knows, its own, it can see whether
   * it is there.
   */
  grantNoteAccess(fn: Lambda): void {
    this.allow(fn, ['PutItem', 'GetItem'], { partitions: [OWN_PARTITIONS.access] });
  }

  /** Lets `fn` read the access log, by time, and through the indexes by operator and by customer. What else is under the indexes it cannot read: they hold keys only. */
  grantReadAccess(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query'], { partitions: [OWN_PARTITIONS.access] });
    for (const index of [KeySchema.byOperator.name, KeySchema.byCustomer.name]) this.allow(fn, ['Query'], { index });
  }

  /** Lets `fn` read profiles with their versions and notes, and no message. */
  grantReadCustomers(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query'], { partitions: [CUSTOMERS] });
  }

  /** Lets `fn` read a customer's messages, found through the index, with what is beside them. */
  grantReadMessages(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query'], { partitions: [MESSAGES] });
    this.allow(fn, ['Query'], { index: KeySchema.byCustomer.name });
  }

  /** Lets `fn` record what was sent, for a person whom it finds or meets as the receivers do. */
  grantRecordSent(fn: Lambda): void {
    const partitions = [MESSAGES, CUSTOMERS, recordKeys.alias('*').pk, recordKeys.account('*').pk];
    this.allow(fn, ['GetItem', 'Query', 'PutItem', 'ConditionCheckItem'], { partitions });
  }

  /** Lets `fn` see by which names WhatsApp knows a customer. */
  grantReadAliases(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query'], { partitions: [recordKeys.alias('*').pk] });
  }

  /** Lets `fn` say whose a name is from now on, while no erasure was asked for. */
  grantLink(fn: Lambda): void {
    this.grantReadAliases(fn);
    this.allow(fn, ['PutItem'], { partitions: [recordKeys.alias('*').pk] });
    this.allow(fn, ['GetItem', 'ConditionCheckItem'], { partitions: [recordKeys.erasureRequest('').pk] });
  }

  /** Lets `fn` make customers, versions and notes, each on a condition, and read what it goes by. */
  grantWriteCustomers(fn: Lambda): void {
    this.grantReadCustomers(fn);
    this.allow(fn, ['PutItem', 'ConditionCheckItem'], { partitions: [CUSTOMERS] });
  }

  /** Lets `fn` find what one operator did; what that was it reads by other rights. */
  grantFindByOperator(fn: Lambda): void {
    this.allow(fn, ['Query'], { index: KeySchema.byOperator.name });
  }

  /** Lets `fn` find the results of earlier verifications. */
  grantReadVerifications(fn: Lambda): void {
    this.allow(fn, ['Query'], { partitions: [OWN_PARTITIONS.verification] });
  }

  /** Lets `fn` ask whether a repair or an erasure permits a change. */
  grantReadPermissions(fn: Lambda): void {
    this.allow(fn, ['Query'], { partitions: [OWN_PARTITIONS.repair, OWN_PARTITIONS.erasure] });
  }

  /** Lets `fn` place and release holds, ask for erasures and confirm them, and see what became of them: every one of these is a record; what follows from it is not this function's doing. */
  grantOffice(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'PutItem', 'ConditionCheckItem'], { partitions: [OWN_PARTITIONS.hold, OWN_PARTITIONS['erasure-request']] });
    this.allow(fn, ['GetItem', 'ConditionCheckItem'], { partitions: [CUSTOMERS] });
    this.allow(fn, ['GetItem'], { partitions: [OWN_PARTITIONS.erasure] });
    this.allow(fn, ['Query'], { partitions: [recordKeys.quarantine('*').pk] });
  }

  /**
   * Lets `fn` erase: find and read what is a customer's, freeze their aliases, put tombstones in the place of records, and say so in records of its own, each on condition that there is no hold. It
   * deletes nothing, and the sealer accepts a tombstone only with the record of its erasure.
   */
  grantErase(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query', 'ConditionCheckItem']);
    this.allow(fn, ['Query'], { index: KeySchema.byCustomer.name });
    this.allow(fn, ['PutItem'], { partitions: [...RECORDED_PARTITIONS.filter((pk) => pk !== recordKeys.account('*').pk), OWN_PARTITIONS.hold, OWN_PARTITIONS.erasure, OWN_PARTITIONS['erasure-request']] });
  }

  /**
   * Lets `fn` repair: read any record, put one back wherever a record of ours can be, say so in a record of its own, and delete what was never ours, which may lie anywhere.
   * The only right of a function to delete from this table; what it does with it is sealed, and found if no such record permits it.
   */
  grantRepair(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'DeleteItem']);
    this.allow(fn, ['Query'], { partitions: [OWN_PARTITIONS.repair, OWN_PARTITIONS.finding] });
    this.allow(fn, ['PutItem'], { partitions: [...RECORDED_PARTITIONS, ...Object.values(OWN_PARTITIONS)] });
  }

  /** Lets `fn` hold the whole table against something else: walk it, and read single records again. */
  grantCompare(fn: Lambda): void {
    this.allow(fn, ['BatchGetItem', 'Scan']);
  }

  /** Lets `fn` restore into scratch: make, fill, read and drop the drill's table, and see how the live one is set. No other table can it make or drop. */
  grantDrill(fn: Lambda): void {
    this.grantCompare(fn);
    this.grantDescribe(fn);
    allowTable(fn, [...DESCRIBING, ...MAKING, 'DeleteTable', 'Scan'], `${this.table.tableArn}${SCRATCH_SUFFIX}`);
    fn.addEnvironment(Env.SCRATCH_TABLE, `${this.table.tableName}${SCRATCH_SUFFIX}`);
    this.atRest.grantMakeTables(fn);
  }

  /**
   * Lets `fn` restore for good: make, set, fill and read tables that are called as this one, `-restored-` and something more, and see how the live one is set. It can drop no table, and neither
   * fill nor set the live one or the drill's.
   */
  grantRestoreCopies(fn: Lambda): void {
    const copies = `${this.table.tableArn}${RESTORED_INFIX}*`;
    this.grantDescribe(fn);
    // The scan is of a table that is there and bears no label: whether it is empty.
    allowTable(fn, [...DESCRIBING, ...MAKING, 'Scan', 'UpdateTable', 'UpdateTimeToLive'], copies);
    reviewed(fn.role!, `AwsSolutions-IAM5[Resource::${arnInReport(fn, this, this.table.tableArn)}${RESTORED_INFIX}*]`, 'Whoever restores says how the table is called; the star stands for that word, behind a name that no other table of the stage has.');
    fn.addEnvironment(Env.RECORDS_TABLE, this.table.tableName);
    fn.addEnvironment(Env.RESTORED_PREFIX, `${this.table.tableName}${RESTORED_INFIX}`);
    this.atRest.grantMakeTables(fn);
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
