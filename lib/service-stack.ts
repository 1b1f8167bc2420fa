/**
 * What runs: the functions, what triggers each and what each may do, the public endpoint, the alarms. The list of grants below is the whole of what a function of ours can
 * reach; a construct of the data stack writes the statements. Nothing starts before the log exists.
 */
import { CfnOutput, CustomResource, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Env } from '../src/runtime/env';
import type { FunctionName } from './constructs/alarm-registry';
import { Alarms } from './constructs/alarms';
import { IntactFunction } from './constructs/intact-function';
import { PROCESSING_TIMEOUT } from './constructs/inbox';
import type { LambdaCode } from './constructs/lambda-bundles';
import { REPAIR_TIMEOUT, Repairs } from './constructs/repairs';
import { reviewed } from './constructs/reviewed';
import { every } from './constructs/schedule';
import { WatchBoard } from './constructs/watch-board';
import { WebhookApi } from './constructs/webhook-api';
import type { DataStack } from './data-stack';
import type { Stage } from './stage';

const HEARTBEAT = Duration.minutes(15);
const SWEEP = Duration.minutes(5);
/** It seals what it has seen unsealed for 25 hours and looks back three days: a daily run would see a loss a third time only when it is out of sight. */
const SEAL_MISSING = Duration.hours(6);
/** HTTP APIs give up after 30 s; the answer must be ours before that. */
const WEBHOOK_TIMEOUT = Duration.seconds(28);
/** A round of 10,000 changes and their blobs, with the SDK's own retries. */
const SEAL_TIMEOUT = Duration.minutes(5);
/** Lambda's longest. A vault too big for it is verified in ranges. */
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
    const fn = (name: FunctionName, memoryMiB: number, timeout: Duration, description: string): IntactFunction => new IntactFunction(this, name, { stage, code, memoryMiB, timeout, description });
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
      'run-drill': fn('run-drill', 3008, LONGEST, 'Restores into a scratch table, compares, drops it'),
      'initialize-log': fn('initialize-log', 512, Duration.minutes(2), 'Makes the secrets, the name and the empty head of the log, once'),
    };
    reviewed(this, 'AwsSolutions-L1', 'Node 22 is the newest runtime that the SDK, middy and the local cloud were tried with together; upgrading is a change of its own.');
    this.grantReceiving(data);
    this.grantSealing(data);
    this.grantWatching(data);
    this.grantComparing(stage, data);
    const repairs = this.repairs(stage, data);

    const log = this.initializedLog(stage, data);
    for (const mapping of [...this.feeds(data), repairs.feed(this.functions['repair-records'])]) mapping.node.addDependency(log);
    every(HEARTBEAT, this.functions.heartbeat).node.addDependency(log);
    every(SWEEP, this.functions['sweep-inbox']);
    every(SEAL_MISSING, this.functions['seal-missing']).node.addDependency(log);
    every(Duration.hours(stage.verifyEveryHours), this.functions['verify-vault']).node.addDependency(log);
    every(Duration.hours(stage.auditEveryHours), this.functions['audit-table']).node.addDependency(log);
    every(Duration.days(stage.drillEveryDays), this.functions['run-drill']).node.addDependency(log);
    const webhook = new WebhookApi(this, 'Webhook', { stage, receive: this.functions['receive-webhook'] });
    // Before the secrets exist nothing could be recorded.
    webhook.node.addDependency(log);

    const alarms = new Alarms(this, 'Alarms', { stage, functions: this.functions, deadLetters: { inbox: data.inbox.deadLetters, repairs: repairs.work.deadLetters }, api: webhook.api, vault: data.vault });
    new WatchBoard(this, 'Board', { stage, data, repairs: repairs.work, functions: this.functions, api: webhook.api, alarms });

    new CfnOutput(this, 'WebhookUrl', { value: webhook.webhookUrl, description: "The callback URL for Meta's dashboard" });
    new CfnOutput(this, 'ApiUrl', { value: webhook.api.apiEndpoint });
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
  private grantComparing({ auditEveryHours, auditShares, drillEveryDays, drillShares }: Stage, { records, log, keys, vault, signingKey }: DataStack): void {
    const { 'audit-table': audit, 'run-drill': drill } = this.functions;
    for (const reader of [audit, drill]) {
      log.grantRead(reader);
      keys.grantSecrets(reader, 'kek', 'mac');
      keys.grantReadSubjectKeys(reader);
      vault.grantReplay(reader);
      signingKey.grantReadPublicKey(reader);
    }
    records.grantPutOwn(audit, 'audit', 'finding');
    records.grantCompare(audit);
    keys.grantListSubjects(audit);
    audit.addEnvironment(Env.AUDIT_ROTATION, `${auditEveryHours}/${auditShares}`);
    records.grantPutOwn(drill, 'drill');
    records.grantDrill(drill);
    drill.addEnvironment(Env.DRILL_ROTATION, `${24 * drillEveryDays}/${drillShares}`);
  }

  /** Who finds what has to be repaired may ask for it, if the stage does not want to be asked first; one function repairs, from the vault alone. */
  private repairs(stage: Stage, { records, log, keys, vault, signingKey }: DataStack): Repairs {
    const { 'repair-records': repair, 'seal-records': seal, 'seal-missing': sealMissing, 'audit-table': audit } = this.functions;
    const repairs = new Repairs(this, 'Repairs');
    if (stage.repair === 'auto') for (const finder of [seal, sealMissing, audit]) repairs.grantAsk(finder);
    records.grantRepair(repair);
    log.grantRead(repair);
    keys.grantSecrets(repair, 'kek', 'mac');
    keys.grantReadSubjectKeys(repair);
    vault.grantReplay(repair);
    signingKey.grantReadPublicKey(repair);
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
