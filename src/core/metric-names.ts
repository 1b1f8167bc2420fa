/** The closed list of our metrics: namespace `Intact`, dimension `stage`. docs/metrics.md explains each; alarms refer to these names only. */
export const METRIC_NAMES = [
  'DeliveriesReceived', // signed POSTs accepted
  'DeliveriesQueued', // of these, big ones put to the inbox first
  'EventsRecorded',
  'EventsDuplicate',
  'EventsVariant',
  'EventsConflict',
  'EventsQuarantined',
  'EventsUnknownType',
  'SignaturesRefused', // forged, malformed or missing signature
  'SecretMissing', // no app secret set: everything is refused
  'AccessDenied', // requests of staff that the policies refused
  'OperatorLimited', // requests of staff over the limit of one operator
  'RecordMacInvalid', // a record read back failed its MAC
  'EntriesSealed',
  'SealLag', // seconds from the stream's creation time to the committed round, oldest of the batch
  'SealLost', // lost races for the head
  'SealStopped', // the sealer or publisher refused to go on: fork, bad head mac, shrunk head
  'UnauthorisedChange', // invariant violations noticed at sealing
  'CheckpointSize',
  'CheckpointAge', // seconds between the newest published entry and now
  'GapsSealed',
  'VerificationFindings',
  'VerificationCompleted',
  'RecordsRepaired', // put back or removed by repair
  'RepairsRefused', // nothing to repair from, or the same record too often: a person has to look
  'AuditCompleted',
  'AuditFindings', // records that differ from the log
  'StatusWithoutMessage', // messages of which only statuses are recorded, for an hour or longer
  'DrillCompleted',
  'DrillDifferences', // restored into scratch and not the same as the live table
  'RestoreSeconds', // what a drill's restore took
  'SnapshotCompleted',
  'LocksWrong', // object versions of the vault whose lock is missing, ends too early or is of the wrong mode
  'ReconciliationCompleted',
  'ReconciliationFindings', // deliveries whose events are not all recorded, and messages Meta has and we do not
  'ReconciliationUndecided', // deliveries that lack records, while as many entries of the time were erased
  'RecordsErased', // became tombstones
  'ErasuresCompleted', // certified
  'KeysErasedAgain', // keys that had been taken away, came back with a restored keys table or rows of it, and were taken once more
  'ErasureAge', // seconds since the oldest erasure was confirmed that is not done and under no hold
  'InboxOldest', // age in seconds of the oldest delivery still in the inbox
] as const;
export type MetricName = (typeof METRIC_NAMES)[number];
