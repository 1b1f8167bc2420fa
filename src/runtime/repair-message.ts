/** What the repair queue carries, for the stack that reads it. A log line names a repair by the stream event that caused it: the record's key may have been written by hand. */
import { repairRequestIn } from '../core/repair-request';
import type { RepairRequest } from '../ports/repair-requests';
import type { MessageForm } from './stacks/queue';

export const repairMessages: MessageForm<RepairRequest> = {
  read: (body) => {
    const request = repairRequestIn(body);
    return request === 'unknown' ? 'unknown' : [request];
  },
  about: ({ source }) => ({ source }),
};
