/** Lists the customers an operator may read, newest first, a page at a time: all of them, those with a tag, those of one owner. */
import type { Actor } from '../../core/staff/actor';
import { invalidCursor, openCursor, sealCursor, type CursorScope } from '../../core/staff/cursor';
import { done, refused, type StaffResult } from '../../core/staff/refusal';
import { searchedFor } from '../../core/staff/searched-for';
import type { Action } from '../../core/staff/actions';
import { findCustomers, type Criteria, type FindDeps, type FoundCustomer } from './find-customers';
import { guardedRead } from './guarded';

/** `limit`: 1 to 100, of the customers on a page; one with fewer need not be the last. */
export interface PageInput {
  readonly cursor?: string;
  readonly limit: number;
}

export interface CustomerPage {
  readonly items: readonly FoundCustomer[];
  /** How many may belong here and could not be read; absent: none. */
  readonly unreadable?: number;
  /** Absent: there are no more. */
  readonly cursor?: string;
}

export function listCustomers(deps: FindDeps, actor: Actor, { tag, ownerId, ...page }: PageInput & { readonly tag?: string; readonly ownerId?: string }): Promise<StaffResult<CustomerPage>> {
  const criteria: Criteria = { ...(tag !== undefined && { tag }), ...(ownerId !== undefined && { ownerId }) };
  return pageOfCustomers(deps, actor, { action: 'ListCustomers', route: 'GET /v1/customers', filter: [tag ?? '', ownerId ?? ''], criteria }, page);
}

interface Asked {
  readonly action: Action;
  readonly route: string;
  /** What the list is of: a cursor of another one goes nowhere here. */
  readonly filter: readonly string[];
  readonly criteria: Criteria;
}

/** One page of what is asked, behind the guard. The access record says that somebody listed or searched, and whom they saw, by their ids; for whom they looked is personal data, and in it as an HMAC. */
export async function pageOfCustomers(deps: FindDeps, actor: Actor, { action, route, filter, criteria }: Asked, { cursor, limit }: PageInput): Promise<StaffResult<CustomerPage>> {
  return guardedRead<CustomerPage>(
    deps,
    actor,
    { action, searched: searchedFor(await deps.keys.dedupeKey(), criteria) },
    async (room) => {
      const scope: CursorScope = { operatorId: actor.operatorId, route, filter };
      const after = cursor === undefined ? undefined : openCursor(room.secret, scope, cursor);
      if (after === 'invalid') return refused({ code: 'invalid', errors: [invalidCursor()] });
      const found = await findCustomers(deps, room, actor, criteria, { limit, ...(after !== undefined && { after }) });
      return done({ items: found.items, ...(found.unreadable > 0 && { unreadable: found.unreadable }), ...(found.after !== undefined && { cursor: sealCursor(room.secret, scope, found.after) }) });
    },
    ({ items, unreadable }) => ({ count: items.length, ...(unreadable !== undefined && { unreadable }), shown: items.map(({ customerId }) => customerId) }),
  );
}
