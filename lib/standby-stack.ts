/**
 * What the second region needs to take over, and to tell in time that it could not: a replica of the wrapping key, alarms on the lag of the vault's replica, which S3 measures there,
 * and the names of what survives, kept where they can be read when the first region cannot. In the stage's own account always: neither a replica key nor a replica table can be
 * in another one. Deployed after the data stack, whose outputs it reads.
 */
import { CfnOutput, Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnReplicaKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { alarmRegistry, ringsOffsite } from './constructs/alarm-registry';
import { onlyBreakGlassEndsIt } from './constructs/protected-key';
import { type Offsite, replicaBucketName } from './constructs/replica';
import { replicationMetrics } from './constructs/replication-metrics';
import { RingingAlarms } from './constructs/ringing-alarms';
import type { DataStack } from './data-stack';
import type { Stage } from './stage';

export interface StandbyStackProps extends StackProps {
  readonly stage: Stage;
  readonly offsite: Offsite;
  readonly data: DataStack;
}

export class StandbyStack extends Stack {
  constructor(scope: Construct, id: string, props: StandbyStackProps) {
    const { stage, offsite, data, ...stackProps } = props;
    super(scope, id, { ...stackProps, terminationProtection: stage.removal === 'retain' });
    // Read once, at deployment: what is asked for when the first region is gone stands in this region then.
    const ofData = (output: string): string => Fn.getStackOutput(data.stackName, output, data.region);
    const key = new CfnReplicaKey(this, 'WrappingKey', {
      primaryKeyArn: ofData('WrappingKeyArn'),
      description: `Intact ${stage.name}: unwraps in this region what the wrapping key wrapped`,
      keyPolicy: new PolicyDocument({
        statements: [new PolicyStatement({ sid: 'AccountDecides', principals: [new AccountRootPrincipal()], actions: ['kms:*'], resources: ['*'] }), onlyBreakGlassEndsIt(stage)],
      }),
    });
    key.applyRemovalPolicy(RemovalPolicy.RETAIN);
    const alarms = new LagAlarms(this, 'Alarms', stage, ofData('VaultBucketName'), replicaBucketName(this, stage, offsite));
    const output = (name: string, value: string, description: string): CfnOutput => new CfnOutput(this, name, { value, description });
    output('WrappingKeyArn', key.attrArn, 'Unwraps the secrets of the keys table in this region');
    output('KeysTableName', ofData('KeysTableName'), 'The keys table; its replica here has the same name');
    output('ReplicaBucketName', replicaBucketName(this, stage, offsite), 'The facts of the vault');
    output('StandbyAlarmTopicArn', alarms.topic.topicArn, 'Subscribe whoever is to be woken when the replica falls behind');
  }
}

class LagAlarms extends RingingAlarms {
  constructor(scope: Construct, id: string, stage: Stage, vaultBucket: string, replicaBucket: string) {
    super(scope, id, stage, alarmRegistry(stage).filter(ringsOffsite), (spec) => ('replication' in spec.source ? replicationMetrics(spec, spec.source, vaultBucket, replicaBucket) : []));
  }
}
