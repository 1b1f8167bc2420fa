/** Runs a function every so often. A missed or failed run is not queued up: the next one does the same work, and the alarms watch for its absence. */
import type { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';

export function every(interval: Duration, fn: Lambda): Rule {
  const rule = new Rule(fn, 'Schedule', { schedule: Schedule.rate(interval), description: `Runs ${fn.node.id}` });
  rule.addTarget(new LambdaFunction(fn, { retryAttempts: 2 }));
  return rule;
}
