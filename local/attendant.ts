/**
 * The process that keeps the local cloud complete while it runs: it does what the emulator leaves out, through the AWS calls that AWS itself would
 * have made (docs/local-cloud.md lists them). A process of its own, because only a process whose whole environment is local may hold an AWS client.
 * It ends with its starter: the channel closes, it exits.
 */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { switchBackupsOn } from './fillers/backups';
import { lockBuckets } from './fillers/object-lock';
import { startForwardingMetrics } from './fillers/metrics';
import { fillSecondRegion } from './fillers/second-region';
import { seedStaff } from './fillers/staff';
import { cognitoClient } from '../src/adapters/operator/staff-pool';
import { setAppSecret } from './app-secret';
import type { Answer, Errand } from './errands';

const cloudFormation = new CloudFormationClient({});
const s3 = new S3Client({ forcePathStyle: true });

async function run(errand: Errand): Promise<readonly string[]> {
  switch (errand.do) {
    case 'lock-buckets':
      return lockBuckets({ cloudFormation: new CloudFormationClient({ region: errand.region }), s3: new S3Client({ region: errand.region, forcePathStyle: true }) }, errand.template, errand.stack);
    case 'switch-backups-on':
      return switchBackupsOn({ cloudFormation, dynamoDb: new DynamoDBClient({}) }, errand.template, errand.stack);
    case 'fill-second-region':
      return fillSecondRegion({ cloudFormation, s3, dynamoDb: new DynamoDBClient({}), kms: new KMSClient({}) }, errand.template, errand.home);
    case 'forward-metrics':
      startForwardingMetrics({ logs: new CloudWatchLogsClient({}), metrics: new CloudWatchClient({}) });
      return [];
    case 'seed-staff':
      return seedStaff(cognitoClient(), errand, errand.file);
    case 'set-app-secret':
      await setAppSecret(new SecretsManagerClient({}), errand.arn, errand.secret);
      return [];
  }
}

process.on('message', (errand: Errand) => {
  run(errand).then(
    (done): Answer => ({ id: errand.id, ok: true, done }),
    (error: unknown): Answer => ({ id: errand.id, ok: false, message: error instanceof Error ? error.message : String(error) }),
  ).then((answer) => process.send?.(answer)).catch(() => process.exit(1));
});
process.on('disconnect', () => process.exit(0));
// A Ctrl-C reaches the whole terminal group; the starter decides when to end.
process.on('SIGINT', () => undefined);
