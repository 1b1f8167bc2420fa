/**
 * Finds customers through the search index, newest first, a page at a time. The index proposes, the records decide: each candidate is read, checked, asked for at the policies, and held against the query.
 * Who may read some customers only goes through the partition of their own: nothing of what they get, no count, no page and no cursor, depends on a customer of anybody else.
 */
import type { Actor } from '../../core/staff/actor';
import { profileOf, revOf, type Profile } from '../../core/staff/profile';
import { EVERYBODY, numberOf, partitionOf, rowIn } from '../../core/staff/search-index';
import { nameAnswers, phoneAnswers, termOfPhone, termOfQuery, type PhoneQuery, type Term } from '../../core/staff/search-terms';
import type { Searched } from '../../core/staff/searched-for';
import { stringOf, type Image, type TableKey } from '../../core/image';
import { recordKeys } from '../../core/table-keys';
import type { ViewStore } from '../../ports';
import { inParallel } from '../in-parallel';
import type { Secrets } from '../load-secrets';
import type { GuardDeps, Room } from './guarded';

export interface FindDeps extends GuardDeps {
  readonly views: Pick<ViewStore, 'partition'>;
  readonly keys: Pick<Secrets, 'macKeys' | 'dedupeKey'>;
}

/** All that is given must be so. */
export type Criteria = Searched;

export interface FoundCustomer {
  readonly customerId: string;
  readonly rev: number;
  readonly profile: Profile;
}

export interface FoundPage {
  readonly items: readonly FoundCustomer[];
  /** Customers the index proposed whose records are not as we wrote them: whether they belong here, nobody can say before they are repaired. Of those alone whom the operator may look through. */
  readonly unreadable: number;
  /** The customer after whom the next page begins; absent: there is none. */
  readonly after?: string;
}

/** Rows of the index one page looks at: what it may cost, whatever is asked. A page with fewer customers than asked for, even with none, is not the last one as long as it says where the next begins. */
export const MAX_CANDIDATES = 200;
const READ_AT_ONCE = 16;

/** For use behind the guard. Throws `PortError`. One hand in the table must not keep everybody from their work: a record that is not as we wrote it is left out, and counted. */
export async function findCustomers(deps: FindDeps, room: Pick<Room, 'readable'>, actor: Actor, criteria: Criteria, { limit, after }: { readonly limit: number; readonly after?: string }): Promise<FoundPage> {
  const scope = scopeOf(deps, actor, criteria);
  if (scope === 'nobody') return { items: [], unreadable: 0 };
  const dedupeKey = await deps.keys.dedupeKey();
  const read = async (key: TableKey): Promise<Image | 'unreadable' | undefined> => {
    const image = await deps.records.get(key, { consistent: true });
    return image === 'absent' ? undefined : room.readable(image);
  };
  const reading: Reading = { deps, actor, criteria, dedupeKey, read };
  const { candidates, isLast } = await candidatesOf(deps, partitionOf(dedupeKey, scope), after);
  const items: FoundCustomer[] = [];
  let unreadable = 0;
  for (let from = 0; from < candidates.length; from += READ_AT_ONCE) {
    const judged = await inParallel(candidates.slice(from, from + READ_AT_ONCE), READ_AT_ONCE, async ({ customerId, isGone }) => (isGone ? undefined : judge(reading, customerId)));
    for (const [i, found] of judged.entries()) {
      if (found === 'unreadable') unreadable += 1;
      else if (found !== undefined) items.push(found);
      const seen = from + i + 1;
      if (items.length === limit) return { items, unreadable, ...(!(seen === candidates.length && isLast) && { after: candidates[seen - 1]!.customerId }) };
    }
  }
  const last = candidates.at(-1);
  return { items, unreadable, ...(!isLast && last !== undefined && { after: last.customerId }) };
}

/** Who may read a customer whom nobody is assigned to may read them all; the others, their own. Policies say so, not this file. */
function scopeOf({ authorize }: FindDeps, actor: Actor, { name, phone, tag, ownerId }: Criteria): Term | 'nobody' {
  const readsAll = authorize(actor, 'ReadCustomer', { type: 'Customer', id: 'anybody' }).allowed;
  if (!readsAll) return ownerId === undefined || ownerId === actor.operatorId ? { type: 'owner', value: actor.operatorId } : 'nobody';
  if (phone !== undefined) return termOfPhone(phone);
  const ofName = name && termOfQuery(name);
  if (ofName !== undefined) return ofName;
  if (ownerId !== undefined) return { type: 'owner', value: ownerId };
  return tag === undefined ? EVERYBODY : { type: 'tag', value: tag };
}

interface Candidate {
  readonly customerId: string;
  /** Had the term, and has it no longer. */
  readonly isGone: boolean;
}

/** In the order of their rows; a customer can have several, one after the other. */
async function candidatesOf({ views }: FindDeps, partition: string, after: string | undefined): Promise<{ readonly candidates: readonly Candidate[]; readonly isLast: boolean }> {
  const candidates: Candidate[] = [];
  let rows = 0;
  for await (const view of views.partition(partition, { newestFirst: true, limit: MAX_CANDIDATES + 1, ...(after !== undefined && { before: after }) })) {
    const customerId = (stringOf(view, 'sk') ?? '').split('#')[0]!;
    const isGone = rowIn(view) === undefined;
    const before = candidates.at(-1);
    if (++rows > MAX_CANDIDATES) {
      // The next page begins after this customer: by a row that is not looked at any more they may have the term all the same.
      if (before?.customerId === customerId) candidates[candidates.length - 1] = { customerId, isGone: false };
      break;
    }
    if (before?.customerId !== customerId) candidates.push({ customerId, isGone });
    else if (before.isGone) candidates[candidates.length - 1] = { customerId, isGone };
  }
  return { candidates, isLast: rows <= MAX_CANDIDATES };
}

interface Reading {
  readonly deps: FindDeps;
  readonly actor: Actor;
  readonly criteria: Criteria;
  readonly dedupeKey: Uint8Array;
  /** Undefined: there is none. */
  readonly read: (key: TableKey) => Promise<Image | 'unreadable' | undefined>;
}

async function judge(reading: Reading, customerId: string): Promise<FoundCustomer | 'unreadable' | undefined> {
  const { deps, actor, criteria } = reading;
  const image = await reading.read(recordKeys.customer(customerId));
  if (image === 'unreadable') return 'unreadable';
  if (image === undefined || stringOf(image, 'kind') !== 'customer') return undefined;
  const profile = profileOf(image);
  const { ownerId } = profile;
  if (!deps.authorize(actor, 'ReadCustomer', { type: 'Customer', id: customerId, ...(ownerId !== undefined && { ownerId }) }).allowed) return undefined;
  const { name, tag, phone } = criteria;
  const isWanted =
    (criteria.ownerId === undefined || criteria.ownerId === ownerId) &&
    (tag === undefined || profile.tags.includes(tag)) &&
    (name === undefined || (profile.name !== undefined && nameAnswers(profile.name, name))) &&
    (phone === undefined || (profile.phone !== undefined && phoneAnswers(profile.phone, phone)) || (await hasNumber(reading, customerId, phone)));
  return isWanted === true ? { customerId, rev: revOf(image), profile } : isWanted || undefined;
}

/** Whether WhatsApp, or an address book, knows the customer by such a number. */
async function hasNumber({ deps, dedupeKey, read }: Reading, customerId: string, phone: PhoneQuery): Promise<boolean | 'unreadable'> {
  let doubt: false | 'unreadable' = false;
  for await (const view of deps.views.partition(partitionOf(dedupeKey, termOfPhone(phone)), { skPrefix: `${customerId}#` })) {
    const record = rowIn(view)?.record;
    const alias = record && (await read(record));
    if (alias === 'unreadable') doubt = alias;
    if (alias === 'unreadable' || stringOf(alias, 'customerId') !== customerId || stringOf(alias, 'kind') !== 'alias') continue;
    const number = alias && numberOf(alias);
    if (number !== undefined && phoneAnswers(number, phone)) return true;
  }
  return doubt;
}
