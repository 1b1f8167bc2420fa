/**
 * What a profile would be without what one operator changed in some time. Field by field: what others changed, before, between or after, is kept, since it says something about the customer
 * that the operator's mistake does not unsay. The versions are the only source, so everybody comes to the same result.
 */
import { createHash } from 'node:crypto';
import { canonicalize } from '../canonical-json';
import { applyChange, changesBetween, restorable, type Profile } from './profile';
import type { ProfileSettings } from './profile-settings';
import type { FieldChange } from './refusal';
import type { Version } from './version';

export interface Doing {
  readonly operatorId: string;
  /** ISO 8601 UTC, milliseconds: from ≤ time < to. */
  readonly from: string;
  readonly to: string;
}

export interface Undo {
  /** The customer's revision that this leads from. */
  readonly rev: number;
  /** The last revision before the operator's first change. */
  readonly toRev: number;
  readonly profile: Profile;
  /** Never empty. */
  readonly changes: readonly FieldChange[];
  /** Fields that the operator changed and somebody else, or the operator outside of that time, changed after: those stay as they are. */
  readonly kept: readonly string[];
}

/** `versions`: all of a customer, oldest first. Undefined: nothing of it is left to undo. What `settings` do not accept any more does not come back. That a customer was made is not undone: there is no way to unmake one. */
export function undoOf(versions: readonly Version[], doing: Doing, settings: Pick<ProfileSettings, 'customFields'>): Undo | undefined {
  const isTheirs = ({ by, at, action }: Version): boolean => action !== 'created' && by?.operatorId === doing.operatorId && at >= doing.from && at < doing.to;
  const first = versions.findIndex(isTheirs);
  const [before, now] = [versions[first - 1], versions.at(-1)];
  if (first < 0 || before === undefined || now === undefined) return undefined;
  const [touched, kept] = [new Set<string>(), new Set<string>()];
  let profile = before.profile;
  for (const version of versions.slice(first)) {
    const fields = version.changes.map(({ field }) => field);
    if (isTheirs(version)) fields.forEach((field) => touched.add(field));
    else {
      fields.filter((field) => touched.has(field)).forEach((field) => kept.add(field));
      profile = applyChange(profile, version.changes);
    }
  }
  profile = restorable(settings, profile, now.profile);
  const changes = changesBetween(now.profile, profile);
  return changes.length === 0 ? undefined : { rev: now.rev, toRev: before.rev, profile, changes, kept: [...kept].sort() };
}

/** What a plan remembers of one customer: whom, at which revision, and a hash of what was going to be done. */
export interface PlannedUndo {
  readonly customerId: string;
  readonly rev: number;
  readonly digest: string;
}

/** 11 characters, over the whole of what is planned and why. */
export const digestOf = ({ operatorId, from, to }: Doing, customerId: string, { rev, toRev, changes }: Undo): string =>
  createHash('sha256').update(canonicalize({ operatorId, from, to, customerId, rev, toRev, changes })).digest().subarray(0, 8).toString('base64url');

/** The name of a plan, which says all of it, so that no plan has to be kept. */
export const planIdOf = (plan: readonly PlannedUndo[]): string => Buffer.from(plan.map(({ customerId, rev, digest }) => `${customerId} ${rev} ${digest}`).join('\n')).toString('base64url');

/** Undefined: not the name of a plan, or of one of more than `max` customers. */
export function planIn(planId: string, max: number): readonly PlannedUndo[] | undefined {
  const text = Buffer.from(planId, 'base64url').toString('latin1');
  const plan = text.split('\n', max + 1).map((line) => /^([0-9A-HJKMNP-TV-Z]{26}) ([1-9]\d{0,9}) ([\w-]{11})$/.exec(line)).map((parts) => (parts === null ? undefined : { customerId: parts[1] ?? '', rev: Number(parts[2]), digest: parts[3] ?? '' }));
  if (planId === '') return [];
  const known = plan.filter((each) => each !== undefined);
  return known.length < plan.length || known.length > max || planIdOf(known) !== planId ? undefined : known;
}
