/**
 * Takes one signed POST from Meta. 'accepted' means: every event in it is durable, or the whole body is. Whatever is thrown instead has to become a 5xx,
 * so that Meta sends the delivery again; whatever is refused leaves no trace but a count.
 */
import { createHash } from 'node:crypto';
import { verifySignature, type SignatureVerdict } from '../core/meta/signature';
import type { AppSecrets } from '../ports/app-secrets';
import { hashed } from '../core/dedupe-key';
import { CONCURRENCY, deliveryIdOf, eventsOf, recordDelivery, type Counts } from './record-delivery';
import type { RecordingDeps } from './recording-run';

export interface ReceiveDeps extends RecordingDeps {
  readonly secrets: AppSecrets;
}

/**
 * Above either, a delivery is kept as it is and recorded from the queue: Meta wants half of its deliveries answered within 250 ms and 99 % within a
 * second, and 128 KB or 64 events (four rounds of those recorded at once) stay well below on the smallest Lambda. Size is judged first: 3 MB are not even parsed.
 */
export const MAX_BYTES_AT_ONCE = 128 * 1024;
export const MAX_EVENTS_AT_ONCE = 4 * CONCURRENCY;

export type Refusal = Exclude<SignatureVerdict, 'valid'>;
export type ReceiveOutcome =
  | { readonly outcome: 'refused'; readonly reason: Refusal }
  | ({ readonly outcome: 'accepted'; readonly deliveryId: string; /** 1: recorded later, the counts are 0. */ readonly queued: 0 | 1 } & Counts);

const NONE: Counts = { recorded: 0, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 };

/** `signature`: the header X-Hub-Signature-256. Throws `PortError`: answer 5xx. */
export async function receiveDelivery(deps: ReceiveDeps, { rawBody, signature }: { readonly rawBody: Buffer; readonly signature?: string | undefined }): Promise<ReceiveOutcome> {
  const verdict = await verify(deps.secrets, rawBody, signature);
  if (verdict !== 'valid') {
    deps.meter.count(verdict === 'no-secret' ? 'SecretMissing' : 'SignaturesRefused');
    return { outcome: 'refused', reason: verdict };
  }
  const deliveryId = deliveryIdOf(rawBody);
  const events = rawBody.length > MAX_BYTES_AT_ONCE ? undefined : eventsOf(rawBody);
  if (events === undefined || events.length > MAX_EVENTS_AT_ONCE) {
    await putToInbox(deps, rawBody);
    deps.meter.count('DeliveriesReceived');
    deps.meter.count('DeliveriesQueued');
    return { outcome: 'accepted', deliveryId, queued: 1, ...NONE };
  }
  const counts = await recordDelivery(deps, { deliveryId, receivedAt: deps.now() }, events);
  deps.meter.count('DeliveriesReceived');
  return { outcome: 'accepted', deliveryId, queued: 0, ...counts };
}

/** A mismatch may mean that the secret was rotated since it was read, and no secret that it was set since: look once more (rate limited by the port). */
async function verify(secrets: AppSecrets, rawBody: Buffer, signature: string | undefined): Promise<SignatureVerdict> {
  const verdict = verifySignature(rawBody, signature, (await secrets.current()).appSecrets);
  if (verdict !== 'mismatch' && verdict !== 'no-secret') return verdict;
  return verifySignature(rawBody, signature, (await secrets.refresh()).appSecrets);
}

/** Durable, then 200. The bucket's own event brings it to the queue, so there is no second write that could be missing. */
async function putToInbox(deps: ReceiveDeps, rawBody: Buffer): Promise<void> {
  await deps.inbox.put(inboxNameOf(await deps.keys.dedupeKey(), rawBody), rawBody);
}

/**
 * `delivery/<SHA-256 of the body, hex>.<HMAC under the dedupe key>`. The signature is checked here and not kept, so the name itself has to show that
 * the body came through this door: who can write the bucket but not use the key cannot bring in a delivery of his own.
 */
export const inboxNameOf = (dedupeKey: Uint8Array, rawBody: Buffer): string =>
  `delivery/${createHash('sha256').update(rawBody).digest('hex')}.${hashed(dedupeKey, 'delivery', [rawBody])}`;
