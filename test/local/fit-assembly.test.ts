import { fitTemplate } from '../../local/fit-assembly';

const allow = { Sid: 'Mac', Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Condition: { StringEquals: { 'kms:EncryptionContext:purpose': 'mac', 'aws:RequestedRegion': 'us-east-1' } } };
const tls = { Sid: 'TlsOnly', Effect: 'Deny', Action: 's3:*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };
const createOnly = { Sid: 'CreateOnly', Effect: 'Deny', Action: 's3:PutObject', Resource: '*', Condition: { Null: { 's3:if-none-match': 'true' } } };
const policy = (...statements: object[]) => ({ Type: 'AWS::S3::BucketPolicy', Properties: { PolicyDocument: { Version: '2012-10-17', Statement: statements } } });
const fit = (template: object) => fitTemplate('T.template.json', template as Parameters<typeof fitTemplate>[1]);

describe('fitting a template to the emulator', () => {
  it('leaves out a Deny on a condition key the emulator does not fill, and keeps its neighbours as they are', () => {
    const { template, changes } = fit({ Resources: { P: policy(tls, createOnly) } });
    expect(template).toEqual({ Resources: { P: policy(tls) } });
    expect(changes).toEqual([{ template: 'T.template.json', resource: 'P', change: 'deny left out', what: ['s3:if-none-match'] }]);
  });

  it('takes only such keys from an Allow', () => {
    const { template, changes } = fit({ Resources: { P: policy(allow) } });
    expect(template).toEqual({ Resources: { P: policy({ ...allow, Condition: { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } } }) } });
    expect(changes).toEqual([{ template: 'T.template.json', resource: 'P', change: 'condition dropped', what: ['kms:EncryptionContext:purpose'] }]);
  });

  it('drops the whole condition of an Allow when nothing is left of it', () => {
    const only = { ...allow, Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['a'] } } };
    const { Condition: _none, ...bare } = only;
    expect(fit({ Resources: { P: policy(only) } }).template).toEqual({ Resources: { P: policy(bare) } });
  });

  it('finds policies wherever a resource keeps them: inline in roles, in keys, in lists', () => {
    const role = { Type: 'AWS::IAM::Role', Properties: { Policies: [{ PolicyName: 'p', PolicyDocument: { Statement: [createOnly] } }] } };
    const key = { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: { Statement: [{ ...createOnly, Condition: { StringNotEquals: { 'kms:ViaService': 's3' } } }] } } };
    expect(fit({ Resources: { R: role, K: key } }).changes.map(({ resource, what }) => [resource, what])).toEqual([['R', ['s3:if-none-match']], ['K', ['kms:ViaService']]]);
  });

  it('turns a Ref to a secret into its ARN, in resources and outputs, and no other Ref', () => {
    const template = {
      Resources: { S: { Type: 'AWS::SecretsManager::Secret' }, B: { Type: 'AWS::S3::Bucket' }, F: { Type: 'AWS::Lambda::Function', Properties: { Environment: [{ Ref: 'S' }, { Ref: 'B' }] } } },
      Outputs: { Arn: { Value: { Ref: 'S' } } },
    };
    const fitted = fit(template);
    expect(fitted.template).toMatchObject({
      Resources: { F: { Properties: { Environment: [{ 'Fn::GetAtt': ['S', 'Id'] }, { Ref: 'B' }] } } },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['S', 'Id'] } } },
    });
    expect(fitted.changes.map(({ resource }) => resource)).toEqual(['F', 'Arn']);
  });

  it('allows on everything what names its table by an ARN, beside the statement as it is', () => {
    const tags = { Effect: 'Allow', Action: ['dynamodb:DescribeTable', 'dynamodb:TagResource'], Resource: 'arn:t' };
    const { template, changes } = fit({ Resources: { P: policy(tags, tls) } });
    expect(template).toEqual({ Resources: { P: policy(tags, { Effect: 'Allow', Action: ['dynamodb:TagResource'], Resource: '*' }, tls) } });
    expect(changes).toEqual([{ template: 'T.template.json', resource: 'P', change: 'allowed on everything', what: ['dynamodb:TagResource'] }]);
  });

  it('changes nothing in a template that needs nothing', () => {
    const template = { Description: 'x', Resources: { P: policy(tls) }, Outputs: { O: { Value: { Ref: 'P' } } } };
    expect(fit(template)).toEqual({ template, changes: [] });
  });
});
