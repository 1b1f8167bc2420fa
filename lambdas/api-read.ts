/** GET /v1/customers and what is under it: profiles, notes and versions, of the customers an operator may read. It writes nothing but who asked. */
import { staffApi } from '../src/runtime/stacks/staff-api';
import { levelOf } from '../src/runtime/staff/serve';
import { readingDeps } from '../src/runtime/wiring/staffing';

export const handler = staffApi(levelOf('read', readingDeps()));
