/** Runs a function, or a state machine, every so often. A missed or failed run is not queued up: the next one does the same work, and the alarms watch for its absence. */
import type { Duration } from 'aws-cdk-lib';
import { type IRuleTarget, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

export const every = (interval: Duration, fn: Lambda): Rule => ruleOf(interval, fn, new LambdaFunction(fn, { retryAttempts: 2 }));

/** Each run is an execution of its own; what it works on does not come from the schedule. */
export const everyWhole = (interval: Duration, machine: StateMachine): Rule => ruleOf(interval, machine, new SfnStateMachine(machine, { retryAttempts: 2 }));

function ruleOf(interval: Duration, what: Construct, target: IRuleTarget): Rule {
  const rule = new Rule(what, 'Schedule', { schedule: Schedule.rate(interval), description: `Runs ${what.node.id}` });
  rule.addTarget(target);
  return rule;
}
