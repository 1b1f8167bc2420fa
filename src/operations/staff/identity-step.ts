/** What every decision about who is who has in common: whom it concerns, that no erasure of theirs is under way, and what the caller may be told of others. */
import { ulid } from 'ulid';
import type { CustomerRef } from '../../core/customer-aliases';
import { isOpen } from '../../core/erasure';
import { stringOf, type Image } from '../../core/image';
import type { Action } from '../../core/staff/actions';
import type { Actor } from '../../core/staff/actor';
import { mergedInto } from '../../core/staff/identity';
import { recordKeys } from '../../core/table-keys';
import type { RecordStore, RecordWrite } from '../../ports';
import type { Secrets } from '../load-secrets';
import { cannot } from './cannot';
import type { CustomerRoom, GuardDeps, Plan, Room } from './guarded';
import { requestOf } from './holds';
import { wholeOf } from './merged-customers';

export interface IdentityDeps extends GuardDeps {
  readonly records: GuardDeps['records'] & Pick<RecordStore, 'partition'>;
  readonly keys: Pick<Secrets, 'macKeys' | 'dedupeKey'>;
}

/** Of every decision: why, and a ULID for it, the same for every attempt of one request, so that a second one finds what the first has done. */
export interface Decision {
  readonly reason: string;
  readonly id?: string | undefined;
}

export const NOT_FOUND: Plan<never> = { outcome: 'refused', refusal: { code: 'not-found' } };

export const newId = ({ now, random }: Pick<GuardDeps, 'now' | 'random'>): string => ulid(now().getTime(), () => (random(1)[0] ?? 0) / 256);
export const refOf = (customer: Image): CustomerRef => ({ customerId: stringOf(customer, 'customerId') ?? '', subject: stringOf(customer, 'subject') ?? '' });

/**
 * That nobody of `wholes` is being erased, for the same transaction: an erasure that was asked for takes those whom the officers saw. Each must be a whole, with everybody merged into one: an erasure
 * of any is one of all.
 */
export async function notErased(deps: IdentityDeps, room: Room, wholes: readonly (readonly Image[])[]): Promise<readonly RecordWrite[] | 'erasing'> {
  const ids = [...new Set(wholes.flat().map((customer) => refOf(customer).customerId))];
  const checks: RecordWrite[] = [];
  for (const customerId of ids) {
    const [key, request] = [recordKeys.erasureRequest(customerId), await requestOf(deps, room, customerId)];
    if (request !== undefined && isOpen(request)) return 'erasing';
    checks.push(request === undefined ? { op: 'check-absent', key } : { op: 'check-rev', key, ifRev: request.rev });
  }
  return checks;
}
export const ERASING = cannot('identity-while-erasing', {});

/** The customer's id where the actor may do the same to them: an id of somebody else's customer is told to nobody. */
export function idToTell({ authorize }: Pick<GuardDeps, 'authorize'>, actor: Actor, action: Action, customer: Image): string | undefined {
  const [{ customerId }, ownerId] = [refOf(customer), stringOf(customer, 'ownerId')];
  return authorize(actor, action, { type: 'Customer', id: customerId, ...(ownerId !== undefined && { ownerId }) }).allowed ? customerId : undefined;
}

/** A refusal where the customer is merged into another, who is named: later messages and names are theirs. */
export async function mergedAway(deps: IdentityDeps, actor: Actor, action: Action, room: Room, customer: Image): Promise<Plan<never> | undefined> {
  if (mergedInto(customer) === undefined) return undefined;
  const [survivor = customer] = await wholeOf(deps, room, refOf(customer).customerId);
  return cannot('merged-away', { customer: refOf(customer).customerId, into: idToTell(deps, actor, action, survivor) });
}

/** Whether an earlier attempt of this request has done it: there is a link record under its id, of this action and by this operator. */
export async function doneBefore({ records }: IdentityDeps, actor: Actor, room: Pick<CustomerRoom, 'genuine'>, customer: Image, id: string | undefined, action: string): Promise<Image | undefined> {
  if (id === undefined) return undefined;
  const found = await records.get(recordKeys.link(refOf(customer).customerId, id), { consistent: true });
  if (found === 'absent') return undefined;
  const link = room.genuine(found);
  return stringOf(link, 'action') === action && stringOf(link, 'operatorId') === actor.operatorId ? link : undefined;
}
