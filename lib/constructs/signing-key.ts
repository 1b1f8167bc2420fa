/** The Ed25519 key that signs checkpoints. It never leaves KMS; publish-log alone may sign with it. */
import { KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { Env } from '../../src/runtime/env';
import type { Stage } from '../stage';
import { ProtectedKey } from './protected-key';

export class SigningKey extends ProtectedKey {
  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id, { stage, description: `Intact ${stage.name}: signs checkpoints`, keySpec: KeySpec.ECC_NIST_EDWARDS25519, keyUsage: KeyUsage.SIGN_VERIFY });
  }

  grantSignCheckpoints(fn: Lambda): void {
    this.allow(fn, ['kms:GetPublicKey', 'kms:Sign']);
  }

  grantReadPublicKey(fn: Lambda): void {
    this.allow(fn, ['kms:GetPublicKey']);
  }

  private allow(fn: Lambda, actions: string[]): void {
    fn.addEnvironment(Env.SIGNING_KEY_ARN, this.keyArn);
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.keyArn] }));
  }
}
