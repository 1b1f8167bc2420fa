/** The byte form of a record: what it looks like, that it round-trips, that no second spelling is accepted. */
import fc from 'fast-check';
import { canonicalImage, ImageError, parseCanonicalImage } from '../../src/core/canonical-image';
import { canonicalize } from '../../src/core/canonical-json';
import type { Attribute, Image } from '../../src/core/image';
import { anyImage } from './any-image';

const numRuns = process.env['INTACT_FULL'] ? 10_000 : 500;
/** The same DynamoDB-JSON made the plain way: JSON values, sets sorted, the general canonical form. */
function plainly(attribute: Attribute): unknown {
  const b64 = (value: Uint8Array): string => Buffer.from(value).toString('base64');
  if ('B' in attribute) return { B: b64(attribute.B) };
  if ('BS' in attribute) return { BS: attribute.BS.map(b64).sort() };
  if ('SS' in attribute) return { SS: [...attribute.SS].sort() };
  if ('NS' in attribute) return { NS: [...attribute.NS].sort() };
  if ('L' in attribute) return { L: attribute.L.map(plainly) };
  if ('M' in attribute) return { M: Object.fromEntries(Object.entries(attribute.M).map(([name, each]) => [name, plainly(each)])) };
  return attribute;
}
const codeOf = (run: () => unknown): string => {
  try {
    return `no error: ${String(run())}`;
  } catch (error) {
    if (error instanceof ImageError) return error.code;
    throw error;
  }
};

describe('the canonical image', () => {
  test('is DynamoDB-JSON with sorted names, binary in base64 and sorted sets', () => {
    const image: Image = { sk: { S: 'b' }, pk: { S: 'a' }, raw: { B: Buffer.from('hi?') }, tags: { SS: ['z', 'é', 'Z'] }, n: { NS: ['2', '10'] }, m: { M: { x: { NULL: true } } } };
    expect(canonicalImage(image).toString()).toBe(
      '{"m":{"M":{"x":{"NULL":true}}},"n":{"NS":["10","2"]},"pk":{"S":"a"},"raw":{"B":"aGk/"},"sk":{"S":"b"},"tags":{"SS":["Z","z","é"]}}',
    );
  });

  test('is what the general canonical form gives for the same DynamoDB-JSON, and reads back as the same image', () => {
    fc.assert(
      fc.property(anyImage, (image) => {
        const canonical = canonicalImage(image);
        expect(canonical.toString()).toBe(canonicalize((plainly({ M: image }) as { M: unknown }).M));
        expect(canonicalImage(parseCanonicalImage(canonical)).equals(canonical)).toBe(true);
      }),
      { numRuns, verbose: 1 },
    );
  });

  test('does not change with the order of names or of the members of a set', () => {
    const a: Image = { pk: { S: '1' }, sk: { SS: ['x', 'y'] } };
    const b: Image = { sk: { SS: ['y', 'x'] }, pk: { S: '1' } };
    expect(canonicalImage(a).equals(canonicalImage(b))).toBe(true);
  });

  test('leaves out only the top-level mac when asked to', () => {
    const image: Image = { mac: { S: 'm' }, deep: { M: { mac: { S: 'kept' } } } };
    expect(canonicalImage(image, { without: 'mac' }).toString()).toBe('{"deep":{"M":{"mac":{"S":"kept"}}}}');
  });

  test.each<[string, unknown]>([
    ['an attribute of two types', { a: { S: '1', N: '1' } }],
    ['an attribute of no type', { a: {} }],
    ['an unknown type', { a: { X: '1' } }],
    ['a number that is no string', { a: { N: 1 } }],
    ['NULL: false', { a: { NULL: false } }],
    ['binary that is a string', { a: { B: 'aGk=' } }],
    ['wider elements than bytes', { a: { B: new Uint16Array(2) } }],
    ['a set that is no list', { a: { SS: 'x' } }],
    ['null', { a: null }],
  ])('refuses %s', (_name, image) => expect(codeOf(() => canonicalImage(image as Image))).toBe('type'));

  test.each([
    ['a space', '{"a": {"S":"1"}}', 'canonical'],
    ['names out of order', '{"b":{"S":"1"},"a":{"S":"1"}}', 'canonical'],
    ['a duplicate name', '{"a":{"S":"1"},"a":{"S":"1"}}', 'canonical'],
    ['a set out of order', '{"a":{"SS":["y","x"]}}', 'canonical'],
    ['base64 without padding', '{"a":{"B":"aGk"}}', 'canonical'],
    ['an escape that is not needed', '{"a":{"S":"\\u0041"}}', 'canonical'],
    ['no JSON', '{', 'json'],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'json'],
    ['a list', '[]', 'type'],
    ['an unknown type', '{"a":{"X":"1"}}', 'type'],
  ])('refuses bytes with %s', (_name, canonical, code) => expect(codeOf(() => parseCanonicalImage(Buffer.from(canonical as string)))).toBe(code));

  test('refuses deep nesting both ways with a code', () => {
    const deep = `{"a":${'{"L":['.repeat(5000)}${']}'.repeat(5000)}}`;
    expect(codeOf(() => parseCanonicalImage(Buffer.from(deep)))).toBe('depth');
    let attribute: Attribute = { S: '' };
    for (let i = 0; i < 5000; i++) attribute = { L: [attribute] };
    expect(codeOf(() => canonicalImage({ attribute }))).toBe('depth');
  });
});
