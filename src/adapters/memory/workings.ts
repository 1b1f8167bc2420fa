/** The workings in memory. */
import type { Workings } from '../../ports/workings';

export interface MemoryWorkings extends Workings {
  readonly objects: Map<string, Buffer>;
}

export function memoryWorkings(): MemoryWorkings {
  const objects: MemoryWorkings['objects'] = new Map();
  return {
    objects,
    put: async (name, bytes) => void objects.set(name, Buffer.from(bytes)),
    get: async (name) => {
      const there = objects.get(name);
      return there === undefined ? 'absent' : Buffer.from(there);
    },
    list: async (prefix) => [...objects.keys()].filter((name) => name.startsWith(prefix)),
  };
}
