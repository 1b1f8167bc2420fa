/** The world as whoever repairs sees it, and as whoever asks for a repair does. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { kms, kmsSigner } from '../../adapters/aws/kms';
import { logStore } from '../../adapters/aws/log-store';
import { recordRepairs } from '../../adapters/aws/record-repairs';
import { recordStore } from '../../adapters/aws/record-store';
import { queuedRepairRequests } from '../../adapters/aws/repair-requests';
import { s3 } from '../../adapters/aws/s3';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import { sqs } from '../../adapters/aws/sqs';
import type { RepairDeps } from '../../operations/repair-record';
import type { RepairRequests } from '../../ports/repair-requests';
import { containerMeter } from '../metrics';
import { optionalSetting, setting } from '../settings';
import { keyPorts, now, sleep } from './world';

/** The live table and the log, for who holds one against the other. */
export const tableAndLog = () => ({
  records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
  log: logStore(dynamoDb(), setting('LOG_TABLE')),
  vault: s3VaultReader(s3(), setting('VAULT_BUCKET')),
  ...keyPorts(),
  signer: kmsSigner(kms(), setting('SIGNING_KEY_ARN')),
  meter: containerMeter(),
  now,
  sleep,
});

/** For repair-records. */
export const repairDeps = (): RepairDeps => ({ ...tableAndLog(), repairs: recordRepairs(dynamoDb(), setting('RECORDS_TABLE')) });

/** Undefined: the stage wants a person to be asked first. */
export function repairRequests(): RepairRequests | undefined {
  const queueUrl = optionalSetting('REPAIR_QUEUE_URL');
  return queueUrl === undefined ? undefined : queuedRepairRequests(sqs(), queueUrl);
}
