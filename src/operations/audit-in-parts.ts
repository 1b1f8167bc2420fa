/** The audit of a share that is too big for one function: in finer shares, each by the very audit, and one record of all of them. */
import { finerShare, type Share } from '../core/shares';
import type { AuditCode } from '../core/table-audit';
import { auditShare, auditTable, recordAudit, type AuditDeps, type AuditReport } from './audit-table';
import type { Done, PartedWork } from './run-in-parts';
import { secondsSince, sums } from './sums-of-parts';
import { partsOfShare, type WholeUpTo } from './whole-up-to';

interface AuditPlan {
  readonly share: Share;
  readonly into: number;
}

/** What a share's audit hands on: the findings themselves are records by then. */
type ShareReport = Omit<AuditReport, 'found'>;
export type AuditFields = Pick<AuditReport, 'audit' | 'ok' | 'findings' | 'records' | 'size' | 'waiting' | 'closed' | 'asked' | 'seconds'> & { readonly share: number };

export const auditFields = ({ audit, ok, findings, records, size, waiting, closed, asked, seconds, share }: ShareReport): AuditFields => ({ audit, ok, findings, records, size, waiting, closed, asked, seconds, share: share.number });

/** `share`: whose turn it is. Every one of the finer shares scans the table and passes the whole log, and opens its own entries of it. */
export function auditInParts(deps: AuditDeps, { share, wholeUpTo }: { readonly share: () => Share } & WholeUpTo): PartedWork<AuditPlan, ShareReport, AuditFields> {
  return {
    task: 'audit-table',
    async begin() {
      const turn = share();
      const names = await partsOfShare(deps, turn, wholeUpTo);
      if (names.length === 1) return done(auditFields(await auditTable(deps, { share: turn })));
      return { done: false, plan: { share: turn, into: names.length }, parts: names, todo: names };
    },
    async part(plan, part) {
      const { found: _, ...report } = await auditShare(deps, { share: finerShare(plan.share, plan.into, Number(part)) });
      return { result: report, fields: auditFields(report) };
    },
    async merge({ share: turn }, results, run) {
      const report = together([...results.values()], turn, run, deps.now());
      await recordAudit(deps, report);
      return done(auditFields(report));
    },
  };
}

const done = (fields: AuditFields): Done<AuditFields> => ({ done: true, fields });

/** As if one audit had looked at all of them. `size`: what all were held against is at least that. */
function together(reports: readonly ShareReport[], share: Share, run: string, now: Date): ShareReport {
  const total = sums(reports, 'records', 'findings', 'waiting', 'closed', 'asked', 'statusesWithoutMessage');
  const byCode: Partial<Record<AuditCode, number>> = {};
  for (const report of reports) for (const [code, n] of Object.entries(report.byCode) as [AuditCode, number][]) byCode[code] = (byCode[code] ?? 0) + n;
  return {
    audit: run,
    ok: total.findings === 0,
    share,
    ...total,
    size: Math.min(...reports.map(({ size }) => size)),
    byCode,
    keys: sums(reports.map(({ keys }) => keys), 'checked', 'erased', 'unused'),
    seconds: secondsSince(run, now),
  };
}
