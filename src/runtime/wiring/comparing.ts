/** The world as the functions see it that hold the table against the log: the audit and the drill. */
import { dynamoDb, dynamoDbClient } from '../../adapters/aws/dynamodb';
import { keyInventory } from '../../adapters/aws/key-inventory';
import { keyTable } from '../../adapters/aws/key-table';
import { kmsClient, kmsKeyService } from '../../adapters/aws/kms';
import { restoreTarget } from '../../adapters/aws/restore-target';
import { s3Client } from '../../adapters/aws/s3';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import { scratchTable } from '../../adapters/aws/scratch-table';
import { isTurnOfReplica, shareAt, type Share } from '../../core/shares';
import type { AuditDeps } from '../../operations/audit-table';
import { restoreFromReplica, restoreFromVault, type DrillDeps } from '../../operations/run-drill';
import type { SettledLogDeps } from '../../operations/settled-log';
import { optionalSetting, rotation, setting } from '../settings';
import { repairRequests, tableAndLog } from './repairing';
import { now } from './world';

const live = () => restoreTarget(dynamoDb(), setting('RECORDS_TABLE'));

/** For audit-table. */
export function auditDeps(): AuditDeps {
  const repairs = repairRequests();
  return { ...tableAndLog(), table: live(), inventory: keyInventory(dynamoDb(), setting('KEYS_TABLE')), ...(repairs && { ask: (request) => repairs.ask(request) }) };
}

/** For run-drill. */
export function drillDeps(): DrillDeps {
  const deps = { ...tableAndLog(), live: live() };
  return { ...deps, scratch: scratchTable(dynamoDb(), setting('SCRATCH_TABLE')), restore: restoreFromVault(deps), ...fromReplica(deps) };
}

/** Vault, keys and wrapping key as the second region has them: a restore from there touches nothing of the first but the table it is compared with. */
function fromReplica(deps: SettledLogDeps & { readonly live: DrillDeps['live'] }): Pick<DrillDeps, 'replica'> {
  const [bucket, region] = [optionalSetting('REPLICA_BUCKET'), optionalSetting('REPLICA_REGION')];
  if (bucket === undefined || region === undefined) return {};
  const there = { region };
  // A replica of a global table has its name; that of a multi-Region key its id.
  const wrappingKey = setting('WRAPPING_KEY_ARN').replace(/^(arn:[^:]+:kms:)[^:]+/, `$1${region}`);
  const [keys, keyService] = [keyTable(dynamoDbClient(there), setting('KEYS_TABLE')), kmsKeyService(kmsClient(there), wrappingKey, region)];
  return { replica: restoreFromReplica({ ...deps, replica: s3VaultReader(s3Client(there), bucket), keys, keyService }) };
}

/** Whether the drill whose turn it is now is one of those that use the replica. */
export function drillSource(): 'vault' | 'replica' {
  const { everyHours, of } = rotation('DRILL_ROTATION');
  const every = optionalSetting('DRILL_FROM_REPLICA_EVERY');
  return every !== undefined && isTurnOfReplica(now(), everyHours, of, Number(every)) ? 'replica' : 'vault';
}

/** The share whose turn it is now. */
export function shareNow(name: 'AUDIT_ROTATION' | 'DRILL_ROTATION'): Share {
  const { everyHours, of } = rotation(name);
  return shareAt(now(), everyHours, of);
}
