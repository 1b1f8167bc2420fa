/**
 * The one way from a request of staff to the records: who may is decided, what was asked and how it came out is written down, and only then is anything answered. A read is written
 * down before its answer is given; a change and its access record are one transaction. So whatever dies where: there is no answer and no change that the access log does not have.
 * Staff are not trusted to know which customers there are: one that does not exist, one they may not see and one that was erased are the same answer after the same calls.
 */
import { keyOf, stringOf, type Image, type TableKey } from '../../core/image';
import { isSameImage } from '../../core/record-history';
import { checkMac, withMac, type MacKey } from '../../core/record-mac';
import { accessImage, type AccessEvent } from '../../core/staff/access-record';
import { ACTIONS, type Action, type Authorize, type Decision, type Resource } from '../../core/staff/actions';
import type { Actor } from '../../core/staff/actor';
import { done, refused, type Refusal, type StaffResult } from '../../core/staff/refusal';
import { recordKeys } from '../../core/table-keys';
import { PortError, type Clock, type LogIdentity, type Meter, type Random, type RecordStore, type RecordWrite } from '../../ports';
import type { Secrets } from '../load-secrets';

export interface GuardDeps {
  readonly records: Pick<RecordStore, 'get' | 'create' | 'transact'>;
  readonly keys: Pick<Secrets, 'macKeys'>;
  readonly authorize: Authorize;
  /** As `rememberIdentity` gives it: access records belong to the log's own subject. */
  readonly identity: () => Promise<Pick<LogIdentity, 'systemSubject'>>;
  readonly meter: Meter;
  readonly now: Clock;
  readonly random: Random;
}

/** What is asked for. */
export interface Ask {
  readonly action: Action;
  /** Of what exactly, where the caller knows it beforehand: goes into the access record. No content. */
  readonly resourceId?: string;
  /** What is looked for (core/staff/searched-for.ts). */
  readonly searched?: readonly string[];
}
export interface CustomerAsk extends Ask {
  readonly customerId: string;
  /** What else about the customer the policies have to know. Read whether or not there is such a customer: how long an answer takes must not say it. */
  readonly about?: () => Promise<{ readonly askedBy?: string }>;
  /** The tombstone of an erased customer counts as one: for those who look after erasures. */
  readonly evenErased?: boolean;
}

/** What an operation works in, once it may. */
export interface Room {
  /** ISO 8601 UTC. */
  readonly at: string;
  /** `image`, if its MAC holds. Throws `corrupt`. */
  genuine(image: Image): Image;
  /** The same for one of several, so that the others can be shown: one whose MAC does not hold is `unreadable`, which is counted and has to be told. */
  readable(image: Image): Image | 'unreadable';
  /** A random secret of ours, for cursors. */
  readonly secret: Uint8Array;
  readonly decision: Decision;
}
export interface CustomerRoom extends Room {
  /** Genuine, read consistently after nothing else. */
  readonly customer: Image;
  /**
   * Another customer whom the same is done to, decided and read like the first. Undefined: there is none, or the actor may not, which the caller answers as `not-found`. Either way it has an access
   * record of its own, in the same transaction.
   */
  also(customerId: string): Promise<Image | undefined>;
}

/** How a change is to be made: `writes` without MACs, at most 98, all or nothing with the access record (97 where there is a second one); none: only that is written. */
export interface Planned<T> {
  readonly outcome: 'change';
  readonly writes: readonly RecordWrite[];
  /** What takes the writes, where more than the records change with them; of at most 97 writes then. */
  readonly through?: Pick<RecordStore, 'transact'>;
  readonly value: T;
  readonly resourceId?: string;
  /** Whose it turned out to be, where the ask names nobody. */
  readonly customerId?: string;
  readonly count?: number;
  /** Whom else it is of. */
  readonly shown?: readonly string[];
}
/** `evidence`: writes, like those of a change, that keep what was asked all the same. `shown`: whom it names. */
export interface PlannedRefusal {
  readonly outcome: 'refused';
  readonly refusal: Refusal;
  readonly customerId?: string;
  readonly shown?: readonly string[];
  readonly evidence?: readonly RecordWrite[];
}
export type Plan<T> = Planned<T> | PlannedRefusal;

/** What the access record says of an answer. */
export type Tally<T> = (value: T) => Pick<AccessEvent, 'resourceId' | 'count' | 'shown' | 'unreadable'>;

/** Somebody else got ahead each time; more often than this is no coincidence. */
const MAX_ROUNDS = 8;
/** Nothing is known about a write that failed, and trying it again converges; the store itself has retried by then. */
const MAX_ATTEMPTS = 3;

/** Answers a read. Throws `PortError`: then nothing was answered, and what was read is forgotten. */
export async function guardedRead<T>(deps: GuardDeps, actor: Actor, ask: CustomerAsk, read: (room: CustomerRoom) => Promise<StaffResult<T>>, tally?: Tally<T>): Promise<StaffResult<T>>;
export async function guardedRead<T>(deps: GuardDeps, actor: Actor, ask: Ask, read: (room: Room) => Promise<StaffResult<T>>, tally?: Tally<T>): Promise<StaffResult<T>>;
export async function guardedRead<T>(deps: GuardDeps, actor: Actor, ask: Ask | CustomerAsk, read: (room: CustomerRoom) => Promise<StaffResult<T>>, tally: Tally<T> = () => ({})): Promise<StaffResult<T>> {
  const gate = await enter(deps, actor, ask);
  const { room } = gate;
  if (room === undefined) return refuse(deps, gate, gate.refusal);
  const result = await asFarAsThere(() => read(room));
  if (result.outcome === 'refused') return refuse(deps, gate, result.refusal);
  // Died here, before or while it is written: nothing was answered.
  for (const access of accessesOf(gate, { outcome: 'done', ...tally(result.value) })) await putAccess(deps, access);
  return result;
}

/**
 * Makes a change. `plan` is asked again, with everything read and decided anew, where somebody else got ahead of what it was made from. Throws `PortError`: then nothing is known, and
 * asking again says what became of it.
 */
export async function guardedChange<T>(deps: GuardDeps, actor: Actor, ask: CustomerAsk, plan: (room: CustomerRoom) => Promise<Plan<T>>): Promise<StaffResult<T>>;
export async function guardedChange<T>(deps: GuardDeps, actor: Actor, ask: Ask, plan: (room: Room) => Promise<Plan<T>>): Promise<StaffResult<T>>;
export async function guardedChange<T>(deps: GuardDeps, actor: Actor, ask: Ask | CustomerAsk, plan: (room: CustomerRoom) => Promise<Plan<T>>): Promise<StaffResult<T>> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const gate = await enter(deps, actor, ask);
    const { room } = gate;
    if (room === undefined) return refuse(deps, gate, gate.refusal);
    const planned = await asFarAsThere<Plan<T>>(() => plan(room));
    const { customerId, shown } = planned;
    const about = { ...(customerId !== undefined && { customerId }), ...(shown !== undefined && { shown }) };
    if (planned.outcome === 'refused') {
      const { refusal, evidence = [] } = planned;
      if (evidence.length === 0) return refuse(deps, gate, refusal, about);
      if ((await commit(deps, gate.macKeys, evidence, accessesOf(gate, { outcome: refusal.code, ...about }))) === 'done') return refused(refusal);
      continue;
    }
    const { writes, through, value, resourceId, count } = planned;
    const access = accessesOf(gate, { outcome: 'done', ...about, ...(resourceId !== undefined && { resourceId }), ...(count !== undefined && { count }) });
    if ((await commit(deps, gate.macKeys, writes, access, through)) === 'done') return done(value);
  }
  throw new PortError('unavailable', `somebody else changed the same ${MAX_ROUNDS} times while this was being done; try again`);
}

/** Met among what is a customer's: the tombstone of a record, while the profile, which goes last, is still there. */
export class BeingErased extends Error {}

/** Whoever is half erased is already nobody. */
async function asFarAsThere<T>(work: () => Promise<T>): Promise<T | PlannedRefusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BeingErased) return { outcome: 'refused', refusal: { code: 'not-found' } };
    throw error;
  }
}

/** Makes one of several changes that one request asks for, each with an access record of its own. `lost`: what it was made from has changed. For use inside `guardedRead`. */
export async function changeOne(deps: GuardDeps, actor: Actor, { action, customerId, decision, count }: { readonly action: Action; readonly customerId: string; readonly decision: Decision; readonly count?: number }, writes: readonly RecordWrite[]): Promise<'done' | 'lost'> {
  const macKeys = await deps.keys.macKeys();
  const gate = { ...(await begun(deps, actor, { action, customerId })), decision };
  return commit(deps, macKeys, writes, accessesOf(gate, { outcome: 'done', ...(count !== undefined && { count }) }));
}

/** Between the decision and the answer. */
interface Begun {
  readonly event: Omit<AccessEvent, 'decision' | 'outcome'>;
  readonly systemSubject: string;
  readonly macKeys: readonly [MacKey, ...MacKey[]];
  /** Those asked for beside the first: filled as they are. */
  readonly others: { readonly id: string; readonly customerId?: string; readonly decision: Decision }[];
}
type Gate = Begun & { readonly decision: Decision } & ({ readonly room: CustomerRoom; readonly refusal?: undefined } | { readonly room?: undefined; readonly refusal: Refusal });

async function begun(deps: GuardDeps, actor: Actor, ask: Ask & { readonly customerId?: string }): Promise<Begun> {
  const [macKeys, { systemSubject }] = await Promise.all([deps.keys.macKeys(), deps.identity()]);
  const { action, customerId, resourceId, searched } = ask;
  const event = {
    at: deps.now().toISOString(),
    id: deps.random(9).toString('base64url'),
    actor,
    action,
    resourceType: ACTIONS[action].resource,
    ...(customerId !== undefined && isCustomerId(customerId) && { customerId }),
    ...(resourceId !== undefined && { resourceId }),
    ...(searched !== undefined && { searched }),
  };
  return { event, systemSubject, macKeys, others: [] };
}

/** The doorkeeper: reads the customer, decides, and lets in. */
async function enter(deps: GuardDeps, actor: Actor, ask: Ask | CustomerAsk): Promise<Gate> {
  const base = await begun(deps, actor, ask);
  const readable = (image: Image): Image | 'unreadable' => readableBy(deps, base.macKeys, image);
  const genuine = (image: Image): Image => {
    const read = readable(image);
    if (read === 'unreadable') throw notOurs(keyOf(image));
    return read;
  };
  const roomBy = (decision: Decision): Room => ({ at: base.event.at, genuine, readable, secret: base.macKeys[0].secret, decision });
  if (!('customerId' in ask)) {
    const decision = deps.authorize(actor, ask.action, { type: ACTIONS[ask.action].resource } as Resource);
    if (!decision.allowed) return { ...base, decision, refusal: { code: 'forbidden' } };
    // What is not about a customer gets a room without one, which the overloads above do not let it look for.
    return { ...base, decision, room: roomBy(decision) as CustomerRoom };
  }
  const { customer, decision } = await met(deps, actor, ask, readable);
  if (customer === undefined) return { ...base, decision, refusal: { code: 'not-found' } };
  const also = async (customerId: string): Promise<Image | undefined> => {
    const other = await met(deps, actor, { action: ask.action, customerId }, readable);
    base.others.push({ id: deps.random(9).toString('base64url'), decision: other.decision, ...(isCustomerId(customerId) && { customerId }) });
    return other.customer;
  };
  return { ...base, decision, room: { ...roomBy(decision), customer, also } };
}

/** `customer` undefined: there is none, or the actor may not. The caller learns neither which of the two it was, nor that there is somebody. */
async function met(deps: GuardDeps, actor: Actor, ask: CustomerAsk, readable: Room['readable']): Promise<{ readonly customer: Image | undefined; readonly decision: Decision }> {
  const isId = isCustomerId(ask.customerId);
  const found = isId ? await deps.records.get(recordKeys.customer(ask.customerId), { consistent: true }) : 'absent';
  const about = isId && ask.about !== undefined ? await ask.about() : {};
  const read = found === 'absent' ? undefined : readable(found);
  if (read === 'unreadable') {
    // Whose it is, nobody can say: who may of any customer is told what is wrong, and to the others, as far as they can know, it is not theirs.
    const decision = deps.authorize(actor, ask.action, { type: 'Customer', id: ask.customerId, ...about });
    if (decision.allowed) throw notOurs(recordKeys.customer(ask.customerId));
    return { customer: undefined, decision };
  }
  const isThere = read !== undefined && (stringOf(read, 'kind') === 'customer' || (ask.evenErased === true && stringOf(read, 'kind') === 'tombstone'));
  const ownerId = isThere ? stringOf(read, 'ownerId') : undefined;
  const decision = deps.authorize(actor, ask.action, { type: 'Customer', id: ask.customerId, ...(ownerId !== undefined && { ownerId }), ...(isThere && about) });
  return { customer: isThere && decision.allowed ? read : undefined, decision };
}

async function refuse(deps: GuardDeps, gate: Gate, refusal: Refusal, about: Pick<Told, 'customerId' | 'shown'> = {}): Promise<StaffResult<never>> {
  if (!gate.decision.allowed || gate.others.some(({ decision }) => !decision.allowed)) deps.meter.count('AccessDenied');
  for (const access of accessesOf(gate, { outcome: refusal.code, ...about })) await putAccess(deps, access);
  return refused(refusal);
}

type Accesses = readonly [Image, ...Image[]];
/** What only the end tells. `customerId`: of what was asked about nobody in particular. */
type Told = Pick<AccessEvent, 'outcome' | 'customerId' | 'resourceId' | 'count' | 'shown' | 'unreadable'>;

/** The access records of what happened behind `gate`, one a customer, with their MACs. */
function accessesOf({ event, decision, systemSubject, macKeys, others }: Begun & { readonly decision: Decision }, told: Told): Accesses {
  const accessOf = (of: AccessEvent): Image => withMac(macKeys[0], accessImage(of, systemSubject));
  const { customerId: _, ...shared } = { ...event, ...told };
  return [accessOf({ ...event, decision, ...told }), ...others.map((other) => accessOf({ ...shared, ...other }))];
}

/** Puts one access record. It may take several attempts: the record is the same in each, so one that was put after all is recognised. */
export async function putAccess({ records }: Pick<GuardDeps, 'records'>, access: Image): Promise<void> {
  await again(async () => {
    const outcome = await records.create(access);
    if (outcome !== 'created' && !isSameImage(outcome.exists, access)) throw new PortError('corrupt', 'there is another access record under the random name of a new one');
  });
}

/** All or nothing. The access record is new and ours alone: where it is there, so is everything else of its transaction. */
async function commit({ records }: GuardDeps, macKeys: readonly [MacKey, ...MacKey[]], writes: readonly RecordWrite[], accesses: Accesses, through: Pick<RecordStore, 'transact'> = records): Promise<'done' | 'lost'> {
  const [access] = accesses;
  const made = writes.map((write): RecordWrite => ('image' in write ? { ...write, image: withMac(macKeys[0], write.image) } : write));
  const all: readonly RecordWrite[] = [...made, ...accesses.map((image): RecordWrite => ({ op: 'create', image }))];
  return again(async () => {
    if ((await through.transact(all)) === 'done') return 'done';
    const there = await records.get({ pk: stringOf(access, 'pk') ?? '', sk: stringOf(access, 'sk') ?? '' }, { consistent: true });
    return there !== 'absent' && isSameImage(there, access) ? 'done' : 'lost';
  });
}

async function again<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !(error instanceof PortError) || error.code !== 'unavailable') throw error;
    }
  }
}

function readableBy({ meter }: Pick<GuardDeps, 'meter'>, macKeys: readonly MacKey[], image: Image): Image | 'unreadable' {
  if (checkMac(macKeys, image) === 'valid') return image;
  meter.count('RecordMacInvalid');
  return 'unreadable';
}

const notOurs = ({ pk, sk }: TableKey): PortError => new PortError('corrupt', `record ${pk} / ${sk} was not written by us, so it is not shown; the table audit finds and repairs it`);

/** A ULID. What has another form is nobody, and goes into no record. */
export const isCustomerId = (text: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
