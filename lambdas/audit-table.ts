/** On a schedule: compares a share of the table with the log, makes records of what differs, and hands on what can be repaired. */
import { auditTable } from '../src/operations/audit-table';
import { scheduled } from '../src/runtime/stacks/scheduled';
import { auditDeps, shareNow } from '../src/runtime/wiring/comparing';

const deps = auditDeps();

export const handler = scheduled('audit-table', async () => {
  const { audit, ok, findings, records, size, waiting, closed, asked, seconds, share } = await auditTable(deps, { share: shareNow('AUDIT_ROTATION') });
  return { audit, ok, findings, records, size, waiting, closed, asked, seconds, share: share.number };
});
