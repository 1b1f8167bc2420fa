/**
 * What officers do about erasures: one asks, another confirms, everybody who may sees how far it is. From the confirmation on it goes by itself (operations/erasure); what an officer may still do
 * is place a hold.
 */
import { ulid } from 'ulid';
import { isOpen, reasonImage, requestImage, type ErasedCustomer, type ErasedInput, type ErasureRequest, type ErasureState } from '../../core/erasure';
import { integerOf, keyOf, stringOf, type Image } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { done, refused, type StaffResult } from '../../core/staff/refusal';
import { recordKeys } from '../../core/table-keys';
import type { RecordStore, RecordWrite } from '../../ports';
import { linkedCustomers, type LinkedCustomers } from '../erasure/linked-customers';
import { cannot } from './cannot';
import { guardedChange, guardedRead, type GuardDeps, type Room } from './guarded';
import { inParallel } from '../in-parallel';
import { erasureOf, holdOf, holdWrite, requestOf } from './holds';
import { besides } from './messages-of-customer';

export interface ErasureStaffDeps extends GuardDeps {
  readonly records: GuardDeps['records'] & Pick<RecordStore, 'partition'>;
  readonly linked?: LinkedCustomers;
}

export interface ErasureView {
  readonly requestId: string;
  readonly state: ErasureState;
  /** Ids of the customers that go: the one it was asked for, and all who are merged with them. */
  readonly customers: readonly string[];
  /** Quarantined inputs that go with them, as `askErasure` was told them. */
  readonly inputs: readonly string[];
  /** Why it was asked for: whoever confirms has to know. Absent once it is erased with the customer. */
  readonly reason?: string;
  /** operatorIds, and times, ISO 8601 UTC. */
  readonly askedBy: string;
  readonly askedAt: string;
  readonly confirmedBy?: string;
  readonly confirmedAt?: string;
  readonly frozenAt?: string;
  readonly recordedAt?: string;
  readonly keyedAt?: string;
  readonly doneAt?: string;
  readonly removed: number;
  /** It stands still until the hold is released. */
  readonly held: boolean;
  /** Of one that is done: the first day on which no backup holds the key any more, `YYYY-MM-DD`. */
  readonly recoverableUntil?: string;
}

/** More of them would not fit the transactions. */
const MAX_CUSTOMERS = 20;
const MAX_INPUTS = 20;
/** The last transaction: the request and its permission, of each customer the hold, its mark and the key, and the keys of the inputs. */
const actionsOf = (customers: readonly ErasedCustomer[], inputs: readonly ErasedInput[]): number => 2 + 3 * customers.length + inputs.reduce((sum, { subjects }) => sum + subjects.length, 0);
const MAX_ACTIONS = 100;
const HOLDS_AT_ONCE = 8;

/**
 * Asks for an erasure. `inputs`: quarantined input (as its record's key names it) that is the customer's and goes with them. `conflict`: there is a hold, or an erasure was asked for. Asking is
 * nothing yet: another officer has to confirm. `id`: what the request is to be called, a ULID, the same for each attempt.
 */
export function askErasure(
  deps: ErasureStaffDeps,
  actor: Actor,
  { customerId, reason, inputs = [], id }: { readonly customerId: string; readonly reason: string; readonly inputs?: readonly string[]; readonly id?: string },
): Promise<StaffResult<{ readonly requestId: string; readonly state: 'asked' }>> {
  return guardedChange<{ readonly requestId: string; readonly state: 'asked' }>(deps, actor, { action: 'AskErasure', customerId }, async (room) => {
    const before = await requestOf(deps, room, customerId);
    // A first attempt that died behind its transaction.
    if (before !== undefined && before.requestId === id && before.askedBy === actor.operatorId && before.state === 'asked') return { outcome: 'change', writes: [], value: { requestId: id, state: 'asked' }, resourceId: id, ...besides(customerId, before.customers) };
    if (before !== undefined && isOpen(before)) return cannot(before.state === 'asked' ? 'erasure-asked' : 'erasure-under-way', { at: before.askedAt });
    const { customers, unchanged } = await customersOf(deps, room, customerId);
    const others = await otherRequests(deps, room, customers.slice(1));
    if (others === 'under-way') return cannot('erasure-of-merged', {});
    const named = await inputsOf(deps, room, inputs);
    if (customers.length > MAX_CUSTOMERS || inputs.length > MAX_INPUTS || actionsOf(customers, named) > MAX_ACTIONS) return cannot('erasure-too-big', { customers: MAX_CUSTOMERS, inputs: MAX_INPUTS });
    const unknown = inputs.find((hash) => !named.some((each) => each.hash === hash));
    if (unknown !== undefined) return cannot('input-gone', {});
    const holds = await holdChecks(deps, room, actor, customers);
    if (holds === 'held') return HELD;
    const at = room.at;
    const requestId = id ?? newId(deps);
    const [first] = customers as [ErasedCustomer, ...ErasedCustomer[]];
    const request: ErasureRequest = { rev: (before?.rev ?? 0) + 1, requestId, customerId, state: 'asked', customers, inputs: named, askedBy: actor.operatorId, askedAt: at, removed: 0 };
    const image = requestImage(request, (await deps.identity()).systemSubject, at);
    const writes: RecordWrite[] = [
      before === undefined ? { op: 'create', image } : { op: 'replace', image, ifRev: before.rev },
      { op: 'create', image: reasonImage(first, { id: requestId, about: 'erasure', text: reason, by: actor.operatorId }, at) },
      ...holds,
      // Whoever unlinks one of them at this moment changes its record; from here on the request stands in their way.
      ...unchanged,
      ...others,
    ];
    return { outcome: 'change', writes, value: { requestId, state: 'asked' }, resourceId: requestId, ...besides(customerId, customers) };
  });
}

/** Confirms what another officer asked for; from here on it goes by itself, and cannot be called back. `conflict`: there is a hold, or the request is not one that waits for it. */
export function confirmErasure(deps: ErasureStaffDeps, actor: Actor, { customerId, requestId }: { readonly customerId: string; readonly requestId: string }): Promise<StaffResult<{ readonly requestId: string; readonly state: 'confirmed' }>> {
  const about = async (): Promise<{ readonly askedBy?: string }> => {
    const image = await deps.records.get(recordKeys.erasureRequest(customerId), { consistent: true });
    const askedBy = image === 'absent' ? undefined : stringOf(image, 'askedBy');
    return askedBy === undefined ? {} : { askedBy };
  };
  return guardedChange<{ readonly requestId: string; readonly state: 'confirmed' }>(deps, actor, { action: 'ConfirmErasure', customerId, ...named(requestId), about }, async (room) => {
    const request = await requestOf(deps, room, customerId);
    if (request === undefined || request.requestId !== requestId) return { outcome: 'refused', refusal: { code: 'not-found' } };
    // The policies say so too; this is the one thing nobody may ever do alone.
    if (request.askedBy === actor.operatorId) return cannot('same-officer', {});
    if (request.state !== 'asked') return cannot('erasure-past-asking', { state: request.state });
    const holds = await holdChecks(deps, room, actor, request.customers);
    if (holds === 'held') return HELD;
    const confirmed: ErasureRequest = { ...request, rev: request.rev + 1, state: 'confirmed', confirmedBy: actor.operatorId, confirmedAt: room.at };
    const writes: RecordWrite[] = [{ op: 'replace', image: requestImage(confirmed, (await deps.identity()).systemSubject, room.at), ifRev: request.rev }, ...holds];
    return { outcome: 'change', writes, value: { requestId, state: 'confirmed' }, resourceId: requestId, ...besides(customerId, request.customers) };
  });
}

/** Takes back what was asked for and is not confirmed yet. Whoever may ask may take back. */
export function withdrawErasure(deps: ErasureStaffDeps, actor: Actor, { customerId, requestId }: { readonly customerId: string; readonly requestId: string }): Promise<StaffResult<{ readonly requestId: string; readonly state: 'withdrawn' }>> {
  return guardedChange<{ readonly requestId: string; readonly state: 'withdrawn' }>(deps, actor, { action: 'AskErasure', customerId, ...named(requestId) }, async (room) => {
    const request = await requestOf(deps, room, customerId);
    if (request === undefined || request.requestId !== requestId) return { outcome: 'refused', refusal: { code: 'not-found' } };
    if (request.state !== 'asked') return cannot('erasure-past-withdrawing', { state: request.state });
    const withdrawn: ErasureRequest = { ...request, rev: request.rev + 1, state: 'withdrawn', doneAt: room.at };
    const image = requestImage(withdrawn, (await deps.identity()).systemSubject, room.at);
    return { outcome: 'change', writes: [{ op: 'replace', image, ifRev: request.rev }], value: { requestId, state: 'withdrawn' }, resourceId: requestId, ...besides(customerId, request.customers) };
  });
}

/** How far the erasure of a customer is, and its certificate; of one whose customer is gone too. `not-found`: nobody asked for one. */
export function readErasure(deps: ErasureStaffDeps, actor: Actor, { customerId }: { readonly customerId: string }): Promise<StaffResult<ErasureView>> {
  return guardedRead<ErasureView>(
    deps,
    actor,
    { action: 'ReadErasure', customerId, evenErased: true },
    async (room) => {
      const request = await erasureOf(deps, room, customerId);
      if (request === undefined) return refused({ code: 'not-found' });
      const holds = await inParallel(request.customers, HOLDS_AT_ONCE, (each) => holdOf(deps, room, each.customerId));
      const certificate = request.state === 'done' ? await deps.records.get(recordKeys.certificate(request.requestId), { consistent: true }) : 'absent';
      const recoverableUntil = certificate === 'absent' ? undefined : stringOf(room.genuine(certificate), 'recoverableUntil');
      const why = await deps.records.get(recordKeys.reason(request.customerId, request.requestId), { consistent: true });
      const reason = why === 'absent' ? undefined : stringOf(room.genuine(why), 'text');
      const { rev: _rev, customerId: _customer, quietSince: _quiet, searched: _searched, customers, inputs, ...view } = request;
      return done({ ...view, customers: customers.map((each) => each.customerId), inputs: inputs.map(({ hash }) => hash), ...(reason !== undefined && { reason }), held: holds.some(({ hold }) => hold?.held === true), ...(recoverableUntil !== undefined && { recoverableUntil }) });
    },
    ({ requestId, customers }) => ({ resourceId: requestId, ...besides(customerId, customers.map((each) => ({ customerId: each }))) }),
  );
}

/** For the access record; what is not of our form is not written down. */
const named = (requestId: string): { readonly resourceId?: string } => (/^[0-9A-HJKMNP-TV-Z]{26}$/.test(requestId) ? { resourceId: requestId } : {});

const HELD = cannot('held', {});
const newId = ({ now, random }: GuardDeps): string => ulid(now().getTime(), () => (random(1)[0] ?? 0) / 256);

/** For the transaction: that nobody asked for an erasure of those merged with the customer, which would be the same one under another name. */
async function otherRequests(deps: GuardDeps, room: Room, others: readonly ErasedCustomer[]): Promise<readonly RecordWrite[] | 'under-way'> {
  const checks: RecordWrite[] = [];
  for (const { customerId } of others) {
    const [key, request] = [recordKeys.erasureRequest(customerId), await requestOf(deps, room, customerId)];
    if (request !== undefined && isOpen(request)) return 'under-way';
    checks.push(request === undefined ? { op: 'check-absent', key } : { op: 'check-rev', key, ifRev: request.rev });
  }
  return checks;
}

/** The customer and those linked with them, with their subjects; `unchanged`: that their records still are what this was read from. */
async function customersOf(deps: ErasureStaffDeps, room: Room & { readonly customer: Image }, customerId: string): Promise<{ readonly customers: readonly ErasedCustomer[]; readonly unchanged: readonly RecordWrite[] }> {
  const images = [room.customer];
  for (const id of await (deps.linked ?? linkedCustomers({ records: deps.records, macKeys: await deps.keys.macKeys() }))(customerId)) {
    const image = await deps.records.get(recordKeys.customer(id), { consistent: true });
    if (image !== 'absent' && stringOf(room.genuine(image), 'kind') === 'customer') images.push(image);
  }
  return {
    customers: images.map((image) => ({ customerId: keyOf(image).pk.slice(recordKeys.customer('').pk.length), subject: stringOf(image, 'subject') ?? '' })),
    unchanged: images.map((image): RecordWrite => ({ op: 'check-rev', key: keyOf(image), ifRev: integerOf(image, 'rev') ?? 0 })),
  };
}

/** Every quarantined input has a subject of its own, and so has what was kept beside it as evidence. */
async function inputsOf({ records, identity }: ErasureStaffDeps, room: Room, hashes: readonly string[]): Promise<readonly ErasedInput[]> {
  const { systemSubject } = await identity();
  const named: ErasedInput[] = [];
  for (const hash of new Set(hashes)) {
    const subjects = new Set<string>();
    for await (const image of records.partition(recordKeys.quarantine(hash).pk)) subjects.add(stringOf(room.genuine(image), 'subject') ?? '');
    subjects.delete(systemSubject);
    if (subjects.size > 0) named.push({ hash, subjects: [...subjects].sort() });
  }
  return named;
}

/** For the transaction: that there is no hold on any of them, and still none when it is made. A hold nobody ever placed is made, not held, so that the next condition can name it. */
async function holdChecks(deps: GuardDeps, room: Room, actor: Actor, customers: readonly ErasedCustomer[]): Promise<readonly RecordWrite[] | 'held'> {
  const writes: RecordWrite[] = [];
  for (const { customerId } of customers) {
    const { hold } = await holdOf(deps, room, customerId);
    if (hold?.held === true) return 'held';
    if (hold === undefined) writes.push(await holdWrite(deps, customerId, { rev: 1, held: false, by: actor.operatorId, at: room.at }));
    else writes.push({ op: 'check-rev', key: recordKeys.hold(customerId), ifRev: hold.rev });
  }
  return writes;
}
