/**
 * The immutable states of a profile. Each change of a customer by staff makes one version: who, when, why, from where, what was before and after, and the whole
 * of it. A customer whom receiving made has no version of that first state, in which there is no profile: it is derived, so that one can go back to it.
 */
import { stringOf, type Image } from '../image';
import { recordKeys } from '../table-keys';
import { operatorAttributes, operatorIn, type AccessActor } from './access-record';
import { applyChange, changesAttribute, changesBetween, changesIn, EMPTY_PROFILE, inverse, isSameProfile, profileAttributes, profileOf, revOf, withProfile, type Profile } from './profile';
import type { FieldChange } from './refusal';

/** `received`: by the webhook, when the customer first wrote. The last four change whose messages come to the customer, not the profile. */
const VERSION_ACTIONS = ['received', 'created', 'edited', 'assigned', 'rolled-back', 'linked', 'unlinked', 'merged', 'unmerged'] as const;
export type VersionAction = (typeof VERSION_ACTIONS)[number];

export interface Version {
  /** Of the customer, as this change left it. */
  readonly rev: number;
  /** ISO 8601 UTC, milliseconds; never before that of an earlier version. */
  readonly at: string;
  readonly action: VersionAction;
  /** Absent: no member of staff. */
  readonly by?: Omit<AccessActor, 'userAgent'>;
  readonly reason?: string;
  readonly changes: readonly FieldChange[];
  readonly profile: Profile;
}

/** What a change of a profile writes: the customer's next record and its version, both without MAC. */
export interface ProfileStep {
  readonly customer: Image;
  readonly version: Image;
  readonly changes: readonly FieldChange[];
}

export interface StepBy {
  readonly actor: AccessActor;
  readonly at: string;
  readonly action: Exclude<VersionAction, 'received'>;
  readonly reason?: string | undefined;
}

/** From `record` to one with `profile`; everything else that the record holds stays. */
export function nextStep(record: Image, profile: Profile, by: StepBy): ProfileStep {
  const { mac: _, ...rest } = record;
  // Clocks of two functions differ: the order of revisions is the order of times all the same.
  const before = stringOf(record, 'receivedAt') ?? '';
  const at = by.at > before ? by.at : before;
  const customer = withProfile({ ...rest, rev: { N: String(revOf(record) + 1) }, receivedAt: { S: at } }, profile);
  return stepTo(customer, profileOf(record), profile, { ...by, at });
}

/** The first step of a customer whom staff make. */
export function firstStep(holder: { readonly customerId: string; readonly subject: string }, profile: Profile, by: Omit<StepBy, 'action'>): ProfileStep {
  const { pk, sk } = recordKeys.customer(holder.customerId);
  const record: Image = {
    pk: { S: pk },
    sk: { S: sk },
    kind: { S: 'customer' },
    customerId: { S: holder.customerId },
    subject: { S: holder.subject },
    rev: { N: '1' },
    createdAt: { S: by.at },
    receivedAt: { S: by.at },
  };
  return stepTo(withProfile(record, profile), EMPTY_PROFILE, profile, { ...by, action: 'created' });
}

function stepTo(customer: Image, before: Profile, profile: Profile, { actor, at, action, reason }: StepBy): ProfileStep {
  const changes = changesBetween(before, profile);
  const customerId = stringOf(customer, 'customerId') ?? '';
  const { pk, sk } = recordKeys.version(customerId, revOf(customer));
  const version: Image = {
    pk: { S: pk },
    sk: { S: sk },
    kind: { S: 'version' },
    rev: { N: '1' },
    subject: { S: stringOf(customer, 'subject') ?? '' },
    customerId: { S: customerId },
    receivedAt: { S: at },
    ...operatorAttributes(actor),
    action: { S: action },
    ...(reason !== undefined && { reason: { S: reason } }),
    changes: changesAttribute(changes),
    profile: { M: profileAttributes(profile) },
  };
  return { customer, version, changes };
}

/** What `image`, a record of the kind `version`, says. Throws where it has another form than ours; whether it may be believed, its MAC says. */
export function versionOf(image: Image): Version {
  const rev = /^version#(\d{10,})$/.exec(stringOf(image, 'sk') ?? '')?.[1];
  const [at, action, reason] = [stringOf(image, 'receivedAt'), stringOf(image, 'action'), stringOf(image, 'reason')];
  const by = operatorIn(image);
  const { profile } = image;
  const known = VERSION_ACTIONS.find((each) => each === action);
  if (stringOf(image, 'kind') !== 'version' || rev === undefined || at === undefined || known === undefined || by === undefined || profile === undefined || !('M' in profile)) {
    throw new Error('a version has a place, a time, an action, an operator and a profile');
  }
  return { rev: Number(rev), at, action: known, by, ...(reason !== undefined && { reason }), changes: changesIn(image['changes']), profile: profileOf(profile.M) };
}

/** The state in which receiving made `customer`. */
export const receivedVersion = (customer: Image): Version => ({ rev: 1, at: stringOf(customer, 'createdAt') ?? '', action: 'received', changes: [], profile: EMPTY_PROFILE });

/** Whether `later` begins where `earlier` ends: else one between them, or one of the two, is not what it was. */
export const follows = (later: Version, earlier: Pick<Version, 'profile'>): boolean => isSameProfile(applyChange(later.profile, inverse(later.changes)), earlier.profile);
