/**
 * What the rehearsal sends, and what must come of it. Expectations are stated beside each delivery by a person, in expected-events.json; none is computed by the
 * code under rehearsal.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../state-directory';

/** Events of one delivery by what becomes of them the first time it is sent. */
export interface Expected {
  readonly recorded?: number;
  readonly variants?: number;
  readonly conflicts?: number;
  readonly quarantined?: number;
}

export interface Delivery {
  readonly name: string;
  readonly body: Buffer;
  readonly expected: Expected;
  /** Signed with a secret that is not the app secret: refused, and nothing of it may be stored. */
  readonly forged?: true;
}

export const examplesDirectory = join(projectRoot, 'examples', 'deliveries');

/** The files under examples/deliveries/, with the counts of local/rehearsal/expected-events.json. */
export function exampleDeliveries(): readonly Delivery[] {
  const expected = JSON.parse(readFileSync(join(projectRoot, 'local', 'rehearsal', 'expected-events.json'), 'utf8')) as Readonly<Record<string, Expected>>;
  return Object.entries(expected).map(([name, counts]) => ({ name, body: readFileSync(join(examplesDirectory, name)), expected: counts }));
}

/** What must not be taken for something sent before, or builds upon it: it makes sense only once the rest is recorded. */
export function buildsOnOthers({ expected }: Delivery): boolean {
  return (expected.conflicts ?? 0) + (expected.variants ?? 0) > 0;
}

/** A delivery somebody made up who knows the format and not the secret. */
export function forgedDelivery(): Delivery {
  const message = { from: '16505550199', id: 'wamid.Zm9yZ2VkIGluIHRoZSByZWhlYXJzYWw=', timestamp: '1767225600', type: 'text', text: { body: 'Pay the invoice to this account instead' } };
  const value = { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' }, messages: [message] };
  const body = { object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes: [{ field: 'messages', value }] }] };
  return { name: 'a forged delivery', body: Buffer.from(JSON.stringify(body)), expected: {}, forged: true };
}
