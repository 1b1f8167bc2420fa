/**
 * Writes down what no operation was asked for and the access log has to have all the same: that somebody signed in, which the user pool decides, that somebody was turned away before their request was looked at,
 * and that they were told again what they had been told. Fails closed: whoever calls this goes on only when it resolves.
 */
import { withMac } from '../../core/record-mac';
import { accessImage, resourceOf, type AccessAction, type AccessActor, type AccessEvent } from '../../core/staff/access-record';
import type { Decision } from '../../core/staff/actions';
import { isCustomerId, putAccess, type GuardDeps } from './guarded';

export type NotingDeps = Omit<GuardDeps, 'authorize'>;

export interface NotedAccess {
  readonly actor: AccessActor;
  readonly action: AccessAction;
  readonly decision: Decision;
  readonly outcome: AccessEvent['outcome'];
  /** As it was sent: what has no form of ours goes into no record. */
  readonly customerId?: string | undefined;
  readonly shown?: readonly string[];
}

/** Who may not is counted, as in operations. Throws `PortError`: then nobody knows whether it is written. */
export async function noteAccess(deps: NotingDeps, { actor, action, decision, outcome, customerId, shown = [] }: NotedAccess): Promise<void> {
  if (outcome === 'forbidden') deps.meter.count('AccessDenied');
  const [macKeys, { systemSubject }] = await Promise.all([deps.keys.macKeys(), deps.identity()]);
  const event: AccessEvent = { at: deps.now().toISOString(), id: deps.random(9).toString('base64url'), actor, action, decision, resourceType: resourceOf(action), outcome, ...(customerId !== undefined && isCustomerId(customerId) && { customerId }), shown };
  await putAccess(deps, withMac(macKeys[0], accessImage(event, systemSubject)));
}
