/**
 * Every alarm there is: on what, from which value on, and what no data means. One list; the alarms, the dashboard, the runbook's articles (docs/runbook.md) and the test that
 * pairs them come from it. Silence is a state of its own: a count that nobody writes is good news, a sign of life that nobody writes is an alarm.
 */
import type { MetricName } from '../../src/core/metric-names';
import { has, type Stage } from '../stage';

export type FunctionName = 'receive-webhook' | 'process-inbox' | 'sweep-inbox' | 'seal-records' | 'publish-log' | 'project-views' | 'heartbeat' | 'seal-missing' | 'verify-vault' | 'initialize-log';

/** Where the numbers come from: our own metrics, or what AWS measures of a function (`each`: one alarm per function), of the dead-letter queue, of the API. */
export type AlarmSource =
  | { readonly ours: MetricName }
  | { readonly lambda: 'Errors' | 'Throttles'; readonly of: 'each' }
  | { readonly lambda: 'IteratorAge'; readonly of: FunctionName }
  | { readonly deadLetters: 'ApproximateNumberOfMessagesVisible' }
  | { readonly api: '4xx' | '5xx' };

export interface AlarmSpec {
  /** Ends the alarm's name, `Intact-<stage>-<id>`, and is the anchor of its article in docs/runbook.md. */
  readonly id: string;
  readonly source: AlarmSource;
  readonly statistic: 'Sum' | 'Maximum';
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
    never('record-mac-invalid', 'RecordMacInvalid', 'A record read back was not written by this system.'),
    never('unauthorised-change', 'UnauthorisedChange', 'A record was changed or removed past the rules; the evidence is sealed.'),
    never('conflicts', 'EventsConflict', 'A different body came under an identity that is already recorded; both are kept.'),
    never('quarantined', 'EventsQuarantined', 'Signed input did not fit the specification and was put aside, not lost.'),
    never('seal-stopped', 'SealStopped', 'The sealer or the publisher refuses to go on because the log contradicts itself.'),
    never('gaps-sealed', 'GapsSealed', 'The stream lost changes; they were sealed a day later from the table, with a gap record.'),
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
      id: 'inbox-oldest', source: { ours: 'InboxOldest' }, statistic: 'Maximum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: INBOX_SECONDS, noData: 'good',
      why: 'A big delivery waits for half an hour to be processed.',
    },
    {
      id: 'dead-letters', source: { deadLetters: 'ApproximateNumberOfMessagesVisible' }, statistic: 'Maximum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 1, noData: 'good',
      why: 'A big delivery failed five times and waits for a person; its body is safe.',
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
      id: 'api-5xx', source: { api: '5xx' }, statistic: 'Sum', periodMinutes: 5, periods: 1, when: 'at-least', threshold: 5, noData: 'good',
      why: 'Deliveries are answered with a server error; Meta resends them for a limited time.',
    },
    {
      id: 'api-4xx', source: { api: '4xx' }, statistic: 'Sum', periodMinutes: 5, periods: 3, when: 'at-least', threshold: 50, noData: 'good',
      why: 'Many requests are refused: a scan, a flood beyond the throttle, or a wrong secret.',
    },
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
