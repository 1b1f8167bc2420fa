/**
 * A queue in front of a function, and behind it the queue of what failed too often and waits for a person. Both encrypted and reached over TLS only. Messages say where work is and
 * hold none of it, so one that is lost or handed over twice costs nothing.
 */
import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type EventSourceMappingOptions, type Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

export interface WorkQueue {
  readonly queue: Queue;
  readonly deadLetters: Queue;
}

export interface WorkQueueProps {
  /** How long a message that was not answered for stays with its reader. */
  readonly visibility: Duration;
  /** Readings of one message before it is a dead letter. */
  readonly attempts: number;
}

export function workQueue(scope: Construct, { visibility, attempts }: WorkQueueProps): WorkQueue {
  const common = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) };
  const deadLetters = new Queue(scope, 'DeadLetters', common);
  return { deadLetters, queue: new Queue(scope, 'Queue', { ...common, visibilityTimeout: visibility, deadLetterQueue: { queue: deadLetters, maxReceiveCount: attempts } }) };
}

/** Lets `fn` put messages on the queue, whose address it finds in `env`. */
export function allowSending({ queue }: WorkQueue, fn: Lambda, env: string): void {
  fn.addEnvironment(env, queue.queueUrl);
  fn.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
}

/** `fn` is handed the messages of the queue. */
export function feedFrom({ queue }: WorkQueue, fn: Lambda, id: string, options: Omit<EventSourceMappingOptions, 'target' | 'eventSourceArn'>): EventSourceMapping {
  fn.addToRolePolicy(new PolicyStatement({ actions: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'], resources: [queue.queueArn] }));
  const mapping = new EventSourceMapping(fn, id, { target: fn, eventSourceArn: queue.queueArn, ...options });
  // Lambda checks the permissions when it makes the mapping.
  mapping.node.addDependency(fn.role!);
  return mapping;
}
