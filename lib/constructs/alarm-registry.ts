/**
 * Every alarm there is: on what, from which value on, and what no data means. One list; the alarms, the dashboard, the runbook's articles (docs/runbook.md) and the test that
 * pairs them come from it. Silence is a state of its own: a count that nobody writes is good news, a sign of life that nobody writes is an alarm.
 */
import type { MetricName } from '../../src/core/metric-names';
import { has, type Stage } from '../stage';
import type { Fact } from './replica';
import type { StaffFunctionName } from './staff-api';

export type FunctionName = 'receive-webhook' | 'process-inbox' | 'sweep-inbox' | 'seal-records' | 'publish-log' | 'project-views' | 'heartbeat' | 'seal-missing' | 'repair-records' | 'verify-vault' | 'audit-table' | 'run-drill' | 'take-snapshot' | 'restore-table' | 'reconcile-deliveries' | 'erase-subjects' | 'initialize-log' | 'note-sign-in' | StaffFunctionName;

/** Functions whose runs a state machine does in parts where they are too much for one. */
export type PartedName = Extract<FunctionName, 'verify-vault' | 'audit-table' | 'run-drill' | 'take-snapshot' | 'restore-table'>;

/** What S3 measures of the replication of a kind of facts (`each`: one alarm per kind). */
export interface ReplicationSource {
  readonly replication: 'OperationsFailedReplication' | 'ReplicationLatency';
  readonly facts: 'each' | Fact;
}

/** The queues of what failed too often, by whose work it is. */
export type DeadLetters = 'inbox' | 'repairs';

/** Where the numbers come from: our own metrics, or what AWS measures of a function or a state machine (`each`: one alarm for each), of a dead-letter queue, of the API, of replication. */
export type AlarmSource =
  | { readonly ours: MetricName }
  | { readonly lambda: 'Errors' | 'Throttles'; readonly of: 'each' }
  | { readonly lambda: 'IteratorAge'; readonly of: FunctionName }
  | { readonly deadLetters: 'ApproximateNumberOfMessagesVisible'; readonly of: DeadLetters }
  | { readonly api: '4xx' | '5xx' }
  | { readonly machine: 'ExecutionsFailed'; readonly of: 'each' }
  | ReplicationSource;

export interface AlarmSpec {
  /** Ends the alarm's name, `Intact-<stage>-<id>`, and is the anchor of its article in docs/runbook.md. */
  readonly id: string;
  readonly source: AlarmSource;
  readonly statistic: 'Sum' | 'Maximum' | 'SampleCount';
  readonly periodMinutes: number;
  /** That many periods in a row must be beyond the threshold. */
  readonly periods: number;
  /** `outside-band`: outside of what CloudWatch learnt to expect; `threshold` is then in standard deviations. */
  readonly when: 'at-least' | 'below' | 'outside-band';
  readonly threshold: number;
  /** What a period without any data means. */
  readonly noData: 'good' | 'alarm';
  /** One sentence for the one who is woken. */
  readonly why: string;
}

const MINUTE_MS = 60_000;
const HEARTBEAT_MINUTES = 15;
/** Two heartbeats may fail before anybody is woken. */
const CHECKPOINT_AGE_SECONDS = 3 * HEARTBEAT_MINUTES * 60;
/** Streams forget after 24 h: half an hour of delay leaves a day's work to repair it. */
const STREAM_DELAY_MS = 30 * MINUTE_MS;
const VIEWS_DELAY_MS = 60 * MINUTE_MS;
/** The sweeper re-queues after some minutes; what is older than this was re-queued and failed again. */
const INBOX_SECONDS = 30 * 60;
/** An hour as a rule, of which two thirds are waits; a day leaves room for a sealer that is behind. */
const ERASURE_SECONDS = 24 * 3_600;
/** Somebody follows an old link now and then, or asks for what was assigned to somebody else; ten in five minutes are no mistake. */
const DENIALS = 10;
/** What S3 promises for replication with time control, and most of it in seconds. */
const REPLICATION_LAG_SECONDS = 15 * 60;

/** One occurrence of something that must not happen at all. */
const never = (id: string, metric: MetricName, why: string): AlarmSpec => ({
  id, source: { ours: metric }, statistic: 'Sum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 1, noData: 'good', why,
});

/** A stream reader that falls behind. Its age is measured only when it is called, so a quiet stream has none. */
const delayed = (id: string, of: FunctionName, ageMs: number, why: string): AlarmSpec => ({
  id, source: { lambda: 'IteratorAge', of }, statistic: 'Maximum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: ageMs, noData: 'good', why,
});

export function alarmRegistry(stage: Stage): readonly AlarmSpec[] {
  return [
    never('refused-signatures', 'SignaturesRefused', 'A POST came with a missing or wrong signature: somebody forges deliveries, or the app secret is not the one Meta signs with.'),
    never('secret-missing', 'SecretMissing', 'No app secret is set, so every delivery is refused.'),
    {
      id: 'access-denied', source: { ours: 'AccessDenied' }, statistic: 'Sum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: DENIALS, noData: 'good',
      why: `Within five minutes ${DENIALS} requests of staff or more were for what they may not do or see.`,
    },
    never('record-mac-invalid', 'RecordMacInvalid', 'A record read back was not written by this system.'),
    never('unauthorised-change', 'UnauthorisedChange', 'A record was changed or removed past the rules; the evidence is sealed.'),
    never('conflicts', 'EventsConflict', 'A different body came under an identity that is already recorded; both are kept.'),
    never('quarantined', 'EventsQuarantined', 'Signed input did not fit the specification and was put aside, not lost.'),
    never('seal-stopped', 'SealStopped', 'The sealer or the publisher refuses to go on because the log contradicts itself.'),
    never('gaps-sealed', 'GapsSealed', 'The stream lost changes; they were sealed a day later from the table, with a gap record.'),
    never('repairs-refused', 'RepairsRefused', 'A record is not as it should be and could not be put right: a person has to look.'),
    never('audit-findings', 'AuditFindings', 'The records table, or the keys table, is not as the log says.'),
    never('drill-differences', 'DrillDifferences', 'What a restore brings back is not what the live table holds.'),
    never('locks-wrong', 'LocksWrong', 'An object of the vault is not locked, too briefly, or in the wrong mode.'),
    never('reconciliation-findings', 'ReconciliationFindings', 'A delivery that was answered 200 is not recorded as it was counted, or Meta has a message that we do not.'),
    never('verification-findings', 'VerificationFindings', 'Verification found a discrepancy in the vault.'),
    {
      id: 'seal-lag', source: { ours: 'SealLag' }, statistic: 'Maximum', periodMinutes: 1, periods: 3, when: 'at-least', threshold: stage.alarms.sealLagSeconds, noData: 'good',
      why: `Changes wait longer than ${stage.alarms.sealLagSeconds} s to be sealed.`,
    },
    delayed('seal-delayed', 'seal-records', STREAM_DELAY_MS, 'The sealer is half an hour behind; after 24 h the stream forgets what it has not read.'),
    delayed('publish-delayed', 'publish-log', STREAM_DELAY_MS, 'The publisher is half an hour behind; what is sealed is safe, but not yet in a checkpoint.'),
    delayed('views-delayed', 'project-views', VIEWS_DELAY_MS, 'Conversation views are an hour behind; the records are not affected.'),
    {
      id: 'checkpoint-age', source: { ours: 'CheckpointAge' }, statistic: 'Maximum', periodMinutes: HEARTBEAT_MINUTES, periods: 2, when: 'at-least', threshold: CHECKPOINT_AGE_SECONDS, noData: 'alarm',
      why: 'No fresh checkpoint: heartbeat, sealing or publishing stands still.',
    },
    {
      id: 'verification-absent', source: { ours: 'VerificationCompleted' }, statistic: 'Sum', periodMinutes: 60, periods: stage.verifyEveryHours + 2, when: 'below', threshold: 1, noData: 'alarm',
      why: `No verification ended in the last ${stage.verifyEveryHours + 2} hours; nobody would notice damage.`,
    },
    {
      id: 'audit-absent', source: { ours: 'AuditCompleted' }, statistic: 'Sum', periodMinutes: 60, periods: stage.auditEveryHours + 2, when: 'below', threshold: 1, noData: 'alarm',
      why: `No audit of the table ended in the last ${stage.auditEveryHours + 2} hours; nobody would notice what the sealer missed.`,
    },
    {
      id: 'drill-absent', source: { ours: 'DrillCompleted' }, statistic: 'Sum', periodMinutes: 60, periods: 24 * stage.drillEveryDays + 2, when: 'below', threshold: 1, noData: 'alarm',
      why: `No restore drill ended in the last ${stage.drillEveryDays} days; nobody knows whether the records can be restored.`,
    },
    {
      id: 'snapshot-absent', source: { ours: 'SnapshotCompleted' }, statistic: 'Sum', periodMinutes: 60, periods: 24 * stage.snapshot.everyDays + 2, when: 'below', threshold: 1, noData: 'alarm',
      why: `No snapshot was put into the vault in the last ${24 * stage.snapshot.everyDays + 2} hours; a restore takes longer from day to day.`,
    },
    {
      id: 'reconciliation-absent', source: { ours: 'ReconciliationCompleted' }, statistic: 'Sum', periodMinutes: 60, periods: stage.reconcile.everyHours + 2, when: 'below', threshold: 1, noData: 'alarm',
      why: `Deliveries and records were not compared in the last ${stage.reconcile.everyHours + 2} hours; nobody would notice a delivery that was answered 200 and lost.`,
    },
    {
      id: 'erasure-late', source: { ours: 'ErasureAge' }, statistic: 'Maximum', periodMinutes: 60, periods: 2, when: 'at-least', threshold: ERASURE_SECONDS, noData: 'good',
      why: 'An erasure was confirmed a day ago, is under no hold, and is not done.',
    },
    never('keys-returned', 'KeysErasedAgain', 'A key that was certified to be gone was there again: somebody brought back the keys table, or rows of it.'),
    {
      id: 'inbox-oldest', source: { ours: 'InboxOldest' }, statistic: 'Maximum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: INBOX_SECONDS, noData: 'good',
      why: 'A big delivery waits for half an hour to be processed.',
    },
    {
      id: 'dead-letters', source: { deadLetters: 'ApproximateNumberOfMessagesVisible', of: 'inbox' }, statistic: 'Maximum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 1, noData: 'good',
      why: 'A big delivery failed five times and waits for a person; its body is safe.',
    },
    {
      id: 'repair-dead-letters', source: { deadLetters: 'ApproximateNumberOfMessagesVisible', of: 'repairs' }, statistic: 'Maximum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 1, noData: 'good',
      why: 'A repair was tried for two hours and is not done; the record is as it was found.',
    },
    {
      id: 'function-errors', source: { lambda: 'Errors', of: 'each' }, statistic: 'Sum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 1, noData: 'good',
      why: 'A function crashed or ran out of time.',
    },
    {
      id: 'function-throttles', source: { lambda: 'Throttles', of: 'each' }, statistic: 'Sum', periodMinutes: 5, periods: 2, when: 'at-least', threshold: 1, noData: 'good',
      why: 'A function was not started because the account has no concurrency left.',
    },
    {
      id: 'ranges-failed', source: { machine: 'ExecutionsFailed', of: 'each' }, statistic: 'Sum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 1, noData: 'good',
      why: 'A verification, audit, snapshot, drill or restore ended without a result: a step of it failed three times.',
    },
    {
      id: 'api-5xx', source: { api: '5xx' }, statistic: 'Sum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 5, noData: 'good',
      why: 'Deliveries are answered with a server error; Meta resends them for a limited time.',
    },
    {
      id: 'api-4xx', source: { api: '4xx' }, statistic: 'Sum', periodMinutes: 5, periods: 3, when: 'at-least', threshold: 50, noData: 'good',
      why: 'Many requests are refused: a scan, a flood beyond the throttle, or a wrong secret.',
    },
    ...(stage.offsite === null ? [] : [REPLICATION_FAILED]),
    ...(stage.offsite === null || !has(stage, 'standby') ? [] : REPLICATION_LAG),
    ...(stage.alarms.absenceHours === null ? [] : [absence(stage.alarms.absenceHours)]),
    ...(has(stage, 'anomaly-alarms') ? [ANOMALY] : []),
  ];
}

const absence = (hours: number): AlarmSpec => ({
  id: 'deliveries-absent', source: { ours: 'DeliveriesReceived' }, statistic: 'Sum', periodMinutes: 60, periods: hours, when: 'below', threshold: 1, noData: 'alarm',
  why: `Not one delivery in ${hours} hours: the webhook is probably not connected any more.`,
});

const ANOMALY: AlarmSpec = {
  id: 'volume-anomaly', source: { ours: 'DeliveriesReceived' }, statistic: 'Sum', periodMinutes: 60, periods: 2, when: 'outside-band', threshold: 4, noData: 'good',
  why: 'The number of deliveries is far from what is usual at this hour.',
};

const REPLICATION_FAILED: AlarmSpec = {
  id: 'replication-failed', source: { replication: 'OperationsFailedReplication', facts: 'each' }, statistic: 'Sum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 1, noData: 'good',
  why: 'A fact of the vault could not be replicated to the second region; S3 does not try again by itself.',
};

const REPLICATION_LAG: readonly AlarmSpec[] = [
  {
    id: 'replication-lag', source: { replication: 'ReplicationLatency', facts: 'each' }, statistic: 'Maximum', periodMinutes: 5, periods: 3, when: 'at-least', threshold: REPLICATION_LAG_SECONDS, noData: 'good',
    why: 'The second region is a quarter of an hour behind the vault; what is newer would be lost with the first one.',
  },
  {
    // Every heartbeat is sealed, so segments are replicated four times an hour at least; an hour without a number is a replication that was switched off.
    id: 'replication-absent', source: { replication: 'ReplicationLatency', facts: 'segment/' }, statistic: 'SampleCount', periodMinutes: 60, periods: 3, when: 'below', threshold: 1, noData: 'alarm',
    why: 'For three hours S3 has not measured any replication of the vault: the second region is probably not fed any more.',
  },
];

/** S3 measures the lag in the region of the replica, and an alarm sees the metrics of its own region only. */
export const ringsOffsite = ({ source }: AlarmSpec): boolean => 'replication' in source && source.replication === 'ReplicationLatency';
