/** Canonical JSON against RFC 8785's own vectors, the npm package `canonicalize`, and inputs JSON cannot hold. */
import fc from 'fast-check';
// By path: the package exports itself to ES modules only, and jest runs CommonJS.
import oracle from '../../node_modules/canonicalize/lib/canonicalize.js';
import { canonicalize, CanonicalJsonError, MAX_DEPTH } from '../../src/core/canonical-json';

const numRuns = process.env['INTACT_FULL'] ? 10_000 : 500;
const codeOf = (value: unknown): string => {
  try {
    return `no error: ${canonicalize(value)}`;
  } catch (error) {
    if (error instanceof CanonicalJsonError) return error.code;
    throw error;
  }
};

describe('canonical JSON', () => {
  test('agrees with the sample of RFC 8785 §3.2.2 to §3.2.4', () => {
    const input = JSON.parse(`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
      "literals": [null, true, false]
    }`) as unknown;
    const expected =
      '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d';
    expect(Buffer.from(canonicalize(input), 'utf8').toString('hex')).toBe(expected);
  });

  test('sorts names as RFC 8785 §3.2.3 shows: by UTF-16 code unit, not by code point and not by locale', () => {
    const input = JSON.parse(
      '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}',
    ) as Record<string, string>;
    expect(Object.values(JSON.parse(canonicalize(input)) as object)).toHaveLength(7);
    const order = [...canonicalize(input).matchAll(/":"([^"]*)"/g)].map((match) => match[1]);
    // "1" moves to the front of a parsed object, so the order is read from the text.
    expect(order).toEqual(['Carriage Return', 'One', 'Control', 'Latin Small Letter O With Diaeresis', 'Euro Sign', 'Emoji: Grinning Face', 'Hebrew Letter Dalet With Dagesh']);
  });

  test('writes numbers as RFC 8785 appendix B lists them', () => {
    const samples: readonly (readonly [string, string])[] = [
      ['0000000000000000', '0'],
      ['8000000000000000', '0'],
      ['0000000000000001', '5e-324'],
      ['8000000000000001', '-5e-324'],
      ['7fefffffffffffff', '1.7976931348623157e+308'],
      ['ffefffffffffffff', '-1.7976931348623157e+308'],
      ['4340000000000000', '9007199254740992'],
      ['c340000000000000', '-9007199254740992'],
      ['4430000000000000', '295147905179352830000'],
      ['44b52d02c7e14af5', '9.999999999999997e+22'],
      ['44b52d02c7e14af6', '1e+23'],
      ['44b52d02c7e14af7', '1.0000000000000001e+23'],
      ['444b1ae4d6e2ef4e', '999999999999999700000'],
      ['444b1ae4d6e2ef4f', '999999999999999900000'],
      ['444b1ae4d6e2ef50', '1e+21'],
      ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
      ['3eb0c6f7a0b5ed8d', '0.000001'],
      ['41b3de4355555553', '333333333.3333332'],
      ['41b3de4355555554', '333333333.33333325'],
      ['41b3de4355555555', '333333333.3333333'],
      ['41b3de4355555556', '333333333.3333334'],
      ['41b3de4355555557', '333333333.33333343'],
      ['becbf647612f3696', '-0.0000033333333333333333'],
      ['43143ff3c1cb0959', '1424953923781206.2'],
    ];
    for (const [bits, text] of samples) expect(canonicalize(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
    expect(codeOf(Buffer.from('7fffffffffffffff', 'hex').readDoubleBE())).toBe('not-finite');
    expect(codeOf(Buffer.from('7ff0000000000000', 'hex').readDoubleBE())).toBe('not-finite');
  });

  test('agrees with an independent implementation on any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(canonicalize(value)).toBe(oracle(value));
      }),
      { numRuns, verbose: 1 },
    );
  });

  test('does not depend on the order in which members were added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        expect(canonicalize(Object.fromEntries(Object.entries(value).reverse()))).toBe(canonicalize(value));
      }),
      { numRuns, verbose: 1 },
    );
  });

  test.each([
    ['half a surrogate pair', 'x\ud83d', 'lone-surrogate'],
    ['half a surrogate pair in a name', { '\udc00': 1 }, 'lone-surrogate'],
    ['a pair the wrong way round', '\ude00\ud83d', 'lone-surrogate'],
    ['NaN', [Number.NaN], 'not-finite'],
    ['infinity', -Infinity, 'not-finite'],
    ['undefined', undefined, 'type'],
    ['an undefined member', { a: undefined }, 'type'],
    ['a hole in an array', [1, , 2], 'type'], // eslint-disable-line no-sparse-arrays
    ['a bigint', 1n, 'type'],
    ['a function', () => 1, 'type'],
    ['a date', new Date(0), 'type'],
    ['bytes', Buffer.from('a'), 'type'],
    ['a map', new Map(), 'type'],
  ])('refuses %s', (_name, value, code) => expect(codeOf(value)).toBe(code));

  test('refuses nesting that would exhaust the stack, with a code instead of a RangeError', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(canonicalize(nested(MAX_DEPTH))).toHaveLength(2 * MAX_DEPTH);
    expect(codeOf(nested(MAX_DEPTH + 1))).toBe('depth');
    expect(codeOf(nested(100_000))).toBe('depth');
  });

  test('keeps a member called __proto__', () => expect(canonicalize(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}'));
});
