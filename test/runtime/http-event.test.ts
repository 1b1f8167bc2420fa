import { headerOf, isFor, methodOf, rawBodyOf } from '../../src/runtime/http-event';

test('the body comes back byte for byte, base64 or not', () => {
  const bytes = Buffer.from([0xff, 0x00, 0xc3, 0x28, 0x0a]);
  expect(rawBodyOf({ body: bytes.toString('base64'), isBase64Encoded: true })).toEqual(bytes);
  expect(rawBodyOf({ body: '{"a":"é\\/\\u00e9"}', isBase64Encoded: false }).toString('hex')).toBe(Buffer.from('{"a":"é\\/\\u00e9"}').toString('hex'));
  expect(rawBodyOf({ body: 'aGk=' }).toString()).toBe('aGk=');
  expect(rawBodyOf({})).toHaveLength(0);
});

test('a header is found in any case', () => {
  expect(headerOf({ headers: { 'x-hub-signature-256': 'a' } }, 'x-hub-signature-256')).toBe('a');
  expect(headerOf({ headers: { 'X-Hub-Signature-256': 'a' } }, 'x-hub-signature-256')).toBe('a');
  expect(headerOf({ headers: {} }, 'x-hub-signature-256')).toBeUndefined();
  expect(headerOf({}, 'x-hub-signature-256')).toBeUndefined();
});

test('a path is the webhook under any stage, and nothing else is', () => {
  for (const rawPath of ['/webhook', '/webhook/', '/prod/webhook', '/_aws/execute-api/abc/webhook']) expect(isFor({ rawPath }, '/webhook')).toBe(true);
  for (const rawPath of ['/', '/webhook/x', '/webhooks', '/hook']) expect(isFor({ rawPath }, '/webhook')).toBe(false);
  expect(methodOf({ requestContext: { http: { method: 'post' } } })).toBe('POST');
});
