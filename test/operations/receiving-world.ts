/**
 * A world in memory for everything that receives: tables, inbox, Meta with its app secret, and a clock the test moves. `process` is one container, through
 * whose ports a test may see, delay, break or kill every call.
 */
import { createHmac } from 'node:crypto';
import { memoryInbox } from '../../src/adapters/memory/inbox';
import { memoryMeter } from '../../src/adapters/memory/meter';
import { memoryProcess, type OnCall } from '../../src/adapters/memory/process';
import { memoryRecords } from '../../src/adapters/memory/record-store';
import { seededRandom } from '../../src/adapters/memory/schedule';
import { memoryViews } from '../../src/adapters/memory/view-store';
import { checkMac, type MacKey } from '../../src/core/record-mac';
import { stringOf, type Image } from '../../src/core/image';
import { ownerCache } from '../../src/operations/owner-cache';
import { receiveDelivery, type ReceiveDeps, type ReceiveOutcome } from '../../src/operations/receive-delivery';

export const APP_SECRET = 'the-app-secret-of-the-tests';
export const WABA = '102290129340398';
export const NUMBER = '106540352242922';

export function receivingWorld(seed = 1) {
  const random = seededRandom(seed);
  const clock = { ms: Date.parse('2026-03-01T12:00:00.000Z') };
  const now = (): Date => new Date(clock.ms);
  const records = memoryRecords({ now, random });
  const inbox = memoryInbox({ now });
  const views = memoryViews();
  const meter = memoryMeter();
  const macKey: MacKey = { id: 1, secret: random(32) };
  const dedupe = random(32);
  const appSecrets = { known: [APP_SECRET] as readonly string[], refreshed: [APP_SECRET] as readonly string[], refreshes: 0 };
  const secrets = {
    current: async () => ({ appSecrets: appSecrets.known, verifyToken: '' }),
    refresh: async () => {
      appSecrets.refreshes += 1;
      appSecrets.known = appSecrets.refreshed;
      return { appSecrets: appSecrets.known, verifyToken: '' };
    },
  };
  const keys = { macKeys: async () => [macKey] as const, dedupeKey: async () => dedupe };

  /** A container of its own: caches of its own, ports seen through a glass. `remembers: false`: one that reads the owner of every delivery. */
  const process = (onCall?: OnCall, { remembers = true }: { readonly remembers?: boolean } = {}) => {
    const { ports, calls, settle } = memoryProcess({ records, inbox }, onCall);
    const deps: ReceiveDeps = { ...ports, secrets, keys, meter, now, random, accounts: new Map(), ownerCache: remembers ? ownerCache(now) : undefined };
    return { deps, calls, settle, receive: (body: Buffer | string, secret = APP_SECRET): Promise<ReceiveOutcome> => receiveDelivery(deps, signed(body, secret)) };
  };
  const scan = async (...kinds: string[]): Promise<readonly Image[]> => {
    const found: Image[] = [];
    for await (const image of records.scan(kinds.length === 0 ? {} : { kinds })) found.push(image);
    return found;
  };
  /** Every record carries a valid MAC: nothing of ours writes one without. */
  const allGenuine = async (): Promise<boolean> => (await scan()).every((image) => checkMac([macKey], image) === 'valid');
  return { records, inbox, views, meter, macKey, dedupe, keys, appSecrets, clock, now, random, process, scan, allGenuine };
}
export type ReceivingWorld = ReturnType<typeof receivingWorld>;

export function signed(body: Buffer | string, secret = APP_SECRET): { readonly rawBody: Buffer; readonly signature: string } {
  const rawBody = Buffer.from(body as string);
  return { rawBody, signature: `sha256=${createHmac('sha256', secret).update(rawBody).digest('hex')}` };
}

/** A delivery of one change of the field `messages`. */
export function delivery(value: Record<string, unknown>, options: { readonly field?: string; readonly waba?: string; readonly number?: string } = {}): string {
  const metadata = { display_phone_number: '15550783881', phone_number_id: options.number ?? NUMBER };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: options.waba ?? WABA, changes: [{ value: { messaging_product: 'whatsapp', metadata, ...value }, field: options.field ?? 'messages' }] }],
  });
}

export interface Person {
  readonly waId?: string;
  readonly bsuid?: string;
}

/** One text of a person, with their contact. */
export function text(id: string, body: string, { waId, bsuid }: Person, timestamp = 1749416383): Record<string, unknown> {
  return {
    ...(waId === undefined ? {} : { from: waId }),
    ...(bsuid === undefined ? {} : { from_user_id: bsuid }),
    id,
    timestamp: String(timestamp),
    text: { body },
    type: 'text',
  };
}
export const contact = ({ waId, bsuid }: Person): Record<string, unknown> => ({
  profile: { name: 'Sheena Nelson' },
  ...(waId === undefined ? {} : { wa_id: waId }),
  ...(bsuid === undefined ? {} : { user_id: bsuid }),
});
export const textDelivery = (id: string, body: string, person: Person, timestamp?: number, options: { readonly waba?: string } = {}): string =>
  delivery({ contacts: [contact(person)], messages: [text(id, body, person, timestamp)] }, options);

export const sumOf = (outcome: ReceiveOutcome): number =>
  outcome.outcome === 'refused' ? 0 : outcome.recorded + outcome.duplicate + outcome.variant + outcome.conflict + outcome.quarantined;
/** `kind sk-free` attribute of each record, for comparison. */
export const valuesOf = (images: readonly Image[], name: string): readonly (string | undefined)[] => images.map((image) => stringOf(image, name));
