/** The inbox bucket in memory. */
import { PortError, type Clock, type Inbox } from '../../ports';

export interface MemoryInbox extends Inbox {
  readonly objects: Map<string, { readonly bytes: Buffer; readonly at: Date }>;
}

export function memoryInbox({ now }: { readonly now: Clock }): MemoryInbox {
  const objects: MemoryInbox['objects'] = new Map();
  return {
    objects,
    put: async (name, bytes) => {
      const there = objects.get(name);
      if (there === undefined) {
        objects.set(name, { bytes: Buffer.from(bytes), at: now() });
        return 'created';
      }
      if (!there.bytes.equals(bytes)) throw new PortError('different-bytes', `${name} exists with other bytes`);
      return 'exists';
    },
    get: async (name) => {
      const there = objects.get(name);
      return there === undefined ? 'absent' : Buffer.from(there.bytes);
    },
    remove: async (name) => {
      objects.delete(name);
    },
    list: async function* (prefix) {
      for (const [name, { bytes, at }] of [...objects].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
        if (name.startsWith(prefix)) yield { name, at, bytes: bytes.length };
      }
    },
  };
}
