/**
 * Who works here: the user pool of staff. Nobody signs up, nobody comes in without a second factor, and the only second factor is a TOTP app: an SMS can be had from a phone company.
 * The roles are its groups. It outlives every deployment, as the access log does that names its users.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccountRecovery, CfnUserPoolGroup, ClientAttributes, FeaturePlan, Mfa, StandardThreatProtectionMode, UserPool, type UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { ROLES, type Role } from '../../src/core/staff/actor';
import type { Stage } from '../stage';

/** For the one who reads the pool in the console. */
const DUTIES: Readonly<Record<Role, string>> = {
  sales: 'Sees the customers assigned to them, changes nothing',
  support: 'Works on customers',
  compliance: 'Reads customers, their versions and the access log',
  dpo: 'Data protection officer: reads customers, their versions and the access log',
  auditor: 'Reads the access log',
  admin: 'Assigns customers; does not read the access log',
};

/** A stolen token is worth this much; an operator signs in once a working day. */
const TOKEN_LIFE = Duration.minutes(15);
const SESSION_LIFE = Duration.hours(8);

export class StaffPool extends Construct {
  readonly pool: UserPool;
  readonly client: UserPoolClient;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id);
    const kept = stage.removal === 'retain';
    this.pool = new UserPool(this, 'Pool', {
      userPoolName: `Intact-${stage.name}-staff`,
      selfSignUpEnabled: false,
      signInAliases: { username: true },
      // Two people whose names differ in a capital letter only would be one to whoever reads the access log.
      signInCaseSensitive: false,
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: { minLength: 12, requireLowercase: true, requireUppercase: true, requireDigits: true, requireSymbols: true, tempPasswordValidity: Duration.days(1), passwordHistorySize: 5 },
      // Whoever reads a mailbox must not be able to take over an account; an administrator sets a new temporary password instead.
      accountRecovery: AccountRecovery.NONE,
      featurePlan: FeaturePlan.PLUS,
      standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION,
      deletionProtection: kept,
      removalPolicy: kept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    for (const [index, groupName] of ROLES.entries()) new CfnUserPoolGroup(this, `Role-${groupName}`, { userPoolId: this.pool.userPoolId, groupName, description: DUTIES[groupName], precedence: index });
    this.client = this.pool.addClient('Staff', {
      userPoolClientName: 'staff',
      // Public: a command line or a browser keeps no secret. The password itself is never sent, only a proof of it.
      generateSecret: false,
      authFlows: { userSrp: true },
      disableOAuth: true,
      enableTokenRevocation: true,
      preventUserExistenceErrors: true,
      authSessionValidity: Duration.minutes(3),
      accessTokenValidity: TOKEN_LIFE,
      idTokenValidity: TOKEN_LIFE,
      refreshTokenValidity: SESSION_LIFE,
      // A signed-in user can write what the client may write: of all attributes, the one that no decision is made from.
      readAttributes: new ClientAttributes().withStandardAttributes({ email: true, locale: true }),
      writeAttributes: new ClientAttributes().withStandardAttributes({ locale: true }),
    });
  }
}
