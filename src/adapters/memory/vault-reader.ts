/** A vault in memory as verification reads it. It knows no locks: there is no clock in a map. */
import { VaultReadError, type VaultReader } from '../../ports/vault-reader';

/** Reads `objects` live: what a test changes there afterwards is what is read. */
export function memoryVaultReader(objects: ReadonlyMap<string, Buffer>, source = 'memory'): VaultReader {
  return {
    source,
    get: async (name, maxBytes = Infinity) => {
      const bytes = objects.get(name);
      if (bytes !== undefined && bytes.length > maxBytes) throw new VaultReadError('too-large', `${name} has more than ${maxBytes} bytes`);
      return bytes === undefined ? 'absent' : Buffer.from(bytes);
    },
    list: async function* (prefix) {
      const names = [...objects.keys()].filter((name) => name.startsWith(prefix));
      yield* names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    },
  };
}
