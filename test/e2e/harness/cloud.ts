/**
 * The local cloud an end-to-end test runs against: its outputs, and AWS clients for it. `npm test` starts one cloud for all files and names its outputs file
 * in INTACT_E2E; the process has nothing but the local environment, which is checked here again before any client is made.
 */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { readOutputs, type LocalOutputs } from '../../../local/outputs';

/** Stack outputs and address of the cloud under test. Throws with what to run when there is none. */
export const outputs: LocalOutputs = (() => {
  const file = process.env['INTACT_E2E'];
  const found = file === undefined ? undefined : readOutputs(file);
  if (found === undefined) throw new Error('End-to-end tests need a local cloud of their own. Run them with:  npm test -- test/e2e/<file>');
  if (process.env['AWS_ENDPOINT_URL'] !== found.endpoint) throw new Error(`End-to-end tests must run in the local environment; AWS_ENDPOINT_URL is ${process.env['AWS_ENDPOINT_URL'] ?? 'not set'}.`);
  return found;
})();

/** Clients with the account's own credentials. The emulator lets these do anything, bucket policies included: to see a refusal use a role (roles.ts). */
export const aws = {
  dynamodb: new DynamoDBClient({}),
  s3: new S3Client({ forcePathStyle: true }),
  kms: new KMSClient({}),
  secrets: new SecretsManagerClient({}),
  sqs: new SQSClient({}),
  sns: new SNSClient({}),
  lambda: new LambdaClient({}),
  machines: new SFNClient({}),
  logs: new CloudWatchLogsClient({}),
  metrics: new CloudWatchClient({}),
  iam: new IAMClient({}),
  sts: new STSClient({}),
} as const;
