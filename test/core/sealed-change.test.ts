/** From a change to its entry: what fits stands in it, what does not becomes a blob, at exactly the limit of the format. */
import { seededRandom } from '../../src/adapters/memory/schedule';
import { MAX_ENTRY_BYTES, parseEntry, type PutEntry } from '../../src/core/entry';
import { decryptJwe } from '../../src/core/jwe';
import { sha256Hex } from '../../src/core/log/sha256';
import { sealPut, sealRemove } from '../../src/core/sealed-change';
import { newSubjectKey } from '../../src/core/subject-key';

const random = seededRandom(1);
const key = newSubjectKey('AAAAAAAAAAAAAAAAAAAAAA', random);
const facts = { kind: 'message', key: { pk: 'm#x', sk: '1#message' }, rev: 1, at: '2026-02-03T04:05:06.000Z', src: 'e1' };
const open = (jwe: string): Buffer => decryptJwe(jwe, () => key.key);

describe('a sealed change', () => {
  test('carries its image up to the last byte that fits, and a blob beyond', () => {
    let [inline, blob] = [0, 0];
    for (let length = 48_750; length < 48_950; length++) {
      const content = Buffer.alloc(length, 120);
      const sealed = sealPut(facts, key, content, random);
      const entry = parseEntry(sealed.entry) as PutEntry;
      if (entry.image !== undefined) {
        inline = Math.max(inline, sealed.entry.length);
        expect(sealed.blobs).toEqual([]);
        expect(open(entry.image).subarray(32).equals(content)).toBe(true);
      } else {
        blob++;
        expect(sealed.blobs.map(({ name }) => name)).toEqual([`blob/${entry.blob}`]);
        expect(sha256Hex(sealed.blobs[0]?.bytes as Buffer)).toBe(entry.blob);
        expect(open(sealed.blobs[0]?.bytes.toString() as string).subarray(32).equals(content)).toBe(true);
      }
    }
    expect(blob).toBeGreaterThan(0);
    expect(inline).toBeGreaterThan(MAX_ENTRY_BYTES - 3); // base64url grows by one or two characters a byte
    expect(inline).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
  });

  test('names the ciphertexts of bodies kept outside the image', () => {
    const body = Buffer.from('a long text');
    const sealed = sealPut(facts, key, Buffer.from('{}'), random, [body]);
    const entry = parseEntry(sealed.entry) as PutEntry;
    expect(entry.objects).toEqual(sealed.blobs.map(({ name, bytes }) => ({ name, sha256: sha256Hex(bytes) })));
    expect(open(sealed.blobs[0]?.bytes.toString() as string)).toEqual(body);
  });

  test('uses new salt and new iv every time, so that equal records look different', () => {
    const entries = Array.from({ length: 20 }, () => parseEntry(sealPut(facts, key, Buffer.from('{}'), random).entry) as PutEntry);
    expect(new Set(entries.map(({ commit }) => commit)).size).toBe(20);
    expect(new Set(entries.map(({ image }) => image?.split('.')[2])).size).toBe(20);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(1);
  });

  test('of a removal holds no image and no commitment', () => {
    const entry = parseEntry(sealRemove(facts, key).entry);
    expect(Object.keys(entry).sort()).toEqual(['at', 'id', 'kind', 'op', 'rev', 'src', 'subject', 'v']);
  });
});
