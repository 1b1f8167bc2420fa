/** The world as the functions see it that hold the table against the log: the audit and the drill. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { keyInventory } from '../../adapters/aws/key-inventory';
import { restoreTarget } from '../../adapters/aws/restore-target';
import { scratchTable } from '../../adapters/aws/scratch-table';
import { shareAt, type Share } from '../../core/shares';
import type { AuditDeps } from '../../operations/audit-table';
import { restoreFromVault, type DrillDeps } from '../../operations/run-drill';
import { rotation, setting } from '../settings';
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
  return { ...deps, scratch: scratchTable(dynamoDb(), setting('SCRATCH_TABLE')), restore: restoreFromVault(deps) };
}

/** The share whose turn it is now. */
export function shareNow(name: 'AUDIT_ROTATION' | 'DRILL_ROTATION'): Share {
  const { everyHours, of } = rotation(name);
  return shareAt(now(), everyHours, of);
}
