/**
 * Who works here: the user pool of staff. Nobody signs up, nobody comes in without a second factor, and the only second factor is a TOTP app: an SMS can be had from a phone company.
 * The roles are its groups. It outlives every deployment, as the access log does that names its users.
 */
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccountRecovery, CfnUserPoolGroup, ClientAttributes, FeaturePlan, Mfa, OAuthScope, ResourceServerScope, StandardThreatProtectionMode, UserPool, UserPoolOperation, type UserPoolClient, type UserPoolDomain } from 'aws-cdk-lib/aws-cognito';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { OUTBOUND_SCOPE, ROLES, type Role } from '../../src/core/staff/actor';
import type { Stage } from '../stage';

/** For the one who reads the pool in the console. */
const DUTIES: Readonly<Record<Role, string>> = {
  sales: 'Sees the customers assigned to them, changes nothing',
  support: 'Works on customers',
  compliance: 'Reads customers, messages and the access log; holds and erasures',
  dpo: 'Data protection officer: the rights of compliance',
  auditor: 'Reads the access log and versions',
  admin: 'Assigns customers, undoes changes; reads neither messages nor the access log',
};

/** A stolen token is worth this much; an operator signs in once a working day. */
const TOKEN_LIFE = Duration.minutes(15);
const SESSION_LIFE = Duration.hours(8);

export class StaffPool extends Construct {
  readonly pool: UserPool;
  readonly client: UserPoolClient;
  /** What a system signs in with that records what it sent: by a secret of its own, for one scope, which opens one route. */
  readonly sender: UserPoolClient;
  /** Where it gets its tokens: `POST <its URL>/oauth2/token`. */
  readonly domain: UserPoolDomain;

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
    const outbound = new ResourceServerScope({ scopeName: OUTBOUND_SCOPE.name, scopeDescription: 'Records messages that were sent' });
    const server = this.pool.addResourceServer('Api', { identifier: OUTBOUND_SCOPE.server, userPoolResourceServerName: 'Intact', scopes: [outbound] });
    this.sender = this.pool.addClient('Sender', {
      userPoolClientName: 'sender',
      generateSecret: true,
      // No user can sign in through it: whoever has the secret of a machine must not be able to try passwords.
      authFlows: { user: false },
      oAuth: { flows: { clientCredentials: true }, scopes: [OAuthScope.resourceServer(server, outbound)] },
      enableTokenRevocation: true,
      preventUserExistenceErrors: true,
      accessTokenValidity: TOKEN_LIFE,
    });
    // Prefixes are one namespace for all of AWS; with the account's number this one is nobody else's.
    this.domain = this.pool.addDomain('Domain', { cognitoDomain: { domainPrefix: `intact-${stage.name}-${Stack.of(this).account}` } });
  }

  /**
   * `fn` is asked before tokens are given, for a sign-in and for each renewal of it; where it fails there are none. Of the pool's triggers this one knows the groups. A machine's sign-in does not come by
   * here: CloudTrail has it.
   */
  noteSignIns(fn: Lambda): void {
    this.pool.addTrigger(UserPoolOperation.PRE_TOKEN_GENERATION, fn);
  }
}
