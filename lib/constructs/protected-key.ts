/**
 * A KMS key that outlives its stack and that nobody may disable or schedule for deletion, but the stage's break-glass role: losing a key loses what it encrypts,
 * and a disabled one stops receiving. Whoever may change a key policy can lift this; CloudTrail shows that, and it takes seven days at least until a key is gone.
 */
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, type KeySpec, type KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { operatorRoleName, type Stage } from '../stage';

export interface ProtectedKeyProps {
  readonly stage: Stage;
  readonly description: string;
  readonly keySpec?: KeySpec;
  readonly keyUsage?: KeyUsage;
  /** Whether it can have replicas in other regions; fixed for ever when the key is made. */
  readonly multiRegion?: boolean;
}

/** What protects a key and each of its replicas, which have policies of their own. */
export const onlyBreakGlassEndsIt = (stage: Stage): PolicyStatement => {
  const breakGlassRoleArn = breakGlassRole(stage);
  return new PolicyStatement({
    sid: 'OnlyBreakGlassDisablesOrDeletes',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['kms:DisableKey', 'kms:ScheduleKeyDeletion'],
    resources: ['*'], // in a key policy: this key
    ...(breakGlassRoleArn ? { conditions: { ArnNotEquals: { 'aws:PrincipalArn': breakGlassRoleArn } } } : {}),
  });
};

/** The role the stage names, else the one it makes; the one's account is the keys' own. */
const breakGlassRole = (stage: Stage): string | undefined =>
  stage.breakGlassRoleArn ?? (stage.operators === null ? undefined : `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${operatorRoleName(stage, 'break-glass')}`);

export class ProtectedKey extends Key {
  constructor(scope: Construct, id: string, props: ProtectedKeyProps) {
    const { stage, keySpec, ...rest } = props;
    // Only symmetric keys rotate by themselves; the signing key has successors instead (log.vkeys).
    super(scope, id, { ...rest, ...(keySpec ? { keySpec } : { enableKeyRotation: true }), removalPolicy: RemovalPolicy.RETAIN });
    this.addToResourcePolicy(onlyBreakGlassEndsIt(stage));
  }
}
