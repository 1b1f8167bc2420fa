/** Running a state machine as its schedule would, and seeing how it ended. */
import { DescribeExecutionCommand, ListStateMachinesCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { PartedName } from '../../../lib/constructs/alarm-registry';
import { aws } from './cloud';
import { waitFor } from './wait-for';

export interface Execution {
  readonly status: string;
  readonly output: unknown;
}

/** Runs the machine around a function to its end. */
export async function runMachine(name: PartedName): Promise<Execution> {
  const { stateMachines = [] } = await aws.machines.send(new ListStateMachinesCommand({}));
  const found = stateMachines.filter((machine) => machine.name === `Intact-local-${name}`);
  if (found.length !== 1) throw new Error(`${found.length} state machines are called ${name}, of ${stateMachines.map((machine) => machine.name).join(', ')}`);
  // What is handed to a run must not matter to it.
  const { executionArn } = await aws.machines.send(new StartExecutionCommand({ stateMachineArn: found[0]!.stateMachineArn, input: JSON.stringify({ step: 'merge', note: 'of no matter' }) }));
  let ended: Execution | undefined;
  await waitFor(`the end of ${name}`, async () => {
    const { status = '', output } = await aws.machines.send(new DescribeExecutionCommand({ executionArn }));
    ended = status === 'RUNNING' ? undefined : { status, output: output === undefined ? undefined : JSON.parse(output) };
    return ended !== undefined;
  }, { withinMs: 150_000, everyMs: 500 });
  return ended!;
}
