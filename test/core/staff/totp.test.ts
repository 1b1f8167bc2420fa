/** Against the vectors of RFC 6238 (appendix B), RFC 4226 (appendix D) and RFC 4648 (§10). */
import { base32Bytes, hotp, otpauthUri, totp } from '../../../src/core/staff/totp';

const secret = Buffer.from('12345678901234567890');

describe('codes', () => {
  it.each([
    [59, '94287082'], [1_111_111_109, '07081804'], [1_111_111_111, '14050471'], [1_234_567_890, '89005924'], [2_000_000_000, '69279037'], [20_000_000_000, '65353130'],
  ])('at second %d are those of RFC 6238', (seconds, code) => {
    expect(totp(secret, new Date(seconds * 1000), 8)).toBe(code);
    // Six digits are the last six: the code is a remainder.
    expect(totp(secret, new Date(seconds * 1000))).toBe(code.slice(2));
  });

  it('for each counter are those of RFC 4226', () => {
    expect(Array.from({ length: 10 }, (_, counter) => hotp(secret, counter))).toEqual(['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']);
  });

  it('change every 30 seconds and not before', () => {
    expect(totp(secret, new Date(30_000))).toBe(totp(secret, new Date(59_999)));
    expect(totp(secret, new Date(30_000))).not.toBe(totp(secret, new Date(60_000)));
  });
});

describe('Base32', () => {
  it.each([['', ''], ['MY======', 'f'], ['MZXQ====', 'fo'], ['MZXW6===', 'foo'], ['MZXW6YQ=', 'foob'], ['MZXW6YTB', 'fooba'], ['MZXW6YTBOI======', 'foobar'], ['mzxw6ytboi', 'foobar']])('%s is "%s"', (text, bytes) => {
    expect(base32Bytes(text).toString()).toBe(bytes);
  });

  it('is refused where it is none, without a word of it in the message', () => {
    expect(() => base32Bytes('MZXW1YTB')).toThrow(RangeError);
    expect(() => base32Bytes('MZXW1YTB')).not.toThrow(/MZXW/);
  });
});

it('a secret is shown as the URI that apps read', () => {
  const uri = new URL(otpauthUri('Intact prod', 'anna@example.com', 'MZXW6YTBOI======'));
  expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname), uri.searchParams.get('secret'), uri.searchParams.get('issuer')]).toEqual(['otpauth:', 'totp', '/Intact prod:anna@example.com', 'MZXW6YTBOI', 'Intact prod']);
});
