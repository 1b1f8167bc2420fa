/**
 * Statuses without content: Meta says that something was delivered, and nobody has said what: neither Meta, by an echo, nor the system that sent it. Counted by message and business number, once, in one pass over
 * all records in any order. It is a count of what is, not of what happened: a message that is recorded late is no gap any longer.
 */
import { stringOf, type Image } from './image';
import { isOfShare, type Share } from './shares';

/** How long a sending system may take to record what it sent. */
export const CONTENT_EXPECTED_WITHIN_MS = 3_600_000;

const PLACE = /^([^#]*)#(message|outbound|status#[^#]*)$/;
const CONTENT = '';
/** After every time: a status that does not say when it came makes no gap older. */
const UNKNOWN = '~';

export interface StatusGaps {
  /** Every record, once. */
  see(image: Image): void;
  /** Messages of which nothing but statuses is recorded, the oldest of them received at or before this time, ISO 8601 UTC. */
  count(until: string): number;
}

/** Of the messages of one share: those of a share by subject could have their content under another subject, in another share. */
export function statusGaps(share: Share): StatusGaps {
  /** Message → when the oldest status came, or `CONTENT`. */
  const messages = new Map<string, string>();
  return {
    see(image) {
      const [pk, sk] = [stringOf(image, 'pk') ?? '', stringOf(image, 'sk') ?? ''];
      const place = pk.startsWith('m#') && isOfShare(pk, share) ? PLACE.exec(sk) : null;
      if (place === null) return;
      const message = `${pk}#${place[1]}`;
      // What is under the key of a message counts as one, erased or not. An erased status says nothing any more.
      if (!place[2]!.startsWith('status')) messages.set(message, CONTENT);
      else if (stringOf(image, 'kind') === 'status') messages.set(message, older(messages.get(message), stringOf(image, 'receivedAt') || UNKNOWN));
    },
    count: (until) => [...messages.values()].filter((received) => received !== CONTENT && received <= until).length,
  };
}

/** '' is before every time, so content stays content. */
const older = (known: string | undefined, received: string): string => (known === undefined || received < known ? received : known);
