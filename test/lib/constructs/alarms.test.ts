/** The alarms are one list that four places speak of: the registry, the template, the runbook and the list of metrics. None may know something the others do not. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alarmRegistry, type AlarmSpec } from '../../../lib/constructs/alarm-registry';
import { FACTS, ruleOf } from '../../../lib/constructs/replica';
import { METRIC_NAMES } from '../../../src/core/metric-names';
import { type Loose, ofType, resolved, root, synthesized, type Synthesized } from '../synthesized';

const prod = synthesized('prod');
const local = synthesized('local');
const registry = alarmRegistry(prod.stage);
const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
const metricsPage = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
const FUNCTIONS = Object.keys(prod.stacks.service.functions);
const MACHINES = ['verify-vault', 'audit-table', 'run-drill', 'take-snapshot', 'restore-table'];

const headings = [...runbook.matchAll(/^## (\S+)$/gm)].map((match) => match[1]!);
/** Articles on what no alarm of ours can tell: it takes what would ring with it, or only a person notices. */
const UNALARMED = ['region-lost', 'keys-lost', 'vault-damaged'];
const article = (id: string): string => runbook.split(/^## /m).find((text) => text.startsWith(`${id}\n`)) ?? '';
/** Those of the second region too: an alarm rings where its metric is. */
const alarmsOf = ({ service, standby }: Synthesized): Record<string, Loose>[] => [service, ...(standby ? [standby] : [])].flatMap((template) => ofType(template, 'AWS::CloudWatch::Alarm')).map(([, { Properties }]) => Properties);
const alarmNames = (all: Synthesized): string[] => alarmsOf(all).map(({ AlarmName }) => AlarmName as string).sort();
const each = ({ source }: AlarmSpec): readonly string[] => ('of' in source && source.of === 'each' ? ('machine' in source ? MACHINES : FUNCTIONS) : 'replication' in source && source.facts === 'each' ? FACTS.map(ruleOf) : []);
const namesOf = (spec: AlarmSpec, stage: string): string[] => (each(spec).length > 0 ? each(spec).map((part) => `Intact-${stage}-${spec.id}-${part}`) : [`Intact-${stage}-${spec.id}`]);

describe('registry and runbook', () => {
  it('have an article for each alarm and an alarm for each article, under the same id', () => {
    expect([...headings].sort()).toEqual([...registry.map(({ id }) => id), ...UNALARMED].sort());
  });

  it.each([...registry.map(({ id }) => id), ...UNALARMED])('say of %s what it means, what is at risk, where to look, what to do, when it clears', (id) => {
    for (const part of ['**Means.**', '**Data at risk.**', '**First look.**', '**Do.**', '**Clears**']) expect([part, article(id).includes(part)]).toEqual([part, true]);
  });

  it('link to articles that exist', () => {
    const links = [...`${runbook}${metricsPage}`.matchAll(/\]\((?:runbook\.md)?#([a-z0-9-]+)\)/g)].map((match) => match[1]!);
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((link) => !headings.includes(link))).toEqual([]);
  });

  it('use no id twice', () => {
    expect(new Set(registry.map(({ id }) => id)).size).toBe(registry.length);
  });
});

describe('metrics', () => {
  const rows = [...metricsPage.matchAll(/^\| ([A-Z][A-Za-z]+) \| (count|seconds|bytes) \|.*\| (.*) \|$/gm)].map((match) => ({ name: match[1]!, unit: match[2]!, alarms: match[3]! }));

  it('are explained, each once, and no others', () => {
    expect(rows.map(({ name }) => name)).toEqual([...METRIC_NAMES]);
  });

  it('name the alarms that watch them', () => {
    for (const { name, alarms } of rows) {
      const watching = registry.filter(({ source }) => 'ours' in source && source.ours === name).map(({ id }) => id);
      expect([name, [...alarms.matchAll(/#([a-z0-9-]+)/g)].map((match) => match[1])]).toEqual([name, watching]);
    }
  });

  it('of AWS are named with their alarms', () => {
    for (const { id, source } of registry) if (!('ours' in source)) expect([id, metricsPage.includes(`#${id})`)]).toEqual([id, true]);
  });
});

describe('the deployed alarms', () => {
  it('are those of the registry', () => {
    expect(alarmNames(prod)).toEqual(registry.flatMap((spec) => namesOf(spec, 'prod')).sort());
    expect(alarmNames(local)).toEqual(alarmRegistry(local.stage).flatMap((spec) => namesOf(spec, 'local')).sort());
  });

  it('tell the topic when they ring and when they clear, and name their article', () => {
    for (const alarm of alarmsOf(prod)) {
      expect(resolved(alarm['AlarmActions'], prod)).toEqual(['AlarmsTopic']);
      expect(resolved(alarm['OKActions'], prod)).toEqual(['AlarmsTopic']);
      const anchor = /docs\/runbook\.md#([a-z0-9-]+)$/.exec(alarm['AlarmDescription'] as string)?.[1];
      expect(headings).toContain(anchor);
    }
  });

  it('of our own metrics have the namespace and the one dimension they are written with', () => {
    const ours = alarmsOf(prod).filter(({ Namespace }) => Namespace === 'Intact');
    expect(ours.length).toBeGreaterThanOrEqual(13);
    for (const { Dimensions, MetricName } of ours) {
      expect(Dimensions).toEqual([{ Name: 'stage', Value: 'prod' }]);
      expect(METRIC_NAMES).toContain(MetricName);
    }
  });

  it('take silence for an alarm where a sign of life is missing, and for good news elsewhere', () => {
    const silent = alarmsOf(prod).filter(({ TreatMissingData }) => TreatMissingData === 'breaching').map(({ AlarmName }) => AlarmName as string);
    expect(silent.sort()).toEqual(['Intact-prod-audit-absent', 'Intact-prod-checkpoint-age', 'Intact-prod-deliveries-absent', 'Intact-prod-drill-absent', 'Intact-prod-reconciliation-absent', 'Intact-prod-replication-absent', 'Intact-prod-snapshot-absent', 'Intact-prod-verification-absent']);
    for (const { TreatMissingData } of alarmsOf(prod)) expect(['breaching', 'notBreaching']).toContain(TreatMissingData);
  });

  it('look back no longer than CloudWatch lets them: a day, or seven with periods of an hour and more', () => {
    for (const stage of [prod.stage, { ...prod.stage, verifyEveryHours: 24, alarms: { ...prod.stage.alarms, absenceHours: 168 } }]) {
      for (const { id, periodMinutes, periods } of alarmRegistry(stage)) expect([id, periodMinutes * periods <= (periodMinutes >= 60 ? 7 : 1) * 1440]).toEqual([id, true]);
    }
  });

  it('ring at the first key that came back, which the function that erases counts and no other', () => {
    const { Threshold, Statistic, ComparisonOperator, TreatMissingData } = alarmsOf(prod).find(({ AlarmName }) => AlarmName === 'Intact-prod-keys-returned')!;
    expect([Threshold, Statistic, ComparisonOperator, TreatMissingData]).toEqual([1, 'Sum', 'GreaterThanOrEqualToThreshold', 'notBreaching']);
    const naming = (under: string, needle: string): string[] => (readdirSync(join(root, under), { recursive: true }) as string[]).filter((file) => file.endsWith('.ts') && readFileSync(join(root, under, file), 'utf8').includes(needle));
    expect(naming('src/operations', "'KeysErasedAgain'")).toEqual(['erasure/advance-erasures.ts']);
    expect(naming('lambdas', 'operations/erasure/advance-erasures')).toEqual(['erase-subjects.ts']);
  });

  it('follow the stage: lag, absence, verification', () => {
    const of = (id: string, stage = prod.stage): AlarmSpec | undefined => alarmRegistry(stage).find((spec) => spec.id === id);
    expect(of('seal-lag', { ...prod.stage, alarms: { ...prod.stage.alarms, sealLagSeconds: 7 } })?.threshold).toBe(7);
    expect(of('deliveries-absent')?.periods).toBe(prod.stage.alarms.absenceHours);
    expect(of('deliveries-absent', { ...prod.stage, alarms: { ...prod.stage.alarms, absenceHours: null } })).toBeUndefined();
    expect(of('verification-absent', { ...prod.stage, verifyEveryHours: 6 })?.periods).toBe(8);
    expect(of('audit-absent', { ...prod.stage, auditEveryHours: 6 })?.periods).toBe(8);
    expect(of('drill-absent', { ...prod.stage, drillEveryDays: 6 })?.periods).toBe(146);
    expect(of('snapshot-absent', { ...prod.stage, snapshot: { everyDays: 6, retentionDays: 35 } })?.periods).toBe(146);
    expect(of('reconciliation-absent', { ...prod.stage, reconcile: { everyHours: 24, meta: null } })?.periods).toBe(26);
    expect(of('volume-anomaly', local.stage)).toBeUndefined();
    const about = (stage: typeof prod.stage): string[] => alarmRegistry(stage).map(({ id }) => id).filter((id) => id.startsWith('replication'));
    expect([about(prod.stage), about(local.stage), about({ ...prod.stage, offsite: null })]).toEqual([['replication-failed', 'replication-lag', 'replication-absent'], ['replication-failed'], []]);
  });

  it('of replication watch each rule between vault and replica, where S3 measures it', () => {
    const watching = (template: typeof prod.service, metric: string): string[] =>
      ofType(template, 'AWS::CloudWatch::Alarm').filter(([, { Properties }]) => Properties['MetricName'] === metric && Properties['Namespace'] === 'AWS/S3')
        .map(([, { Properties }]) => (resolved(Properties['Dimensions'], prod) as { Name: string; Value: unknown }[]).map(({ Name, Value }) => `${Name}=${typeof Value === 'string' ? Value : JSON.stringify(Value)}`).join(' '));
    const replica = 'DestinationBucket=intact-prod-replica-AWS::AccountId-eu-west-1';
    expect(watching(prod.service, 'OperationsFailedReplication')).toEqual(FACTS.map((fact) => `${replica} RuleId=${ruleOf(fact)} SourceBucket=VaultBucket`));
    const lagging = watching(prod.standby!, 'ReplicationLatency');
    expect(lagging).toHaveLength(FACTS.length + 1);
    for (const dimensions of lagging) expect(dimensions).toMatch(/^DestinationBucket=intact-prod-replica-AWS::AccountId-eu-west-1 RuleId=[a-z-]+ SourceBucket=\{"Fn::GetStackOutput":\{"StackName":"Intact-prod-Data","Region":"eu-central-1","OutputName":"VaultBucketName"\}\}$/);
    expect([watching(prod.service, 'ReplicationLatency'), watching(prod.standby!, 'OperationsFailedReplication')]).toEqual([[], []]);
  });

  it('watch the volume by what is usual, not by a number', () => {
    const anomaly = alarmsOf(prod).find(({ AlarmName }) => AlarmName === 'Intact-prod-volume-anomaly')!;
    expect(anomaly['ComparisonOperator']).toBe('LessThanLowerOrGreaterThanUpperThreshold');
    expect(JSON.stringify(anomaly['Metrics'])).toContain('ANOMALY_DETECTION_BAND');
  });
});

describe('what the local cloud cannot make', () => {
  it('is left out of the local stage and is there on AWS', () => {
    const types = ({ data, service, trail, standby, offsite }: Synthesized): Set<string> => new Set([data, service, trail, standby, offsite].filter((template) => template !== undefined).flatMap(({ Resources }) => Object.values(Resources).map(({ Type }) => Type)));
    for (const type of ['AWS::CloudTrail::Trail', 'AWS::CloudWatch::AnomalyDetector', 'AWS::CloudWatch::CompositeAlarm', 'AWS::Logs::QueryDefinition', 'AWS::Budgets::Budget', 'AWS::Athena::NamedQuery', 'AWS::KMS::ReplicaKey'])
      expect([type, types(local).has(type)]).toEqual([type, false]);
    for (const type of ['AWS::CloudTrail::Trail', 'AWS::KMS::ReplicaKey']) expect(types(prod)).toContain(type);
    const bands = alarmsOf(local).filter(({ Metrics }) => JSON.stringify(Metrics ?? '').includes('ANOMALY'));
    expect(bands).toEqual([]);
  });
});

describe('the topic', () => {
  it('is encrypted, takes messages over TLS only, and from the alarms of this account', () => {
    const [, { Properties }] = ofType(prod.service, 'AWS::SNS::Topic')[0]!;
    expect(resolved(Properties['KmsMasterKeyId'], prod)).toBe('AlarmsKey.Arn');
    const statements = resolved(ofType(prod.service, 'AWS::SNS::TopicPolicy')[0]![1].Properties['PolicyDocument'].Statement, prod);
    expect(statements).toContainEqual(expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }));
    expect(statements).toContainEqual(expect.objectContaining({ Effect: 'Allow', Action: 'sns:Publish', Principal: { Service: 'cloudwatch.amazonaws.com' }, Condition: { StringEquals: { 'aws:SourceAccount': 'AWS::AccountId' } } }));
  });

  it('is told to the people of the stage', () => {
    const { service } = synthesized('dev', { alarms: { emails: ['night@example.com'], absenceHours: null, sealLagSeconds: 60 } });
    expect(ofType(service, 'AWS::SNS::Subscription').map(([, { Properties }]) => [Properties['Protocol'], Properties['Endpoint']])).toEqual([['email', 'night@example.com']]);
  });
});

describe('the dashboard', () => {
  it('shows every metric of ours', () => {
    const body = JSON.stringify(ofType(prod.service, 'AWS::CloudWatch::Dashboard')[0]![1].Properties['DashboardBody']);
    expect(METRIC_NAMES.filter((name) => !body.includes(name))).toEqual([]);
  });
});
