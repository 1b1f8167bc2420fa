/**
 * How the system is, from what it holds and measures, never from what somebody meant to send: counts by a scan of the table, the head from the log
 * table and the vault, the last day from metrics, alarms as CloudWatch has them. `null` means "never ran" or "nothing was measured"; it is
 * never written as 0, which would mean "looked, and there was nothing".
 */
import { integerOf, stringOf, type Image } from '../core/image';
import { parseOwnCheckpoint } from '../core/log/checkpoint';
import type { RunKind } from '../core/run-records';
import { recordKeys } from '../core/table-keys';
import { METRIC_NAMES, type MetricName } from '../core/metric-names';
import type { Clock, LogStore, RecordStore, Vault } from '../ports';
import type { AlarmState, Monitoring } from '../ports/monitoring';

export interface StatusPorts {
  readonly records: Pick<RecordStore, 'scan' | 'partition'>;
  readonly log: Pick<LogStore, 'readHead' | 'rounds' | 'unsealedStates'>;
  readonly vault: Pick<Vault, 'get'>;
  readonly monitoring: Monitoring;
  readonly now: Clock;
}

/** One run of something that runs by itself. */
export interface LastRun {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly ok: boolean;
  readonly findings: number;
}

export interface FiringAlarm {
  readonly name: string;
  readonly state: 'ALARM';
  readonly since?: string;
  readonly reason?: string;
  /** The runbook article to open. */
  readonly runbook: string;
}

export interface Status {
  /** The log now (log table). `checkpointAt`: when the newest checkpoint's last entry was sealed; `checkpointSize`: how far it reaches. Null: nothing there yet. */
  readonly head: { readonly size: number; readonly root: string; readonly checkpointAt: string | null; readonly checkpointSize: number | null } | null;
  /** By kind, everything in the table. */
  readonly records: Readonly<Record<string, number>>;
  readonly last24h: {
    readonly received: number | null;
    readonly recorded: number | null;
    readonly duplicates: number | null;
    readonly variants: number | null;
    readonly conflicts: number | null;
    readonly quarantined: number | null;
    readonly refused: number | null;
  };
  /** `lagSeconds`: of the newest round measured in the last hour. `unsealed`: states found unsealed and not sealed since. */
  readonly seal: { readonly lagSeconds: number | null; readonly unsealed: number };
  readonly lastVerification: LastRun | null;
  readonly lastAudit: LastRun | null;
  readonly lastSnapshot: LastRun | null;
  readonly lastDrill: LastRun | null;
  readonly lastReconciliation: LastRun | null;
  readonly lastReport: LastRun | null;
  /** Findings but those about a record that was repaired since. */
  readonly openFindings: number;
  /** Those that are firing. */
  readonly alarms: readonly FiringAlarm[];
  /** Runbook lines to open, most urgent first; empty: all well. */
  readonly open: readonly string[];
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A heartbeat is sealed every 15 minutes: a checkpoint twice as old means that sealing or publishing stands still. */
const STALE_MS = 30 * 60_000;

/** Reads everything; `onProgress` hears of scanned records. Throws `PortError` when any part could not be read: half a status would look like a whole one. */
export async function readStatus(ports: StatusPorts, onProgress: (scanned: number) => void = () => undefined): Promise<Status> {
  const now = ports.now();
  const [head, table, last24h, lagSeconds, unsealed, lastVerification, lastAudit, lastSnapshot, lastDrill, lastReconciliation, firing] = await Promise.all([
    headNow(ports),
    countRecords(ports, onProgress),
    lastDay(ports.monitoring, now),
    sealLag(ports.monitoring, now),
    countUnsealed(ports.log),
    newestRun(ports.records, 'verification'),
    newestRun(ports.records, 'audit'),
    newestRun(ports.records, 'snapshot'),
    newestRun(ports.records, 'drill'),
    newestRun(ports.records, 'reconciliation'),
    firingAlarms(ports.monitoring),
  ]);
  const facts = { head, records: table.byKind, last24h, seal: { lagSeconds, unsealed }, lastVerification, lastAudit, lastSnapshot, lastDrill, lastReconciliation, openFindings: table.findings, alarms: firing };
  return { ...facts, lastReport: null, open: linesToOpen(facts, now) };
}

async function headNow({ log, vault }: StatusPorts): Promise<Status['head']> {
  // The checkpoint first: read after the head it could be the larger of the two.
  const bytes = await vault.get('checkpoint');
  const head = await log.readHead();
  if (head === 'absent') return null;
  const published = bytes === 'absent' ? null : parseOwnCheckpoint(bytes).checkpoint;
  const checkpointAt = published === null || published.size === 0 ? null : await sealedAt(log, published.size - 1);
  return { size: head.size, root: head.root.toString('base64'), checkpointAt, checkpointSize: published?.size ?? null };
}

async function sealedAt(log: Pick<LogStore, 'rounds'>, entry: number): Promise<string | null> {
  for await (const round of log.rounds(entry)) return round.time;
  return null;
}

async function countRecords({ records }: StatusPorts, onProgress: (scanned: number) => void): Promise<{ byKind: Record<string, number>; findings: number }> {
  const byKind = new Map<string, number>();
  const findings: Image[] = [];
  /** Record → when the last change of it happened that was repaired. */
  const repaired = new Map<string, string>();
  let scanned = 0;
  for await (const image of records.scan()) {
    const kind = stringOf(image, 'kind') ?? 'unknown';
    if (kind === 'finding') findings.push(image);
    if (kind === 'repair') repaired.set(recordOf(image), [repaired.get(recordOf(image)) ?? '', stringOf(image, 'receivedAt') ?? ''].sort()[1]!);
    byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
    if (++scanned % 1_000 === 0) onProgress(scanned);
  }
  onProgress(scanned);
  const sorted = Object.fromEntries([...byKind].sort(([a], [b]) => (a < b ? -1 : 1)));
  // A repair is dated as the change it undoes; what was found of that change, or of one before it, has been dealt with.
  const open = findings.filter((image) => stringOf(image, 'recordPk') === undefined || (repaired.get(recordOf(image)) ?? '') < (stringOf(image, 'receivedAt') ?? ''));
  return { byKind: sorted, findings: open.length };
}

/** The record that a finding or a repair is about. */
const recordOf = (image: Image): string => JSON.stringify([stringOf(image, 'recordPk'), stringOf(image, 'recordSk')]);

const LAST_DAY = {
  received: 'DeliveriesReceived',
  recorded: 'EventsRecorded',
  duplicates: 'EventsDuplicate',
  variants: 'EventsVariant',
  conflicts: 'EventsConflict',
  quarantined: 'EventsQuarantined',
  refused: 'SignaturesRefused',
} as const satisfies Readonly<Record<keyof Status['last24h'], MetricName>>;

async function lastDay(monitoring: Monitoring, now: Date): Promise<Status['last24h']> {
  const sums = await monitoring.sums(METRIC_NAMES, new Date(now.getTime() - DAY_MS), now);
  // A counter is written only when it counts. While anything of ours was measured a missing counter is a true 0; when nothing at all was, nobody knows.
  const measured = sums.size > 0;
  const entries = Object.entries(LAST_DAY).map(([name, metric]) => [name, measured ? (sums.get(metric) ?? 0) : null]);
  return Object.fromEntries(entries) as Status['last24h'];
}

async function sealLag(monitoring: Monitoring, now: Date): Promise<number | null> {
  const newest = await monitoring.newest('SealLag', new Date(now.getTime() - HOUR_MS), now);
  return newest === 'absent' ? null : Math.round(newest.value * 1000) / 1000;
}

async function countUnsealed(log: Pick<LogStore, 'unsealedStates'>): Promise<number> {
  let n = 0;
  for await (const _ of log.unsealedStates()) n++;
  return n;
}

/** Runs are few and their sort keys grow with time: the last of the partition is the newest. */
async function newestRun(records: Pick<RecordStore, 'partition'>, kind: 'verification' | Exclude<RunKind, 'restore'>): Promise<LastRun | null> {
  let newest: Image | undefined;
  for await (const image of records.partition(recordKeys[kind]('').pk)) newest = image;
  if (newest === undefined) return null;
  const findings = integerOf(newest, 'findings') ?? 0;
  const ok = newest['ok'];
  return {
    at: stringOf(newest, 'at') ?? stringOf(newest, 'receivedAt') ?? '',
    ok: ok !== undefined && 'BOOL' in ok ? ok.BOOL : findings === 0,
    findings,
  };
}

const RUNBOOK = 'docs/runbook.md';

const firingAlarms = async (monitoring: Monitoring): Promise<FiringAlarm[]> => (await monitoring.alarms()).filter(({ state }) => state === 'ALARM').map(asFiring);

function asFiring({ name, since, reason, description }: AlarmState): FiringAlarm {
  const named = /docs\/runbook[A-Za-z0-9/_.-]*(#[A-Za-z0-9-]+)?/.exec(description ?? '')?.[0];
  // Alarms are called Intact-<stage>-<article>; one that somebody added may be called anything.
  const article = name.split('-').slice(2).join('-') || name;
  return { name, state: 'ALARM', ...(since !== undefined && { since }), ...(reason !== undefined && { reason }), runbook: named ?? `${RUNBOOK}#${article}` };
}

function linesToOpen(facts: Pick<Status, 'head' | 'seal' | 'lastVerification' | 'lastAudit' | 'lastDrill' | 'lastReconciliation' | 'openFindings' | 'alarms'>, now: Date): string[] {
  const lines = facts.alarms.map(({ name, runbook }) => `${runbook} (alarm ${name})`);
  if (facts.lastVerification?.ok === false) lines.push(`${RUNBOOK}#verification-findings (the last verification found something)`);
  if (facts.lastAudit?.ok === false) lines.push(`${RUNBOOK}#audit-findings (the last audit of the table found something)`);
  if (facts.lastDrill?.ok === false) lines.push(`${RUNBOOK}#drill-differences (the last restore drill differed)`);
  if (facts.lastReconciliation?.ok === false) lines.push(`${RUNBOOK}#reconciliation-findings (the last comparison of deliveries with records found something)`);
  if (facts.openFindings > 0) lines.push(`${RUNBOOK}#unauthorised-change (findings: ${facts.openFindings}; npx intact list --kind finding)`);
  if (facts.seal.unsealed > 0) lines.push(`${RUNBOOK}#seal-lag (states not sealed: ${facts.seal.unsealed})`);
  const { head } = facts;
  if (head === null) lines.push(`${RUNBOOK}#seal-stopped (the log has not been initialized)`);
  else if (head.checkpointAt !== null && now.getTime() - Date.parse(head.checkpointAt) > STALE_MS) lines.push(`${RUNBOOK}#checkpoint-age (newest checkpoint from ${head.checkpointAt})`);
  return lines;
}
