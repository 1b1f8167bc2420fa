/** Profiles as attributes, and the steps between them: there and back, whatever staff may call a custom field. */
import fc from 'fast-check';
import { canonicalImage, parseCanonicalImage } from '../../../src/core/canonical-image';
import { applyChange, assignedTo, changesAttribute, changesBetween, changesIn, editedBy, EMPTY_PROFILE, inverse, isStorableNumber, profileAttributes, profileFrom, profileOf, withProfile, type Profile } from '../../../src/core/staff/profile';
import { anyProfile } from './any-profile';

const runs = { numRuns: process.env['INTACT_FULL'] ? 10_000 : 500 };
const sortedChanges = (a: Profile, b: Profile) => changesBetween(a, b);

test('a profile comes back from its attributes, through the bytes a table holds', () => {
  fc.assert(
    fc.property(anyProfile, (profile) => {
      const stored = parseCanonicalImage(canonicalImage({ pk: { S: 'c#1' }, sk: { S: 'profile' }, ...profileAttributes(profile) }));
      expect(profileOf(stored)).toEqual(profile);
    }),
    runs,
  );
});

test('a record without a profile has the empty one, and the empty one leaves no attribute', () => {
  expect(profileOf({ pk: { S: 'c#1' } })).toEqual(EMPTY_PROFILE);
  expect(profileAttributes(EMPTY_PROFILE)).toEqual({});
});

test('a new profile replaces all of the old one and nothing else', () => {
  fc.assert(
    fc.property(anyProfile, anyProfile, (before, after) => {
      const record = { ...profileAttributes(before), createdAt: { S: 'x' }, deliveryId: { S: 'y' } };
      expect(withProfile(record, after)).toEqual({ ...profileAttributes(after), createdAt: { S: 'x' }, deliveryId: { S: 'y' } });
    }),
    runs,
  );
});

test('changes lead from one profile to the other, back again, and through a record', () => {
  fc.assert(
    fc.property(anyProfile, anyProfile, (before, after) => {
      const changes = sortedChanges(before, after);
      expect(applyChange(before, changes)).toEqual(after);
      expect(applyChange(after, inverse(changes))).toEqual(before);
      expect(changesIn(changesAttribute(changes))).toEqual(changes);
      expect(changes.every(({ before: b, after: a }) => b !== undefined || a !== undefined)).toBe(true);
      expect(new Set(changes.map(({ field }) => field)).size).toBe(changes.length);
    }),
    runs,
  );
});

test('no change between a profile and itself, whatever the order of its custom fields', () => {
  fc.assert(fc.property(anyProfile, (profile) => expect(changesBetween(profile, { ...profile, custom: Object.fromEntries(Object.entries(profile.custom).reverse()) })).toEqual([])), runs);
});

test('an edit changes what it names: null removes, custom fields are merged, the owner stays', () => {
  const profile: Profile = { name: 'Ada', email: 'a@example.com', tags: ['a'], ownerId: 'o', custom: { x: 1, y: 'z' } };
  expect(editedBy(profile, {})).toEqual(profile);
  expect(editedBy(profile, { name: null, tags: ['b', 'a', 'b'], custom: { x: null, w: 2 } })).toEqual({ email: 'a@example.com', tags: ['a', 'b'], ownerId: 'o', custom: { y: 'z', w: 2 } });
  expect(editedBy(profile, { tags: null, custom: null })).toEqual({ name: 'Ada', email: 'a@example.com', tags: [], ownerId: 'o', custom: {} });
  expect(profileFrom({ tags: ['\u{1F600}', '\uFFFD', 'a'], custom: {} }).tags).toEqual(['a', '\u{1F600}', '\uFFFD']);
});

test('an assignment changes the owner and nothing else', () => {
  expect(changesBetween({ ...EMPTY_PROFILE, name: 'A' }, assignedTo({ ...EMPTY_PROFILE, name: 'A' }, 'o'))).toEqual([{ field: '/ownerId', after: 'o' }]);
  expect(assignedTo({ ...EMPTY_PROFILE, ownerId: 'o' }, null)).toEqual(EMPTY_PROFILE);
});

test('custom fields may have any name', () => {
  const custom = JSON.parse('{"__proto__": "a", "a/b": "c", "a~1b": "d", "constructor": 1, "": "e"}') as Record<string, string>;
  const changes = changesBetween(EMPTY_PROFILE, { tags: [], custom });
  expect(changes.map(({ field }) => field)).toEqual(['/custom/', '/custom/__proto__', '/custom/a~01b', '/custom/a~1b', '/custom/constructor']);
  expect(Object.entries(applyChange(EMPTY_PROFILE, changes).custom).sort()).toEqual(Object.entries(custom).sort());
});

test.each([Number.NaN, Infinity, 1e21, 1e-7, 2 ** 53])('the number %d, which a table would spell otherwise, is refused', (visits) => {
  expect(isStorableNumber(visits)).toBe(false);
  expect(() => profileAttributes({ tags: [], custom: { visits } })).toThrow();
});

test.each([
  ['a tag that is a number', { tags: { L: [{ N: '1' }] } }],
  ['tags as a set', { tags: { SS: ['a'] } }],
  ['a custom field that is a list', { custom: { M: { x: { L: [] } } } }],
  ['a name that is no text', { profileName: { N: '1' } }],
  ['a number that is none', { custom: { M: { x: { N: '1e400' } } } }],
])('%s is no profile of ours', (_, record) => {
  expect(() => profileOf(record)).toThrow();
});

test.each([
  ['another field', [{ field: '/nick', after: 'x' }]],
  ['a list in a text', [{ field: '/name', after: ['x'] }]],
  ['a text for tags', [{ field: '/tags', after: 'x' }]],
])('a change of %s is an error', (_, changes) => {
  expect(() => applyChange(EMPTY_PROFILE, changes)).toThrow();
});
