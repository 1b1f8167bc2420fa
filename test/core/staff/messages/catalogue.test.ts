/** What staff are told, in the languages there are: each says all there is to say, in its own words, and a caller gets the one they ask for. */
import { CATALOGUES, conflictOf, detailOf, languageOf, titleOf, type Language } from '../../../../src/core/staff/messages/catalogue';

const languages = Object.keys(CATALOGUES) as Language[];
/** The words of every sentence, whatever it is given. */
const words = (language: Language): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(CATALOGUES[language]).flatMap(([part, sentences]) =>
      Object.entries(sentences as Record<string, string | ((parameters: object) => string)>).map(([name, sentence]) => [`${part}/${name}`, typeof sentence === 'string' ? sentence : sentence({ phoneNumberIds: [], at: 1, codePoint: 'U+202E', expected: 'text', punctuation: '' })] as const),
    ),
  );

it('no language lacks a sentence or leaves one in the words of another', () => {
  const english = words('en');
  expect([...english.keys()].length).toBeGreaterThan(90);
  for (const language of languages.filter((each) => each !== 'en')) {
    const told = words(language);
    expect([...told.keys()]).toEqual([...english.keys()]);
    expect([...told].filter(([name, sentence]) => sentence === '' || sentence === english.get(name))).toEqual([]);
  }
});

it('the sentences of one language are not those of two things', () => {
  for (const language of languages) {
    const { titles } = CATALOGUES[language];
    expect(new Set(Object.values(titles)).size).toBe(Object.keys(titles).length);
  }
});

it.each<[string | undefined, Language]>([
  [undefined, 'en'], ['', 'en'], ['zh', 'zh'], ['zh-Hant-TW', 'zh'], ['ZH-cn', 'zh'], ['fr, zh;q=0.5', 'zh'], ['en, zh', 'en'], ['zh;q=0.4, en;q=0.8', 'en'], ['zh;q=0', 'en'], ['zh;q=2', 'en'], ['*', 'en'], ['*;q=0.1, zh;q=0.2', 'zh'], ['constructor', 'en'], ['zhx', 'en'],
])('who asks for %j is told in %s', (wanted, language) => expect(languageOf(wanted)).toBe(language));

it('why something cannot be done is said in English until another language is asked for, and names what it is about in each', () => {
  const refusal = conflictOf('merged-away', { customer: 'A', into: 'B' });
  expect(refusal).toEqual({ code: 'conflict', detail: 'customer A was merged into customer B; ask for that one, or undo the merge first' });
  expect([detailOf('zh', refusal), detailOf('en', refusal)]).toEqual(['客户 A 已合并到客户 B；请改用后者，或先撤销合并', refusal.detail]);
  expect(detailOf('en', conflictOf('merged-away', { customer: 'A', into: undefined }))).toContain('into another customer;');
  expect(titleOf('zh', 'not-found')).toBe('不存在，或您无权知晓');
});
