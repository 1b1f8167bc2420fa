/**
 * Log lines for people who run this, and never a word of what customers wrote: a line holds a fixed text, the fields named here and nothing else.
 * Whatever else is handed in is dropped by the formatter, so a careless call cannot leak either.
 */
import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger';
import type { LogAttributes, UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import { PortError } from '../ports';
import { VaultReadError } from '../ports/vault-reader';

/** The closed list. Numbers, booleans, and strings made by this program: ids, codes, names of objects. */
const FIELDS = [
  // an invocation
  'requestId',
  'status',
  'problem',
  'events',
  'failed',
  // receiving
  'outcome',
  'reason',
  'deliveryId',
  'queued',
  'recorded',
  'duplicate',
  'variant',
  'conflict',
  'quarantined',
  'object',
  'waiting',
  'requeued',
  'oldestSeconds',
  // staff
  'route',
  'role',
  // views
  'applied',
  'seen',
  'skipped',
  // sealing and publishing
  'size',
  'sealed',
  'sealedBefore',
  'rounds',
  'lost',
  'published',
  'beats',
  'unsealed',
  'noted',
  // verification
  'verification',
  'ok',
  'findings',
  'entries',
  'segments',
  // audit and drill
  'audit',
  'drill',
  'share',
  'records',
  'asked',
  'closed',
  'differences',
  'newer',
  'from',
  'seconds',
  'restoreSeconds',
  // erasures
  'erasures',
  'removed',
  'held',
  'doubtful',
  // snapshots
  'rows',
  'parts',
  'bytes',
  // reconciliation
  'reconciliation',
  'deliveries',
  'unlogged',
  'undecided',
  'messages',
  'pending',
  'meta',
  // runs in parts
  'step',
  'part',
  'todo',
  // repairs
  'source',
  'entry',
  // a failure
  'error',
  'code',
  'detail',
  'at',
] as const;
export type LogField = (typeof FIELDS)[number];
export type LogFields = Readonly<Partial<Record<LogField, string | number | boolean | undefined>>>;

/** Enough for a name in the vault or a message of our own. */
const MAX_LENGTH = 500;

class AllowListFormatter extends LogFormatter {
  override formatAttributes(attributes: UnformattedAttributes, additional: LogAttributes): LogItem {
    const line: LogAttributes = { level: attributes.logLevel, time: attributes.timestamp.toISOString(), message: attributes.message };
    for (const name of FIELDS) {
      const value: unknown = additional[name];
      if (typeof value === 'number' || typeof value === 'boolean') line[name] = value;
      if (typeof value === 'string') line[name] = value.slice(0, MAX_LENGTH);
    }
    return new LogItem({ attributes: line });
  }
}

let shared: Logger | undefined;
const logger = (): Logger => (shared ??= new Logger({ logFormatter: new AllowListFormatter() }));

export const log = {
  info: (message: string, fields: LogFields = {}): void => logger().info(message, fields as LogAttributes),
  warn: (message: string, fields: LogFields = {}): void => logger().warn(message, fields as LogAttributes),
  /** `error` is told by `failureFields`, never by its own words. */
  error: (message: string, error: unknown, fields: LogFields = {}): void => logger().error(message, { ...fields, ...failureFields(error) } as LogAttributes),
};

/**
 * What may be said of an error: its class, its code, where it was thrown. Its message only if its class promises to name keys and objects and no content;
 * a parser's message quotes what it could not parse.
 */
export function failureFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const { code } = error as { code?: unknown };
  // The stack begins with the message, whose own lines may be made to look like frames.
  const stack = error.stack ?? '';
  const cut = stack.indexOf(error.message);
  const frames = (cut < 0 ? '' : stack.slice(cut + error.message.length)).split('\n').filter((line) => /^\s+at .+:\d+:\d+\)?$/.test(line));
  return {
    error: error.name,
    ...(typeof code === 'string' && { code }),
    ...(isTellable(error) && { detail: error.message }),
    at: frames.slice(0, 5).map((frame) => frame.trim().slice(3)).join(' < '),
  };
}

const isTellable = (error: Error): boolean => error instanceof PortError || error instanceof VaultReadError || ['LogStopped', 'ReplayError', 'RestoreError', 'DrillError', 'ReconciliationError', 'SnapshotError', 'InPartsError', 'StepEventError'].includes(error.name);
