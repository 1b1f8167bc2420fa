/** The environment variables a Lambda of ours may read: set by the construct that owns the thing, read by `src/runtime` only. */
export const Env = {
  STAGE: 'INTACT_STAGE',
  RECORDS_TABLE: 'INTACT_RECORDS_TABLE',
  LOG_TABLE: 'INTACT_LOG_TABLE',
  KEYS_TABLE: 'INTACT_KEYS_TABLE',
  /** The table a drill makes, fills and drops. */
  SCRATCH_TABLE: 'INTACT_SCRATCH_TABLE',
  /** What the names of tables begin with that are restored in parts. */
  RESTORED_PREFIX: 'INTACT_RESTORED_PREFIX',
  VIEWS_TABLE: 'INTACT_VIEWS_TABLE',
  VAULT_BUCKET: 'INTACT_VAULT_BUCKET',
  INBOX_BUCKET: 'INTACT_INBOX_BUCKET',
  INBOX_QUEUE_URL: 'INTACT_INBOX_QUEUE_URL',
  /** Where repairs are asked for; not set where a person is to be asked first. */
  REPAIR_QUEUE_URL: 'INTACT_REPAIR_QUEUE_URL',
  APP_SECRET_ARN: 'INTACT_APP_SECRET_ARN',
  SIGNING_KEY_ARN: 'INTACT_SIGNING_KEY_ARN',
  /** KMS key that wraps the key-encryption key, the MAC key and the dedupe key. */
  WRAPPING_KEY_ARN: 'INTACT_WRAPPING_KEY_ARN',
  /** Origin prefix of the log, e.g. `example.com/whatsapp`; the random id is added once by initialize-log. */
  ORIGIN_PREFIX: 'INTACT_ORIGIN_PREFIX',
  LOCK_MODE: 'INTACT_LOCK_MODE',
  /** How long whoever it is set for locks what it puts. */
  RETENTION_DAYS: 'INTACT_RETENTION_DAYS',
  /** How long snapshots are locked, for who checks all locks. */
  SNAPSHOT_RETENTION_DAYS: 'INTACT_SNAPSHOT_RETENTION_DAYS',
  /** `<hours>/<shares>` of the audit, `<hours>/<shares>` of the drill: whose turn it is follows from them and the clock. */
  AUDIT_ROTATION: 'INTACT_AUDIT_ROTATION',
  DRILL_ROTATION: 'INTACT_DRILL_ROTATION',
  /** Entries of the log up to which a run is done by one function, and where the parts of one that is not leave what they came to. */
  WHOLE_UP_TO: 'INTACT_WHOLE_UP_TO',
  WORKINGS_BUCKET: 'INTACT_WORKINGS_BUCKET',
  /** The second region's copy of the facts, for drills; not set where no drill uses it. One drill in so many does. The region alone: for the erasure, which looks at the keys there. */
  REPLICA_BUCKET: 'INTACT_REPLICA_BUCKET',
  REPLICA_REGION: 'INTACT_REPLICA_REGION',
  DRILL_FROM_REPLICA_EVERY: 'INTACT_DRILL_FROM_REPLICA_EVERY',
  /** The logs of the two functions that receive, for who compares what they said with what is recorded. */
  RECEIVE_LOG_GROUP: 'INTACT_RECEIVE_LOG_GROUP',
  PROCESS_LOG_GROUP: 'INTACT_PROCESS_LOG_GROUP',
  /** How many days these logs are kept. */
  LOG_RETENTION_DAYS: 'INTACT_LOG_RETENTION_DAYS',
  /** Where the token for Meta's own history lies, and another address than Meta's; not set where Meta is not asked. */
  META_TOKEN_SECRET_ARN: 'INTACT_META_TOKEN_SECRET_ARN',
  META_BASE_URL: 'INTACT_META_BASE_URL',
  /** What the stage decides about profiles, as JSON (src/core/staff/profile-settings.ts). */
  PROFILE: 'INTACT_PROFILE',
  /** What one operator may ask of the API: `<requests a second>/<at once>`. */
  OPERATOR_LIMIT: 'INTACT_OPERATOR_LIMIT',
  /** 'on': send traces to X-Ray; the function's active tracing must be on as well. */
  TRACING: 'INTACT_TRACING',
} as const;

/** The log of a function of ours; a name a person can type at night. */
export const logGroupName = (stage: string, name: string): string => `/intact/${stage}/${name}`;

/** The drill's table is called as the records table, and this. */
export const SCRATCH_SUFFIX = '-drill-scratch';

/** Tables restored in parts are called as the records table, this, and a word of whoever restores. */
export const RESTORED_INFIX = '-restored-';

/** What marks the vault's unlocked objects: its lifecycle expires noncurrent versions that carry it. Nothing that is locked carries it. */
export const UNLOCKED_TAG = { key: 'intact-lock', value: 'none' } as const;
