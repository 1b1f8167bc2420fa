/** The world as the sweeper sees it: the inbox bucket and the queue in front of process-inbox. */
import { s3 } from '../../adapters/aws/s3';
import { s3Inbox } from '../../adapters/aws/s3-inbox';
import { sqs, sqsSender } from '../../adapters/aws/sqs';
import type { SweepDeps } from '../../operations/sweep-inbox';
import { inboxMessage } from '../inbox-message';
import { containerMeter } from '../metrics';
import { setting } from '../settings';
import { now } from './world';

export function sweepDeps(): SweepDeps {
  const send = sqsSender(sqs(), setting('INBOX_QUEUE_URL'));
  return { inbox: s3Inbox(s3(), setting('INBOX_BUCKET')), meter: containerMeter(), now, requeue: (name) => send(inboxMessage(name)) };
}
