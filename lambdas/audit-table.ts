/** On a schedule: compares a share of the table with the log, makes records of what differs, and hands on what can be repaired. In finer shares where one is too big. */
import { auditFields, auditInParts } from '../src/operations/audit-in-parts';
import { auditTable } from '../src/operations/audit-table';
import { wholeUpTo } from '../src/runtime/settings';
import { stepped } from '../src/runtime/stacks/stepped';
import { auditDeps, shareNow } from '../src/runtime/wiring/comparing';
import { inPartsDeps } from '../src/runtime/wiring/in-parts';

const deps = auditDeps();
const share = () => shareNow('AUDIT_ROTATION');

export const handler = stepped('audit-table', {
  whole: async () => auditFields(await auditTable(deps, { share: share() })),
  parts: auditInParts(deps, { share, wholeUpTo: wholeUpTo() }),
  deps: inPartsDeps(),
});
