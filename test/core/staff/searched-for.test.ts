/** What staff looked for, in the access log: found by whoever knows it, told to nobody else. */
import * as fc from 'fast-check';
import { answersSearch, searchedByText, searchedFor } from '../../../src/core/staff/searched-for';
import { nameAnswers, phoneAnswers, phoneQuery, termOfQuery, wordsOf } from '../../../src/core/staff/search-terms';

const key = Buffer.alloc(32, 7);
const NAMES = ['Anne-Marie O’Brien', 'María José Groß', 'Νίκος Παπαδόπουλος', '王小明', '김민수 Kim', 'Wolfeschlegelsteinhausen', 'สมชาย'];
const PIECES = ['an', 'anne', 'Marie', 'O', 'BRI', 'jose', 'GROSS', 'νικ', '小', '小明', '民', '민수', 'kim', 'wolfeschlegelstein', 'brien'];

test('a search for a name is found by every name that answers it, and by no other', () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 }), (name, pieces) => {
      const words = wordsOf(pieces.join(' '));
      fc.pre(termOfQuery(words) !== undefined);
      expect(answersSearch(key, name)(searchedFor(key, { name: words }))).toBe(nameAnswers(name, words));
    }),
    { numRuns: 300 },
  );
});

test('a search for a number is found by every number that ends so, however it is written, and by no other', () => {
  for (const typed of ['6789', '+4915123456789', '0151 6789', '23456789']) {
    for (const number of ['+4915123456789', '+49 151 2345-6789', '+33612346789', '6789', '+447700900123']) {
      const phone = phoneQuery(typed)!;
      expect([typed, number, answersSearch(key, number)(searchedFor(key, { phone }))]).toEqual([typed, number, phoneAnswers(phoneQuery(number)!.digits, { ...phone, isWhole: false })]);
    }
  }
});

test('kinds do not answer for each other, and one that answers is enough', () => {
  const asTag = searchedFor(key, { tag: '6789' });
  expect([answersSearch(key, '6789')(asTag), answersSearch(key, '+4915123456789')(asTag)]).toEqual([true, false]);
  const both = searchedFor(key, { tag: 'vip', ownerId: 'sales-1' });
  expect(['vip', 'sales-1', 'VIP', 'sales-2'].map((text) => answersSearch(key, text)(both))).toEqual([true, true, false, false]);
  expect(answersSearch(key, 'vip')([])).toBe(false);
});

test('the kind is said and the rest is a MAC: of another key it is another one, and of any text there are few', () => {
  const searched = searchedFor(key, searchedByText('Anne obr'));
  expect(searched).toEqual([expect.stringMatching(/^name:[\w-]{43}$/), expect.stringMatching(/^name:[\w-]{43}$/)]);
  expect(searchedFor(Buffer.alloc(32, 8), searchedByText('Anne obr'))).not.toEqual(searched);
  expect(searchedFor(key, searchedByText(' +49 151 2345 6789'))).toEqual([expect.stringMatching(/^phone:/)]);
  expect(searchedFor(key, searchedByText(Array.from({ length: 100 }, (_, i) => `w${i}`).join(' ')))).toHaveLength(16);
});
