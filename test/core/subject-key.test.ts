/** Keys of subjects and the head's MAC: exact values made by other means, and nothing opens anywhere but in its own place. */
import { createHmac, createCipheriv, hkdfSync, webcrypto } from 'node:crypto';
import { commitmentOf, joinPlaintext, splitPlaintext } from '../../src/core/commitment';
import { emptyHead, headKey, headOf, isOurHead } from '../../src/core/head';
import { sha256 } from '../../src/core/log/sha256';
import { derivedKey, newSubject, newSubjectKey, recordId, subjectKey, unwrapSubjectKey, wrapSubjectKey } from '../../src/core/subject-key';
import { seededRandom } from '../../src/adapters/memory/schedule';

const kek = { generation: 1, key: Buffer.alloc(32, 5) };
const random = seededRandom(1);

describe('the key of a subject', () => {
  const key = newSubjectKey('AAAAAAAAAAAAAAAAAAAAAA', random);
  test('opens under the key-encryption key that wrapped it, for its own subject and generation only', () => {
    const row = wrapSubjectKey(kek, key, random);
    expect(row.wrapped).toHaveLength(60);
    expect(unwrapSubjectKey(kek, row)).toEqual(key);
    expect(unwrapSubjectKey(kek, { ...row, subject: 'BAAAAAAAAAAAAAAAAAAAAA' })).toBe('corrupt');
    expect(unwrapSubjectKey(kek, { ...row, generation: 2 })).toBe('corrupt');
    expect(unwrapSubjectKey(kek, { ...row, generation: -1 })).toBe('corrupt');
    expect(unwrapSubjectKey(kek, { ...row, kek: 2 })).toBe('corrupt');
    expect(unwrapSubjectKey({ ...kek, key: Buffer.alloc(32) }, row)).toBe('corrupt');
    expect(unwrapSubjectKey(kek, { ...row, wrapped: row.wrapped.subarray(1) })).toBe('corrupt');
    for (let at = 0; at < row.wrapped.length; at++) {
      const wrapped = Buffer.from(row.wrapped);
      wrapped.writeUInt8((wrapped[at] as number) ^ 1, at);
      expect(unwrapSubjectKey(kek, { ...row, wrapped })).toBe('corrupt');
    }
  });

  test('is wrapped as docs/format.md says', () => {
    const row = wrapSubjectKey(kek, key, random);
    const cipher = createCipheriv('aes-256-gcm', kek.key, row.wrapped.subarray(0, 12)).setAAD(Buffer.concat([Buffer.from(key.subject), Buffer.from([0, 0, 0, 1])]));
    expect(Buffer.concat([row.wrapped.subarray(0, 12), cipher.update(key.key), cipher.final(), cipher.getAuthTag()])).toEqual(row.wrapped);
  });

  test('names records by HMAC under a key of their subject', () => {
    const idKey = Buffer.from(hkdfSync('sha256', key.key, '', 'id', 32));
    expect(recordId(key, { pk: 'm#x', sk: '1' })).toBe(createHmac('sha256', idKey).update('["records","m#x","1"]').digest('base64url'));
    expect(recordId(key, { pk: 'm#', sk: 'x1' })).not.toBe(recordId(key, { pk: 'm#x', sk: '1' }));
    expect(recordId(subjectKey('B', 1, Buffer.alloc(32)), { pk: 'm#x', sk: '1' })).not.toBe(recordId(key, { pk: 'm#x', sk: '1' }));
  });

  test('is derived as Web Crypto derives it', async () => {
    const material = await webcrypto.subtle.importKey('raw', kek.key, 'HKDF', false, ['deriveBits']);
    const bits = await webcrypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: Buffer.from('id') }, material, 256);
    expect(derivedKey(kek.key, 'id').equals(Buffer.from(bits))).toBe(true);
    expect(derivedKey(kek.key, 'head').equals(Buffer.from(bits))).toBe(false);
  });

  test('belongs to a name of 22 characters that differs every time', () => {
    const names = Array.from({ length: 100 }, () => newSubject(random));
    expect(new Set(names).size).toBe(100);
    expect(names.every((name) => /^[A-Za-z0-9_-]{22}$/.test(name))).toBe(true);
  });
});

describe('the commitment', () => {
  test('is SHA-256 over its domain, the salt and the content', () => {
    const plaintext = joinPlaintext(Buffer.alloc(32, 1), Buffer.from('{}'));
    expect(commitmentOf(plaintext)).toBe(sha256(Buffer.concat([Buffer.from('intact/v1'), Buffer.alloc(32, 1), Buffer.from('{}')])).toString('base64url'));
    expect(splitPlaintext(plaintext)).toEqual({ salt: Buffer.alloc(32, 1), content: Buffer.from('{}') });
    expect(splitPlaintext(Buffer.alloc(31))).toBeUndefined();
    expect(() => joinPlaintext(Buffer.alloc(31), Buffer.from('{}'))).toThrow(RangeError);
  });
});

describe('the head', () => {
  const key = headKey(kek);
  const hash = (n: number): Buffer => Buffer.alloc(32, n);
  const head = headOf(key, { size: 5, edge: [hash(1), hash(2)] });

  test('carries HMAC-SHA256 over domain, size, root and edge', () => {
    const size = Buffer.from([0, 0, 0, 0, 0, 0, 0, 5]);
    const root = sha256(Buffer.concat([Buffer.from([1]), hash(1), hash(2)]));
    expect(head.root).toEqual(root);
    expect(head.mac).toEqual(createHmac('sha256', Buffer.from(hkdfSync('sha256', kek.key, '', 'head', 32))).update('intact/head/v1\n').update(size).update(root).update(hash(1)).update(hash(2)).digest());
  });

  test('is ours only unchanged and under our key', () => {
    expect(isOurHead(key, head)).toBe(true);
    expect(isOurHead(key, emptyHead(key))).toBe(true);
    expect(emptyHead(key).root.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const forged = [{ size: 6 }, { size: -5 }, { size: 5.5 }, { root: hash(9) }, { edge: [hash(2), hash(1)] }, { edge: [hash(1)] }, { edge: [] }, { edge: [hash(1), hash(2).subarray(1)] }, { mac: hash(0) }, { mac: Buffer.alloc(0) }];
    for (const change of forged) expect(isOurHead(key, { ...head, ...change })).toBe(false);
    expect(isOurHead(headKey({ ...kek, key: hash(6) }), head)).toBe(false);
  });
});
