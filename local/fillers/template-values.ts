/** The values of a synthesized template that fillers hand to the calls CloudFormation would have made: what only a deployed stack knows is asked of it. */
import { DescribeStackResourceCommand } from '@aws-sdk/client-cloudformation';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';

export type TemplateValue = string | { readonly Ref: string } | { readonly 'Fn::GetAtt': readonly [string, string] } | { readonly 'Fn::Join': readonly [string, readonly TemplateValue[]] };

export interface TemplateResource<Properties> {
  readonly Type: string;
  readonly Properties?: Properties;
}

/** The name CloudFormation gave to resource `id` of `stack`. */
export async function physicalName(cloudFormation: CloudFormationClient, stack: string, id: string): Promise<string> {
  const { StackResourceDetail } = await cloudFormation.send(new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: id }));
  if (StackResourceDetail?.PhysicalResourceId === undefined) throw new Error(`stack ${stack} has no resource ${id}`);
  return StackResourceDetail.PhysicalResourceId;
}

/** `value` as CloudFormation would have resolved it; roles are the only resources whose ARN is asked for. */
export async function resolveValue(cloudFormation: CloudFormationClient, stack: string, account: string, value: TemplateValue): Promise<string> {
  if (typeof value === 'string') return value;
  if ('Fn::Join' in value) {
    const [separator, parts] = value['Fn::Join'];
    return (await Promise.all(parts.map((part) => resolveValue(cloudFormation, stack, account, part)))).join(separator);
  }
  if ('Fn::GetAtt' in value) {
    const [id, attribute] = value['Fn::GetAtt'];
    if (attribute !== 'Arn') throw new Error(`a filler cannot tell ${attribute} of ${id}`);
    return `arn:aws:iam::${account}:role/${await physicalName(cloudFormation, stack, id)}`;
  }
  if (value.Ref === 'AWS::Partition') return 'aws';
  if (value.Ref === 'AWS::AccountId') return account;
  return physicalName(cloudFormation, stack, value.Ref);
}
