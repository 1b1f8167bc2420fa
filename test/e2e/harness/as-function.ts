/** Acting as one of our functions, with exactly its rights, and taking a right from it for a while. */
import { DeleteRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { FunctionName } from '../../../lib/constructs/alarm-registry';
import { aws, outputs } from './cloud';
import type { Identity } from './roles';
import { functionNamed } from './watching';

/** The identity of a function's role. On AWS only Lambda may assume it; here the account itself may. */
export async function asFunction(name: FunctionName): Promise<Identity> {
  const { roleArn } = await functionNamed(name);
  const { Credentials } = await aws.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test' }));
  return {
    region: outputs.region,
    credentials: { accessKeyId: Credentials?.AccessKeyId ?? '', secretAccessKey: Credentials?.SecretAccessKey ?? '', sessionToken: Credentials?.SessionToken ?? '' },
  };
}

/** Runs `during` while the function is denied `actions`: what it depends on does not work. The rights are given back whatever happens. */
export async function withoutRight<T>(name: FunctionName, actions: readonly string[], during: () => Promise<T>): Promise<T> {
  const { roleName: RoleName } = await functionNamed(name);
  const PolicyName = 'outage';
  const Statement = [{ Effect: 'Deny', Action: actions, Resource: '*' }];
  await aws.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  try {
    return await during();
  } finally {
    await aws.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  }
}

/** Runs `during` while the function has these variables, which containers started from then on see; what it had before is given back whatever happens. */
export async function withEnvironment<T>(name: FunctionName, variables: Readonly<Record<string, string>>, during: () => Promise<T>): Promise<T> {
  const { name: FunctionName } = await functionNamed(name);
  const { Environment: { Variables: before = {} } = {} } = await aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  await aws.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: { ...before, ...variables } } }));
  try {
    return await during();
  } finally {
    await aws.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: before } }));
  }
}
