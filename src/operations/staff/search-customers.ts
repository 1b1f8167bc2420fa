/** Finds customers by the words of their name, a number, a tag or an owner, among those the operator may read, newest first, a page at a time. */
import type { Actor } from '../../core/staff/actor';
import { refused, type StaffResult } from '../../core/staff/refusal';
import { fieldError } from '../../core/staff/messages/catalogue';
import { searchedByText } from '../../core/staff/searched-for';
import { termOfQuery } from '../../core/staff/search-terms';
import type { Criteria, FindDeps } from './find-customers';
import { guardedRead } from './guarded';
import { pageOfCustomers, type CustomerPage, type PageInput } from './list-customers';

/** Exactly one. `q`: words of a name, or a number if it looks like one. `phone`: with a + the whole number, without one its last digits, four at least. */
export type SearchInput = PageInput & ({ readonly q: string } | { readonly phone: string } | { readonly tag: string } | { readonly ownerId: string });

export function searchCustomers(deps: FindDeps, actor: Actor, input: SearchInput): Promise<StaffResult<CustomerPage>> {
  const criteria = criteriaOf(input);
  const action = 'SearchCustomers';
  if (criteria === undefined) {
    return guardedRead<CustomerPage>(deps, actor, { action }, async () => refused({ code: 'invalid', errors: [fieldError('en', 'q' in input ? 'q' : 'phone', 'search-too-short', {}, 'Mar')] }));
  }
  const filter = [('q' in input && input.q) || '', ('phone' in input && input.phone) || '', ('tag' in input && input.tag) || '', ('ownerId' in input && input.ownerId) || ''];
  const { cursor, limit } = input;
  return pageOfCustomers(deps, actor, { action, route: 'GET /v1/customers/search', filter, criteria }, { limit, ...(cursor !== undefined && { cursor }) });
}

/** Undefined: it holds nothing that could be looked for. */
function criteriaOf(input: SearchInput): Criteria | undefined {
  if ('tag' in input) return { tag: input.tag };
  if ('ownerId' in input) return { ownerId: input.ownerId };
  const searched = searchedByText('q' in input ? input.q : input.phone);
  if (searched.phone !== undefined) return searched;
  return 'q' in input && termOfQuery(searched.name ?? []) !== undefined ? searched : undefined;
}
