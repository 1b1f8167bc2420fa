/**
 * What a change of the records table is, and what is wrong with it. The sealer judges every change, whoever made it: handlers obey these invariants,
 * so a violation is a bug or somebody who writes past them. The image is whatever the table held: nothing in it is trusted.
 */
import { SUBJECT_FORM, type NamedObject } from './entry';
import { canonicalImage } from './canonical-image';
import { canonicalize } from './canonical-json';
import { bytesOf, integerOf, stringOf, type Image, type TableKey } from './image';
import { isImmutableKind, isKind } from './kinds';
import { checkMac, type MacKey } from './record-mac';
import { manifestNamedBy } from './snapshot-record';
import { isTombstone } from './tombstone';

/** The closed list of what sealing can find; docs/format.md explains each. */
export const VIOLATIONS = [
  'immutable-modified', // a record of an immutable kind was overwritten
  'record-removed', // a record was removed without an erasure or a repair that says so
  'kind-unknown', // no kind, or one outside the closed list
  'kind-changed',
  'subject-changed',
  'subject-missing', // no subject, or a malformed one: sealed under a random subject
  'rev-not-next', // not 1 on insert, not the old one plus 1 on a change
  'mac-invalid', // `mac` does not fit the record
  'mac-missing',
  'mac-unknown-key',
  'tombstone-unpermitted', // a tombstone that neither an erasure nor a repair permits: sealed where it does not count
  'unprocessable', // could not be read as a change at all: sealed raw
  'subject-erased', // written under a subject whose key is erased: sealed raw
  'subject-key-corrupt', // the subject's wrapped key does not open: sealed raw
  'content-absent', // the record names a body that is not in the inbox
  'content-unreadable', // there is a body, but it cannot be had: archived, too big to be ours, damaged
  'content-mismatch', // the body there has another hash than the record says
] as const;
export type Violation = (typeof VIOLATIONS)[number];

/** What is wrong with the step from one state to the next. A repair that says it makes exactly this step accounts for it; for a state that is not ours nothing does. */
const OF_THE_STEP: ReadonlySet<Violation> = new Set(['immutable-modified', 'record-removed', 'kind-unknown', 'kind-changed', 'subject-changed', 'rev-not-next']);
/** What is wrong with the record as it is now, so that its genuine state can be put back. The others are about keys and bodies, which are not in the table. */
const OF_THE_RECORD: ReadonlySet<Violation> = new Set([...OF_THE_STEP, 'subject-missing', 'mac-invalid', 'mac-missing', 'mac-unknown-key', 'tombstone-unpermitted']);

/** Whether a repair that permits a change of this sort accounts for `violation`. Of a removal all are about what is gone. */
export const isOfStep = (op: Change['op'], violation: Violation): boolean => op === 'REMOVE' || OF_THE_STEP.has(violation);
/** Whether a record of which this was found may be one that has to be repaired. */
export const isOfRecord = (violation: Violation): boolean => OF_THE_RECORD.has(violation);

/** One change; stream events have this shape. `STATE`: a record found unsealed long after its change, of which nothing else is known. */
export interface Change {
  readonly op: 'INSERT' | 'MODIFY' | 'REMOVE' | 'STATE';
  readonly key: TableKey;
  readonly newImage?: Image;
  readonly oldImage?: Image;
}

/** A body kept outside the record, as the record names it. */
export interface NamedContent {
  /** `content/…` in the inbox. */
  readonly name: string;
  /** Lowercase hex. */
  readonly sha256: string;
}

export interface Judgement {
  readonly op: 'put' | 'remove';
  /** The record's kind, or `unknown`. */
  readonly kind: string;
  readonly rev: number;
  /** Undefined: it has none that could be used. */
  readonly subject: string | undefined;
  /** Canonical image; undefined for a removal. */
  readonly content: Buffer | undefined;
  /** A body that came with this change. */
  readonly body: NamedContent | undefined;
  /** An object of the vault that the record vouches for, and with it the log. */
  readonly vouched: NamedObject | undefined;
  readonly violations: readonly Violation[];
}

/** Judges one change. Throws on what is no change of a record at all (an image missing, one without canonical bytes): the caller seals that raw. */
export function judgeChange({ op, key, newImage, oldImage }: Change, macKeys: readonly MacKey[]): Judgement {
  const image = op === 'REMOVE' ? oldImage : newImage;
  if (image === undefined || (op === 'MODIFY' && oldImage === undefined)) throw new Error(`a ${op} without its images: the stream must be NEW_AND_OLD_IMAGES`);
  canonicalize([key.pk, key.sk]); // throws where no record id could be made
  const before = op === 'MODIFY' ? oldImage : undefined;
  const violations = op === 'REMOVE' ? removalViolations(image) : [...changeViolations(op, image, before), ...macViolations(image, macKeys)];
  const kind = stringOf(image, 'kind') ?? '';
  return {
    op: op === 'REMOVE' ? 'remove' : 'put',
    kind: isKind(kind) ? kind : 'unknown',
    rev: Math.max(0, integerOf(image, 'rev') ?? 0),
    subject: before !== undefined && comesToItsOwn(image, before, macKeys) ? subjectOf(image) : (subjectOf(before) ?? subjectOf(image)),
    content: op === 'REMOVE' ? undefined : canonicalImage(image),
    body: op === 'REMOVE' ? undefined : bodyOf(image, before),
    vouched: op === 'REMOVE' ? undefined : vouchedBy(image, macKeys),
    violations,
  };
}

/**
 * A record belongs to the subject it was made under: a swapped subject must not take it out of that subject's erasure. Only where the state before was not ours and this
 * one is has the record come back to its own; a tombstone does so only with a permission, which is not looked for here. What somebody puts over a tombstone is not the log's own either: under that subject, which is
 * never erased, it would stay for ever.
 */
const comesToItsOwn = (image: Image, before: Image, macKeys: readonly MacKey[]): boolean =>
  subjectOf(image) !== subjectOf(before) && !isTombstone(image) && (isTombstone(before) || (checkMac(macKeys, image) === 'valid' && checkMac(macKeys, before) !== 'valid'));

/** An erasure never takes an item away, it leaves a tombstone (seal-changes asks for its permission); a repair that removes says so in a record of its own. */
function removalViolations(old: Image): readonly Violation[] {
  return subjectOf(old) === undefined ? ['record-removed', 'subject-missing'] : ['record-removed'];
}

function changeViolations(op: Change['op'], image: Image, before: Image | undefined): readonly Violation[] {
  const kind = stringOf(image, 'kind') ?? '';
  const kindBefore = stringOf(before, 'kind') ?? '';
  const found: Violation[] = [];
  if (!isKind(kind)) found.push('kind-unknown');
  if (before !== undefined && isImmutableKind(kindBefore)) found.push('immutable-modified');
  if (before !== undefined && kind !== kindBefore) found.push('kind-changed');
  if (before !== undefined && stringOf(before, 'subject') !== stringOf(image, 'subject')) found.push('subject-changed');
  if (subjectOf(image) === undefined) found.push('subject-missing');
  const isNext = integerOf(image, 'rev') === (before === undefined ? 1 : (integerOf(before, 'rev') ?? Number.NaN) + 1);
  if (!isNext && op !== 'STATE' && !found.includes('immutable-modified')) found.push('rev-not-next');
  return found;
}

function macViolations(image: Image, keys: readonly MacKey[]): readonly Violation[] {
  const state = checkMac(keys, image);
  return state === 'valid' ? [] : state === 'unknown-key' ? ['mac-unknown-key'] : state === 'missing' ? ['mac-missing'] : ['mac-invalid'];
}

function subjectOf(image: Image | undefined): string | undefined {
  const subject = stringOf(image, 'subject');
  return subject !== undefined && SUBJECT_FORM.test(subject) ? subject : undefined;
}

/** What somebody wrote by hand must not make the log vouch for an object of theirs. */
function vouchedBy(image: Image, macKeys: readonly MacKey[]): NamedObject | undefined {
  const named = manifestNamedBy(image);
  return named !== undefined && checkMac(macKeys, image) === 'valid' ? named : undefined;
}

function bodyOf(image: Image, before: Image | undefined): NamedContent | undefined {
  const body = contentNamedBy(image);
  const old = before === undefined ? undefined : contentNamedBy(before);
  return body?.name === old?.name && body?.sha256 === old?.sha256 ? undefined : body;
}

/** The body outside the record that `image` names, if it names one. */
export function contentNamedBy(image: Image): NamedContent | undefined {
  const name = stringOf(image, 'contentName');
  const sha256 = bytesOf(image, 'contentSha256');
  return name === undefined || sha256 === undefined ? undefined : { name, sha256: Buffer.from(sha256).toString('hex') };
}
