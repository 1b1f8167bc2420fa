/** The roles of people, read from the template that is deployed and evaluated: every session without a proven second factor is refused, and each role has its rights and no others. */
import { parseStage } from '../../../lib/stage';
import { isAllowed, isDenied, listOf, type Statement } from '../policy-evaluator';
import { one, ofType, resolved, synthesized, type Synthesized } from '../synthesized';

const plain = synthesized('prod');
const SAML = 'arn:aws:iam::123456789012:saml-provider/company';
const OIDC = 'arn:aws:iam::123456789012:oidc-provider/id.example.com/realm';
const operators = { mfaMaxAgeMinutes: 60, identityProvider: null };
const saml = synthesized('prod', { operators: { ...operators, identityProvider: { samlProviderArn: SAML } } });
const oidc = synthesized('prod', { operators: { ...operators, identityProvider: { oidcProviderArn: OIDC, audience: 'intact', subjects: ['anna'] } } });

type Trust = Statement & { readonly Principal: { readonly AWS?: string; readonly Federated?: string } };
const ROLES = ['operator', 'auditor', 'breakglass'] as const;
const trust = (all: Synthesized, role: string): Trust[] => resolved(one(all.operators!, 'AWS::IAM::Role', `Roles${role}`).Properties['AssumeRolePolicyDocument'].Statement, all) as Trust[];

interface Session {
  /** Who AWS says is asking: the account's own principals, or a provider that was trusted with them. */
  readonly from: 'account' | string;
  readonly action: string;
  readonly keys?: Readonly<Record<string, string>>;
}
const ACCOUNT = /^arn:aws:iam::AWS::AccountId:root$/;
/** Trust policies have a principal in place of a resource. */
function letsIn(all: Synthesized, role: string, { from, action, keys = {} }: Session): boolean {
  const fitting = trust(all, role).filter(({ Principal }) => (from === 'account' ? ACCOUNT.test(Principal.AWS ?? '') : Principal.Federated === from));
  return isAllowed(fitting.map((statement) => ({ ...statement, Resource: '*' })), { action, resource: role, keys });
}
const user = (keys: Session['keys']): Session => ({ from: 'account', action: 'sts:AssumeRole', ...(keys && { keys }) });
const PRESENT = 'aws:MultiFactorAuthPresent';
const AGE = 'aws:MultiFactorAuthAge';

describe.each(ROLES)('%s', (role) => {
  it('is assumed by an IAM user with a fresh second factor', () => {
    expect(letsIn(plain, role, user({ [PRESENT]: 'true', [AGE]: '30' }))).toBe(true);
  });

  it.each<[string, Session['keys']]>([
    ['with long-lived access keys, whose requests know nothing of a second factor', {}],
    ['with a session that was begun without one', { [PRESENT]: 'false' }],
    ['with a second factor of long ago', { [PRESENT]: 'true', [AGE]: '3600' }],
    ['with a second factor of which nobody knows how old it is', { [PRESENT]: 'true' }],
    ['with an age and no factor', { [AGE]: '30' }],
  ])('is refused %s', (_what, keys) => {
    expect(letsIn(plain, role, user(keys))).toBe(false);
  });

  it('is refused to every federated session where the stage names no provider', () => {
    for (const [from, action, keys] of [[SAML, 'sts:AssumeRoleWithSAML', { 'SAML:aud': 'https://signin.aws.amazon.com/saml' }], [OIDC, 'sts:AssumeRoleWithWebIdentity', { 'id.example.com/realm:aud': 'intact', 'id.example.com/realm:sub': 'anna' }]] as const) expect([from, letsIn(plain, role, { from, action, keys })]).toEqual([from, false]);
    // A session of SSO that tries it the users' way has no such key either.
    expect(letsIn(saml, role, user({ 'aws:PrincipalType': 'AssumedRole' }))).toBe(false);
  });

  it('is assumed through the SAML provider that the stage names, in no other way', () => {
    const session: Session = { from: SAML, action: 'sts:AssumeRoleWithSAML', keys: { 'SAML:aud': 'https://signin.aws.amazon.com/saml' } };
    expect(letsIn(saml, role, session)).toBe(true);
    expect(letsIn(saml, role, { ...session, keys: { 'SAML:aud': 'https://elsewhere.example.com' } })).toBe(false);
    expect(letsIn(saml, role, { ...session, from: `${SAML}2` })).toBe(false);
    expect(letsIn(saml, role, { ...session, action: 'sts:AssumeRole' })).toBe(false);
    // The users' door is as narrow as before.
    expect(letsIn(saml, role, user({}))).toBe(false);
  });

  it('is assumed through the OIDC provider that the stage names by the people it names, for its own client', () => {
    const keys = { 'id.example.com/realm:aud': 'intact', 'id.example.com/realm:sub': 'anna' };
    const session: Session = { from: OIDC, action: 'sts:AssumeRoleWithWebIdentity', keys };
    expect(letsIn(oidc, role, session)).toBe(true);
    for (const changed of [{ ...keys, 'id.example.com/realm:sub': 'mallory' }, { ...keys, 'id.example.com/realm:aud': 'other' }, { 'id.example.com/realm:aud': 'intact' }, {}] as Record<string, string>[]) expect([changed, letsIn(oidc, role, { ...session, keys: changed })]).toEqual([changed, false]);
  });

  it('trusts nobody else, and asks with Bool, which a missing key does not satisfy', () => {
    expect(trust(plain, role)).toHaveLength(1);
    expect(trust(saml, role)).toHaveLength(2);
    for (const { Condition, Principal } of trust(plain, role)) expect([Object.keys(Condition ?? {}).sort(), Principal.AWS]).toEqual([['Bool', 'NumericLessThan'], expect.stringMatching(ACCOUNT)]);
  });

  it('lasts an hour', () => {
    expect(one(plain.operators!, 'AWS::IAM::Role', `Roles${role}`).Properties['MaxSessionDuration']).toBe(3600);
  });
});

it('a key is stopped with a second factor of the last quarter of an hour', () => {
  const fresh = (seconds: string): Session => user({ [PRESENT]: 'true', [AGE]: seconds });
  expect([letsIn(plain, 'breakglass', fresh('899')), letsIn(plain, 'breakglass', fresh('900')), letsIn(plain, 'operator', fresh('3599'))]).toEqual([true, false, true]);
});

describe('what each may do', () => {
  const rights = Object.fromEntries(ROLES.map((role) => {
    const logicalId = Object.keys(plain.operators!.Resources).find((id) => id.startsWith(`Roles${role}`) && plain.operators!.Resources[id]!.Type === 'AWS::IAM::Role');
    const policies = ofType(plain.operators!, 'AWS::IAM::Policy').filter(([, { Properties }]) => Properties['Roles'].some(({ Ref }: { Ref: string }) => Ref === logicalId));
    return [role, policies.flatMap(([, { Properties }]) => resolved(Properties['PolicyDocument'].Statement, plain) as Statement[])];
  }));
  const who = (action: string, resource: string, keys: Record<string, string> = {}): string[] => ROLES.filter((role) => isAllowed(rights[role]!, { action, resource, keys }));
  const through = (service: string): Record<string, string> => ({ 'kms:ViaService': `${service}.eu-central-1.AWS::URLSuffix` });

  it.each([
    ['dynamodb:GetItem', 'RecordsTable.Arn', {}, ['operator']],
    ['dynamodb:PutItem', 'RecordsTable.Arn', {}, ['operator']],
    ['dynamodb:Query', 'LogTable.Arn', {}, ['operator', 'auditor']],
    ['dynamodb:PutItem', 'LogTable.Arn', {}, ['operator']],
    ['dynamodb:Scan', 'KeysTable.Arn', {}, ['operator']],
    ['dynamodb:PutItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': 's#a' }, ['operator']],
    // Whoever writes records lifts no hold where it stands beside the key, and puts no secret.
    ['dynamodb:PutItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': 'hold#a' }, []],
    ['dynamodb:PutItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': 'secret#mac' }, []],
    ['dynamodb:CreateTable', 'RecordsTable.Arn-restored', {}, ['operator']],
    ['dynamodb:DeleteTable', 'RecordsTable.Arn-drill-scratch', {}, ['operator']],
    ['dynamodb:DeleteTable', 'RecordsTable.Arn', {}, []],
    ['states:StartExecution', 'arn:aws:states:eu-central-1:AWS::AccountId:stateMachine:Intact-prod-restore-table', {}, ['operator']],
    ['states:StartExecution', 'arn:aws:states:eu-central-1:AWS::AccountId:stateMachine:Intact-prod-run-drill', {}, []],
    ['states:DescribeExecution', 'arn:aws:states:eu-central-1:AWS::AccountId:execution:Intact-prod-restore-table:a-1', {}, ['operator']],
    ['s3:GetObject', 'WorkingsBucket.Arn/restore-table/a', {}, ['operator']],
    ['s3:GetObject', 'WorkingsBucket.Arn/run-drill/a', {}, []],
    ['s3:PutObject', 'WorkingsBucket.Arn/restore-table/a', {}, []],
    ['dynamodb:DeleteTable', 'RecordsTable.Arn-restored', {}, []],
    ['dynamodb:DeleteItem', 'KeysTable.Arn', {}, []],
    ['s3:GetObject', 'VaultBucket.Arn/segment/0/a', {}, ['operator', 'auditor']],
    ['s3:ListBucketVersions', 'VaultBucket.Arn', {}, ['operator', 'auditor']],
    ['s3:PutObject', 'VaultBucket.Arn/segment/0/a', {}, ['operator']],
    ['s3:GetObject', 'InboxBucket.Arn/content/a', {}, ['operator']],
    ['s3:GetObject', 'Bucket.Arn/AWSLogs/1', {}, ['auditor']],
    ['kms:Decrypt', 'Key.Arn', {}, ['auditor']],
    ['cloudtrail:LookupEvents', '*', {}, ['auditor']],
    ['kms:Decrypt', 'WrappingKey.Arn', { 'kms:EncryptionContext:intact': 'kek' }, ['operator']],
    ['kms:Decrypt', 'WrappingKey.Arn', {}, []],
    ['kms:Decrypt', 'DataKey.Arn', through('dynamodb'), ['operator', 'auditor']],
    ['kms:Decrypt', 'DataKey.Arn', through('s3'), ['operator']],
    ['kms:Decrypt', 'DataKey.Arn', {}, []],
    ['kms:Sign', 'SigningKey.Arn', {}, ['operator']],
    ['kms:DisableKey', 'SigningKey.Arn', {}, ['breakglass']],
    ['kms:ScheduleKeyDeletion', 'WrappingKey.Arn', {}, ['breakglass']],
    ['kms:DisableKey', 'Key.Arn', {}, ['breakglass']],
    ['lambda:CreateEventSourceMapping', '*', { 'lambda:FunctionArn': 'arn:aws:lambda:eu-central-1:AWS::AccountId:function:Intact-prod-Service-sealrecords1' }, ['operator']],
    ['lambda:CreateEventSourceMapping', '*', { 'lambda:FunctionArn': 'arn:aws:lambda:eu-central-1:AWS::AccountId:function:other' }, []],
  ])('%s on %s %j: %j', (action, resource, keys, expected) => {
    expect(who(action, resource, keys as Record<string, string>)).toEqual(expected);
  });

  it('is for none of them to delete or hide an object, to loosen a lock, to have the app secret, or to change who may what', () => {
    for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutObjectLegalHold', 's3:PutBucketPolicy', 's3:PutLifecycleConfiguration']) for (const resource of ['VaultBucket.Arn', 'VaultBucket.Arn/segment/0/a', 'Bucket.Arn/AWSLogs/1', 'InboxBucket.Arn/delivery/a']) expect([action, resource, who(action, resource)]).toEqual([action, resource, []]);
    for (const action of ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue']) expect(who(action, 'AppSecret')).toEqual([]);
    for (const action of ['kms:PutKeyPolicy', 'iam:PutRolePolicy', 'iam:PassRole', 'sts:AssumeRole', 'lambda:InvokeFunction', 'lambda:UpdateFunctionCode', 'cloudtrail:StopLogging', 'cognito-idp:AdminCreateUser', 'cloudformation:UpdateStack']) expect([action, who(action, '*'), who(action, 'DataKey.Arn')]).toEqual([action, [], []]);
  });

  it('names every action in full', () => {
    for (const role of ROLES) for (const { Action } of rights[role]!) for (const action of listOf(Action)) expect(action).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
  });

  it('is refused by the keys themselves to everybody but break-glass, by the name of its role', () => {
    const policy = resolved(one(plain.data, 'AWS::KMS::Key', 'SigningKey').Properties['KeyPolicy'].Statement, plain) as Statement[];
    const as = (role: string): boolean => isDenied(policy, { action: 'kms:DisableKey', resource: 'key', keys: { 'aws:PrincipalArn': `arn:AWS::Partition:iam::AWS::AccountId:role/${role}` } });
    expect(['Intact-prod-break-glass', 'Intact-prod-operator', 'Intact-prod-break-glass2', 'Intact-dev-break-glass'].map(as)).toEqual([false, true, true, true]);
    expect(one(plain.operators!, 'AWS::IAM::Role', 'Rolesbreakglass').Properties['RoleName']).toBe('Intact-prod-break-glass');
  });
});

it('a stage that names a break-glass role of its own makes none; one without operators makes no roles', () => {
  const own = synthesized('prod', { breakGlassRoleArn: 'arn:aws:iam::123456789012:role/their-own' });
  expect(ofType(own.operators!, 'AWS::IAM::Role').map(([, { Properties }]) => Properties['RoleName'])).toEqual(['Intact-prod-operator', 'Intact-prod-auditor']);
  expect(synthesized('local').operators).toBeUndefined();
  expect(parseStage('x', 'stages/x.json', { ...withoutName(synthesized('dev').stage), operators: null }).operators).toBeNull();
});

const withoutName = ({ name: _name, ...settings }: { readonly name: string }): object => settings;
