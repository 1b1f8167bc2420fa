/**
 * The records of an erasure: the request with how far it is, the permission that lets the sealer accept the removals, the certificate, the hold that stops all of it. They stay for ever, under
 * the log's own subject, and hold ids and times, never a name, a number or what somebody wrote; why an officer asked is content of the customer (kind `reason`) and goes with them.
 */
import { createHash } from 'node:crypto';
import { SUBJECT_FORM } from './entry';
import { integerOf, stringOf, type Attribute, type Image, type TableKey } from './image';
import { systemImage } from './own-records';
import { checkMac, type MacKey } from './record-mac';
import { recordKeys } from './table-keys';
import { ERASURE_ID } from './tombstone';

/**
 * `asked`: waits for another officer. `confirmed`: will be frozen. `frozen`: later messages go to a new customer; waits until nobody writes under the old one any more. `removing`: the erasure
 * is recorded, records become tombstones. `keyed`: the keys are gone. `done`: certified. `withdrawn`: nothing came of it.
 */
export const ERASURE_STATES = ['asked', 'confirmed', 'frozen', 'removing', 'keyed', 'done', 'withdrawn'] as const;
export type ErasureState = (typeof ERASURE_STATES)[number];

/** One customer that goes: their id, and the subject whose key does. */
export interface ErasedCustomer {
  readonly customerId: string;
  readonly subject: string;
}

/** Quarantined input that goes with them because an officer named it; each has subjects of its own. */
export interface ErasedInput {
  /** As in its key. */
  readonly hash: string;
  readonly subjects: readonly string[];
}

export interface ErasureRequest {
  readonly rev: number;
  /** A ULID; names the erasure. */
  readonly requestId: string;
  readonly customerId: string;
  readonly state: ErasureState;
  /** The customer and those linked with them. */
  readonly customers: readonly ErasedCustomer[];
  readonly inputs: readonly ErasedInput[];
  /** operatorIds. */
  readonly askedBy: string;
  readonly confirmedBy?: string;
  /** Times are ISO 8601 UTC with milliseconds. */
  readonly askedAt: string;
  readonly confirmedAt?: string;
  /** When the last alias was frozen. */
  readonly frozenAt?: string;
  readonly recordedAt?: string;
  /** Since then nothing was found that had to be removed. */
  readonly quietSince?: string;
  /** Records that are tombstones; counted in the transactions that make them so. */
  readonly removed: number;
  readonly keyedAt?: string;
  readonly doneAt?: string;
  /** How far the log was searched for records that were not removed: entries before `to`, and the ids open so far, `<id> <src>`. */
  readonly searched?: { readonly to: number; readonly open: readonly string[] };
}

const OPEN: ReadonlySet<ErasureState> = new Set(['asked', 'confirmed', 'frozen', 'removing', 'keyed']);
/** Whether something is still to come. */
export const isOpen = ({ state }: Pick<ErasureRequest, 'state'>): boolean => OPEN.has(state);
/** Whether the keys are there: until then a hold still keeps what the log holds. */
export const isKeyed = ({ state }: Pick<ErasureRequest, 'state'>): boolean => state === 'keyed' || state === 'done';

export const subjectsOf = ({ customers, inputs }: Pick<ErasureRequest, 'customers' | 'inputs'>): readonly string[] => [...new Set([...customers.map(({ subject }) => subject), ...inputs.flatMap(({ subjects }) => subjects)])].sort();

const TIMES = ['confirmedAt', 'frozenAt', 'recordedAt', 'quietSince', 'keyedAt', 'doneAt'] as const;

/** `at`: of this revision. Its MAC is the caller's to add. */
export function requestImage(request: ErasureRequest, systemSubject: string, at: string): Image {
  const { rev, requestId, customerId, state, customers, inputs, askedBy, confirmedBy, askedAt, removed, searched } = request;
  return {
    ...systemImage(recordKeys.erasureRequest(customerId), 'erasure', systemSubject, at),
    kind: { S: 'erasure-request' },
    rev: { N: String(rev) },
    requestId: { S: requestId },
    state: { S: state },
    customers: { L: customers.map(({ customerId: id, subject }) => ({ M: { customer: { S: id }, subject: { S: subject } } })) },
    ...(inputs.length > 0 && { inputs: { L: inputs.map(({ hash, subjects }) => ({ M: { hash: { S: hash }, subjects: { SS: [...subjects].sort() } } })) } }),
    askedBy: { S: askedBy },
    askedAt: { S: askedAt },
    ...(confirmedBy !== undefined && { confirmedBy: { S: confirmedBy } }),
    removed: { N: String(removed) },
    ...(searched !== undefined && { searchedTo: { N: String(searched.to) }, unremoved: { L: searched.open.map((each) => ({ S: each })) } }),
    ...Object.fromEntries(TIMES.flatMap((name) => (request[name] === undefined ? [] : [[name, { S: request[name] }]]))),
  };
}

/** The request `image` is, or undefined where it has not the form. The caller has checked its MAC. */
export function requestIn(image: Image): ErasureRequest | undefined {
  const [rev, requestId, customerId, askedBy, askedAt, removed] = [integerOf(image, 'rev'), stringOf(image, 'requestId'), stringOf(image, 'sk'), stringOf(image, 'askedBy'), stringOf(image, 'askedAt'), integerOf(image, 'removed')];
  const state = ERASURE_STATES.find((each) => each === stringOf(image, 'state'));
  const confirmedBy = stringOf(image, 'confirmedBy');
  if (stringOf(image, 'kind') !== 'erasure-request' || rev === undefined || requestId === undefined || !ERASURE_ID.test(requestId) || customerId === undefined || askedBy === undefined || askedAt === undefined || removed === undefined || state === undefined) return undefined;
  const customers = membersOf(image['customers']).flatMap((each) => {
    const [id, subject] = [stringOf(each, 'customer'), stringOf(each, 'subject')];
    return id === undefined || subject === undefined ? [] : [{ customerId: id, subject }];
  });
  const inputs = membersOf(image['inputs']).flatMap((each) => {
    const [hash, subjects] = [stringOf(each, 'hash'), each['subjects']];
    return hash === undefined || subjects === undefined || !('SS' in subjects) ? [] : [{ hash, subjects: subjects.SS }];
  });
  const times = Object.fromEntries(TIMES.flatMap((name) => (stringOf(image, name) === undefined ? [] : [[name, stringOf(image, name)]])));
  const [searchedTo, unremoved] = [integerOf(image, 'searchedTo'), image['unremoved']];
  const searched = searchedTo === undefined || unremoved === undefined || !('L' in unremoved) ? undefined : { to: searchedTo, open: unremoved.L.flatMap((each) => ('S' in each ? [each.S] : [])) };
  return { rev, requestId, customerId, state, customers, inputs, askedBy, askedAt, removed, ...(searched !== undefined && { searched }), ...(confirmedBy !== undefined && { confirmedBy }), ...times };
}

const membersOf = (attribute: Attribute | undefined): readonly Image[] => (attribute !== undefined && 'L' in attribute ? attribute.L.flatMap((each) => ('M' in each ? [each.M] : [])) : []);

/** What will go, as far as it was found when the erasure was recorded: how many records, and a hash over their keys. */
export interface Listing {
  readonly count: number;
  /** SHA-256, hex, over the canonical text of the sorted keys. */
  readonly digest: string;
}

export function listingOf(keys: readonly TableKey[]): Listing {
  const texts = keys.map(({ pk, sk }) => JSON.stringify([pk, sk])).sort();
  return { count: texts.length, digest: createHash('sha256').update(texts.join('\n')).digest('hex') };
}

/** The permission, made with a confirmed request and on condition that there is no hold. Throws where it is not confirmed by another officer: nothing may be removed then. */
export function erasureImage(request: ErasureRequest, listing: Listing, systemSubject: string, at: string): Image {
  const { requestId, askedBy, confirmedBy, customers } = request;
  if (confirmedBy === undefined || confirmedBy === askedBy) throw new Error('an erasure is confirmed by another officer than the one who asked for it');
  return {
    ...systemImage(recordKeys.erasure(requestId), 'erasure', systemSubject, at),
    erasedSubjects: { SS: [...subjectsOf(request)] },
    customers: { SS: customers.map(({ customerId }) => customerId).sort() },
    askedBy: { S: askedBy },
    confirmedBy: { S: confirmedBy },
    listed: { N: String(listing.count) },
    listDigest: { S: listing.digest },
  };
}

/** Whether `image` is a genuine erasure record that takes what lies under `subject`. Nothing in it is trusted before its MAC was checked; the log's own subject is never erased. */
export function permitsRemoval(image: Image, subject: string, systemSubject: string, macKeys: readonly MacKey[]): boolean {
  const [askedBy, confirmedBy] = [stringOf(image, 'askedBy'), stringOf(image, 'confirmedBy')];
  return (
    checkMac(macKeys, image) === 'valid' &&
    stringOf(image, 'kind') === 'erasure' &&
    askedBy !== undefined &&
    confirmedBy !== undefined &&
    askedBy !== confirmedBy &&
    subject !== systemSubject &&
    SUBJECT_FORM.test(subject) &&
    subjectsIn(image).includes(subject)
  );
}

/** What an erasure record says it takes. Not judged. */
export function subjectsIn(image: Image): readonly string[] {
  const subjects = image['erasedSubjects'];
  return subjects !== undefined && 'SS' in subjects ? subjects.SS : [];
}

/** Days after which nothing that we keep can bring the key back: point-in-time recovery of the tables, in each region from when its own copy was empty. */
export const RECOVERY_DAYS = 35;
const DAY_MS = 86_400_000;

/** `YYYY-MM-DD`: the first day on which no backup holds the keys or the records any more. */
export const lastRecoveryDay = (goneAt: string): string => new Date(Date.parse(goneAt) + (RECOVERY_DAYS + 1) * DAY_MS).toISOString().slice(0, 10);

/** `at`: ISO 8601 UTC; by then the key was seen to be gone in every region. */
export function certificateImage(request: ErasureRequest, systemSubject: string, at: string): Image {
  const { requestId, askedBy, confirmedBy = '', customers, removed, keyedAt = at } = request;
  return {
    ...systemImage(recordKeys.certificate(requestId), 'certificate', systemSubject, at),
    erasedSubjects: { SS: [...subjectsOf(request)] },
    customers: { SS: customers.map(({ customerId }) => customerId).sort() },
    askedBy: { S: askedBy },
    confirmedBy: { S: confirmedBy },
    removed: { N: String(removed) },
    keyedAt: { S: keyedAt },
    recoverableUntil: { S: lastRecoveryDay(at) },
  };
}

export interface Hold {
  readonly rev: number;
  readonly held: boolean;
  /** operatorId and time of who placed or ended it; of a hold nobody ever placed, who asked for the erasure that needed to know. */
  readonly by: string;
  readonly at: string;
  /** The record that says why; of a hold that stands. */
  readonly reasonId?: string;
}

/** The first revision is made `held: false` by whatever needs to ask, so that "no hold" is a state that a condition can name. */
export function holdImage(customerId: string, { rev, held, by, at, reasonId }: Hold, systemSubject: string): Image {
  return {
    ...systemImage(recordKeys.hold(customerId), 'erasure', systemSubject, at),
    kind: { S: 'hold' },
    rev: { N: String(rev) },
    held: { BOOL: held },
    by: { S: by },
    ...(reasonId !== undefined && { reasonId: { S: reasonId } }),
  };
}

/** The caller has checked its MAC. */
export function holdIn(image: Image): Hold | undefined {
  const [rev, by, at, reasonId, held] = [integerOf(image, 'rev'), stringOf(image, 'by'), stringOf(image, 'receivedAt'), stringOf(image, 'reasonId'), image['held']];
  if (stringOf(image, 'kind') !== 'hold' || rev === undefined || by === undefined || at === undefined || held === undefined || !('BOOL' in held)) return undefined;
  return { rev, held: held.BOOL, by, at, ...(reasonId !== undefined && { reasonId }) };
}

/** Why an officer did something, as they wrote it: the customer's, erased with them. */
export function reasonImage({ customerId, subject }: ErasedCustomer, reason: { readonly id: string; readonly about: 'hold' | 'erasure'; readonly text: string; readonly by: string }, at: string): Image {
  return {
    ...systemImage(recordKeys.reason(customerId, reason.id), 'reason', subject, at),
    customerId: { S: customerId },
    about: { S: reason.about },
    text: { S: reason.text },
    by: { S: reason.by },
  };
}

/** What is to be done next. `until`: nothing before then. */
export type ErasureStep = { readonly step: 'freeze' | 'record' | 'remove' | 'certify' } | { readonly step: 'none'; readonly until?: string };

/** How long what was begun before may still write, milliseconds. */
export interface Waits {
  /** From the freeze on, until nobody writes under the frozen subject. */
  readonly freezeMs: number;
}

/** Times are compared, nobody sleeps: whoever comes by again goes on. */
export function nextStep(request: ErasureRequest, nowMs: number, { freezeMs }: Waits): ErasureStep {
  switch (request.state) {
    case 'confirmed':
      return { step: 'freeze' };
    case 'frozen':
      return waited(request.frozenAt, freezeMs, nowMs) ? { step: 'record' } : { step: 'none', until: new Date(Date.parse(request.frozenAt as string) + freezeMs).toISOString() };
    case 'removing':
      return { step: 'remove' };
    case 'keyed':
      return { step: 'certify' };
    default:
      return { step: 'none' };
  }
}

/** Whether more than `ms` have gone by since `since`. */
export const waited = (since: string | undefined, ms: number, nowMs: number): boolean => since !== undefined && nowMs - Date.parse(since) > ms;
