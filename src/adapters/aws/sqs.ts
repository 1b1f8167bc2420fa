/** Puts messages on a queue. Sending twice is allowed: whoever takes messages from a queue of ours can take one twice. */
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { asking } from './port-errors';
import { sdkSettings, type ClientOverrides } from './sdk-settings';

let shared: SQSClient | undefined;

/** The container's one SQS client, made when first asked for. */
export function sqs(): SQSClient {
  return (shared ??= sqsClient());
}

/** A client of its own, for tests and tools. */
export function sqsClient(overrides: ClientOverrides = {}): SQSClient {
  return new SQSClient(sdkSettings(overrides) as ConstructorParameters<typeof SQSClient>[0] & object);
}

/** Resolves when the queue holds the message. Throws `PortError`. */
export const sqsSender =
  (client: SQSClient, queueUrl: string) =>
  async (body: string): Promise<void> => {
    await asking('put a message on a queue', () => client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body })));
  };
