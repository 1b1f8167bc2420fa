/** The vault's policy, evaluated against requests: what our adapters send passes, everything one step beside it is refused. */
import { vaultDenials, type Lock } from '../../../lib/constructs/vault-policy';
import { isDenied, type Request, type Statement } from '../policy-evaluator';

const arn = 'arn:aws:s3:::vault';
const lock: Lock = { mode: 'COMPLIANCE', retentionDays: 365, snapshotRetentionDays: 35 };
const policy = vaultDenials(arn, lock).map((statement) => statement.toStatementJson() as Statement);
const denied = (action: string, name: string, keys: Request['keys'] = {}): boolean => isDenied(policy, { action, resource: `${arn}/${name}`, keys });
const put = (name: string, keys: Request['keys']): boolean => denied('s3:PutObject', name, keys);

const REMAINING = 's3:object-lock-remaining-retention-days';
const createOnly = { 's3:if-none-match': '*' };
const locked = { ...createOnly, 's3:object-lock-mode': 'COMPLIANCE', [REMAINING]: '366' };
const without = (key: string): Request['keys'] => Object.fromEntries(Object.entries(locked).filter(([name]) => name !== key));

const hash = 'a'.repeat(64);
/** Beside each name the days it must be locked for: snapshots have a term of their own, whatever else there is has the log's. */
const LOCKED_NAMES: readonly (readonly [string, number])[] = [
  ...[`segment/00000000000000000000/${hash}`, `blob/${hash}`, 'checkpoints/17', 'report/2025-01', 'tile/0/000', 'tile/1/x001/234', 'tile/entries/000', 'tile/entries/x001/234', 'anything-else', 'snapshot', 'snapshots/17', 'blob/snapshot/17'].map((name) => [name, lock.retentionDays] as const),
  ...[`snapshot/17/manifest-${hash}`, `snapshot/17/000000-${hash}`, 'snapshot/anything', 'snapshot/tile/0/000.p/7'].map((name) => [name, lock.snapshotRetentionDays] as const),
];
const PARTIAL_NAMES = ['tile/0/000.p/7', 'tile/1/x001/234.p/255', 'tile/entries/x001/234.p/1'];
const MUTABLE_NAMES = ['checkpoint', 'log.vkeys'];

describe.each(LOCKED_NAMES)('a put of %s', (name, days) => {
  const lockedFor = (remaining: number): Record<string, string> => ({ ...locked, [REMAINING]: `${remaining}` });
  const ours = lockedFor(days + 1);
  const lacking = (key: string): Record<string, string> => Object.fromEntries(Object.entries(ours).filter(([other]) => other !== key));

  it('passes with If-None-Match and the lock our adapter gives', () => {
    expect(put(name, ours)).toBe(false);
  });

  it.each([
    ['without If-None-Match', lacking('s3:if-none-match')],
    ['with If-Match instead', { ...lacking('s3:if-none-match'), 's3:if-match': '"etag"' }],
    ['without a lock', createOnly],
    ['without a mode', lacking('s3:object-lock-mode')],
    ['in the other mode', { ...ours, 's3:object-lock-mode': 'GOVERNANCE' }],
    ['without a term', lacking(REMAINING)],
    ['locked a day too short', lockedFor(days - 1)],
    ['locked longer than two days too long', lockedFor(days + 3)],
    ['locked for a hundred years', lockedFor(36_500)],
    ['locked as the other kind is', lockedFor(lock.retentionDays + lock.snapshotRetentionDays - days + 1)],
  ])('is refused %s', (_, keys) => {
    expect(put(name, keys)).toBe(true);
  });

  it('passes however S3 rounds the term that our adapter gives, and with a day of clock skew', () => {
    for (const remaining of [days, days + 1, days + 2]) expect(put(name, lockedFor(remaining))).toBe(false);
  });

  it('cannot be deleted, hidden, held, bypassed or replicated over', () => {
    for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutObjectLegalHold', 's3:ReplicateObject', 's3:ReplicateDelete']) expect([action, denied(action, name)]).toEqual([action, true]);
  });

  it('cannot have its lock shortened, overlong or changed in mode, but renewed', () => {
    const relock = (keys: Request['keys']): boolean => denied('s3:PutObjectRetention', name, keys);
    expect(relock({ 's3:object-lock-mode': 'COMPLIANCE', [REMAINING]: '10' })).toBe(true);
    expect(relock({ 's3:object-lock-mode': 'COMPLIANCE', [REMAINING]: `${days + 35}` })).toBe(true);
    expect(relock({ 's3:object-lock-mode': 'GOVERNANCE', [REMAINING]: `${days + 1}` })).toBe(true);
    expect(relock({ 's3:object-lock-mode': 'COMPLIANCE', [REMAINING]: `${days + 1}` })).toBe(false);
  });

  it('can be read', () => {
    for (const action of ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectRetention']) expect(denied(action, name)).toBe(false);
  });
});

describe.each(PARTIAL_NAMES)('the partial %s', (name) => {
  it('is put create-only and needs no lock', () => {
    expect(put(name, createOnly)).toBe(false);
    expect(put(name, {})).toBe(true);
  });

  it('may be deleted, a version of it not', () => {
    expect(denied('s3:DeleteObject', name)).toBe(false);
    expect(denied('s3:DeleteObjectVersion', name)).toBe(true);
  });

  it('cannot be locked for a hundred years', () => {
    expect(put(name, { ...locked, [REMAINING]: '36500' })).toBe(true);
    expect(denied('s3:PutObjectRetention', name, { [REMAINING]: '36500' })).toBe(true);
  });
});

describe.each(MUTABLE_NAMES)('%s', (name) => {
  it('is replaced by compare-and-swap only', () => {
    expect(put(name, { 's3:if-match': '"etag"' })).toBe(false);
    expect(put(name, createOnly)).toBe(false);
    expect(put(name, {})).toBe(true);
  });

  it('is never deleted or hidden', () => {
    for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion']) expect(denied(action, name)).toBe(true);
  });
});

describe('the policy', () => {
  it('speaks to everybody and has a name for every statement', () => {
    for (const statement of policy) {
      expect(statement).toMatchObject({ Effect: 'Deny', Principal: { AWS: '*' } });
      expect(statement.Sid).toMatch(/^[A-Za-z]+$/);
    }
    expect(new Set(policy.map(({ Sid }) => Sid)).size).toBe(policy.length);
  });

  it('needs each of its statements: without any one of them a request that it must refuse passes', () => {
    const attempts: [string, string, Request['keys']][] = [
      ['s3:PutObject', 'segment/x', without('s3:if-none-match')],
      ['s3:PutObject', 'checkpoint', {}],
      ['s3:PutObject', 'segment/x', { ...locked, 's3:object-lock-mode': 'GOVERNANCE' }],
      ['s3:PutObject', 'segment/x', without(REMAINING)],
      ['s3:PutObject', 'segment/x', { ...locked, [REMAINING]: '1' }],
      ['s3:PutObject', 'checkpoint', { ...locked, [REMAINING]: '3650' }],
      ['s3:PutObject', 'snapshot/1/x', { ...locked, [REMAINING]: '1' }],
      ['s3:PutObject', 'snapshot/1/x', locked],
      ['s3:PutObjectRetention', 'segment/x', { 's3:object-lock-mode': 'GOVERNANCE', [REMAINING]: '366' }],
      ['s3:DeleteObjectVersion', 'tile/0/000.p/7', {}],
      ['s3:DeleteObject', 'segment/x', {}],
      ['s3:PutObjectLegalHold', 'segment/x', {}],
      ['s3:ReplicateObject', 'segment/x', {}],
    ];
    for (const [index, { Sid }] of policy.entries()) {
      const rest = policy.filter((_, other) => other !== index);
      const passed = attempts.filter(([action, name, keys]) => !isDenied(rest, { action, resource: `${arn}/${name}`, ...(keys ? { keys } : {}) }));
      expect([Sid, passed.length]).toEqual([Sid, 1]);
    }
  });
});
