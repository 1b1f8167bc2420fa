/** The world as the receiving functions see it, made from their environment once per container. */
import { appSecrets, secretsManager } from '../../adapters/aws/app-secrets';
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { recordStore } from '../../adapters/aws/record-store';
import { loadSecrets } from '../../operations/load-secrets';
import { ownerCache } from '../../operations/owner-cache';
import type { ReceiveDeps } from '../../operations/receive-delivery';
import type { RecordingDeps } from '../../operations/recording-run';
import { containerMeter } from '../metrics';
import { setting } from '../settings';
import { lazyInbox } from './inbox';
import { pooled } from './pooled-random';
import { keyPorts, now, random } from './world';

/** For every function that records deliveries: the MAC key and the dedupe key are all it can unwrap. */
export const recordingDeps = (): RecordingDeps => ({
  records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
  inbox: lazyInbox(setting('INBOX_BUCKET')),
  meter: containerMeter(),
  now,
  random: pooled(random),
  keys: loadSecrets(keyPorts()),
  accounts: new Map(),
});

/**
 * For receive-webhook, which alone knows the app secret, and alone remembers owners from one delivery to the next: a big delivery of process-inbox reads each
 * owner once anyway, and nobody waits for it.
 */
export const receiveDeps = (): ReceiveDeps => ({ ...recordingDeps(), ownerCache: ownerCache(now), secrets: appSecrets(secretsManager(), setting('APP_SECRET_ARN'), now) });
