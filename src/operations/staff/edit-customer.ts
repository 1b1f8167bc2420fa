/** Edits a profile. Whom the customer is assigned to is not part of it. */
import type { Actor } from '../../core/staff/actor';
import { editedBy } from '../../core/staff/profile';
import { checkChange, isRefused, type ProfileChange } from '../../core/staff/profile-rules';
import type { ProfileSettings } from '../../core/staff/profile-settings';
import type { StaffResult } from '../../core/staff/refusal';
import { changeProfile, type ChangeDeps, type ChangedProfile } from './change-profile';

export interface EditCustomer {
  readonly customerId: string;
  /** The revision the caller has read. */
  readonly ifRev: number;
  readonly change: ProfileChange;
  readonly reason?: string | undefined;
}

/** Only what is asked to change is judged by the rules of today: what an older rule let in does not stand in the way of correcting something else. */
export function editCustomer(deps: ChangeDeps & { readonly profile: ProfileSettings }, actor: Actor, { customerId, ifRev, change, reason }: EditCustomer): Promise<StaffResult<ChangedProfile>> {
  return changeProfile(deps, actor, { action: 'EditCustomer', customerId }, {
    ifRev,
    action: 'edited',
    reason,
    to: async (profile) => {
      const checked = checkChange(deps.profile, change);
      return isRefused(checked) ? { outcome: 'refused', refusal: { code: 'invalid', errors: checked } } : editedBy(profile, checked as ProfileChange);
    },
  });
}
