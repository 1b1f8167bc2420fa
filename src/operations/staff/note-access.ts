/**
 * Writes down what no operation was asked for and the access log has to have all the same: that somebody signed in, which the user pool decides, and that somebody was turned away at the door. Fails closed: whoever
 * calls this goes on only when it resolves.
 */
import { withMac } from '../../core/record-mac';
import { accessImage, resourceOf, type AccessAction, type AccessActor, type AccessEvent } from '../../core/staff/access-record';
import type { Decision } from '../../core/staff/actions';
import { putAccess, type GuardDeps } from './guarded';

export type NotingDeps = Omit<GuardDeps, 'authorize'>;

export interface NotedAccess {
  readonly actor: AccessActor;
  readonly action: AccessAction;
  readonly decision: Decision;
  readonly outcome: AccessEvent['outcome'];
}

/** A denial is counted, as those of operations are. Throws `PortError`: then nobody knows whether it is written. */
export async function noteAccess(deps: NotingDeps, { actor, action, decision, outcome }: NotedAccess): Promise<void> {
  if (!decision.allowed) deps.meter.count('AccessDenied');
  const [macKeys, { systemSubject }] = await Promise.all([deps.keys.macKeys(), deps.identity()]);
  const event: AccessEvent = { at: deps.now().toISOString(), id: deps.random(9).toString('base64url'), actor, action, decision, resourceType: resourceOf(action), outcome };
  await putAccess(deps, withMac(macKeys[0], accessImage(event, systemSubject)));
}
