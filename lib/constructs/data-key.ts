/**
 * The key under which the tables and the inbox rest. Functions get it through the service that stores the data only: with their own credentials alone
 * they cannot encrypt or decrypt anything by it.
 */
import { Stack } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Stage } from '../stage';
import { ProtectedKey } from './protected-key';

const READ = ['kms:Decrypt', 'kms:DescribeKey'];
// DynamoDB and S3 act with the caller's permissions on the key; the wildcards ReEncrypt* and GenerateDataKey* of their documentation spelled out.
const WRITE = [...READ, 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];

export class DataKey extends ProtectedKey {
  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id, { stage, description: `Intact ${stage.name}: tables and inbox at rest` });
  }

  /** Lets `fn` read what `service` stores under this key. */
  grantReadThrough(fn: Lambda, service: 'dynamodb' | 's3'): void {
    this.grantThrough(fn, service, READ);
  }

  /** Lets `fn` read and write what `service` stores under this key. */
  grantWriteThrough(fn: Lambda, service: 'dynamodb' | 's3'): void {
    this.grantThrough(fn, service, WRITE);
  }

  /** Lets `fn` have DynamoDB put tables under this key: a grant that DynamoDB alone can use. */
  grantMakeTables(fn: Lambda): void {
    this.grantWriteThrough(fn, 'dynamodb');
    const { region, urlSuffix } = Stack.of(this);
    const conditions = { StringEquals: { 'kms:ViaService': `dynamodb.${region}.${urlSuffix}` }, Bool: { 'kms:GrantIsForAWSResource': 'true' } };
    fn.addToRolePolicy(new PolicyStatement({ actions: ['kms:CreateGrant'], resources: [this.keyArn], conditions }));
  }

  private grantThrough(fn: Lambda, service: string, actions: string[]): void {
    const { region, urlSuffix } = Stack.of(this);
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.keyArn], conditions: { StringEquals: { 'kms:ViaService': `${service}.${region}.${urlSuffix}` } } }));
  }
}
