/** Requests for repairs as they reach SQS, and what its refusals mean to the sealer: wait, or go on. */
import { queuedRepairRequests } from '../../../src/adapters/aws/repair-requests';
import { sqsClient } from '../../../src/adapters/aws/sqs';
import { repairRequestIn } from '../../../src/core/repair-request';
import { connectionReset, fakeAws, jsonError, jsonReply, type Server } from './fake-http';

const QUEUE = 'https://sqs.us-east-1.amazonaws.com/000000000000/repairs';
const request = { key: { pk: 'm#a\u{ffff}', sk: '1#message' }, source: 'c4ca4238a0b923820dcc509a6f75849b' };
const over = (server: Server) => {
  const { overrides, sent } = fakeAws(server);
  return { requests: queuedRepairRequests(sqsClient(overrides), QUEUE), sent };
};

it('a request is one message, which its reader understands', async () => {
  const { createHash } = await import('node:crypto');
  const { requests, sent } = over(({ json }) => jsonReply({ MessageId: 'm', MD5OfMessageBody: createHash('md5').update(String(json['MessageBody'])).digest('hex') }));
  await requests.ask(request);
  expect(sent.map(({ operation, json }) => [operation, json['QueueUrl'], repairRequestIn(String(json['MessageBody']))])).toEqual([['SendMessage', QUEUE, request]]);
});

it.each([
  ['the queue is gone', () => jsonError('QueueDoesNotExist'), 'corrupt'],
  ['the right was taken away', () => jsonError('AccessDeniedException', {}, 403), 'denied'],
  ['nobody answers', () => { throw connectionReset(); }, 'unavailable'],
] as const)('when %s the sealer knows whether to wait', async (_, server, code) => {
  await expect(over(server).requests.ask(request)).rejects.toMatchObject({ name: 'PortError', code });
});
