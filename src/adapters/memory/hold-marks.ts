/** Marks of holds in memory: both tables change between two steps of anybody else, as in DynamoDB's transaction. */
import { PortError } from '../../ports';
import type { HoldMarks } from '../../ports/hold-marks';
import type { MemoryKeyTable } from './keys';
import type { MemoryRecords } from './record-store';

export const memoryHoldMarks = (records: Pick<MemoryRecords, 'transact'>, { held }: Pick<MemoryKeyTable, 'held'>): HoldMarks => ({
  transact: async (writes, marks) => {
    if (writes.length + marks.length > 100) throw new PortError('corrupt', 'a transaction has at most 100 actions');
    const outcome = await records.transact(writes);
    if (outcome === 'done') for (const mark of marks) held[mark.held ? 'add' : 'delete'](mark.subject);
    return outcome;
  },
});
