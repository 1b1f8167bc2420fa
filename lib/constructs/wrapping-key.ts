/**
 * The KMS key that wraps the three secrets of the key hierarchy: key-encryption key, MAC key, dedupe key. Which of them a function may unwrap is decided here, by
 * the encryption context `{intact: <name>}` that is bound into each ciphertext. A multi-Region key: what it wraps can be unwrapped by its replica in the second region, should the first
 * be lost (docs/decisions/0008). In no other region can it be replicated.
 */
import { Stack } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { Env } from '../../src/runtime/env';
import type { Stage } from '../stage';
import { ProtectedKey } from './protected-key';

export type WrappedSecretName = 'kek' | 'mac' | 'dedupe';

export class WrappingKey extends ProtectedKey {
  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id, { stage, description: `Intact ${stage.name}: wraps the key-encryption key, the MAC key and the dedupe key`, multiRegion: true });
    // A replica has a policy of its own: one in a region nobody watches would be a way around this one.
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ReplicatedOffsiteOnly',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['kms:ReplicateKey'],
        resources: ['*'], // in a key policy: this key
        ...(stage.offsite === null ? {} : { conditions: { StringNotEquals: { 'kms:ReplicaRegion': stage.offsite.region } } }),
      }),
    );
  }

  /** Lets `fn` unwrap exactly these secrets. Reading their wrapped form is granted by the keys table. */
  grantUnwrap(fn: Lambda, ...names: readonly WrappedSecretName[]): void {
    this.allow(fn, 'kms:Decrypt', names);
  }

  /** Lets `fn` make new wrapped secrets without ever seeing one. */
  grantGenerate(fn: Lambda, ...names: readonly WrappedSecretName[]): void {
    this.allow(fn, 'kms:GenerateDataKeyWithoutPlaintext', names);
  }

  /** Lets `fn` unwrap them with this key's replica in `region`: of the same id, under another ARN. */
  grantUnwrapIn(region: string, fn: Lambda, ...names: readonly WrappedSecretName[]): void {
    this.allow(fn, 'kms:Decrypt', names, Stack.of(this).formatArn({ service: 'kms', region, resource: 'key', resourceName: this.keyId }));
  }

  private allow(fn: Lambda, action: string, names: readonly WrappedSecretName[], arn = this.keyArn): void {
    fn.addEnvironment(Env.WRAPPING_KEY_ARN, this.keyArn);
    fn.addToRolePolicy(new PolicyStatement({ actions: [action], resources: [arn], conditions: { StringEquals: { 'kms:EncryptionContext:intact': names } } }));
  }
}
