/** GET /v1/access: who saw and did what. */
import { staffApi } from '../src/runtime/stacks/staff-api';
import { levelOf } from '../src/runtime/staff/serve';
import { auditingDeps } from '../src/runtime/wiring/staffing';

export const handler = staffApi(levelOf('audit', auditingDeps()));
