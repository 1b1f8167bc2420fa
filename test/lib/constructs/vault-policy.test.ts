/** The vault's policy, evaluated against requests: what our adapters send passes, everything one step beside it is refused. */
import { vaultDenials, type Lock } from '../../../lib/constructs/vault-policy';
import { isDenied, type Request, type Statement } from '../policy-evaluator';

const arn = 'arn:aws:s3:::vault';
const lock: Lock = { mode: 'COMPLIANCE', retentionDays: 365 };
const policy = vaultDenials(arn, lock).map((statement) => statement.toStatementJson() as Statement);
const denied = (action: string, name: string, keys: Request['keys'] = {}): boolean => isDenied(policy, { action, resource: `${arn}/${name}`, keys });
const put = (name: string, keys: Request['keys']): boolean => denied('s3:PutObject', name, keys);

const REMAINING = 's3:object-lock-remaining-retention-days';
const createOnly = { 's3:if-none-match': '*' };
const locked = { ...createOnly, 's3:object-lock-mode': 'COMPLIANCE', [REMAINING]: '366' };
const without = (key: string): Request['keys'] => Object.fromEntries(Object.entries(locked).filter(([name]) => name !== key));

const hash = 'a'.repeat(64);
const LOCKED_NAMES = [`segment/00000000000000000000/${hash}`, `blob/${hash}`, 'snapshot/17/manifest.json', 'checkpoints/17', 'report/2025-01', 'tile/0/000', 'tile/1/x001/234', 'tile/entries/000', 'tile/entries/x001/234', 'anything-else'];
const PARTIAL_NAMES = ['tile/0/000.p/7', 'tile/1/x001/234.p/255', 'tile/entries/x001/234.p/1'];
const MUTABLE_NAMES = ['checkpoint', 'log.vkeys'];

describe.each(LOCKED_NAMES)('a put of %s', (name) => {
  it('passes with If-None-Match and the lock our adapter gives', () => {
    expect(put(name, locked)).toBe(false);
  });

  it.each([
    ['without If-None-Match', without('s3:if-none-match')],
    ['with If-Match instead', { ...without('s3:if-none-match'), 's3:if-match': '"etag"' }],
    ['without a lock', createOnly],
    ['without a mode', without('s3:object-lock-mode')],
    ['in the other mode', { ...locked, 's3:object-lock-mode': 'GOVERNANCE' }],
    ['without a term', without(REMAINING)],
    ['locked a day too short', { ...locked, [REMAINING]: '364' }],
    ['locked longer than two days too long', { ...locked, [REMAINING]: '368' }],
    ['locked for a hundred years', { ...locked, [REMAINING]: '36500' }],
  ])('is refused %s', (_, keys) => {
    expect(put(name, keys)).toBe(true);
  });

  it('passes however S3 rounds the term that our adapter gives, and with a day of clock skew', () => {
    for (const days of ['365', '366', '367']) expect(put(name, { ...locked, [REMAINING]: days })).toBe(false);
  });

  it('cannot be deleted, hidden, held, bypassed or replicated over', () => {
    for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutObjectLegalHold', 's3:ReplicateObject', 's3:ReplicateDelete']) expect(denied(action, name)).toBe(true);
  });

  it('cannot have its lock shortened, overlong or changed in mode, but renewed', () => {
    const relock = (keys: Request['keys']): boolean => denied('s3:PutObjectRetention', name, keys);
    expect(relock({ 's3:object-lock-mode': 'COMPLIANCE', [REMAINING]: '10' })).toBe(true);
    expect(relock({ 's3:object-lock-mode': 'COMPLIANCE', [REMAINING]: '400' })).toBe(true);
    expect(relock({ 's3:object-lock-mode': 'GOVERNANCE', [REMAINING]: '366' })).toBe(true);
    expect(relock({ 's3:object-lock-mode': 'COMPLIANCE', [REMAINING]: '366' })).toBe(false);
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
