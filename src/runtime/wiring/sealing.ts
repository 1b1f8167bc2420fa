/** The world as the functions that extend and publish the log see it. One role each; what a role does not grant fails when it is called, never here. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { kms, kmsSigner } from '../../adapters/aws/kms';
import { logStore } from '../../adapters/aws/log-store';
import { recordStore } from '../../adapters/aws/record-store';
import { s3 } from '../../adapters/aws/s3';
import { s3Inbox } from '../../adapters/aws/s3-inbox';
import { s3Vault } from '../../adapters/aws/s3-vault';
import type { InitializeDeps } from '../../operations/initialize-log';
import type { PublishDeps } from '../../operations/publish-log';
import type { SealMissingDeps } from '../../operations/seal-missing';
import type { Vault } from '../../ports';
import { UNLOCKED_TAG } from '../env';
import { containerMeter } from '../metrics';
import { lockMode, retentionDays, setting } from '../settings';
import { repairRequests } from './repairing';
import { keyPorts, now, random, sleep } from './world';

/** What it locks, it locks for as long as this function is told. */
export const writtenVault = (): Vault => s3Vault(s3(), { bucket: setting('VAULT_BUCKET'), lockMode: lockMode(), retentionDays: retentionDays(), unlockedTag: UNLOCKED_TAG }, now);

/** For seal-records and seal-missing. */
export const sealDeps = (): SealMissingDeps => ({
  records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
  log: logStore(dynamoDb(), setting('LOG_TABLE')),
  vault: writtenVault(),
  inbox: s3Inbox(s3(), setting('INBOX_BUCKET')),
  repairRequests: repairRequests(),
  ...keyPorts(),
  meter: containerMeter(),
  now,
  random,
  sleep,
});

/** For publish-log. */
export const publishDeps = (): PublishDeps => ({
  log: logStore(dynamoDb(), setting('LOG_TABLE')),
  vault: writtenVault(),
  ...keyPorts(),
  signer: kmsSigner(kms(), setting('SIGNING_KEY_ARN')),
  meter: containerMeter(),
  now,
});

/** For initialize-log. */
export const initializeDeps = (): InitializeDeps => ({
  log: logStore(dynamoDb(), setting('LOG_TABLE')),
  vault: writtenVault(),
  ...keyPorts(),
  signer: kmsSigner(kms(), setting('SIGNING_KEY_ARN')),
  random,
});
