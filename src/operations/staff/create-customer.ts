/**
 * Makes a customer whom nobody has written to us yet. They get a subject of their own like anybody else. When they write, receiving does not know that they are the same: aliases are given
 * by messages alone, and joining two customers is a decision of a person.
 */
import { ulid } from 'ulid';
import type { Actor } from '../../core/staff/actor';
import { profileFrom, revOf, type Profile } from '../../core/staff/profile';
import { checkProfile, isRefused, type ProfileInput } from '../../core/staff/profile-rules';
import type { ProfileSettings } from '../../core/staff/profile-settings';
import type { StaffResult } from '../../core/staff/refusal';
import { firstStep, versionOf } from '../../core/staff/version';
import { newSubject } from '../../core/subject-key';
import { recordKeys } from '../../core/table-keys';
import { cannot } from './cannot';
import { guardedChange, type GuardDeps, type Plan } from './guarded';
import { profileIn } from './read-versions';

export interface CreateCustomer {
  readonly profile: ProfileInput;
  readonly reason?: string | undefined;
  /** A ULID to make the customer under: the same for every attempt of one request, so that a second one finds what the first has made. */
  readonly id?: string | undefined;
}
export interface CreatedCustomer {
  readonly customerId: string;
  readonly rev: number;
  readonly profile: Profile;
}

export async function createCustomer(deps: GuardDeps & { readonly profile: ProfileSettings }, actor: Actor, input: CreateCustomer): Promise<StaffResult<CreatedCustomer>> {
  const customerId = input.id ?? ulid(deps.now().getTime(), () => (deps.random(1)[0] ?? 0) / 256);
  const subject = newSubject(deps.random);
  return guardedChange(deps, actor, { action: 'CreateCustomer' }, async ({ at, genuine }): Promise<Plan<CreatedCustomer>> => {
    const checked = checkProfile(deps.profile, input.profile);
    if (isRefused(checked)) return { outcome: 'refused', refusal: { code: 'invalid', errors: checked } };
    const made = { outcome: 'change', customerId } as const;
    if (input.id !== undefined) {
      const there = await deps.records.get(recordKeys.customer(customerId), { consistent: true });
      if (there !== 'absent') {
        // Made by an earlier attempt of this request, or not ours to touch.
        const first = await deps.records.get(recordKeys.version(customerId, 1), { consistent: true });
        const isOwn = first !== 'absent' && versionOf(genuine(first)).by?.operatorId === actor.operatorId;
        if (!isOwn) return cannot('customer-exists', {});
        return { ...made, writes: [], value: { customerId, rev: revOf(genuine(there)), profile: profileIn(there) } };
      }
    }
    const profile = profileFrom(checked as ProfileInput);
    const { customer, version } = firstStep({ customerId, subject }, profile, { actor, at, reason: input.reason });
    return {
      ...made,
      writes: [
        { op: 'create', image: customer },
        { op: 'create', image: version },
      ],
      value: { customerId, rev: 1, profile },
      count: 1,
    };
  });
}
