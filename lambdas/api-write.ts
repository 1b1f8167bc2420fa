/** POST, PATCH and PUT under /v1/customers: one profile is made, changed, assigned, noted on or put back. */
import { staffApi } from '../src/runtime/stacks/staff-api';
import { levelOf } from '../src/runtime/staff/serve';
import { writingDeps } from '../src/runtime/wiring/staffing';

export const handler = staffApi(levelOf('write', writingDeps()));
