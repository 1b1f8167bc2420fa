/** The world as erase-subjects sees it: the records, the rows of the keys table it may empty, bodies in the inbox, and of the log what is in clear. It can open nothing. */
import { dynamoDb, dynamoDbClient } from '../../adapters/aws/dynamodb';
import { keyErasure } from '../../adapters/aws/key-erasure';
import { keyTable } from '../../adapters/aws/key-table';
import { kms, kmsSigner } from '../../adapters/aws/kms';
import { logStore } from '../../adapters/aws/log-store';
import { recordStore } from '../../adapters/aws/record-store';
import { s3 } from '../../adapters/aws/s3';
import { s3Inbox } from '../../adapters/aws/s3-inbox';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import { viewStore } from '../../adapters/aws/view-store';
import type { ErasureDeps } from '../../operations/erasure/advance-erasures';
import { containerMeter } from '../metrics';
import { optionalSetting, setting } from '../settings';
import { repairRequests } from './repairing';
import { keyPorts, now } from './world';

/** For erase-subjects. */
export function erasingDeps(): ErasureDeps {
  const [records, secondRegion] = [setting('RECORDS_TABLE'), optionalSetting('REPLICA_REGION')];
  return {
    records: recordStore(dynamoDb(), records),
    keyErasure: keyErasure(dynamoDb(), { records, keys: setting('KEYS_TABLE') }),
    ...keyPorts(),
    // A replica of a global table has its name.
    ...(secondRegion !== undefined && { keysOffsite: keyTable(dynamoDbClient({ region: secondRegion }), setting('KEYS_TABLE')) }),
    signer: kmsSigner(kms(), setting('SIGNING_KEY_ARN')),
    inbox: s3Inbox(s3(), setting('INBOX_BUCKET')),
    views: viewStore(dynamoDb(), setting('VIEWS_TABLE')),
    log: logStore(dynamoDb(), setting('LOG_TABLE')),
    vault: s3VaultReader(s3(), setting('VAULT_BUCKET')),
    repairRequests: repairRequests(),
    meter: containerMeter(),
    now,
  };
}
