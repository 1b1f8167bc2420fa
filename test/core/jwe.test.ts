/** Our JWE against the package `jose`, both ways, and against everything that is not exactly ours. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { decryptJwe, encryptJwe, JweError } from '../../src/core/jwe';

const key = randomBytes(32);
const iv = randomBytes(12);
const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'no error';
  } catch (error) {
    if (error instanceof JweError) return error.code;
    throw error;
  }
};
const open = (jwe: string): Buffer => decryptJwe(jwe, (generation) => (generation === 1 ? key : undefined));
const oursToJose = async (plaintext: Buffer): Promise<unknown> => {
  const { plaintext: opened, protectedHeader } = await compactDecrypt(encryptJwe(key, 1, randomBytes(12), plaintext), key);
  expect(protectedHeader).toEqual({ alg: 'dir', enc: 'A256GCM', kid: '1' });
  return Buffer.from(opened);
};

describe('the JWE', () => {
  test('opens with jose, and ours opens what jose makes', async () => {
    for (const length of [0, 1, 31, 32, 1000, 100_000]) {
      const plaintext = randomBytes(length);
      expect(await oursToJose(plaintext)).toEqual(plaintext);
      const theirs = await new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: '1' }).encrypt(key);
      expect(open(theirs)).toEqual(plaintext);
    }
  });

  test('names the generation of its key', () => {
    expect(decryptJwe(encryptJwe(key, 12, iv, Buffer.from('x')), (generation) => (generation === 12 ? key : undefined)).toString()).toBe('x');
    expect(codeOf(() => open(encryptJwe(key, 2, iv, Buffer.from('x'))))).toBe('key');
  });

  const good = encryptJwe(key, 1, iv, Buffer.from('hello'));
  const [header, , ivPart, ciphertext, tag] = good.split('.') as [string, string, string, string, string];
  const withHeader = (json: string): string => [Buffer.from(json).toString('base64url'), '', ivPart, ciphertext, tag].join('.');
  test.each([
    ['another algorithm', withHeader('{"alg":"A256KW","enc":"A256GCM","kid":"1"}'), 'header'],
    ['another encryption', withHeader('{"alg":"dir","enc":"A128GCM","kid":"1"}'), 'header'],
    ['an extra header', withHeader('{"alg":"dir","enc":"A256GCM","kid":"1","zip":"DEF"}'), 'header'],
    ['no generation', withHeader('{"alg":"dir","enc":"A256GCM"}'), 'header'],
    ['a header spelled otherwise', withHeader('{"alg":"dir", "enc":"A256GCM","kid":"1"}'), 'header'],
    ['a key in it', [header, 'AAAA', ivPart, ciphertext, tag].join('.'), 'form'],
    ['a short iv', [header, '', ivPart.slice(4), ciphertext, tag].join('.'), 'form'],
    ['a short tag', [header, '', ivPart, ciphertext, tag.slice(4)].join('.'), 'form'],
    ['four parts', [header, ivPart, ciphertext, tag].join('.'), 'form'],
    ['padding', `${good}==`, 'form'],
    ['nothing', '', 'form'],
    ['another ciphertext', [header, '', ivPart, `A${ciphertext.slice(1)}` === ciphertext ? `B${ciphertext.slice(1)}` : `A${ciphertext.slice(1)}`, tag].join('.'), 'tag'],
  ])('is refused with %s', (_name, jwe, code) => expect(codeOf(() => open(jwe))).toBe(code));

  test('is refused under another key and after any change of any character', () => {
    expect(codeOf(() => decryptJwe(good, () => randomBytes(32)))).toBe('tag');
    for (let at = 0; at < good.length; at++) {
      const changed = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1);
      expect(codeOf(() => open(changed))).not.toBe('no error');
    }
  });

  test('answers any text with bytes or a code', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{1,20}\.\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{0,9}\.[A-Za-z0-9_-]{22}$/)), (text) => codeOf(() => open(text)) !== 'no error'), { verbose: 1 });
  });
});
