/** GET /v1/me: who the caller is to us. A machine has nobody to be shown to: its token opens the record of what was sent, and is turned away here too, should the API's own check of scopes ever let it through. */
import { SYSTEM_ROLE } from '../../core/staff/actor';
import { jsonAnswer, problem } from '../problem';
import type { StaffRoute } from './serve';

export const selfRoutes: { readonly 'GET /v1/me': StaffRoute } = {
  'GET /v1/me': ({ actor: { operatorId, name, role, requestId }, signedInAt, expiresAt }) => (role === SYSTEM_ROLE ? problem('forbidden', requestId) : jsonAnswer({ operatorId, name, role, signedInAt, expiresAt })),
};
