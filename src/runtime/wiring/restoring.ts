/** The world as restore-table sees it: vault and replica to read, tables of certain names to make and fill, and of the live table how it is set. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { restoreTarget } from '../../adapters/aws/restore-target';
import { restoredTables } from '../../adapters/aws/restored-table';
import { s3, s3Client } from '../../adapters/aws/s3';
import { s3Inbox } from '../../adapters/aws/s3-inbox';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import type { RestoreInPartsDeps } from '../../operations/restore-in-parts';
import { factsSource, wholeSource } from '../../operations/restore-share';
import { optionalSetting, setting } from '../settings';
import { tableAndLog } from './repairing';

/** For restore-table. */
export function restoreDeps(): RestoreInPartsDeps {
  const [deps, prefix] = [tableAndLog(), setting('RESTORED_PREFIX')];
  const [bucket, region] = [optionalSetting('REPLICA_BUCKET'), optionalSetting('REPLICA_REGION')];
  const replica = bucket === undefined || region === undefined ? undefined : factsSource(s3VaultReader(s3Client({ region }), bucket));
  return {
    ...deps,
    live: restoreTarget(dynamoDb(), setting('RECORDS_TABLE')),
    siblings: [restoreTarget(dynamoDb(), setting('LOG_TABLE'))],
    prefix,
    tableAt: restoredTables(dynamoDb(), prefix),
    sources: { vault: wholeSource(deps.vault), replica },
    inbox: s3Inbox(s3(), setting('INBOX_BUCKET')),
  };
}
