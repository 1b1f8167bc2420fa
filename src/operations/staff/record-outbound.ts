/**
 * Records what a sending system sent, once, beside the statuses that Meta sends of it. Idempotent by the message's id: the same again is a duplicate; another content under a used id is refused, and kept as
 * evidence beside the first. The person is found, or met, by the same rules as when a delivery comes, so statuses and content belong to one customer whichever comes first.
 */
import { createHash } from 'node:crypto';
import { bytesOf, stringOf, type Image, type TableKey } from '../../core/image';
import type { MessageEvent } from '../../core/meta/events';
import { contentOf, evidenceImage } from '../../core/records';
import type { Actor } from '../../core/staff/actor';
import { fieldError } from '../../core/staff/messages/catalogue';
import { MAX_PAYLOAD_BYTES, outboundEvent, outboundImage, type OutboundInput } from '../../core/staff/outbound';
import type { StaffResult } from '../../core/staff/refusal';
import { recordKeys } from '../../core/table-keys';
import type { RecordWrite } from '../../ports';
import { deliveryIdOf } from '../record-delivery';
import { hash, newStamp, startRun, type RecordingDeps, type Run } from '../recording-run';
import { ownerIfKnown, planIntroduction } from '../resolve-customer';
import { cannot } from './cannot';
import { guardedChange, type GuardDeps, type Plan, type Room } from './guarded';

export type RecordOutboundDeps = GuardDeps & Omit<RecordingDeps, 'ownerCache'>;

/** `duplicate`: recorded before, with this content. */
export interface RecordedOutbound {
  readonly outcome: 'recorded' | 'duplicate';
}

export async function recordOutbound(deps: RecordOutboundDeps, actor: Actor, input: OutboundInput): Promise<StaffResult<RecordedOutbound>> {
  const event = input.payload.length > MAX_PAYLOAD_BYTES ? 'too-long' : outboundEvent(input);
  const resourceId = hash({ keys: { dedupe: await deps.keys.dedupeKey(), mac: await deps.keys.macKeys() } }, 'wamid', [input.messageId]);
  let isKept = false;
  const result = await guardedChange<RecordedOutbound>(deps, actor, { action: 'RecordOutbound', resourceId }, async (room) => {
    if (event === 'too-long') return refusedFor(fieldError('en', '/payload', 'too-long', { max: MAX_PAYLOAD_BYTES, length: input.payload.length }));
    if (event === undefined) return refusedFor(fieldError('en', '/payload', 'wrong-type', { expected: 'object' }));
    // Remembers nobody: whose it is, is read for each plan.
    const run = await startRun({ ...deps, ownerCache: undefined }, { deliveryId: deliveryIdOf(input.payload), receivedAt: new Date(room.at) });
    const plan = await planned(run, room, actor, event, recordKeys.outbound(resourceId, input.phoneNumberId));
    // The very evidence may be kept already.
    isKept = plan.outcome === 'refused' && plan.evidence !== undefined;
    return plan;
  });
  if (isKept) deps.meter.count('EventsConflict');
  if (result.outcome === 'done' && result.value.outcome === 'recorded') deps.meter.count('EventsRecorded');
  return result;
}

const NOTHING = Buffer.alloc(0);

const CONFLICTING = cannot('other-content', {});
const refusedFor = (error: ReturnType<typeof fieldError>): Plan<never> => ({ outcome: 'refused', refusal: { code: 'invalid', errors: [error] } });

async function planned(run: Run, { genuine }: Pick<Room, 'genuine'>, actor: Actor, event: MessageEvent, key: TableKey): Promise<Plan<RecordedOutbound>> {
  const { records, inbox } = run.deps;
  const found = await records.get(key, { consistent: true });
  const there = found === 'absent' ? undefined : genuine(found);
  // Erased: its key still recognises it, and what was forgotten does not come back.
  if (there !== undefined && (stringOf(there, 'kind') === 'tombstone' || Buffer.from(event.digest, 'hex').equals(bytesOf(there, 'digest') ?? NOTHING))) return { outcome: 'change', writes: [], value: { outcome: 'duplicate' }, ...customerIn(there) };
  const place = there === undefined ? key : recordKeys.conflict(key, hash(run, 'whole', [event.digest]));
  const kept = there === undefined ? 'absent' : await records.get(place, { consistent: true });
  if (kept !== 'absent') return { ...CONFLICTING, ...customerIn(genuine(kept)) };
  const known = await ownerIfKnown(run, event);
  const { owner, names } = known === 'unknown' ? await planIntroduction(run, event) : { owner: known, names: [] };
  const content = contentOf(run.keys.dedupe, place, event);
  if (content !== undefined) await inbox.put(content.name, content.bytes);
  const summed = content && { ...content, sha256: createHash('sha256').update(content.bytes).digest() };
  // Died here, or overtaken: content lies in the inbox that no record names, under a name that the next attempt writes the same bytes to.
  const image: Image = outboundImage(event, key, owner, newStamp(run), actor, (tag, parts) => hash(run, tag, parts), summed);
  const writes: readonly RecordWrite[] = [{ op: 'create', image: there === undefined ? image : evidenceImage('conflict', image, place, 'outbound') }, ...names];
  return there === undefined ? { outcome: 'change', writes, value: { outcome: 'recorded' }, ...customerIn(image) } : { ...CONFLICTING, evidence: writes, ...customerIn(image) };
}

const customerIn = (image: Image): { readonly customerId?: string } => {
  const customerId = stringOf(image, 'customerId');
  return customerId === undefined ? {} : { customerId };
};
