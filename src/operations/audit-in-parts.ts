/** The audit of a share that is too big for one function: in finer shares, each by the very audit, and one record of all of them. */
import { finerShare, type Share } from '../core/shares';
import type { AuditCode } from '../core/table-audit';
import { auditShare, auditTable, recordAudit, type AuditDeps, type AuditReport } from './audit-table';
import type { Done, PartedWork } from './run-in-parts';
import { partsOf, type WholeUpTo } from './whole-up-to';

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
      const [turn, head] = [share(), await deps.log.readHead()];
      const names = partsOf((head === 'absent' ? 0 : head.size) / turn.of, wholeUpTo);
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
  const sum = (count: (report: ShareReport) => number): number => reports.reduce((total, report) => total + count(report), 0);
  const codes = [...new Set(reports.flatMap(({ byCode }) => Object.keys(byCode) as AuditCode[]))];
  const findings = sum((report) => report.findings);
  return {
    audit: run,
    ok: findings === 0,
    share,
    size: Math.min(...reports.map(({ size }) => size)),
    records: sum(({ records }) => records),
    findings,
    byCode: Object.fromEntries(codes.map((code) => [code, sum(({ byCode }) => byCode[code] ?? 0)])),
    waiting: sum(({ waiting }) => waiting),
    closed: sum(({ closed }) => closed),
    asked: sum(({ asked }) => asked),
    statusesWithoutMessage: sum(({ statusesWithoutMessage }) => statusesWithoutMessage),
    keys: { checked: sum(({ keys }) => keys.checked), erased: sum(({ keys }) => keys.erased), unused: sum(({ keys }) => keys.unused) },
    seconds: (now.getTime() - Date.parse(run)) / 1000,
  };
}
