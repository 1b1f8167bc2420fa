/** Repairs the records that sealing or an audit found to be not as they should be. What cannot be done yet comes back; what cannot be done at all is counted, and a person looks. */
import { repairRecords, type RepairOutcome } from '../src/operations/repair-record';
import { repairMessages } from '../src/runtime/repair-message';
import { queueTogether, type Tried } from '../src/runtime/stacks/queue';
import { repairDeps } from '../src/runtime/wiring/repairing';

const deps = repairDeps();

export const handler = queueTogether('repair-records', repairMessages, async (requests) =>
  (await repairRecords(deps, requests)).map((attempt) => (attempt.status === 'rejected' ? attempt : { status: 'fulfilled', value: tried(attempt.value) })),
);

function tried(done: RepairOutcome): Tried {
  const again = done.outcome === 'later';
  const reason = again ? done.why : done.outcome === 'nothing-to-restore-from' ? done.lost.map(({ why }) => why).join(', ') : undefined;
  return { again, fields: { outcome: done.outcome, reason, ...(done.outcome === 'put-back' && { entry: done.entry }) } };
}
