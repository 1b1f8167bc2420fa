/** POST /v1/outbound: a system, or a person of support, says what was sent. */
import { staffApi } from '../src/runtime/stacks/staff-api';
import { levelOf } from '../src/runtime/staff/serve';
import { sendingDeps } from '../src/runtime/wiring/staffing';

export const handler = staffApi(levelOf('outbound', sendingDeps()));
