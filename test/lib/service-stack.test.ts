/** What runs, what wakes it, and above all what each function may do: read from the deployed templates, every statement. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PLAIN_PROFILES } from '../../src/core/staff/profile-settings';
import type { TableKey } from '../../src/core/image';
import { recordKeys, viewKeys } from '../../src/core/table-keys';
import { STAFF_ROUTES } from '../../lib/constructs/staff-api';
import { staffRoutes } from '../../src/runtime/staff/routes';
import { isAllowed, listOf, type Request, type Statement } from './policy-evaluator';
import { grants, type Loose, ofType, one, resolved, root, synthesized } from './synthesized';

const prod = synthesized('prod');
const { service } = prod;
const rights = grants(prod);
const functions = [service, prod.data].flatMap((template) => ofType(template, 'AWS::Lambda::Function'));
const NAMES = ['apiadmin', 'apiaudit', 'apimessages', 'apiofficer', 'apioutbound', 'apiread', 'apiself', 'apiwrite', 'audittable', 'erasesubjects', 'heartbeat', 'initializelog', 'notesignin', 'processinbox', 'projectviews', 'publishlog', 'receivewebhook', 'reconciledeliveries', 'repairrecords', 'restoretable', 'rundrill', 'sealmissing', 'sealrecords', 'sweepinbox', 'takesnapshot', 'verifyvault'];

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
    for (const [, { Properties }] of [service, prod.data].flatMap((template) => ofType(template, 'AWS::Logs::LogGroup'))) expect(Properties).toMatchObject({ RetentionInDays: 365, LogGroupName: expect.stringMatching(/^\/intact\/prod\/[a-z-]+$/) });
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
    for (const template of [service, prod.data]) for (const [, { Properties }] of ofType(template, 'AWS::IAM::Role')) expect(Properties['ManagedPolicyArns']).toBeUndefined();
    expect(ofType(service, 'AWS::IAM::ManagedPolicy')).toEqual([]);
  });

  it('is one of a closed list: a new action is a decision', () => {
    expect([...new Set(statements.flatMap(({ Action }) => listOf(Action)))].sort()).toEqual([
      'dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem', 'dynamodb:ConditionCheckItem', 'dynamodb:CreateTable', 'dynamodb:DeleteItem', 'dynamodb:DeleteTable', 'dynamodb:DescribeContinuousBackups', 'dynamodb:DescribeStream', 'dynamodb:DescribeTable', 'dynamodb:DescribeTimeToLive', 'dynamodb:GetItem', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams', 'dynamodb:ListTagsOfResource', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:Scan', 'dynamodb:TagResource', 'dynamodb:UpdateContinuousBackups', 'dynamodb:UpdateItem', 'dynamodb:UpdateTable', 'dynamodb:UpdateTimeToLive',
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
    const editors = ['apiadmin', 'apiwrite'];
    const [receivers, sent, office] = [['processinbox', 'receivewebhook'], ['apioutbound'], ['apiofficer']];
    const own: Record<string, string[]> = { access: ['apiadmin', 'apiaudit', 'apimessages', 'apiofficer', 'apioutbound', 'apiread', 'apiwrite', 'notesignin'], message: [...receivers, ...sent], status: [...receivers, ...sent], outbound: [...receivers, ...sent], variant: [...receivers, ...sent], conflict: [...receivers, ...sent], alias: [...receivers, ...sent, 'apiwrite'], customer: [...editors, ...receivers, ...sent], audit: ['audittable'], drill: ['rundrill'], snapshot: ['takesnapshot'], reconciliation: ['reconciledeliveries'], restore: ['restoretable'], repair: [], finding: ['audittable', 'reconciledeliveries', 'sealmissing', 'sealrecords', 'verifyvault'], gap: ['sealmissing'], heartbeat: ['heartbeat'], verification: ['verifyvault'], account: [...receivers, ...sent], hold: office, reason: office, erasure: [], erasureRequest: office, certificate: [] };
    // Wherever a customer's records lie, and its own.
    const erases = /^([mfqac]|hold|erasure)#|^erasure-request$/;
    for (const [kind, make] of Object.entries(recordKeys)) {
      const key = kind === 'variant' || kind === 'conflict' ? recordKeys.message('x', 'x') : (make as (...parts: string[]) => TableKey)('xxxxxxxxxx', 'x', 'x');
      const partition = key.pk.startsWith('c#') ? 'customer' : kind;
      expect([kind, writers(key.pk)]).toEqual([kind, [...(own[partition] ?? receivers), ...(erases.test(key.pk) ? ['erasesubjects'] : []), 'repairrecords'].sort()]);
    }
    expect(writers('anything')).toEqual([]);
    // What was never ours may lie anywhere. Whatever it deletes is sealed, and found if no record of a repair permits it.
    for (const partition of ['m#x', 'anything']) expect(who('dynamodb:DeleteItem', 'RecordsTable.Arn', { 'dynamodb:LeadingKeys': [partition] })).toEqual(['repairrecords']);
    for (const action of ['dynamodb:UpdateItem', 'dynamodb:BatchWriteItem', 'dynamodb:PartiQLUpdate']) expect(who(action, 'RecordsTable.Arn')).toEqual([]);
  });

  it('that deletes is one of six: superseded partials, processed deliveries, the list of unsealed states, records that were never ours, terms that find nobody, content and views of the erased', () => {
    expect(who('s3:DeleteObject', 'VaultBucket.Arn/tile/0/x001/002.p/7')).toEqual(['publishlog']);
    for (const name of ['tile/0/x001/002', 'segment/0/a', 'blob/a', 'snapshot/1/000000-a', 'checkpoints/1', 'checkpoint', 'log.vkeys', 'anything']) expect(who('s3:DeleteObject', `VaultBucket.Arn/${name}`)).toEqual([]);
    expect(who('s3:DeleteObject', 'InboxBucket.Arn/delivery/a')).toEqual(['processinbox']);
    expect(who('s3:DeleteObject', 'InboxBucket.Arn/content/a')).toEqual(['erasesubjects']);
    expect(who('dynamodb:DeleteItem', 'RecordsTable.Arn')).toEqual(['repairrecords']);
    expect(who('dynamodb:DeleteItem', 'KeysTable.Arn')).toEqual([]);
    // A term of the search index that a customer no longer has.
    expect(['s#x', 'i#x', 'n#2026-01-01', 'seen#x'].map((partition) => who('dynamodb:DeleteItem', 'ViewsTable.Arn', { 'dynamodb:LeadingKeys': [partition] }))).toEqual([['projectviews'], [], [], []]);
    for (const partition of ['c#x', 'd#x#2026-01-01', 'a#x']) expect([partition, who('dynamodb:DeleteItem', 'ViewsTable.Arn', { 'dynamodb:LeadingKeys': [partition] })]).toEqual([partition, ['erasesubjects', 'projectviews']]);
    expect(who('dynamodb:DeleteItem', 'LogTable.Arn', { 'dynamodb:LeadingKeys': ['unsealed'] })).toEqual(['sealmissing']);
    expect(who('dynamodb:DeleteItem', 'LogTable.Arn', { 'dynamodb:LeadingKeys': ['head'] })).toEqual([]);
  });

  it('deletes no version, bypasses and shortens no lock, and touches no key, policy or bucket setting', () => {
    for (const action of ['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutObjectLegalHold', 's3:PutBucketPolicy', 's3:PutLifecycleConfiguration', 's3:PutBucketVersioning', 's3:PutBucketObjectLockConfiguration'])
      for (const resource of ['VaultBucket.Arn', 'VaultBucket.Arn/segment/0/a']) expect(who(action, resource)).toEqual([]);
    for (const action of ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:PutKeyPolicy', 'kms:CreateGrant']) for (const key of ['DataKey.Arn', 'WrappingKey.Arn', 'SigningKey.Arn']) expect(who(action, key)).toEqual([]);
  });
});

describe('the erasure', () => {
  it('is the only one that changes a row of the keys table, can open no key, and reads no body', () => {
    for (const action of ['dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem']) expect([action, who(action, 'KeysTable.Arn', { 'dynamodb:LeadingKeys': ['s#x'] })]).toEqual([action, action === 'dynamodb:UpdateItem' ? ['erasesubjects'] : []]);
    for (const name of ['kek', 'mac', 'dedupe']) expect(may('erasesubjects', 'dynamodb:UpdateItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': [`secret#${name}`] })).toBe(false);
    expect(may('erasesubjects', 'dynamodb:PutItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': ['s#x'] })).toBe(false);
    // Beside the keys it stands who is under a hold: written by who places holds, asked by who takes keys, and neither can do the other's.
    for (const action of ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:ConditionCheckItem']) {
      const whose: Readonly<Record<string, readonly string[]>> = { 'dynamodb:PutItem': ['apiofficer'], 'dynamodb:ConditionCheckItem': ['erasesubjects'] };
      expect([action, who(action, 'KeysTable.Arn', { 'dynamodb:LeadingKeys': ['hold#x'] })]).toEqual([action, whose[action] ?? []]);
      expect([action, may('apiofficer', action, 'KeysTable.Arn', { 'dynamodb:LeadingKeys': ['s#x'] })]).toEqual([action, false]);
    }
    expect(['kek', 'mac', 'dedupe'].filter((name) => may('erasesubjects', 'dynamodb:GetItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': [`secret#${name}`] }))).toEqual(['mac']);
    for (const name of ['content/a', 'delivery/a']) expect(may('erasesubjects', 's3:GetObject', `InboxBucket.Arn/${name}`)).toBe(false);
    expect(may('erasesubjects', 's3:DeleteObject', 'InboxBucket.Arn/delivery/a')).toBe(false);
    expect(who('dynamodb:PutItem', 'RecordsTable.Arn', { 'dynamodb:LeadingKeys': ['erasure#x'] })).toEqual(['erasesubjects', 'repairrecords']);
  });

  it('believes of the log what leads to a root that its own key signed: it reads tiles and that key, and signs nothing', () => {
    for (const name of ['tile/0/000', 'segment/0/a', 'checkpoint', 'log.vkeys']) expect([name, may('erasesubjects', 's3:GetObject', `VaultBucket.Arn/${name}`)]).toEqual([name, true]);
    expect(['kms:GetPublicKey', 'kms:Sign'].map((action) => may('erasesubjects', action, 'SigningKey.Arn'))).toEqual([true, false]);
  });

  it('looks for the keys in the second region, where the stage has one', () => {
    const regionOf = (all: typeof prod): unknown => one(all.service, 'AWS::Lambda::Function', 'erasesubjects').Properties['Environment'].Variables.INTACT_REPLICA_REGION;
    expect([regionOf(prod), regionOf(synthesized('dev')), regionOf(synthesized('prod', { drillFromReplicaEvery: 0 }))]).toEqual([prod.stage.offsite?.region, undefined, prod.stage.offsite?.region]);
    expect(JSON.stringify(grants(synthesized('dev'))['erasesubjects'])).not.toContain('eu-west-1');
  });
});

describe('the drill', () => {
  const scratch = 'RecordsTable.Arn-drill-scratch';

  it('is the only one that drops a table, and the only table it can make or drop is its own', () => {
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

  it('the audit and the restore change nothing of the live table but their own results', () => {
    for (const fn of ['audittable', 'restoretable', 'rundrill']) for (const action of ['dynamodb:DeleteItem', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem']) expect([fn, may(fn, action, 'RecordsTable.Arn')]).toEqual([fn, false]);
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
    for (const name of ['segment/0/a', 'blob/a', 'snapshot/1/manifest-a', 'checkpoints/1', 'log.vkeys', 'checkpoint']) expect([name, who('s3:GetObject', `${replica}/${name}`)]).toEqual([name, ['restoretable', 'rundrill']]);
    expect(who('s3:ListBucket', replica)).toEqual(['restoretable', 'rundrill']);
    for (const secret of ['kek', 'mac']) {
      expect(who('kms:Decrypt', keyThere, { 'kms:EncryptionContext:intact': secret })).toEqual(['rundrill']);
      expect(who('dynamodb:GetItem', keysThere, { 'dynamodb:LeadingKeys': [`secret#${secret}`] })).toEqual(['rundrill']);
    }
    // The erasure sees there whether a key is gone.
    expect(who('dynamodb:GetItem', keysThere, { 'dynamodb:LeadingKeys': ['s#abc'] })).toEqual(['erasesubjects', 'rundrill']);
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
    expect(who('s3:GetObject', 'VaultBucket.Arn/snapshot/1/000000-a')).toEqual(['restoretable', 'rundrill', 'takesnapshot', 'verifyvault']);
  });
});

describe('the restore in parts', () => {
  const copy = 'RecordsTable.Arn-restored-one';

  it('makes, sets and fills tables of their own names alone, with the same key, and drops none', () => {
    for (const action of ['dynamodb:CreateTable', 'dynamodb:TagResource', 'dynamodb:UpdateTable', 'dynamodb:UpdateTimeToLive', 'dynamodb:UpdateContinuousBackups', 'dynamodb:BatchWriteItem']) {
      expect([action, who(action, copy)]).toEqual([action, ['restoretable']]);
      for (const table of ['RecordsTable.Arn', 'LogTable.Arn', 'KeysTable.Arn', 'ViewsTable.Arn', 'RecordsTable.Arn-drill-scratch', 'RecordsTable.Arn-restored', 'RecordsTable.Arn2-restored-one']) expect([action, table, may('restoretable', action, table)]).toEqual([action, table, false]);
    }
    for (const table of [copy, 'RecordsTable.Arn', 'RecordsTable.Arn-drill-scratch']) for (const action of ['dynamodb:DeleteTable', 'dynamodb:DeleteItem', 'dynamodb:RestoreTableFromBackup']) expect([action, table, may('restoretable', action, table)]).toEqual([action, table, false]);
    expect(rights['restoretable']!.filter(({ Action }) => Action === 'kms:CreateGrant')).toEqual(rights['rundrill']!.filter(({ Action }) => Action === 'kms:CreateGrant'));
    expect(one(service, 'AWS::Lambda::Function', 'restoretable').Properties['Environment'].Variables.INTACT_RESTORED_PREFIX).toBeDefined();
  });

  it('sees how the live table is set, and neither walks it nor puts anything there but what it did', () => {
    expect(may('restoretable', 'dynamodb:DescribeTable', 'RecordsTable.Arn')).toBe(true);
    for (const action of ['dynamodb:Scan', 'dynamodb:Query', 'dynamodb:BatchGetItem']) expect([action, may('restoretable', action, 'RecordsTable.Arn')]).toEqual([action, false]);
    expect(['restore', 'drill', 'm#x', 'c#x'].filter((partition) => may('restoretable', 'dynamodb:PutItem', 'RecordsTable.Arn', { 'dynamodb:LeadingKeys': [partition] }))).toEqual(['restore']);
  });
});

describe('what is too much for one function', () => {
  const TASKS = [['verifyvault', 'verify-vault'], ['audittable', 'audit-table'], ['rundrill', 'run-drill'], ['takesnapshot', 'take-snapshot'], ['restoretable', 'restore-table']] as const;
  const machine = (fn: string) => one(service, 'AWS::StepFunctions::StateMachine', `WholeVault${fn}`).Properties;
  const definition = (fn: string): Loose => JSON.parse(resolved(machine(fn)['DefinitionString'], prod) as string);
  const rightsOf = (role: string): Statement[] => ofType(service, 'AWS::IAM::Policy').filter(([, { Properties }]) => (resolved(Properties['Roles'], prod) as string[]).includes(role)).flatMap(([, { Properties }]) => resolved(Properties['PolicyDocument'].Statement, prod) as Statement[]);

  it('is five machines, traced, whose logs hold no data', () => {
    const machines = ofType(service, 'AWS::StepFunctions::StateMachine');
    expect(machines).toHaveLength(5);
    for (const [, { Properties }] of machines) expect(Properties).toMatchObject({ StateMachineType: 'STANDARD', TracingConfiguration: { Enabled: true }, LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false } });
  });

  it.each(TASKS)('%s: begins, and goes in parts and merges until it is done, all by the one function', (fn) => {
    const { StartAt, States } = definition(fn);
    expect(StartAt).toBe('Begin');
    const retried = [expect.objectContaining({ ErrorEquals: expect.arrayContaining(['Lambda.ServiceException']) as string[] }), { ErrorEquals: ['States.ALL'], IntervalSeconds: 60, MaxAttempts: 2, BackoffRate: 2 }];
    const called = { Type: 'Task', Resource: `${fn}.Arn`, Retry: retried };
    expect(States).toEqual({
      // Of a restore alone it matters what was asked for.
      Begin: { ...called, Parameters: { step: 'begin', ...(fn === 'restoretable' && { 'asked.$': '$' }) }, Next: 'Done?' },
      'Done?': { Type: 'Choice', Choices: [{ Variable: '$.done', BooleanEquals: true, Next: 'Done' }], Default: 'Parts' },
      Done: { Type: 'Succeed' },
      Parts: {
        Type: 'Map', Label: 'Parts', ItemsPath: '$.parts', MaxConcurrency: fn === 'rundrill' ? 1 : 5, ResultPath: null, Next: 'Merge', ...(fn === 'restoretable' && { ToleratedFailurePercentage: 100 }),
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

  it('is started by its schedule alone, and a restore by people alone', () => {
    const starters = ofType(service, 'AWS::IAM::Policy').filter(([, { Properties }]) => JSON.stringify(Properties).includes('states:StartExecution')).map(([id]) => id.replace(/[0-9A-F]{8}$/, ''));
    expect(starters.sort()).toEqual(TASKS.flatMap(([fn]) => [`WholeVault${fn}DistributedMapPolicy`, ...(fn === 'restoretable' ? [] : [`WholeVault${fn}EventsRoleDefaultPolicy`])]).sort());
    for (const [fn] of TASKS) expect(who('states:StartExecution', `WholeVault${fn}`)).toEqual([]);
  });
});

describe('the functions of staff', () => {
  const STAFF = ['apiadmin', 'apiaudit', 'apimessages', 'apiofficer', 'apioutbound', 'apiread', 'apiwrite'];
  const RECORDS = 'RecordsTable.Arn';
  const at = (partition: string): Request['keys'] => ({ 'dynamodb:LeadingKeys': [partition] });
  /** Who of them may do this to a record in this partition. */
  const staffWho = (action: string, partition: string): string[] => STAFF.filter((fn) => may(fn, action, RECORDS, at(partition)));

  it('read profiles, messages, or the access log, each what it shows', () => {
    const profiles = ['apiadmin', 'apimessages', 'apioutbound', 'apiread', 'apiwrite'];
    expect([staffWho('dynamodb:GetItem', 'c#x'), staffWho('dynamodb:Query', 'c#x')]).toEqual([[...profiles, 'apiofficer'].sort(), profiles]);
    for (const action of ['dynamodb:GetItem', 'dynamodb:Query']) {
      expect([action, staffWho(action, 'm#x')]).toEqual([action, ['apimessages', 'apioutbound']]);
      for (const partition of ['f#x', 'finding#x', 'repair#x', 'anything']) expect([action, partition, staffWho(action, partition)]).toEqual([action, partition, []]);
    }
    // Each sees whether a line of its own is there; who may list them is another matter. The search asks whether a number is a customer's.
    expect([staffWho('dynamodb:GetItem', 'access#2026-01-01'), staffWho('dynamodb:Query', 'access#2026-01-01')]).toEqual([STAFF, ['apiaudit']]);
    expect([staffWho('dynamodb:GetItem', 'a#x'), staffWho('dynamodb:Query', 'a#x')]).toEqual([['apioutbound', 'apiread', 'apiwrite'], ['apioutbound', 'apiread', 'apiwrite']]);
    // An officer names quarantined input that goes with a person: whether it is there, and whose key it has.
    expect([staffWho('dynamodb:GetItem', 'q#x'), staffWho('dynamodb:Query', 'q#x')]).toEqual([[], ['apiofficer']]);
    for (const action of ['dynamodb:Scan', 'dynamodb:BatchGetItem', 'dynamodb:PartiQLSelect']) expect([action, STAFF.filter((fn) => may(fn, action, RECORDS))]).toEqual([action, []]);
  });

  it('write profiles, what was sent, holds and requests, or nothing but their own lines of the access log', () => {
    expect([staffWho('dynamodb:PutItem', 'c#x'), staffWho('dynamodb:PutItem', 'access#2026-01-01')]).toEqual([['apiadmin', 'apioutbound', 'apiwrite'], STAFF]);
    for (const partition of ['m#x', 'w#1']) expect([partition, staffWho('dynamodb:PutItem', partition)]).toEqual([partition, ['apioutbound']]);
    // Linking gives a customer a number or takes it away.
    expect(staffWho('dynamodb:PutItem', 'a#x')).toEqual(['apioutbound', 'apiwrite']);
    for (const partition of ['hold#x', 'erasure-request']) expect([partition, staffWho('dynamodb:PutItem', partition)]).toEqual([partition, ['apiofficer']]);
    expect([staffWho('dynamodb:GetItem', 'hold#x'), staffWho('dynamodb:GetItem', 'erasure-request')]).toEqual([['apiofficer'], ['apiofficer', 'apiwrite']]);
    // What it came to is for the function that erases to say, and for an officer to read.
    expect([staffWho('dynamodb:PutItem', 'erasure#x'), staffWho('dynamodb:GetItem', 'erasure#x')]).toEqual([[], ['apiofficer']]);
    for (const partition of ['f#x', 'q#x', 'finding#x', 'repair#x', 'restore', 'anything']) expect([partition, staffWho('dynamodb:PutItem', partition)]).toEqual([partition, []]);
    for (const action of ['dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem', 'dynamodb:PartiQLUpdate']) expect([action, STAFF.filter((fn) => may(fn, action, RECORDS, at('c#x')))]).toEqual([action, []]);
  });

  it('find by operator what is to be undone or audited, and by customer who saw them and what was said', () => {
    expect(STAFF.filter((fn) => may(fn, 'dynamodb:Query', `${RECORDS}/index/byOperator`))).toEqual(['apiadmin', 'apiaudit']);
    expect(STAFF.filter((fn) => may(fn, 'dynamodb:Query', `${RECORDS}/index/byCustomer`))).toEqual(['apiaudit', 'apimessages']);
  });

  it('open nothing that was sealed, but the one that proves messages: it reads the vault and writes nothing there', () => {
    const secret = (name: string): string[] => STAFF.filter((fn) => may(fn, 'kms:Decrypt', 'WrappingKey.Arn', { 'kms:EncryptionContext:intact': name }) && may(fn, 'dynamodb:GetItem', 'KeysTable.Arn', at(`secret#${name}`)));
    expect([secret('mac'), secret('dedupe'), secret('kek')]).toEqual([STAFF, ['apiaudit', 'apimessages', 'apioutbound', 'apiread', 'apiwrite'], ['apimessages']]);
    const prover = ['apimessages'];
    const staff = (action: string, resource: string, keys: Request['keys'] = {}): string[] => STAFF.filter((fn) => may(fn, action, resource, keys));
    expect([staff('dynamodb:GetItem', 'KeysTable.Arn', at('s#x')), staff('dynamodb:PutItem', 'KeysTable.Arn', at('s#x')), staff('dynamodb:PutItem', 'KeysTable.Arn', at('secret#mac'))]).toEqual([prover, [], []]);
    expect([staff('dynamodb:GetItem', 'LogTable.Arn', at('identity')), staff('dynamodb:GetItem', 'LogTable.Arn', at('head')), staff('dynamodb:Query', 'LogTable.Arn', at('round')), staff('dynamodb:PutItem', 'LogTable.Arn', at('head'))]).toEqual([STAFF, prover, prover, []]);
    for (const name of ['segment/0/a', 'blob/a', 'tile/0/000', 'checkpoint', 'log.vkeys']) expect([name, staff('s3:GetObject', `VaultBucket.Arn/${name}`), staff('s3:PutObject', `VaultBucket.Arn/${name}`)]).toEqual([name, prover, []]);
    for (const name of ['snapshot/1/000000-a', 'checkpoints/1']) expect([name, staff('s3:GetObject', `VaultBucket.Arn/${name}`)]).toEqual([name, []]);
    for (const fn of STAFF) expect(JSON.stringify(rights[fn])).not.toMatch(/"sqs:|secretsmanager|kms:Sign|s3:Delete/);
    expect(rights['apiself']!.flatMap(({ Action }) => listOf(Action)).filter((action) => !/^(logs|xray):/.test(action))).toEqual([]);
  });

  it('read and put content that is too long for a record where they show or record messages, and no delivery', () => {
    const inbox = (action: string, name: string): string[] => STAFF.filter((fn) => may(fn, action, `InboxBucket.Arn/${name}`));
    expect([inbox('s3:GetObject', 'content/a'), inbox('s3:PutObject', 'content/a'), inbox('s3:GetObject', 'delivery/a'), inbox('s3:PutObject', 'delivery/a')]).toEqual([['apimessages', 'apioutbound'], ['apioutbound'], [], []]);
  });

  it('remember requests where nothing else lies, and search where only the projection writes', () => {
    const views = (action: string, partition: string): string[] => STAFF.filter((fn) => may(fn, action, 'ViewsTable.Arn', at(partition)));
    for (const { pk } of [viewKeys.idempotency('x'), viewKeys.limit('x')]) expect([pk, views('dynamodb:UpdateItem', pk), views('dynamodb:GetItem', pk)]).toEqual([pk, STAFF, []]);
    expect([views('dynamodb:Query', 's#x'), views('dynamodb:Query', 'w#x'), views('dynamodb:PutItem', 's#x'), views('dynamodb:Query', 'a#x'), views('dynamodb:Query', 'c#x'), views('dynamodb:UpdateItem', 'c#x'), views('dynamodb:UpdateItem', 'n#2026-01-01')]).toEqual([['apiread'], ['apiaudit'], [], ['apimessages'], [], [], []]);
  });

  it('know the routes that are deployed to them, and no others', () => {
    const known = new Map<string, string[]>();
    for (const { level, key } of staffRoutes(PLAIN_PROFILES)) known.set(`api-${level}`, [...(known.get(`api-${level}`) ?? []), key]);
    const deployed = Object.entries(STAFF_ROUTES).filter(([name]) => name !== 'api-self');
    expect(Object.fromEntries([...known].map(([name, routes]) => [name, routes.sort()]))).toEqual(Object.fromEntries(deployed.map(([name, routes]) => [name, [...routes].sort()])));
  });

  it('are called by the routes of their privilege, each behind the authorizer, and by nobody else; a system opens one route', () => {
    const integrations = new Map(ofType(service, 'AWS::ApiGatewayV2::Integration').map(([id, { Properties }]) => [id, String(resolved(Properties['IntegrationUri'], prod)).replace(/\.Arn$/, '')]));
    const routes = ofType(service, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => ({ route: Properties['RouteKey'] as string, fn: integrations.get(Properties['Target']['Fn::Join'][1][1].Ref), authorized: Properties['AuthorizationType'] === 'JWT' && Properties['AuthorizerId'] !== undefined, scopes: Properties['AuthorizationScopes'] as unknown }));
    const person = 'aws.cognito.signin.user.admin';
    for (const [name, keys] of Object.entries(STAFF_ROUTES)) for (const key of keys) expect(routes.find(({ route }) => route === key)).toEqual({ route: key, fn: name.replace('-', ''), authorized: true, scopes: key === 'POST /v1/outbound' ? [person, 'intact/outbound'] : [person] });
    expect(routes.filter(({ route }) => / \/v1(\/|$)/.test(route)).map(({ route }) => route).sort()).toEqual(Object.values(STAFF_ROUTES).flat().sort());
  });
});

describe('note-sign-in', () => {
  it('is called by the user pool, adds lines to the access log, and can do nothing else', () => {
    const done = rights['notesignin']!.flatMap(({ Action, Resource, Condition }) => listOf(Action).filter((action) => !/^(logs|xray):/.test(action)).map((action) => [action, Resource, (Condition as Record<string, Record<string, unknown>> | undefined)?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']]));
    expect(done.filter(([action]) => String(action).startsWith('dynamodb:'))).toEqual(expect.arrayContaining([['dynamodb:PutItem', 'RecordsTable.Arn', ['access#*']]]) as unknown);
    expect(done.filter(([action]) => /Put|Update|Delete|Scan|Query/.test(String(action)))).toEqual([['dynamodb:PutItem', 'RecordsTable.Arn', ['access#*']]]);
    expect(['mac', 'dedupe', 'kek'].map((name) => may('notesignin', 'kms:Decrypt', 'WrappingKey.Arn', { 'kms:EncryptionContext:intact': name }))).toEqual([true, false, false]);
    const { Properties } = one(prod.data, 'AWS::Cognito::UserPool', 'StaffPool');
    expect(resolved(Properties['LambdaConfig'], prod)).toEqual({ PreTokenGeneration: 'notesignin.Arn' });
    expect(ofType(prod.data, 'AWS::Lambda::Permission').map(([, permission]) => resolved(permission.Properties, prod) as unknown)).toEqual([{ Action: 'lambda:InvokeFunction', FunctionName: 'notesignin.Arn', Principal: 'cognito-idp.amazonaws.com', SourceArn: 'StaffPool.Arn' }]);
    // The pool waits no longer.
    expect(one(prod.data, 'AWS::Lambda::Function', 'notesignin').Properties['Timeout']).toBe(5);
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
    expect(who('sqs:SendMessage', queue)).toEqual(['audittable', 'erasesubjects', 'sealmissing', 'sealrecords']);
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
    for (const fn of ['audittable', 'erasesubjects', 'sealmissing', 'sealrecords']) {
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
    ['kek', ['apimessages', 'audittable', 'initializelog', 'publishlog', 'reconciledeliveries', 'repairrecords', 'restoretable', 'rundrill', 'sealmissing', 'sealrecords', 'takesnapshot']],
    ['mac', ['apiadmin', 'apiaudit', 'apimessages', 'apiofficer', 'apioutbound', 'apiread', 'apiwrite', 'audittable', 'erasesubjects', 'heartbeat', 'notesignin', 'processinbox', 'projectviews', 'receivewebhook', 'reconciledeliveries', 'repairrecords', 'restoretable', 'rundrill', 'sealmissing', 'sealrecords', 'takesnapshot', 'verifyvault']],
    ['dedupe', ['apiaudit', 'apimessages', 'apioutbound', 'apiread', 'apiwrite', 'processinbox', 'projectviews', 'receivewebhook', 'reconciledeliveries']],
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
    expect(who('dynamodb:GetItem', 'KeysTable.Arn', { 'dynamodb:LeadingKeys': ['s#abc'] })).toEqual(['apimessages', 'audittable', 'erasesubjects', 'reconciledeliveries', 'repairrecords', 'restoretable', 'rundrill', 'takesnapshot', ...subjects].sort());
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
    expect(waiting('AWS::ApiGatewayV2::Route')).toHaveLength(ofType(service, 'AWS::ApiGatewayV2::Route').length);
  });

  it('and the log is made with the rights in force', () => {
    const { DependsOn, Properties } = one(service, 'Custom::IntactLog', 'InitializedLog');
    expect(DependsOn).toContain(ofType(service, 'AWS::IAM::Policy').map(([id]) => id).find((id) => id.startsWith('initializelogroleDefaultPolicy')));
    expect(Properties).toMatchObject({ OriginPrefix: 'example.com/whatsapp' });
  });
});

describe('the endpoint', () => {
  it('has the routes of the webhook, of health and of staff, a throttle and an access log that holds neither query strings nor headers', () => {
    expect(ofType(service, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties['RouteKey']).sort()).toEqual([...Object.values(STAFF_ROUTES).flat(), 'GET /health', 'GET /webhook', 'POST /webhook'].sort());
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
      heartbeat: 'rate(15 minutes)', sweepinbox: 'rate(5 minutes)', sealmissing: 'rate(6 hours)', WholeVaultverifyvault: 'rate(1 day)', WholeVaultaudittable: 'rate(1 day)', WholeVaultrundrill: 'rate(6 days)', WholeVaulttakesnapshot: 'rate(6 days)', reconciledeliveries: 'rate(1 day)', erasesubjects: 'rate(5 minutes)',
    });
  });
});
