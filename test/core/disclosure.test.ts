/** Proof files that whoever holds the log's key can make, and that are refused all the same; forgeries by others are in test/operations/prove-message.test.ts. */
import { checkDisclosure } from '../../src/core/disclosure';
import { builtProof, jweShape, keyPair } from '../operations/built-vault';

const codes = (bytes: Buffer): string[] => checkDisclosure(bytes, keyPair(1).key).findings.map(({ code }) => code);

test('a good one holds', async () => expect(codes(await builtProof())).toEqual([]));

test.each([
  ['its format', '"format":', '"format":"intact/proof/v1",'],
  ['its entry', '"entry":', '"entry":"{}",'],
  ['its entry, once spelled with an escape', '"entry":', '"\\u0065ntry":"{}",'],
  ['its entry, once as something else', '"entry":', '"entry":{"entry":[1]},'],
  ['its salt', '"salt":', '"salt":"",'],
  ['what is disclosed', '"disclosed":', '"disclosed":{},'],
])('with %s twice is refused, though the last one is good', async (_what, member, before) => {
  const good = (await builtProof()).toString();
  const bad = good.replace(member, `${before}${member}`);
  expect(JSON.parse(bad)).toEqual(JSON.parse(good));
  expect(codes(Buffer.from(bad))).toEqual(['file']);
});

test('with half a surrogate pair in it is refused, as an escape of the file or of the image', async () => {
  const good = (await builtProof()).toString();
  expect(good).toContain('\\"S\\":\\"a\\"');
  expect(codes(Buffer.from(good.replace('\\"S\\":\\"a\\"', '\\"S\\":\\"\\ud83d\\"')))).toEqual(['file']);
  expect(codes(await builtProof({ image: '{"a":{"S":"\\ud83d"}}' }))).toEqual(['image']);
  expect(codes(await builtProof({ image: '{"\\ud83d":{"S":"a"}}' }))).toEqual(['image']);
});

test('that is not UTF-8, or begins with a byte order mark, is refused', async () => {
  const good = await builtProof();
  expect(codes(Buffer.from(good.toString().replace('pk', '\u00e9'), 'latin1'))).toEqual(['file']);
  expect(codes(Buffer.concat([Buffer.from('\ufeff'), good]))).toEqual(['file']);
});

test.each([
  ['an entry of kind raw', { entry: { kind: 'raw', rev: 0 } }, ['entry']],
  ['a removal', { entry: { op: 'remove', commit: undefined, image: undefined } }, ['entry']],
  ['an entry that holds no JWE of ours', { entry: { image: jweShape({ header: '{"alg":"none"}' }) } }, ['entry']],
  ['a checkpoint with an extension line', { extensions: ['more'] }, ['proof']],
  ['a number that is none', { image: '{"a":{"N":"abc"}}' }, ['image']],
  ['a number that is none, in a set, in a list, in a map', { image: '{"a":{"M":{"b":{"L":[{"NS":["1","b"]}]}}}}' }, ['image']],
  ['an empty set', { image: '{"a":{"SS":[]}}' }, ['image']],
  ['a set with a member twice', { image: '{"a":{"BS":["AA==","AA=="]}}' }, ['image']],
  ['numbers and sets as a table has them', { image: '{"a":{"L":[{"N":"-1.5"},{"N":"1E+30"},{"NS":["1","10","2"]},{"BS":["AA=="]},{"SS":["a"]}]}}' }, []],
])('about %s has the findings it deserves', async (_what, change, expected) => expect(codes(await builtProof(change))).toEqual(expected));
