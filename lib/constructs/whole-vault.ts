/**
 * Runs over the whole log that may be too much for one function. Each task is a state machine around the task's own function: it begins, and is done there and then while the log is small
 * enough; else the same function does the parts, a few at a time, and puts them together. The machines can do nothing but call that function, and hand on no more than which part is next.
 */
import { type CfnElement, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Choice, Condition, DefinitionBody, DistributedMap, type IChainable, JsonPath, LogLevel, StateMachine, StateMachineType, Succeed, TaskInput, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { logGroupName } from '../../src/runtime/env';
import type { Stage } from '../stage';
import type { PartedName } from './alarm-registry';
import { reviewed } from './reviewed';

/** Parts at a time: each reads the log, and the tables beside it must bear it. Drills share one scratch table. */
const AT_ONCE: Readonly<Record<PartedName, number>> = { 'verify-vault': 5, 'audit-table': 5, 'run-drill': 1, 'take-snapshot': 5, 'restore-table': 5 };
/** An operator asks for it, and for what: the others know that themselves. What could not be restored the merge says, and who asks again has that alone restored. */
const ASKED: PartedName = 'restore-table';
/** Of the map, in the names of its executions. */
const LABEL = 'Parts';
/** As asynchronous calls are tried again: what was throttled or away for a moment is there then. */
const RETRIES = { maxAttempts: 2, interval: Duration.minutes(1), backoffRate: 2 };

/** A name a person can type at night. */
export const machineName = ({ name }: Stage, task: PartedName): string => `Intact-${name}-${task}`;

export interface WholeVaultProps {
  readonly stage: Stage;
  readonly functions: Readonly<Record<PartedName, Lambda>>;
}

export class WholeVault extends Construct {
  readonly machines: Readonly<Record<PartedName, StateMachine>>;
  private readonly stage: Stage;

  constructor(scope: Construct, id: string, { stage, functions }: WholeVaultProps) {
    super(scope, id);
    this.stage = stage;
    const around = (name: PartedName): StateMachine => this.around(name, functions[name]);
    this.machines = { 'verify-vault': around('verify-vault'), 'audit-table': around('audit-table'), 'run-drill': around('run-drill'), 'take-snapshot': around('take-snapshot'), 'restore-table': around('restore-table') };
  }

  private around(task: PartedName, fn: Lambda): StateMachine {
    const { stage } = this;
    const name = `${task}-in-parts`;
    const logs = new LogGroup(this, `${task}-log`, {
      logGroupName: logGroupName(stage.name, name),
      retention: stage.logRetentionDays as RetentionDays,
      removalPolicy: stage.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const role = new Role(this, `${task}-role`, { assumedBy: new ServicePrincipal('states.amazonaws.com'), description: `Intact ${stage.name}: calls ${task}, in parts where it has to` });
    const machine = new StateMachine(this, task, {
      stateMachineName: machineName(stage, task),
      definitionBody: DefinitionBody.fromChainable(this.definition(task, fn)),
      stateMachineType: StateMachineType.STANDARD,
      role,
      tracingEnabled: true,
      // Which step, when, how it ended; what the parts hand to each other is not in it.
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
      comment: `Intact ${stage.name}: ${task}`,
    });
    reviewed(role, 'AwsSolutions-IAM5[Resource::*]', 'The delivery of logs and X-Ray know no resources; the test of the templates lets this star pass for their actions only.');
    reviewed(role, `AwsSolutions-IAM5[Resource::<${logicalId(fn)}.Arn>:*]`, 'Any version of this one function: the machine calls the one that is deployed.');
    for (const executions of [':*', `/${LABEL}:*`]) reviewed(machine, `AwsSolutions-IAM5[Resource::${executionsInReport(machine)}${executions}]`, 'Executions of this very machine, which its map starts, watches and stops; their names are made up as they begin.');
    return machine;
  }

  /** Begin → done; or parts → merge → done, or other parts: a merge may ask for them. */
  private definition(task: PartedName, fn: Lambda): IChainable {
    const call = (name: string, payload?: Record<string, unknown>): TaskStateBase =>
      new LambdaInvoke(this, `${task}-${name}`, { stateName: name, lambdaFunction: fn, payloadResponseOnly: true, ...(payload && { payload: TaskInput.fromObject(payload) }) }).addRetry(RETRIES);
    const turn = { run: JsonPath.stringAt('$.run'), round: JsonPath.numberAt('$.round') };
    const parts = new DistributedMap(this, `${task}-Parts`, {
      stateName: 'Parts',
      label: LABEL,
      itemsPath: '$.parts',
      itemSelector: { step: 'part', ...turn, part: JsonPath.stringAt('$$.Map.Item.Value') },
      // None may fail: what was not looked at is not clean. Of a restore the others are worth something all the same.
      ...(task === ASKED && { toleratedFailurePercentage: 100 }),
      maxConcurrency: AT_ONCE[task],
      // A function may take fifteen minutes, an express execution five.
      mapExecutionType: StateMachineType.STANDARD,
      resultPath: JsonPath.DISCARD,
    });
    parts.itemProcessor(call('Part'));
    const isDone = new Choice(this, `${task}-IsDone`, { stateName: 'Done?' });
    isDone.when(Condition.booleanEquals('$.done', true), new Succeed(this, `${task}-Done`, { stateName: 'Done' }));
    isDone.otherwise(parts.next(call('Merge', { step: 'merge', ...turn })).next(isDone));
    return call('Begin', { step: 'begin', ...(task === ASKED && { asked: JsonPath.entirePayload }) }).next(isDone);
  }
}

const logicalId = (of: Construct): string => Stack.of(of).resolve(Stack.of(of).getLogicalId(of.node.defaultChild as CfnElement)) as string;

/** How the report writes the ARN of a machine's executions, up to their names. */
function executionsInReport(machine: StateMachine): string {
  const stack = Stack.of(machine);
  const written = (value: string, name: string): string => (Token.isUnresolved(value) ? `<AWS::${name}>` : value);
  const name = JSON.stringify({ 'Fn::Select': [6, { 'Fn::Split': [':', { Ref: logicalId(machine) }] }] });
  return `arn:${written(stack.partition, 'Partition')}:states:${written(stack.region, 'Region')}:${written(stack.account, 'AccountId')}:execution:${name}`;
}
