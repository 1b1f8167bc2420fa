/** Asked by the user pool before it gives the tokens of a sign-in: writes the sign-in into the access log. No record, no tokens. */
import { noteAccess } from '../src/operations/staff/note-access';
import { SIGN_IN } from '../src/core/staff/access-record';
import { userPoolTrigger } from '../src/runtime/stacks/user-pool';
import { signInOf, type TokenEvent } from '../src/runtime/token-event';
import { notingDeps } from '../src/runtime/wiring/noting';

const deps = notingDeps();

export const handler = userPoolTrigger('note-sign-in', async (event: TokenEvent, requestId) => {
  const actor = signInOf(event, requestId);
  if (actor === undefined) return 'renewed';
  await noteAccess(deps, { actor, action: SIGN_IN, decision: { allowed: true, policies: ['user-pool'] }, outcome: 'done' });
  return 'noted';
});
