/**
 * Replication of the vault's facts, and of nothing else, into the second region: one rule for each kind, with a role that can read exactly these objects and write exactly their
 * replicas. Derived objects are left out because they can be rebuilt and `checkpoint` because it moves; deletions are never replicated.
 */
import { Stack, Token } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import { Env } from '../../src/runtime/env';
import type { Stage } from '../stage';
import { FACT_NAMES, FACTS, type Offsite, READ_NAMES, replicaBucketName, replicationRoleName, ruleOf } from './replica';
import { OVERRIDE_OWNER, REPLICATE } from './replica-policy';
import { reviewed } from './reviewed';

/** The only value S3 has for the time its agreement promises, and for the threshold of its metrics. */
const PROMISED_MINUTES = 15;
/** Where reading ends: the version, its ACL and tags, its lock. */
const READ = ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging', 's3:GetObjectRetention', 's3:GetObjectLegalHold'];

export interface ReplicationProps {
  readonly stage: Stage;
  readonly offsite: Offsite;
  readonly bucket: Bucket;
}

export class Replication extends Construct {
  readonly replicaBucketName: string;
  private readonly offsite: Offsite;

  constructor(scope: Construct, id: string, { stage, offsite, bucket }: ReplicationProps) {
    super(scope, id);
    this.offsite = offsite;
    this.replicaBucketName = replicaBucketName(this, stage, offsite);
    const replicaArn = this.replicaArn();
    const role = new Role(this, 'Role', { roleName: replicationRoleName(stage), assumedBy: new ServicePrincipal('s3.amazonaws.com'), description: `Intact ${stage.name}: replicates the facts of the vault` });
    (bucket.node.defaultChild as CfnBucket).replicationConfiguration = {
      role: role.roleArn,
      rules: FACTS.map((fact, priority) => ({
        id: ruleOf(fact),
        priority,
        status: 'Enabled',
        filter: { prefix: fact },
        deleteMarkerReplication: { status: 'Disabled' },
        destination: {
          bucket: replicaArn,
          // In another account the replica must belong to that account, or this one could still decide about it.
          ...(offsite.account === undefined ? {} : { account: offsite.account, accessControlTranslation: { owner: 'Destination' } }),
          replicationTime: { status: 'Enabled', time: { minutes: PROMISED_MINUTES } },
          metrics: { status: 'Enabled', eventThreshold: { minutes: PROMISED_MINUTES } },
        },
      })),
    };
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'], resources: [bucket.bucketArn] }));
    role.addToPolicy(new PolicyStatement({ actions: READ, resources: FACT_NAMES.map((name) => bucket.arnForObjects(name)) }));
    role.addToPolicy(new PolicyStatement({ actions: [...REPLICATE, ...(offsite.account === undefined ? [] : [OVERRIDE_OWNER])], resources: FACT_NAMES.map((name) => `${replicaArn}/${name}`) }));
    this.answerStars(role, [`<${Stack.of(this).getLogicalId(bucket.node.defaultChild as CfnBucket)}.Arn>`, this.replicaInReport()]);
  }

  /** Lets `fn` read the facts in the second region, without anything of the first. A replica in another account has to let it in as well. */
  grantReadReplica(fn: Lambda): void {
    fn.addEnvironment(Env.REPLICA_BUCKET, this.replicaBucketName);
    fn.addEnvironment(Env.REPLICA_REGION, this.offsite.region);
    fn.addToRolePolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: READ_NAMES.map((name) => `${this.replicaArn()}/${name}`) }));
    fn.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [this.replicaArn()] }));
    this.answerStars(fn.role!, [this.replicaInReport()]);
  }

  private replicaArn(): string {
    return Stack.of(this).formatArn({ service: 's3', region: '', account: '', resource: this.replicaBucketName });
  }

  private replicaInReport(): string {
    const { account } = Stack.of(this);
    return this.replicaArn().replace(account, Token.isUnresolved(account) ? '<AWS::AccountId>' : account);
  }

  /** `arns`: by the names that the report of the rule packs gives to what only CloudFormation knows. */
  private answerStars(role: IConstruct, arns: readonly string[]): void {
    for (const arn of arns) {
      for (const name of FACT_NAMES.filter((each) => each.endsWith('*'))) {
        reviewed(role, `AwsSolutions-IAM5[Resource::${arn}/${name}]`, `Objects ${name} are named by hash or index, so no policy can list them; the prefix is all of the star.`);
      }
    }
  }
}
