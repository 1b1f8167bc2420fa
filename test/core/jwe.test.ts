/** Our JWE against the package `jose`, both ways, and against everything that is not exactly ours. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { decryptJwe, encryptJwe, hasJweForm, JweError } from '../../src/core/jwe';

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

  test('has the form to whoever lacks the key exactly where it may open: each header and each length, and no other spelling', () => {
    // Around the length from which on spellings are checked by way of the bytes.
    for (const length of [0, 1, 2, 3, 31, 32, 33, 597, 598, 599, 600, 601, 602, 5000]) {
      for (const generation of [1, 12, 999_999_999, 2]) {
        const jwe = encryptJwe(key, generation, iv, randomBytes(length));
        expect([length, generation, hasJweForm(jwe, length), hasJweForm(jwe, length + 1)]).toEqual([length, generation, true, false]);
      }
    }
  });

  const long = encryptJwe(key, 1, iv, randomBytes(1000));
  const longParts = long.split('.');
  const shape = (change: Readonly<Record<number, string>>, parts: readonly string[] = good.split('.')): string => parts.map((part, i) => change[i] ?? part).join('.');
  const respelled = (part: string): string => part.slice(0, -1) + String.fromCharCode(part.charCodeAt(part.length - 1) + 1); // a spare bit set
  test.each([
    ['another algorithm', withHeader('{"alg":"A256KW","enc":"A256GCM","kid":"1"}')],
    ['members in another order', withHeader('{"enc":"A256GCM","alg":"dir","kid":"1"}')],
    ['an extra header', withHeader('{"alg":"dir","enc":"A256GCM","kid":"1","zip":"DEF"}')],
    ['generation 0', withHeader('{"alg":"dir","enc":"A256GCM","kid":"0"}')],
    ['a generation with a leading zero', withHeader('{"alg":"dir","enc":"A256GCM","kid":"01"}')],
    ['a generation of ten digits', withHeader('{"alg":"dir","enc":"A256GCM","kid":"1000000000"}')],
    ['a generation that is a number', withHeader('{"alg":"dir","enc":"A256GCM","kid":1}')],
    ['a header in another spelling', shape({ 0: `${header}=` })],
    ['no header', shape({ 0: '' })],
    ['an encrypted key', shape({ 1: 'AAAA' })],
    ['an IV of 11 bytes', shape({ 2: Buffer.alloc(11).toString('base64url') })],
    ['an IV of 13 bytes', shape({ 2: Buffer.alloc(13).toString('base64url') })],
    ['an IV with a character of standard base64', shape({ 2: `+${ivPart.slice(1)}` })],
    ['a tag of 15 bytes', shape({ 4: tag.slice(0, 20) })],
    ['a tag of 17 bytes', shape({ 4: Buffer.alloc(17).toString('base64url') })],
    ['a tag in another spelling', shape({ 4: respelled(`${tag.slice(0, 21)}A`) })],
    ['a ciphertext in another spelling', shape({ 3: respelled(Buffer.alloc(40).toString('base64url')) })],
    ['a ciphertext in another spelling of a byte more', shape({ 3: respelled(Buffer.alloc(41).toString('base64url')) })],
    ['a ciphertext of no whole bytes', shape({ 3: 'A'.repeat(45) })],
    ['a ciphertext with a dot', shape({ 3: `${ciphertext}.${ciphertext}` })],
    ['a ciphertext with another letter', shape({ 3: 'é'.repeat(48) })],
    ['a long ciphertext in another spelling', shape({ 3: respelled(Buffer.alloc(1000).toString('base64url')) }, longParts)],
    ['a long ciphertext with a character of standard base64', shape({ 3: `/${longParts[3]!.slice(1)}` }, longParts)],
    ['a long ciphertext of no whole bytes', shape({ 3: 'A'.repeat(1001) }, longParts)],
    ['a long ciphertext and an IV of 11 bytes', shape({ 2: Buffer.alloc(11).toString('base64url') }, longParts)],
    ['a long ciphertext and a tag in another spelling', shape({ 4: respelled(`${longParts[4]!.slice(0, 21)}A`) }, longParts)],
    ['a long ciphertext and an encrypted key', shape({ 1: 'AAAA' }, longParts)],
    ['a long ciphertext with a line feed', shape({ 3: `\n${longParts[3]!}` }, longParts)],
    ['padding', `${good}==`],
    ['a sixth part', `${good}.`],
    ['four parts', [header, ivPart, ciphertext, tag].join('.')],
    ['nothing', ''],
    ['dots alone', '....'],
  ])('has not the form with %s', (_name, jwe) => expect([hasJweForm(good, 0), hasJweForm(long, 32), hasJweForm(jwe, 0)]).toEqual([true, true, false]));

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
