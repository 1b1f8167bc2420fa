/** Who a customer is to us: the names that lead to them, with whom they are merged, and who may be the same person. Of others only those the actor may read too: the rest do not exist for them. */
import type { AliasType } from '../../core/customer-aliases';
import { stringOf, type Image } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { mergedInto, mergedOf } from '../../core/staff/identity';
import { recordKeys } from '../../core/table-keys';
import type { RecordStore } from '../../ports';
import type { CustomerRoom, GuardDeps } from './guarded';
import { aliasesStillHeld, linksOf } from './held-aliases';
import { refOf } from './identity-step';
import { readTogether, wholeOf } from './merged-customers';

export interface ShownAlias {
  /** HMAC of the name, 43 characters. */
  readonly aliasId: string;
  readonly type: AliasType;
  readonly value: string;
  /** Since when it is theirs: the time of the event or of the decision, ISO 8601 UTC. */
  readonly since: string;
}
export interface ShownIdentity {
  readonly aliases: readonly ShownAlias[];
  /** Into whom the customer was merged: what comes now is there. */
  readonly mergedInto?: string;
  /** Who was merged into the customer, directly or by way of another: their histories are read with this one. */
  readonly merged: readonly string[];
  /** Who may be the same person, as messages that name both say; the newest proposals first, `MAX_PROPOSALS` at most. */
  readonly maybeSame: readonly string[];
  /** More was decided about their names than is read at once: some of the names, and of those who may be the same person, are not here. Absent: these are all. */
  readonly namesCut?: true;
}

const MAX_PROPOSALS = 20;

/** For use behind the guard. Throws `PortError`. */
export async function identityOf(deps: GuardDeps & { readonly records: Pick<RecordStore, 'partition'> }, actor: Actor, room: CustomerRoom): Promise<ShownIdentity> {
  const { customerId } = refOf(room.customer);
  const mayReadOne = (id: string, ownerId?: string): boolean => deps.authorize(actor, 'ReadCustomer', { type: 'Customer', id, ...(ownerId !== undefined && { ownerId }) }).allowed;
  const mayRead = (customer: Image): boolean => mayReadOne(refOf(customer).customerId, stringOf(customer, 'ownerId'));
  const read = async (id: string): Promise<Image | undefined> => {
    const found = await deps.records.get(recordKeys.customer(id), { consistent: true });
    if (found === 'absent') return undefined;
    // Whose one is that is not as we wrote it, nobody can say: only who may read any customer is to hear of it.
    const image = mayReadOne(id) ? room.genuine(found) : room.readable(found);
    return image !== 'unreadable' && stringOf(image, 'kind') === 'customer' && mayRead(image) ? image : undefined;
  };
  const { links, isWhole } = await linksOf(deps, room, customerId);
  const proposals = links
    .filter((link) => stringOf(link, 'action') === 'suspected-same')
    .sort((a, b) => ((stringOf(a, 'receivedAt') ?? '') < (stringOf(b, 'receivedAt') ?? '') ? 1 : -1))
    .flatMap((link) => stringOf(link, 'other') ?? []);
  const held = await aliasesStillHeld(deps, room, customerId, links);
  const [, ...merged] = mergedOf(room.customer).length === 0 ? [] : await readTogether(deps, room, room.customer);
  const whole = proposals.length === 0 ? [] : await wholeOf(deps, room, customerId);
  const known = new Set(whole.map((customer) => refOf(customer).customerId));
  const above = mergedInto(room.customer);
  const maybeSame: string[] = [];
  for (const id of proposals.filter((each) => !known.has(each)).slice(0, MAX_PROPOSALS)) if ((await read(id)) !== undefined) maybeSame.push(id);
  return {
    aliases: held.map(({ alias: { type, value, hash }, state }) => ({ aliasId: hash, type, value, since: new Date(state.assignedAt * 1000).toISOString() })),
    ...(above !== undefined && (await read(above)) !== undefined && { mergedInto: above }),
    merged: merged.filter(mayRead).map((customer) => refOf(customer).customerId),
    maybeSame,
    ...(!isWhole && { namesCut: true }),
  };
}
