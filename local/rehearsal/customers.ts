/**
 * A few customers for who tries the API by hand, made as staff make them: support creates each over HTTP, an administrator assigns some to sales. So each has its versions, and every step its line in
 * the access log under the operator who took it. The people are invented, their numbers from the ranges kept for fiction.
 */
import { CannotStart } from '../child-process';
import type { LocalOutputs } from '../outputs';
import { seededOperator, signedInAs, type Ask, type StaffAnswer } from '../staff-request';

/** `isOfSales`: assigned to the seeded operator of that role. */
const CUSTOMERS = [
  { isOfSales: true, profile: { name: 'Zoë Ångström', phone: '+12025550143', email: 'zoe@example.com', tags: ['vip'], custom: { segment: 'wholesale', customerSince: '2019-05-02' } } },
  { isOfSales: true, profile: { name: '王小明', phone: '+12025550178', tags: ['newsletter'], custom: { segment: 'retail' } } },
  { isOfSales: true, profile: { name: "Máire O'Brien", phone: '+447700900321', email: 'maire@example.org', tags: ['vip', 'newsletter'] } },
  { isOfSales: false, profile: { name: 'নাসরিন আক্তার', phone: '+447700900654', tags: [] } },
  { isOfSales: false, profile: { name: 'Jean-Luc Moreau', phone: '+33199001234', email: 'moreau@example.net', tags: ['complaint'], custom: { creditLimit: 2500 } } },
] as const;
export const SEEDED_CUSTOMERS = CUSTOMERS.length;
/** One version each when they are made, one more where they are assigned. */
export const SEEDED_VERSIONS = CUSTOMERS.length + CUSTOMERS.filter(({ isOfSales }) => isOfSales).length;

/** Throws CannotStart where the API refuses one of them. `staffFile`: `.intact/staff.json`. */
export async function seedCustomers(outputs: LocalOutputs, staffFile: string): Promise<void> {
  const [support, admin, sales] = [await as(outputs, staffFile, 'support'), await as(outputs, staffFile, 'admin'), await as(outputs, staffFile, 'sales')];
  const { operatorId } = accepted('GET /v1/me', await sales('GET /v1/me')).json;
  for (const [index, { profile, isOfSales }] of CUSTOMERS.entries()) {
    const made = accepted('POST /v1/customers', await support('POST /v1/customers', { body: { profile }, headers: { 'idempotency-key': `seeded-customer-${index}` } }));
    if (!isOfSales) continue;
    const route = `PUT /v1/customers/${String(made.json['customerId'])}/owner`;
    accepted(route, await admin(route, { body: { ownerId: operatorId }, headers: { 'if-match': made.headers.get('etag') ?? '' } }));
  }
}

const as = (outputs: LocalOutputs, staffFile: string, role: 'support' | 'admin' | 'sales'): Promise<Ask> => signedInAs(outputs, seededOperator(staffFile, role));

function accepted(route: string, answer: StaffAnswer): StaffAnswer {
  if (answer.status >= 300) throw new CannotStart(`The API answered ${answer.status} to ${route}: ${answer.text}`);
  return answer;
}
