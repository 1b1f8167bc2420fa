/**
 * What runs: the functions, what triggers each and what each may do, the public endpoint, the alarms. The list of grants below is the whole of what a function of ours can
 * reach; a construct of the data stack writes the statements. Nothing starts before the log exists.
 */
import { CfnOutput, CustomResource, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { Env } from '../src/runtime/env';
import type { FunctionName } from './constructs/alarm-registry';
import { Alarms } from './constructs/alarms';
import { IntactFunction } from './constructs/intact-function';
import { PROCESSING_TIMEOUT } from './constructs/inbox';
import type { LambdaCode } from './constructs/lambda-bundles';
import { REPAIR_TIMEOUT, Repairs } from './constructs/repairs';
import { drillRoleName, drillsFromReplica, restoreRoleName } from './constructs/replica';
import { reviewed } from './constructs/reviewed';
import { every, everyWhole } from './constructs/schedule';
import { StaffApi } from './constructs/staff-api';
import { WatchBoard } from './constructs/watch-board';
import { WebhookApi } from './constructs/webhook-api';
import { WholeVault } from './constructs/whole-vault';
import type { DataStack } from './data-stack';
import type { Stage } from './stage';

const HEARTBEAT = Duration.minutes(15);
const SWEEP = Duration.minutes(5);
/** Each step of an erasure is a run of its own, and most of an erasure is waiting. */
const ERASE = Duration.minutes(5);
/** It seals what it has seen unsealed for 25 hours and looks back three days: a daily run would see a loss a third time only when it is out of sight. */
const SEAL_MISSING = Duration.hours(6);
/** HTTP APIs give up after 30 s; the answer must be ours before that. */
const WEBHOOK_TIMEOUT = Duration.seconds(28);
/** A round of 10,000 changes and their blobs, with the SDK's own retries. */
const SEAL_TIMEOUT = Duration.minutes(5);
/** Whoever waits at a page; and API Gateway gives up after 30 s. */
const STAFF_TIMEOUT = Duration.seconds(15);
/** Many customers one after the other, or the log searched for an entry: as long as API Gateway waits. */
const LONG_STAFF_TIMEOUT = Duration.seconds(28);
/** Lambda's longest. What is too much for that is done in parts. */
const LONGEST = Duration.minutes(15);

export interface ServiceStackProps extends StackProps {
  readonly stage: Stage;
  readonly data: DataStack;
  readonly code: LambdaCode;
}

export class ServiceStack extends Stack {
  readonly functions: Readonly<Record<FunctionName, IntactFunction>>;

  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    const { stage, data, code, ...stackProps } = props;
    super(scope, id, stackProps);
    const fn = (name: FunctionName, memoryMiB: number, timeout: Duration, description: string, more: { readonly roleName?: string } = {}): IntactFunction => new IntactFunction(this, name, { stage, code, memoryMiB, timeout, description, ...more });
    this.functions = {
      'receive-webhook': fn('receive-webhook', 1024, WEBHOOK_TIMEOUT, 'Records one signed delivery; answers 200 only when all of it is durable'),
      'process-inbox': fn('process-inbox', 1024, PROCESSING_TIMEOUT, 'Records one big delivery from the inbox'),
      'sweep-inbox': fn('sweep-inbox', 256, Duration.minutes(1), 'Announces again what was left in the inbox'),
      'seal-records': fn('seal-records', 1769, SEAL_TIMEOUT, 'Seals every change of the records table'),
      'publish-log': fn('publish-log', 1769, SEAL_TIMEOUT, 'Publishes tiles, bundles and signed checkpoints'),
      'project-views': fn('project-views', 512, Duration.minutes(1), 'Keeps conversation summaries and counters'),
      heartbeat: fn('heartbeat', 256, Duration.minutes(1), 'Keeps the log fresh when nothing happens'),
      'seal-missing': fn('seal-missing', 1769, LONGEST, 'Seals what the stream lost'),
      'repair-records': fn('repair-records', 1769, REPAIR_TIMEOUT, 'Puts back what was changed past the rules'),
      'verify-vault': fn('verify-vault', 3008, LONGEST, 'Verifies the whole vault'),
      'audit-table': fn('audit-table', 3008, LONGEST, 'Compares a share of the records table with the log'),
      'run-drill': fn('run-drill', 3008, LONGEST, 'Restores into a scratch table, compares, drops it', stage.offsite?.account === undefined ? {} : { roleName: drillRoleName(stage) }),
      'take-snapshot': fn('take-snapshot', 3008, LONGEST, 'Puts a full backup into the vault'),
      'restore-table': fn('restore-table', 3008, LONGEST, 'Restores into a table of its own, a share at a time', stage.offsite?.account === undefined ? {} : { roleName: restoreRoleName(stage) }),
      'reconcile-deliveries': fn('reconcile-deliveries', 1769, LONGEST, 'Compares what was answered 200 with what is recorded, and with what Meta has'),
      'erase-subjects': fn('erase-subjects', 1769, Duration.minutes(10), 'Takes erased customers out of every store, step by step'),
      'api-self': fn('api-self', 256, Duration.seconds(10), 'Tells staff who they are; reads no store'),
      'api-read': fn('api-read', 1769, STAFF_TIMEOUT, 'Shows staff the customers they may see'),
      'api-write': fn('api-write', 1769, STAFF_TIMEOUT, 'Changes one profile for staff'),
      'api-admin': fn('api-admin', 1769, LONG_STAFF_TIMEOUT, 'Undoes what one operator changed'),
      'api-audit': fn('api-audit', 1769, STAFF_TIMEOUT, 'Shows officers and auditors who saw and did what'),
      'api-messages': fn('api-messages', 1769, LONG_STAFF_TIMEOUT, 'Shows staff conversations, and proves messages'),
      'api-outbound': fn('api-outbound', 1024, STAFF_TIMEOUT, 'Records what sending systems sent'),
      'api-officer': fn('api-officer', 1769, STAFF_TIMEOUT, 'Places holds and takes requests for erasures'),
      'note-sign-in': data.noteSignIn,
      'initialize-log': fn('initialize-log', 512, Duration.minutes(2), 'Makes the secrets, the name and the empty head of the log, once'),
    };
    reviewed(this, 'AwsSolutions-L1', 'Node 22 is the newest runtime that the SDK, middy and the local cloud were tried with together; upgrading is a change of its own.');
    this.grantReceiving(data);
    this.grantSealing(data);
    this.grantWatching(data);
    this.grantComparing(stage, data);
    this.grantSnapshots(data);
    this.grantRestoring(data);
    this.grantReconciling(stage, data);
    this.grantErasing(stage, data);
    this.grantStaff(stage, data);
    const repairs = this.repairs(stage, data);
    for (const parted of ['verify-vault', 'audit-table', 'run-drill', 'take-snapshot', 'restore-table'] as const) data.workings.grantParts(this.functions[parted]);
    const { machines } = new WholeVault(this, 'WholeVault', { stage, functions: this.functions });

    const log = this.initializedLog(stage, data);
    for (const mapping of [...this.feeds(data), repairs.feed(this.functions['repair-records'])]) mapping.node.addDependency(log);
    every(HEARTBEAT, this.functions.heartbeat).node.addDependency(log);
    every(SWEEP, this.functions['sweep-inbox']);
    every(ERASE, this.functions['erase-subjects']).node.addDependency(log);
    every(SEAL_MISSING, this.functions['seal-missing']).node.addDependency(log);
    everyWhole(Duration.hours(stage.verifyEveryHours), machines['verify-vault']).node.addDependency(log);
    everyWhole(Duration.hours(stage.auditEveryHours), machines['audit-table']).node.addDependency(log);
    everyWhole(Duration.days(stage.drillEveryDays), machines['run-drill']).node.addDependency(log);
    everyWhole(Duration.days(stage.snapshot.everyDays), machines['take-snapshot']).node.addDependency(log);
    every(Duration.hours(stage.reconcile.everyHours), this.functions['reconcile-deliveries']).node.addDependency(log);
    const webhook = new WebhookApi(this, 'Webhook', { stage, receive: this.functions['receive-webhook'] });
    // Before the secrets exist nothing could be recorded.
    webhook.node.addDependency(log);
    // Nothing could be noted in the access log before, so nothing could be answered.
    new StaffApi(this, 'StaffApi', { api: webhook.api, staff: data.staff, functions: this.functions }).node.addDependency(log);

    const alarms = new Alarms(this, 'Alarms', { stage, functions: this.functions, deadLetters: { inbox: data.inbox.deadLetters, repairs: repairs.work.deadLetters }, machines, api: webhook.api, vault: data.vault });
    new WatchBoard(this, 'Board', { stage, data, repairs: repairs.work, functions: this.functions, api: webhook.api, alarms });

    new CfnOutput(this, 'WebhookUrl', { value: webhook.webhookUrl, description: "The callback URL for Meta's dashboard" });
    new CfnOutput(this, 'ApiUrl', { value: webhook.api.apiEndpoint });
    new CfnOutput(this, 'RestoreMachineArn', { value: machines['restore-table'].stateMachineArn, description: 'Restores in parts; npx intact restore --in-parts starts it' });
    new CfnOutput(this, 'AlarmTopicArn', { value: alarms.topic.topicArn, description: 'Subscribe whoever is to be woken' });
  }

  private grantReceiving({ records, keys, views, inbox, appSecret }: DataStack): void {
    const { 'receive-webhook': receive, 'process-inbox': process, 'sweep-inbox': sweep, 'project-views': project } = this.functions;
    appSecret.grantRead(receive);
    inbox.grantPut(receive);
    for (const recorder of [receive, process]) {
      records.grantRecord(recorder);
      keys.grantSecrets(recorder, 'mac', 'dedupe');
    }
    inbox.grantSweep(sweep);
    views.grantProject(project);
    // What finds a customer is hashed, and taken from states whose MAC is right.
    keys.grantSecrets(project, 'mac', 'dedupe');
  }

  private grantSealing({ records, log, keys, vault, inbox, signingKey }: DataStack): void {
    const { 'seal-records': seal, 'seal-missing': sealMissing, 'publish-log': publish, 'initialize-log': initialize } = this.functions;
    for (const sealer of [seal, sealMissing]) {
      keys.grantSecrets(sealer, 'kek', 'mac');
      keys.grantSubjectKeys(sealer);
      vault.grantAppend(sealer);
      inbox.grantReadContent(sealer);
      records.grantReadPermissions(sealer);
    }
    records.grantPutOwn(seal, 'finding');
    records.grantPutOwn(sealMissing, 'finding', 'gap');
    log.grantSeal(seal);
    log.grantSealMissing(sealMissing);
    records.grantScan(sealMissing);
    log.grantRead(publish);
    keys.grantSecrets(publish, 'kek');
    vault.grantPublish(publish);
    signingKey.grantSignCheckpoints(publish);
    log.grantInitialize(initialize);
    keys.grantCreateSecrets(initialize);
    keys.grantSecrets(initialize, 'kek');
    vault.grantInitialize(initialize);
    signingKey.grantSignCheckpoints(initialize);
  }

  private grantWatching({ records, log, keys, vault, signingKey }: DataStack): void {
    const { heartbeat, 'verify-vault': verify } = this.functions;
    records.grantPutOwn(heartbeat, 'heartbeat');
    records.grantPutOwn(verify, 'verification', 'finding');
    records.grantReadVerifications(verify);
    for (const watcher of [heartbeat, verify]) {
      log.grantRead(watcher);
      keys.grantSecrets(watcher, 'mac');
    }
    vault.grantVerify(verify);
    signingKey.grantReadPublicKey(verify);
  }

  /** The two that hold the table against the log. Neither changes a record of the live table; what each may put are its own results. */
  private grantComparing(stage: Stage, data: DataStack): void {
    const { records, keys, vault } = data;
    const { auditEveryHours, auditShares, drillEveryDays, drillShares, drillFromReplicaEvery, offsite } = stage;
    const { 'audit-table': audit, 'run-drill': drill } = this.functions;
    vault.grantReplay(audit);
    vault.grantRestore(drill);
    for (const reader of [audit, drill]) this.grantOpenLog(reader, data);
    records.grantPutOwn(audit, 'audit', 'finding');
    records.grantCompare(audit);
    records.grantReadPermissions(audit);
    keys.grantListSubjects(audit);
    audit.addEnvironment(Env.AUDIT_ROTATION, `${auditEveryHours}/${auditShares}`);
    records.grantPutOwn(drill, 'drill');
    records.grantDrill(drill);
    drill.addEnvironment(Env.DRILL_ROTATION, `${24 * drillEveryDays}/${drillShares}`);
    if (offsite === null || !drillsFromReplica(stage)) return;
    // What it restores from then, it can read there alone; the first region is only what the result is compared with.
    vault.replication?.grantReadReplica(drill);
    keys.grantReadOffsite(drill, offsite.region, 'kek', 'mac');
    drill.addEnvironment(Env.DRILL_FROM_REPLICA_EVERY, `${drillFromReplicaEvery}`);
  }

  /** It reads what a restore reads, puts parts and manifest, and says so in a record; signing is the publisher's, through the log. */
  private grantSnapshots(data: DataStack): void {
    const { 'take-snapshot': snapshot } = this.functions;
    data.vault.grantSnapshot(snapshot);
    this.grantOpenLog(snapshot, data);
    data.records.grantPutOwn(snapshot, 'snapshot');
  }

  /** Beside the vault, all it takes to open every entry of the log, and to know the log and its records for ours. */
  private grantOpenLog(reader: IntactFunction, { log, keys, signingKey }: DataStack): void {
    log.grantRead(reader);
    keys.grantSecrets(reader, 'kek', 'mac');
    keys.grantReadSubjectKeys(reader);
    signingKey.grantReadPublicKey(reader);
  }

  /** It reads what a restore reads, the replica included, and fills tables that nothing else uses; of the live one it sees how it is set, and says in it what it did. */
  private grantRestoring(data: DataStack): void {
    const { records, log, vault, inbox } = data;
    const { 'restore-table': restore } = this.functions;
    vault.grantRestore(restore);
    vault.replication?.grantReadReplica(restore);
    this.grantOpenLog(restore, data);
    log.grantDescribe(restore);
    inbox.grantPutContent(restore);
    records.grantRestoreCopies(restore);
    records.grantPutOwn(restore, 'restore');
  }

  /** It holds what the receivers said of each delivery, in their own logs, against the records and the log; and Meta's history, where the stage has a token for it. */
  private grantReconciling({ logRetentionDays, reconcile: { meta } }: Stage, { records, log, keys, vault, inbox }: DataStack): void {
    const { 'reconcile-deliveries': reconcile, 'receive-webhook': receive, 'process-inbox': process } = this.functions;
    receive.grantReadLog(reconcile, Env.RECEIVE_LOG_GROUP);
    process.grantReadLog(reconcile, Env.PROCESS_LOG_GROUP);
    reconcile.addEnvironment(Env.LOG_RETENTION_DAYS, `${logRetentionDays}`);
    inbox.grantListDeliveries(reconcile);
    records.grantScan(reconcile);
    records.grantPutOwn(reconcile, 'reconciliation', 'finding');
    log.grantRead(reconcile);
    vault.grantReadSealed(reconcile);
    // To open entries, to check and make MACs, and to name a message as its record is named.
    keys.grantSecrets(reconcile, 'kek', 'mac', 'dedupe');
    keys.grantReadSubjectKeys(reconcile);
    if (meta === null) return;
    reconcile.addEnvironment(Env.META_TOKEN_SECRET_ARN, meta.tokenSecretArn);
    if (meta.baseUrl !== undefined) reconcile.addEnvironment(Env.META_BASE_URL, meta.baseUrl);
    reconcile.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [meta.tokenSecretArn] }));
  }

  /** It takes keys away and can open nothing: what it knows of a record is what the table says, and of the log what entries bear in clear. */
  private grantErasing({ offsite }: Stage, { records, log, keys, views, vault, inbox, signingKey }: DataStack): void {
    const { 'erase-subjects': erase } = this.functions;
    records.grantErase(erase);
    keys.grantErase(erase);
    if (offsite !== null) keys.grantSeeErasedIn(offsite.region, erase);
    keys.grantSecrets(erase, 'mac');
    inbox.grantErase(erase);
    views.grantErase(erase);
    log.grantRead(erase);
    vault.grantReplay(erase);
    signingKey.grantReadPublicKey(erase);
  }

  /** One function for each level of privilege: what it cannot reach, no error in a policy gives away. One reads messages, and it alone the log and the keys of customers. */
  private grantStaff(stage: Stage, data: DataStack): void {
    const { records, log, keys, views } = data;
    const { 'api-read': read, 'api-write': write, 'api-admin': admin, 'api-audit': audit, 'api-messages': messages, 'api-outbound': outbound, 'api-officer': officer } = this.functions;
    for (const fn of [read, write, admin, audit, messages, outbound, officer]) {
      records.grantNoteAccess(fn);
      log.grantReadIdentity(fn);
      keys.grantSecrets(fn, 'mac');
      views.grantRemember(fn);
      fn.addEnvironment(Env.PROFILE, JSON.stringify(stage.profile));
      fn.addEnvironment(Env.OPERATOR_LIMIT, `${stage.staff.limit.ratePerSecond}/${stage.staff.limit.burst}`);
    }
    records.grantReadCustomers(read);
    keys.grantSecrets(read, 'dedupe');
    views.grantSearch(read);
    records.grantReadAliases(read);
    for (const fn of [write, admin]) records.grantWriteCustomers(fn);
    records.grantLink(write);
    keys.grantSecrets(write, 'dedupe');
    records.grantFindByOperator(admin);
    records.grantReadAccess(audit);
    views.grantReadShown(audit);
    keys.grantSecrets(audit, 'dedupe');
    this.grantMessages(data);
    records.grantOffice(officer);
    keys.grantMarkHolds(officer);
  }

  /** A proof opens the entry of the message, so its function can open any: as it can read any message in the table. Whoever only records what was sent reads neither. */
  private grantMessages({ records, log, keys, views, vault, inbox }: DataStack): void {
    const { 'api-messages': messages, 'api-outbound': outbound } = this.functions;
    records.grantReadCustomers(messages);
    records.grantReadMessages(messages);
    views.grantReadAbout(messages);
    inbox.grantReadContent(messages);
    keys.grantSecrets(messages, 'dedupe', 'kek');
    keys.grantReadSubjectKeys(messages);
    log.grantRead(messages);
    vault.grantReplay(messages);
    records.grantRecordSent(outbound);
    inbox.grantPutContent(outbound);
    keys.grantSecrets(outbound, 'dedupe');
  }

  /** Who finds what has to be repaired may ask for it, if the stage does not want to be asked first; one function repairs, from the vault alone. */
  private repairs(stage: Stage, data: DataStack): Repairs {
    const { records, log, vault } = data;
    const { 'repair-records': repair, 'seal-records': seal, 'seal-missing': sealMissing, 'audit-table': audit, 'erase-subjects': erase } = this.functions;
    const repairs = new Repairs(this, 'Repairs');
    if (stage.repair === 'auto') for (const finder of [seal, sealMissing, audit, erase]) repairs.grantAsk(finder);
    records.grantRepair(repair);
    this.grantOpenLog(repair, data);
    log.grantNoteUnsealed(repair);
    vault.grantReplay(repair);
    return repairs;
  }

  private feeds({ records, log, inbox }: DataStack): Construct[] {
    return [
      records.feedSealer(this.functions['seal-records']),
      records.feedProjection(this.functions['project-views']),
      log.feedPublisher(this.functions['publish-log']),
      inbox.feed(this.functions['process-inbox']),
    ];
  }

  /** Run by CloudFormation at deployment; the handler answers it directly. A second run finds what the first one made. */
  private initializedLog(stage: Stage, data: DataStack): CustomResource {
    const initialize = this.functions['initialize-log'];
    const log = new CustomResource(this, 'InitializedLog', {
      serviceToken: initialize.functionArn,
      resourceType: 'Custom::IntactLog',
      // What the log is bound to; a change calls the handler again, which refuses what cannot change.
      properties: { OriginPrefix: stage.originPrefix, LogTable: data.log.table.tableName },
    });
    // The function's rights must be in force before it is called.
    log.node.addDependency(initialize.role!);
    return log;
  }
}
