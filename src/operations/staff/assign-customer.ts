/** Gives a customer to a member of staff, or to nobody: sales see the customers assigned to them and no others. */
import type { Actor } from '../../core/staff/actor';
import { assignedTo } from '../../core/staff/profile';
import type { StaffResult } from '../../core/staff/refusal';
import { changeProfile, type ChangeDeps, type ChangedProfile } from './change-profile';

export interface AssignCustomer {
  readonly customerId: string;
  readonly ifRev: number;
  /** The operator's id; null: nobody. Whether there is such an operator the user pool knows; one that is not sees nothing. */
  readonly ownerId: string | null;
  readonly reason?: string | undefined;
}

export function assignCustomer(deps: ChangeDeps, actor: Actor, { customerId, ifRev, ownerId, reason }: AssignCustomer): Promise<StaffResult<ChangedProfile>> {
  return changeProfile(deps, actor, { action: 'AssignCustomer', customerId }, { ifRev, action: 'assigned', reason, to: async (profile) => assignedTo(profile, ownerId) });
}
