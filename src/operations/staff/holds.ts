/**
 * Legal holds. A hold is one versioned record a customer, and every step of an erasure is on condition of its revision: whoever places one while an erasure is under way either is first, and the
 * erasure stops, or learns that there is nothing left to hold. The same transaction marks it beside the customer's key, where nobody who writes records by hand can take it back. Why a hold was placed is content of the
 * customer and lies in a record of its own.
 */
import { holdImage, holdIn, isKeyed, reasonImage, requestIn, type ErasureRequest, type Hold } from '../../core/erasure';
import { stringOf, type Image } from '../../core/image';
import { done, type StaffResult } from '../../core/staff/refusal';
import { recordKeys } from '../../core/table-keys';
import { isTombstone } from '../../core/tombstone';
import type { Actor } from '../../core/staff/actor';
import { PortError, type RecordWrite } from '../../ports';
import type { HoldMark, HoldMarks } from '../../ports/hold-marks';
import { cannot } from './cannot';
import { guardedChange, guardedRead, type CustomerRoom, type GuardDeps, type Planned, type Room } from './guarded';
import { ulid } from 'ulid';

export interface HoldDeps extends GuardDeps {
  readonly holdMarks: HoldMarks;
}

export interface HoldView {
  readonly held: boolean;
  /** operatorId and time of who placed it, or ended the last one; absent: nobody ever placed one. */
  readonly by?: string;
  readonly at?: string;
  /** Of a hold that stands; absent too where it was erased with the customer. */
  readonly reason?: string;
}

/** Places a hold. `conflict`: there is one. An erasure that was confirmed stops at its next step, and goes on when the hold is released. */
export function placeHold(deps: HoldDeps, actor: Actor, { customerId, reason }: { readonly customerId: string; readonly reason: string }): Promise<StaffResult<{ readonly held: true; readonly at: string }>> {
  return guardedChange<{ readonly held: true; readonly at: string }>(deps, actor, { action: 'PlaceHold', customerId, evenErased: true }, async (room) => {
    const [{ hold }, request] = [await holdOf(deps, room, customerId), await erasureOf(deps, room, customerId)];
    const subject = subjectToday(room.customer, customerId, request);
    if (subject === undefined) return { outcome: 'refused', refusal: { code: 'not-found' } };
    if (hold?.held === true) return cannot('already-held', { since: hold.at });
    const reasonId = newReasonId(deps, room);
    const placed: Hold = { rev: (hold?.rev ?? 0) + 1, held: true, by: actor.operatorId, at: room.at, reasonId };
    const writes: RecordWrite[] = [
      await holdWrite(deps, customerId, placed),
      { op: 'create', image: reasonImage({ customerId, subject }, { id: reasonId, about: 'hold', text: reason, by: actor.operatorId }, room.at) },
      // The keys may be on their way: then the request has changed, and all of this is read anew. The reason is one more record to remove, so the last wait before the keys begins anew, whatever somebody makes of the hold by hand.
      ...(request === undefined ? [] : [{ op: 'check-rev' as const, key: recordKeys.erasureRequest(request.customerId), ifRev: request.rev }]),
    ];
    return { outcome: 'change', writes, through: marking(deps, { subject, held: true }), value: { held: true, at: room.at } };
  });
}

/** Ends a hold. `conflict`: there is none. `erasure`: the request that goes on now. */
export function releaseHold(deps: HoldDeps, actor: Actor, { customerId, reason }: { readonly customerId: string; readonly reason?: string }): Promise<StaffResult<{ readonly held: false; readonly at: string; readonly erasure?: string }>> {
  return guardedChange<{ readonly held: false; readonly at: string; readonly erasure?: string }>(deps, actor, { action: 'ReleaseHold', customerId, evenErased: true }, async (room) => {
    const [{ hold }, request] = [await holdOf(deps, room, customerId), await erasureOf(deps, room, customerId)];
    const subject = subjectToday(room.customer, customerId, request);
    if (subject === undefined) return { outcome: 'refused', refusal: { code: 'not-found' } };
    if (hold?.held !== true) return cannot('not-held', {});
    const waits = request !== undefined && request.confirmedAt !== undefined && request.state !== 'done' && request.state !== 'withdrawn';
    const released: Hold = { rev: hold.rev + 1, held: false, by: actor.operatorId, at: room.at };
    const writes: RecordWrite[] = [
      await holdWrite(deps, customerId, released),
      ...(reason === undefined ? [] : [{ op: 'create' as const, image: reasonImage({ customerId, subject }, { id: newReasonId(deps, room), about: 'hold', text: reason, by: actor.operatorId }, room.at) }]),
    ];
    return { outcome: 'change', writes, through: marking(deps, { subject, held: false }), value: { held: false, at: room.at, ...(waits && { erasure: request.requestId }) } };
  });
}

/** Whether the customer is under a hold. */
export function readHold(deps: GuardDeps, actor: Actor, { customerId }: { readonly customerId: string }): Promise<StaffResult<HoldView>> {
  return guardedRead<HoldView>(deps, actor, { action: 'ReadHold', customerId, evenErased: true }, async (room) => {
    const { hold } = await holdOf(deps, room, customerId);
    if (hold === undefined || (hold.rev === 1 && !hold.held)) return done({ held: false });
    const why = hold.reasonId === undefined ? 'absent' : await deps.records.get(recordKeys.reason(customerId, hold.reasonId), { consistent: true });
    const reason = why === 'absent' ? undefined : stringOf(room.genuine(why), 'text');
    return done({ held: hold.held, by: hold.by, at: hold.at, ...(reason !== undefined && { reason }) });
  });
}

const marking = ({ holdMarks }: HoldDeps, mark: HoldMark): NonNullable<Planned<unknown>['through']> => ({ transact: (writes) => holdMarks.transact(writes, [mark]) });

const newReasonId = ({ now, random }: GuardDeps, _room: Room): string => ulid(now().getTime(), () => (random(1)[0] ?? 0) / 256);

/** The hold as it is, for the conditions of whoever goes on from it; undefined: nobody ever asked. */
export async function holdOf({ records }: GuardDeps, room: Room, customerId: string): Promise<{ readonly hold: Hold | undefined }> {
  const image = await records.get(recordKeys.hold(customerId), { consistent: true });
  if (image === 'absent') return { hold: undefined };
  const hold = holdIn(room.genuine(image));
  if (hold === undefined) throw new PortError('corrupt', `the hold of customer ${customerId} has another form than ours`);
  return { hold };
}

/** Undefined: nobody ever asked for an erasure. */
export async function requestOf({ records }: GuardDeps, room: Room, customerId: string): Promise<ErasureRequest | undefined> {
  const image = await records.get(recordKeys.erasureRequest(customerId), { consistent: true });
  if (image === 'absent') return undefined;
  const request = requestIn(room.genuine(image));
  if (request === undefined) throw new PortError('corrupt', `the erasure request of customer ${customerId} has another form than ours`);
  return request;
}

/** The request that takes the customer: their own, or that of the customer they are merged with, which their tombstone leads to. Undefined: none that they are part of has come so far. */
export async function erasureOf(deps: GuardDeps, room: CustomerRoom, customerId: string): Promise<ErasureRequest | undefined> {
  const own = await requestOf(deps, room, customerId);
  const erasureId = isTombstone(room.customer) ? stringOf(room.customer, 'erasure') : undefined;
  if (erasureId === undefined || own?.requestId === erasureId) return own;
  const erasure = await deps.records.get(recordKeys.erasure(erasureId), { consistent: true });
  const customers = erasure === 'absent' ? undefined : room.genuine(erasure)['customers'];
  for (const each of customers !== undefined && 'SS' in customers ? customers.SS : []) {
    const request = await requestOf(deps, room, each);
    if (request?.requestId === erasureId) return request;
  }
  return own;
}

/** The write that makes `hold` the state: of a customer nobody ever asked about it is made, else it follows the revision before. */
export async function holdWrite({ identity }: GuardDeps, customerId: string, hold: Hold): Promise<RecordWrite> {
  const image = holdImage(customerId, hold, (await identity()).systemSubject);
  return hold.rev === 1 ? { op: 'create', image } : { op: 'replace', image, ifRev: hold.rev - 1 };
}

/** The subject of the customer as long as there is something of theirs: to the last step of an erasure, which takes their key. */
function subjectToday(customer: Image, customerId: string, request: ErasureRequest | undefined): string | undefined {
  if (!isTombstone(customer)) return stringOf(customer, 'subject');
  if (request === undefined || isKeyed(request)) return undefined;
  return request.customers.find((each) => each.customerId === customerId)?.subject;
}
