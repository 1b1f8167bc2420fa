/** The deliveries that `npm start` sends: each is what its name says, and no two of them say the same thing twice, so that the report can count on them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '../../../src/core/meta/events';
import { MESSAGE_TYPES } from '../../../src/core/meta/message-types';
import { splitDelivery } from '../../../src/core/meta/split-delivery';
import { eventsOf, onlyEvent } from './fixtures';

const folder = join(__dirname, '../../../examples/deliveries');
const read = (name: string): Buffer => readFileSync(join(folder, name));
const everyday = readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
const odd = readdirSync(join(folder, 'odd')).map((name) => `odd/${name}`);

describe('everyday deliveries', () => {
  it('are recorded whole: nothing in quarantine, no identity twice', () => {
    const events = everyday.flatMap((name) => eventsOf(read(name)));
    expect(events.filter(({ eventKind }) => eventKind === 'quarantine')).toEqual([]);
    expect(new Set(events.map((event) => identityOf(event).join('\n'))).size).toBe(events.length);
  });

  it('hold one of every message type a phone can send today', () => {
    const types = new Set(everyday.flatMap((name) => eventsOf(read(name))).map((event) => (event.eventKind === 'quarantine' ? undefined : event.type)));
    const notSentByPhones = ['voice', 'unknown', 'request_welcome', 'media_placeholder'];
    expect(Object.keys(MESSAGE_TYPES).filter((type) => !types.has(type))).toEqual(notSentByPhones);
  });
});

describe('odd deliveries', () => {
  it.each(odd)('%s does what its name says', (name) => {
    const split = splitDelivery(read(name));
    const inQuarantine = split.kind === 'quarantine' || split.events.some(({ eventKind }) => eventKind === 'quarantine');
    expect(inQuarantine).toBe(name.startsWith('odd/quarantine-'));
  });

  it('the conflict has other words under the id of the first text, the variant the same image under its id', () => {
    const pairs = [['odd/conflict-other-words-under-a-used-id.json', '01-text.json', false], ['odd/variant-same-image-fresh-url.json', '07-image.json', true]] as const;
    for (const [name, original, sameDigest] of pairs) {
      const [a, b] = [onlyEvent(read(name)), onlyEvent(read(original))];
      expect(identityOf(a)).toEqual(identityOf(b));
      expect(a.digest === b.digest).toBe(sameDigest);
      expect(a.raw.equals(b.raw)).toBe(false);
    }
  });
});
