/** What staff may write of a customer: names of many scripts pass, what hides or deceives is refused with its place, and every problem is told at once. */
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import fc from 'fast-check';
import { cleanText } from '../../../src/core/clean-text';
import { checkChange, checkNote, checkProfile, checkReason, EXAMPLES, isRefused, type ProfileInput } from '../../../src/core/staff/profile-rules';
import type { FieldError } from '../../../src/core/staff/refusal';
import { PLAIN_PROFILES, profileSettings, type ProfileSettings } from '../../../src/core/staff/profile-settings';

const numRuns = process.env['INTACT_FULL'] === '1' ? 10_000 : 500;
const settings: ProfileSettings = {
  namePunctuation: PLAIN_PROFILES.namePunctuation,
  customFields: {
    city: { type: 'text', maxLength: 10 },
    discount: { type: 'number', min: 0, max: 50 },
    balance: { type: 'number', min: -999_999_999_999_999, max: 999_999_999_999_999 },
    since: { type: 'date', min: '2000-01-01', max: '2030-12-31' },
    segment: { type: 'choice', choices: ['retail', 'wholesale'] },
  },
};
const refusals = (result: unknown): string[] => (isRefused(result) ? result.map(({ field, rule }) => `${field} ${rule}`) : []);
const rules = (input: object): string[] => refusals(checkProfile(settings, input));
const name = (text: string): string[] => rules({ name: text }).map((line) => line.replace('/name ', ''));

describe('a name', () => {
  it.each([
    "O'Brien", 'O’Brien', 'Anne-Marie', 'J. R. R. Tolkien', 'Müller', 'Nguyễn Thị Ngọc Ánh', 'Đặng Văn Lâm', 'محمد بن سلمان', 'مُحَمَّد', 'علی‌رضا', 'فاطمه', 'मोहनदास करमचंद गांधी', 'श्रीकृष्ण', 'রবীন্দ্রনাথ ঠাকুর', 'ශ්‍රීමාවෝ', 'தமிழ்ச்செல்வன்',
    '王小明', '阿依努尔·买买提', '葛\u{e0100}城', '山田　太郎', 'ひらがな', 'カタカナ', '김민준', '한글', 'สมชาย ใจดี', 'น้ำ', 'מֹשֶׁה', 'יוסף', 'Μαρία', 'Ольга Іванівна', 'Գևորգ', 'ნინო', 'አበበ', 'བསྟན་འཛིན', 'ဒေါ်အောင်ဆန်းစုကြည်',
    'Kaʻiulani', 'Þórr', 'Łukasz', 'İbrahim Şahin', 'X', '𠮷田', 'N’Golo Kanté', 'Jean-Luc', 'マイケル・ジャクソン', 'בן־גוריון', 'ג׳ורג׳', 'צה״ל כהן', 'Hawaiʼi', 'Mutʼa', 'Gal·la',
  ])('%s is one', (text) => expect(checkProfile(settings, { name: text })).toEqual({ name: text.normalize('NFC'), tags: [], custom: {} }));

  it('is kept in normal form C, whatever keyboard wrote it', () => {
    expect(checkProfile(settings, { name: 'Ngo\u0302 Ba\u0309o' })).toMatchObject({ name: 'Ngô Bảo' });
    expect(checkProfile(settings, { name: '\u1112\u1161\u11ab' })).toMatchObject({ name: '한' });
  });

  it.each<[string, string, string[]]>([
    ['nothing', '', ['blank']],
    ['spaces alone', ' \u3000 ', ['blank']],
    ['an empty Braille cell', '\u2800', ['blank']],
    ['a space at its end', 'Anne ', ['outer-space']],
    ['a digit', 'Anne2', ['character-not-allowed']],
    ['a bracket', 'Anne <b>', ['character-not-allowed', 'character-not-allowed']],
    ['a punctuation that the stage does not allow', 'Anne, Marie', ['character-not-allowed']],
    ['an emoji', 'Anne 😀', ['character-not-allowed']],
    ['punctuation alone', '-', ['no-letter']],
    ['an accent alone', '\u0301', ['mark-without-letter', 'no-letter']],
    ['an accent on a hyphen', 'A-\u0301b', ['mark-without-letter']],
    ['NUL', 'An\u0000ne', ['control-character']],
    ['a line feed', 'Anne\nMarie', ['control-character']],
    ['a tab', 'Anne\tMarie', ['control-character']],
    ['a line separator', 'Anne\u2028Marie', ['control-character']],
    ['an override', 'Anne\u202eeiraM', ['bidi-override']],
    ['an isolate', '\u2067Anne\u2069', ['bidi-override', 'bidi-override']],
    ['half a character', 'Anne\ud83d', ['lone-surrogate']],
    ['a zero-width space', 'An\u200bne', ['invisible-character']],
    ['a soft hyphen', 'An\u00adne', ['invisible-character']],
    ['a byte order mark', '\ufeffAnne', ['invisible-character']],
    ['a joiner between Latin letters', 'An\u200dne', ['invisible-character']],
    ['a joiner at the end of a Persian word', 'علی\u200c', ['invisible-character']],
    ['a direction mark', 'יוסף\u200e', ['invisible-character']],
    ['an invisible Hangul letter', 'Anne\u3164', ['invisible-character']],
    ['only invisible letters', '\u3164\u115f', ['invisible-character', 'invisible-character', 'no-letter']],
    ['a variation selector on a Latin letter', 'A\ufe0fnne', ['invisible-character']],
    ['a tag character', 'Anne\u{e0041}', ['invisible-character']],
    ['accents that paint over the page', `A${'\u0335'.repeat(9)}`, ['too-many-marks']],
    ['more than 200 characters', 'a'.repeat(201), ['too-long']],
  ])('%s is refused', (_what, text, expected) => expect(name(text)).toEqual(expected));

  it('of 200 characters outside the basic plane is not too long', () => expect(name('𠮷'.repeat(200))).toEqual([]));

  it('is refused with the place in code points, and what stands there', () => {
    const [error] = checkProfile(settings, { name: '𠮷田\u202eb' }) as readonly FieldError[];
    expect(error).toMatchObject({ field: '/name', rule: 'bidi-override', example: EXAMPLES.name });
    expect(error?.detail).toContain('index 2, U+202E');
  });

  it('may have other punctuation where the stage says so', () => {
    const wide = { ...settings, namePunctuation: ',' };
    expect(checkProfile(wide, { name: 'King, Martin Luther' })).toMatchObject({ name: 'King, Martin Luther' });
    expect(refusals(checkProfile(wide, { name: "O'Brien" }))).toEqual(['/name character-not-allowed']);
  });
});

describe('a phone number', () => {
  it.each(['+4915123456789', '+1234567', '+123456789012345'])('%s is one', (phone) => expect(checkProfile(settings, { phone })).toMatchObject({ phone }));
  it.each<[string, string[]]>([
    ['', ['blank']],
    ['4915123456789', ['phone-plus']],
    ['004915123456789', ['phone-plus']],
    ['+123456', ['phone-length']],
    ['+1234567890123456', ['phone-length']],
    ['+0123456789', ['phone-zero']],
    ['+49 151 23456789', ['phone-character', 'phone-character']],
    ['+49-151-23456789', ['phone-character', 'phone-character']],
    ['+49151(0)23456789', ['phone-character', 'phone-character']],
    ['+٤٩١٥١٢٣٤٥٦٧', ['phone-character', 'phone-character', 'phone-character', 'phone-length']],
    ['+4915123456789\u200e', ['phone-character']],
    ['tel:x', ['phone-plus', 'phone-character', 'phone-character', 'phone-character', 'phone-length']],
  ])('%j is told what is wrong with it', (phone, expected) => expect(rules({ phone })).toEqual(expected.map((rule) => `/phone ${rule}`)));
});

describe('an e-mail address', () => {
  it.each(['anne@example.com', 'a.b+c@sub.example.co.uk', "o'brien@example.com", 'jörg@müller.de', '用户@例子.广告', 'x@xn--mller-kva.de', `${'a'.repeat(64)}@${`${'b'.repeat(60)}.`.repeat(3)}cccc`])('%s is one', (email) => expect(checkProfile(settings, { email })).toMatchObject({ email }));
  it.each<[string, string[]]>([
    ['', ['blank']],
    ['anne', ['email-at']],
    ['a@b@example.com', ['email-at']],
    ['@example.com', ['email-local']],
    ['.anne@example.com', ['email-local']],
    ['an..ne@example.com', ['email-local']],
    [`${'a'.repeat(65)}@example.com`, ['email-local']],
    ['anne@localhost', ['email-domain']],
    ['anne@-example.com', ['email-domain']],
    ['anne@example.123', ['email-domain']],
    ['anne@example..com', ['email-domain']],
    ['an ne@example.com', ['email-character']],
    ['"anne"@example.com', ['email-character', 'email-character']],
    ['anne@exa_mple.com', ['email-character']],
    ['anne@example.com\r\nBcc:x', ['control-character', 'control-character', 'email-character']],
    ['an\u200bne@example.com', ['invisible-character']],
    [`a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(61)}`, ['too-long']],
  ])('%j is told what is wrong with it', (email, expected) => expect(rules({ email })).toEqual(expected.map((rule) => `/email ${rule}`)));
});

describe('tags, notes, reasons', () => {
  it('tags are at most 20, of at most 40 characters, each there once', () => {
    expect(checkProfile(settings, { tags: ['VIP', '大客户', 'follow up'] })).toMatchObject({ tags: ['VIP', '大客户', 'follow up'] });
    expect(rules({ tags: Array.from({ length: 21 }, (_, i) => `t${i}`) })).toEqual(['/tags too-many']);
    expect(rules({ tags: ['x'.repeat(41), '', ' a', 'a\u0000'] })).toEqual(['/tags/0 too-long', '/tags/1 blank', '/tags/2 outer-space', '/tags/3 control-character']);
    expect(rules({ tags: ['é', 'e\u0301', 'b', 'b'] })).toEqual(['/tags/1 duplicate', '/tags/3 duplicate']);
    expect(rules({ tags: [1, 'b', 'b', null] }).sort()).toEqual(['/tags/0 wrong-type', '/tags/2 duplicate', '/tags/3 wrong-type']);
  });

  it('a note keeps lines, tabs, emoji and the marks that right-to-left scripts need', () => {
    for (const note of ['one\ntwo\tthree', '👩‍👩‍👧‍👦 ❤️ 👍🏽 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'שלום \u200f(hi)\u200e', 'x'.repeat(4_000), "'; DROP TABLE x; --", '<script>alert(1)</script>', '${jndi:ldap://x}', '=1+1', '../../etc/passwd']) expect(checkNote(note)).toBe(note);
    expect(refusals(checkNote('x'.repeat(4_001)))).toEqual([' too-long']);
    expect(refusals(checkNote(' \n\t'))).toEqual([' blank']);
    expect(refusals(checkNote('a\r\nb\u001b[31m'))).toEqual([' control-character', ' control-character']);
    expect(refusals(checkNote('a\u200bb \u{e0041} \u202e'))).toEqual([' invisible-character', ' invisible-character', ' bidi-override']);
    expect(refusals(checkNote(undefined))).toEqual([' required']);
  });

  it('a reason is one line of at most 500 characters', () => {
    expect(checkReason('She called.')).toBe('She called.');
    expect(refusals(checkReason('a\nb'))).toEqual([' control-character']);
    expect(refusals(checkReason('x'.repeat(501)))).toEqual([' too-long']);
  });

  it('of a text full of what is not allowed the first ten places are named', () => expect(refusals(checkNote('\u0000'.repeat(60_000)))).toEqual([...Array.from({ length: 10 }, () => ' control-character'), ' too-long']));
});

describe('custom fields', () => {
  it('have the types that the stage gives them', () => {
    const custom = { city: 'Köln', discount: 12.5, balance: -0.000_001, since: '2024-02-29', segment: 'retail' };
    expect(checkProfile(settings, { custom })).toEqual({ tags: [], custom });
  });

  it('are kept in normal form C, and a negative nothing as nothing', () => expect(checkProfile(settings, { custom: { city: 'Ko\u0308ln', discount: -0 } })).toEqual({ tags: [], custom: { city: 'Köln', discount: 0 } }));

  it.each<[string, unknown, string]>([
    ['city', 'Castrop-Rauxel', 'too-long'],
    ['city', 5, 'wrong-type'],
    ['discount', '5', 'not-a-number'],
    ['discount', -1, 'too-small'],
    ['discount', 51, 'too-big'],
    ['discount', 0.1234567, 'too-precise'],
    ['discount', NaN, 'not-a-number'],
    ['balance', 1e-7, 'too-precise'],
    ['balance', 123456789012345.6, 'too-precise'],
    ['since', '2023-02-29', 'not-a-date'],
    ['since', '2023-2-1', 'not-a-date'],
    ['since', '1999-12-31', 'too-early'],
    ['since', '2031-01-01', 'too-late'],
    ['segment', 'other', 'not-a-choice'],
    ['city', null, 'wrong-type'],
    ['unheardOf', 'x', 'unknown-field'],
    ['constructor', 'x', 'unknown-field'],
    ['toString', 'x', 'unknown-field'],
  ])('%s of %j is refused', (field, value, rule) => expect(rules({ custom: { [field]: value } })).toEqual([`/custom/${field} ${rule}`]));

  it('the settings themselves are checked', () => {
    expect(profileSettings.safeParse(settings).success).toBe(true);
    expect(profileSettings.safeParse(PLAIN_PROFILES).success).toBe(true);
    const wrong: unknown[] = [
      { ...settings, namePunctuation: 'a' },
      { ...settings, namePunctuation: ' ' },
      { ...settings, customFields: { Upper: { type: 'text', maxLength: 1 } } },
      { ...settings, customFields: { a: { type: 'text' } } },
      { ...settings, customFields: { a: { type: 'number', min: 2, max: 1 } } },
      { ...settings, customFields: { a: { type: 'choice', choices: ['x', 'x'] } } },
      { ...settings, customFields: { a: { type: 'choice', choices: [] } } },
      { ...settings, customFields: { a: { type: 'date', min: '2026-13-01' } } },
      { ...settings, customFields: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`f${i}`, { type: 'text', maxLength: 1 }])) },
      { ...settings, customFields: { a: { type: 'choice', choices: Array.from({ length: 50 }, (_, i) => `${'x'.repeat(57)}${i}`) } } },
      { ...settings, more: 1 },
    ];
    expect(wrong.filter((each) => profileSettings.safeParse(each).success)).toEqual([]);
  });
});

describe('every problem at once', () => {
  it('of a profile with nothing right in it', () => {
    const input = { name: 'A\u0000 1', phone: '12', email: 'x', tags: [1, 'a', 'a', ' b'], custom: { discount: 99, no: 1 }, ownerId: 'me', extra: {} };
    expect(rules(input).sort()).toEqual([
      '/custom/discount too-big', '/custom/no unknown-field', '/email email-at', '/extra unknown-field', '/name character-not-allowed', '/name control-character', '/ownerId unknown-field', '/phone phone-length', '/phone phone-plus',
      '/tags/0 wrong-type', '/tags/2 duplicate', '/tags/3 outer-space',
    ]);
  });

  it.each([[null], [undefined], ['x'], [[]], [5]])('%j is no profile', (input) => expect(isRefused(checkProfile(settings, input))).toBe(true));

  it('in the language of the caller, without repeating what was sent', () => {
    const [zh] = checkProfile(settings, { name: 'Secret\u202e' }, 'zh', '/profile') as readonly FieldError[];
    expect(zh?.field).toBe('/profile/name');
    expect(zh?.detail).toMatch(/[\u4e00-\u9fff]/);
    expect(zh?.detail).not.toContain('Secret');
  });

});

describe('a change', () => {
  it('names what it changes; null removes', () => {
    const change = { name: null, tags: ['a'], custom: { city: null, gone: null, discount: 3 } };
    expect(checkChange(settings, change)).toEqual(change);
  });
  it('of nothing is refused', () => expect(refusals(checkChange(settings, {}))).toEqual([' nothing-to-change']));
  it('is judged as a profile is', () => expect(refusals(checkChange(settings, { name: '', custom: { gone: 'x' }, ownerId: 'a' })).sort()).toEqual(['/custom/gone unknown-field', '/name blank', '/ownerId unknown-field']));
});

describe('whatever is sent', () => {
  const odd = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 4 }), fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), fc.constantFrom('\u202e', '\u200d', '\u3164', 'é', 'e\u0301', '한', 'न्', '👩‍👧', ' ', '+49', '@', '.', '-'))).map((parts) => parts.join(''));
  const good = fc.array(fc.constantFrom('a', 'É', '王', 'ن', 'न', '한', 'ő', 'ש', '-', ' ', '’'), { minLength: 1, maxLength: 30 }).map((parts) => parts.join(''));
  const text = fc.oneof(odd, good);
  const profile = fc.record(
    {
      name: fc.oneof(text, fc.anything()),
      phone: fc.oneof(text, fc.stringMatching(/^\+[1-9][0-9]{6,14}$/)),
      email: fc.oneof(text, fc.emailAddress()),
      tags: fc.oneof(fc.array(text), fc.anything()),
      custom: fc.oneof(fc.record({ city: text, discount: fc.double(), balance: fc.double(), since: text, segment: text }, { requiredKeys: [] }), fc.dictionary(fc.string(), fc.anything()), fc.anything()),
    },
    { requiredKeys: [] },
  );

  it('is judged without a throw, and what is accepted is kept and read back as it is, and accepted again', () => {
    let accepted = 0;
    const judge = (input: unknown): void => {
      const result = checkProfile(settings, input);
      if (isRefused(result)) {
        expect(result.length).toBeGreaterThan(0);
        for (const { field, detail } of result) expect([typeof field, detail.length > 0]).toEqual(['string', true]);
        return;
      }
      accepted += 1;
      const kept = JSON.parse(Buffer.from(JSON.stringify(result), 'utf8').toString('utf8')) as ProfileInput;
      expect(kept).toEqual(result);
      expect(checkProfile(settings, kept)).toEqual(result);
      for (const value of [result.name, result.email, ...result.tags]) if (value !== undefined) expect(cleanText(value)).toBe('unchanged');
    };
    fc.assert(fc.property(fc.oneof(profile, fc.record({ name: good }), fc.anything()), judge), { numRuns });
    expect(accepted).toBeGreaterThan(0);
  });

  it('as a note is kept as it is, or refused', () => {
    fc.assert(
      fc.property(text, (note) => {
        const result = checkNote(note);
        if (isRefused(result)) return;
        expect(result).toBe(note.normalize('NFC'));
        expect(checkNote(result)).toBe(result);
        expect(cleanText(result)).toBe('unchanged');
      }),
      { numRuns },
    );
  });

  it('as a change is judged as a profile would be', () => {
    fc.assert(fc.property(fc.oneof(profile, fc.anything()), (input) => { checkChange(settings, input, 'zh'); }), { numRuns });
  });
});

it('runs where there is nothing of node', async () => {
  const built = await build({ entryPoints: ['src/core/staff/profile-rules.ts'], bundle: true, write: false, platform: 'browser', format: 'iife', globalName: 'rules', target: 'es2022', metafile: true, logLevel: 'silent' });
  expect(built.warnings).toEqual([]);
  expect(Object.keys(built.metafile.inputs).filter((path) => !path.startsWith('src/core/') && !path.startsWith('node_modules/zod/'))).toEqual([]);
  // TextEncoder, URL: of every browser, and of no bare JavaScript engine.
  const page = createContext({ TextEncoder, URL });
  runInContext(built.outputFiles[0]?.text ?? '', page);
  expect(runInContext(`JSON.stringify(rules.checkProfile(${JSON.stringify(settings)}, { name: 'Anne' }))`, page)).toBe('{"name":"Anne","tags":[],"custom":{}}');
}, 60_000);
