/** What a deployed stage is called where: the outputs of its stacks, read from CloudFormation, the one place that knows. */
import { DescribeStacksCommand, type CloudFormationClient, type Stack } from '@aws-sdk/client-cloudformation';
import { asking, errorNamed } from '../aws/port-errors';

export interface DeployedStacks {
  /** Outputs of all stacks together. */
  readonly outputs: Readonly<Record<string, string>>;
  /** As the stacks themselves state them. */
  readonly account: string;
  readonly region: string;
}

/** The stacks that hold what the commands need. */
const STACKS = ['Data', 'Service'] as const;

/** `{missing}` names the stack that is not deployed in this account and region. Throws `PortError`. */
export async function readStackOutputs(client: CloudFormationClient, stage: string): Promise<DeployedStacks | { readonly missing: string }> {
  const outputs: Record<string, string> = {};
  let arn: string[] = [];
  for (const part of STACKS) {
    const name = `Intact-${stage}-${part}`;
    const stack = await asking(`describe stack ${name}`, () => described(client, name));
    if (stack === undefined) return { missing: name };
    for (const { OutputKey, OutputValue } of stack.Outputs ?? []) if (OutputKey !== undefined && OutputValue !== undefined) outputs[OutputKey] = OutputValue;
    arn = (stack.StackId ?? '').split(':');
  }
  return { outputs, account: arn[4] ?? '', region: arn[3] ?? '' };
}

async function described(client: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks?.[0];
  } catch (error) {
    // CloudFormation says "no such stack" with a ValidationError whose message alone tells it apart.
    if (errorNamed<Error>(error, ['ValidationError']) && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}
