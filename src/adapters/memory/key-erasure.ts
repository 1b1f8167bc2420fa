/** Taking keys away, in memory: both tables change between two steps of anybody else, as in DynamoDB's transaction. */
import { PortError } from '../../ports';
import type { KeyErasure } from '../../ports/key-erasure';
import type { MemoryKeyTable } from './keys';
import type { MemoryRecords } from './record-store';

export function memoryKeyErasure(records: Pick<MemoryRecords, 'transact'>, keys: Pick<MemoryKeyTable, 'subjects' | 'held'>): KeyErasure {
  return {
    erase: async (subjects, _erasedAt, writes, unheld) => {
      if (subjects.length + writes.length + unheld.length > 100) throw new PortError('corrupt', 'a transaction has at most 100 actions');
      if (unheld.some((subject) => keys.held.has(subject))) return 'held';
      const outcome = await records.transact(writes);
      if (outcome === 'done') for (const subject of subjects) keys.subjects.set(subject, 'erased');
      return outcome;
    },
  };
}
