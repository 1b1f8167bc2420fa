/**
 * The drill of a share that is too big for one function: in finer shares, each by the very drill, and one record of all of them. There is one scratch table, so the parts have it one after the
 * other; a part that finds it taken ends as `busy` and is tried again.
 */
import { finerShare, type Share } from '../core/shares';
import { drillShare, recordDrill, runDrill, type DrillDeps, type DrillSource, type DrillSummary } from './run-drill';
import type { Done, PartedWork } from './run-in-parts';
import { secondsSince, sums } from './sums-of-parts';
import { partsOfShare, type WholeUpTo } from './whole-up-to';

interface DrillPlan {
  readonly share: Share;
  readonly from: DrillSource;
  readonly into: number;
}

/** What a part says: how much differs; the keys of what does are for the one who drills by hand. */
export type DrillFields = Omit<DrillSummary, 'share'> & { readonly share: number };

export const drillFields = ({ drill, ok, share, from, size, behind, records, differences, newer, restoreSeconds, seconds }: DrillSummary): DrillFields => ({ drill, ok, share: share.number, from, size, behind, records, differences, newer, restoreSeconds, seconds });

export interface DrillTurn extends WholeUpTo {
  readonly share: () => Share;
  readonly from: () => DrillSource;
  /** How long one part can last at most. */
  readonly lastsAtMostMs: number;
}

/** `share`, `from`: whose turn it is, and from where. */
export function drillInParts(deps: DrillDeps, { share, from, lastsAtMostMs, wholeUpTo }: DrillTurn): PartedWork<DrillPlan, DrillSummary, DrillFields> {
  return {
    task: 'run-drill',
    async begin() {
      const [turn, source] = [share(), from()];
      const names = await partsOfShare(deps, turn, wholeUpTo);
      if (names.length === 1) return done(await runDrill(deps, { share: turn, from: source, lastsAtMostMs }));
      return { done: false, plan: { share: turn, from: source, into: names.length }, parts: names, todo: names };
    },
    async part(plan, part) {
      const { report, left } = await drillShare(deps, { share: finerShare(plan.share, plan.into, Number(part)), from: plan.from, lastsAtMostMs });
      // Tried again, it drops the table first; what it found then is what counts.
      if (left !== undefined) throw left;
      const { found: _, ...result } = report;
      return { result, fields: drillFields(report) };
    },
    async merge(plan, results, run) {
      const report = together([...results.values()], plan, run, deps.now());
      await recordDrill(deps, report);
      return done(report);
    },
  };
}

const done = (report: DrillSummary): Done<DrillFields> => ({ done: true, fields: drillFields(report) });

/** As if one drill had restored all of them. `size`, `behind`: all were restored to at least that, and none lacked more. */
function together(reports: readonly DrillSummary[], { share, from }: DrillPlan, run: string, now: Date): DrillSummary {
  const total = sums(reports, 'records', 'differences', 'newer', 'restoreSeconds');
  return {
    drill: run,
    ok: total.differences === 0,
    share,
    from,
    ...total,
    size: Math.min(...reports.map(({ size }) => size)),
    behind: Math.max(...reports.map(({ behind }) => behind)),
    seconds: secondsSince(run, now),
  };
}
