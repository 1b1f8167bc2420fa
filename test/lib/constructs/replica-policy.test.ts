/** The replica's policy, evaluated against requests: what S3 does on behalf of the vault passes, everything else that changes anything is refused, to the owner of the bucket too. */
import { replicaDenials, replicaGrants, type ReplicaUsers } from '../../../lib/constructs/replica-policy';
import { isAllowed, isDenied, type Statement } from '../policy-evaluator';

const arn = 'arn:aws:s3:::replica';
const role = 'arn:aws:iam::123456789012:role/Intact-prod-replication';
const asStatements = (statements: ReturnType<typeof replicaDenials>): Statement[] => statements.map((statement) => statement.toStatementJson() as Statement);
const policy = asStatements(replicaDenials(arn, role));
const by = (principal: string) => ({ 'aws:PrincipalArn': principal });
const denied = (action: string, name: string, principal: string, statements = policy): boolean => isDenied(statements, { action, resource: `${arn}/${name}`, keys: by(principal) });

const hash = 'a'.repeat(64);
const FACTS = [`segment/00000000000000000000/${hash}`, `blob/${hash}`, 'snapshot/17/manifest.json', 'checkpoints/17', 'report/2025-01', 'log.vkeys'];
const OTHERS = ['checkpoint', 'tile/0/000', 'tile/entries/000.p/7', 'anything-else', 'segmentx', 'log.vkeys2'];
const STRANGERS = ['arn:aws:iam::123456789012:root', 'arn:aws:iam::123456789012:role/admin', 'arn:aws:iam::999999999999:root', 'arn:aws:iam::999999999999:role/Intact-prod-replication'];

describe.each(FACTS)('the replica of %s', (name) => {
  it('is written by the role of the vault', () => {
    for (const action of ['s3:ReplicateObject', 's3:ReplicateTags', 's3:ObjectOwnerOverrideToBucketOwner']) expect(denied(action, name, role)).toBe(false);
  });

  it.each(STRANGERS)('is written by nobody else: %s', (stranger) => {
    for (const action of ['s3:PutObject', 's3:ReplicateObject', 's3:ReplicateTags', 's3:ObjectOwnerOverrideToBucketOwner']) expect([action, denied(action, name, stranger)]).toEqual([action, true]);
  });

  it('is neither put, deleted, hidden, held, relocked nor bypassed, by that role either', () => {
    for (const action of ['s3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:ReplicateDelete', 's3:PutObjectLegalHold', 's3:PutObjectRetention', 's3:BypassGovernanceRetention']) {
      for (const principal of [role, ...STRANGERS]) expect([action, denied(action, name, principal)]).toEqual([action, true]);
    }
  });

  it('can be read', () => {
    for (const action of ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectRetention']) expect(denied(action, name, STRANGERS[1]!)).toBe(false);
  });
});

it.each(OTHERS)('nothing else is replicated into it: %s', (name) => {
  expect(denied('s3:ReplicateObject', name, role)).toBe(true);
});

describe('the policy', () => {
  it('needs each of its statements: without any one of them a request that it must refuse passes', () => {
    const attempts: [string, string, string][] = [
      ['s3:PutObject', 'segment/x', role],
      ['s3:ReplicateObject', 'segment/x', STRANGERS[0]!],
      ['s3:ReplicateObject', 'tile/0/000', role],
      ['s3:DeleteObject', 'segment/x', STRANGERS[0]!],
      ['s3:DeleteObjectVersion', 'segment/x', STRANGERS[0]!],
      ['s3:PutObjectRetention', 'segment/x', STRANGERS[0]!],
    ];
    expect(attempts.filter(([action, name, principal]) => !denied(action, name, principal))).toEqual([]);
    for (const [index, { Sid }] of policy.entries()) {
      const rest = policy.filter((_, other) => other !== index);
      expect([Sid, attempts.filter(([action, name, principal]) => !denied(action, name, principal, rest)).length]).toEqual([Sid, 1]);
    }
  });

  describe('of a replica in another account, where the own policy of a role does not count', () => {
    const drill = 'arn:aws:iam::123456789012:role/Intact-prod-run-drill';
    const of = (users: Partial<ReplicaUsers>): Statement[] => [...policy, ...asStatements(replicaGrants(arn, { account: '123456789012', replicator: role, readers: [], ...users }))];
    const all = of({ readers: [drill] });
    const may = (action: string, resource: string, principal: string, statements = all): boolean => isAllowed(statements, { action, resource, keys: by(principal) });

    it('lets the role of the vault replicate and no more', () => {
      expect(may('s3:ReplicateObject', `${arn}/segment/x`, role)).toBe(true);
      expect(may('s3:GetBucketVersioning', arn, role)).toBe(true);
      expect([may('s3:GetObject', `${arn}/segment/x`, role), may('s3:ReplicateObject', `${arn}/tile/0/000`, role), may('s3:PutBucketVersioning', arn, role)]).toEqual([false, false, false]);
    });

    it('lets those that restore read facts and no more, and nobody else', () => {
      expect([may('s3:GetObject', `${arn}/segment/x`, drill), may('s3:ListBucket', arn, drill)]).toEqual([true, true]);
      for (const [action, resource] of [['s3:ReplicateObject', `${arn}/segment/x`], ['s3:PutObject', `${arn}/segment/x`], ['s3:GetObject', `${arn}/anything`], ['s3:ListBucketVersions', arn]] as const) expect([action, may(action, resource, drill)]).toEqual([action, false]);
      for (const stranger of STRANGERS) expect([stranger, may('s3:GetObject', `${arn}/segment/x`, stranger), may('s3:ListBucket', arn, stranger)]).toEqual([stranger, false, false]);
      expect(may('s3:GetObject', `${arn}/segment/x`, drill, of({}))).toBe(false);
    });
  });
});
