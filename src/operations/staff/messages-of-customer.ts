/**
 * What of the records of a message id is one customer's. A message id is asked for under the customer it is said to be of, and whatever belongs to anybody else (the others of a group, somebody who guesses an
 * id) is as good as not there. Edits, revokes and reactions are found through the views, so one of the last second may be missing; what they point to is read and judged.
 */
import { keyOf, stringOf, type Image, type TableKey } from '../../core/image';
import { numberOfRecord } from '../../core/message-facts';
import type { Action } from '../../core/staff/actions';
import type { Actor } from '../../core/staff/actor';
import { recordKeys, viewKeys } from '../../core/table-keys';
import type { RecordStore, ViewStore } from '../../ports';
import type { Secrets } from '../load-secrets';
import type { CustomerRoom, GuardDeps } from './guarded';
import { readTogether } from './merged-customers';

export interface MessageDeps extends GuardDeps {
  readonly records: GuardDeps['records'] & Pick<RecordStore, 'partition' | 'ofCustomer'>;
  readonly views: Pick<ViewStore, 'partition'>;
  readonly keys: Pick<Secrets, 'macKeys' | 'dedupeKey'>;
}

/**
 * Whose records count as this customer's: theirs, and those of the customers merged into them, as far as the operator may do to each what is being done. A record stays the record of the customer it was made
 * for, so a merge that is taken back leaves everybody with their own.
 */
export async function togetherWith(deps: MessageDeps, room: CustomerRoom, actor: Actor, action: Action): Promise<ReadonlySet<string>> {
  const customers = (await readTogether(deps, room, room.customer)).map((image) => ({ id: stringOf(image, 'customerId') ?? '', ownerId: stringOf(image, 'ownerId') }));
  const mine = customers.filter(({ id, ownerId }) => deps.authorize(actor, action, { type: 'Customer', id, ...(ownerId !== undefined && { ownerId }) }).allowed);
  return new Set(mine.map(({ id }) => id));
}

/** For the access record: of whom else than the one who was asked for the answer is. */
export const besides = (customerId: string, shown: readonly { readonly customerId: string }[]): { readonly shown: readonly string[] } => ({ shown: [...new Set(shown.map((each) => each.customerId))].filter((each) => each !== customerId) });

/** More edits and reactions than anybody looks at; the others are in the records. */
const MAX_ACTS = 200;

/** What is done with a record whose MAC does not hold: `genuine` of a room throws, `readable` tells. */
export type Trust = (image: Image) => Image | 'unreadable';

/** A customer's own records; of those that are not as we wrote them the keys. */
export interface Own {
  readonly records: readonly Image[];
  readonly unreadable: readonly TableKey[];
}
export const NONE: Own = { records: [], unreadable: [] };

const withOne = ({ records, unreadable }: Own, image: Image, read: Image | 'unreadable'): Own => (read === 'unreadable' ? { records, unreadable: [...unreadable, keyOf(image)] } : { records: [...records, read], unreadable });

/** The customer's own records under one hashed message id, by business number. Of those of others not even the MAC is looked at: what is wrong with them is not this customer's business. */
export async function ownRecords(deps: MessageDeps, trust: Trust, customers: ReadonlySet<string>, partition: string): Promise<ReadonlyMap<string, Own>> {
  const byNumber = new Map<string, Own>();
  for await (const image of deps.records.partition(partition)) {
    if (!customers.has(stringOf(image, 'customerId') ?? '')) continue;
    const number = numberOfRecord(image);
    byNumber.set(number, withOne(byNumber.get(number) ?? NONE, image, trust(image)));
  }
  return byNumber;
}

/** The customer's own edits, revokes and reactions about a message. */
export async function ownActs(deps: MessageDeps, trust: Trust, customers: ReadonlySet<string>, hashedWamid: string, phoneNumberId: string): Promise<Own> {
  let acts = NONE;
  for await (const view of deps.views.partition(viewKeys.about(hashedWamid, { pk: '', sk: '' }).pk, { limit: MAX_ACTS })) {
    const key: TableKey = { pk: stringOf(view, 'recordPk') ?? '', sk: stringOf(view, 'recordSk') ?? '' };
    if (numberOfRecord({ sk: { S: key.sk } }) !== phoneNumberId) continue;
    const image = await deps.records.get(key, { consistent: true });
    if (image !== 'absent' && stringOf(image, 'original') === hashedWamid && customers.has(stringOf(image, 'customerId') ?? '')) acts = withOne(acts, image, trust(image));
  }
  return acts;
}

/** What names a message's records, as `TimelineItem.id` has it. Anything else names none, and is not written down: it may be a number or an id of Meta's. */
export const isHashedId = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text);

export const partitionOfMessage = (hashedWamid: string): string => recordKeys.message(hashedWamid, '').pk;
export const hashInPartition = (pk: string): string => pk.slice(partitionOfMessage('').length);
