/**
 * Write-once, as the store itself enforces it: every locked name has exactly one version, no delete marker, and every version there is the retention that was
 * promised when it was written. Whether a lock has run out by now does not matter; that it was as long as promised does.
 */
import { finding, type FindingCode } from '../core/verify/finding-codes';
import type { VersionFinding } from '../core/verification-record';
import { isWriteOnce } from '../core/verify/vault-name';
import type { ObjectLock, ObjectVersion, VaultLocks } from '../ports/vault-reader';

/** What the vault promises, where the verifier knows it. */
export interface LockPolicy {
  readonly mode: ObjectLock['mode'];
  readonly retentionDays: number;
  /** Of what lies under snapshot/, which repeats the log and may go sooner; without it as long as everything else. */
  readonly snapshotRetentionDays?: number;
}

export interface LockSummary {
  /** Versions of write-once objects whose lock was looked at. */
  readonly checked: number;
  /** Of these, without a lock, locked for too short a time, or in the wrong mode. */
  readonly wrong: number;
  /** null: there are none. */
  readonly mode: ObjectLock['mode'] | 'mixed' | null;
  /** Days from writing to the end of retention, of the shortest lock outside of snapshot/; null: there are none. */
  readonly shortestDays: number | null;
  /** The policy they were held against; null: none was given, so only the presence of locks is checked. */
  readonly policy: LockPolicy | null;
}

const CONCURRENCY = 16;
const DAY_MS = 86_400_000;
const SNAPSHOT = 'snapshot/';

/** Costs one request a thousand versions, and one for the lock of each. Throws VaultReadError. */
export async function checkLocks(locks: VaultLocks, policy: LockPolicy | undefined, report: (finding: VersionFinding) => void): Promise<LockSummary> {
  const scan = new LockScan(locks, policy, report);
  for await (const versions of byName(locks.versions())) await scan.name(versions);
  return scan.end();
}

/** The versions of one write-once name at a time. */
async function* byName(versions: AsyncIterable<ObjectVersion>): AsyncGenerator<readonly [ObjectVersion, ...ObjectVersion[]]> {
  let [first, ...rest]: ObjectVersion[] = [];
  for await (const version of versions) {
    if (!isWriteOnce(version.name)) continue;
    if (first?.name === version.name) {
      rest.push(version);
      continue;
    }
    if (first !== undefined) yield [first, ...rest];
    [first, rest] = [version, []];
  }
  if (first !== undefined) yield [first, ...rest];
}

class LockScan {
  private readonly modes = new Set<ObjectLock['mode']>();
  private checked = 0;
  private wrong = 0;
  private shortestDays = Infinity;
  private readonly running = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly locks: VaultLocks,
    private readonly policy: LockPolicy | undefined,
    private readonly report: (finding: VersionFinding) => void,
  ) {}

  /** Begins with the versions of one name; waits only when too many are under way. */
  async name(versions: readonly [ObjectVersion, ...ObjectVersion[]]): Promise<void> {
    while (this.running.size >= CONCURRENCY) await Promise.race(this.running);
    if (this.failure !== undefined) throw this.failure.error;
    const task: Promise<void> = this.check(versions)
      .catch((error: unknown) => void (this.failure ??= { error }))
      .finally(() => this.running.delete(task));
    this.running.add(task);
  }

  async end(): Promise<LockSummary> {
    await Promise.all(this.running);
    if (this.failure !== undefined) throw this.failure.error;
    const [mode = null, other] = this.modes;
    const shortestDays = this.shortestDays === Infinity ? null : this.shortestDays;
    return { checked: this.checked, wrong: this.wrong, mode: other === undefined ? mode : 'mixed', shortestDays, policy: this.policy ?? null };
  }

  /** One name's versions one after the other: who planted thousands of them gains no thousands of requests at once. */
  private async check(versions: readonly [ObjectVersion, ...ObjectVersion[]]): Promise<void> {
    const stored = versions.filter(({ kind }) => kind === 'version');
    const ends = new Map<ObjectVersion, Date>();
    for (const version of stored) {
      const lock = await this.locks.lock(version);
      if (lock === 'absent') continue; // expired, or deleted since it was listed; the next scan no longer lists it
      this.judge(version, lock);
      // Nothing kept it from being deleted: whoever hid it hid it at once.
      ends.set(version, lock === 'none' ? new Date(NEVER_MS) : lock.retainUntil);
    }
    const second = stored.at(-2);
    if (second !== undefined) {
      // `intact mend --in-place` does that; whether the bytes are the same too, whoever verifies sees by reading what lies on top.
      const isPutBack = stored.length === 2 && versions.at(-2)?.kind === 'delete-marker';
      this.found('second-version', second, `${isPutBack ? 'it was put again over a delete marker' : `it has ${stored.length} versions; the oldest is the one that was written once`}; ${NEXT}`);
    }
    for (const marker of versions) {
      if (marker.kind !== 'delete-marker' || isExpiry(marker, ends)) continue;
      this.found('delete-marker', marker, marker.isLatest ? `a delete marker lies over it, so nobody reads it as it is; ${NEXT}` : `a delete marker lay over it, and it can be read again; ${NEXT}`);
    }
  }

  private judge(version: ObjectVersion, lock: ObjectLock | 'none'): void {
    this.checked++;
    const wrong = this.faultsOf(version, lock);
    if (wrong.length > 0) this.wrong++;
    for (const [code, detail] of wrong) this.found(code, version, version.isLatest ? detail : `version ${version.version}: ${detail}`);
  }

  private faultsOf({ name, lastModified }: ObjectVersion, lock: ObjectLock | 'none'): (readonly [FindingCode, string])[] {
    if (lock === 'none') return [['lock-missing', 'it has no retention']];
    this.modes.add(lock.mode);
    const isSnapshot = name.startsWith(SNAPSHOT);
    const days = (lock.retainUntil.getTime() - lastModified.getTime()) / DAY_MS;
    if (!isSnapshot) this.shortestDays = Math.min(this.shortestDays, days);
    if (this.policy === undefined) return [];
    const promised = isSnapshot ? (this.policy.snapshotRetentionDays ?? this.policy.retentionDays) : this.policy.retentionDays;
    return [
      ...(lock.mode === this.policy.mode ? [] : [['lock-wrong-mode', `its mode is ${lock.mode}, promised is ${this.policy.mode}`] as const]),
      ...(days >= promised ? [] : [['lock-shortened', `it is locked for ${days.toFixed(2)} days from its writing, promised are ${promised}`] as const]),
    ];
  }

  private found(code: FindingCode, { name, version }: ObjectVersion, detail: string): void {
    this.report({ ...finding(code, name, detail), version });
  }
}

/** What these findings are about only who may change the bucket's policy can take away, and until then they come again. */
const NEXT = 'what to do: docs/runbook.md#vault-damaged, step 3';

/** The last moment a Date can hold. */
const NEVER_MS = 8.64e15;

/**
 * A snapshot is expired once its lock has ended: a marker is put over it, its version goes a day later, then the marker. So a marker is in order over versions whose lock had ended when it
 * was made, and where no version is left: before its lock ended nobody could have removed one.
 */
function isExpiry(marker: ObjectVersion, ends: ReadonlyMap<ObjectVersion, Date>): boolean {
  if (!marker.name.startsWith(SNAPSHOT)) return false;
  return [...ends].every(([version, end]) => version.lastModified.getTime() > marker.lastModified.getTime() || end.getTime() <= marker.lastModified.getTime());
}
