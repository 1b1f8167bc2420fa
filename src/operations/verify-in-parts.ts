/** The scheduled verification of a vault that is too big for one function: ranges of entries and shares of the locks, each by a function of its own, and one record of all of it. */
import type { LogStore } from '../ports';
import type { PartedWork } from './run-in-parts';
import { held, recordVerification, verifyOnSchedule, type ScheduledVerification, type Watch } from './verify-on-schedule';
import { concludeRanges, joinBroken, planRanges, verifyLocksOf, verifyRange, withLocks, type ListedVault, type LocksResult, type RangeResult, type RangesPlan, type VerifyRange } from './verify-range';
import type { WholeUpTo } from './whole-up-to';
import type { RememberedCheckpoint } from './verify-checkpoints';

export type WatchInParts = Watch & { readonly log: Pick<LogStore, 'readHead'> };

interface VerifyPlan extends RangesPlan {
  /** Kept from the beginning: a run of these very parts that is recorded meanwhile must not be held against itself. */
  readonly remembered: RememberedCheckpoint | null;
  /** Shares of the locks. */
  readonly locks: number;
}

type PartResult = { readonly range: RangeResult } | { readonly locks: LocksResult };
export type VerifyFields = Partial<ScheduledVerification>;

const nameOf = ({ from, to }: VerifyRange): string => `range-${from}-${to}`;
const lockNames = (n: number): readonly string[] => Array.from({ length: n }, (_, i) => `locks-${i}`);

/** A break between ranges asks for these as one: so the merge comes round again, each time with fewer of them. */
export function verifyInParts(watch: WatchInParts, { wholeUpTo }: WholeUpTo): PartedWork<VerifyPlan, PartResult, VerifyFields> {
  const { lockPolicy } = watch;
  const vault = listed(watch.vault);
  const options = async ({ remembered }: VerifyPlan) => ({ keys: (await held(watch, watch.now().toISOString())).keys, ...(remembered && { remembered }) });
  return {
    task: 'verify-vault',
    async begin(run) {
      const head = await watch.log.readHead();
      const { keys, remembered } = await held(watch, run);
      const plan = head === 'absent' || head.size <= wholeUpTo ? 'one' : await planRanges(vault, keys, wholeUpTo);
      if (plan === 'one') return { done: true, fields: await verifyOnSchedule(watch) };
      const locks = vault.locks === undefined ? 0 : plan.ranges.length;
      const parts = [...plan.ranges.map(nameOf), ...lockNames(locks)];
      return { done: false, plan: { ...plan, remembered: remembered ?? null, locks }, parts, todo: parts };
    },
    async part(plan, part) {
      if (part.startsWith('locks-') && vault.locks !== undefined) {
        const locks = await verifyLocksOf(vault.locks, lockPolicy, { number: Number(part.slice('locks-'.length)), of: plan.locks });
        return { result: { locks }, fields: { findings: locks.findings.length } };
      }
      const range = plan.ranges.find((each) => nameOf(each) === part);
      if (range === undefined) throw new RangeError(`there is no part ${part}`);
      const result = await verifyRange(vault, await options(plan), plan, range);
      return { result: { range: result }, fields: { entries: range.to - range.from, findings: result.end?.findings.length ?? 0 } };
    },
    async merge(plan, results, run) {
      const ranges = plan.ranges.map((range) => (results.get(nameOf(range)) as { range: RangeResult }).range);
      const joined = joinBroken(plan, ranges);
      const todo = joined.map(nameOf).filter((name) => !results.has(name));
      if (todo.length > 0) return { done: false, plan: { ...plan, ranges: joined }, parts: [...joined.map(nameOf), ...lockNames(plan.locks)], todo };
      const report = await concludeRanges(vault, await options(plan), ranges.slice(0, joined.length));
      const locks = lockNames(plan.locks).map((name) => (results.get(name) as { locks: LocksResult }).locks);
      return { done: true, fields: await recordVerification(watch, run, locks.length === 0 ? report : withLocks(report, locks), plan.remembered ?? undefined) };
    },
  };
}

/** Every vault that has a schedule can be listed; one that cannot has no segments to begin a range from. */
function listed({ source, get, list, locks }: Watch['vault']): ListedVault {
  if (list === undefined) throw new TypeError(`${source} cannot be listed`);
  return { source, get, list, ...(locks && { locks }) };
}
