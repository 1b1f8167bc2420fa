/** Short-lived roles with exactly the rights a test gives them. The account's own credentials are refused nothing; only a role can show a refusal. */
import { randomUUID } from 'node:crypto';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { aws, outputs } from './cloud';

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

/** What an SDK client takes to act as somebody in the cloud under test. */
export interface Identity {
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string };
}

/** The identity of a new role with `statements` and nothing else. */
export async function roleWith(statements: readonly Statement[]): Promise<Identity> {
  const RoleName = `test-${randomUUID()}`;
  const account = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: 'sts:AssumeRole' }] };
  const { Role } = await aws.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(account) }));
  if (statements.length > 0) {
    await aws.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'granted', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: statements }) }));
  }
  const { Credentials } = await aws.sts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'test' }));
  return {
    region: outputs.region,
    credentials: { accessKeyId: Credentials?.AccessKeyId ?? '', secretAccessKey: Credentials?.SecretAccessKey ?? '', sessionToken: Credentials?.SessionToken ?? '' },
  };
}

/** The AWS error code with which `call` is refused; `granted` when it is not. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'granted';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
