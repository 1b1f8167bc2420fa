/** The world as note-sign-in sees it: it adds lines to the access log, and reads none. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { logStore } from '../../adapters/aws/log-store';
import { recordStore } from '../../adapters/aws/record-store';
import { loadSecrets } from '../../operations/load-secrets';
import { rememberIdentity } from '../../operations/read-log';
import type { NotingDeps } from '../../operations/staff/note-access';
import { containerMeter } from '../metrics';
import { setting } from '../settings';
import { keyPorts, now, random } from './world';

export const notingDeps = (): NotingDeps => ({
  records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
  keys: loadSecrets(keyPorts()),
  identity: rememberIdentity(logStore(dynamoDb(), setting('LOG_TABLE'))),
  meter: containerMeter(),
  now,
  random,
});
