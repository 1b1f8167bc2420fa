/** The subjects of the keys table in memory. */
import type { KeyInventory } from '../../ports/key-inventory';
import type { MemoryKeyTable } from './keys';

export const memoryKeyInventory = ({ subjects }: Pick<MemoryKeyTable, 'subjects'>): KeyInventory => ({
  subjects: async function* () {
    yield* [...subjects.keys()];
  },
});
