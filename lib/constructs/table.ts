/**
 * What all our tables have in common: on demand, encrypted by KMS, restorable to any second of the last 35 days, protected from deletion. Each table's own
 * class decides who may do what to it; nobody is granted more than the actions named there.
 */
import { AttributeType, Billing, BillingMode, type StreamViewType, Table as DynamoTable, TableEncryption, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { RemovalPolicy } from 'aws-cdk-lib';
import { type CfnEventSourceMapping, EventSourceMapping, type Function as Lambda, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { KeySchema } from '../../src/core/table-keys';
import type { Stage } from '../stage';
import type { DataKey } from './data-key';
import { arnInReport } from './objects';
import { reviewed } from './reviewed';

export interface TableProps {
  readonly stage: Stage;
  readonly dataKey: DataKey;
}

export interface TableSettings {
  /** The environment variable that carries the table's name. */
  readonly env: string;
  readonly stream?: StreamViewType;
  readonly expires?: boolean;
  /**
   * The table must outlive its region: a global table, with a replica in the stage's second region where it has one, and one only waiting for it elsewhere, since no table can be
   * made global later without being replaced. It rests under DynamoDB's own KMS key of each region, which nobody can disable or delete.
   */
  readonly global?: boolean;
}

export interface StreamReading {
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** Only changes of items with this partition key. */
  readonly onlyPartition?: string;
}

/** An item API call. `TransactWriteItems` is allowed through the actions of its members. */
export type ItemAction = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'ConditionCheckItem' | 'Query' | 'Scan' | 'BatchGetItem';

/** How a table is set; each setting has an API of its own. */
export const DESCRIBING = ['DescribeContinuousBackups', 'DescribeTable', 'DescribeTimeToLive', 'ListTagsOfResource'];

/** Allows `fn` `actions` on a table as such. */
export const allowTable = (fn: Lambda, actions: readonly string[], tableArn: string): void =>
  fn.addToRolePolicy(new PolicyStatement({ actions: actions.map((action) => `dynamodb:${action}`), resources: [tableArn] }));

export abstract class Table extends Construct {
  readonly table: DynamoTable | TableV2;
  protected readonly stage: Stage;
  private readonly dataKey: DataKey;
  private readonly settings: TableSettings;

  protected constructor(scope: Construct, id: string, props: TableProps, settings: TableSettings) {
    super(scope, id);
    this.stage = props.stage;
    this.dataKey = props.dataKey;
    this.settings = settings;
    const keep = props.stage.removal === 'retain';
    const common = {
      partitionKey: { name: KeySchema.pk, type: AttributeType.STRING },
      sortKey: { name: KeySchema.sk, type: AttributeType.STRING },
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: keep,
      removalPolicy: keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(settings.expires ? { timeToLiveAttribute: KeySchema.ttl } : {}),
    };
    this.table = settings.global
      ? new TableV2(this, 'Table', { ...common, billing: Billing.onDemand(), encryption: TableEncryptionV2.awsManagedKey(), replicas: props.stage.offsite === null ? [] : [{ region: props.stage.offsite.region }] })
      : new DynamoTable(this, 'Table', {
          ...common,
          billingMode: BillingMode.PAY_PER_REQUEST,
          encryption: TableEncryption.CUSTOMER_MANAGED,
          encryptionKey: props.dataKey,
          ...(settings.stream ? { stream: settings.stream } : {}),
        });
  }

  /** Lets `fn` see how this table is set. */
  grantDescribe(fn: Lambda): void {
    allowTable(fn, DESCRIBING, this.table.tableArn);
  }

  /**
   * Feeds `fn` every change in order, from the oldest the stream still holds, a failed batch again and again until it succeeds: an unsealed change must
   * block, not pass. Never bisected and never answered in part: sealing drops what it sealed by itself.
   */
  protected feed(fn: Lambda, reading: StreamReading): EventSourceMapping {
    const streamArn = this.streamArn();
    // Of any stream there can ever be of this very table: one that had to be made again under its name has another, and must be sealed without anybody writing policies at night.
    fn.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'], resources: [`${this.table.tableArn}/stream/*`] }),
    );
    reviewed(fn.role!, `AwsSolutions-IAM5[Resource::${arnInReport(fn, this, this.table.tableArn)}/stream/*]`, 'A stream is called by when it was made, which nobody knows beforehand; the star stands for that alone.');
    this.dataKey.grantReadThrough(fn, 'dynamodb');
    const mapping = new EventSourceMapping(fn, `From${this.node.id}`, {
      target: fn,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: reading.batchSize,
      maxBatchingWindow: Duration.seconds(reading.windowSeconds),
      parallelizationFactor: 1,
      bisectBatchOnError: false,
      reportBatchItemFailures: false,
      ...(reading.onlyPartition ? { filters: [{ pattern: JSON.stringify({ dynamodb: { Keys: { [KeySchema.pk]: { S: [reading.onlyPartition] } } } }) }] } : {}),
    });
    // Said in full, though -1 is also the default: a change of the default would lose data.
    const cfn = mapping.node.defaultChild as CfnEventSourceMapping;
    cfn.maximumRetryAttempts = -1;
    cfn.maximumRecordAgeInSeconds = -1;
    // Lambda checks the permissions when it makes the mapping.
    mapping.node.addDependency(fn.role!);
    return mapping;
  }

  /** Tells `fn` the table's name and allows it `actions`, on the given partitions only where they are named (`*` at the end matches any rest). */
  protected allow(fn: Lambda, actions: readonly ItemAction[], options: { readonly partitions?: readonly string[]; readonly index?: string } = {}): void {
    fn.addEnvironment(this.settings.env, this.table.tableName);
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: actions.map((action) => `dynamodb:${action}`),
        resources: [options.index ? `${this.table.tableArn}/index/${options.index}` : this.table.tableArn],
        // Every action that is ever limited so (GetItem, PutItem, Query) names its partition; ForAllValues would also be true of one that does not.
        ...(options.partitions ? { conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': options.partitions } } } : {}),
      }),
    );
    // DynamoDB's own key asks nothing of who may use the table.
    if (this.settings.global) return;
    const writes = actions.some((action) => /^(Put|Update|Delete)/.test(action));
    if (writes) this.dataKey.grantWriteThrough(fn, 'dynamodb');
    else this.dataKey.grantReadThrough(fn, 'dynamodb');
  }

  private streamArn(): string {
    if (!this.table.tableStreamArn) throw new Error(`${this.node.path} has no stream: give the table one before feeding a function from it`);
    return this.table.tableStreamArn;
  }
}
