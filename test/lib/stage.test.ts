import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { has, parseStage, readStage, StageError } from '../../lib/stage';

const stages = join(__dirname, '../../stages');
const good = {
  deployWith: 'bootstrap-roles',
  removal: 'retain',
  lock: { mode: 'COMPLIANCE', retentionDays: 365 },
  offsite: null,
  originPrefix: 'example.com/whatsapp',
  sealWindowSeconds: 1,
  repair: 'auto',
  verifyEveryHours: 24,
  wholeUpTo: 2_000_000,
  auditEveryHours: 24,
  auditShares: 7,
  drillEveryDays: 6,
  drillShares: 4,
  drillFromReplicaEvery: 0,
  snapshot: { everyDays: 6, retentionDays: 35 },
  reconcile: { everyHours: 24, meta: null },
  logRetentionDays: 30,
  throttle: { ratePerSecond: 10, burst: 20 },
  alarms: { emails: ['night@example.com'], absenceHours: 4, sealLagSeconds: 60 },
  operators: { mfaMaxAgeMinutes: 60, identityProvider: null },
  staff: { corsOrigins: ['https://console.example.com'], limit: { ratePerSecond: 10, burst: 50 } },
  profile: { namePunctuation: ".'", customFields: { since: { type: 'date' } } },
  leaveOut: [],
};
const refusal = (settings: unknown): string => {
  try {
    parseStage('x', 'stages/x.json', settings);
  } catch (error) {
    if (error instanceof StageError) return error.message;
    throw error;
  }
  return 'accepted';
};
const without = (key: string): unknown => Object.fromEntries(Object.entries(good).filter(([name]) => name !== key));

describe('a stage file', () => {
  it('is accepted as it stands in the repository, every one', () => {
    const names = readdirSync(stages).map((file) => file.replace('.json', ''));
    expect(names.sort()).toEqual(['dev', 'local', 'prod']);
    for (const name of names) expect(readStage(name, stages).name).toBe(name);
  });

  it('keeps what it says', () => {
    expect(parseStage('x', 'stages/x.json', good)).toEqual({ name: 'x', ...good });
  });

  it.each([
    [{ ...good, lock: { mode: 'COMPLIANCE' } }, /^stages\/x\.json: lock\.retentionDays: must be a whole number of days$/],
    [{ ...good, lock: { mode: 'COMPLIANCE', retentionDays: 0 } }, /lock\.retentionDays: must be at least 1 days/],
    [{ ...good, lock: { mode: 'COMPLIANCE', retentionDays: 1.5 } }, /lock\.retentionDays: must be a whole number of days/],
    [{ ...good, lock: { mode: 'compliance', retentionDays: 1 } }, /lock\.mode: must be "COMPLIANCE" or "GOVERNANCE"/],
    [without('lock'), /^stages\/x\.json: lock: must be given: /],
    [without('offsite'), /^stages\/x\.json: offsite: must be given: \{"region"/],
    [{ ...good, region: 'eu-central-1', offsite: {} }, /offsite\.region: /],
    [{ ...good, offsite: { region: 'eu-west-1' } }, /^stages\/x\.json: region: must be given where offsite is$/],
    [{ ...good, region: 'eu-west-1', offsite: { region: 'eu-west-1' } }, /offsite\.region: must be another region than the stage's own/],
    [{ ...good, region: 'eu-central-1', offsite: { region: 'eu-west-1', account: '123456789012' } }, /x\.json: account: must be given where offsite\.account is/],
    [{ ...good, region: 'eu-central-1', account: '123456789012', offsite: { region: 'eu-west-1', account: '123456789012' } }, /offsite\.account: is the stage's own: leave it out/],
    [{ ...good, region: 'eu-central-1', offsite: { region: 'eu-west-1', retentionDays: 0 } }, /offsite\.retentionDays: must be at least 1 days/],
    [{ ...good, repair: 'never' }, /repair: must be "auto" or "ask"/],
    [without('repair'), /repair: must be "auto" or "ask"/],
    [{ ...good, account: '12' }, /account: must be 12 digits/],
    [{ ...good, region: 'Frankfurt' }, /region: must be a region name/],
    [{ ...good, originPrefix: 'https://example.com' }, /originPrefix: must be a host name/],
    [{ ...good, originPrefix: 'example.com/a+b' }, /originPrefix: must be a host name/],
    [{ ...good, drillEveryDays: 7 }, /drillEveryDays: must be at most 6 days/],
    [{ ...good, auditShares: 0 }, /auditShares: must be at least 1 shares/],
    [{ ...good, drillFromReplicaEvery: 3 }, /^stages\/x\.json: drillFromReplicaEvery: must be 0 where offsite is null/],
    [{ ...good, drillFromReplicaEvery: -1 }, /drillFromReplicaEvery: must be at least 0 drills/],
    [without('snapshot'), /^stages\/x\.json: snapshot: must be given: \{"everyDays"/],
    [{ ...good, snapshot: { everyDays: 7, retentionDays: 35 } }, /snapshot\.everyDays: must be at most 6 days/],
    [{ ...good, snapshot: { everyDays: 3, retentionDays: 2 } }, /snapshot\.retentionDays: must be at least everyDays/],
    [without('reconcile'), /^stages\/x\.json: reconcile: must be given: \{"everyHours"/],
    [{ ...good, reconcile: { everyHours: 25, meta: null } }, /reconcile\.everyHours: must be at most 24 hours/],
    [{ ...good, reconcile: { everyHours: 24 } }, /reconcile\.meta: must be \{"tokenSecretArn": "<ARN>"\}, or null/],
    [{ ...good, reconcile: { everyHours: 24, meta: { tokenSecretArn: 'EAAG' } } }, /reconcile\.meta\.tokenSecretArn: must be the ARN of a secret/],
    [{ ...good, reconcile: { everyHours: 24, meta: { tokenSecretArn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:x', baseUrl: 'http://x.example' } } }, /reconcile\.meta\.baseUrl: must be an https address/],
    [{ ...good, logRetentionDays: 1 }, /logRetentionDays: must be at least 3: deliveries are compared/],
    [{ ...good, logRetentionDays: 31 }, /logRetentionDays: must be one of 1, 3, 5/],
    [{ ...good, alarms: { ...good.alarms, absenceHours: 169 } }, /alarms\.absenceHours: must be at most 168 hours/],
    [{ ...good, alarms: { ...good.alarms, emails: ['nobody'] } }, /alarms\.emails\.0: must be an e-mail address/],
    [without('operators'), /operators: must be given: /],
    [{ ...good, operators: { mfaMaxAgeMinutes: 0, identityProvider: null } }, /operators\.mfaMaxAgeMinutes: must be at least 5 minutes/],
    [{ ...good, operators: { mfaMaxAgeMinutes: 60, identityProvider: { samlProviderArn: 'okta' } } }, /operators\.identityProvider\.samlProviderArn: must be the ARN of a SAML provider/],
    [{ ...good, operators: { mfaMaxAgeMinutes: 60, identityProvider: { oidcProviderArn: 'arn:aws:iam::123456789012:oidc-provider/id.example.com', audience: 'intact', subjects: ['*'] } } }, /operators\.identityProvider\.subjects\.0: must be the subject of one person/],
    [{ ...good, operators: { mfaMaxAgeMinutes: 60, identityProvider: {} } }, /operators\.identityProvider: must be \{"samlProviderArn"/],
    [without('staff'), /staff: must be given: /],
    [{ ...good, staff: { ...good.staff, corsOrigins: ['*'] } }, /staff\.corsOrigins\.0: must be an origin/],
    [{ ...good, staff: { ...good.staff, corsOrigins: ['https://console.example.com/'] } }, /must be an origin/],
    [{ ...good, staff: { corsOrigins: [] } }, /staff\.limit: must be \{"ratePerSecond"/],
    [without('profile'), /^stages\/x\.json: profile: must be given: \{"namePunctuation"/],
    [{ ...good, profile: { ...good.profile, namePunctuation: 'a' } }, /profile\.namePunctuation: must be up to 40 characters of punctuation/],
    [{ ...good, profile: { ...good.profile, customFields: { Since: { type: 'date' } } } }, /profile\.customFields\.Since: .*small letter first/],
    [{ ...good, profile: { ...good.profile, customFields: { since: { type: 'day' } } } }, /profile\.customFields\.since\.type: must be \{"type": "text"/],
    [{ ...good, profile: { ...good.profile, customFields: { n: { type: 'number', min: 2, max: 1 } } } }, /profile\.customFields\.n\.max: must not be less than min/],
    [{ ...good, breakGlassRoleArn: 'admin' }, /breakGlassRoleArn: must be the ARN of an IAM role/],
    [{ ...good, leaveOut: ['vault'] }, /leaveOut\.0: may only name trail, anomaly-alarms, standby/],
    [{ ...good, retention: 3 }, /the file: unknown setting retention; remove it or correct its name/],
    ['nonsense', /^stages\/x\.json: the file: /],
  ])('that is wrong is refused with the file, the field and what is right', (settings, message) => {
    expect(refusal(settings)).toMatch(message);
  });

  it('that asks Meta is accepted, at another address too, and one whose drills use a replica it has', () => {
    const tokenSecretArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:meta-AbCdEf';
    for (const meta of [{ tokenSecretArn }, { tokenSecretArn, baseUrl: 'https://graph.facebook.com/v23.0' }]) expect(refusal({ ...good, reconcile: { everyHours: 1, meta } })).toBe('accepted');
    expect(refusal({ ...good, region: 'eu-central-1', offsite: { region: 'eu-west-1' }, drillFromReplicaEvery: 5 })).toBe('accepted');
  });

  it('with several faults is refused with one line for each', () => {
    expect(refusal({ ...good, removal: 'burn', deployWith: 'luck' }).split('\n')).toHaveLength(2);
  });

  it('that is not there is refused with the stages there are', () => {
    expect(() => readStage('nowhere', stages)).toThrow(/There is no stage "nowhere".*Stages here: dev, local, prod/);
    expect(() => readStage('../dev', stages)).toThrow(/cannot be a stage/);
  });

  it('that is not JSON is refused as such', () => {
    const directory = mkdtempSync(join(tmpdir(), 'intact-stages-'));
    writeFileSync(join(directory, 'x.json'), '{');
    expect(() => readStage('x', directory)).toThrow(/^stages\/x\.json is not JSON/);
    rmSync(directory, { recursive: true });
  });

  it('names the parts that are left out', () => {
    const stage = parseStage('x', 'stages/x.json', { ...good, leaveOut: ['trail'] });
    expect([has(stage, 'trail'), has(stage, 'anomaly-alarms')]).toEqual([false, true]);
  });
});

describe('the stages of the repository', () => {
  it('say of the second region whether there is one, prod with one', () => {
    expect([readStage('dev', stages).offsite, readStage('local', stages).offsite, readStage('prod', stages).offsite]).toEqual([null, { region: 'us-west-2' }, { region: 'eu-west-1' }]);
  });

  it('are locked as the interfaces say', () => {
    expect(readStage('dev', stages).lock).toEqual({ mode: 'GOVERNANCE', retentionDays: 1 });
    expect(readStage('local', stages).lock).toEqual({ mode: 'COMPLIANCE', retentionDays: 1 });
    expect(readStage('prod', stages).lock.mode).toBe('COMPLIANCE');
  });
});
