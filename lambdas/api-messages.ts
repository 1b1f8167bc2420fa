/** GET /v1/customers/{id}/messages and what is under it: conversations, messages, and the proof of each. */
import { staffApi } from '../src/runtime/stacks/staff-api';
import { levelOf } from '../src/runtime/staff/serve';
import { messagingDeps } from '../src/runtime/wiring/staffing';

export const handler = staffApi(levelOf('messages', messagingDeps()));
