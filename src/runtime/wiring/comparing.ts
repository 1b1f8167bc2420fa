/** The world as the functions see it that hold the table against the log: the audit and the drill. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { keyInventory } from '../../adapters/aws/key-inventory';
import { kms, kmsSigner } from '../../adapters/aws/kms';
import { logStore } from '../../adapters/aws/log-store';
import { recordStore } from '../../adapters/aws/record-store';
import { restoreTarget } from '../../adapters/aws/restore-target';
import { s3 } from '../../adapters/aws/s3';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import { scratchTable } from '../../adapters/aws/scratch-table';
import { shareAt, type Share } from '../../core/shares';
import type { AuditDeps } from '../../operations/audit-table';
import { restoreFromVault, type DrillDeps } from '../../operations/run-drill';
import { containerMeter } from '../metrics';
import { rotation, setting } from '../settings';
import { repairRequests } from './repairing';
import { keyPorts, now, sleep } from './world';

const shared = () => ({
  records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
  log: logStore(dynamoDb(), setting('LOG_TABLE')),
  vault: s3VaultReader(s3(), setting('VAULT_BUCKET')),
  ...keyPorts(),
  signer: kmsSigner(kms(), setting('SIGNING_KEY_ARN')),
  meter: containerMeter(),
  now,
  sleep,
});

const live = () => restoreTarget(dynamoDb(), setting('RECORDS_TABLE'));

/** For audit-table. */
export function auditDeps(): AuditDeps {
  const repairs = repairRequests();
  return { ...shared(), table: live(), inventory: keyInventory(dynamoDb(), setting('KEYS_TABLE')), ...(repairs && { ask: (request) => repairs.ask(request) }) };
}

/** For run-drill. */
export function drillDeps(): DrillDeps {
  const deps = { ...shared(), live: live() };
  return { ...deps, scratch: scratchTable(dynamoDb(), setting('SCRATCH_TABLE')), restore: restoreFromVault(deps) };
}

/** The share whose turn it is now. */
export function shareNow(name: 'AUDIT_ROTATION' | 'DRILL_ROTATION'): Share {
  const { everyHours, of } = rotation(name);
  return shareAt(now(), everyHours, of);
}
