/** A bucket as the place a vault is written to: everything write-once under its lock and create-only, what may change only by who has seen what it replaces. */
import { PortError, type Vault } from '../ports';
import { CHECKPOINT, isWriteOnce, LOG_VKEYS } from '../core/verify/vault-name';
import type { PullTarget } from './pull-vault';

/** `write` throws `PortError`: `different-bytes` where something else stands there already. */
export function vaultTarget(vault: Vault): PullTarget {
  return {
    read: (name) => vault.get(name),
    write: async (name, bytes) => {
      if (name === CHECKPOINT || name === LOG_VKEYS) return putMutable(vault, name, bytes);
      await (isWriteOnce(name) ? vault.createLocked(name, bytes) : vault.createPartial(name, bytes));
    },
  };
}

async function putMutable(vault: Vault, name: typeof CHECKPOINT | typeof LOG_VKEYS, bytes: Uint8Array): Promise<void> {
  const there = await vault.getMutable(name);
  if (there !== 'absent' && there.bytes.equals(bytes)) return;
  if (there !== 'absent' || (await vault.replaceMutable(name, bytes, 'absent')) === 'stale') throw new PortError('different-bytes', `${name} is there with other bytes`);
}
