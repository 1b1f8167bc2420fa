/**
 * Who is erased together with a customer: those whom staff have merged with them as the same person, in whatever order. Records of kind `link` are no such links: `suspected-same` is a proposal, the others tell
 * which names a customer got or lost. Nobody is merged with, or taken back from, somebody for whom an erasure was asked (operations/staff/identity-step).
 */
import { stringOf } from '../../core/image';
import type { MacKey } from '../../core/record-mac';
import type { RecordStore } from '../../ports';
import { genuineBy, wholeOf } from '../staff/merged-customers';

/** Ids of the others, without the customer. Throws `PortError` rather than leave one out, or name one who was taken back. */
export type LinkedCustomers = (customerId: string) => Promise<readonly string[]>;

export const linkedCustomers =
  ({ records, macKeys }: { readonly records: Pick<RecordStore, 'get'>; readonly macKeys: readonly MacKey[] }): LinkedCustomers =>
  async (customerId) => {
    const whole = await wholeOf({ records }, { genuine: genuineBy(macKeys) }, customerId);
    return whole.map((customer) => stringOf(customer, 'customerId') ?? '').filter((id) => id !== customerId);
  };
