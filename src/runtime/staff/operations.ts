/** The operations of staff as the routes call them: bound to what they need of the world by each function's wiring, which gives a function those of its own routes and no others. */
import type { Actor } from '../../core/staff/actor';
import type { StaffResult } from '../../core/staff/refusal';
import type { addNote } from '../../operations/staff/add-note';
import type { assignCustomer } from '../../operations/staff/assign-customer';
import type { bulkRollback, planBulkRollback } from '../../operations/staff/bulk-rollback';
import type { createCustomer } from '../../operations/staff/create-customer';
import type { editCustomer } from '../../operations/staff/edit-customer';
import type { listCustomers } from '../../operations/staff/list-customers';
import type { customerAt, listVersions } from '../../operations/staff/list-versions';
import type { queryAccess } from '../../operations/staff/query-access';
import type { readCustomer } from '../../operations/staff/read-customer';
import type { rollbackCustomer } from '../../operations/staff/rollback-customer';
import type { searchCustomers } from '../../operations/staff/search-customers';

type Bound<F> = F extends (deps: never, actor: Actor, input: infer I) => Promise<StaffResult<infer T>> ? (actor: Actor, input: I) => Promise<StaffResult<T>> : never;

export interface StaffOperations {
  readonly listCustomers: Bound<typeof listCustomers>;
  readonly searchCustomers: Bound<typeof searchCustomers>;
  readonly readCustomer: Bound<typeof readCustomer>;
  readonly listVersions: Bound<typeof listVersions>;
  readonly customerAt: Bound<typeof customerAt>;
  readonly createCustomer: Bound<typeof createCustomer>;
  readonly editCustomer: Bound<typeof editCustomer>;
  readonly assignCustomer: Bound<typeof assignCustomer>;
  readonly addNote: Bound<typeof addNote>;
  readonly rollbackCustomer: Bound<typeof rollbackCustomer>;
  readonly planBulkRollback: Bound<typeof planBulkRollback>;
  readonly bulkRollback: Bound<typeof bulkRollback>;
  readonly queryAccess: Bound<typeof queryAccess>;
}
