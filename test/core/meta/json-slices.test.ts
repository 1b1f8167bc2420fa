/** The slicing parser against JSON.parse, which it must agree with on what is JSON and what it says, and against what JSON.parse loses. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { survivesAsDouble } from '../../../src/core/meta/exact-number';
import { JSON_ERROR_CODES, MAX_DEPTH, type JsonNode, isArrayNode, isObjectNode, memberOf, parseSlices } from '../../../src/core/meta/json-slices';
import { fixture, names, numRuns } from './fixtures';

const parse = (text: string | Buffer) => parseSlices(typeof text === 'string' ? Buffer.from(text) : text);
function rootOf(text: string | Buffer): JsonNode {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(`${parsed.error.code} at ${parsed.error.offset}`);
  return parsed.root;
}
const anomaliesOf = (text: string | Buffer) => {
  const parsed = parse(text);
  return parsed.ok ? parsed.anomalies : [];
};

function everyNode(node: JsonNode, visit: (node: JsonNode) => void): void {
  visit(node);
  for (const child of node.children ?? []) everyNode(child, visit);
}

/** The slices that do not parse to the value of their node. */
function untrueSlices(bytes: Buffer): readonly string[] {
  const untrue: string[] = [];
  everyNode(rootOf(bytes), (node) => {
    const slice = bytes.toString('utf8', node.start, node.end);
    if (!isDeepStrictEqual(JSON.parse(slice), node.value)) untrue.push(slice);
  });
  return untrue;
}

/** Both read the same bytes: the same verdict, and the same value where it is JSON. */
function agreesWithJsonParse(bytes: Buffer): void {
  const ours = parse(bytes);
  let theirs: { value: unknown } | undefined;
  try {
    theirs = { value: JSON.parse(bytes.toString('utf8')) as unknown };
  } catch {
    theirs = undefined;
  }
  if (ours.ok !== (theirs !== undefined)) throw new Error(`ours ${ours.ok ? 'accepts' : 'refuses'} what JSON.parse does not`);
  if (ours.ok) {
    if (!isDeepStrictEqual(ours.root.value, theirs?.value)) expect(ours.root.value).toEqual(theirs?.value);
  }
  else {
    expect(JSON_ERROR_CODES).toContain(ours.error.code);
    expect(ours.error.offset).toBeLessThanOrEqual(bytes.length);
  }
}

/** JSON written in a way JSON.stringify never does: white space, escapes of any character, any number form. */
const spelled = fc.letrec<{ value: string; string: string; number: string }>((tie) => ({
  string: fc
    .array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 4 }).map((s) => JSON.stringify(s).slice(1, -1)), fc.constantFrom('\\/', '\\u00e9', '\\ud83d\\udc4d', '\\uD83D', '\\udc4d', '\\u0000', '\\b', '\\"', 'é', '👍', '__proto__')))
    .map((parts) => `"${parts.join('')}"`),
  number: fc.tuple(fc.constantFrom('', '-'), fc.constantFrom('0', '7', '9007199254740993', '12345'), fc.constantFrom('', '.5', '.000', '.1234567890123456789'), fc.constantFrom('', 'e0', 'E+2', 'e-7', 'e400', 'e-400')).map((p) => p.join('')),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie('string'),
    tie('number'),
    fc.constantFrom('true', 'false', 'null'),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[ ${items.join(' ,\n')}]`),
    fc.array(fc.tuple(tie('string'), tie('value')), { maxLength: 4 }).map((members) => `{${members.map(([k, v]) => `\t${k} : ${v}`).join(',')}\r\n}`),
  ),
})).value;

describe('the parser agrees with JSON.parse', () => {
  it('on any JSON, however it is spelled', () => {
    fc.assert(fc.property(spelled, (text) => agreesWithJsonParse(Buffer.from(text))), { numRuns });
  });

  it('on JSON with bytes changed, cut out and put in', () => {
    const change = fc.record({ at: fc.nat(), cut: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) });
    fc.assert(
      fc.property(spelled, fc.array(change, { minLength: 1, maxLength: 3 }), (text, changes) => {
        let bytes = Buffer.from(text);
        for (const { at, cut, put } of changes) {
          const from = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)]);
        }
        // JSON.parse would skip nothing of a byte-order mark either, but it never sees one that the decoder already took.
        agreesWithJsonParse(bytes);
      }),
      { numRuns: numRuns * 4 },
    );
  });

  it('on short texts over the alphabet of JSON', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...'{}[]",:\\u0019.eE+- tfn\u0001é'), { maxLength: 12 }), (chars) => agreesWithJsonParse(Buffer.from(chars.join('')))), { numRuns: numRuns * 4 });
  });

  it('on random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => agreesWithJsonParse(Buffer.from(bytes))), { numRuns });
  });

  it.each(['01', '-', '1.', '.5', '+1', '1e', '0x1', 'NaN', 'tru', 'nulll', '[1,]', '{"a":1,}', '{a:1}', "{'a':1}", '"\t"', '"\\x"', '"\\u12g4"', '"\\u12', '[1 2]', '{"a" 1}', '"a', '[', '{', '{"a"', '{"a":', '\u00a01', '//', '1\u0000'])('on what is not JSON: %p', (text) => {
    expect(parse(text).ok).toBe(false);
    agreesWithJsonParse(Buffer.from(text));
  });

  it('and names the error and where it is', () => {
    const errorOf = (text: string) => {
      const parsed = parse(text);
      return parsed.ok ? undefined : parsed.error;
    };
    expect(errorOf('')).toEqual({ code: 'empty', offset: 0 });
    expect(errorOf(' \n')).toEqual({ code: 'empty', offset: 0 });
    expect(errorOf('\ufeff{}')).toEqual({ code: 'byte-order-mark', offset: 0 });
    expect(errorOf('{"é":x}')).toEqual({ code: 'unexpected-byte', offset: 6 });
    expect(errorOf('{"a":[1,2')).toEqual({ code: 'unexpected-end', offset: 9 });
    expect(errorOf('"a\u0001"')).toEqual({ code: 'control-character', offset: 2 });
    expect(errorOf('"a\\q"')).toEqual({ code: 'bad-escape', offset: 2 });
    expect(errorOf('{} {}')).toEqual({ code: 'trailing-data', offset: 3 });
  });
});

describe('a slice', () => {
  it('is exactly the bytes of its value', () => {
    fc.assert(
      fc.property(spelled, (text) => {
        const bytes = Buffer.from(text);
        expect(untrueSlices(bytes)).toEqual([]);
      }),
      { numRuns },
    );
  });

  it('is right behind characters of several bytes, and children tile their container in order', () => {
    for (const name of names) {
      const bytes = fixture(name);
      expect(untrueSlices(bytes)).toEqual([]);
      everyNode(rootOf(bytes), (node) => {
        let end = node.start;
        for (const child of node.children ?? []) {
          if (child.start <= end) throw new Error(`${name}: overlap at ${child.start}`);
          end = child.end;
        }
        if (end > node.end) throw new Error(`${name}: a child outlives its container at ${node.start}`);
        if ((isObjectNode(node) || isArrayNode(node)) !== (node.children !== undefined)) throw new Error(`${name}: kind at ${node.start}`);
      });
    }
  });
});

describe('what JSON.parse loses is reported', () => {
  it('a key written twice: the last value counts, the first stays readable', () => {
    const bytes = Buffer.from('{"a":1,"b":2,"a":3}');
    const root = rootOf(bytes);
    expect(root.value).toEqual({ a: 3, b: 2 });
    expect(anomaliesOf(bytes)).toEqual([{ code: 'duplicate-key', offset: 13 }]);
    expect(root.children?.map(({ key, shadowed, value }) => [key, shadowed, value])).toEqual([['a', true, 1], ['b', false, 2], ['a', false, 3]]);
    expect(memberOf(root, 'a')?.value).toBe(3);
  });

  it('the same key in two spellings is the same key', () => {
    expect(anomaliesOf('{"a":1,"\\u0061":2}')).toEqual([{ code: 'duplicate-key', offset: 7 }]);
  });

  it('a member called like something every object has is an ordinary member', () => {
    const root = rootOf('{"__proto__":{"admin":true},"constructor":1,"toString":2}');
    expect((root.value as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.keys(root.value as object)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(anomaliesOf('{"__proto__":1,"toString":2}')).toEqual([]);
    expect(anomaliesOf('{"__proto__":1,"__proto__":2}')).toHaveLength(1);
  });

  it('half of a surrogate pair, but not a whole one', () => {
    expect(anomaliesOf('["\\ud83d\\udc4d","\\ud83d","x\\udc4dy","\\udc4d\\ud83d"]').map(({ code, offset }) => [code, offset])).toEqual([
      ['lone-surrogate', 16],
      ['lone-surrogate', 25],
      ['lone-surrogate', 36],
    ]);
  });

  it('a number that a double cannot hold', () => {
    expect(anomaliesOf('[9007199254740993, 9007199254740992, 0.1, 1e400, 12345678901234567890]').map(({ offset }) => offset)).toEqual([1, 42, 49]);
  });

  it('bytes that are not UTF-8, once a string', () => {
    const bytes = Buffer.concat([Buffer.from('["ok é","'), Buffer.from([0xff, 0x41]), Buffer.from('\\n'), Buffer.from([0xc3]), Buffer.from('"]')]);
    expect(rootOf(bytes).value).toEqual(['ok é', '\ufffdA\n\ufffd']);
    expect(anomaliesOf(bytes)).toEqual([{ code: 'invalid-utf8', offset: 9 }]);
  });

  it('nesting that a recursive reader should not walk into', () => {
    expect(anomaliesOf('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH))).toEqual([]);
    expect(anomaliesOf('['.repeat(MAX_DEPTH + 3) + ']'.repeat(MAX_DEPTH + 3))).toEqual([{ code: 'too-deep', offset: MAX_DEPTH }]);
    expect(anomaliesOf(`[${'['.repeat(MAX_DEPTH)}${']'.repeat(MAX_DEPTH)},${'{"a":'.repeat(MAX_DEPTH)}1${'}'.repeat(MAX_DEPTH)}]`)).toHaveLength(2);
  });
});

describe('size and depth', () => {
  it('a million brackets are parsed without a stack', () => {
    const parsed = parse('['.repeat(1_000_000) + ']'.repeat(1_000_000));
    expect(parsed.ok && parsed.anomalies).toEqual([{ code: 'too-deep', offset: MAX_DEPTH }]);
    expect(parse('['.repeat(1_000_000))).toMatchObject({ ok: false, error: { code: 'unexpected-end', offset: 1_000_000 } });
  });

  it('200,000 equal keys are one member and 199,999 reports', () => {
    const root = rootOf(`{${Array.from({ length: 200_000 }, (_, i) => `"k":${i}`).join(',')}}`);
    expect(root.value).toEqual({ k: 199_999 });
    expect(root.children?.filter(({ shadowed }) => !shadowed)).toHaveLength(1);
  });
});

describe('a number survives as a double', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['9007199254740991', true], ['9007199254740992', true], ['9007199254740993', false], ['-9007199254740993', false], ['9007199254740994', true],
    ['18014398509481984', true], ['18014398509481985', false], ['100000000000000000000', true], ['0.1', true], ['0.10000000000000000000', true], ['0.1000000000000000055511151231257827', false],
    ['37.44221496582', true], ['1.0', true], ['30e0', true], ['3e1', true], ['-0', true], ['0e999999999999999999999999', true], ['1e400', false], ['1e-400', false], ['5e-324', true], ['4e-324', false],
    ['1.7976931348623157e308', true], ['1e99999999999999999999999', false], ['123456789012345678', false], ['0.000000000000000000001', true],
  ];
  it.each(cases)('%s: %p', (literal, expected) => expect(survivesAsDouble(literal, Number(literal))).toBe(expected));

  it('exactly when the exact fractions are equal', () => {
    const digits = fc.stringMatching(/^(0|[1-9]\d{0,24})$/);
    const literal = fc.tuple(fc.constantFrom('', '-'), digits, fc.option(fc.stringMatching(/^\d{1,24}$/), { nil: undefined }), fc.option(fc.integer({ min: -30, max: 30 }), { nil: undefined }));
    const fraction = (text: string): readonly [bigint, bigint] => {
      const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
      const [whole = '', decimals = ''] = mantissa.split('.');
      const shift = Number(exponent) - decimals.length;
      const unscaled = BigInt(whole + decimals);
      return shift >= 0 ? [unscaled * 10n ** BigInt(shift), 1n] : [unscaled, 10n ** BigInt(-shift)];
    };
    fc.assert(
      fc.property(literal, ([sign, whole, decimals, exponent]) => {
        const written = `${whole}${decimals === undefined ? '' : `.${decimals}`}${exponent === undefined ? '' : `e${exponent}`}`;
        const [a, b] = fraction(written);
        const [c, d] = fraction(String(Number(written)));
        expect(survivesAsDouble(sign + written, Number(sign + written))).toBe(a * d === c * b);
      }),
      { numRuns },
    );
  });
});
