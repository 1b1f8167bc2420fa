/** Requests for repairs on a queue. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { repairRequestText } from '../../core/repair-request';
import type { RepairRequests } from '../../ports/repair-requests';
import { sqsSender } from './sqs';

export function queuedRepairRequests(client: SQSClient, queueUrl: string): RepairRequests {
  const send = sqsSender(client, queueUrl);
  return { ask: (request) => send(repairRequestText(request)) };
}
