/** The operations of staff as the routes call them: bound to what they need of the world by each function's wiring, which gives a function those of its own routes and no others. */
import type { Actor } from '../../core/staff/actor';
import type { StaffResult } from '../../core/staff/refusal';
import type { addNote } from '../../operations/staff/add-note';
import type { assignCustomer } from '../../operations/staff/assign-customer';
import type { bulkRollback, planBulkRollback } from '../../operations/staff/bulk-rollback';
import type { compareVersions } from '../../operations/staff/compare-versions';
import type { createCustomer } from '../../operations/staff/create-customer';
import type { editCustomer } from '../../operations/staff/edit-customer';
import type { askErasure, confirmErasure, readErasure, withdrawErasure } from '../../operations/staff/erasures';
import type { placeHold, readHold, releaseHold } from '../../operations/staff/holds';
import type { linkAlias, unlinkAlias } from '../../operations/staff/link-alias';
import type { mergeCustomers, unmergeCustomers } from '../../operations/staff/merge-customers';
import type { listCustomers } from '../../operations/staff/list-customers';
import type { listNotes } from '../../operations/staff/list-notes';
import type { customerAt, listVersions } from '../../operations/staff/list-versions';
import type { queryAccess } from '../../operations/staff/query-access';
import type { proveMessage } from '../../operations/staff/prove-message';
import type { readConversation } from '../../operations/staff/read-conversation';
import type { readCustomer } from '../../operations/staff/read-customer';
import type { readMessage } from '../../operations/staff/read-message';
import type { recordOutbound } from '../../operations/staff/record-outbound';
import type { rollbackCustomer } from '../../operations/staff/rollback-customer';
import type { searchCustomers } from '../../operations/staff/search-customers';

type Bound<F> = F extends (deps: never, actor: Actor, input: infer I) => Promise<StaffResult<infer T>> ? (actor: Actor, input: I) => Promise<StaffResult<T>> : never;

export interface StaffOperations {
  readonly listCustomers: Bound<typeof listCustomers>;
  readonly searchCustomers: Bound<typeof searchCustomers>;
  readonly readCustomer: Bound<typeof readCustomer>;
  readonly listNotes: Bound<typeof listNotes>;
  readonly listVersions: Bound<typeof listVersions>;
  readonly customerAt: Bound<typeof customerAt>;
  readonly compareVersions: Bound<typeof compareVersions>;
  readonly createCustomer: Bound<typeof createCustomer>;
  readonly editCustomer: Bound<typeof editCustomer>;
  readonly assignCustomer: Bound<typeof assignCustomer>;
  readonly addNote: Bound<typeof addNote>;
  readonly rollbackCustomer: Bound<typeof rollbackCustomer>;
  readonly planBulkRollback: Bound<typeof planBulkRollback>;
  readonly bulkRollback: Bound<typeof bulkRollback>;
  readonly queryAccess: Bound<typeof queryAccess>;
  readonly linkAlias: Bound<typeof linkAlias>;
  readonly unlinkAlias: Bound<typeof unlinkAlias>;
  readonly mergeCustomers: Bound<typeof mergeCustomers>;
  readonly unmergeCustomers: Bound<typeof unmergeCustomers>;
  readonly readConversation: Bound<typeof readConversation>;
  readonly readMessage: Bound<typeof readMessage>;
  readonly proveMessage: Bound<typeof proveMessage>;
  readonly recordOutbound: Bound<typeof recordOutbound>;
  readonly readHold: Bound<typeof readHold>;
  readonly placeHold: Bound<typeof placeHold>;
  readonly releaseHold: Bound<typeof releaseHold>;
  readonly askErasure: Bound<typeof askErasure>;
  readonly readErasure: Bound<typeof readErasure>;
  readonly confirmErasure: Bound<typeof confirmErasure>;
  readonly withdrawErasure: Bound<typeof withdrawErasure>;
}
