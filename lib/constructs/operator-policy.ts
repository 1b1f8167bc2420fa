/**
 * Who may become an operator of the AWS account's side, and what each kind may then do. Pure: statements from ARNs and settings, so that a test can evaluate them against every session
 * it can think of. A second factor is a condition here, not a habit, and each kind of session proves it in its own way:
 *
 * - An IAM user calls AssumeRole with the serial and the code of an MFA device: AWS sets `aws:MultiFactorAuthPresent` and its age. `Bool`, not `BoolIfExists`: long-lived access keys send
 *   requests without the key, and IfExists would let exactly these through.
 * - A federated session (SAML, OIDC) never has that key. It is let in only through the one identity provider that the stage names, whose sign-in enforces the second factor; without a
 *   name there, no federated session is let in at all. Sessions of other roles have the key as little, and have no provider to vouch for them either: refused.
 */
import { AccountRootPrincipal, CompositePrincipal, FederatedPrincipal, type IPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { keyKeys } from '../../src/core/table-keys';

/** Who enforces the second factor for people who sign in elsewhere. */
export type IdentityProvider = { readonly samlProviderArn: string } | { readonly oidcProviderArn: string; readonly audience: string; readonly subjects: readonly string[] };

/** What a role is assumed with; `issuer/path` of an OIDC provider is the prefix of its condition keys. */
export function mayAssume(mfaMaxAgeSeconds: number, provider: IdentityProvider | undefined): IPrincipal {
  const users = new AccountRootPrincipal().withConditions({
    Bool: { 'aws:MultiFactorAuthPresent': 'true' },
    NumericLessThan: { 'aws:MultiFactorAuthAge': `${mfaMaxAgeSeconds}` },
  });
  if (provider === undefined) return users;
  if ('samlProviderArn' in provider) {
    return new CompositePrincipal(users, new FederatedPrincipal(provider.samlProviderArn, { StringEquals: { 'SAML:aud': 'https://signin.aws.amazon.com/saml' } }, 'sts:AssumeRoleWithSAML'));
  }
  const { oidcProviderArn, audience, subjects } = provider;
  const issuer = oidcProviderArn.slice(oidcProviderArn.indexOf('/') + 1);
  // Without the subject everybody with an account at the provider would be let in.
  const conditions = { StringEquals: { [`${issuer}:aud`]: audience, [`${issuer}:sub`]: [...subjects] } };
  return new CompositePrincipal(users, new FederatedPrincipal(oidcProviderArn, conditions, 'sts:AssumeRoleWithWebIdentity'));
}

/** ARNs of what the roles are about. */
export interface Places {
  readonly stacks: string;
  readonly records: string;
  readonly log: string;
  readonly keys: string;
  readonly views: string;
  readonly vault: string;
  readonly inbox: string;
  readonly workings: string;
  /** The machine that restores in parts, and its executions. */
  readonly restoreMachine: { readonly machine: string; readonly executions: string };
  readonly dataKey: string;
  readonly wrappingKey: string;
  readonly signingKey: string;
  /** The logs of the two functions that receive. */
  readonly receiverLogs: readonly string[];
  /** Functions that read streams. */
  readonly functions: string;
  /** Meta's token, where the stage has one. */
  readonly metaToken?: string;
  readonly trail?: { readonly bucket: string; readonly key: string };
  /** `<service>.<region>.<suffix>`: through which a key is used. */
  readonly through: (service: 'dynamodb' | 's3') => string;
}

const READ_ITEMS = ['dynamodb:BatchGetItem', 'dynamodb:ConditionCheckItem', 'dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'];
const READ_SETTINGS = ['dynamodb:DescribeContinuousBackups', 'dynamodb:DescribeTimeToLive', 'dynamodb:ListTagsOfResource'];
const MAKE_TABLES = ['dynamodb:BatchWriteItem', 'dynamodb:CreateTable', 'dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:TagResource', 'dynamodb:UpdateContinuousBackups', 'dynamodb:UpdateTable', 'dynamodb:UpdateTimeToLive'];
const READ_OBJECTS = ['s3:GetObject', 's3:GetObjectRetention', 's3:GetObjectVersion'];
const LIST_OBJECTS = ['s3:ListBucket', 's3:ListBucketVersions'];

const allow = (sid: string, actions: readonly string[], resources: readonly string[], conditions?: Record<string, Record<string, string | readonly string[]>>): PolicyStatement =>
  new PolicyStatement({ sid, actions: [...actions], resources: [...resources], ...(conditions && { conditions }) });

/**
 * Runs the command line's operations: reads everything, repairs, restores, seals what was missed, signs for a successor key. It cannot read the app secret (who has it can forge deliveries:
 * `intact send` is for trying), delete or hide an object, drop a table but a drill's, or change a key, a policy, a function or a role. Each of its writes is sealed and judged as
 * anybody's is, and the vault's own policy binds it.
 */
export function operatorStatements(at: Places): readonly PolicyStatement[] {
  return [
    allow('FindsTheStage', ['cloudformation:DescribeStacks'], [at.stacks]),
    // None of these knows resources.
    allow('Watches', ['cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData', 'lambda:ListEventSourceMappings'], ['*']),
    allow('ReadsTables', [...READ_ITEMS, ...READ_SETTINGS], [at.records, `${at.records}/index/*`, at.log, at.keys, at.views]),
    allow('WritesRecords', ['dynamodb:DeleteItem', 'dynamodb:PutItem'], [at.records]),
    allow('WritesHeadAndRounds', ['dynamodb:DeleteItem', 'dynamodb:PutItem'], [at.log]),
    allow('MakesSubjectKeys', ['dynamodb:PutItem'], [at.keys], { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keyKeys.subject('*').pk] } }),
    allow('RestoresTables', [...READ_ITEMS, ...READ_SETTINGS, ...MAKE_TABLES], [at.records, `${at.records}-*`]),
    allow('DropsTheDrillsTable', ['dynamodb:DeleteTable'], [`${at.records}-drill-scratch`]),
    allow('ConnectsReaders', ['lambda:CreateEventSourceMapping', 'lambda:UpdateEventSourceMapping'], ['*'], { ArnLike: { 'lambda:FunctionArn': at.functions } }),
    allow('RestoresInParts', ['states:StartExecution'], [at.restoreMachine.machine]),
    allow('WatchesRestores', ['states:DescribeExecution', 'states:StopExecution'], [at.restoreMachine.executions]),
    allow('ReadsWhatRestoresReport', ['s3:GetObject'], [`${at.workings}/restore-table/*`]),
    allow('SeesHowFarRestoresAre', ['s3:ListBucket'], [at.workings]),
    allow('ReadsTheVault', READ_OBJECTS, [`${at.vault}/*`]),
    allow('ListsTheVault', LIST_OBJECTS, [at.vault]),
    // Create-only and locked by the vault's own policy, whoever puts.
    allow('PutsWhatIsMissing', ['s3:PutObject', 's3:PutObjectRetention', 's3:PutObjectTagging'], [`${at.vault}/*`]),
    allow('ReadsTheInbox', ['s3:GetObject'], [`${at.inbox}/*`]),
    allow('ListsTheInbox', ['s3:ListBucket'], [at.inbox]),
    allow('PutsContent', ['s3:PutObject'], [`${at.inbox}/content/*`]),
    allow('UnwrapsSecrets', ['kms:Decrypt'], [at.wrappingKey], { StringEquals: { 'kms:EncryptionContext:intact': ['kek', 'mac', 'dedupe'] } }),
    allow('UsesStoredData', ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'], [at.dataKey], { StringEquals: { 'kms:ViaService': [at.through('dynamodb'), at.through('s3')] } }),
    allow('HasTablesPutUnderTheKey', ['kms:CreateGrant'], [at.dataKey], { StringEquals: { 'kms:ViaService': at.through('dynamodb') }, Bool: { 'kms:GrantIsForAWSResource': 'true' } }),
    allow('SignsForASuccessor', ['kms:GetPublicKey', 'kms:Sign'], [at.signingKey]),
    allow('ReadsWhatReceiversSaid', ['logs:FilterLogEvents'], at.receiverLogs),
    ...(at.metaToken === undefined ? [] : [allow('AsksMeta', ['secretsmanager:GetSecretValue'], [at.metaToken])]),
  ];
}

/** Reads the vault, the log and the trail, all of which are ciphertext or pseudonyms; it has no key to content and changes nothing. */
export function auditorStatements(at: Places): readonly PolicyStatement[] {
  return [
    allow('FindsTheStage', ['cloudformation:DescribeStacks'], [at.stacks]),
    allow('ReadsTheLog', READ_ITEMS, [at.log]),
    allow('UsesStoredData', ['kms:Decrypt', 'kms:DescribeKey'], [at.dataKey], { StringEquals: { 'kms:ViaService': at.through('dynamodb') } }),
    allow('ReadsTheVault', READ_OBJECTS, [`${at.vault}/*`]),
    allow('ListsTheVault', LIST_OBJECTS, [at.vault]),
    allow('ChecksSignatures', ['kms:GetPublicKey'], [at.signingKey]),
    // None of these knows resources.
    allow('LooksUpWhoDidWhat', ['cloudtrail:DescribeTrails', 'cloudtrail:GetTrailStatus', 'cloudtrail:LookupEvents'], ['*']),
    ...(at.trail === undefined
      ? []
      : [allow('ReadsTheTrail', READ_OBJECTS, [`${at.trail.bucket}/*`]), allow('ListsTheTrail', LIST_OBJECTS, [at.trail.bucket]), allow('DecryptsTheTrail', ['kms:Decrypt'], [at.trail.key])]),
  ];
}

/** Stops a key, or ends it in 7 days at least, and takes that back; reads nothing. */
export function breakGlassStatements(at: Places): readonly PolicyStatement[] {
  const keys = [at.dataKey, at.wrappingKey, at.signingKey, ...(at.trail === undefined ? [] : [at.trail.key])];
  return [allow('StopsKeys', ['kms:CancelKeyDeletion', 'kms:DescribeKey', 'kms:DisableKey', 'kms:EnableKey', 'kms:ScheduleKeyDeletion'], keys)];
}
