/**
 * The wrapped keys. No function of ours deletes a row, and one alone empties some: the erasure's. Who may read which row is decided by its partition key. Without it the vault and its replica are unreadable for ever, so it has
 * a replica of its own in the second region.
 */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { KeySchema, keyKeys } from '../../src/core/table-keys';
import { Env } from '../../src/runtime/env';
import { Table, type TableProps } from './table';
import type { WrappedSecretName, WrappingKey } from './wrapping-key';

export interface KeysTableProps extends TableProps {
  readonly wrappingKey: WrappingKey;
}

const SUBJECT_KEYS = keyKeys.subject('*').pk;
const HOLDS = keyKeys.hold('*').pk;
const partitionsOf = (names: readonly WrappedSecretName[]): string[] => names.map((name) => keyKeys.secret(name).pk);

export class KeysTable extends Table {
  private readonly wrappingKey: WrappingKey;

  constructor(scope: Construct, id: string, props: KeysTableProps) {
    super(scope, id, props, { env: Env.KEYS_TABLE, global: true });
    this.wrappingKey = props.wrappingKey;
  }

  /** Lets `fn` read and unwrap exactly these secrets. */
  grantSecrets(fn: Lambda, ...names: readonly WrappedSecretName[]): void {
    this.allow(fn, ['GetItem'], { partitions: partitionsOf(names) });
    this.wrappingKey.grantUnwrap(fn, ...names);
  }

  /** Lets `fn` read in the second region alone what opens the log there: these secrets, and the keys of subjects. */
  grantReadOffsite(fn: Lambda, region: string, ...names: readonly WrappedSecretName[]): void {
    this.allowReadIn(region, fn, [...partitionsOf(names), SUBJECT_KEYS]);
    this.wrappingKey.grantUnwrapIn(region, fn, ...names);
  }

  /** Lets `fn` see in the second region whether the keys of subjects are gone there too. */
  grantSeeErasedIn(region: string, fn: Lambda): void {
    fn.addEnvironment(Env.REPLICA_REGION, region);
    this.allowReadIn(region, fn, [SUBJECT_KEYS]);
  }

  private allowReadIn(region: string, fn: Lambda, partitions: readonly string[]): void {
    const there = Stack.of(this).formatArn({ service: 'dynamodb', region, resource: 'table', resourceName: this.table.tableName });
    fn.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: [there], conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions } } }));
  }

  /** Lets `fn` make the three secrets, once, without seeing them. */
  grantCreateSecrets(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'PutItem'], { partitions: partitionsOf(['kek', 'mac', 'dedupe']) });
    this.wrappingKey.grantGenerate(fn, 'kek', 'mac', 'dedupe');
  }

  /** Lets `fn` read the keys of subjects and make none; worth something only with the key-encryption key. */
  grantReadSubjectKeys(fn: Lambda): void {
    this.allow(fn, ['GetItem'], { partitions: [SUBJECT_KEYS] });
  }

  /** Lets `fn` say, beside the keys, which of them may not be taken. It can read no row, and touch no key. */
  grantMarkHolds(fn: Lambda): void {
    this.allow(fn, ['PutItem'], { partitions: [HOLDS] });
  }

  /** Lets `fn` take the keys of subjects away: an update of the row, which stays and says when. It can unwrap none of them, reach no secret, and ask for holds but lift none. */
  grantErase(fn: Lambda): void {
    this.allow(fn, ['ConditionCheckItem'], { partitions: [HOLDS] });
    this.allow(fn, ['GetItem', 'UpdateItem'], { partitions: [SUBJECT_KEYS] });
  }

  /** Lets `fn` list whose keys there are: a scan that may ask for the keys of the items alone, never for what is wrapped in them. */
  grantListSubjects(fn: Lambda): void {
    const namesOnly = { 'ForAllValues:StringEquals': { 'dynamodb:Attributes': [KeySchema.pk] }, StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' } };
    fn.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:Scan'], resources: [this.table.tableArn], conditions: namesOnly }));
  }

  /** Lets `fn` read and create the keys of subjects; worth something only with the key-encryption key (`grantSecrets(fn, 'kek')`). */
  grantSubjectKeys(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'PutItem'], { partitions: [SUBJECT_KEYS] });
  }
}
