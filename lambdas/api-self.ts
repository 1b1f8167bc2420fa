/** GET /v1/me: who the caller is to us. GET /health: a function of ours answers. Neither reads a store. */
import { jsonAnswer } from '../src/runtime/problem';
import { staffApi } from '../src/runtime/stacks/staff-api';

export const handler = staffApi({
  routes: {
    'GET /v1/me': ({ actor: { operatorId, name, role }, signedInAt, expiresAt }) => jsonAnswer({ operatorId, name, role, signedInAt, expiresAt }),
  },
  open: { 'GET /health': () => ({ status: 'up' }) },
});
