/** GET /v1/me: who the caller is to us. GET /health: a function of ours answers. Neither reads a store. */
import { staffApi } from '../src/runtime/stacks/staff-api';
import { selfRoutes } from '../src/runtime/staff/self';

export const handler = staffApi({ routes: selfRoutes, open: { 'GET /health': () => ({ status: 'up' }) } });
