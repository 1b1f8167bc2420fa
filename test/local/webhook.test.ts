import { signatureOf } from '../../local/webhook';

describe('the signature of a delivery', () => {
  it.each([
    ['{"object":"whatsapp_business_account","entry":[]}', 'dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756'],
    ['{"object": "whatsapp_business_account", "entry": []}', '56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a'],
    ['{"text":{"body":"caf\\u00e9 \\ud83d\\udc4d https:\\/\\/x.test\\/a"}}', 'cbef0afee41be128fd962af16425308ee4ab9a674e58563194549105d6cc074b'],
  ])('is the HMAC-SHA256 of its very bytes: %s', (body, hex) => {
    expect(signatureOf(Buffer.from(body), 'test_app_secret')).toBe(`sha256=${hex}`);
  });
});
