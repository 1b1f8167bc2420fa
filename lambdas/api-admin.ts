/** POST /v1/rollbacks: all that one operator changed in some time is planned to be undone, then undone. */
import { staffApi } from '../src/runtime/stacks/staff-api';
import { levelOf } from '../src/runtime/staff/serve';
import { undoingDeps } from '../src/runtime/wiring/staffing';

export const handler = staffApi(levelOf('admin', undoingDeps()));
