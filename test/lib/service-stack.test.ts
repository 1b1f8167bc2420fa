/** What runs, what wakes it, and above all what each function may do: read from the deployed templates, every statement. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TableKey } from '../../src/core/image';
import { recordKeys } from '../../src/core/table-keys';
import { isAllowed, listOf, type Request, type Statement } from './policy-evaluator';
import { grants, type Loose, ofType, one, resolved, root, synthesized } from './synthesized';

const prod = synthesized('prod');
const { service } = prod;
const rights = grants(prod);
const functions = ofType(service, 'AWS::Lambda::Function');
const NAMES = ['apiself', 'audittable', 'heartbeat', 'initializelog', 'processinbox', 'projectviews', 'publishlog', 'receivewebhook', 'reconciledeliveries', 'repairrecords', 'rundrill', 'sealmissing', 'sealrecords', 'sweepinbox', 'takesnapshot', 'verifyvault'];

const may = (fn: string, action: string, resource: string, keys: Request['keys'] = {}): boolean => isAllowed(rights[fn]!, { action, resource, keys });
const who = (action: string, resource: string, keys: Request['keys'] = {}): string[] => NAMES.filter((fn) => may(fn, action, resource, keys));
const statements: Statement[] = Object.values(rights).flat();

describe('the functions', () => {
  it('are these', () => {
    expect(Object.keys(rights).sort()).toEqual(NAMES);
  });

  it('run on one runtime and architecture, are traced, and log JSON to a group of their own', () => {
    for (const [, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs22.x', Architectures: ['arm64'], TracingConfig: { Mode: 'Active' }, LoggingConfig: { LogFormat: 'JSON' }, Handler: 'index.handler' });
      expect(Properties['Environment'].Variables).toMatchObject({ INTACT_STAGE: 'prod', INTACT_TRACING: 'on' });
    }
    expect(new Set(functions.map(([, { Properties }]) => Properties['LoggingConfig'].LogGroup.Ref)).size).toBe(functions.length);
    for (const [, { Properties }] of ofType(service, 'AWS::Logs::LogGroup')) expect(Properties).toMatchObject({ RetentionInDays: 365, LogGroupName: expect.stringMatching(/^\/intact\/prod\/[a-z-]+$/) });
  });

  it('answer the webhook before API Gateway gives up', () => {
    expect(one(service, 'AWS::Lambda::Function', 'receivewebhook').Properties['Timeout']).toBeLessThan(30);
  });

  it('have a file each, called as the construct', () => {
    for (const name of Object.keys(prod.stacks.service.functions)) expect([name, existsSync(join(root, 'lambdas', `${name}.ts`))]).toEqual([name, true]);
  });
});

describe('every right of every function', () => {
  it('names its actions and resources: no star stands alone, but for tracing, which knows no resources', () => {
    const starred = statements.filter(({ Action, Resource }) => listOf(Resource).includes('*') || listOf(Action).some((action) => action.includes('*')));
    for (const statement of starred) expect(statement).toEqual({ Effect: 'Allow', Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Resource: '*' });
    expect(starred).toHaveLength(NAMES.length);
  });

  it('is given by its own role, without managed policies', () => {
    for (const [, { Properties }] of ofType(service, 'AWS::IAM::Role')) expect(Properties['ManagedPolicyArns']).toBeUndefined();
    expect(ofType(service, 'AWS::IAM::ManagedPolicy')).toEqual([]);
  });

  it('is one of a closed list: a new action is a decision', () => {
    expect([...new Set(statements.flatMap(({ Action }) => listOf(Action)))].sort()).toEqual([
      'dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem', 'dynamodb:ConditionCheckItem', 'dynamodb:CreateTable', 'dynamodb:DeleteItem', 'dynamodb:DeleteTable', 'dynamodb:DescribeContinuousBackups', 'dynamodb:DescribeStream', 'dynamodb:DescribeTable', 'dynamodb:DescribeTimeToLive', 'dynamodb:GetItem', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams', 'dynamodb:ListTagsOfResource', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:Scan', 'dynamodb:TagResource', 'dynamodb:UpdateContinuousBackups', 'dynamodb:UpdateItem',
      'kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:GetPublicKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:Sign',
      'logs:CreateLogStream', 'logs:FilterLogEvents', 'logs:PutLogEvents',
      's3:DeleteObject', 's3:GetObject', 's3:GetObjectRetention', 's3:ListBucket', 's3:ListBucketVersions', 's3:PutObject', 's3:PutObjectRetention', 's3:PutObjectTagging',
      'secretsmanager:GetSecretValue',
      'sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:SendMessage',
      'xray:PutTelemetryRecords', 'xray:PutTraceSegments',
    ]);
  });

  it('that changes records is put-only: nobody updates one, and the repair alone deletes one, or puts back what is not its own', () => {
    const writers = (partition: string): string[] => who('dynamodb:PutItem', 'RecordsTable.Arn', { 'dynamodb:LeadingKeys': [partition] });
    const own: Record<string, string[]> = { audit: ['audittable'], drill: ['rundrill'], snapshot: ['takesnapshot'], reconciliation: ['reconciledeliveries'], restore: [], repair: [], finding: ['audittable', 'reconciledeliveries', 'sealmissing', 'sealrecords', 'verifyvault'], gap: ['sealmissing'], heartbeat: ['heartbeat'], verification: ['verifyvault'] };
    const receivers = ['processinbox', 'receivewebhook'];
    for (const [kind, make] of Object.entries(recordKeys)) {
      const key = kind === 'variant' || kind === 'conflict' ? recordKeys.message('x', 'x') : (make as (...parts: string[]) => TableKey)('xxxxxxxxxx', 'x', 'x');
      expect([kind, writers(key.pk)]).toEqual([kind, [...(own[kind] ?? receivers), 'repairrecords'].sort()]);
    }
    expect(writers('anything')).toEqual([]);
    // What was never ours may lie anywhere. Whatever it deletes is sealed, and found if no record of a repair permits it.
    for (const partition of ['m#x', 'anything']) expect(who('dynamodb:DeleteItem', 'RecordsTable.Arn', { 'dynamodb:LeadingKeys': [partition] })).toEqual(['repairrecords']);
    for (const action of ['dynamodb:UpdateItem', 'dynamodb:BatchWriteItem', 'dynamodb:PartiQLUpdate']) expect(who(action, 'RecordsTable.Arn')).toEqual([]);
  });

  it('that deletes is one of four: superseded partials, processed deliveries, the list of unsealed states, records that were never ours', () => {
    expect(who('s3:DeleteObject', 'VaultBucket.Arn/tile/0/x001/002.p/7')).toEqual(['publishlog']);
    for (const name of ['tile/0/x001/002', 'segment/0/a', 'blob/a', 'snapshot/1/000000-a', 'checkpoints/1', 'checkpoint', 'log.vkeys', 'anything']) expect(who('s3:DeleteObject', `VaultBucket.Arn/${name}`)).toEqual([]);
    expect(who('s3:DeleteObject', 'InboxBucket.Arn/delivery/a')).toEqual(['processinbox']);
    expect(who('s3:DeleteObject', 'InboxBucket.Arn/content/a')).toEqual([]);
    expect(who('dynamodb:DeleteItem', 'RecordsTable.Arn')).toEqual(['repairrecords']);
    for (const table of ['KeysTable.Arn', 'ViewsTable.Arn']) expect(who('dynamodb:DeleteItem', table)).toEqual([]);
    expect(who('dynamodb:DeleteItem', 'LogTable.Arn', { 'dynamodb:LeadingKeys': ['unsealed'] })).toEqual(['sealmissing']);
    expect(who('dynamodb:DeleteItem', 'LogTable.Arn', { 'dynamodb:LeadingKeys': ['head'] })).toEqual([]);
  });

  it('deletes no version, bypasses and shortens no lock, and touches no key, policy or bucket setting', () => {
    for (const action of ['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutObjectLegalHold', 's3:PutBucketPolicy', 's3:PutLifecycleConfiguration', 's3:PutBucketVersioning', 's3:PutBucketObjectLockConfiguration'])
      for (const resource of ['VaultBucket.Arn', 'VaultBucket.Arn/segment/0/a']) expect(who(action, resource)).toEqual([]);
    for (const action of ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:PutKeyPolicy', 'kms:CreateGrant']) for (const key of ['DataKey.Arn', 'WrappingKey.Arn', 'SigningKey.Arn']) expect(who(action, key)).toEqual([]);
  });
});

describe('the drill', () => {
  const scratch = 'RecordsTable.Arn-drill-scratch';

  it('is the only one that makes and drops a table, and the only table it can is its own', () => {
    for (const action of ['dynamodb:CreateTable', 'dynamodb:DeleteTable', 'dynamodb:TagResource', 'dynamodb:UpdateContinuousBackups', 'dynamodb:BatchWriteItem']) {
      expect([action, who(action, scratch)]).toEqual([action, ['rundrill']]);
      for (const table of ['RecordsTable.Arn', 'LogTable.Arn', 'KeysTable.Arn', 'ViewsTable.Arn', 'RecordsTable.Arn-drill', 'RecordsTable.Arn-drill-scratch2']) expect([action, table, who(action, table)]).toEqual([action, table, []]);
    }
    for (const action of ['dynamodb:UpdateTable', 'dynamodb:RestoreTableFromBackup', 'dynamodb:UpdateTimeToLive']) for (const table of ['RecordsTable.Arn', scratch]) expect(who(action, table)).toEqual([]);
    expect(one(service, 'AWS::Lambda::Function', 'rundrill').Properties['Environment'].Variables.INTACT_SCRATCH_TABLE).toBeDefined();
  });

  it('has tables put under our key by DynamoDB alone', () => {
    const through = { 'kms:ViaService': 'dynamodb.AWS::Region.AWS::URLSuffix' };
    const statement = rights['rundrill']!.find(({ Action }) => Action === 'kms:CreateGrant');
    expect(statement).toEqual({ Effect: 'Allow', Action: 'kms:CreateGrant', Resource: 'DataKey.Arn', Condition: { StringEquals: { 'kms:ViaService': expect.stringMatching(/^dynamodb\./) as string }, Bool: { 'kms:GrantIsForAWSResource': 'true' } } });
    expect(who('kms:CreateGrant', 'DataKey.Arn', through)).toEqual([]);
  });

  it('and the audit change nothing of the live table but their own results', () => {
    for (const fn of ['audittable', 'rundrill']) for (const action of ['dynamodb:DeleteItem', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem']) expect([fn, may(fn, action, 'RecordsTable.Arn')]).toEqual([fn, false]);
    expect(who('dynamodb:BatchGetItem', 'RecordsTable.Arn')).toEqual(['audittable', 'rundrill']);
    for (const name of ['segment/0/a', 'blob/a', 'tile/0/000', 'checkpoint']) for (const fn of ['audittable', 'rundrill']) expect([fn, name, may(fn, 's3:GetObject', `VaultBucket.Arn/${name}`), may(fn, 's3:PutObject', `VaultBucket.Arn/${name}`)]).toEqual([fn, name, true, false]);
  });
});

describe('a drill from the replica', () => {
  const replica = 'arn:aws:s3:::intact-prod-replica-AWS::AccountId-eu-west-1';
  const keysThere = 'arn:aws:dynamodb:eu-west-1:AWS::AccountId:table/KeysTable';
  const keyThere = 'arn:aws:kms:eu-west-1:AWS::AccountId:key/WrappingKey';
  const env = (all: typeof prod): Record<string, unknown> => one(all.service, 'AWS::Lambda::Function', 'rundrill').Properties['Environment'].Variables;

  it('reads there, and only there, what opens the log: facts, two secrets, keys of subjects', () => {
    for (const name of ['segment/0/a', 'blob/a', 'snapshot/1/manifest-a', 'checkpoints/1', 'log.vkeys', 'checkpoint']) expect([name, who('s3:GetObject', `${replica}/${name}`)]).toEqual([name, ['rundrill']]);
    expect(who('s3:ListBucket', replica)).toEqual(['rundrill']);
    for (const secret of ['kek', 'mac']) {
      expect(who('kms:Decrypt', keyThere, { 'kms:EncryptionContext:intact': secret })).toEqual(['rundrill']);
      expect(who('dynamodb:GetItem', keysThere, { 'dynamodb:LeadingKeys': [`secret#${secret}`] })).toEqual(['rundrill']);
    }
    expect(who('dynamodb:GetItem', keysThere, { 'dynamodb:LeadingKeys': ['s#abc'] })).toEqual(['rundrill']);
    expect(env(prod)).toMatchObject({ INTACT_REPLICA_REGION: 'eu-west-1', INTACT_DRILL_FROM_REPLICA_EVERY: '5' });
  });

  it('and nothing else there', () => {
    expect(who('kms:Decrypt', keyThere, { 'kms:EncryptionContext:intact': 'dedupe' })).toEqual([]);
    expect(who('dynamodb:GetItem', keysThere, { 'dynamodb:LeadingKeys': ['secret#dedupe'] })).toEqual([]);
    for (const action of ['s3:PutObject', 's3:DeleteObject', 's3:ReplicateObject']) expect([action, who(action, `${replica}/segment/0/a`)]).toEqual([action, []]);
    for (const action of ['dynamodb:PutItem', 'dynamodb:Scan', 'dynamodb:UpdateTable']) expect([action, who(action, keysThere)]).toEqual([action, []]);
  });

  it('is not to be had where the stage wants none, or has no second region', () => {
    for (const all of [synthesized('prod', { drillFromReplicaEvery: 0 }), synthesized('dev')]) {
      expect(Object.keys(env(all)).filter((name) => /REPLICA/.test(name))).toEqual([]);
      expect(JSON.stringify(grants(all)['rundrill'])).not.toMatch(/replica|eu-west-1/);
    }
  });
});

describe('take-snapshot', () => {
  it('puts snapshots and their records, and nothing else anywhere', () => {
    const writes = /^(?!.*(Get|List|Query|Describe|Decrypt|logs:|xray:|ConditionCheck))/;
    const written = rights['takesnapshot']!.flatMap(({ Action, Resource, Condition }) => listOf(Action).filter((action) => writes.test(action) && !/^kms:/.test(action)).map((action) => [action, Resource, Condition]));
    expect(written).toEqual([
      ['s3:PutObject', 'VaultBucket.Arn/snapshot/*', undefined],
      ['s3:PutObjectRetention', 'VaultBucket.Arn/snapshot/*', undefined],
      ['dynamodb:PutItem', 'RecordsTable.Arn', { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['snapshot'] } }],
      ['s3:PutObject', 'WorkingsBucket.Arn/take-snapshot/*', undefined],
    ]);
  });

  it('reads the log and snapshots, as a restore does, and of the records single ones', () => {
    for (const name of ['tile/0/000', 'tile/entries/000.p/3', 'segment/0/a', 'blob/a', 'snapshot/1/000000-a', 'checkpoint', 'log.vkeys']) expect([name, who('s3:GetObject', `VaultBucket.Arn/${name}`)]).toEqual([name, expect.arrayContaining(['takesnapshot', 'rundrill'])]);
    for (const action of ['dynamodb:Scan', 'dynamodb:Query', 'dynamodb:BatchGetItem']) expect([action, may('takesnapshot', action, 'RecordsTable.Arn')]).toEqual([action, false]);
  });

  it('is read by those who restore or verify, and by nobody else', () => {
    expect(who('s3:GetObject', 'VaultBucket.Arn/snapshot/1/000000-a')).toEqual(['rundrill', 'takesnapshot', 'verifyvault']);
  });
});

describe('what is too much for one function', () => {
  const TASKS = [['verifyvault', 'verify-vault'], ['audittable', 'audit-table'], ['takesnapshot', 'take-snapshot']] as const;
  const machine = (fn: string) => one(service, 'AWS::StepFunctions::StateMachine', `WholeVault${fn}`).Properties;
  const definition = (fn: string): Loose => JSON.parse(resolved(machine(fn)['DefinitionString'], prod) as string);
  const rightsOf = (role: string): Statement[] => ofType(service, 'AWS::IAM::Policy').filter(([, { Properties }]) => (resolved(Properties['Roles'], prod) as string[]).includes(role)).flatMap(([, { Properties }]) => resolved(Properties['PolicyDocument'].Statement, prod) as Statement[]);

  it('is three machines, traced, whose logs hold no data', () => {
    const machines = ofType(service, 'AWS::StepFunctions::StateMachine');
    expect(machines).toHaveLength(3);
    for (const [, { Properties }] of machines) expect(Properties).toMatchObject({ StateMachineType: 'STANDARD', TracingConfiguration: { Enabled: true }, LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false } });
  });

  it.each(TASKS)('%s: begins, and goes in parts and merges until it is done, all by the one function', (fn) => {
    const { StartAt, States } = definition(fn);
    expect(StartAt).toBe('Begin');
    const retried = [expect.objectContaining({ ErrorEquals: expect.arrayContaining(['Lambda.ServiceException']) as string[] }), { ErrorEquals: ['States.ALL'], IntervalSeconds: 60, MaxAttempts: 2, BackoffRate: 2 }];
    const called = { Type: 'Task', Resource: `${fn}.Arn`, Retry: retried };
    expect(States).toEqual({
      Begin: { ...called, Parameters: { step: 'begin' }, Next: 'Done?' },
      'Done?': { Type: 'Choice', Choices: [{ Variable: '$.done', BooleanEquals: true, Next: 'Done' }], Default: 'Parts' },
      Done: { Type: 'Succeed' },
      Parts: {
        Type: 'Map', Label: 'Parts', ItemsPath: '$.parts', MaxConcurrency: 5, ResultPath: null, Next: 'Merge',
        ItemSelector: { step: 'part', 'run.$': '$.run', 'round.$': '$.round', 'part.$': '$$.Map.Item.Value' },
        ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, StartAt: 'Part', States: { Part: { ...called, End: true } } },
      },
      Merge: { ...called, Parameters: { step: 'merge', 'run.$': '$.run', 'round.$': '$.round' }, Next: 'Done?' },
    });
  });

  it.each(TASKS)('%s: its machine calls that function, runs itself, and can do nothing else', (fn) => {
    const self = `WholeVault${fn}`;
    const statements = rightsOf(`${self}role`);
    const starred = statements.filter(({ Resource }) => listOf(Resource).includes('*')).flatMap(({ Action }) => listOf(Action));
    expect([...new Set(starred)].sort()).toEqual([
      'logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:DescribeLogGroups', 'logs:DescribeResourcePolicies', 'logs:GetLogDelivery', 'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:UpdateLogDelivery',
      'xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments',
    ]);
    const named = statements.filter(({ Resource }) => !listOf(Resource).includes('*')).flatMap(({ Action, Resource }) => listOf(Action).map((action) => [action, listOf(Resource).map((each) => (typeof each === 'string' ? each : 'executions'))]));
    expect(named.map(([action]) => action).sort()).toEqual(['lambda:InvokeFunction', 'states:DescribeExecution', 'states:RedriveExecution', 'states:StartExecution', 'states:StopExecution']);
    expect(named.find(([action]) => action === 'lambda:InvokeFunction')).toEqual(['lambda:InvokeFunction', [`${fn}.Arn`, `${fn}.Arn:*`]]);
    expect(named.find(([action]) => action === 'states:StartExecution')).toEqual(['states:StartExecution', [self]]);
  });

  it('leaves what its parts came to where its function alone sees it, for a week', () => {
    for (const [fn, task] of TASKS) for (const action of ['s3:GetObject', 's3:PutObject']) expect([task, who(action, `WorkingsBucket.Arn/${task}/run/plan-0.json`)]).toEqual([task, [fn]]);
    for (const action of ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']) expect(who(action, 'WorkingsBucket.Arn/anything')).toEqual([]);
    expect(one(prod.data, 'AWS::S3::Bucket', 'Workings').Properties['LifecycleConfiguration'].Rules).toEqual([expect.objectContaining({ ExpirationInDays: 7, Status: 'Enabled' })]);
    const env = (all: typeof prod): unknown => one(all.service, 'AWS::Lambda::Function', 'verifyvault').Properties['Environment'].Variables.INTACT_WHOLE_UP_TO;
    expect([env(prod), env(synthesized('prod', { wholeUpTo: 300 }))]).toEqual(['2000000', '300']);
  });

  it('is started by its schedule alone', () => {
    const starters = ofType(service, 'AWS::IAM::Policy').filter(([, { Properties }]) => JSON.stringify(Properties).includes('states:StartExecution')).map(([id]) => id.replace(/[0-9A-F]{8}$/, ''));
    expect(starters.sort()).toEqual(TASKS.flatMap(([fn]) => [`WholeVault${fn}DistributedMapPolicy`, `WholeVault${fn}EventsRoleDefaultPolicy`]).sort());
    for (const [fn] of TASKS) expect(who('states:StartExecution', `WholeVault${fn}`)).toEqual([]);
  });
});

describe('reconcile-deliveries', () => {
  it('reads what the two receivers logged, and is the only one that reads a log', () => {
    for (const log of ['receivewebhooklog.Arn', 'processinboxlog.Arn']) expect([log, who('logs:FilterLogEvents', log)]).toEqual([log, ['reconciledeliveries']]);
    for (const log of ['sealrecordslog.Arn', 'reconciledeliverieslog.Arn']) expect([log, who('logs:FilterLogEvents', log)]).toEqual([log, []]);
    expect(one(service, 'AWS::Lambda::Function', 'reconciledeliveries').Properties['Environment'].Variables).toMatchObject({ INTACT_LOG_RETENTION_DAYS: '365', INTACT_RECEIVE_LOG_GROUP: { Ref: expect.stringMatching(/^receivewebhooklog/) as string } });
  });

  it('sees which deliveries wait, and reads none of them', () => {
    const list = (prefix: string): boolean => may('reconciledeliveries', 's3:ListBucket', 'InboxBucket.Arn', { 's3:prefix': prefix });
    expect([list('delivery/'), list('content/'), may('reconciledeliveries', 's3:ListBucket', 'InboxBucket.Arn')]).toEqual([true, false, false]);
    for (const action of ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']) expect([action, may('reconciledeliveries', action, 'InboxBucket.Arn/delivery/a')]).toEqual([action, false]);
  });

  it('reads what was sealed, and writes nothing but its own result and findings', () => {
    expect(['segment/0/a', 'blob/a', 'checkpoint', 'tile/0/000'].map((name) => may('reconciledeliveries', 's3:GetObject', `VaultBucket.Arn/${name}`))).toEqual([true, true, false, false]);
    expect(may('reconciledeliveries', 's3:PutObject', 'VaultBucket.Arn/segment/0/a')).toBe(false);
    for (const table of ['LogTable.Arn', 'KeysTable.Arn', 'ViewsTable.Arn']) expect([table, may('reconciledeliveries', 'dynamodb:PutItem', table)]).toEqual([table, false]);
  });

  it('has a token of Meta only where the stage names one', () => {
    const tokenSecretArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:meta-AbCdEf';
    const asking = synthesized('prod', { reconcile: { everyHours: 12, meta: { tokenSecretArn, baseUrl: 'https://example.com/v1' } } });
    const variables = (all: typeof prod): Record<string, unknown> => one(all.service, 'AWS::Lambda::Function', 'reconciledeliveries').Properties['Environment'].Variables;
    expect(variables(asking)).toMatchObject({ INTACT_META_TOKEN_SECRET_ARN: tokenSecretArn, INTACT_META_BASE_URL: 'https://example.com/v1' });
    expect(Object.keys(variables(prod)).filter((name) => /META/.test(name))).toEqual([]);
    const readers = Object.entries(grants(asking)).filter(([, of]) => isAllowed(of, { action: 'secretsmanager:GetSecretValue', resource: tokenSecretArn })).map(([name]) => name);
    expect([readers, who('secretsmanager:GetSecretValue', tokenSecretArn)]).toEqual([['reconciledeliveries'], []]);
    expect(who('secretsmanager:GetSecretValue', 'AppSecret')).toEqual(['receivewebhook']);
  });
});

describe('repairs', () => {
  const [queue, dead] = ['RepairsQueue.Arn', 'RepairsDeadLetters.Arn'];
  const env = (all: typeof prod, fn: string): Record<string, unknown> => one(all.service, 'AWS::Lambda::Function', fn).Properties['Environment'].Variables;

  it('are asked for by those who find, and done by one function, which writes nothing else', () => {
    expect(who('sqs:SendMessage', queue)).toEqual(['audittable', 'sealmissing', 'sealrecords']);
    expect(who('sqs:ReceiveMessage', queue)).toEqual(['repairrecords']);
    for (const action of ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:PurgeQueue']) expect(who(action, dead)).toEqual([]);
    for (const resource of ['VaultBucket.Arn/segment/0/a', 'VaultBucket.Arn/checkpoint', 'InboxBucket.Arn/content/a']) expect([resource, may('repairrecords', 's3:PutObject', resource), may('repairrecords', 's3:DeleteObject', resource)]).toEqual([resource, false, false]);
    for (const table of ['KeysTable.Arn', 'ViewsTable.Arn']) for (const action of ['dynamodb:PutItem', 'dynamodb:DeleteItem']) expect([table, may('repairrecords', action, table)]).toEqual([table, false]);
    // Of the log table: it notes for seal-missing what no stream will ever bring.
    expect(['head', 'round', 'unsealed'].map((partition) => may('repairrecords', 'dynamodb:PutItem', 'LogTable.Arn', { 'dynamodb:LeadingKeys': [partition] }))).toEqual([false, false, true]);
    expect(may('repairrecords', 'dynamodb:DeleteItem', 'LogTable.Arn')).toBe(false);
    expect(may('repairrecords', 'dynamodb:Scan', 'RecordsTable.Arn')).toBe(false);
  });

  it('are read from the vault, which tells entries and what signed them', () => {
    for (const name of ['tile/0/000', 'tile/entries/000.p/3', 'segment/0/a', 'blob/a', 'checkpoint', 'log.vkeys']) expect([name, may('repairrecords', 's3:GetObject', `VaultBucket.Arn/${name}`)]).toEqual([name, true]);
    expect(may('repairrecords', 'kms:GetPublicKey', 'SigningKey.Arn')).toBe(true);
  });

  it('are permitted by records, which sealers can list and nothing else', () => {
    const query = (fn: string, partition: string): boolean => may(fn, 'dynamodb:Query', 'RecordsTable.Arn', { 'dynamodb:LeadingKeys': [partition] });
    expect(['repair#x', 'finding#x', 'm#x'].map((partition) => query('sealrecords', partition))).toEqual([true, false, false]);
    expect(['repair#x', 'finding#x', 'm#x'].map((partition) => query('repairrecords', partition))).toEqual([true, true, false]);
  });

  it('are asked for by nobody where the stage wants to be asked first, and can still be made by hand', () => {
    const asking = synthesized('prod', { repair: 'ask' });
    const asked = grants(asking);
    for (const fn of ['audittable', 'sealmissing', 'sealrecords']) {
      expect([fn, isAllowed(asked[fn]!, { action: 'sqs:SendMessage', resource: queue })]).toEqual([fn, false]);
      expect([fn, env(asking, fn)['INTACT_REPAIR_QUEUE_URL'], env(prod, fn)['INTACT_REPAIR_QUEUE_URL']]).toEqual([fn, undefined, { Ref: expect.stringMatching(/^RepairsQueue/) }]);
    }
  });

  it('wait in an encrypted queue that takes messages over TLS only, and in the end for a person', () => {
    const queues = ofType(service, 'AWS::SQS::Queue');
    expect(queues.map(([id]) => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual(['RepairsDeadLetters', 'RepairsQueue']);
    for (const [, { Properties }] of queues) expect(Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
    for (const [, { Properties }] of ofType(service, 'AWS::SQS::QueuePolicy')) expect(Properties['PolicyDocument'].Statement).toContainEqual(expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }));
    expect(ofType(service, 'AWS::SQS::QueuePolicy')).toHaveLength(2);
    const { Properties } = one(service, 'AWS::SQS::Queue', 'RepairsQueue');
    expect(resolved(Properties, prod)).toMatchObject({ RedrivePolicy: { deadLetterTargetArn: dead, maxReceiveCount: 6 } });
    // Lambda refuses a mapping whose messages could come back while they are being dealt with.
    expect(Properties['VisibilityTimeout']).toBeGreaterThan(one(service, 'AWS::Lambda::Function', 'repairrecords').Properties['Timeout']);
  });

  it('are answered for one by one', () => {
    const [mapping] = ofType(service, 'AWS::Lambda::EventSourceMapping').filter(([, { Properties }]) => resolved(Properties['EventSourceArn'], prod) === queue);
    expect(mapping![1].Properties).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'], BatchSize: 100, ScalingConfig: { MaximumConcurrency: 2 } });
  });
});

describe('who may write what in the vault', () => {
  it.each([
    ['segment/0/a', ['sealmissing', 'sealrecords']],
    ['blob/a', ['sealmissing', 'sealrecords']],
    ['tile/0/000', ['publishlog']],
    ['tile/entries/000.p/3', ['publishlog']],
    ['checkpoints/17', ['initializelog', 'publishlog']],
    ['checkpoint', ['initializelog', 'publishlog']],
    ['log.vkeys', ['initializelog', 'publishlog']],
    ['snapshot/1/manifest-a', ['takesnapshot']],
    ['snapshot/1/000000-a', ['takesnapshot']],
    ['report/1', []],
    ['anything', []],
  ])('%s: %j', (name, writers) => {
    expect(who('s3:PutObject', `VaultBucket.Arn/${name}`)).toEqual(writers);
  });

  it('and locks what it puts, with mode and term told by the vault', () => {
    for (const name of ['segment/0/a', 'blob/a', 'snapshot/1/000000-a', 'tile/0/000', 'checkpoints/17']) expect(who('s3:PutObjectRetention', `VaultBucket.Arn/${name}`)).toEqual(who('s3:PutObject', `VaultBucket.Arn/${name}`));
    for (const name of ['checkpoint', 'log.vkeys']) expect(who('s3:PutObjectRetention', `VaultBucket.Arn/${name}`)).toEqual([]);
    const env = (fn: string): Record<string, string> => one(service, 'AWS::Lambda::Function', fn).Properties['Environment'].Variables;
    for (const fn of ['sealrecords', 'sealmissing', 'publishlog', 'initializelog', 'verifyvault']) expect(env(fn)).toMatchObject({ INTACT_LOCK_MODE: 'COMPLIANCE', INTACT_RETENTION_DAYS: '2557' });
    // Snapshots have a term of their own; who checks all locks knows both.
    expect(env('takesnapshot')).toMatchObject({ INTACT_LOCK_MODE: 'COMPLIANCE', INTACT_RETENTION_DAYS: '35' });
    expect(env('verifyvault')['INTACT_SNAPSHOT_RETENTION_DAYS']).toBe('35');
  });

  it('and tells absent from refused: who reads a bucket may list it', () => {
    for (const bucket of ['VaultBucket', 'InboxBucket']) {
      const readers = NAMES.filter((fn) => rights[fn]!.some(({ Action, Resource }) => listOf(Action).includes('s3:GetObject') && listOf(Resource).some((arn) => arn.startsWith(`${bucket}.Arn/`))));
      expect(readers.length).toBeGreaterThan(2);
      for (const fn of readers) expect([fn, may(fn, 's3:ListBucket', `${bucket}.Arn`)]).toEqual([fn, true]);
    }
  });
});

describe('who may unwrap which secret', () => {
  it.each([
    ['kek', ['audittable', 'initializelog', 'publishlog', 'reconciledeliveries', 'repairrecords', 'rundrill', 'sealmissing', 'sealrecords', 'takesnapshot']],
    ['mac', ['audittable', 'heartbeat', 'processinbox', 'receivewebhook', 'reconciledeliveries', 'repairrecords', 'rundrill', 'sealmissing', 'sealrecords', 'takesnapshot', 'verifyvault']],
    ['dedupe', ['processinbox', 'receivewebhook', 'reconciledeliveries']],
  ])('%s: %j', (secret, readers) => {
    expect(who('kms:Decrypt', 'WrappingKey.Arn', { 'kms:EncryptionContext:intact': secret })).toEqual(readers);
    // initialize-log sees the wrapped form of all three, to know whether they are made.
    expect(who('dynamodb:GetItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': [`secret#${secret}`] })).toEqual([...new Set([...readers, 'initializelog'])].sort());
  });

  it('and nobody without naming the secret', () => {
    expect(who('kms:Decrypt', 'WrappingKey.Arn')).toEqual([]);
  });

  it('and who may read the keys of subjects', () => {
    const subjects = ['sealmissing', 'sealrecords'];
    expect(who('dynamodb:GetItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': ['s#abc'] })).toEqual(['audittable', 'reconciledeliveries', 'repairrecords', 'rundrill', 'takesnapshot', ...subjects].sort());
    // The audit lists them, and cannot ask for what is wrapped in them.
    const namesOnly = { 'dynamodb:Attributes': ['pk'], 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' };
    expect(who('dynamodb:Scan', 'KeysTable.Arn', namesOnly)).toEqual(['audittable']);
    expect(who('dynamodb:Scan', 'KeysTable.Arn', { ...namesOnly, 'dynamodb:Attributes': ['pk', 'wrapped'] })).toEqual([]);
    expect(who('dynamodb:Scan', 'KeysTable.Arn', { ...namesOnly, 'dynamodb:Select': 'ALL_ATTRIBUTES' })).toEqual([]);
    expect(who('dynamodb:PutItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': ['s#abc'] })).toEqual(subjects);
  });

  it('and only initialize-log makes secrets, blindly', () => {
    expect(who('dynamodb:PutItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': ['secret#kek'] })).toEqual(['initializelog']);
    expect(who('kms:GenerateDataKeyWithoutPlaintext', 'WrappingKey.Arn', { 'kms:EncryptionContext:intact': 'kek' })).toEqual(['initializelog']);
    expect(who('kms:GenerateDataKey', 'WrappingKey.Arn', { 'kms:EncryptionContext:intact': 'kek' })).toEqual([]);
  });

  it('and the key at rest is used through the service that stores the data only', () => {
    expect(who('kms:Decrypt', 'DataKey.Arn')).toEqual([]);
    for (const { Condition } of statements.filter(({ Resource }) => listOf(Resource).includes('DataKey.Arn'))) expect(Object.keys(Condition!['StringEquals']!)).toEqual(['kms:ViaService']);
  });

  it('and only publish-log and initialize-log sign', () => {
    expect(who('kms:Sign', 'SigningKey.Arn')).toEqual(['initializelog', 'publishlog']);
  });
});

describe('receive-webhook, the one function the world can reach', () => {
  it('has these rights and no others', () => {
    const through = (service: string): Statement['Condition'] => ({ StringEquals: { 'kms:ViaService': expect.stringContaining(`${service}.`) as unknown as string } });
    const kms = ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];
    const expected: Statement[] = [
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: 'receivewebhooklog.Arn' },
      { Effect: 'Allow', Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Resource: '*' },
      { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: 'AppSecret' },
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: ['InboxBucket.Arn/content/*', 'InboxBucket.Arn/delivery/*'] },
      { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'InboxBucket.Arn' },
      { Effect: 'Allow', Action: kms, Resource: 'DataKey.Arn', Condition: through('s3')! },
      { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: 'RecordsTable.Arn', Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['m#*', 'f#*', 'q#*', 'w#*', 'c#*', 'a#*'] } } },
      { Effect: 'Allow', Action: ['dynamodb:ConditionCheckItem', 'dynamodb:GetItem', 'dynamodb:Query'], Resource: 'RecordsTable.Arn' },
      { Effect: 'Allow', Action: kms, Resource: 'DataKey.Arn', Condition: through('dynamodb')! },
      { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: 'KeysTable.Arn', Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['secret#mac', 'secret#dedupe'] } } },
      { Effect: 'Allow', Action: 'kms:Decrypt', Resource: 'WrappingKey.Arn', Condition: { StringEquals: { 'kms:EncryptionContext:intact': ['mac', 'dedupe'] } } },
    ];
    expect(rights['receivewebhook']).toHaveLength(expected.length);
    for (const statement of expected) expect(rights['receivewebhook']).toContainEqual(statement);
  });
});

describe('the stream readers', () => {
  const mapping = (fn: string): Record<string, Loose> => {
    const [found] = ofType(service, 'AWS::Lambda::EventSourceMapping').filter(([, { Properties }]) => resolved(Properties['FunctionName'], prod) === fn);
    return resolved(found![1].Properties, prod);
  };

  it.each(['sealrecords', 'projectviews', 'publishlog'])('of %s begin at the oldest change and never skip, split or give up', (fn) => {
    expect(mapping(fn)).toMatchObject({ StartingPosition: 'TRIM_HORIZON', BisectBatchOnFunctionError: false, MaximumRetryAttempts: -1, MaximumRecordAgeInSeconds: -1, ParallelizationFactor: 1 });
    expect(mapping(fn)['FunctionResponseTypes']).toBeUndefined();
    expect(mapping(fn)['DestinationConfig']).toBeUndefined();
  });

  it("gather changes for the stage's seal window; the publisher waits for nothing", () => {
    expect(mapping('sealrecords')).toMatchObject({ EventSourceArn: 'RecordsTable.StreamArn', MaximumBatchingWindowInSeconds: 1, BatchSize: 1000 });
    expect(mapping('publishlog')).toMatchObject({ EventSourceArn: 'LogTable.StreamArn', MaximumBatchingWindowInSeconds: 0 });
  });

  it('of the log hear of the head only', () => {
    expect(mapping('publishlog')['FilterCriteria'].Filters.map(({ Pattern }: { Pattern: string }) => JSON.parse(Pattern))).toEqual([{ dynamodb: { Keys: { pk: { S: ['head'] } } } }]);
    expect(mapping('sealrecords')['FilterCriteria']).toBeUndefined();
  });

  it('may read any stream the table will ever have, so that one made again under its name is sealed, and no other table\'s', () => {
    const younger = 'RecordsTable.Arn/stream/2031-01-01T00:00:00.000';
    expect(who('dynamodb:GetRecords', younger)).toEqual(['projectviews', 'sealrecords']);
    expect(who('dynamodb:GetRecords', 'LogTable.Arn/stream/2031-01-01T00:00:00.000')).toEqual(['publishlog']);
    for (const other of ['RecordsTable.Arn-drill-scratch/stream/2031-01-01T00:00:00.000', 'KeysTable.Arn/stream/x']) expect([other, who('dynamodb:GetRecords', other)]).toEqual([other, []]);
  });

  it('of the records are two, which is all a stream bears', () => {
    const readers = ofType(service, 'AWS::Lambda::EventSourceMapping').filter(([, { Properties }]) => resolved(Properties['EventSourceArn'], prod) === 'RecordsTable.StreamArn');
    expect(readers).toHaveLength(2);
  });
});

describe('nothing starts before the log exists', () => {
  const log = ofType(service, 'Custom::IntactLog').map(([id]) => id)[0]!;
  const waiting = (type: string): string[] => ofType(service, type).filter(([, { DependsOn }]) => DependsOn?.includes(log)).map(([id]) => id);

  it('no stream reader, no inbox reader, no endpoint', () => {
    expect(waiting('AWS::Lambda::EventSourceMapping')).toHaveLength(ofType(service, 'AWS::Lambda::EventSourceMapping').length);
    expect(waiting('AWS::ApiGatewayV2::Route')).toHaveLength(4);
  });

  it('and the log is made with the rights in force', () => {
    const { DependsOn, Properties } = one(service, 'Custom::IntactLog', 'InitializedLog');
    expect(DependsOn).toContain(ofType(service, 'AWS::IAM::Policy').map(([id]) => id).find((id) => id.startsWith('initializelogroleDefaultPolicy')));
    expect(Properties).toMatchObject({ OriginPrefix: 'example.com/whatsapp' });
  });
});

describe('the endpoint', () => {
  it('has the routes of the webhook, of health and of staff, a throttle and an access log that holds neither query strings nor headers', () => {
    expect(ofType(service, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties['RouteKey']).sort()).toEqual(['GET /health', 'GET /v1/me', 'GET /webhook', 'POST /webhook']);
    const stage = one(service, 'AWS::ApiGatewayV2::Stage', 'Webhook').Properties;
    expect(stage).toMatchObject({ StageName: '$default', DefaultRouteSettings: { ThrottlingRateLimit: 2000, ThrottlingBurstLimit: 4000 } });
    const format = stage['AccessLogSettings'].Format as string;
    expect(Object.keys(JSON.parse(format))).toContain('status');
    expect(format).not.toMatch(/query|header|authorizer|\$context\.path/i);
  });
});

describe('the schedules', () => {
  it('are these', () => {
    expect(Object.fromEntries(ofType(service, 'AWS::Events::Rule').map(([, { Properties }]) => [resolved(Properties['Targets'][0].Arn, prod).replace('.Arn', ''), Properties['ScheduleExpression']]))).toEqual({
      heartbeat: 'rate(15 minutes)', sweepinbox: 'rate(5 minutes)', sealmissing: 'rate(6 hours)', WholeVaultverifyvault: 'rate(1 day)', WholeVaultaudittable: 'rate(1 day)', rundrill: 'rate(6 days)', WholeVaulttakesnapshot: 'rate(6 days)', reconciledeliveries: 'rate(1 day)',
    });
  });
});
