/**
 * The vault in memory, refusing what the bucket policy refuses: a locked name without its lock, an unlocked name with one, a delete of anything but a
 * partial tile. `objects` is what an adversary with write access to a copy would edit.
 */
import { createHash } from 'node:crypto';
import { PortError, type Vault } from '../../ports';

export interface MemoryVault extends Vault {
  readonly objects: Map<string, Buffer>;
}

const isPartial = (name: string): boolean => /^tile\/.*\.p\//.test(name);
const isLocked = (name: string): boolean => /^(segment|blob|snapshot|checkpoints|report|tile)\/./.test(name) && !isPartial(name);
// As S3 makes it: the same bytes have the same tag.
const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

export function memoryVault(): MemoryVault {
  const objects = new Map<string, Buffer>();
  const create = (name: string, bytes: Uint8Array): 'created' | 'exists' => {
    const there = objects.get(name);
    if (there === undefined) {
      objects.set(name, Buffer.from(bytes));
      return 'created';
    }
    if (!there.equals(bytes)) throw new PortError('different-bytes', `${name} exists with other bytes`);
    return 'exists';
  };
  const demand = (holds: boolean, name: string): void => {
    if (!holds) throw new PortError('denied', `the vault does not take ${name} this way`);
  };
  return {
    objects,
    get: async (name, maxBytes = Infinity) => {
      const there = objects.get(name);
      if (there !== undefined && there.length > maxBytes) throw new PortError('corrupt', `${name} has more than ${maxBytes} bytes`);
      return copyOf(there);
    },
    createLocked: async (name, bytes) => {
      demand(isLocked(name), name);
      return create(name, bytes);
    },
    createPartial: async (name, bytes) => {
      demand(isPartial(name), name);
      return create(name, bytes);
    },
    getMutable: async (name) => {
      const bytes = copyOf(objects.get(name));
      return bytes === 'absent' ? 'absent' : { bytes, etag: etagOf(bytes) };
    },
    replaceMutable: async (name, bytes, ifEtag) => {
      const there = objects.get(name);
      if ((there === undefined ? 'absent' : etagOf(there)) !== ifEtag) return 'stale';
      objects.set(name, Buffer.from(bytes));
      return 'replaced';
    },
    deletePartial: async (name) => {
      demand(isPartial(name), name);
      objects.delete(name);
    },
    list: async function* (prefix, { after = '' } = {}) {
      const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
      const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && byBytes(name, after) > 0);
      yield* names.sort(byBytes);
    },
  };
}

const copyOf = (bytes: Buffer | undefined): Buffer | 'absent' => (bytes === undefined ? 'absent' : Buffer.from(bytes));
