/** What a filler hands to an API must be what CloudFormation would have resolved, or the local cloud replicates to nowhere. */
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { resolveValue, type TemplateValue } from '../../../local/fillers/template-values';

const names: Readonly<Record<string, string>> = { Role: 'Intact-local-replication', Bucket: 'a-bucket' };
const cloudFormation = {
  send: async ({ input }: { readonly input: { readonly StackName: string; readonly LogicalResourceId: string } }) => ({ StackResourceDetail: { PhysicalResourceId: names[input.LogicalResourceId] } }),
} as unknown as CloudFormationClient;
const resolve = (value: TemplateValue): Promise<string> => resolveValue(cloudFormation, 'Stack', '000000000000', value);

describe('a value of a template', () => {
  it.each<[TemplateValue, string]>([
    ['as it stands', 'as it stands'],
    [{ Ref: 'AWS::AccountId' }, '000000000000'],
    [{ Ref: 'Bucket' }, 'a-bucket'],
    [{ 'Fn::GetAtt': ['Role', 'Arn'] }, 'arn:aws:iam::000000000000:role/Intact-local-replication'],
    [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::replica-', { 'Fn::Join': ['-', [{ Ref: 'AWS::AccountId' }, 'us-west-2']] }]] }, 'arn:aws:s3:::replica-000000000000-us-west-2'],
  ])('%j is %s', async (value, resolved) => {
    expect(await resolve(value)).toBe(resolved);
  });

  it('that the stack does not know is an error, never an empty name', async () => {
    await expect(resolve({ Ref: 'Nothing' })).rejects.toThrow('stack Stack has no resource Nothing');
    await expect(resolve({ 'Fn::GetAtt': ['Bucket', 'DomainName'] })).rejects.toThrow('cannot tell DomainName of Bucket');
  });
});
