/**
 * What nobody may do to the vault's replica, whoever owns its account. Pure, as the vault's own policy is. Of that, these hold here as they stand: nothing is hidden, no version
 * deleted, no lock bypassed, no legal hold. The demands on a put do not: a replica is not put but replicated (s3:ReplicateObject), it brings the lock of its source with it, and
 * its conditions were met there. In their place: nobody puts at all, only the vault's own role replicates, only facts, and no deletion.
 */
import { AccountPrincipal, AnyPrincipal, Effect, PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import { FACT_NAMES, READ_NAMES } from './replica';

/** What writing a replica takes; the last, where the replica belongs to another account. */
export const REPLICATE = ['s3:ReplicateObject', 's3:ReplicateTags'] as const;
export const OVERRIDE_OWNER = 's3:ObjectOwnerOverrideToBucketOwner';

/** `bucketArn` without `/*`. TLS is demanded by the bucket itself (`enforceSSL`). */
export function replicaDenials(bucketArn: string, roleArn: string): PolicyStatement[] {
  const anyObject = { resources: [`${bucketArn}/*`] };
  return [
    deny('WrittenByReplicationOnly', ['s3:PutObject'], anyObject),
    deny('ReplicatedByTheVaultOnly', [...REPLICATE, OVERRIDE_OWNER], anyObject, { ArnNotEquals: { 'aws:PrincipalArn': roleArn } }),
    deny('FactsOnly', ['s3:ReplicateObject'], { notResources: FACT_NAMES.map((name) => `${bucketArn}/${name}`) }),
    deny('NothingHidden', ['s3:DeleteObject', 's3:ReplicateDelete'], anyObject),
    deny('NoVersionDeletedNoLockBypassed', ['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention'], anyObject),
    // Replicas are locked as their sources are; a lock of a hundred years is an attack too.
    deny('NoOtherLock', ['s3:PutObjectRetention', 's3:PutObjectLegalHold'], anyObject),
  ];
}

/** Roles of the stage's account, for a replica in another one. */
export interface ReplicaUsers {
  readonly account: string;
  /** S3 replicates with it. */
  readonly replicator: string;
  /** Restore from the replica: for good, and in drills. */
  readonly readers: readonly string[];
}

/**
 * What a replica in another account has to grant: there, a role's own policy is not enough. To the account, and of it to these roles alone: they are made after the replica is, and S3
 * refuses a policy whose principal does not exist yet.
 */
export function replicaGrants(bucketArn: string, { account, replicator, readers }: ReplicaUsers): PolicyStatement[] {
  const objects = (names: readonly string[]): string[] => names.map((name) => `${bucketArn}/${name}`);
  const allow = (sid: string, role: string | readonly string[], actions: string[], resources: string[]): PolicyStatement =>
    new PolicyStatement({ sid, principals: [new AccountPrincipal(account)], actions, resources, conditions: { StringEquals: { 'aws:PrincipalArn': role } } });
  return [
    allow('VaultReplicates', replicator, [...REPLICATE, OVERRIDE_OWNER], objects(FACT_NAMES)),
    allow('VaultSeesVersioning', replicator, ['s3:GetBucketVersioning'], [bucketArn]),
    allow('RestoresRead', readers, ['s3:GetObject'], objects(READ_NAMES)),
    allow('RestoresList', readers, ['s3:ListBucket'], [bucketArn]),
  ];
}

function deny(sid: string, actions: string[], on: Pick<PolicyStatementProps, 'resources' | 'notResources'>, conditions?: Record<string, Record<string, string>>): PolicyStatement {
  return new PolicyStatement({ sid, effect: Effect.DENY, principals: [new AnyPrincipal()], actions, ...on, ...(conditions ? { conditions } : {}) });
}
