/** The drill's table in memory. */
import type { ScratchTable } from '../../ports/scratch-table';
import { memoryRestoreTarget, type MemoryTables } from './restore-target';

export function memoryScratchTable(tables: MemoryTables, records: string): ScratchTable {
  const name = `${records}-drill-scratch`;
  return {
    name,
    open: () => memoryRestoreTarget(tables, name),
    discard: async () => (tables.delete(name) ? 'dropped' : 'absent'),
  };
}
