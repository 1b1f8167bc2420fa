/** Entries: one spelling each, every malformed one refused with a code of the closed union. */
import fc from 'fast-check';
import { canonicalize } from '../../src/core/canonical-json';
import { encodeEntry, EntryError, parseEntry, type PutEntry, type RemoveEntry } from '../../src/core/entry';
import { jweShape } from '../operations/built-vault';

const numRuns = process.env['INTACT_FULL'] ? 10_000 : 500;
const hash = 'A'.repeat(43);
const put: PutEntry = { v: 1, op: 'put', kind: 'message', id: hash, rev: 1, at: '2026-02-03T04:05:06.000Z', subject: 'AAAAAAAAAAAAAAAAAAAAAA', src: 'e1', commit: hash, image: jweShape() };
const remove: RemoveEntry = { v: 1, op: 'remove', kind: 'message', id: hash, rev: 1, at: '2026-02-03T04:05:06.000Z', subject: 'AAAAAAAAAAAAAAAAAAAAAA', src: 'e2' };
const sha = 'ab'.repeat(32);
const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'no error';
  } catch (error) {
    if (error instanceof EntryError) return error.code;
    throw error;
  }
};

describe('an entry', () => {
  test.each([
    ['a put with its image', put],
    ['a put with a blob and objects', { ...put, image: undefined, blob: sha, objects: [{ name: `blob/${sha}`, sha256: sha }] }],
    ['a removal', remove],
  ])('%s is its canonical JSON and reads back as itself', (_name, given) => {
    const entry = JSON.parse(JSON.stringify(given)) as PutEntry;
    const bytes = encodeEntry(entry);
    expect(bytes.toString()).toBe(canonicalize(entry));
    expect(parseEntry(bytes)).toEqual(entry);
  });

  const changed = (change: Record<string, unknown>): string => {
    const entries = Object.entries({ ...put, ...change }).filter(([, value]) => value !== undefined);
    return canonicalize(Object.fromEntries(entries));
  };
  test.each([
    ['no v', changed({ v: undefined }), 'version'],
    ['a later v', changed({ v: 2 }), 'version'],
    ['another op', changed({ op: 'delete' }), 'member'],
    ['no kind', changed({ kind: undefined }), 'member'],
    ['no commit', changed({ commit: undefined }), 'member'],
    ['neither image nor blob', changed({ image: undefined }), 'member'],
    ['both image and blob', changed({ blob: sha }), 'member'],
    ['a removal with an image', canonicalize({ ...remove, image: put.image }), 'member'],
    ['a removal with a commit', canonicalize({ ...remove, commit: hash }), 'member'],
    ['an extra member', changed({ note: 'x' }), 'member'],
    ['a member called constructor', changed({ constructor: 'x' }), 'member'],
    ['a rev that is a string', changed({ rev: '1' }), 'member'],
    ['a negative rev', changed({ rev: -1 }), 'member'],
    ['a local time', changed({ at: '2026-02-03T04:05:06.000+01:00' }), 'member'],
    ['a time without milliseconds', changed({ at: '2026-02-03T04:05:06Z' }), 'member'],
    ['a 30th of February', changed({ at: '2026-02-30T04:05:06.000Z' }), 'member'],
    ['an id with spare bits set', changed({ id: `${'A'.repeat(42)}B` }), 'member'],
    ['a short subject', changed({ subject: 'abc' }), 'member'],
    ['an empty list of objects', changed({ objects: [] }), 'member'],
    ['an object outside the vault', changed({ objects: [{ name: 'tile/0/000', sha256: sha }] }), 'member'],
    ['an object that climbs', changed({ objects: [{ name: 'report/../checkpoint', sha256: sha }] }), 'member'],
    ['an object with a third member', changed({ objects: [{ name: 'report/a', sha256: sha, x: 1 }] }), 'member'],
    ['a blob under no hash', changed({ objects: [{ name: 'blob/a', sha256: sha }] }), 'member'],
    ['a blob under another hash than its own', changed({ objects: [{ name: `blob/${'0'.repeat(64)}`, sha256: sha }] }), 'member'],
    ['a list', '[]', 'member'],
    ['null', 'null', 'member'],
    ['a leading space', ` ${changed({})}`, 'canonical'],
    ['a trailing line feed', `${changed({})}\n`, 'canonical'],
    ['an escape that is not needed', changed({}).replace('message', '\\u006dessage'), 'canonical'],
    ['a duplicate name', changed({}).replace('"v":1', '"v":1,"v":1'), 'canonical'],
    ['a number spelled otherwise', changed({}).replace('"rev":1', '"rev":1.0'), 'canonical'],
    ['no JSON', '{', 'json'],
    ['a byte order mark', `\ufeff${changed({})}`, 'json'],
    ['nothing', '', 'size'],
    ['one byte too much', changed({ image: jweShape({ ciphertext: Buffer.alloc(49_152) }) }), 'size'],
    ['a raw record removed', canonicalize({ ...remove, kind: 'raw', rev: 0 }), 'member'],
    ['a raw record with a revision', changed({ kind: 'raw' }), 'member'],
    ['a late source without a hash', changed({ src: 'late:yesterday' }), 'member'],
    ['a late source with a hash in capitals', changed({ src: `late:${'AB'.repeat(32)}` }), 'member'],
    ['a late source with more than a hash', changed({ src: `late:${sha}0` }), 'member'],
    ['a hashed source that is too short', changed({ src: `sha256:${sha.slice(2)}` }), 'member'],
    ['a source of no id that is no hash', changed({ src: 'none:' }), 'member'],
    ['a source of 129 characters', changed({ src: 'e'.repeat(129) }), 'member'],
    ['a source with a space', changed({ src: 'e 1' }), 'member'],
    ['an image that is a number', changed({ image: 1 }), 'member'],
    ['an image that is no JWE', changed({ image: 'eyJ9..a.b.c' }), 'member'],
    ['an image without room for the salt', changed({ image: jweShape({ ciphertext: Buffer.alloc(31) }) }), 'member'],
  ])('is refused with %s', (_name, text, code) => expect(codeOf(() => parseEntry(Buffer.from(text)))).toBe(code));

  test.each([
    ['a raw record', { kind: 'raw', rev: 0 }],
    ['the source of a stream', { src: 'c4ca4238a0b923820dcc509a6f75849b' }],
    ['a source that only resembles a form of ours', { src: 'later:x' }],
    ['a report and a blob', { objects: [{ name: 'report/2026/a.json', sha256: sha }, { name: `blob/${sha}`, sha256: sha }] }],
    ['a source sealed late', { src: `late:${sha}` }],
    ['a source whose id did not fit', { src: `sha256:${sha}` }],
    ['a source without an id', { src: `none:${sha}` }],
    ['no content but the salt', { image: jweShape({ ciphertext: Buffer.alloc(32) }) }],
  ])('may have %s', (_name, change) => expect(codeOf(() => parseEntry(Buffer.from(changed(change))))).toBe('no error'));

  test('is refused when not UTF-8', () => expect(codeOf(() => parseEntry(Buffer.from([0x7b, 0xff, 0x7d])))).toBe('utf8'));

  test('that is malformed is refused before it is written', () => {
    expect(codeOf(() => encodeEntry({ ...put, kind: 'Message' }))).toBe('member');
    expect(codeOf(() => encodeEntry({ ...put, image: jweShape({ ciphertext: Buffer.alloc(49_152) }) }))).toBe('size');
    expect(codeOf(() => encodeEntry({ ...put, image: jweShape({ tag: Buffer.alloc(15) }) }))).toBe('member');
  });

  test('fits exactly up to 65,535 bytes', () => {
    const nearly = { ...put, image: jweShape({ ciphertext: Buffer.alloc(48_840) }), src: 'e' };
    const room = 65_535 - encodeEntry(nearly).length;
    expect(encodeEntry({ ...nearly, src: 'e'.repeat(1 + room) })).toHaveLength(65_535);
    expect(codeOf(() => encodeEntry({ ...nearly, src: 'e'.repeat(2 + room) }))).toBe('size');
  });

  test('is parsed or refused with a code, whatever the bytes; what is parsed is written as the same bytes', () => {
    const good = encodeEntry(put);
    const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => Buffer.from(good).fill(byte, at, at + 1));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map((text) => Buffer.from(text)), damaged), (bytes) => {
        if (codeOf(() => parseEntry(bytes)) === 'no error') expect(encodeEntry(parseEntry(bytes)).equals(bytes)).toBe(true);
      }),
      { numRuns, verbose: 1 },
    );
    expect(codeOf(() => parseEntry(Buffer.from('['.repeat(60_000))))).toBe('json');
  });
});
