/** The example deliveries of test/fixtures/meta (all data invented), as bytes, and what several tests do with them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitDelivery } from '../../../src/core/meta/split-delivery';
import type { MetaEvent, QuarantineEvent } from '../../../src/core/meta/events';

const folder = join(__dirname, '../../fixtures/meta');
export const names: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
  .sort();
export const fixture = (name: string): Buffer => readFileSync(join(folder, `${name}.json`));

/** How often fast-check runs a property: modest by default, `INTACT_FULL=1` for the full figures. */
export const numRuns = process.env['INTACT_FULL'] === '1' ? 10_000 : 500;

/** The events of a body that must be a delivery. */
export function eventsOf(body: Buffer | string): readonly MetaEvent[] {
  const split = splitDelivery(typeof body === 'string' ? Buffer.from(body) : body);
  if (split.kind !== 'events') throw new Error(`quarantined as a whole: ${split.reason.message}`);
  return split.events;
}

/** The only event of a body. */
export function onlyEvent(body: Buffer | string): MetaEvent {
  const events = eventsOf(body);
  const [event] = events;
  if (event === undefined || events.length !== 1) throw new Error(`${events.length} events where one was expected`);
  return event;
}

export function onlyQuarantine(body: Buffer | string): QuarantineEvent {
  const event = onlyEvent(body);
  if (event.eventKind !== 'quarantine') throw new Error(`a ${event.eventKind} where quarantine was expected`);
  return event;
}

/** A delivery of one change, written by hand where the bytes matter: `members` is the inside of the value after its metadata. */
export const wire = (members: string, field = 'messages', metadata = '{"display_phone_number":"12025550100","phone_number_id":"307"}'): string =>
  `{"object":"whatsapp_business_account","entry":[{"id":"208","changes":[{"value":{"messaging_product":"whatsapp","metadata":${metadata},${members}},"field":${JSON.stringify(field)}}]}]}`;

/** The smallest text message, as JSON, with one thing changed by the caller. */
export const text = (body = '"Hello"', rest = ''): string => `{"from":"12025550143","id":"wamid.A","timestamp":"1790000000","type":"text","text":{"body":${body}}${rest}}`;
