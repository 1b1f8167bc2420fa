/** The world as the receiving functions see it, made from their environment once per container. */
import { appSecrets, secretsManager } from '../../adapters/aws/app-secrets';
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { recordStore } from '../../adapters/aws/record-store';
import { loadSecrets } from '../../operations/load-secrets';
import type { ReceiveDeps } from '../../operations/receive-delivery';
import type { RecordingDeps } from '../../operations/recording-run';
import { containerMeter } from '../metrics';
import { setting } from '../settings';
import { lazyInbox } from './inbox';
import { keyPorts, now, random } from './world';

/** For every function that records deliveries: the MAC key and the dedupe key are all it can unwrap. */
export const recordingDeps = (): RecordingDeps => ({
  records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
  inbox: lazyInbox(setting('INBOX_BUCKET')),
  meter: containerMeter(),
  now,
  random,
  keys: loadSecrets(keyPorts()),
  accounts: new Map(),
});

/** For receive-webhook, which alone knows the app secret. */
export const receiveDeps = (): ReceiveDeps => ({ ...recordingDeps(), secrets: appSecrets(secretsManager(), setting('APP_SECRET_ARN'), now) });
