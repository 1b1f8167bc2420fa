/**
 * What the vault and its replica agree on without being able to ask each other: they are made by different stacks in different regions, perhaps accounts, and
 * CloudFormation makes the replica first. So the names are computed here, from the stage alone, and the kinds of objects that are replicated stand here once.
 */
import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Stage } from '../stage';

export type Offsite = NonNullable<Stage['offsite']>;

/** The facts: what tiles, bundles and `checkpoint` can be rebuilt from. A name that ends in a slash stands for all below it. */
export const FACTS = ['segment/', 'blob/', 'snapshot/', 'checkpoints/', 'report/', 'log.vkeys'] as const;
export type Fact = (typeof FACTS)[number];
/** As the resource of a policy names them. */
export const FACT_NAMES: readonly string[] = FACTS.map((fact) => (fact.endsWith('/') ? `${fact}*` : fact));
/** What is read there: the facts, and that there is no `checkpoint`, by which a replica is told from a whole vault. */
export const READ_NAMES: readonly string[] = [...FACT_NAMES, 'checkpoint'];
/** The id of the replication rule of `fact`, which its metrics bear. */
export const ruleOf = (fact: Fact): string => fact.replace('/', '').replace('.', '-');

/** `at`: a construct of a stack of the stage's own account, or of the replica's. At most 63 characters for every stage name, account and region there can be. */
export function replicaBucketName(at: IConstruct, stage: Stage, offsite: Offsite): string {
  return `intact-${stage.name}-replica-${offsite.account ?? Stack.of(at).account}-${offsite.region}`;
}

/** The role S3 replicates with; it lives in the stage's own account. */
export const replicationRoleName = ({ name }: Stage): string => `Intact-${name}-replication`;

/** The role of the drill, where the replica's account has to know it by name. */
export const drillRoleName = ({ name }: Stage): string => `Intact-${name}-run-drill`;

/** A role of the stage's own account, as the replica's bucket policy names it. */
export const roleArn = (at: IConstruct, stage: Stage, roleName: string): string =>
  Stack.of(at).formatArn({ service: 'iam', region: '', account: stage.account ?? Stack.of(at).account, resource: 'role', resourceName: roleName });

/** The role of the restore in parts, likewise. */
export const restoreRoleName = ({ name }: Stage): string => `Intact-${name}-restore-table`;

/** Whether drills read the replica, now and then. */
export const drillsFromReplica = ({ offsite, drillFromReplicaEvery }: Stage): boolean => offsite !== null && drillFromReplicaEvery > 0;
