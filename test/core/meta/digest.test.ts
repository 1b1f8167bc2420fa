/** What changes a digest and what does not: Meta's own variations of one event must not, another content under the same id must. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { identityOf } from '../../../src/core/meta/events';
import { eventsOf, fixture, names, numRuns, onlyEvent, text, wire } from './fixtures';

type Tree = { [key: string]: unknown };
const parsed = (name: string): Tree => JSON.parse(fixture(name).toString('utf8')) as Tree;
const digestsOf = (body: Buffer | string): readonly string[] => eventsOf(body).map(({ digest }) => digest);
const digestOf = (tree: Tree): string => onlyEvent(JSON.stringify(tree)).digest;

/** JSON as Meta writes it: slashes and everything beyond ASCII escaped. */
const escaped = (value: unknown): string =>
  JSON.stringify(value)
    .replace(/\//g, '\\/')
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, member]) => [key, reordered(member)]));
}

describe('the digest of one event', () => {
  it('is the SHA-256 of its canonical form, as anyone can compute it', () => {
    // Canonical by hand: members sorted, no white space.
    const canonical = '{"from":"12025550143","id":"wamid.A","text":{"body":"Hello"},"timestamp":"1790000000","type":"text"}';
    expect(onlyEvent(wire(`"messages":[${text()}]`)).digest).toBe(createHash('sha256').update(canonical).digest('hex'));
  });

  it.each(names)('does not depend on spelling: %s', (name) => {
    const digests = digestsOf(fixture(name));
    const tree = parsed(name);
    expect(digestsOf(JSON.stringify(tree))).toEqual(digests);
    expect(digestsOf(escaped(tree))).toEqual(digests);
    expect([...digestsOf(JSON.stringify(reordered(tree)))].sort()).toEqual([...digests].sort());
  });
});

/** Applies `change` to the object at the end of `path` in a fresh copy of the fixture. */
function changed(name: string, path: readonly (string | number)[], change: (node: Tree) => void): Tree {
  const tree = parsed(name);
  let node: unknown = tree;
  for (const key of path) node = (node as Tree)[key];
  change(node as Tree);
  return tree;
}
const message = ['entry', 0, 'changes', 0, 'value', 'messages', 0] as const;
const status = ['entry', 0, 'changes', 0, 'value', 'statuses', 0] as const;
const value = ['entry', 0, 'changes', 0, 'value'] as const;

describe('the same event again', () => {
  it.each([
    ['a fresh media URL', changed('image', [...message, 'image'], (image) => { image['url'] = 'https://elsewhere.example/2'; }), 'image'],
    ['no media URL', changed('image', [...message, 'image'], (image) => { delete image['url']; }), 'image'],
    ['a fresh URL inside an edit', changed('edit.image', [...message, 'edit', 'message', 'image'], (image) => { image['url'] = 'https://elsewhere.example/2'; }), 'edit.image'],
    ['a fresh picture of the advertisement', changed('text.from-advertisement', [...message, 'referral'], (referral) => { referral['image_url'] = 'https://elsewhere.example/2'; }), 'text.from-advertisement'],
    ['other words for the same error', changed('unsupported', [...message, 'errors', 0], (error) => { error['title'] = 'Tipo desconhecido'; delete error['error_data']; }), 'unsupported'],
    ['no price', changed('status.sent', status, (object) => { delete object['pricing']; }), 'status.sent'],
    ['no conversation', changed('status.sent', status, (object) => { delete object['conversation']; }), 'status.sent'],
    ['no contacts', changed('text', value, (object) => { delete object['contacts']; }), 'text'],
    ['another profile name', changed('text', [...value, 'contacts', 0, 'profile'], (profile) => { profile['name'] = 'Ada M.'; }), 'text'],
  ])('with %s is the same event', (_, tree, name) => {
    expect(digestOf(tree)).toBe(onlyEvent(fixture(name)).digest);
    expect(identityOf(onlyEvent(JSON.stringify(tree)))).toEqual(identityOf(onlyEvent(fixture(name))));
  });

  it('a status sent again without its price is one', () => expect(onlyEvent(fixture('status.sent-later-without-price')).digest).toBe(onlyEvent(fixture('status.sent')).digest));
});

describe('another event under the same id', () => {
  it.each([
    ['other words', changed('text', [...message, 'text'], (body) => { body['body'] = 'Is the red kettle still in stock?'; }), 'text'],
    ['another sender', changed('text', message, (object) => { object['from'] = '12025550144'; }), 'text'],
    ['another picture', changed('image', [...message, 'image'], (image) => { image['sha256'] = 'x'; }), 'image'],
    ['another error code', changed('unsupported', [...message, 'errors', 0], (error) => { error['code'] = 131060; }), 'unsupported'],
    ['another person recommended', changed('contacts', [...message, 'contacts', 0, 'name'], (object) => { object['formatted_name'] = 'Dona Rita'; }), 'contacts'],
    ['another web address in a location', changed('location', [...message, 'location'], (object) => { object['url'] = 'https://other.example/'; }), 'location'],
    ['another reply id', changed('interactive.button-reply', [...message, 'interactive', 'button_reply'], (object) => { object['id'] = 'deliver'; }), 'interactive.button-reply'],
    ['other callback data', changed('status.sent', status, (object) => { object['biz_opaque_callback_data'] = 'order-18'; }), 'status.sent'],
    ['a member that is new', changed('text', message, (object) => { object['x'] = 1; }), 'text'],
  ])('with %s has another digest', (_, tree, name) => expect(digestOf(tree)).not.toBe(onlyEvent(fixture(name)).digest));

  it('also where only the bytes tell them apart', () => {
    const digests = ['"\\ud83d"', '"\\ud83e"', '"\\ufffd"'].map((body) => onlyEvent(wire(`"messages":[${text(body)}]`)).digest);
    const numbers = ['9007199254740992', '9007199254740993'].map((n) => onlyEvent(wire(`"messages":[${text('"x"', `,"n":${n}`)}]`)).digest);
    const keys = ['"a":1,"a":3', '"a":2,"a":3'].map((members) => onlyEvent(wire(`"messages":[${text('"x"', `,${members}`)}]`)).digest);
    for (const group of [digests, numbers, keys]) expect(new Set(group).size).toBe(group.length);
  });

  it('whatever JSON stands in the text of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const digest = (body: string) => onlyEvent(wire(`"messages":[${text(JSON.stringify(body))}]`)).digest;
        expect(digest(a) === digest(b)).toBe(a === b);
      }),
      { numRuns },
    );
  });
});
