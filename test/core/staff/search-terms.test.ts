import * as fc from 'fast-check';
import { comparable, nameAnswers, phoneAnswers, phoneQuery, termOfPhone, termOfQuery, termsOfName, termsOfPhone, wordsOf } from '../../../src/core/staff/search-terms';

const answers = (name: string, query: string): boolean => nameAnswers(name, wordsOf(query));

test.each([
  ['María José', 'maria', true],
  ['María José', 'JOSÉ mar', true],
  ['María José', 'aria', false],
  ['Jürgen Groß', 'gross', true],
  ['GROSS', 'groß', true],
  ['Νίκος', 'ΝΙΚΟΣ', true],
  ['Νικοστράτη', 'νικος', true],
  ['Ｆｕｌｌ Ｗｉｄｔｈ', 'full wid', true],
  ["Siobhán O'Brien", 'brien', true],
  ['Jean-Luc', 'luc', true],
  ['王小明', '小明', true],
  ['王小明', '明小', false],
  ['王小明 Ming', 'ming 王', true],
  ['ABC公司', '公司', true],
  ['ABC公司', 'abc公', true],
  ['김민수', '민수', true],
  ['田中さくら', 'さくら', true],
  ['ラーメン太郎', 'ーメ', true],
  ['สมชาย ใจดี', 'ชาย', true],
  ['प्रिया शर्मा', 'शर्', true],
  ['מרים כהן', 'כהן', true],
  ['Li', 'lim', false],
])('%s asked for by %s: %s', (name, query, expected) => {
  expect(answers(name, query)).toBe(expected);
});

test('the form names are compared in is a form: made again it is the same', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (text) => {
    const form = comparable(text);
    expect(comparable(form)).toBe(form);
    expect(comparable(text.normalize('NFD'))).toBe(comparable(text.normalize('NFC')));
  }));
  // Each character by itself: by chance ẞ, which is ß in lower case and SS in upper, was met once in a thousand runs.
  const changing = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter((text) => /[\p{Cased}\p{CWKCF}\p{M}]/u.test(text));
  const unstable = changing.filter((text) => comparable(comparable(text)) !== comparable(text));
  expect(changing.length).toBeGreaterThan(10_000);
  expect(unstable).toEqual([]);
});

test('what answers a query has the term the query is looked up by', () => {
  const piece = fc.constantFrom('María', 'Groß', 'Νίκος', '王小明', '欧阳', 'สมชาย', '김민수', 'X', 'Wolfeschlegelsteinhausen', 'ABC公司', 'शर्मा');
  const cut = fc.tuple(piece, fc.nat(20), fc.nat(20)).map(([word, from, to]) => [...word].slice(from % word.length, (from % word.length) + 1 + to).join(''));
  let answered = 0;
  fc.assert(fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), fc.array(cut, { minLength: 1, maxLength: 2 }), (name, query) => {
    const words = wordsOf(query.join(' '));
    const term = termOfQuery(words);
    if (term === undefined || !nameAnswers(name.join(' '), words)) return;
    answered += 1;
    expect(termsOfName(name.join(' '))).toContainEqual(term);
  }), { numRuns: 1_000 });
  expect(answered).toBeGreaterThan(50);
});

test('one letter of an alphabet is too little to look for, one character of Chinese is not', () => {
  expect(termOfQuery(wordsOf('x y'))).toBeUndefined();
  expect(termOfQuery(wordsOf(' - '))).toBeUndefined();
  expect(termOfQuery(wordsOf('王'))).toEqual({ type: 'name', value: '王' });
  expect(termOfQuery(wordsOf('x maria'))).toEqual({ type: 'name', value: 'maria' });
});

test('a number is found by its last digits, four at least, or as a whole after a plus', () => {
  const whole = '+16505551234';
  for (const [query, expected] of [['1234', true], ['555-1234', true], ['(650) 555 1234', true], ['16505551234', true], ['+1 650 555 1234', true], ['+6505551234', false], ['5551', false]] as const) {
    expect([query, phoneAnswers(whole, phoneQuery(query)!)]).toEqual([query, expected]);
  }
  for (const query of ['234', '+', 'maria', '12345 maria', '1'.repeat(21), '']) expect(phoneQuery(query)).toBeUndefined();
  expect(phoneQuery('１２３４')).toEqual({ digits: '1234', isWhole: false });
  expect(termsOfPhone(whole).map(({ value }) => value)).toEqual(['16505551234', '6505551234', '505551234', '05551234', '5551234', '551234', '51234', '1234']);
  expect(termsOfPhone('1650555')).toContainEqual(termOfPhone(phoneQuery('0555')!));
  expect(termsOfPhone('US.13491208655302741918')).toEqual([]);
});
