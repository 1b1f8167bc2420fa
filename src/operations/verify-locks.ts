/**
 * Write-once, as the store itself enforces it: every locked name has exactly one version, no delete marker, and the retention that was
 * promised when it was written. Whether a lock has run out by now does not matter; that it was as long as promised does.
 */
import { finding, type Finding } from '../core/verify/finding-codes';
import { isWriteOnce } from '../core/verify/vault-name';
import type { ObjectLock, VaultLocks } from '../ports/vault-reader';

/** What the vault promises, where the verifier knows it. */
export interface LockPolicy {
  readonly mode: ObjectLock['mode'];
  readonly retentionDays: number;
}

export interface LockSummary {
  /** Write-once objects whose lock was looked at. */
  readonly checked: number;
  /** null: there are none. */
  readonly mode: ObjectLock['mode'] | 'mixed' | null;
  /** Days from writing to the end of retention, of the shortest lock; null: there are none. */
  readonly shortestDays: number | null;
  /** The policy they were held against; null: none was given, so only the presence of locks is checked. */
  readonly policy: LockPolicy | null;
}

const CONCURRENCY = 16;
const DAY_MS = 86_400_000;

export async function checkLocks(locks: VaultLocks, policy: LockPolicy | undefined, report: (finding: Finding) => void): Promise<LockSummary> {
  const modes = new Set<ObjectLock['mode']>();
  let [checked, shortestDays] = [0, Infinity];
  const checkOne = async (name: string): Promise<void> => {
    const lock = await locks.lock(name);
    if (lock === 'absent') return; // hidden by a delete marker, which is reported as such
    checked++;
    if (lock === 'none') return report(finding('lock-missing', name, 'it has no retention'));
    modes.add(lock.mode);
    const days = (lock.retainUntil.getTime() - lock.lastModified.getTime()) / DAY_MS;
    shortestDays = Math.min(shortestDays, days);
    if (policy === undefined) return;
    if (lock.mode !== policy.mode) report(finding('lock-wrong-mode', name, `its mode is ${lock.mode}, promised is ${policy.mode}`));
    if (days < policy.retentionDays) report(finding('lock-shortened', name, `it is locked for ${days.toFixed(2)} days from its writing, promised are ${policy.retentionDays}`));
  };

  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const versions = new Map<string, number>(); // of the name being listed only
  for await (const { name, kind } of locks.versions()) {
    if (failure !== undefined) break;
    if (!isWriteOnce(name)) continue;
    if (kind === 'delete-marker') {
      report(finding('delete-marker', name, 'a delete marker lies over it'));
      continue;
    }
    const seen = versions.get(name) ?? 0;
    if (seen === 0) versions.clear();
    versions.set(name, seen + 1);
    if (seen === 1) report(finding('second-version', name, 'it has more than one version'));
    if (seen > 0) continue;
    while (running.size >= CONCURRENCY) await Promise.race(running);
    const task: Promise<void> = checkOne(name)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => running.delete(task));
    running.add(task);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
  const [mode = null, other] = modes;
  return { checked, mode: other === undefined ? mode : 'mixed', shortestDays: shortestDays === Infinity ? null : shortestDays, policy: policy ?? null };
}
