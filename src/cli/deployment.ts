/**
 * Opens the deployment a command talks to: clients that can reach nothing else, and our own adapters on them. On AWS where things are comes from
 * CloudFormation and who we are from the shell; locally both come from `.intact/outputs.json` and nothing else.
 */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import type { StateDirectory } from '../../local/state-directory';
import type { ClientOverrides } from '../adapters/aws/sdk-settings';
import type { LockPolicy } from '../operations/verify-locks';
import type { Vault } from '../ports';
import { logGroupName, SCRATCH_SUFFIX, UNLOCKED_TAG } from '../runtime/env';
import { Failure } from './failure';
import type { Io } from './io';
import { describeLocal, outputsShape, type Outputs, type Target } from './target';
import { get, post } from './post';
import { seededStaff, sessionFile } from './staff-access';
import type { Deployment } from './world';

/** What `stages/<stage>.json` says that a command needs. */
export interface StageFacts {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly lock: { readonly mode: 'COMPLIANCE' | 'GOVERNANCE'; readonly retentionDays: number };
  /** Snapshots are locked for a time of their own. */
  readonly snapshot: { readonly retentionDays: number };
  readonly logRetentionDays: number;
  /** `meta`: null where Meta's own history is not asked for. */
  readonly reconcile: { readonly meta: { readonly tokenSecretArn: string; readonly baseUrl?: string | undefined } | null };
}

/** The locks a stage promises. */
export const lockPolicyOf = ({ lock, snapshot }: StageFacts): LockPolicy => ({ ...lock, snapshotRetentionDays: snapshot.retentionDays });

interface Place {
  readonly outputs: Outputs;
  readonly region: string;
  /** For the first line on stderr. */
  readonly described: string;
}

export interface OpenDeployment extends Deployment {
  readonly described: string;
  /** Closes connections, so that the process can end. */
  close(): void;
}

/** Opens it. Throws Failure when the stage is not deployed where the shell's credentials point. */
export async function openDeployment(target: Target, facts: StageFacts, io: Io, state: StateDirectory): Promise<OpenDeployment> {
  const overrides = clientOverrides(target, facts);
  const [{ dynamoDbClient }, { s3Client }, { kmsClient, ...kms }, { secretsManagerClient, ...secrets }] = await Promise.all([
    import('../adapters/aws/dynamodb'),
    import('../adapters/aws/s3'),
    import('../adapters/aws/kms'),
    import('../adapters/aws/app-secrets'),
  ]);
  const [{ recordStore }, { logStore }, { keyTable }, { viewStore }, { s3Vault }, { s3Inbox }, { s3VaultReader }, { CloudWatchClient }, { cloudWatchMonitoring }, { tableByHand }, { sdkSettings }, { recordRepairs }, { restoreTarget }, { scratchTable }, { keyInventory }, { LambdaClient }, { streamReaders }, { cloudWatchDeliveryLog, cloudWatchLogsClient }, { metaToken }, { metaMessageHistory }, { cognitoClient, staffPool }, { staffFile }, { s3Workings }, { stateMachineRestores, stepFunctionsClient }] = await Promise.all([
    import('../adapters/aws/record-store'),
    import('../adapters/aws/log-store'),
    import('../adapters/aws/key-table'),
    import('../adapters/aws/view-store'),
    import('../adapters/aws/s3-vault'),
    import('../adapters/aws/s3-inbox'),
    import('../adapters/aws/s3-vault-reader'),
    import('@aws-sdk/client-cloudwatch'),
    import('../adapters/operator/monitoring'),
    import('../adapters/operator/by-hand'),
    import('../adapters/aws/sdk-settings'),
    import('../adapters/aws/record-repairs'),
    import('../adapters/aws/restore-target'),
    import('../adapters/aws/scratch-table'),
    import('../adapters/aws/key-inventory'),
    import('@aws-sdk/client-lambda'),
    import('../adapters/operator/stream-readers'),
    import('../adapters/aws/delivery-log'),
    import('../adapters/aws/meta-token'),
    import('../adapters/web/meta-history'),
    import('../adapters/operator/staff-pool'),
    import('../../local/state-directory'),
    import('../adapters/aws/s3-workings'),
    import('../adapters/operator/restore-runs'),
  ]);
  const place = target.kind === 'local' ? localPlace(target) : await deployedPlace(target.stage, overrides, facts);
  const here: ClientOverrides = { ...overrides, region: place.region };
  const { outputs } = place;
  const { UserPoolId, UserPoolClientId, ApiUrl } = outputs;
  const [dynamoDb, objects, keys, secretsManager] = [dynamoDbClient(here), s3Client(here), kmsClient(here), secretsManagerClient(here)];
  const cloudWatch = new CloudWatchClient(sdkSettings(here) as ConstructorParameters<typeof CloudWatchClient>[0] & object);
  const lambda = new LambdaClient(sdkSettings(here) as ConstructorParameters<typeof LambdaClient>[0] & object);
  const logs = cloudWatchLogsClient(here);
  const cognito = cognitoClient(here);
  const stepFunctions = stepFunctionsClient(here);
  const { meta } = facts.reconcile;
  const vaultLockedFor = (retentionDays: number): Vault => s3Vault(objects, { bucket: outputs.VaultBucketName, lockMode: facts.lock.mode, retentionDays, unlockedTag: UNLOCKED_TAG }, io.now);
  return {
    target,
    region: place.region,
    described: place.described,
    outputs,
    records: recordStore(dynamoDb, outputs.RecordsTableName),
    repairs: recordRepairs(dynamoDb, outputs.RecordsTableName),
    tableAt: (name) => restoreTarget(dynamoDb, name),
    streamReaders: streamReaders(lambda, dynamoDb),
    ...(outputs.WorkingsBucketName !== undefined && outputs.RestoreMachineArn !== undefined && {
      restoresInParts: {
        workings: s3Workings(objects, outputs.WorkingsBucketName),
        runs: stateMachineRestores(stepFunctions, outputs.RestoreMachineArn),
      },
    }),
    scratch: scratchTable(dynamoDb, `${outputs.RecordsTableName}${SCRATCH_SUFFIX}`),
    inventory: keyInventory(dynamoDb, outputs.KeysTableName),
    log: logStore(dynamoDb, outputs.LogTableName),
    keys: keyTable(dynamoDb, outputs.KeysTableName),
    views: viewStore(dynamoDb, outputs.ViewsTableName),
    vault: vaultLockedFor(facts.lock.retentionDays),
    snapshotVault: vaultLockedFor(facts.snapshot.retentionDays),
    vaultReader: s3VaultReader(objects, outputs.VaultBucketName),
    lockPolicy: lockPolicyOf(facts),
    inbox: s3Inbox(objects, outputs.InboxBucketName),
    kms: kms.kmsKeyService(keys, outputs.WrappingKeyArn, place.region),
    signer: kms.kmsSigner(keys, outputs.SigningKeyArn),
    signerOf: (keyArn) => kms.kmsSigner(keys, keyArn),
    appSecrets: secrets.appSecrets(secretsManager, outputs.AppSecretArn, io.now),
    monitoring: cloudWatchMonitoring(cloudWatch, target.stage, `Intact-${target.stage}-`),
    deliveryLog: cloudWatchDeliveryLog(logs, { receive: logGroupName(target.stage, 'receive-webhook'), process: logGroupName(target.stage, 'process-inbox') }),
    logRetentionDays: facts.logRetentionDays,
    ...(meta !== null && { messageHistory: metaMessageHistory(metaToken(secretsManager, meta.tokenSecretArn), { ...(meta.baseUrl !== undefined && { baseUrl: meta.baseUrl }), sleep: io.sleep }) }),
    random: randomBytes,
    ...(UserPoolId !== undefined && UserPoolClientId !== undefined && ApiUrl !== undefined && {
      staff: {
        poolId: UserPoolId,
        clientId: UserPoolClientId,
        pool: staffPool(cognito, UserPoolClientId),
        sessions: sessionFile(state.root, target.stage, UserPoolClientId),
        seeded: () => seededStaff(staffFile(state), UserPoolId),
        get: (path, token) => get(`${ApiUrl}${path}`, { authorization: `Bearer ${token}` }, target.kind === 'local' ? target.ca : undefined),
      },
    }),
    ...(target.kind === 'local' && { byHand: tableByHand(dynamoDb, outputs.RecordsTableName) }),
    post: (url, body, headers) => post(url, body, headers, target.kind === 'local' ? target.ca : undefined),
    operator: () => (target.kind === 'local' ? Promise.resolve(`local:${userInfo().username}`) : callerArn(here)),
    close: () => [dynamoDb, objects, keys, secretsManager, cloudWatch, lambda, logs, cognito, stepFunctions].forEach((client) => client.destroy()),
  };
}

/**
 * What every client of this target gets. Locally everything is given, so nothing is looked up: endpoint, credentials, region, and the one certificate to
 * trust. NODE_EXTRA_CA_CERTS would be too late: Node reads it before us.
 */
export function clientOverrides(target: Target, facts: StageFacts): ClientOverrides {
  if (target.kind === 'aws') return facts.region === undefined ? {} : { region: facts.region };
  const agent = { keepAlive: true, maxSockets: 64, ca: target.ca };
  const requestHandler = { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true, httpsAgent: agent };
  return {
    region: target.region,
    endpoint: target.endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    // Options, not a handler: the SDK makes the handler from them, as it does from ours in sdk-settings.
    requestHandler: requestHandler as unknown as NonNullable<ClientOverrides['requestHandler']>,
  };
}

const localPlace = (target: Extract<Target, { kind: 'local' }>): Place => ({ outputs: target.outputs, region: target.region, described: describeLocal(target) });

async function deployedPlace(stage: string, overrides: ClientOverrides, facts: StageFacts): Promise<Place> {
  const [{ CloudFormationClient }, { readStackOutputs }, { sdkSettings }] = await Promise.all([
    import('@aws-sdk/client-cloudformation'),
    import('../adapters/operator/stack-outputs'),
    import('../adapters/aws/sdk-settings'),
  ]);
  const client = new CloudFormationClient(sdkSettings(overrides) as ConstructorParameters<typeof CloudFormationClient>[0] & object);
  try {
    const deployed = await readStackOutputs(client, stage);
    if ('missing' in deployed) {
      const region = await client.config.region();
      throw new Failure('unreachable', `stage ${stage} is not deployed in ${region}: there is no stack ${deployed.missing}`, `check AWS_PROFILE and AWS_REGION, or deploy it: npx cdk deploy --all -c stage=${stage}`);
    }
    // Credentials of another account could meet stacks of the same name there.
    if (facts.account !== undefined && facts.account !== deployed.account) {
      throw new Failure('not-permitted', `stage ${stage} belongs to account ${facts.account}, but these credentials are of ${deployed.account}`, 'choose the right AWS_PROFILE');
    }
    const outputs = outputsShape.safeParse(deployed.outputs);
    if (!outputs.success) {
      const missing = outputs.error.issues.map(({ path }) => path.join('.')).join(', ');
      throw new Failure('unreachable', `the stacks of stage ${stage} lack outputs: ${missing}`, `deploy the stage again with this version: npx cdk deploy --all -c stage=${stage}`);
    }
    return { outputs: outputs.data, region: deployed.region, described: `stage ${stage} on AWS, account ${deployed.account}, ${deployed.region}` };
  } finally {
    client.destroy();
  }
}

async function callerArn(overrides: ClientOverrides): Promise<string> {
  const [{ GetCallerIdentityCommand, STSClient }, { sdkSettings }] = await Promise.all([import('@aws-sdk/client-sts'), import('../adapters/aws/sdk-settings')]);
  const client = new STSClient(sdkSettings(overrides) as ConstructorParameters<typeof STSClient>[0] & object);
  try {
    return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? 'unknown';
  } finally {
    client.destroy();
  }
}
