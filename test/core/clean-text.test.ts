/** What cleaning removes, what it must leave alone, and that it is finished after one pass. */
import fc from 'fast-check';
import { cleanText } from '../../src/core/clean-text';

const numRuns = process.env['INTACT_FULL'] === '1' ? 10_000 : 500;
const cleaned = (text: string): string => {
  const result = cleanText(text);
  return result === 'unchanged' ? text : result.text;
};
/** Any sequence of UTF-16 code units, heavy on the ones that matter. */
const anyText = fc
  .array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 3 }), fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), fc.constantFrom('\u0000', '\u202e', '\u2066', '\ud83d', '\udc4d', 'e', '\u0301', '\u200d', '\ufe0f', '👩‍🚀', '\u0085', '\t', '\n')))
  .map((parts) => parts.join(''));

describe('cleaning a text', () => {
  it.each([
    ['NUL', 'a\u0000b', 'ab', [{ codePoint: 'U+0000', why: 'control', count: 1, first: 1 }]],
    ['an escape sequence for terminals', '\u001b[31mred', '[31mred', [{ codePoint: 'U+001B', why: 'control', count: 1, first: 0 }]],
    ['DEL and C1', 'x\u007f\u0085y\u009f', 'xy', [{ codePoint: 'U+007F', why: 'control', count: 1, first: 1 }, { codePoint: 'U+0085', why: 'control', count: 1, first: 2 }, { codePoint: 'U+009F', why: 'control', count: 1, first: 4 }]],
    ['overrides of the reading direction', 'invoice\u202efdp.exe\u202c', 'invoicefdp.exe', [{ codePoint: 'U+202E', why: 'bidi-override', count: 1, first: 7 }, { codePoint: 'U+202C', why: 'bidi-override', count: 1, first: 15 }]],
    ['isolates', '\u2066a\u2069\u2066b\u2069', 'ab', [{ codePoint: 'U+2066', why: 'bidi-override', count: 2, first: 0 }, { codePoint: 'U+2069', why: 'bidi-override', count: 2, first: 2 }]],
    ['half a surrogate pair', 'a\ud83db', 'ab', [{ codePoint: 'U+D83D', why: 'lone-surrogate', count: 1, first: 1 }]],
    ['a carriage return, keeping the line feed', 'a\r\nb', 'a\nb', [{ codePoint: 'U+000D', why: 'control', count: 1, first: 1 }]],
  ])('removes %s and says so', (_, text, clean, removed) => expect(cleanText(text)).toEqual({ text: clean, removed }));

  it('composes to NFC', () => expect(cleanText('Cafe\u0301')).toEqual({ text: 'Café', removed: [] }));

  it('composes across what it removes', () => expect(cleaned('Cafe\u0000\u0301')).toBe('Café'));

  it('does not make a pair of two halves that something stood between', () => expect(cleaned('\ud83d\u0000\udc4d')).toBe(''));

  it.each(['', 'Hello', 'two\nlines\tand a tab', 'é', '👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 ❤️', 'שלום \u200f(hi)\u200e', 'नमस्ते क्‍ष', 'a\u200bb', '\u061c'])('leaves %p unchanged', (text) => expect(cleanText(text)).toBe('unchanged'));

  it('is finished after one pass, and its result is well-formed NFC without anything to remove', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const clean = cleaned(text);
        expect(cleanText(clean)).toBe('unchanged');
        expect(clean.normalize('NFC')).toBe(clean);
        expect(Buffer.from(clean, 'utf8').toString('utf8')).toBe(clean);
        expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(clean)).toBe(false);
      }),
      { numRuns },
    );
  });

  it('removes nothing it does not count, and nothing else', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const result = cleanText(text);
        const count = result === 'unchanged' ? 0 : result.removed.reduce((n, removed) => n + removed.count, 0);
        const units = new Set(result === 'unchanged' ? [] : result.removed.map(({ codePoint }) => Number.parseInt(codePoint.slice(2), 16)));
        // Lone halves look like the halves of a pair; iterating by code point keeps pairs whole.
        const kept = [...text].filter((character) => !(character.length === 1 && units.has(character.charCodeAt(0))));
        expect([...text].length - kept.length).toBe(count);
        expect(cleaned(text)).toBe(kept.join('').normalize('NFC'));
      }),
      { numRuns },
    );
  });

  it('does not mind the length', () => {
    const long = 'x\u0000'.repeat(1_000_000);
    expect(cleanText(long)).toEqual({ text: 'x'.repeat(1_000_000), removed: [{ codePoint: 'U+0000', why: 'control', count: 1_000_000, first: 1 }] });
  });
});
