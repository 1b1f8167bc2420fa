/** Profiles of every shape, for properties. Few values, so that two of them often share a field. */
import fc from 'fast-check';
import type { Profile } from '../../../src/core/staff/profile';

const word = fc.constantFrom('a', 'b', 'ä', '王', 'x y', '');
const value = fc.oneof(word, fc.constantFrom(0, 1, -2, 0.5, 1_000_000));

export const anyProfile: fc.Arbitrary<Profile> = fc
  .record(
    {
      name: word,
      phone: word,
      email: word,
      ownerId: word,
      tags: fc.uniqueArray(word, { maxLength: 4 }).map((tags) => tags.sort()),
      custom: fc.dictionary(fc.constantFrom('city', 'visits', 'a/b', '~', '__proto__', '王'), value, { maxKeys: 4, noNullPrototype: true }),
    },
    { requiredKeys: ['tags', 'custom'] },
  )
  .map((profile) => ({ ...profile }));
