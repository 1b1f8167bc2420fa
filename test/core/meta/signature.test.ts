/** Signature checks against HMACs computed elsewhere (openssl) over bodies as Meta escapes them. */
import { createHmac } from 'node:crypto';
import { signatureOf, verifySignature } from '../../../src/core/meta/signature';

const SECRET = 'test_app_secret';
const VECTORS: readonly (readonly [body: string, hmac: string])[] = [
  ['{"object":"whatsapp_business_account","entry":[]}', 'dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756'],
  ['{"object": "whatsapp_business_account", "entry": []}', '56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a'],
  [String.raw`{"text":{"body":"caf\u00e9 \ud83d\udc4d https:\/\/x.test\/a"}}`, 'cbef0afee41be128fd962af16425308ee4ab9a674e58563194549105d6cc074b'],
];

describe('a signature', () => {
  it.each(VECTORS)('is valid over the exact bytes %s', (body, hmac) => {
    expect(verifySignature(Buffer.from(body), `sha256=${hmac}`, [SECRET])).toBe('valid');
  });

  it.each(VECTORS)('is made the same way by whoever plays Meta: %s', (body, hmac) => {
    expect(signatureOf(Buffer.from(body), SECRET)).toBe(`sha256=${hmac}`);
  });

  it('is valid with the previous secret while secrets rotate', () => {
    const [body, hmac] = VECTORS[0] ?? ['', ''];
    expect(verifySignature(Buffer.from(body), `sha256=${hmac}`, ['the new one', SECRET])).toBe('valid');
  });

  it('does not match after the body was parsed and written again', () => {
    const [body, hmac] = VECTORS[2] ?? ['', ''];
    expect(verifySignature(Buffer.from(JSON.stringify(JSON.parse(body))), `sha256=${hmac}`, [SECRET])).toBe('mismatch');
  });

  it('does not match when any one byte of the body is another', () => {
    const [body, hmac] = VECTORS[0] ?? ['', ''];
    const bytes = Buffer.from(body);
    for (let i = 0; i < bytes.length; i += 1) {
      const forged = Buffer.from(bytes);
      forged[i] = (forged[i] ?? 0) ^ 1;
      expect(verifySignature(forged, `sha256=${hmac}`, [SECRET])).toBe('mismatch');
    }
  });

  it('does not match when any one digit of it is another', () => {
    const [body, hmac] = VECTORS[0] ?? ['', ''];
    for (let i = 0; i < hmac.length; i += 1) {
      const forged = `${hmac.slice(0, i)}${hmac[i] === '0' ? '1' : '0'}${hmac.slice(i + 1)}`;
      expect(verifySignature(Buffer.from(body), `sha256=${forged}`, [SECRET])).toBe('mismatch');
    }
  });

  it('is over bytes, also those that are no text', () => {
    const body = Buffer.from([0x7b, 0xff, 0x7d]);
    const header = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
    expect(verifySignature(body, header, [SECRET])).toBe('valid');
    expect(verifySignature(Buffer.from([0x7b, 0xfe, 0x7d]), header, [SECRET])).toBe('mismatch');
  });

  it('does not match under another secret', () => {
    const [body, hmac] = VECTORS[0] ?? ['', ''];
    expect(verifySignature(Buffer.from(body), `sha256=${hmac}`, ['test_app_secreT'])).toBe('mismatch');
  });

  it.each([undefined, ''])('that is absent is missing: %p', (header) => expect(verifySignature(Buffer.from('{}'), header, [SECRET])).toBe('missing'));

  const good = 'dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756';
  it.each([good, `sha1=${good}`, `sha256=${good.slice(1)}`, `sha256=${good}0`, `sha256=${good.toUpperCase()}`, `sha256=${good}\n`, ` sha256=${good}`, `sha256=${'g'.repeat(64)}`])(
    'in another form is malformed: %s',
    (header) => expect(verifySignature(Buffer.from(VECTORS[0]?.[0] ?? ''), header, [SECRET])).toBe('malformed'),
  );

  it('is never valid without a secret, nor with an empty one that anybody knows', () => {
    const body = Buffer.from('{}');
    const header = `sha256=${createHmac('sha256', '').update(body).digest('hex')}`;
    expect(verifySignature(body, header, [])).toBe('no-secret');
    expect(verifySignature(body, header, [''])).toBe('no-secret');
    expect(verifySignature(body, header, ['', SECRET])).toBe('mismatch');
  });
});
