/** The world as reconcile-deliveries sees it: the log of the receiving functions, the records, the sealed log, and Meta where the stage asks it. */
import { secretsManager } from '../../adapters/aws/app-secrets';
import { cloudWatchDeliveryLog, cloudWatchLogs } from '../../adapters/aws/delivery-log';
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { logStore } from '../../adapters/aws/log-store';
import { metaToken } from '../../adapters/aws/meta-token';
import { recordStore } from '../../adapters/aws/record-store';
import { s3 } from '../../adapters/aws/s3';
import { s3Inbox } from '../../adapters/aws/s3-inbox';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import { metaMessageHistory } from '../../adapters/web/meta-history';
import type { ReconcileDeps } from '../../operations/reconcile-deliveries';
import { containerMeter } from '../metrics';
import { logRetentionDays, optionalSetting, setting } from '../settings';
import { keyPorts, now, sleep } from './world';

/** For reconcile-deliveries. */
export function reconcileDeps(): ReconcileDeps {
  const tokenSecretArn = optionalSetting('META_TOKEN_SECRET_ARN');
  return {
    deliveries: cloudWatchDeliveryLog(cloudWatchLogs(), { receive: setting('RECEIVE_LOG_GROUP'), process: setting('PROCESS_LOG_GROUP') }),
    ...(tokenSecretArn !== undefined && { history: metaMessageHistory(metaToken(secretsManager(), tokenSecretArn), { baseUrl: optionalSetting('META_BASE_URL'), sleep }) }),
    records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
    inbox: s3Inbox(s3(), setting('INBOX_BUCKET')),
    log: logStore(dynamoDb(), setting('LOG_TABLE')),
    vault: s3VaultReader(s3(), setting('VAULT_BUCKET')),
    ...keyPorts(),
    meter: containerMeter(),
    now,
    logRetentionDays: logRetentionDays(),
  };
}
