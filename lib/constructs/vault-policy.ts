/**
 * What nobody may do to the vault, the account's root user and our own functions included, as far as S3 lets a bucket policy say it. Pure: statements from
 * an ARN and a lock, so that a test can evaluate them against every request it can think of. The lock itself is S3's; these statements see to it that every
 * object gets one, of the right mode and length, and that nothing is put over or beside what is there.
 */
import { Duration } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import type { LifecycleRule } from 'aws-cdk-lib/aws-s3';

export interface Lock {
  readonly mode: 'COMPLIANCE' | 'GOVERNANCE';
  readonly retentionDays: number;
  /** Of what is called `SNAPSHOT_NAMES`. */
  readonly snapshotRetentionDays: number;
}

/** Names that are put again and again: by compare-and-swap, never locked. */
export const MUTABLE_NAMES = ['checkpoint', 'log.vkeys'] as const;
/** Partial tiles and bundles: create-only, unlocked, deleted once the full tile exists. The `*` of a policy also matches `/`. */
export const PARTIAL_NAMES = 'tile/*.p/*';
/** Full backups: locked as everything is, for a time of their own, since the log holds all that is in them. */
const SNAPSHOT_PREFIX = 'snapshot/';
export const SNAPSHOT_NAMES = `${SNAPSHOT_PREFIX}*`;
/** Locks are put for retention + 1 day; a day of tolerance on either side covers rounding and clocks. */
const TOLERANCE_DAYS = 2;

/** `bucketArn` without `/*`. TLS is demanded by the bucket itself (`enforceSSL`). */
export function vaultDenials(bucketArn: string, lock: Lock): PolicyStatement[] {
  const object = (name: string): string => `${bucketArn}/${name}`;
  const mutable = MUTABLE_NAMES.map(object);
  // NotResource rather than a list of locked prefixes: a name that nobody thought of is locked too.
  const exceptMutable = { notResources: mutable };
  const exceptUnlocked = { notResources: [...mutable, object(PARTIAL_NAMES)] };
  const exceptUnlockedAndSnapshots = { notResources: [...mutable, object(PARTIAL_NAMES), object(SNAPSHOT_NAMES)] };
  const snapshots = { resources: [object(SNAPSHOT_NAMES)] };
  const exceptSnapshots = { notResources: [object(SNAPSHOT_NAMES)] };
  const anyObject = { resources: [object('*')] };
  const remainingDays = 's3:object-lock-remaining-retention-days';
  const relocks = ['s3:PutObject', 's3:PutObjectRetention'];
  const shorterThan = (days: number) => ({ NumericLessThan: { [remainingDays]: `${days}` } });
  const longerThan = (days: number) => ({ NumericGreaterThan: { [remainingDays]: `${days + TOLERANCE_DAYS}` } });
  return [
    deny('CreateOnly', ['s3:PutObject'], exceptMutable, { Null: { 's3:if-none-match': 'true' } }),
    deny('CompareAndSwapOnly', ['s3:PutObject'], { resources: mutable }, { Null: { 's3:if-match': 'true', 's3:if-none-match': 'true' } }),
    // A negated operator also holds where the request names no mode at all.
    deny('LockedInTheStagesMode', ['s3:PutObject'], exceptUnlocked, { StringNotEquals: { 's3:object-lock-mode': lock.mode } }),
    deny('LockedWithATerm', ['s3:PutObject'], exceptUnlocked, { Null: { [remainingDays]: 'true' } }),
    deny('LockedLongEnough', relocks, exceptUnlockedAndSnapshots, shorterThan(lock.retentionDays)),
    deny('SnapshotsLockedLongEnough', relocks, snapshots, shorterThan(lock.snapshotRetentionDays)),
    // A lock of a hundred years is an attack too: on the bill, and on the right to be forgotten.
    deny('LockedNotTooLong', relocks, exceptSnapshots, longerThan(lock.retentionDays)),
    deny('SnapshotsNotTooLong', relocks, snapshots, longerThan(lock.snapshotRetentionDays)),
    deny('NoOtherMode', ['s3:PutObjectRetention'], anyObject, { StringNotEqualsIfExists: { 's3:object-lock-mode': lock.mode } }),
    deny('NoVersionDeletedNoLockBypassed', ['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention'], anyObject),
    // A delete marker destroys nothing, but hides: only superseded partials may get one.
    deny('NothingHidden', ['s3:DeleteObject'], { notResources: [object(PARTIAL_NAMES)] }),
    // A legal hold has no end, and no part in this design.
    deny('NoLegalHold', ['s3:PutObjectLegalHold'], anyObject),
    // Replication into the vault would put objects past every condition above.
    deny('NothingReplicatedIn', ['s3:ObjectOwnerOverrideToBucketOwner', 's3:ReplicateDelete', 's3:ReplicateObject', 's3:ReplicateTags'], anyObject),
  ];
}

/**
 * How snapshots end: lifecycle is no request, so the denials above do not bind it, and a lock does. The day an object's lock is over for certain it is hidden by a marker, a day
 * later deleted; the marker goes when nothing is under it any more. In the vault and in its replica alike.
 */
export const snapshotLifecycle = (snapshotRetentionDays: number): LifecycleRule[] => [
  { id: 'snapshots-end', prefix: SNAPSHOT_PREFIX, expiration: Duration.days(snapshotRetentionDays + TOLERANCE_DAYS), noncurrentVersionExpiration: Duration.days(1) },
  // In one rule with a number of days S3 does not take it.
  { id: 'snapshot-markers-end', prefix: SNAPSHOT_PREFIX, expiredObjectDeleteMarker: true },
];

function deny(sid: string, actions: string[], on: Pick<PolicyStatementProps, 'resources' | 'notResources'>, conditions?: Record<string, Record<string, string>>): PolicyStatement {
  return new PolicyStatement({ sid, effect: Effect.DENY, principals: [new AnyPrincipal()], actions, ...on, ...(conditions ? { conditions } : {}) });
}
