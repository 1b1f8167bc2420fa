/**
 * Puts a profile back to a former state by a new version; nothing is overwritten, so this, too, can be put back. Whom the customer is assigned to stays: a rollback corrects what is known
 * about a customer, and must not be a way to see other customers than one's own. Nor do custom fields come back that nobody may write today.
 */
import type { Actor } from '../../core/staff/actor';
import { assignedTo, restorable, revOf } from '../../core/staff/profile';
import type { ProfileSettings } from '../../core/staff/profile-settings';
import { fieldError } from '../../core/staff/messages/catalogue';
import type { StaffResult } from '../../core/staff/refusal';
import { changeProfile, type ChangeDeps, type ChangedProfile } from './change-profile';
import { versionAt } from './read-versions';

export interface RollbackCustomer {
  readonly customerId: string;
  readonly ifRev: number;
  /** A revision from 1 to the present one; 1 of a customer who wrote to us first has an empty profile. */
  readonly toRev: number;
  readonly reason: string;
}

export function rollbackCustomer(deps: ChangeDeps & { readonly profile: ProfileSettings }, actor: Actor, { customerId, ifRev, toRev, reason }: RollbackCustomer): Promise<StaffResult<ChangedProfile>> {
  return changeProfile(deps, actor, { action: 'RollbackCustomer', customerId, resourceId: `version#${toRev}` }, {
    ifRev,
    action: 'rolled-back',
    reason,
    to: async (profile, room) => {
      const max = revOf(room.customer);
      if (!Number.isInteger(toRev) || toRev < 1 || toRev > max) return { outcome: 'refused', refusal: { code: 'invalid', errors: [fieldError('en', '/toRev', 'whole-number', { min: 1, max })] } };
      const former = await versionAt(deps, room, toRev);
      return assignedTo(restorable(deps.profile, former.profile, profile), profile.ownerId ?? null);
    },
  });
}
