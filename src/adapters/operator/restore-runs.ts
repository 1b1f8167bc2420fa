/** The `RestoreRuns` port on executions of the state machine. */
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand, type DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { RestoreRuns, RestoreRunState } from '../../ports/restore-runs';
import { asking, errorNamed } from '../aws/port-errors';
import { sdkSettings, type ClientOverrides } from '../aws/sdk-settings';

export const stepFunctionsClient = (overrides: ClientOverrides = {}): SFNClient => new SFNClient(sdkSettings(overrides) as ConstructorParameters<typeof SFNClient>[0] & object);

/** `machine`: ARN of the state machine. */
export function stateMachineRestores(client: SFNClient, machine: string): RestoreRuns {
  const executionArn = (name: string): string => `${machine.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    find: (name) =>
      asking(`look at the restore ${name}`, async () => {
        try {
          return stateOf(await client.send(new DescribeExecutionCommand({ executionArn: executionArn(name) })));
        } catch (error) {
          if (errorNamed(error, ['ExecutionDoesNotExist'])) return 'absent';
          throw error;
        }
      }),
    start: (name, request) =>
      asking(`start the restore ${name}`, async () => {
        try {
          await client.send(new StartExecutionCommand({ stateMachineArn: machine, name, input: JSON.stringify(request) }));
          return 'started';
        } catch (error) {
          if (errorNamed(error, ['ExecutionAlreadyExists'])) return 'exists';
          throw error;
        }
      }),
  };
}

function stateOf({ status, error, cause }: DescribeExecutionCommandOutput): RestoreRunState {
  if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return { state: 'running' };
  if (status === 'SUCCEEDED') return { state: 'done' };
  return { state: 'failed', why: [status, error, cause].filter((part) => part !== undefined).join(': ') };
}
