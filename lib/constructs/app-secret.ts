/** Meta's app secret(s) and the verify token, put in by a person after the first deployment. Until then it is empty: everything is refused and an alarm says why. */
import { RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { Env } from '../../src/runtime/env';
import type { Stage } from '../stage';
import { reviewed } from './reviewed';

/** Stays in the template for ever and is never changed: CloudFormation writes the value only when this changes. */
const EMPTY = JSON.stringify({ appSecrets: [], verifyToken: '' });

export class AppSecret extends Construct {
  readonly secret: Secret;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      description: `Intact ${stage.name}: {"appSecrets":["<current>","<previous>"?],"verifyToken":"<token>"} of the Meta app`,
      secretStringValue: SecretValue.unsafePlainText(EMPTY),
      removalPolicy: stage.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    reviewed(this.secret, 'AwsSolutions-SMG4', "Meta makes this secret and offers no API to rotate it; a person puts the new one beside the old one, both are accepted meanwhile.");
  }

  grantRead(fn: Lambda): void {
    fn.addEnvironment(Env.APP_SECRET_ARN, this.secret.secretArn);
    fn.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [this.secret.secretArn] }));
  }
}
